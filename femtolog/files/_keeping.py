"""What becomes of a handler's backups: they are compressed, moved to an archive, removed. By a thread, one process at a time.

A pass looks at what is there and needs to know nothing of earlier ones, so what a killed process has left is done by the next. A file is
replaced by its compressed one when that is complete, and until then is what it was. Rollovers go on meanwhile and give backups other
names: a file is found again by its inode, while the lock that they need is held.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import importlib
import logging
import os
import shutil
import stat
import sys
import time
from typing import NamedTuple

from femtolog._timetable import Timetable
from femtolog.errors import HandlerConfigError
from femtolog.files._lock import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from typing import Any

    from femtolog.files._rotating import Backup, Rotating

thread = Timetable("femtolog-keep")

TEMPORARY = ".tmp"
EXTENSIONS = {"gz": ".gz", "zst": ".zst"}
_BLOCK = 1 << 20
_DAY = 86400

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": _DAY, "week": 7 * _DAY}
_BYTES = {"b": 1} | {
    f"{prefix}{infix}b": base ** (power + 1) for infix, base in (("", 1000), ("i", 1024)) for power, prefix in enumerate("kmgt")
}


class Retention(NamedTuple):
    """How much of the backups is kept, the newest first: files, seconds since they were written, bytes. At most one is not infinite."""

    files: float = float("inf")
    seconds: float = float("inf")
    bytes: float = float("inf")


def retention(value: object) -> Retention:
    """Of a number of files, an age ("10 days") or a size ("500 MB"). TypeError, HandlerConfigError for anything else."""
    if value is None:
        return Retention()
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"retention must be an int or a str, got {value!r}")
    if isinstance(value, int):
        if value < 0:
            raise HandlerConfigError(f"retention must not be negative, got {value}")
        return Retention(files=value)
    number, _, unit = value.strip().lower().partition(" ")
    unit = unit.strip()
    if number.isascii() and number.isdigit():
        if unit.removesuffix("s") in _SECONDS:
            return Retention(seconds=int(number) * _SECONDS[unit.removesuffix("s")])
        if unit in _BYTES:
            return Retention(bytes=int(number) * _BYTES[unit])
    raise HandlerConfigError(
        f"retention must be a number of files, an age as '10 days' ({', '.join(_SECONDS)}) or a size as '500 MB' "
        f"({', '.join(_BYTES)}), got {value!r}"
    )


def opener(compression: str) -> Callable[[str], Any]:
    """What opens a file that is written compressed. HandlerConfigError for what is unknown or not there."""
    if compression == "gz":
        return lambda path: gzip.open(path, "wb", compresslevel=6)
    if compression != "zst":
        raise HandlerConfigError(f"compression must be 'gz' or 'zst', got {compression!r}")
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            return lambda path: module.open(path, "wb")
    raise HandlerConfigError("compression='zst' needs Python 3.14, or the package backports.zstd or zstandard: none is there")


def keep(handler: Rotating, done: threading.Event) -> None:
    """One pass. What fails is told to sys.stderr, and left for the next."""
    handler._ordered = False  # noqa: SLF001 - another pass sees what comes from now on
    try:
        with FileLock(handler._beside("keep")):  # noqa: SLF001 - the other half of it
            _Pass(handler).run()
    except Exception as error:  # noqa: BLE001 - a namer may raise anything
        if logging.raiseExceptions and sys.stderr is not None:
            sys.stderr.write(f"femtolog: backups of {handler!r} stay as they are: {error}\n")
    finally:
        done.set()


class _Pass:
    def __init__(self, handler: Rotating) -> None:
        self.handler = handler
        self.settings = handler._settings  # noqa: SLF001
        self.names = FileLock(handler._beside("lock"))  # noqa: SLF001
        self.home = os.path.dirname(handler.baseFilename)
        self.archive = handler._archive  # noqa: SLF001

    def run(self) -> None:
        for backup in self.found(temporary=True):
            os.remove(backup.path)
        if self.settings.compression is not None:
            extension = EXTENSIONS[self.settings.compression]
            for backup in self.at_home():
                if not backup.extension:
                    opened = opener(self.settings.compression)
                    self.replace(backup, opened, backup.path + extension, lambda now: now.path + extension)
        if self.archive is not None:
            self.move_to_archive(self.archive)
        with self.names:
            self.remove_surplus()

    def found(self, *, temporary: bool = False) -> Iterator[Backup]:
        for folder in (self.home,) if self.archive is None else (self.home, self.archive):
            yield from self.handler._found(folder, temporary=temporary)  # noqa: SLF001

    def at_home(self) -> list[Backup]:
        with self.names:
            return sorted(self.handler._found(self.home), key=_modified)  # noqa: SLF001

    def replace(self, backup: Backup, opened: Callable[[str], Any], temporary: str, target: Callable[[Backup], str]) -> None:
        """What is in the backup goes, as `opened` writes it, to the temporary file, and that to the target of what the backup is by then."""
        try:
            source = open(backup.path, "rb")  # noqa: SIM115 - only of the opening is the error expected
        except FileNotFoundError:  # moved by a rollover, which has ordered another pass
            return
        with source:
            status = os.fstat(source.fileno())
            try:
                with opened(temporary + TEMPORARY) as made:
                    shutil.copyfileobj(source, made, _BLOCK)
                _finish(temporary + TEMPORARY, status)
                with self.names:
                    for now in self.handler._found(self.home):  # noqa: SLF001
                        if os.path.samestat(os.stat(now.path), status):
                            os.replace(temporary + TEMPORARY, target(now))
                            os.remove(now.path)
                            return
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(temporary + TEMPORARY)

    def move_to_archive(self, archive: str) -> None:
        before = time.time() - self.settings.archive_after_days * _DAY
        for backup in self.at_home():
            with self.names:
                if not os.path.exists(backup.path) or _modified(backup) >= before:
                    continue
                target = self.handler._archived(archive, backup)  # noqa: SLF001
                if os.path.exists(target):
                    continue
                try:
                    os.rename(backup.path, target)
                    continue
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
            # Another file system: copied without the lock, since that may take a while.
            self.replace(backup, lambda path: open(path, "wb"), target, lambda _, target=target: target)  # type: ignore[misc] # noqa: SIM115

    def remove_surplus(self) -> None:
        limit, now, size = self.handler._retention, time.time(), 0  # noqa: SLF001
        oldest = limit.seconds if self.archive is None else min(limit.seconds, self.settings.delete_after_days * _DAY)
        for count, backup in enumerate(sorted(self.found(), key=_modified, reverse=True)):
            status = os.stat(backup.path)
            size += status.st_size
            if count >= limit.files or now - status.st_mtime > oldest or size > limit.bytes:
                os.remove(backup.path)


def _modified(backup: Backup) -> float:
    return os.stat(backup.path).st_mtime


def _finish(path: str, status: os.stat_result) -> None:
    """Lets the file be as old as the one it replaces, with its mode; it is on the disk before that is removed."""
    os.chmod(path, stat.S_IMODE(status.st_mode))
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
