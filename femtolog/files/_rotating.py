"""Rollovers of the handlers of `_managed`: by size and by time. Names are the standard library's, `namer` and `rotator` are asked."""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import logging.handlers
import os
import re
import shutil
import stat
import sys
import threading
import time
from time import monotonic
from typing import NamedTuple

from femtolog.errors import HandlerConfigError
from femtolog.files import _keeping
from femtolog.files._lock import FileLock
from femtolog.files._managed import Managed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_AFTER = 5.0
"""Seconds until a rollover that failed is tried again."""

KEEPING = 60.0
"""Seconds that close() waits for the thread that compresses."""


_NUMBER = re.compile(r"(?<!\d)[1-9]\d*(?!\d)", re.ASCII)
_IN_ARCHIVE = "%Y-%m-%d_%H-%M-%S"
_ARCHIVED = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(-\d+)?(?!\d)", re.ASCII)
_DIGITS = {"Y": 4, "j": 3}
"""Of a directive of strftime() in a suffix; all others have two."""


class Backup(NamedTuple):
    """A file that was the handler's once."""

    path: str
    stamp: str
    extension: str  # of a compressed one


class Rotating(Managed, logging.handlers.BaseRotatingHandler):
    """What both have."""

    _not_before = 0.0
    _names: FileLock | None = None  # who has it may change the names of backups
    _archive: str | None = None
    _retention = _keeping.Retention()
    _to_keep = False  # there is another backup
    _ordered = False  # a pass over them, which has not begun
    _kept: threading.Event | None = None  # the last pass that was ordered is over

    def _forget(self) -> None:
        super()._forget()
        self._kept, self._ordered = None, False

    def _prepare(self) -> None:
        super()._prepare()
        settings = self._settings
        self._names = self._lock
        if not settings.keeps():
            return
        self._check_backups()
        if self._names is None:
            self._names = FileLock(self._beside("lock"))
        self._retention = _keeping.retention(settings.retention)
        if settings.archive_dir is not None:
            self._archive = os.path.abspath(os.fspath(settings.archive_dir))
            if self._archive == os.path.dirname(self.baseFilename):
                raise HandlerConfigError(f"archive_dir must not be the directory of the log, got {settings.archive_dir!r}")
            os.makedirs(self._archive, exist_ok=True)
        # What an earlier process has left; without anything no thread is started.
        folder = os.path.dirname(self.baseFilename)
        self._to_keep = any(True for temporary in (False, True) for _ in self._found(folder, temporary=temporary))
        self._follow_up()

    def _check_backups(self) -> None:
        """HandlerConfigError if there never will be backups."""

    def _follow_up(self) -> None:
        if self._to_keep:
            self._to_keep = False
            if self._ordered:
                return
            self._ordered, self._kept = True, threading.Event()
            order = functools.partial(_keeping.keep, self, self._kept)
            if not _keeping.thread.call(order):
                order()

    def close(self) -> None:
        """Writes what waits, closes the file and waits until backups are compressed, for a minute at most."""
        super().close()
        self._wait()

    def _drain(self) -> None:
        super()._drain()
        self._wait()

    def _wait(self) -> None:
        if self._kept is not None:
            self._kept.wait(KEEPING)

    def doRollover(self) -> None:  # noqa: N802 (the stdlib's name)
        """Writes what waits and begins a new file."""
        self.acquire()
        try:
            self._write()
            with self._lock or contextlib.nullcontext():
                self._roll_over()
            self._follow_up()
        finally:
            self.release()

    def _roll_over(self) -> None:
        """A new file under the path, unless the old one cannot be moved: then that one is written on, and sys.stderr is told."""
        if monotonic() < self._not_before:
            return
        self._close_stream()
        try:
            with self._names or contextlib.nullcontext():
                self._move()
            self._to_keep = self._settings.keeps()
        except Exception as error:  # noqa: BLE001 - a namer or a rotator may raise anything
            self._not_before = monotonic() + RETRY_AFTER
            if logging.raiseExceptions and sys.stderr is not None:
                sys.stderr.write(f"femtolog: {self!r} cannot be rotated and is written on: {error}\n")
        if self.stream is None:
            self.stream = self._open()

    def _move(self) -> None:
        """Gives the file, which is closed, another name; it may open the next one."""
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

    def _stamps(self, folder: str) -> re.Pattern[str]:
        """What follows the dot behind the file's name in that of a backup in this folder, and is not part of a longer number."""
        raise NotImplementedError

    def _found(self, folder: str, *, temporary: bool = False) -> Iterator[Backup]:
        """The backups in a folder, in any order; or what was to become one when a process was killed."""
        name = os.path.basename(self.baseFilename)
        stamps = self._stamps(folder)
        named = callable(self.namer)
        for found in os.listdir(folder):
            if (not named and not found.startswith(f"{name}.")) or found.endswith(_keeping.TEMPORARY) != temporary:
                continue
            whole = found.removesuffix(_keeping.TEMPORARY)
            # After a namer of somebody's own a name can be about anything; that it is one is seen by making it.
            for extension in ("", *_keeping.EXTENSIONS.values()):
                if whole.endswith(extension):
                    stem = whole.removesuffix(extension)
                    stamp = next((stamp[0] for stamp in stamps.finditer(stem) if self._called(stamp[0]) == stem), None)
                    if stamp is not None:
                        yield Backup(os.path.join(folder, found), stamp, extension)
                        break

    def _called(self, stamp: str) -> str:
        return os.path.basename(self.rotation_filename(f"{self.baseFilename}.{stamp}"))

    def _archived(self, archive: str, backup: Backup) -> str:
        """Its path in the archive."""
        return os.path.join(archive, os.path.basename(backup.path))


class BySize(Rotating, logging.handlers.RotatingFileHandler):
    """A line that would make the file as large as `maxBytes` bytes or larger goes into a new one, unless the file is empty."""

    def _make_room(self) -> int:
        number = super()._make_room()
        if self.maxBytes <= 0 or self.backupCount <= 0 or not self._is_regular():
            return number
        size = os.fstat(self._descriptor()).st_size
        if size and self._is_too_large(size + len(self._waiting[0][0])):
            self._roll_over()
            size = os.fstat(self._descriptor()).st_size
        for index in range(number):
            size += len(self._waiting[index][0])
            if index and self._is_too_large(size):
                return index
        return number

    def _is_too_large(self, size: int) -> bool:
        return size >= self.maxBytes

    def _check_backups(self) -> None:
        if self.maxBytes <= 0 or self.backupCount <= 0:
            raise HandlerConfigError(
                "compression, retention and archive_dir need maxBytes and backupCount of at least 1, "
                f"got {self.maxBytes} and {self.backupCount}"
            )

    def _stamps(self, folder: str) -> re.Pattern[str]:
        return _ARCHIVED if folder == self._archive else _NUMBER

    def _found(self, folder: str, *, temporary: bool = False) -> Iterator[Backup]:
        for backup in super()._found(folder, temporary=temporary):
            # A greater number may be a date, and the file somebody else's.
            if folder == self._archive or int(backup.stamp) <= self.backupCount:
                yield backup

    def _archived(self, archive: str, backup: Backup) -> str:
        stamp = time.strftime(_IN_ARCHIVE, time.localtime(os.stat(backup.path).st_mtime))
        for number in itertools.count():
            path = os.path.join(archive, self._called(f"{stamp}-{number}" if number else stamp) + backup.extension)
            if not os.path.exists(path):
                return path
        raise AssertionError

    def _move(self) -> None:
        """Every backup becomes the next one, from the last, and the file the first; the last is removed."""
        folder = os.path.dirname(self.baseFilename)
        numbered = [(int(backup.stamp), backup) for backup in self._found(folder)]
        for number, backup in sorted(numbered, reverse=True):
            if number == self.backupCount:
                os.remove(backup.path)
            else:
                os.replace(backup.path, self._backup(number + 1) + backup.extension)
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

    def _stamps(self, folder: str) -> re.Pattern[str]:  # noqa: ARG002
        digits = re.sub("%(.)", lambda found: rf"\d{{{_DIGITS.get(found[1], 2)}}}", re.escape(self.suffix))
        return re.compile(rf"(?<!\d){digits}(?!\d)", re.ASCII)

    def _move(self) -> None:
        """The file gets the name of its time. Is there one of that name already, as after a clock was set back, it is written on."""
        now = int(time.time())
        backup = self.rotation_filename(f"{self.baseFilename}.{time.strftime(self.suffix, self._begin(now))}")
        self.rolloverAt = self.computeRollover(now)
        if any(os.path.exists(backup + extension) for extension in ("", *_keeping.EXTENSIONS.values())):
            return
        self._move_to(backup)
        if self.backupCount > 0:
            found = list(self._found(os.path.dirname(self.baseFilename)))
            kept = sorted({one.stamp for one in found})[-self.backupCount :]
            for surplus in found:
                if surplus.stamp not in kept:
                    os.remove(surplus.path)

    def _begin(self, now: int) -> time.struct_time:
        """When the file that ends now began, in the time of today: across a change of the clocks an hour more or less."""
        begin = self.rolloverAt - self.interval
        if self.utc:
            return time.gmtime(begin)
        then, today = time.localtime(begin), time.localtime(now)
        return time.localtime(begin + 3600 * (today.tm_isdst - then.tm_isdst)) if then.tm_isdst >= 0 <= today.tm_isdst else then
