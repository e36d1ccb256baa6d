"""The asynchronous handlers: each is the standard library's of its kind, written by the worker of femtolog.enqueue().

Beside records they take `handle(logger, level, message)`, and by default drop what their queue has no room for.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys

from femtolog import _enqueue
from femtolog.femto.files import CountedBySize, CountedByTime, begin, sink
from femtolog.femto.formatting import DEFAULT
from femtolog.femto.levels import level_number
from femtolog.femto.options import (
    QUEUE_BYTES,
    HandlerOptions,
    TimedHandlerOptions,
    interval_of_flushes,
    positive,
    queue_options,
    rotation_limits,
)
from femtolog.files._steady import Steady

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Any, Self, TextIO

    from femtolog.femto.options import OverflowPolicy

FLUSH_AFTER = 1.0
"""Seconds that flush() waits unless told otherwise."""


def made_by_hand(handler: Any, arguments: tuple[Any, ...], *, is_closed: bool) -> tuple[Any, logging.LogRecord]:
    """The record of handle(logger, level, message), and whether it passes the handler's level and filters.

    TypeError for anything else, RuntimeError for a closed handler.
    """
    if len(arguments) != 3 or not isinstance(arguments[0], str):
        raise TypeError("handle() takes a record, or the name of a logger, a level and a message")
    logger, level, message = arguments
    if is_closed:
        raise RuntimeError(f"{handler!r} is closed")
    made = logging.LogRecord(logger, level_number(level), "(unknown file)", 0, message, (), None)
    if made.levelno < handler.level:
        return False, made
    passed = handler.filter(made)
    if sys.version_info >= (3, 12) and isinstance(passed, logging.LogRecord):
        made = passed
    return passed, made


# The classes below have a flush() that returns a bool where that of logging returns None: type checkers are told to accept it.
class FemtoHandler(_enqueue._Asynchronous):  # noqa: SLF001 - the other user of its methods
    """What all of them have. The class that stands behind it is what the worker writes as.

    Examples:
        >>> import logging
        >>> from femtolog.femto import FemtoFileHandler, FemtoHandler
        >>> issubclass(FemtoFileHandler, FemtoHandler), issubclass(FemtoFileHandler, logging.FileHandler)
        (True, True)
    """

    _flush_after = FLUSH_AFTER

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuses an `emit` that nobody would call."""
        super().__init_subclass__(**options)
        if "emit" in vars(cls):
            raise TypeError(
                f"{cls.__name__}.emit() would never be called: give the method to a logging.Handler and enqueue() that"
            )

    def _start(self, sink: type[logging.Handler], options: _enqueue.Options) -> None:
        handler: Any = self
        handler.formatter = DEFAULT
        options.drops_late = True
        _enqueue.attach(handler, sink, options)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 (the stdlib's name)
        """What makes the text of records; None: the default, `svc [INFO] message`."""
        handler: Any = self
        handler.formatter = DEFAULT if fmt is None else fmt

    # Called by `handle`, which has to be that of all asynchronous handlers: native code knows it, and does its part for most records.
    def _by_hand(self, *arguments: Any) -> Any:
        pipeline: _enqueue._Pipeline = vars(self)[_enqueue.ATTRIBUTE]
        passed, made = made_by_hand(self, arguments, is_closed=pipeline.queue.is_closed())
        if passed and pipeline.submit(self, made) == _enqueue.DROPPED:
            raise RuntimeError(f"the queue of {self!r} is full: the record is dropped")
        return passed

    def flush(self, timeout: float | None = None) -> bool:
        """Waits, for a second unless told otherwise, until everything logged before is written, and flushes the sink.

        True only if all of it was written: False after the time, if a record has failed since the last flush, or this one has, and
        for a closed handler.
        """
        return super().flush(self._flush_after if timeout is None else timeout)


class FemtoStreamHandler(FemtoHandler, logging.StreamHandler):  # type: ignore[type-arg,misc]
    """Writes to a stream, sys.stderr as it is now unless one is given. `flush_after_ms`: how long flush() waits.

    `capacity_bytes`, and `on_error` and `on_drop`, which a thread of their own calls, are here and in the classes below as for
    femtolog.enqueue().

    Examples:
        >>> import io
        >>> from femtolog.femto import FemtoStreamHandler, get_logger
        >>> handler = FemtoStreamHandler(io.StringIO(), policy="block")
        >>> get_logger("app").add_handler(handler)
        >>> get_logger("app").info("ready")
        'app [INFO] ready'
        >>> handler.flush()
        True
        >>> print(handler.stream.getvalue(), end="")
        app [INFO] ready
    """

    def __init__(
        self,
        stream: TextIO | Any = None,
        capacity: int = 1024,
        policy: str | OverflowPolicy = "drop",
        *,
        flush_after_ms: int = 1000,
        capacity_bytes: int = QUEUE_BYTES,
        on_error: Callable[[BaseException, int], object] | None = None,
        on_drop: Callable[[str, int], object] | None = None,
    ) -> None:
        options = queue_options(capacity, policy, capacity_bytes, on_error, on_drop)
        logging.StreamHandler.__init__(self, stream)
        self._flush_after = positive("flush_after_ms", flush_after_ms) / 1000
        self._start(logging.StreamHandler, options)

    @classmethod
    def stdout(cls) -> Self:
        """One for sys.stdout as it is now."""
        return cls(sys.stdout)

    @classmethod
    def stderr(cls) -> Self:
        """One for sys.stderr as it is now."""
        return cls(sys.stderr)


class FemtoFileHandler(FemtoHandler, Steady):  # type: ignore[misc]
    """Appends to a file, in UTF-8. `flush_interval` counts records; with 1 they are written as soon as the worker gets to them.

    `fallback` gets the records that cannot be written.

    OSError if the file cannot be opened.

    Examples:
        >>> from femtolog.femto import FemtoFileHandler, get_logger
        >>> handler = FemtoFileHandler("app.log", policy="block")
        >>> get_logger("app").add_handler(handler)
        >>> get_logger("app").info("ready")
        'app [INFO] ready'
        >>> handler.close()
        >>> print(open("app.log").read(), end="")
        app [INFO] ready
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        capacity: int = 1024,
        flush_interval: int = 1,
        policy: str | OverflowPolicy = "drop",
        *,
        mode: str = "a",
        encoding: str = "utf-8",
        fallback: logging.Handler | None = None,
        capacity_bytes: int = QUEUE_BYTES,
        on_error: Callable[[BaseException, int], object] | None = None,
        on_drop: Callable[[str, int], object] | None = None,
    ) -> None:
        options = queue_options(capacity, policy, capacity_bytes, on_error, on_drop)
        begin(self, interval_of_flushes(flush_interval), fallback)
        logging.FileHandler.__init__(self, path, mode, encoding)
        self._start(sink(self), options)


def _begin_rotating(
    handler: FemtoHandler,
    given: HandlerOptions | TimedHandlerOptions,
    *,
    fallback: logging.Handler | None,
    capacity_bytes: int | None,
    on_error: Callable[[BaseException, int], object] | None,
    on_drop: Callable[[str, int], object] | None,
) -> _enqueue.Options:
    """begin() for a handler with such options, and those of its queue."""
    size = given.capacity_bytes if capacity_bytes is None else capacity_bytes
    queue = queue_options(given.capacity, given.policy, size, on_error, on_drop)
    begin(handler, interval_of_flushes(given.flush_interval), fallback)
    return queue


class FemtoRotatingFileHandler(FemtoHandler, CountedBySize):  # type: ignore[misc]
    """A FemtoFileHandler that begins a new file before this one would be larger than `max_bytes` bytes; its worker does that.

    `capacity_bytes` goes before what the options say.

    Examples:
        >>> from femtolog.femto import FemtoRotatingFileHandler, HandlerOptions
        >>> handler = FemtoRotatingFileHandler("app.log", HandlerOptions(rotation=(1_000_000, 5)))
        >>> handler.max_bytes, handler.backup_count
        (1000000, 5)
        >>> handler.close()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        options: HandlerOptions | None = None,
        *,
        encoding: str = "utf-8",
        fallback: logging.Handler | None = None,
        capacity_bytes: int | None = None,
        on_error: Callable[[BaseException, int], object] | None = None,
        on_drop: Callable[[str, int], object] | None = None,
    ) -> None:
        given = options or HandlerOptions()
        queue = _begin_rotating(self, given, fallback=fallback, capacity_bytes=capacity_bytes, on_error=on_error, on_drop=on_drop)
        max_bytes, backup_count = rotation_limits(*(given.rotation or (0, 0)))
        rotating = logging.handlers.RotatingFileHandler
        rotating.__init__(self, path, maxBytes=max_bytes, backupCount=backup_count, encoding=encoding)
        self._start(sink(self), queue)

    @property
    def max_bytes(self) -> int:
        """The size that no file exceeds, unless a single line does; 0: there is no rotation."""
        return self.maxBytes

    @property
    def backup_count(self) -> int:
        """How many files are kept beside the one that is written to."""
        return self.backupCount


class FemtoTimedRotatingFileHandler(FemtoHandler, CountedByTime):  # type: ignore[misc]
    """A FemtoFileHandler that begins a new file at certain times; its worker does that.

    `capacity_bytes` goes before what the options say.

    Examples:
        >>> from femtolog.femto import FemtoTimedRotatingFileHandler, TimedHandlerOptions
        >>> handler = FemtoTimedRotatingFileHandler("app.log", TimedHandlerOptions(when="MIDNIGHT", backup_count=7))
        >>> handler.backup_count
        7
        >>> handler.close()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        options: TimedHandlerOptions | None = None,
        *,
        encoding: str = "utf-8",
        fallback: logging.Handler | None = None,
        capacity_bytes: int | None = None,
        on_error: Callable[[BaseException, int], object] | None = None,
        on_drop: Callable[[str, int], object] | None = None,
    ) -> None:
        given = options or TimedHandlerOptions()
        queue = _begin_rotating(self, given, fallback=fallback, capacity_bytes=capacity_bytes, on_error=on_error, on_drop=on_drop)
        # The standard library asks for `atTime` at midnight and on weekdays only: every day at a time is a midnight moved.
        when = "MIDNIGHT" if given.when == "D" and given.at_time is not None else given.when
        timed = logging.handlers.TimedRotatingFileHandler
        timed.__init__(self, path, when, given.interval, given.backup_count, encoding, utc=given.utc, atTime=given.at_time)
        self._start(sink(self), queue)

    @property
    def backup_count(self) -> int:
        """How many files are kept beside the one that is written to; 0: all."""
        return self.backupCount
