"""What a file handler becomes when it is asked for more than the standard library's does: see take_over().

Lines are encoded when they are logged, wait until there is reason to write them, and go to the descriptor whole and in order, past the
buffers of the stream. What a failed write has left of a line is taken out of the file again.

Invariant: whoever touches what waits holds the handler's lock, as `emit` and `flush` of all handlers do. A record that a signal handler logs
in the middle of a write waits, and whoever writes goes on with it.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import itertools
import locale
import logging
import os
import stat
import sys
import threading
import weakref
from time import monotonic

from femtolog import _enqueue
from femtolog._timetable import Timetable
from femtolog.errors import HandlerConfigError
from femtolog.files._backoff import Backoff
from femtolog.files._lock import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import TextIOWrapper
    from typing import Any

    from femtolog.files._settings import Settings

    _Waiting = tuple[bytes, logging.LogRecord | None]
    """A line that is to be written, and its record if anybody could still want that."""

WARN_EVERY = 5.0
"""Seconds between two warnings of one handler."""

_flushing = Timetable("femtolog-flush")
_live: weakref.WeakSet[Managed] = weakref.WeakSet()
_classes: weakref.WeakValueDictionary[type, type] = weakref.WeakValueDictionary()


def take_over(handler: logging.FileHandler, kind: type[Managed], settings: Settings) -> None:
    """Lets the handler, which is about to be initialized, do what it is told. Its class becomes a subclass of the one it has."""
    cls = type(handler)
    for name in ("emit", "flush", "shouldRollover", "doRollover", "getFilesToDelete"):
        if not _is_stdlib(getattr(cls, name, None)):
            raise HandlerConfigError(f"{cls.__name__}.{name}() would never be called: no other options with an override of it")
    managed = _classes.get(cls)
    if managed is None:
        names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__, _enqueue.TEXT_ONLY: cls}
        meta: Any = type(cls)
        managed = _classes[cls] = meta(cls.__name__, (kind, cls), names)
    handler.__class__ = managed
    handler._manage(settings)  # type: ignore[attr-defined]  # noqa: SLF001
    _live.add(handler)  # type: ignore[arg-type]
    _register_hooks()


def _is_stdlib(method: object) -> bool:
    return getattr(method, "__module__", None) in (None, "logging", "logging.handlers")


class Managed(logging.FileHandler):
    """The methods of such a handler: a mixin before its own class."""

    def _manage(self, settings: Settings) -> None:
        from femtolog.femto.options import BackoffConfig

        self._settings = settings
        self._fallback = settings.fallback
        self._buffering = settings.buffering  # so many bytes may wait
        given = settings.backoff
        self._backoff = Backoff(given if isinstance(given, BackoffConfig) else BackoffConfig(given))
        self._flush_level = logging._checkLevel(settings.flush_level)  # type: ignore[attr-defined]  # noqa: SLF001 - as setLevel()
        self._lock: FileLock | None = None
        self._forget()

    def _forget(self) -> None:
        """No records yet: at the beginning, and in a forked child, whose parent writes what waits."""
        self._waiting: collections.deque[_Waiting] = collections.deque()
        self._bytes = 0  # of what waits
        self._writing = False
        self._due = False  # a rollover, when what waits is written
        self._timed = False  # the timetable has been told to flush
        self._unsynced: list[_Waiting] = []  # in the file, but perhaps not on the disk
        self._lost: Exception | None = None  # why records were not written, the last time
        self._handed: logging.LogRecord | None = None
        self._counts = {"written": 0, "failed": 0, "fallback": 0}
        self._failed_by: dict[str, int] = {}
        self._told, self._warned_at = 0, -WARN_EVERY
        self._failed_at_flush = 0

    def _prepare(self) -> None:
        """HandlerConfigError if the standard library's arguments do not go with the options; OSError if no lock can be had."""
        self._check_mode()
        self._codec: str = locale.getencoding() if self.encoding in (None, "locale") else self.encoding
        if "".encode(self._codec):
            raise HandlerConfigError(f"encoding must be one without a byte order mark with these options, got {self.encoding!r}")

        if self._settings.multiprocess:
            self._lock = FileLock(self._beside("lock"))
            with self._lock:
                pass

    def _beside(self, kind: str) -> str:
        """A file of the handler's own beside the log; no pattern for logs and their backups has it."""
        folder, name = os.path.split(self.baseFilename)
        return os.path.join(folder, f".{name}.{kind}")

    def _check_mode(self) -> None:
        if self.mode.replace("t", "") not in ("a", "w", "x"):
            raise HandlerConfigError(f"mode must be 'a', 'w' or 'x' with these options, got {self.mode!r}")
        if self._settings.multiprocess and not self.mode.startswith("a"):
            raise HandlerConfigError(f"mode must be 'a' with multiprocess=True, got {self.mode!r}")

    # ---- the file

    def _open(self) -> TextIOWrapper:
        self._check_mode()  # before the file is emptied
        stream = super()._open()
        if self.mode.startswith(("w", "x")):
            # Once: when it is opened anew, what has been written has to stay.
            self.mode = "a"
            stream.close()
            stream = super()._open()
        return stream

    def _is_moved(self) -> bool:
        """Is the open file no longer that of the path? Somebody has renamed or removed it, or its directory."""
        try:
            there, ours = os.stat(self.baseFilename), os.fstat(self._descriptor())
        except OSError:
            return True
        return there.st_ino != ours.st_ino or there.st_dev != ours.st_dev

    def _reopen(self) -> None:
        """An open file under the path. OSError if there cannot be one."""
        if self.stream is not None and self._is_moved():
            self._close_stream()
            self._was_moved()
        if self.stream is None:
            self.stream = self._open()

    def _was_moved(self) -> None:
        """Somebody has moved the file: another process that has rolled over, perhaps."""

    def _descriptor(self) -> int:
        return self.stream.fileno()  # type: ignore[union-attr]

    def _close_stream(self) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError):  # of a file system that is gone
                stream.close()

    # ---- records

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record, or lets its line wait for others."""
        try:
            text = self.format(record) + self.terminator
            if os.linesep != "\n":
                text = text.replace("\n", os.linesep)
            line = text.encode(self._codec, self.errors or "strict")
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - as every emit of the stdlib
            self.handleError(record)
            return
        kept: logging.LogRecord | None = record
        if self._buffering:
            # Until it is written the record's arguments may change.
            kept = None if self._fallback is None else _enqueue.copied(record)
            if kept is not None:
                _enqueue.freeze(kept, may_fail=True)
        self._waiting.append((line, kept))
        self._bytes += len(line)
        if self._bytes >= self._buffering or _reaches(record, self._flush_level):
            self._write()
        elif not self._timed:
            self._wake(monotonic() + self._settings.flush_interval_ms / 1000)

    def _wake(self, at: float) -> None:
        self._timed = _flushing.call(weakref.WeakMethod(self._tick), at)
        if not self._timed:
            self._write()

    def _tick(self) -> None:
        """The flush interval is over, or it is time for another attempt."""
        self.acquire()
        try:
            self._timed = False
            self._write()
        finally:
            self.release()

    def _drain(self) -> None:
        """The process is about to end."""
        self._tick()

    # ---- writing

    def _write(self, *, last: bool = False) -> None:
        """Writes what waits, if the file can be written; what must not wait any longer then is handed over. `last`: all of it."""
        if self._writing:
            return
        self._writing = True
        try:
            if (self._waiting or self._due) and (last or self._backoff.may_try()):
                try:
                    with self._lock or contextlib.nullcontext():
                        self._reopen()
                        while self._waiting:
                            self._write_block()
                        if self._due:
                            self._due = False
                            self._roll_over_if_due()
                except Exception as error:  # noqa: BLE001 - a namer may raise anything, and the caller is to get nothing of it
                    self._lost = error
                    self._backoff.failed()
                    self._close_stream()  # to be opened anew by the next attempt
                else:
                    self._backoff.worked()
            # What waits although all is well, a signal handler has logged since: the thread writes it.
            if last or self._backoff.failing_since is not None:
                self._hand_over(0 if last or self._backoff.is_past_deadline() else self._buffering)
            if self._waiting and not self._timed:
                self._wake(self._backoff.next_try)
            self._follow_up()
        finally:
            self._writing = False

    def _follow_up(self) -> None:
        """What remains to be done without the lock."""

    def _write_block(self) -> None:
        """Writes the lines that go into the file together, with one call where that is possible."""
        number = self._make_room()
        block = b"".join([line for line, _ in itertools.islice(self._waiting, number)])
        descriptor = self._descriptor()
        written = 0
        try:
            while written < len(block):
                written += os.write(descriptor, memoryview(block)[written:])
        except OSError:
            whole = 0
            while whole < number and written >= len(self._waiting[whole][0]):
                written -= len(self._waiting[whole][0])
                whole += 1
            self._count_written(whole)
            if written:
                _take_back(descriptor, written)
            raise
        if not self._settings.fsync:
            self._count_written(number)
            return
        try:
            os.fsync(descriptor)
        except OSError:
            self._unsynced += self._taken(number)
            raise
        self._count_written(number)

    def _count_written(self, number: int) -> None:
        self._counts["written"] += len(self._taken(number))

    def _taken(self, number: int) -> list[_Waiting]:
        taken = [self._waiting.popleft() for _ in range(number)]
        self._bytes = self._bytes - sum([len(line) for line, _ in taken]) if self._waiting else 0
        return taken

    def _make_room(self) -> int:
        """How many of the lines that wait go into the file as it is now, or as it is after a rollover: at least one."""
        return len(self._waiting)

    def _roll_over_if_due(self) -> None:
        """Begins a new file, if nobody else has."""

    # ---- what could not be written

    def _hand_over(self, limit: int) -> None:
        """What is not going to be written, which are the newest records beyond so many bytes: to the fallback, if there is one."""
        surplus: list[_Waiting] = []
        while self._waiting and (self._bytes > limit or not limit):
            surplus.append(self._waiting.pop())
            self._bytes -= len(surplus[-1][0])
        refused, self._unsynced = [*self._unsynced, *reversed(surplus)], []
        for _, record in refused:
            self._counts["failed"] += 1
            reason = errno.errorcode.get(getattr(self._lost, "errno", None) or 0, type(self._lost).__name__)
            self._failed_by[reason] = self._failed_by.get(reason, 0) + 1
            if record is not None:
                self._handed = record
                self.handleError(record)
        if refused:
            self._warn()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the stdlib's name)
        """Gives a record that could not be written to the fallback; does for any other what the standard library does."""
        if record is not self._handed:
            self._counts["failed"] += 1
            super().handleError(record)
            return
        self._handed = None
        fallback = self._fallback
        if fallback is not None and _reaches(record, fallback.level):
            try:
                fallback.handle(record)
            except Exception:  # noqa: BLE001 - nothing of it may reach the caller
                super().handleError(record)
            else:
                self._counts["fallback"] += 1

    def _warn(self, *, now: bool = False) -> None:
        """Says on sys.stderr how many records have failed since the last time, at most every few seconds."""
        moment = monotonic()
        if moment - self._warned_at < WARN_EVERY and not now:
            return
        more, self._told = sum(self._failed_by.values()) - self._told, sum(self._failed_by.values())
        if more <= 0 or not logging.raiseExceptions or sys.stderr is None:
            return
        self._warned_at = moment
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"femtolog: {self!r} cannot write ({self._lost}): {more} more records have failed\n")

    # ---- flush, close, account

    def flush(self) -> bool:  # type: ignore[override]
        """Writes what waits, now. False if not all could be written, or a record has failed since the last flush. No OSError is raised."""
        self.acquire()
        try:
            self._write()
            if self.stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    self.stream.flush()  # what somebody else has written to it
            before, self._failed_at_flush = self._failed_at_flush, self._counts["failed"]
            return not self._waiting and self._failed_at_flush == before
        finally:
            self.release()

    def close(self) -> None:
        """Writes what waits and closes the file; what cannot be written is handed over."""
        self.acquire()
        try:
            self._buffering = 0
            self._write(last=True)
            if self.stream is not None:
                with contextlib.suppress(OSError):
                    self.stream.flush()
            self._close_stream()
            if self._lock is not None:
                self._lock.renew()
            self._warn(now=True)
        finally:
            self.release()
            super().close()

    def _account(self, queue: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What stats() tells. `queue`: the account of the queue before this handler, if it is asynchronous."""
        counts, waiting = dict(self._counts), len(self._waiting)
        passed = counts["written"] + counts["failed"] + waiting
        if queue is None:
            return {"emitted": passed, **counts, "in_flight": waiting, "failed_by": dict(self._failed_by)}
        # Some fail before they are put on the queue.
        counts["failed"] += max(0, queue["written"] + queue["failed"] - passed)
        return {**queue, **counts, "in_flight": queue["in_flight"] + waiting, "failed_by": dict(self._failed_by)}


def _reaches(record: logging.LogRecord, level: int) -> bool:
    try:
        return record.levelno >= level
    except TypeError:  # of makeLogRecord({}), which has no level
        return False


def _take_back(descriptor: int, length: int) -> None:
    """Takes the beginning of a line off the end of a file, unless somebody has written behind it."""
    with contextlib.suppress(OSError):
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_size == os.lseek(descriptor, 0, os.SEEK_CUR):
            os.ftruncate(descriptor, status.st_size - length)


# ---- fork and the end

_registered = False


def _register_hooks() -> None:
    global _registered
    if _registered:
        return
    _registered = True
    # A child of multiprocessing ends without atexit, but with this. In other processes logging.shutdown() closes the handlers later.
    before_threads_end = getattr(threading, "_register_atexit", None)
    if before_threads_end is not None:
        with contextlib.suppress(RuntimeError):  # at the end of the interpreter
            before_threads_end(_drain_all)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_begin_anew)


def _drain_all() -> None:
    for handler in list(_live):
        handler._drain()  # noqa: SLF001


def _begin_anew() -> None:
    for handler in list(_live):
        handler._forget()  # noqa: SLF001
