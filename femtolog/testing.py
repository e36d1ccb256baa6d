"""capture_logs(): the records that a piece of code logs, for tests.

Nothing of `logging` is replaced: a handler is added for a while, and levels are lowered for it. Every test framework's own means go on
working beside it.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import sys

from femtolog._live import those_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["CapturedLogs", "capture_logs"]

FLUSH_TIMEOUT = 1.0
"""Seconds that reading waits for each asynchronous handler."""

_active: contextvars.ContextVar[tuple[CapturedLogs, ...]] = contextvars.ContextVar("femtolog_captured", default=())


class CapturedLogs(logging.Handler):
    """What capture_logs() has captured, oldest first. Reading waits until asynchronous handlers have written, up to a second each.

    Examples:
        >>> import logging
        >>> from femtolog.testing import CapturedLogs, capture_logs
        >>> with capture_logs() as logs:
        ...     logging.getLogger("shop").info("order %d", 17, extra={"paid": True})
        >>> isinstance(logs, CapturedLogs), logs.record_tuples, logs.events
        (True, [('shop', 20, 'order 17')], [{'logger': 'shop', 'level': 'INFO', 'message': 'order 17', 'paid': True}])
    """

    def __init__(self, level: int | str, everywhere: bool) -> None:
        super().__init__(level)
        self.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        self._everywhere = everywhere
        self._captured: list[tuple[logging.LogRecord, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the record, if it is of this capture, with the message and the line that it has now."""
        if self._everywhere or self in _active.get():
            try:
                self._captured.append((record, self.format(record)))
            except Exception:  # noqa: BLE001 - as every emit of the stdlib
                self.handleError(record)

    @property
    def records(self) -> list[logging.LogRecord]:
        """The records."""
        _flush_asynchronous()
        return [record for record, _ in list(self._captured)]

    @property
    def messages(self) -> list[str]:
        """Their messages."""
        return [record.message for record in self.records]

    @property
    def record_tuples(self) -> list[tuple[str, int, str]]:
        """(name of the logger, level, message) of each."""
        return [(record.name, record.levelno, record.message) for record in self.records]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Each as a dict: `logger`, `level`, `message`, and what was given with `extra`."""
        from femtolog.femto.formatting import extra_of

        return [
            {"logger": record.name, "level": record.levelname, "message": record.message, **extra_of(record)}
            for record in self.records
        ]

    @property
    def text(self) -> str:
        """A line of each, LEVEL:logger:message, with exceptions; or what another formatter has made of it."""
        _flush_asynchronous()
        return "".join(f"{line}\n" for _, line in list(self._captured))

    def clear(self) -> None:
        """Forgets what was captured until now."""
        self._captured = []


@contextlib.contextmanager
def capture_logs(
    level: int | str = logging.DEBUG, logger: str | None = None, *, everywhere: bool = False
) -> Iterator[CapturedLogs]:
    """Captures what is logged inside the block, at `level` and above, through `logger` (the root logger) and the loggers below it.

    Only what this thread or this task logs, and the tasks that it starts meanwhile (and threads, where those inherit the context, as
    on free-threaded Python); with `everywhere` all threads. The logger's own level is
    as low as `level` inside the block; loggers below it with a level of their own keep that. Those below it that do not propagate
    when the block begins are captured, too. Blocks nest, and each captures for itself.

    Examples:
        >>> import logging
        >>> from femtolog.testing import capture_logs
        >>> with capture_logs("WARNING", "shop") as logs:
        ...     logging.getLogger("shop.orders").warning("late")
        ...     logging.getLogger("shop").info("below the level")
        >>> logs.messages
        ['late']
    """
    captured = CapturedLogs(level, everywhere)
    top = logging.getLogger(logger)
    places = [top, *_not_propagating_below(top)]
    before = top.level
    for place in places:
        place.addHandler(captured)
    if top.getEffectiveLevel() > captured.level:
        top.setLevel(max(captured.level, 1))
    token = _active.set((*_active.get(), captured))
    try:
        yield captured
    finally:
        _active.reset(token)
        for place in places:
            place.removeHandler(captured)
        top.setLevel(before)


def _not_propagating_below(top: logging.Logger) -> list[logging.Logger]:
    prefix = "" if top is logging.root else f"{top.name}."
    known = list(logging.root.manager.loggerDict.items())
    return [log for name, log in known if name.startswith(prefix) and isinstance(log, logging.Logger) and not log.propagate]


def _flush_asynchronous() -> None:
    enqueue = sys.modules.get("femtolog._enqueue")
    for pipeline in those_of(enqueue._live) if enqueue is not None else ():  # noqa: SLF001 - all asynchronous handlers that there are
        handler = pipeline.handler()
        if handler is not None and not pipeline.queue.is_closed():
            handler.flush(FLUSH_TIMEOUT)
