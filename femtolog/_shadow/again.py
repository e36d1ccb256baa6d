"""What a whole log call needs to be made again: copies of loggers and handlers that nobody knows, and arguments without code."""

from __future__ import annotations

import io
import sys
import time
from _thread import RLock
from types import BuiltinFunctionType

from femtolog._shadow.found import Found
from femtolog._shadow.plain import formatter_obstacle, is_plain, is_plain_exception, record_obstacle

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any

    from femtolog._shadow.observed import Call

EMITS_OF_STREAMS = frozenset({"StreamHandler.emit", "FileHandler.emit", "BaseRotatingHandler.emit", "WatchedFileHandler.emit"})


def plan(call: Call) -> tuple[logging.Logger, list[tuple[Any, io.StringIO]], tuple[Any, ...], dict[str, Any]] | None:
    """What is needed to make the call again: a copy of its loggers, the streams of its copied handlers, its arguments.

    None if the way of the record has code of the program's on it: then a real run shows that code a record made before, and what is
    done with it is compared text by text.
    """
    logging_ = sys.modules["logging"]
    runs = Found.native.runs
    logger, record = call.args[0], call.record
    if type(record) is not logging_.LogRecord or logging_._logRecordFactory is not logging_.LogRecord or not logging_._srcfile:
        return None
    if (
        runs(record, "getMessage") is None
        or type(time.time) is not BuiltinFunctionType
        or type(time.time_ns) is not BuiltinFunctionType
    ):
        return None
    for method in ("findCaller", "makeRecord", "handle", "filter", "callHandlers"):
        if runs(logger, method) is None:
            return None
    if type(logger.name) is not str or not _plain_filters(logger):
        return None
    way = _copied_way(logger)
    arguments = None if way is None else _arguments(call)
    if way is None or arguments is None:
        return None
    for emission in call.emissions:  # what was written is known for each of them
        if emission.text is None:
            return None
    return (*way, *arguments)


def _copied_way(logger: Any) -> tuple[logging.Logger, list[tuple[Any, io.StringIO]]] | None:
    """A copy of a logger and those above it, with copies of their handlers. None if the program has code there."""
    logging_ = sys.modules["logging"]
    streams: list[tuple[Any, io.StringIO]] = []
    copied: list[Any] = []
    above = logger
    found = 0
    while above is not None:
        handlers = []
        for handler in above.handlers:
            found += 1
            copy = handler_copy(handler, streams)
            if copy is None:
                return None
            handlers.append(copy)
        one = logger_copy(above, {"handlers": handlers, "parent": None})
        if copied:
            copied[-1].parent = one
        copied.append(one)
        above = above.parent if above.propagate else None
    if not found:
        # A copy on the last logger, for the real one would write to stderr.
        copy = None if logging_.lastResort is None else handler_copy(logging_.lastResort, streams)
        if copy is None:
            return None
        copied[-1].handlers.append(copy)
    return copied[0], streams


def logger_copy(logger: Any, changes: dict[str, Any]) -> logging.Logger:
    """A logger nobody knows. Its attributes are set in the order of `Logger.__init__`, so that it is read as quickly."""
    copy: Any = object.__new__(sys.modules["logging"].Logger)
    copy.filters = list(logger.filters)
    copy.name = logger.name
    copy.level = logger.level
    copy.parent = changes.get("parent", logger.parent)
    copy.propagate = logger.propagate
    copy.handlers = changes.get("handlers", [])
    copy.disabled = logger.disabled
    copy._cache = {}
    return copy  # type: ignore[no-any-return]


def handler_copy(handler: Any, streams: list[tuple[Any, io.StringIO]]) -> Any:
    """A handler that nobody knows and that writes to a stream of ours; None if that cannot be told from outside."""
    logging_ = sys.modules["logging"]
    runs = Found.native.runs
    if runs(handler, "handle") == "NullHandler.handle":
        return handler
    if (
        runs(handler, "handle") != "Handler.handle"
        or runs(handler, "emit") not in EMITS_OF_STREAMS
        or any(runs(handler, method) is None for method in ("format", "filter", "acquire", "release"))
        or not _plain_filters(handler)
        or type(handler.level) is not int
    ):
        return None
    formatter = handler.formatter
    if formatter is not None and (runs(formatter, "format") is None or formatter_obstacle(formatter)):
        return None
    if type(handler.terminator) is not str:
        return None
    copy = object.__new__(logging_.StreamHandler)
    copy.filters = list(handler.filters)
    copy._name = None
    copy.level = handler.level
    copy.formatter = formatter
    if sys.version_info >= (3, 12):
        copy._closed = False
    copy.lock = RLock()
    copy.stream = io.StringIO()
    if handler.terminator != "\n":
        copy.terminator = handler.terminator
    streams.append((handler, copy.stream))
    return copy


def _plain_filters(owner: Any) -> bool:
    filter_class = sys.modules["logging"].Filter
    return all(type(one) is filter_class and Found.native.runs(one, "filter") for one in owner.filters)


def _arguments(call: Call) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Arguments for `Logger._log` that run no code of the program's."""
    record = call.record
    names = ("level", "msg", "args", "exc_info", "extra", "stack_info", "stacklevel")
    given = dict(zip(names, call.args[1:], strict=False)) | call.kwargs
    if not given.keys() <= set(names) or not {"level", "msg", "args"} <= given.keys():
        return None
    if not is_plain((given["msg"], given["args"])):
        if "message" not in vars(record):
            return None
        given["msg"], given["args"] = vars(record)["message"], ()
    if record.exc_info and not is_plain_exception(record.exc_info):
        return None
    extra = given.get("extra")
    if extra is not None and type(extra) is not dict:
        return None
    for emission in call.emissions:
        formatter = emission.handler.formatter or sys.modules["logging"]._defaultFormatter
        if record_obstacle(formatter, record):
            return None
    if record.exc_info and given.get("exc_info") is not None:
        given["exc_info"] = record.exc_info  # True, or an exception, became this
    return (given.pop("level"), given.pop("msg"), given.pop("args")), given


def nanoseconds(record: Any) -> int:
    """The reading of the clock that gave the record its times."""
    if sys.version_info >= (3, 13):
        read = int(round(record.relativeCreated * 1e6) + sys.modules["logging"]._startTime)
    else:
        # The whole nanosecond next to the float; dividing it again gives the float.
        numerator, denominator = record.created.as_integer_ratio()
        read = int((numerator * 2_000_000_000 + denominator) // (2 * denominator))
    return read
