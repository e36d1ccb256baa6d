"""enqueue(): a handler whose records are written by a thread of its own.

The caller filters, formats and freezes the record and puts it on a bounded queue; a worker does the rest of what `Handler.handle`
does. The handler stays the object it is: its class becomes a subclass of the one it had. For most records native code does the caller's
part (native/py/src/handler/asynchronous.rs), and `handle` below is for the others.

Invariant: whoever takes records off the queue or writes them holds the handler's own lock; what has been taken and not written stays
in the queue's hand, which that lock guards as well. So any thread that has the lock may go on where another one stopped, in order.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import copy
import logging
import math
import os
import sys
import threading
import time
import weakref

from femtolog._green import may_start_greenlets, park, threads_are_green
from femtolog._live import each
from femtolog.errors import HandlerConfigError
from femtolog_compat import load_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from femtolog._callbacks import Callbacks
    from femtolog._native import QueuedRecord, RecordQueue, _Account
    from femtolog._spill import Spilling

# What became of a record that was offered: the numbers of native/py/src/queue.rs.
QUEUED, EVICTED, DROPPED, FULL, CLOSED = range(5)

POLICIES = ("block", "drop", "drop_oldest", "timeout:N", "spill")

SPILL_MAX = "1 GiB"

BATCH = 1024
"""So many records are taken at once, and written with one call where that is possible."""

SLICE = 0.05
"""Seconds after which somebody who waits looks whether a signal handler is to run and whether the worker is still there."""

TURN = 0.005
"""Seconds for which the worker goes on with records that are written one by one before it lets others have the handler's lock."""

LONGEST = 10_000_000.0
"""Seconds for which a lock is waited for at most; some systems know no longer times."""

GREEN_TURN = 0.001
"""Seconds until a greenlet looks again whether another one has done with a record."""

WARN_EVERY = 5.0
"""Seconds between two warnings of one handler."""

ATTRIBUTE = "_femtolog_pipeline"
"""Where an asynchronous handler keeps its pipeline."""

TEXT_ONLY = "_femtolog_text_only"
"""In a class whose own `emit` needs nothing of a record but its text and its level: the class it stands before, of which that is known."""

# Values of exactly these types cannot change, and nothing of a caller's runs when they are formatted or freed.
_PLAIN = frozenset({str, int, float, bool, bytes, complex, type(None)})

# Containers that can change, and tuples, which may hold some.
_CONTAINERS = frozenset({list, dict, set, bytearray, tuple})

AGAIN = object()
"""The text of a record that came back from disk without one: it is made when the record is written."""

_observe: Callable[[logging.Handler, float], None] | None = None
"""Where femtolog.metrics, if anybody wants to know, is told how many seconds an `emit` took."""

_live: weakref.WeakSet[_Pipeline] = weakref.WeakSet()
_classes: weakref.WeakValueDictionary[type, type] = weakref.WeakValueDictionary()


class _Pipeline:
    """Everything that an asynchronous handler has beside what it had."""

    def __init__(
        self,
        handler: logging.Handler,
        cls: type[logging.Handler],
        native: ModuleType,
        limits: tuple[int, int, str],
        *,
        wait: float,
        protect_level: int,
        timeout: float,
        spilling: Spilling | None,
        callbacks: Callbacks | None,
    ):
        self.cls: Any = cls
        self.handler = weakref.ref(handler, self._orphaned)
        self.native = native
        self.limits = limits
        self.wait = wait
        self.protect_level = protect_level
        self.timeout = timeout
        self.spilling = spilling
        self.callbacks = callbacks
        self.batch = BATCH
        self.drops_late = False
        self.heir: Any = None  # the handler that gets what comes later
        self.renew()

    def renew(self) -> None:
        """An empty queue and no worker: at the beginning, and in a forked child."""
        self.worker: threading.Thread | bool | None = None
        self.starting = _thread.allocate_lock()
        self.writing = 0  # the thread that writes a record now
        self.current: QueuedRecord | None = None
        self.current_failed = False
        self.close_later = False
        self.turn = threading.RLock()  # for handlers without a lock
        self.warned_at: float | None = None
        self.told_drops = 0
        self.told_losses = 0  # queued records that got lost and that a flush() has told of
        self.held_for_fork = False
        self.kept: object = None  # the handler, while records of it are on disk
        if self.callbacks is not None:
            self.callbacks.renew()
        # What is native of an instance of that class which has nothing of its own. One with a finalizer is not made for that.
        probe: Any = None
        looks_like = getattr(self.cls, TEXT_ONLY, self.cls)
        if not hasattr(self.cls, "__del__"):
            with contextlib.suppress(Exception):
                probe = looks_like.__new__(looks_like)
        spill = None
        if self.spilling is not None:
            spill = self.spilling.arguments(weakref.ref(self.handler()), self.native.QueuedRecord)
        self.queue: RecordQueue = self.native.RecordQueue(*self.limits, self.protect_level, probe, spill)

    def _orphaned(self, _: object) -> None:
        self.queue.close()  # which ends the worker

    # ---- the caller's side

    def submit(self, handler: Any, record: logging.LogRecord) -> int | None:
        """Freezes the record, which has passed the filters, and puts it on the queue. What became of it; None if it could not be frozen."""
        offered = self.prepared(handler, record)
        if offered is None:
            return None
        queue, item = self.queue, offered[0]
        outcome = queue.offer(*offered)
        if outcome == FULL and self.spilling is not None:
            self.kept = handler
            outcome = queue.spill(*self.spilling.encoded(item))
        elif outcome == FULL:
            outcome = self.submit_to_full(queue, *offered)
        if outcome != CLOSED:
            self.settle(handler, outcome)
        elif self.heir is not None:
            self.heir.handle(record)
        elif self.drops_late:
            self.late(handler)
        else:
            self.emit_directly(handler, item)
        return outcome

    def late(self, handler: Any) -> None:
        """A record comes after close(), and is dropped."""
        self.queue.late()
        self.warn_of_drops(handler)

    def prepared(self, handler: Any, record: logging.LogRecord) -> tuple[QueuedRecord, int, bool] | None:
        """What the queue is offered: the record frozen, its weight, is it protected. None if it could not be frozen, which is told."""
        try:
            item = self.frozen(handler, record)
        except RecursionError:
            self.unprepared()
            raise
        except Exception:  # noqa: BLE001 - as every emit of the stdlib
            self.unprepared()
            handler.handleError(record)
            return None
        return item, self.weight_of(item.record, item.text), self.protects(record)

    def unprepared(self) -> None:
        """Counts the record of which an exception is being handled."""
        self.queue.unprepared()
        if self.callbacks is not None:
            self.callbacks.failure()
            self.callbacks.notice(self)

    def weight_of(self, record: logging.LogRecord, text: object) -> int:
        """Bytes that it occupies on the queue, about."""
        weight: int = self.queue.RECORD_WEIGHT + self.native.bulk(_values(record))
        return weight + sys.getsizeof(text) if isinstance(text, str) else weight

    def protects(self, record: logging.LogRecord) -> bool:
        """Is it among those that are dropped last?"""
        try:
            return record.levelno >= self.protect_level
        except TypeError:  # of makeLogRecord({}), say, which has no level
            return False

    def settle(self, handler: Any, outcome: int) -> None:
        """What is to be done after an offer to a queue that is open."""
        if outcome != QUEUED:
            self.warn_of_drops(handler)
        if self.worker is None:
            self.start()

    def submit_to_full(self, queue: RecordQueue, item: QueuedRecord, weight: int, protected: bool) -> int:
        """There is no room, and the policy is to wait for it."""
        if self.writing == threading.get_ident():
            return queue.offer_from_consumer(item, weight, protected)
        deadline = time.monotonic() + self.wait
        try:
            while True:
                if self.must_help(item.handler):
                    # Nobody else can make room, or nobody is going to: the lock is this thread's, or there is no worker.
                    if self.take_lock(item.handler, SLICE):
                        try:
                            self.write_some(item.handler)
                        finally:
                            self.give_lock(item.handler)
                        _settle(self, queue, item.handler)
                elif self.wait != math.inf or not self.make_room(item.handler):
                    queue.wait_for_room(weight, max(0.0, min(SLICE, deadline - time.monotonic())))
                outcome = queue.offer(item, weight, protected)
                if outcome != FULL:
                    return outcome
                if time.monotonic() >= deadline:
                    return queue.offer_at_last(item, weight, protected)
        except BaseException:
            # A signal handler has raised.
            queue.interrupted()
            raise

    def make_room(self, handler: Any) -> bool:
        """Writes with one call what the worker would write with one, for a caller who would have to wait for just that: two changes of thread
        and an idle one less. False, with nothing done, where it is another's turn or takes more than such a call."""
        lock = handler.lock or self.turn
        if threads_are_green() or self.has_own_emit(handler):
            return False
        try:
            if not lock.acquire(blocking=False):
                return False
        except TypeError:  # somebody's lock that must be waited for
            return False
        try:
            if self.writing or not self.queue.writes_lines(handler):
                return False
            try:
                self.write_some(handler)
            finally:
                # Nothing may be left in hand, since the worker waits for something to be queued; whatever a signal handler raises.
                while self.queue.has_taken() and self.write_some(handler):
                    pass
        finally:
            lock.release()
        _settle(self, self.queue, handler)
        return True

    def frozen(self, handler: Any, record: logging.LogRecord) -> QueuedRecord:
        """A copy of the record that nothing the caller does later can change, and its text."""
        text: object
        only_text = self.queue.emits_text()
        try:
            text = handler.format(record)
        except RecursionError:
            raise
        except Exception as error:
            if only_text:
                raise
            # Whether this handler asks for the text at all, its `emit` knows.
            text = error
        if only_text and type(text) is not str:
            only_text = False
        frozen = copied(record)
        freeze(frozen, may_fail=isinstance(text, Exception))
        if only_text:
            frozen.exc_info = None  # its text is in the line; a traceback would keep the frames alive
        else:
            own_containers(frozen)
        item: QueuedRecord = self.native.QueuedRecord(handler, frozen, text)
        return item

    def emit_directly(self, handler: Any, item: QueuedRecord) -> None:
        """For a record that met a queue closed a moment ago: all that was on it has been written, or dropped."""
        handler.acquire()
        try:
            self.emit_item(handler, item)
        finally:
            handler.release()

    def start(self) -> None:
        if threads_are_green():
            self.start_green()
            return
        # Two threads may have found no worker; one may come back here, in a signal handler.
        starting = self.starting
        if not starting.acquire(blocking=False):
            return
        if self.worker is not None:
            starting.release()
            return
        worker = threading.Thread(target=_work, args=(self, self.queue), name="femtolog-queue", daemon=True)
        self.worker = worker
        try:
            worker.start()
        except RuntimeError:
            # The interpreter is about to end and starts no threads any more.
            self.worker = None
            handler = self.handler()
            if handler is not None:
                self.wait_until(handler, self.queue.mark(), time.monotonic() + self.timeout)
        finally:
            starting.release()

    def start_green(self) -> None:
        """A worker that is a greenlet. Not by a Thread: it would wait until the greenlet runs, and who logs may be the hub itself.

        A thread of the system that may not start one writes its records itself.
        """
        if not may_start_greenlets():
            handler = self.handler()
            if handler is not None:
                self.wait_until(handler, self.queue.mark(), time.monotonic() + self.timeout)
            return
        self.worker = True
        try:
            _thread.start_new_thread(_work_green, (self, self.queue))
        except BaseException:
            self.worker = None
            raise

    # ---- the lock

    def take_lock(self, handler: Any, timeout: float) -> bool:
        lock = handler.lock or self.turn
        deadline = time.monotonic() + timeout
        while True:
            left = min(max(0.0, deadline - time.monotonic()), LONGEST)
            try:
                taken = bool(lock.acquire(timeout=left))
            except TypeError:  # somebody's lock that knows no timeouts
                taken = bool(lock.acquire())
            if not taken or self.writing in (0, threading.get_ident()):
                return taken
            # Greenlets that share a lock of the system's all have it at once.
            lock.release()
            if time.monotonic() >= deadline:
                return False
            time.sleep(GREEN_TURN)

    def give_lock(self, handler: Any) -> None:
        (handler.lock or self.turn).release()

    def must_help(self, handler: Any) -> bool:
        """Would waiting for the worker be in vain? It has ended or never begun, or needs a lock that this thread has; or it is a greenlet,
        and would wait for this one."""
        worker = self.worker
        if not isinstance(worker, threading.Thread) or not worker.is_alive() or sys.is_finalizing() or threads_are_green():
            return True
        is_owned = getattr(handler.lock or self.turn, "_is_owned", None)
        return is_owned is not None and bool(is_owned())

    # ---- writing; the caller holds the handler's lock

    def write_some(self, handler: Any) -> bool:
        """Writes what one call can write, or one record, and those behind it that come to a sink of its own. False: there is none."""
        queue = self.queue
        if self.writing == threading.get_ident() or not self.take(queue):
            return False
        self.writing = threading.get_ident()
        try:
            if not self.write_lines(handler, queue):
                goes_on = not queue.emits_text() and not threads_are_green()
                until = time.monotonic() + TURN if goes_on else 0.0
                self.write_one(handler, queue)
                while goes_on and self.queue is queue and queue.has_taken() and time.monotonic() < until:
                    self.write_one(handler, queue)
            return True
        finally:
            if self.queue is queue:
                self.writing = 0

    def take(self, queue: RecordQueue) -> bool:
        """Is there anything to write, in hand now?"""
        try:
            return queue.take(self.batch)
        except OSError:
            time.sleep(SLICE)  # too many open files, say: what is on disk stays there until it can be read
            return False

    def first(self, queue: RecordQueue) -> QueuedRecord | None:
        """The oldest record in hand. None if what was on disk is no record: it is dropped."""
        try:
            return queue.first()
        except Exception:
            if self.spilling is None:
                raise
            queue.lose_damaged()
            return None

    def has_own_emit(self, handler: Any) -> bool:
        own = vars(handler)
        return "emit" in own or "flush" in own or hasattr(self.cls, TEXT_ONLY)

    def write_lines(self, handler: Any, queue: RecordQueue) -> bool:
        if self.has_own_emit(handler):
            return False
        written, error = queue.write_lines(handler)
        if error is not None and (item := self.first(queue)) is not None:
            queue.finish(0, 1)
            try:
                raise error
            except Exception:  # noqa: BLE001 - as StreamHandler.emit
                handler.handleError(item.record)
            if self.callbacks is not None:
                self.callbacks.notice(self)
        return bool(written) or error is not None

    def write_one(self, handler: Any, queue: RecordQueue) -> None:
        item = self.first(queue)
        if item is None:
            return
        written = False
        try:
            written = self.emit_item(handler, item)
        finally:
            # A sink that forks comes back in the child, too, where the queue is another one.
            if self.queue is queue:
                queue.finish(int(written), int(not written))
                if not written and self.callbacks is not None:
                    self.callbacks.notice(self)

    def emit_item(self, handler: Any, item: QueuedRecord) -> bool:
        """`emit` of the class the handler had. Has it gone well? What it lets out goes to `handleError`: no caller is there."""
        before = self.current, self.current_failed, self.writing
        self.current, self.current_failed, self.writing = item, False, threading.get_ident()
        observe = _observe
        begin = 0.0 if observe is None else time.perf_counter()
        try:
            own = vars(handler).get("emit")
            if own is not None:
                own(item.record)
            else:
                self.cls.emit(handler, item.record)
            return not self.current_failed
        except Exception:  # noqa: BLE001
            handler.handleError(item.record)
            return False
        finally:
            self.current, self.current_failed, self.writing = before
            if observe is not None:
                observe(handler, time.perf_counter() - begin)

    # ---- flush and close

    def wait_until(self, handler: Any, mark: int, deadline: float) -> bool:
        """Waits until everything before the mark is written, failed or dropped; writes it where no worker will."""
        queue = self.queue
        while not queue.is_done(mark):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if not self.must_help(handler):
                queue.wait_done(mark, min(left, SLICE))
            elif self.take_lock(handler, left):
                try:
                    if not self.write_some(handler):
                        return queue.is_done(mark)
                finally:
                    self.give_lock(handler)
                _settle(self, queue, handler)
        return True

    def flush(self, handler: Any, timeout: float | None) -> bool:
        if self.writing == threading.get_ident():
            self.cls.flush(handler)  # the stdlib's `emit` flushes the stream
            return True
        queue = self.queue
        closed = queue.is_closed()
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        if not closed and not self.wait_until(handler, queue.mark(), deadline):
            return False
        # The sink may hang in a record that was logged later.
        if not self.take_lock(handler, max(0.0, deadline - time.monotonic())):
            return False
        try:
            if self.cls.flush(handler) is False:  # which those of femtolog.files say
                return False
        except OSError:
            if closed:
                raise
            return False
        finally:
            self.give_lock(handler)
        before, self.told_losses = self.told_losses, queue.lost()
        return not closed and self.told_losses == before

    def close(self, handler: Any) -> None:
        queue = self.queue
        if self.writing == threading.get_ident():
            queue.close()
            self.close_later = True  # when the record that closes its handler is written
            return
        if queue.is_closed():
            if not self.close_later:
                self.cls.close(handler)
            return
        deadline = time.monotonic() + self.timeout
        self.wait_until(handler, queue.mark(), deadline)
        if not self.take_lock(handler, max(SLICE, deadline - time.monotonic())):
            # The sink hangs in a record, with the lock. Should it ever come back, the worker closes it.
            self.close_later = True
            queue.close()
            self.give_up(handler, taken=False)
            return
        try:
            queue.close()
            while time.monotonic() < deadline and self.write_some(handler):
                pass
            self.give_up(handler, taken=True)
            self.end(handler)
        finally:
            self.give_lock(handler)

    def give_up(self, handler: Any, *, taken: bool) -> None:
        """Nobody will write what is queued, or in hand if that is `taken`: it goes to disk, or is dropped."""
        if self.spilling is not None:
            self.queue.put_away(taken, self.spilling.encoded)
            self.kept = None
        self.queue.abandon(taken=taken)
        self.warn_of_drops(handler, now=True)

    def end(self, handler: Any) -> None:
        self.queue.close_spill()
        self.cls.close(handler)

    # ---- telling

    def account(self) -> _Account:
        return self.queue.account()

    def whole_account(self) -> _Account:
        """With what became of records behind the queue: a handler of femtolog.files may let some wait."""
        account = self.queue.account()
        within: Any = getattr(self.handler(), "_account", None)
        return account if within is None else within(account)

    def tell(self) -> None:
        if self.callbacks is not None:
            self.callbacks.tell(self)

    def look(self) -> None:
        if self.callbacks is not None:
            self.callbacks.look_at(self)

    def done(self) -> int:
        account = self.queue.account()
        return account["written"] + account["failed"]

    def warn_of_drops(self, handler: Any, *, now: bool = False) -> None:
        """Says on sys.stderr how many records were dropped since the last time, at most every few seconds."""
        if self.callbacks is not None:
            self.callbacks.notice(self)
        moment = time.monotonic()
        if self.warned_at is not None and moment - self.warned_at < WARN_EVERY and not now:
            return
        account = self.queue.account()
        more = account["dropped"] - self.told_drops
        if more <= 0 or not logging.raiseExceptions or sys.stderr is None:
            return
        self.warned_at, self.told_drops = moment, account["dropped"]
        reasons = ", ".join(f"{name} {count}" for name, count in account["dropped_by"].items() if count)
        _say(f"{handler!r} has dropped {more} more records (in all: {reasons})")

    def tell_of_the_rest(self, handler: Any) -> None:
        """The program ends, and with it the thread that hangs in the sink."""
        left = self.queue.account()["in_flight"]
        if left:
            _say(f"{handler!r} hangs at the end of the program and loses {left} records")


def _say(text: str) -> None:
    """On sys.stderr, where errors in handlers are told."""
    if logging.raiseExceptions and sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"femtolog: {text}\n")


def copied(record: logging.LogRecord) -> logging.LogRecord:
    """Another record with the same attributes."""
    if type(record) is not logging.LogRecord:
        return copy.copy(record)
    other = logging.LogRecord.__new__(logging.LogRecord)
    vars(other).update(vars(record))
    return other


def _values(record: object) -> dict[str, Any]:
    """The record's own attributes; none of those that an object in a record's place keeps in slots."""
    values: dict[str, Any] = getattr(record, "__dict__", {})
    return values


def freeze(record: logging.LogRecord, *, may_fail: bool, message: object = None) -> None:
    """Makes the message what it is now, whatever becomes of its arguments. `may_fail`: an error in that is not the caller's.

    `message` is what it is now, if that is known: a second `__str__` might do something twice.
    """
    args: Any = record.args
    kind = type(args)
    plain = not args or (kind is tuple and _all_plain(args)) or (kind is dict and _all_plain(args.values()))
    if plain and kind is dict:
        record.args = dict(args)
    if not plain or type(record.msg) is not str:
        if message is None:
            message = _values(record).get("message")  # which formatting has left
        try:
            record.msg = message if type(message) is str else record.getMessage()
            record.args = ()
        except Exception:
            if not may_fail:
                raise


def own_containers(record: logging.LogRecord) -> None:
    """Copies what the caller may change yet of what its attributes hold; objects of other classes are what they are."""
    values = _values(record)
    changeable = [name for name, value in values.items() if type(value) in _CONTAINERS and name not in ("args", "exc_info")]
    for name in changeable:
        # One within another, deeper than Python code may go: nothing was copied.
        with contextlib.suppress(RecursionError):
            values[name] = _own(values[name], {})


def _own(value: Any, known: dict[int, tuple[Any, Any]]) -> Any:
    """The copy; of those `known` by their identity, which may hold each other, the one that there is."""
    kind = type(value)
    if kind not in _CONTAINERS:
        return value
    if id(value) in known:
        return known[id(value)][1]
    if kind is tuple:
        own = tuple([_own(item, known) for item in value])
        known[id(value)] = value, own
        return own
    own = kind(value)
    known[id(value)] = value, own  # the original too: as long as it is there, no other has its identity
    if kind is list:
        own[:] = [_own(item, known) for item in own]
    elif kind is dict:
        for key, item in own.items():
            own[key] = _own(item, known)
    return own


def _all_plain(values: Any) -> bool:
    return all(type(value) in _PLAIN for value in values)


def _work(pipeline: _Pipeline, queue: RecordQueue) -> None:
    """The worker. It keeps the handler alive only while there are records for it."""
    while (queue.has_taken() or queue.wait_filled()) and pipeline.queue is queue:
        if threads_are_green():
            # Since this thread began; it has no business with locks of greenlets. The next record starts another worker.
            pipeline.worker = None
            park()
        handler = pipeline.handler()
        if handler is None:
            return
        lock = handler.lock or pipeline.turn
        lock.acquire()
        try:
            pipeline.write_some(handler)
        except BaseException:
            if pipeline.queue is not queue:
                raise  # in a forked child, where this is the thread that forked
            sys.excepthook(*sys.exc_info())
        finally:
            if pipeline.queue is queue:
                lock.release()
        _settle(pipeline, queue, handler)
        del handler, lock
    if (handler := pipeline.handler()) is not None:
        _settle(pipeline, queue, handler)  # a caller may have written the record that closed it


def _work_green(pipeline: _Pipeline, queue: RecordQueue) -> None:
    """The worker as a greenlet: nothing in it waits as a thread of the system does. It ends when everything is written."""
    more = True
    while more and pipeline.queue is queue:
        handler = pipeline.handler()
        if handler is None:
            return
        if pipeline.take_lock(handler, SLICE):
            more = False
            try:
                more = pipeline.write_some(handler)
                if not more:
                    pipeline.worker = None
                    # What came from a thread of the system before it could see that.
                    more = pipeline.write_some(handler)
            except Exception:  # noqa: BLE001 - as the other worker
                more = True
                sys.excepthook(*sys.exc_info())
            finally:
                if pipeline.queue is queue:
                    if not more:
                        pipeline.worker = None
                    pipeline.give_lock(handler)
            _settle(pipeline, queue, handler)
        del handler
        time.sleep(0)  # it is the others' turn


def _settle(pipeline: _Pipeline, queue: RecordQueue, handler: Any) -> None:
    """What a worker does after it has written, without the lock."""
    if pipeline.kept is not None and not queue.has_taken() and not queue.has_spilled():
        pipeline.kept = None
    if pipeline.close_later and pipeline.queue is queue and not queue.has_taken():
        pipeline.close_later = False
        pipeline.end(handler)


class _Asynchronous:
    """The methods of the subclass that a handler gets: see enqueue(). No base of it, with which its instances would be of another layout."""

    def handle(self, record: Any, *by_hand: Any) -> Any:
        """Filters as the handler would, prepares the record and puts it on the queue.

        Femto handlers also take handle(logger, level, message), by hand. It raises RuntimeError then if the queue has no room and the
        policy is not to wait for any longer, or the handler is closed; a record of a logger is counted as dropped, and nothing is raised.
        """
        if by_hand:
            return self._by_hand(record, *by_hand)
        pipeline: _Pipeline = vars(self)[ATTRIBUTE]
        closed = pipeline.queue.is_closed()
        if closed and pipeline.heir is not None:
            return pipeline.heir.handle(record)
        if closed and not pipeline.drops_late:
            return pipeline.cls.handle(self, record)
        passed = self.filter(record)  # type: ignore[attr-defined]
        if sys.version_info >= (3, 12) and isinstance(passed, logging.LogRecord):
            record = passed
        if passed and closed:
            pipeline.late(self)
        elif passed:
            pipeline.submit(self, record)
        return passed

    def _by_hand(self, *arguments: Any) -> Any:
        raise TypeError(f"handle() takes a record, not {len(arguments)} arguments")

    def emit(self, record: logging.LogRecord) -> None:
        """Puts the record on the queue; called without handle(), as some do."""
        pipeline: _Pipeline = vars(self)[ATTRIBUTE]
        goes_on = pipeline.drops_late or pipeline.heir is not None
        if pipeline.writing == threading.get_ident() or (pipeline.queue.is_closed() and not goes_on):
            pipeline.cls.emit(self, record)
        else:
            pipeline.submit(self, record)

    def format(self, record: logging.LogRecord) -> Any:
        """The text made when the record was logged, for the one that is being written."""
        pipeline: _Pipeline = vars(self)[ATTRIBUTE]
        current = pipeline.current
        if current is not None and record is current.record:
            if isinstance(current.text, Exception):
                raise current.text
            if current.text is not AGAIN:
                return current.text
        return pipeline.cls.format(self, record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the stdlib's name)
        """As the handler's own; the record counts as failed."""
        pipeline: _Pipeline = vars(self)[ATTRIBUTE]
        if pipeline.writing == threading.get_ident():
            pipeline.current_failed = True
            if pipeline.callbacks is not None:
                pipeline.callbacks.failure()
        pipeline.cls.handleError(self, record)

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until everything logged before is written, then flushes the sink.

        True only if all of it that was queued was written: False after `timeout` seconds (those given to enqueue() if None), if a record has
        failed since the last flush, or made room for another one, or this flush has failed (an OSError is not raised), and for a closed
        handler. A thread that holds the handler's lock writes the records itself.

        Examples:
            >>> import io
            >>> import femtolog as logging
            >>> handler = logging.enqueue(logging.StreamHandler(io.StringIO()))
            >>> logging.basicConfig(handlers=[handler])
            >>> logging.warning("one")
            >>> handler.flush(timeout=5.0)
            True
        """
        pipeline: _Pipeline = vars(self)[ATTRIBUTE]
        return pipeline.flush(self, timeout)

    async def aflush(self, timeout: float | None = None) -> bool:
        """flush() for a coroutine: waits in a thread of the loop's executor.

        Examples:
            >>> import asyncio, io
            >>> import femtolog as logging
            >>> handler = logging.enqueue(logging.StreamHandler(io.StringIO()))
            >>> logging.basicConfig(handlers=[handler])
            >>> async def serve():
            ...     logging.warning("one")
            ...     return await handler.aflush(timeout=5.0)
            >>> asyncio.run(serve())
            True
        """
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(None, self.flush, timeout)

    def close(self) -> None:
        """Writes what is queued, for as long as enqueue() was told, and closes the sink; what is left then is dropped and counted.

        With overflow="spill" it stays on disk, for the next process, and is counted as in flight. Idempotent, from any thread. Records
        logged later are handled by the caller, as before enqueue().
        """
        pipeline: _Pipeline = vars(self)[ATTRIBUTE]
        pipeline.close(self)
        pipeline.tell()

    def stats(self) -> _Account:
        """What became of the records: emitted = written + failed + dropped + in_flight, and why they were dropped.

        Examples:
            >>> import io
            >>> import femtolog as logging
            >>> handler = logging.enqueue(logging.StreamHandler(io.StringIO()))
            >>> logging.basicConfig(handlers=[handler])
            >>> logging.warning("one")
            >>> handler.close()
            >>> counts = handler.stats()
            >>> counts["emitted"], counts["written"], counts["failed"], counts["dropped"], counts["in_flight"]
            (1, 1, 0, 0, 0)
        """
        pipeline: _Pipeline = vars(self)[ATTRIBUTE]
        account = pipeline.whole_account()
        if pipeline.callbacks is not None:
            account["callbacks_raised"] = pipeline.callbacks.raised
        return account


def enqueue(
    handler: Any,
    *,
    capacity: int,
    capacity_bytes: int,
    overflow: str,
    protect_level: int,
    timeout: float,
    spill_dir: str | os.PathLike[str] | None,
    spill_max: str | int,
    on_error: Callable[[BaseException, int], object] | None = None,
    on_drop: Callable[[str, int], object] | None = None,
) -> Any:
    """See femtolog.enqueue()."""
    if not isinstance(handler, logging.Handler):
        raise TypeError(f"not a logging.Handler: {handler!r}")
    if hasattr(handler, ATTRIBUTE):
        raise HandlerConfigError(f"{handler!r} is asynchronous already")
    options = Options(capacity, capacity_bytes, overflow, protect_level, timeout, spill_dir=spill_dir, spill_max=spill_max)
    if on_error is not None or on_drop is not None:
        from femtolog._callbacks import Callbacks

        options.callbacks = Callbacks(on_error, on_drop)
    cls = type(handler)
    refusal = TypeError(f"{cls.__name__} handles records in its own way: its handle() cannot be divided between two threads")
    if cls.handle is not logging.Handler.handle:
        raise refusal
    asynchronous: Any = _class_of(cls)
    handler.acquire()
    try:
        if not hasattr(cls, "__del__"):
            # Before anybody looks at the handler's `__dict__`. A class of C code that makes no bare instances does without.
            with contextlib.suppress(TypeError):
                load_native().move_attributes(handler, object.__new__(asynchronous))
        if "handle" in vars(handler):
            raise refusal
        attach(handler, cls, options)
        try:
            handler.__class__ = asynchronous
        except BaseException:
            delattr(handler, ATTRIBUTE)
            raise
    finally:
        handler.release()
    return handler


class Options:
    """What enqueue() is told. TypeError, ValueError for what cannot be."""

    def __init__(
        self,
        capacity: int,
        capacity_bytes: int,
        overflow: str,
        protect_level: int,
        timeout: float,
        *,
        spill_dir: str | os.PathLike[str] | None = None,
        spill_max: str | int = SPILL_MAX,
    ):
        for name, value in (("capacity", capacity), ("capacity_bytes", capacity_bytes)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be an int, not {type(value).__name__}")
            if value < 1:
                raise HandlerConfigError(f"{name} must be at least 1, got {value}")
        if not isinstance(timeout, int | float) or isinstance(timeout, bool):
            raise TypeError(f"timeout must be a number of seconds, not {type(timeout).__name__}")
        if math.isnan(timeout) or timeout < 0:
            raise HandlerConfigError(f"timeout must not be negative, got {timeout}")
        try:
            level: int = logging._checkLevel(protect_level)  # type: ignore[attr-defined]  # noqa: SLF001 - as Handler.setLevel()
        except ValueError:
            raise HandlerConfigError(f"protect_level must be a level or its name, got {protect_level!r}") from None
        if not isinstance(overflow, str):
            raise TypeError(f"overflow must be a str, not {type(overflow).__name__}")
        policy, self.wait = _policy(overflow)
        self.spilling = None
        if policy == "spill":
            from femtolog._spill import Spilling

            self.spilling = Spilling(spill_dir, spill_max)
        elif spill_dir is not None or spill_max != SPILL_MAX:
            given = f"spill_dir={spill_dir!r}" if spill_dir is not None else f"spill_max={spill_max!r}"
            raise HandlerConfigError(f"overflow must be 'spill' with {given}, got {overflow!r}")
        self.limits = (capacity, capacity_bytes, policy)
        self.callbacks: Callbacks | None = None
        self.protect_level, self.timeout = level, timeout
        self.drops_late = False
        """Is a record dropped that comes after close()? Otherwise it is handled by the caller, as before enqueue()."""


def attach(handler: Any, cls: type[logging.Handler], options: Options) -> None:
    """Gives the handler, whose class is or becomes an asynchronous one, its pipeline: the worker writes as `cls` does."""
    native = load_native()
    native.know_asynchronous(_Asynchronous.handle, _Asynchronous.emit, _Asynchronous.format)
    pipeline = _Pipeline(
        handler,
        cls,
        native,
        options.limits,
        wait=options.wait,
        protect_level=options.protect_level,
        timeout=options.timeout,
        spilling=options.spilling,
        callbacks=options.callbacks,
    )
    pipeline.drops_late = options.drops_late
    if options.spilling is not None:
        options.spilling.open(handler, pipeline)
    setattr(handler, ATTRIBUTE, pipeline)
    _Hooks.register()
    _live.add(pipeline)


def _policy(overflow: str) -> tuple[str, float]:
    """The policy's name, and for how many seconds a caller waits."""
    if overflow in ("block", "drop", "drop_oldest", "spill"):
        return overflow, float("inf")
    name, colon, number = overflow.partition(":")
    if name != "timeout":
        raise HandlerConfigError(f"invalid overflow policy: {overflow!r}. Valid options are: {', '.join(POLICIES)}")
    if not colon or not number.strip().isascii() or not number.strip().isdigit():
        raise HandlerConfigError("timeout requires a positive integer N, use 'timeout:N'")
    if int(number) == 0:
        raise HandlerConfigError("timeout must be greater than zero")
    return name, int(number) / 1000


def _class_of(cls: type) -> type:
    found = _classes.get(cls)
    if found is None:
        names: dict[str, Any] = {name: value for name, value in vars(_Asynchronous).items() if not name.startswith("__")}
        names |= {"__slots__": (), "__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
        found = _classes[cls] = type(cls)(cls.__name__, (cls,), names)
    return found


class _Hooks:
    """What runs at a fork and at the end; registered with the first asynchronous handler."""

    registered = False

    @classmethod
    def register(cls) -> None:
        if cls.registered:
            return
        cls.registered = True
        # Later than logging's own, so this runs before logging.shutdown(), and in a child after the locks are new.
        atexit.register(_at_exit)
        # A child of multiprocessing ends without atexit, but with this.
        before_threads_end = getattr(threading, "_register_atexit", None)
        if before_threads_end is not None:
            with contextlib.suppress(RuntimeError):  # at the end of the interpreter
                before_threads_end(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


def _at_exit() -> None:
    """Writes what is queued, for as long as that goes on. logging.shutdown() closes the handlers later."""
    each(_live, _end, at_exit=True)


def _end(pipeline: _Pipeline) -> None:
    handler: Any = pipeline.handler()
    if handler is None or (pipeline.queue.is_closed() and not pipeline.close_later):
        return
    done = -1 if pipeline.spilling is None else pipeline.done()
    while not pipeline.wait_until(handler, pipeline.queue.mark(), time.monotonic() + pipeline.timeout):
        before, done = done, pipeline.done()
        if done == before:
            # The sink hangs, with the handler's lock: logging.shutdown() would wait for it without end. It may be that of a fallback.
            for hung in (handler, getattr(handler, "_hung_with", None)):
                if hung is not None:
                    unlist(hung)
            pipeline.queue.close()
            pipeline.give_up(handler, taken=False)
            pipeline.close_later = False  # nobody is going to
            pipeline.tell_of_the_rest(handler)
            break
        if pipeline.spilling is not None:
            break  # what is on disk may stay there
    _settle(pipeline, pipeline.queue, handler)  # the worker may not come to it any more
    if pipeline.spilling is not None and in_child_of_multiprocessing():
        pipeline.close(handler)  # nobody else will


def unlist(handler: logging.Handler) -> None:
    """logging.shutdown() does not flush and close it, nor does dictConfig()."""
    known = logging._handlerList  # type: ignore[attr-defined]  # noqa: SLF001 - what they walk
    known[:] = [ref for ref in known if ref() is not handler]


def in_child_of_multiprocessing() -> bool:
    """Which ends without logging.shutdown()."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def _before_fork() -> None:
    """Nobody writes while the process forks: half a record in a stream's buffer would be written twice."""
    each(_live, _hold)


def _hold(pipeline: _Pipeline) -> None:
    handler: Any = pipeline.handler()
    if handler is not None and pipeline.account()["in_flight"]:
        # A thread that forks while somebody keeps the lock for so long forks as with the stdlib.
        pipeline.held_for_fork = pipeline.take_lock(handler, 1.0)
        if pipeline.held_for_fork and threads_are_green():
            time.sleep(0)  # the hub has done with the lock, too: a child has a copy of the hub


def _after_fork_in_parent() -> None:
    each(_live, _let_go)


def _let_go(pipeline: _Pipeline) -> None:
    if pipeline.held_for_fork:
        pipeline.held_for_fork = False
        handler: Any = pipeline.handler()
        if handler is not None:
            pipeline.give_lock(handler)


def _after_fork_in_child() -> None:
    """What is queued is the parent's. logging has made the handlers' locks new already."""
    each(_live, _begin_anew)


def _begin_anew(pipeline: _Pipeline) -> None:
    for descriptor in pipeline.queue.leak():
        with contextlib.suppress(OSError):
            os.close(descriptor)
    if pipeline.handler() is not None:  # else its worker, which the child does not have, was about to end
        pipeline.renew()
