"""How femto handlers render a record: the default line, and callables that get the record as a dict."""

from __future__ import annotations

import logging

from femtolog.femto.levels import femto_name
from femtolog.femto.payload import exception_payload, stack_payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# What a record has of itself: all else in it was given with the call, or by a filter.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class DefaultFormatter(logging.Formatter):
    """`svc [INFO] message`; an exception and a stack on the lines that follow."""

    def __init__(self) -> None:
        super().__init__("%(name)s [%(levelname)s] %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the stdlib's name)
        """The line itself."""
        return f"{record.name} [{femto_name(record.levelname)}] {record.message}"


DEFAULT = DefaultFormatter()


class CallableFormatter(logging.Formatter):
    """Lets a function that takes the record as a dict make the text, see as_dict(); TypeError, then, if it gives no str."""

    def __init__(self, function: Callable[[dict[str, Any]], str]) -> None:
        super().__init__()
        self.function = function

    def format(self, record: logging.LogRecord) -> str:
        """What the function makes of the record."""
        text = self.function(as_dict(record))
        if not isinstance(text, str):
            raise TypeError(f"a formatter must return a str, {self.function!r} returned {type(text).__name__}")
        return text


def formatter_of(given: Any) -> logging.Formatter | None:
    """A formatter made of what `with_formatter` may be given beside an id: a Formatter, a callable, an object with `format`. Else None."""
    if isinstance(given, logging.Formatter):
        return given
    if isinstance(given, str):
        return None
    function = given if callable(given) else getattr(given, "format", None)
    return CallableFormatter(function) if callable(function) else None


def extra_of(record: logging.LogRecord) -> dict[str, Any]:
    """What was given with `extra`, or set by a filter."""
    return {key: value for key, value in vars(record).items() if key not in _OWN}


def as_dict(record: logging.LogRecord) -> dict[str, Any]:
    """A record as formatter callables and sinks with `handle_record` get it.

    `key_values` is what was given with `extra` or set by a filter, as it is; all else is text and numbers of the call.
    """
    made: dict[str, Any] = {
        "logger": record.name,
        "level": femto_name(record.levelname),
        "levelno": record.levelno,
        "message": record.getMessage(),
        "metadata": {
            "module_path": record.module,
            "filename": record.pathname,
            "line_number": record.lineno,
            "thread_name": record.threadName,
            "thread_id": record.thread,
            "timestamp": record.created,
            "key_values": extra_of(record),
        },
    }
    if record.exc_info and record.exc_info[1] is not None:
        made["exc_info"] = exception_payload(record.exc_info[1], record.exc_info[2])
    if record.stack_info:
        made["stack_info"] = stack_payload(record.stack_info)
    return made
