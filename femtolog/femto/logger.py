"""FemtoLogger: a logger of `logging` as femtologging's programs know it. It has no tree, no handlers and no levels of its own."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
import weakref

from femtolog.errors import ConfigurationError
from femtolog.femto.formatting import DEFAULT
from femtolog.femto.levels import femto_name, level_number, name_trace
from femtolog.femto.sinks import SinkHandler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType
    from typing import Any, TypeAlias

    from femtolog.femto.registry import Target

    _ExcInfo: TypeAlias = (
        bool | BaseException | tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None
    )

FLUSH_TIMEOUT = 2.0
"""Seconds that flush_handlers() waits unless told otherwise."""

_loggers: dict[str, FemtoLogger] = {}  # read and changed under logging's own lock, which a forked child makes new


def get_logger(name: str) -> FemtoLogger:
    """The one FemtoLogger of this name; "root" is the root logger.

    It is `logging.getLogger(name)` with other methods: the same handlers, filters, parents and level. If that has no level yet, it gets
    INFO. ConfigurationError, which is a ValueError, for an empty name, one that begins or ends with a dot, and one with two dots in a row.

    Examples:
        >>> import logging
        >>> from femtolog.femto import get_logger
        >>> log = get_logger("app")
        >>> log is get_logger("app"), log.logger is logging.getLogger("app")
        (True, True)
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, got {name!r}")
    if not all(name.split(".")):
        raise ConfigurationError(f"name must have no empty part between its dots, got {name!r}")
    with logging._lock:  # type: ignore[attr-defined]  # noqa: SLF001
        found = _loggers.get(name)
        if found is None:
            found = _loggers[name] = FemtoLogger(name, _logger=logging.getLogger(name))
        return found


def known_loggers() -> list[FemtoLogger]:
    """Those that get_logger() has given."""
    with logging._lock:  # type: ignore[attr-defined]  # noqa: SLF001
        return list(_loggers.values())


def forget_loggers() -> None:
    """Takes back what they have done, and gives others from now on: see reset_manager()."""
    with logging._lock:  # type: ignore[attr-defined]  # noqa: SLF001
        known = list(_loggers.values())
        _loggers.clear()
    for logger in known:
        logger._take_back()  # noqa: SLF001 - of the same module


def is_among(item: object, items: Iterable[object]) -> bool:
    """Is it one of them? `in` would ask `__eq__` of the program's objects."""
    return any(item is other for other in items)


class FemtoLogger:
    """A logger whose methods take a message that is ready, and return the line they have logged, or None.

    get_logger() gives those of the tree of `logging`; one made by its name stands alone, at level INFO.

    Examples:
        >>> from femtolog.femto import FemtoLogger
        >>> log = FemtoLogger("alone")
        >>> log.info("ready")
        'alone [INFO] ready'
        >>> log.debug("below the level") is None
        True
    """

    def __init__(self, name: str, *, _logger: logging.Logger | None = None) -> None:
        self._logger = logging.Logger(name) if _logger is None else _logger
        self._before = self._logger.level, self._logger.propagate
        self._added: list[Any] = []  # handlers and filters that came through this logger
        self._removed: list[_Removed] = []
        if self._logger.level == logging.NOTSET:
            self._logger.setLevel(logging.INFO)
        name_trace()

    def __repr__(self) -> str:
        return f"<FemtoLogger {self.name} ({self.level})>"

    # ---- logging

    def log(
        self,
        level: str | int,
        message: str,
        *,
        exc_info: _ExcInfo = None,
        stack_info: bool = False,
        extra: Mapping[str, object] | None = None,
    ) -> str | None:
        """Logs a message; `name [LEVEL] message` with its exception and stack, or None if the level or a filter of the logger refuses it."""
        return self._log(level_number(level), message, exc_info, stack_info, extra)

    def debug(
        self, message: str, *, exc_info: _ExcInfo = None, stack_info: bool = False, extra: Mapping[str, object] | None = None
    ) -> str | None:
        """log("DEBUG", …)"""
        return self._log(logging.DEBUG, message, exc_info, stack_info, extra)

    def info(
        self, message: str, *, exc_info: _ExcInfo = None, stack_info: bool = False, extra: Mapping[str, object] | None = None
    ) -> str | None:
        """log("INFO", …)"""
        return self._log(logging.INFO, message, exc_info, stack_info, extra)

    def warning(
        self, message: str, *, exc_info: _ExcInfo = None, stack_info: bool = False, extra: Mapping[str, object] | None = None
    ) -> str | None:
        """log("WARNING", …)"""
        return self._log(logging.WARNING, message, exc_info, stack_info, extra)

    def error(
        self, message: str, *, exc_info: _ExcInfo = None, stack_info: bool = False, extra: Mapping[str, object] | None = None
    ) -> str | None:
        """log("ERROR", …)"""
        return self._log(logging.ERROR, message, exc_info, stack_info, extra)

    def critical(
        self, message: str, *, exc_info: _ExcInfo = None, stack_info: bool = False, extra: Mapping[str, object] | None = None
    ) -> str | None:
        """log("CRITICAL", …)"""
        return self._log(logging.CRITICAL, message, exc_info, stack_info, extra)

    def exception(
        self, message: str, *, exc_info: _ExcInfo = True, stack_info: bool = False, extra: Mapping[str, object] | None = None
    ) -> str | None:
        """error(), with the exception that is being handled."""
        return self._log(logging.ERROR, message, exc_info, stack_info, extra)

    def _log(
        self, level: int, message: str, exc_info: _ExcInfo, stack_info: bool, extra: Mapping[str, object] | None
    ) -> str | None:
        """What Logger._log and Logger.handle do, in the hands of one who wants to know whether a filter refused it."""
        logger = self._logger
        if not logger.isEnabledFor(level):
            return None
        try:
            file, line, function, stack = logger.findCaller(stack_info, 3)  # above this method and the one that called it
        except ValueError:
            file, line, function, stack = "(unknown file)", 0, "(unknown function)", None
        exception: Any = exc_info or None
        if isinstance(exc_info, BaseException):
            exception = (type(exc_info), exc_info, exc_info.__traceback__)
        elif exc_info is True:
            exception = sys.exc_info()
        record = logger.makeRecord(logger.name, level, file, line, message, (), exception, function, extra, stack)
        passed = logger.filter(record)
        if not passed:
            return None
        if sys.version_info >= (3, 12) and isinstance(passed, logging.LogRecord):
            record = passed
        logger.callHandlers(record)
        return DEFAULT.format(record)

    def isEnabledFor(self, level: str | int) -> bool:  # noqa: N802 (the stdlib's name)
        """Would a record of this level be logged, as far as levels say?"""
        return self._logger.isEnabledFor(level_number(level))

    # ---- what it is

    @property
    def logger(self) -> logging.Logger:
        """The logger of `logging` that this is."""
        return self._logger

    @property
    def name(self) -> str:
        """Its name."""
        return self._logger.name

    @property
    def parent(self) -> str | None:
        """The name of the logger above it; None for the root logger, and for one that stands alone."""
        if self._logger.parent is None:
            return None
        return self.name.rpartition(".")[0] or "root"

    @property
    def level(self) -> str:
        """The name of its level."""
        return femto_name(logging.getLevelName(self._logger.level))

    @property
    def propagate(self) -> bool:
        """Do its records go to the handlers of its parents?"""
        return bool(self._logger.propagate)

    def set_level(self, level: str | int) -> None:
        """What is below this level is not logged, from the next call of any thread on."""
        self._logger.setLevel(level_number(level))

    def set_propagate(self, flag: bool) -> None:
        """Whether records go to the handlers of the parents, too."""
        self._logger.propagate = bool(flag)

    # ---- handlers

    def add_handler(self, handler: logging.Handler | object) -> None:
        """Adds a handler of `logging` or of femto, or any object with a callable `handle(logger, level, message)`, unless it is there.

        Such an object is called by a thread of its own. If it has a callable `handle_record(record)` now, that is called instead, with
        the record as a dict, whatever becomes of the object later. TypeError for what is neither.
        """
        if any(there is handler or getattr(there, "sink", None) is handler for there in self._logger.handlers):
            return
        made = handler if isinstance(handler, logging.Handler) else SinkHandler(handler)
        self._logger.addHandler(made)
        self._added.append(made)

    def remove_handler(self, handler: logging.Handler | object) -> None:
        """Removes it; what was logged before is still written. Nothing happens if it is not there."""
        for there in list(self._logger.handlers):
            if there is handler or (isinstance(there, SinkHandler) and there.sink is handler):
                self._remove(there)

    def clear_handlers(self) -> None:
        """Removes all handlers of this logger."""
        for there in list(self._logger.handlers):
            self._remove(there)

    def _remove(self, handler: logging.Handler) -> None:
        self._logger.removeHandler(handler)
        self._added = [item for item in self._added if item is not handler]
        self._remember(handler)

    def _remember(self, handler: logging.Handler) -> None:
        """What it has dropped counts on."""
        if not callable(getattr(type(handler), "stats", None)):
            return
        left = [one for one in self._removed if one.handler() is not handler]
        with contextlib.suppress(Exception):  # somebody's, with another stats()
            left.append(_Removed(handler))
        self._removed = _joined(left)

    def flush_handlers(self, timeout: float = FLUSH_TIMEOUT) -> bool:
        """Flushes all handlers of this logger, which takes no longer than `timeout` seconds for asynchronous ones. Is everything written?"""
        deadline = time.monotonic() + timeout
        done = True
        handler: Any
        for handler in list(self._logger.handlers):
            if hasattr(handler, "aflush"):
                done = handler.flush(max(0.0, deadline - time.monotonic())) and done
            else:
                handler.flush()
        return done

    def get_dropped(self) -> int:
        """How many records the asynchronous handlers of this logger have dropped, and those that it had before.

        A handler on several loggers counts for each.
        """
        return sum(account["dropped"] for account in self._accounts())

    @property
    def handler_errors(self) -> int:
        """How many records its asynchronous handlers, and those that it had before, could not write: the sink or the formatter raised."""
        return sum(account["failed"] for account in self._accounts())

    def _accounts(self) -> list[Any]:
        handlers = list(self._logger.handlers)
        accounts = [stats() for handler in handlers if callable(stats := getattr(handler, "stats", None))]
        return accounts + [one.account() for one in list(self._removed) if not is_among(one.handler(), handlers)]

    def _become(self, target: Target) -> None:
        """What a configuration says; nothing here can fail. Lists are replaced: a thread that is going through one goes on with it."""
        logger = self._logger
        if target.level is not None:
            logger.setLevel(target.level)
        if target.propagate is not None:
            logger.propagate = target.propagate
        if target.handlers is not None:
            before, logger.handlers = logger.handlers, list(target.handlers)
            self._added += [handler for handler in target.handlers if not is_among(handler, before)]
            for handler in before:
                if not is_among(handler, target.handlers):
                    self._remember(handler)
        if target.filters is not None:
            self._added += [item for item in target.filters if not is_among(item, logger.filters)]
            logger.filters = list(target.filters)
        self._added = [item for item in self._added if is_among(item, logger.handlers) or is_among(item, logger.filters)]

    def _take_back(self) -> None:
        logger = self._logger
        logger.handlers = [handler for handler in logger.handlers if not is_among(handler, self._added)]
        logger.filters = [item for item in logger.filters if not is_among(item, self._added)]
        self._added.clear()
        level, propagate = self._before
        logger.setLevel(level)
        logger.propagate = propagate


class _Removed:
    """What a handler that was removed has dropped and could not write. It tells as long as it is there; then it is what it told last."""

    def __init__(self, handler: Any) -> None:
        self.handler = weakref.ref(handler)
        self.last = {"dropped": 0, "failed": 0}
        self.account()

    def account(self) -> dict[str, int]:
        handler = self.handler()
        if handler is not None:
            account = handler.stats()
            self.last = {key: account[key] for key in self.last}
        return self.last


def _joined(removed: list[_Removed]) -> list[_Removed]:
    """One in the place of all whose handlers are not there any more."""
    gone = [one for one in removed if one.handler() is None]
    for other in gone[1:]:
        gone[0].last = {key: count + other.last[key] for key, count in gone[0].last.items()}
    return gone[:1] + [one for one in removed if one.handler() is not None]
