"""What the workers of femto's file handlers write as: the standard library's file handlers, and three things that those do not do.

They flush after a number of records, count the size of a file in bytes, and go on with the old file if a new one cannot be had. They are
synchronous and know nothing of a queue.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import TextIOWrapper

RETRY_AFTER = 5.0
"""Seconds until a rollover that failed is tried again."""


class BufferedFile(logging.FileHandler):
    """The file is flushed with each `flush_interval`-th record, at any flush() from outside, and when it is closed."""

    flush_interval = 1
    _unflushed = 0
    _in_emit = False

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record."""
        self._in_emit = True
        try:
            super().emit(record)
        finally:
            self._in_emit = False

    def flush(self) -> None:
        """The standard library's `emit` calls it after each record."""
        if self._in_emit:
            self._unflushed += 1
            if self._unflushed < self.flush_interval:
                return
        self._unflushed = 0
        super().flush()


class RotatingFile(logging.handlers.RotatingFileHandler):
    """Rolls over before the file would grow beyond `maxBytes` bytes; a line longer than that has a file of its own."""

    _size: int | None = None  # of the file, what is in buffers included; None: to be measured
    _next = 0  # bytes of the record that is about to be written
    _not_before = 0.0

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        self._size = None
        return stream

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 (the stdlib's name)
        """Would the file be too large with this record? Never where it is no regular file."""
        if self.maxBytes <= 0:
            return False
        if self.stream is None:
            self.stream = self._open()
        if self._size is None:
            self.stream.flush()
            self._size = _size_of(self.stream)
        if self._size < 0:
            return False
        line = len((self.format(record) + self.terminator).encode(self.encoding or "utf-8", "replace"))
        if self._size and self._size + line > self.maxBytes and time.monotonic() >= self._not_before:
            self._next = line
            return True
        self._size += line
        return False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the stdlib's name)
        """How much of the record is in the file now, only the file knows."""
        self._size = None
        super().handleError(record)

    def doRollover(self) -> None:  # noqa: N802 (the stdlib's name)
        """The file becomes `.1`, `.1` becomes `.2` and so on; what is beyond `backupCount` is removed.

        The fresh file is there before any backup moves. Without one, the old file is written on, sys.stderr is told why, and the
        next attempt is made some seconds later.
        """
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        parked = self.baseFilename + ".rolling"
        try:
            if os.path.exists(parked):
                self._shift(parked)  # what a process that was killed has left
            os.replace(self.baseFilename, parked)
            try:
                self.stream = self._open()
            except OSError:
                os.replace(parked, self.baseFilename)
                raise
            self._shift(parked)
        except OSError as error:
            self._not_before = time.monotonic() + RETRY_AFTER
            if logging.raiseExceptions and sys.stderr is not None:
                sys.stderr.write(f"femtolog: {self!r} cannot be rotated and is written on: {error}\n")
            if self.stream is None:
                self.stream = self._open()
        size = _size_of(self.stream)
        self._size, self._next = size + self._next if size >= 0 else size, 0

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

    def _backup(self, number: int) -> str:
        return self.rotation_filename(f"{self.baseFilename}.{number}")


class BufferedRotatingFile(BufferedFile, RotatingFile):
    """Both."""


class BufferedTimedRotatingFile(BufferedFile, logging.handlers.TimedRotatingFileHandler):
    """Both."""


def _size_of(stream: TextIOWrapper) -> int:
    """Bytes in the file; -1 if it is no regular one."""
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else -1
