"""AsyncLogger: coroutines that log. The caller makes the record; the worker of a queue gives it to the handlers of the logger's tree.

The queue, its worker and its account are those of enqueue() (femtolog/_enqueue.py), around one handler, which stands for the tree. What is
here beside it: a coroutine that finds no room waits without stopping its event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import logging
import math
import sys
import weakref

from femtolog import _enqueue
from femtolog.errors import ConfigurationError, HandlerIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from types import TracebackType
    from typing import Any, TypeAlias

    from femtolog._native import QueuedRecord, _Account

    _ExcInfo: TypeAlias = (
        bool | BaseException | tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None
    )

__all__ = ["AsyncLogger", "AsyncLoggerConfig", "get_async_logger", "shutdown_all_async_loggers"]

FIRST_LOOK, LAST_LOOK = 0.001, 0.02
"""Seconds after which the first in line looks for room again: at first, and, doubled each time, at last."""

_loggers: dict[str, AsyncLogger] = {}  # read and changed under logging's own lock, which a forked child makes new


@dataclasses.dataclass(frozen=True, slots=True)
class AsyncLoggerConfig:
    """How much an AsyncLogger queues, and how long it waits. ConfigurationError, a ValueError, for what cannot be.

    `queue_size`: records in flight at most, those being written included; `max_memory_mb`: MiB of them (None: 64). Where there is no room a
    call waits up to `queue_timeout` seconds, then its record is dropped; with `drop_on_overflow` it is dropped at once. Records below ERROR
    go first. `batch_size`: so many records the worker takes from the queue at once. `shutdown_timeout`: seconds that a shutdown takes at
    most. `error_callback(exception, n)`: called for n records that could not be logged or were dropped, by a thread of its own, once a
    second at most. `max_workers` and `flush_interval` are limits that hold whatever they are: one thread writes (two would mix up the
    order), and it waits for nothing but records.

    Examples:
        >>> from femtolog.aio import AsyncLoggerConfig
        >>> AsyncLoggerConfig(queue_size=0)
        Traceback (most recent call last):
        femtolog.errors.ConfigurationError: queue_size must be positive, got 0
    """

    queue_size: int = 1000
    max_workers: int = 2
    batch_size: int = 50
    flush_interval: float = 1.0
    queue_timeout: float = 0.1
    shutdown_timeout: float = 5.0
    max_memory_mb: float | None = None
    drop_on_overflow: bool = False
    error_callback: Callable[[BaseException, int], object] | None = None

    def __post_init__(self) -> None:
        for name in ("queue_size", "max_workers", "batch_size"):
            _positive(name, getattr(self, name), int, "an int")
        for name in ("flush_interval", "queue_timeout", "shutdown_timeout"):
            _positive(name, getattr(self, name), int | float, "a number of seconds")
        if self.max_memory_mb is not None:
            _positive("max_memory_mb", self.max_memory_mb, int | float, "a number or None")
        if not isinstance(self.drop_on_overflow, bool):
            raise TypeError(f"drop_on_overflow must be a bool, got {self.drop_on_overflow!r}")
        if self.error_callback is not None and not callable(self.error_callback):
            raise TypeError(f"error_callback must be callable or None, got {self.error_callback!r}")


def _positive(name: str, value: Any, kind: Any, kind_name: str) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{name} must be {kind_name}, got {value!r}")
    if not value > 0:
        raise ConfigurationError(f"{name} must be positive, got {value!r}")
    if value == math.inf:
        raise ConfigurationError(f"{name} must be finite, got {value!r}")


def get_async_logger(name: str, config: AsyncLoggerConfig | None = None) -> AsyncLogger:
    """The one AsyncLogger of this name: `logging.getLogger(name)` with coroutines, until it is shut down.

    `config` is that of its first call. ConfigurationError for another one later; without one it is the one that there is. Any thread.

    Examples:
        >>> from femtolog.aio import get_async_logger
        >>> log = get_async_logger("shop")
        >>> log is get_async_logger("shop"), log.logger.name
        (True, 'shop')
    """
    if config is not None and not isinstance(config, AsyncLoggerConfig):
        raise TypeError(f"config must be an AsyncLoggerConfig or None, got {config!r}")
    logger = logging.getLogger(name)
    with logging._lock:  # type: ignore[attr-defined]  # noqa: SLF001
        found = _loggers.get(logger.name)
        if found is None:
            found = _loggers[logger.name] = AsyncLogger(logger, config or AsyncLoggerConfig())
        elif config not in (None, found.config):
            raise ConfigurationError(f"config of {logger.name!r} must be that of its first call, {found.config}, got {config}")
    return found


async def shutdown_all_async_loggers() -> None:
    """Shuts all of them down, side by side: AsyncLogger.ashutdown(). Idempotent.

    Examples:
        >>> import asyncio
        >>> from femtolog.aio import get_async_logger, shutdown_all_async_loggers
        >>> log = get_async_logger("shop")
        >>> asyncio.run(shutdown_all_async_loggers())
        >>> get_async_logger("shop") is log
        False
    """
    with logging._lock:  # type: ignore[attr-defined]  # noqa: SLF001
        known = list(_loggers.values())
    await asyncio.gather(*(log.ashutdown() for log in known))


class _Tree(logging.Handler):
    """Stands for all handlers that a record of this logger reaches."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        # Those that logging knows are closed by dictConfig() and by logging.shutdown(): it is nobody's there.
        _enqueue.unlist(self)
        self.logger = logger

    def __repr__(self) -> str:
        return f"<AsyncLogger {self.logger.name}>"

    def emit(self, record: logging.LogRecord) -> None:
        context: Any = self.format(record)  # what is queued with the record, where a text is with others
        context.run(self.logger.callHandlers, record)

    def flush(self) -> bool:  # type: ignore[override]
        flushed = True
        logger: logging.Logger | None = self.logger
        while logger is not None:
            for handler in logger.handlers:
                answer: object = handler.flush()  # type: ignore[func-returns-value] # those of enqueue() tell
                flushed = flushed and answer is not False
            logger = logger.parent if logger.propagate else None
        return flushed


class AsyncLogger:
    """A logger with coroutines: `await log.ainfo("order %d", 7)` comes back as soon as the record is on a queue.

    get_async_logger() makes them. Levels, `disabled` and filters are those of `logger`, a logger of `logging`, and are asked at the call, as
    are place, task, message and context variables. A worker, a thread, gives the record to the handlers of `logger` and those above it,
    one record after the other, in the order of the queue, with the context of the call. The methods take what those of `logging.Logger`
    take; other keywords are attributes of the record, as with `extra`. Coroutines of asyncio, in any number of loops and threads.

    Examples:
        >>> import asyncio, logging, sys
        >>> import femtolog
        >>> logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s for %(customer)s")
        >>> async def sell():
        ...     log = femtolog.get_async_logger("shop")
        ...     await log.awarning("order %d", 7, customer="Ann")
        ...     return await log.aflush()
        >>> asyncio.run(sell())
        WARNING order 7 for Ann
        True
    """

    def __init__(self, logger: logging.Logger, config: AsyncLoggerConfig) -> None:
        self.logger, self.config = logger, config
        self._lines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()
        self._tree = _enqueue.enqueue(
            _Tree(logger),
            capacity=config.queue_size,
            capacity_bytes=64 << 20 if config.max_memory_mb is None else max(1, int(config.max_memory_mb * (1 << 20))),
            overflow="drop" if config.drop_on_overflow else "block",
            protect_level=logging.ERROR,
            timeout=config.shutdown_timeout,
            spill_dir=None,
            spill_max=_enqueue.SPILL_MAX,
            on_error=config.error_callback,
            on_drop=None if config.error_callback is None else self._tell_of_drops,
        )
        self._pipeline: _enqueue._Pipeline = vars(self._tree)[_enqueue.ATTRIBUTE]
        self._pipeline.batch = config.batch_size

    def __repr__(self) -> str:
        return f"<AsyncLogger {self.name} ({logging.getLevelName(self.logger.getEffectiveLevel())})>"

    @property
    def name(self) -> str:
        """The logger's."""
        return self.logger.name

    # ---- logging

    def alog(self, level: int, msg: object, *args: object, **keywords: Any) -> Coroutine[Any, Any, None]:
        """Logs with that level."""
        return self._log(level, msg, args, **keywords)

    def adebug(self, msg: object, *args: object, **keywords: Any) -> Coroutine[Any, Any, None]:
        """Logs with level DEBUG."""
        return self._log(logging.DEBUG, msg, args, **keywords)

    def ainfo(self, msg: object, *args: object, **keywords: Any) -> Coroutine[Any, Any, None]:
        """Logs with level INFO."""
        return self._log(logging.INFO, msg, args, **keywords)

    def awarning(self, msg: object, *args: object, **keywords: Any) -> Coroutine[Any, Any, None]:
        """Logs with level WARNING."""
        return self._log(logging.WARNING, msg, args, **keywords)

    def aerror(self, msg: object, *args: object, **keywords: Any) -> Coroutine[Any, Any, None]:
        """Logs with level ERROR."""
        return self._log(logging.ERROR, msg, args, **keywords)

    def acritical(self, msg: object, *args: object, **keywords: Any) -> Coroutine[Any, Any, None]:
        """Logs with level CRITICAL."""
        return self._log(logging.CRITICAL, msg, args, **keywords)

    def aexception(self, msg: object, *args: object, exc_info: _ExcInfo = True, **keywords: Any) -> Coroutine[Any, Any, None]:
        """Logs with level ERROR, with the exception that is being handled."""
        return self._log(logging.ERROR, msg, args, exc_info=exc_info, **keywords)

    # Not a coroutine itself: what is above it on the stack when it is called is who logs, and in what context. A task that runs a coroutine
    # is started from the event loop.
    def _log(
        self,
        level: int,
        msg: object,
        args: tuple[object, ...],
        *,
        exc_info: _ExcInfo = None,
        extra: Mapping[str, object] | None = None,
        stack_info: bool = False,
        stacklevel: int = 1,
        **fields: object,
    ) -> Coroutine[Any, Any, None]:
        """What Logger._log and Logger.handle do, up to the handlers."""
        if not isinstance(level, int):
            raise TypeError(f"level must be an int, got {level!r}")
        logger = self.logger
        if not logger.isEnabledFor(level):
            return _nothing()
        try:
            file, line, function, stack = logger.findCaller(
                stack_info, stacklevel + 2
            )  # above this method and the one that called it
        except ValueError:
            file, line, function, stack = "(unknown file)", 0, "(unknown function)", None
        exception: Any = exc_info or None
        if isinstance(exc_info, BaseException):
            exception = (type(exc_info), exc_info, exc_info.__traceback__)
        elif exception is not None and not isinstance(exc_info, tuple):
            exception = sys.exc_info()
        if fields:
            extra = {**(extra or {}), **fields}
        record = logger.makeRecord(logger.name, level, file, line, msg, args, exception, function, extra, stack)
        passed = logger.filter(record)
        if sys.version_info >= (3, 12) and isinstance(passed, logging.LogRecord):
            record = passed
        offered = self._prepared(record, bool(extra)) if passed else None
        return _nothing() if offered is None else self._queue(*offered)

    def _prepared(self, record: logging.LogRecord, more: bool) -> tuple[QueuedRecord, int, bool] | None:
        """What the queue is offered: the record, which may have `more` attributes than all have, and its context, its weight, is it protected.

        None if it has no message, which is told.
        """
        pipeline = self._pipeline
        try:
            message = record.getMessage()
            alone = pipeline.native.makes_records_alone(self.logger)
            if not alone:
                record = _enqueue.copied(record)
            _enqueue.freeze(record, may_fail=False, message=message)
            if more or not alone:
                _enqueue.own_containers(record)
        except RecursionError:
            pipeline.unprepared()
            raise
        except Exception:  # noqa: BLE001 - as every emit of the stdlib
            pipeline.unprepared()
            self._tree.handleError(record)
            return None
        item = pipeline.native.QueuedRecord(self._tree, record, contextvars.copy_context())
        return item, pipeline.weight_of(record, message), pipeline.protects(record)

    async def _queue(self, item: QueuedRecord, weight: int, protected: bool) -> None:
        """Puts the record on the queue, behind those that wait for room already."""
        pipeline = self._pipeline
        outcome = _enqueue.FULL
        if not self._lines or not self._is_line():
            outcome = pipeline.queue.offer(item, weight, protected)
        if outcome == _enqueue.FULL:
            outcome = await self._wait_in_line(item, weight, protected)
        if outcome == _enqueue.CLOSED:
            pipeline.queue.late()
        else:
            pipeline.settle(self._tree, outcome)

    def _is_line(self) -> bool:
        line = self._lines.get(asyncio.get_running_loop())
        return line is not None and line.locked()

    async def _wait_in_line(self, *offered: Any) -> int:
        """Waits for room. One task of each loop looks for it, the others stand behind it in the order in which they came."""
        queue = self._pipeline.queue
        line = self._lines.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        try:
            async with asyncio.timeout(self.config.queue_timeout), line:
                pause = FIRST_LOOK
                while (outcome := queue.offer(*offered)) == _enqueue.FULL:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LAST_LOOK)
                return outcome
        except TimeoutError:
            return queue.offer_at_last(*offered)
        except BaseException:
            # Cancelled.
            queue.interrupted()
            raise

    # ---- flush and shutdown

    async def aflush(self, timeout: float | None = None) -> bool:
        """Waits until everything logged before is written, for `shutdown_timeout` seconds unless told otherwise, and flushes the handlers.

        True only if all of it has been handed to them without an exception since the last time, and none of them says that it has not
        written everything; False after the time, and after the shutdown. A thread of the loop's executor waits.
        """
        return bool(await self._tree.aflush(timeout))

    async def ashutdown(self) -> None:
        """Writes what is queued, for `shutdown_timeout` seconds at most; what is left then, and what is logged later, is dropped and counted.

        The handlers stay open: they are the logger's. Idempotent, also side by side. get_async_logger() makes another one then.
        """
        await asyncio.get_running_loop().run_in_executor(None, self._shut_down)

    def _shut_down(self) -> None:
        self._tree.close()
        with logging._lock:  # type: ignore[attr-defined]  # noqa: SLF001
            if _loggers.get(self.name) is self:
                del _loggers[self.name]

    # ---- telling

    def stats(self) -> _Account:
        """What became of the records, as the `stats()` of an asynchronous handler: emitted = written + failed + dropped + in_flight.

        *Written* are those that were handed to the handlers. What a handler's `handleError` deals with, that handler knows.
        """
        account: _Account = self._tree.stats()
        return account

    def _tell_of_drops(self, reason: str, count: int) -> None:
        assert self.config.error_callback is not None
        self.config.error_callback(HandlerIOError(f"{count} records of {self.name!r} were dropped: {reason}"), count)


async def _nothing() -> None:
    """For a record that nobody wants."""
