"""What a file handler becomes when it is asked for more than the standard library's does: see take_over().

Lines are encoded when they are logged, wait until there is reason to write them, and go to the descriptor whole and in order, past the
buffers of the stream. What a failed write has left of a line is taken out of the file again.

Invariant: whoever touches what waits holds the handler's lock, as `emit` and `flush` of all handlers do. A record that a signal handler logs
in the middle of a write waits, and whoever writes goes on with it.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import locale
import logging
import os
import threading
import weakref
from time import monotonic

from femtolog import _enqueue
from femtolog._live import each
from femtolog._timetable import Timetable
from femtolog.errors import HandlerConfigError
from femtolog.files._failures import reaches
from femtolog.files._lock import FileLock
from femtolog.files._steady import Steady, _take_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import TextIOWrapper
    from typing import Any

    from femtolog.files._settings import Settings

    _Waiting = tuple[bytes, logging.LogRecord | None]
    """A line that is to be written, and its record if anybody could still want that."""

_flushing = Timetable("femtolog-flush")
_live: weakref.WeakSet[Steady] = weakref.WeakSet()
_classes: weakref.WeakValueDictionary[tuple[type, type], type] = weakref.WeakValueDictionary()


def take_over(handler: logging.FileHandler, kind: type[Steady], settings: Settings) -> None:
    """Lets the handler, which is about to be initialized, do what it is told. Its class becomes a subclass of the one it has."""
    cls = type(handler)
    if issubclass(kind, Managed):
        for name in ("emit", "flush", "shouldRollover", "doRollover", "getFilesToDelete"):
            if not _is_stdlib(getattr(cls, name, None)):
                raise HandlerConfigError(
                    f"{cls.__name__}.{name}() would never be called: no other options with an override of it"
                )
    become(handler, (kind, cls), {_enqueue.TEXT_ONLY: cls} if issubclass(kind, Managed) else {})
    handler._manage(settings)  # type: ignore[attr-defined]  # noqa: SLF001


def become(handler: logging.FileHandler, bases: tuple[type, type], names: dict[str, Any] | None = None) -> None:
    """Gives the handler a class of these bases and names that looks like its own, which is one of them."""
    cls = type(handler)
    made = _classes.get(bases)
    if made is None:
        looks = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
        meta: Any = type(cls)
        made = _classes[bases] = meta(cls.__name__, bases, looks | (names or {}))
    handler.__class__ = made


def enlist(handler: Steady) -> None:
    """Lets it be told of a fork and of the end."""
    _live.add(handler)
    _register_hooks()


def _is_stdlib(method: object) -> bool:
    return getattr(method, "__module__", None) in (None, "logging", "logging.handlers")


class Managed(Steady):
    """The methods of such a handler: a mixin before its own class."""

    def _manage(self, settings: Settings) -> None:
        self._buffering = settings.buffering  # so many bytes may wait
        self._flush_level = logging._checkLevel(settings.flush_level)  # type: ignore[attr-defined]  # noqa: SLF001 - as setLevel()
        self._lock: FileLock | None = None
        super()._manage(settings)

    def _forget(self) -> None:
        """No records yet: at the beginning, and in a forked child, whose parent writes what waits."""
        super()._forget()
        self._waiting: collections.deque[_Waiting] = collections.deque()
        self._bytes = 0  # of what waits
        self._writing = False
        self._due = False  # a rollover, when what waits is written
        self._timed = False  # the timetable has been told to flush
        self._unsynced: list[_Waiting] = []  # in the file, but perhaps not on the disk
        self._handed: logging.LogRecord | None = None
        # The account, counted by those who hold the lock; see _account().
        self._written = 0  # lines
        self._by_queue = 0  # lines that the queue has been told, or is going to be told, are written
        self._direct = 0  # records that did not come by the queue
        self._refused = 0  # those of them that have no line

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
        return self._opened()

    def _may_open(self) -> bool:
        return True  # _write() knows whether it is time

    def _look(self) -> None:
        """Done by _reopen()."""

    def _reopen(self) -> None:
        """An open file under the path. OSError if there cannot be one."""
        if self.stream is not None and self._is_moved():
            self._close_stream()
            self._was_moved()
        if self.stream is None:
            self.stream = self._open()

    def _was_moved(self) -> None:
        """Somebody has moved the file: another process that has rolled over, perhaps."""

    # ---- records

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record, or lets its line wait for others."""
        by_queue = self._is_of_queue(record)
        if not by_queue:
            self._direct += 1
        try:
            line = self._encoded(self.format(record), self._codec, self.errors)
            kept: logging.LogRecord | None = record
            if self._buffering:
                # Until it is written the record's arguments may change.
                kept = None if self._failures.fallback is None else _enqueue.copied(record)
                if kept is not None:
                    _enqueue.freeze(kept, may_fail=True)
        except BaseException as error:
            self._refuse(by_queue=by_queue)
            if isinstance(error, RecursionError) or not isinstance(error, Exception):
                raise
            self.handleError(record)  # as every emit of the stdlib
            return
        self._by_queue += by_queue
        self._waiting.append((line, kept))
        self._bytes += len(line)
        try:
            if self._is_urgent(record):
                self._write()
            else:
                self._rest()
        except BaseException:
            if by_queue:
                # The queue is told that it has failed, and its line goes on.
                self._by_queue -= 1
                self._direct += 1
            raise

    def _is_of_queue(self, record: logging.LogRecord) -> bool:
        """Is it in the queue's hand, which is told what becomes of it? Others come after close(), or to this method past handle()."""
        pipeline = self._pipeline()
        if pipeline is None or (current := pipeline.current) is None or current.record is not record:
            return False
        queue = pipeline.queue
        if not queue.is_closed():
            return True
        try:
            return queue.has_taken() and queue.first() is current
        except Exception:  # noqa: BLE001 - what is there is from disk, and no record
            return False

    def _refuse(self, *, by_queue: bool) -> None:
        """Counts the record, whatever somebody's handleError() does then."""
        pipeline = self._pipeline()
        if by_queue and pipeline is not None:
            pipeline.current_failed = True
        else:
            self._refused += 1

    def _is_urgent(self, record: logging.LogRecord) -> bool:
        """Is what waits to be written, now that this record's line is the last of it?"""
        return self._bytes >= self._buffering or reaches(record, self._flush_level)

    def _rest(self) -> None:
        """It waits."""
        if not self._timed:
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
        pipeline = self._pipeline()
        if pipeline is None:
            self._tick()
        elif not pipeline.queue.is_closed():
            pipeline.flush(self, None)  # what is on the queue comes first

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
                    self._failures.lost = error.with_traceback(None)
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
        self._written += len(self._taken(number))

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
        pipeline = self._pipeline()
        told = pipeline is not None and pipeline.current_failed
        try:
            for _, record in refused:
                self._failures.add()
                if record is not None:
                    self._handed = record
                    self.handleError(record)
        finally:
            if pipeline is not None:
                pipeline.current_failed = told  # these are in the handler's own account
        if refused:
            self._failures.warn(self)
            self._notice()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the stdlib's name)
        """Gives a record that could not be written to the fallback; does for any other what the standard library does."""
        if record is self._handed:
            self._handed = None
            self._failures.give(record, self._handle_as_the_stdlib)
        else:
            self._failures.count += 1
            self._handle_as_the_stdlib(record)

    def _handle_as_the_stdlib(self, record: logging.LogRecord) -> None:
        super(Steady, self).handleError(record)

    # ---- flush, close, account

    def flush(self) -> bool:  # type: ignore[override]
        """Writes what waits, now. False if not all could be written, or a record has failed since the last flush. No OSError is raised."""
        self.acquire()
        try:
            self._write()
            if self.stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    self.stream.flush()  # what somebody else has written to it
            failures = self._failures
            before, failures.at_flush = failures.at_flush, failures.count
            if failures.at_flush == before:
                return not self._waiting
            if (pipeline := self._pipeline()) is not None:
                pipeline.told_losses = pipeline.queue.lost()  # it would say False once more
            return False
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
            if self._lock is not None:
                self._lock.renew()
        finally:
            self.release()
            super().close()

    def _account(self, queue: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What stats() tells. `queue`: the account of the queue before this handler, if it is asynchronous.

        From any thread, without the lock. Each record is counted once: as failed by the queue, if it never had a line; else here, as what
        has become of its line. The rest is in flight. So what was done is read before how many there are, and nothing goes down.
        """
        failures, pipeline = self._failures, self._pipeline()
        fallback, failed, written = failures.given, failures.unwritten + self._refused, self._written
        account: dict[str, Any] = {}
        dropped = emitted = 0
        if queue is not None and pipeline is not None:
            account = dict(pipeline.queue.account())  # the one given is older than what was read
            emitted, dropped = account["emitted"], account["dropped"]
            failed += account["failed"]
            written += max(0, account["written"] - self._by_queue)  # by an `emit` of the instance
        in_flight = max(0, emitted + self._direct - written - failed - dropped)
        return {
            **account,
            "emitted": written + failed + dropped + in_flight,
            "written": written,
            "failed": failed,
            "fallback": fallback,
            "in_flight": in_flight,
            "failed_by": dict(failures.by_reason),
        }


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
    each(_live, lambda handler: handler._drain(), at_exit=True)  # noqa: SLF001


def _begin_anew() -> None:
    each(_live, lambda handler: handler._forget())  # noqa: SLF001
