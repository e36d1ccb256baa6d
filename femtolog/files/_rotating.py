"""Rollovers of the handlers of `_managed`: by size and by time. Names are the standard library's, `namer` and `rotator` are asked."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import re
import shutil
import stat
import sys
import time
from time import monotonic
from typing import NamedTuple

from femtolog.files._managed import Managed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_AFTER = 5.0
"""Seconds until a rollover that failed is tried again."""


_DIGITS = {"Y": 4, "j": 3}
"""Of a directive of strftime() in a suffix; all others have two."""


class Backup(NamedTuple):
    """A file that was the handler's once."""

    path: str
    stamp: str


class Rotating(Managed, logging.handlers.BaseRotatingHandler):
    """What both have."""

    _not_before = 0.0

    def doRollover(self) -> None:  # noqa: N802 (the stdlib's name)
        """Writes what waits and begins a new file."""
        self.acquire()
        try:
            self._write()
            with self._lock or contextlib.nullcontext():
                self._roll_over()
        finally:
            self.release()

    def _roll_over(self) -> None:
        """A new file under the path, unless the old one cannot be moved: then that one is written on, and sys.stderr is told."""
        if monotonic() < self._not_before:
            return
        self._close_stream()
        try:
            self._move()
        except OSError as error:
            self._not_before = monotonic() + RETRY_AFTER
            if logging.raiseExceptions and sys.stderr is not None:
                sys.stderr.write(f"femtolog: {self!r} cannot be rotated and is written on: {error}\n")
        self.stream = self._open()

    def _move(self) -> None:
        raise NotImplementedError

    def _move_to(self, backup: str) -> None:
        try:
            self.rotate(self.baseFilename, backup)
        except PermissionError:
            if self._lock is None:
                raise
            # Windows renames no file that another process has open. While the lock is ours nobody writes to it.
            shutil.copyfile(self.baseFilename, backup)
            os.truncate(self.baseFilename, 0)

    def _is_regular(self) -> bool:
        return stat.S_ISREG(os.fstat(self._descriptor()).st_mode)

    def _stamps(self) -> re.Pattern[str]:
        """What follows the dot behind the file's name in that of a backup, and is not part of a longer number."""
        raise NotImplementedError

    def _backups(self) -> Iterator[Backup]:
        """Those that there are, in any order."""
        folder, name = os.path.split(self.baseFilename)
        stamps = self._stamps()
        named = callable(self.namer)
        for found in os.listdir(folder):
            # After a namer of somebody's own a name can be about anything; that it is one is seen by making it.
            if named or found.startswith(f"{name}."):
                for stamp in stamps.finditer(found):
                    path = os.path.join(folder, found)
                    if self.rotation_filename(f"{self.baseFilename}.{stamp[0]}") == path:
                        yield Backup(path, stamp[0])
                        break


class BySize(Rotating, logging.handlers.RotatingFileHandler):
    """A line that would make the file as large as `maxBytes` bytes or larger goes into a new one, unless the file is empty."""

    def _make_room(self) -> int:
        number = super()._make_room()
        if self.maxBytes <= 0 or self.backupCount <= 0 or not self._is_regular():
            return number
        size = os.fstat(self._descriptor()).st_size
        if size and size + len(self._waiting[0].line) >= self.maxBytes:
            self._roll_over()
            size = os.fstat(self._descriptor()).st_size
        for index in range(number):
            size += len(self._waiting[index].line)
            if index and size >= self.maxBytes:
                return index
        return number

    def _stamps(self) -> re.Pattern[str]:
        return re.compile(r"(?<!\d)[1-9]\d*(?!\d)", re.ASCII)

    def _move(self) -> None:
        """Every backup becomes the next one, from the last, and the file the first; others than `backupCount` are left alone."""
        numbered = [(int(backup.stamp), backup) for backup in self._backups() if int(backup.stamp) <= self.backupCount]
        for number, backup in sorted(numbered, reverse=True):
            if number == self.backupCount:
                os.remove(backup.path)
            else:
                os.replace(backup.path, self._backup(number + 1))
        self._move_to(self._backup(1))

    def _backup(self, number: int) -> str:
        return self.rotation_filename(f"{self.baseFilename}.{number}")


class ByTime(Rotating, logging.handlers.TimedRotatingFileHandler):
    """The first record after `rolloverAt` goes into a new file; what has waited until then into the old one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record, or lets its line wait for others."""
        if time.time() >= self.rolloverAt:
            self._due = True
            self._write()
        super().emit(record)

    def _was_moved(self) -> None:
        if self._lock is not None:
            self.rolloverAt = self.computeRollover(int(time.time()))

    def _roll_over_if_due(self) -> None:
        if time.time() >= self.rolloverAt:
            if self._is_regular():
                self._roll_over()
            else:
                self.rolloverAt = self.computeRollover(int(time.time()))

    def _stamps(self) -> re.Pattern[str]:
        digits = re.sub("%(.)", lambda found: rf"\d{{{_DIGITS.get(found[1], 2)}}}", re.escape(self.suffix))
        return re.compile(rf"(?<!\d){digits}(?!\d)", re.ASCII)

    def _move(self) -> None:
        """The file gets the name of its time. Is there one of that name already, as after a clock was set back, it is written on."""
        now = int(time.time())
        backup = self.rotation_filename(f"{self.baseFilename}.{time.strftime(self.suffix, self._begin(now))}")
        self.rolloverAt = self.computeRollover(now)
        if os.path.exists(backup):
            return
        self._move_to(backup)
        if self.backupCount > 0:
            for surplus in sorted(self._backups(), key=lambda found: found.stamp)[: -self.backupCount]:
                os.remove(surplus.path)

    def _begin(self, now: int) -> time.struct_time:
        """When the file that ends now began, in the time of today: across a change of the clocks an hour more or less."""
        begin = self.rolloverAt - self.interval
        if self.utc:
            return time.gmtime(begin)
        then, today = time.localtime(begin), time.localtime(now)
        return time.localtime(begin + 3600 * (today.tm_isdst - then.tm_isdst)) if then.tm_isdst >= 0 <= today.tm_isdst else then
