"""What the workers of femto's file handlers write as: those of femtolog.files, which go on when a disk fails, and what only femto's do.

They flush after a number of records, let a file be as large as its limit, and have a new file before they move the old one. They are
synchronous and know nothing of a queue.
"""

from __future__ import annotations

import logging
import os

from femtolog import _enqueue
from femtolog.files._managed import Managed, become, enlist
from femtolog.files._rotating import BySize, ByTime
from femtolog.files._settings import Settings
from femtolog.files._steady import Steady

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BUFFER = 64 << 10
"""So many bytes of lines wait at most, however many records may."""


class Counted(Managed):
    """The file is written with each `flush_interval`-th record, at any flush() from outside, and when it is closed."""

    flush_interval: int

    def _is_urgent(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return len(self._waiting) >= self.flush_interval or self._bytes >= self._buffering

    def _rest(self) -> None:
        """For as long as it takes: records are counted, not seconds."""


setattr(Counted, _enqueue.TEXT_ONLY, logging.FileHandler)


class CountedBySize(Counted, BySize):
    """Rolls over before the file would grow beyond `maxBytes` bytes; a line longer than that has a file of its own."""

    def _is_too_large(self, size: int) -> bool:
        return size > self.maxBytes

    def _move(self) -> None:
        """The file becomes `.1`, `.1` becomes `.2` and so on; what is beyond `backupCount` is removed.

        The fresh file is there before any backup moves. Without one, the old file is written on.
        """
        parked = self.baseFilename + ".rolling"
        if os.path.exists(parked):
            self._shift(parked)  # what a process that was killed has left
        os.replace(self.baseFilename, parked)
        try:
            self.stream = self._open()
        except OSError:
            os.replace(parked, self.baseFilename)
            raise
        self._shift(parked)

    def _shift(self, parked: str) -> None:
        """All backups one number up, from the highest; this file becomes the first."""
        for number in range(self.backupCount - 1, 0, -1):
            source = self._backup(number)
            if os.path.exists(source):
                os.replace(source, self._backup(number + 1))
        self.rotate(parked, self._backup(1))
        number = self.backupCount + 1
        while os.path.exists(surplus := self._backup(number)):  # there were to be more of them once
            os.remove(surplus)
            number += 1


class CountedByTime(Counted, ByTime):
    """Rolls over at certain times."""


def begin(handler: Any, flush_interval: int, fallback: logging.Handler | None) -> None:
    """For a handler that is about to be initialized; the class of one whose lines may wait becomes a subclass that looks like it.

    TypeError for a fallback that is no handler.
    """
    handler.flush_interval = flush_interval
    if flush_interval > 1 and not isinstance(handler, Counted):
        become(handler, (type(handler), Counted))
    handler._manage(Settings(buffering=BUFFER if flush_interval > 1 else 0, fallback=fallback))  # noqa: SLF001


def sink(handler: Any) -> type[logging.Handler]:
    """What the handler, which is initialized, is written as. HandlerConfigError for an encoding with a byte order mark, where lines may wait."""
    found: type[Steady] = next(cls for cls in (CountedBySize, CountedByTime, Counted, Steady) if isinstance(handler, cls))
    try:
        handler._prepare()  # noqa: SLF001
    except BaseException:
        found.close(handler)
        raise
    enlist(handler)
    return found
