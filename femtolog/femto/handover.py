"""What becomes of handlers that a configuration has replaced: what they have queued is written, and they are closed.

Two handlers that write to one file at once would rename it under each other. So a new handler for the file of an old one is held by its own
lock: its queue takes what is logged, and nothing is written before the old one has written its last record and closed the file.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import sys
import threading
import time

from femtolog import _enqueue
from femtolog.errors import HandlerConfigError
from femtolog.femto.options import CLOSE_TIMEOUT
from femtolog.files._managed import Managed
from femtolog.files._steady import Steady

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Self

AWAY = 1.0
"""Seconds for which a peer that is not connected is waited for, beside those that close() takes."""

TAKEN_WITHIN = 1.0
"""Seconds after which a new handler that was given as it is, and is writing already, is not held; and those for which an old one's lock is
waited for while the new one is held: who has the old one may be waiting for the new one."""


class _Turn:
    """Configurations are put in force one after the other, with the end of what they replace: what the first holds may be an old one of the
    second."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.lock = threading.RLock()  # a sink may configure


_turn = _Turn()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turn.renew)


class Succession:
    """New handlers that go on with files of old ones: in a `with` block, for which a thread waits until those of other threads have ended.

    What is held is let go at its end at the latest. It is begun without logging's own lock, which others need to close handlers: who has
    that all the same waits for some seconds only.
    """

    def __init__(self) -> None:
        self._heirs: list[tuple[Any, Any]] = []  # old and new
        self._held = contextlib.ExitStack()
        self._revived: list[logging.Handler] = []
        self._turn = contextlib.ExitStack()

    def __enter__(self) -> Self:
        lock = _turn.lock  # a forked child has another one
        is_owned = getattr(logging._lock, "_is_owned", None)  # type: ignore[attr-defined]  # noqa: SLF001 - no other way to ask
        if _take(lock, CLOSE_TIMEOUT if is_owned is not None and is_owned() else -1):
            self._turn.callback(lock.release)
        return self

    def __exit__(self, *_: object) -> None:
        with self._turn:
            self._held.close()
            retire(self._revived)  # the configuration has failed

    def revive(self, handler: Any) -> None:
        """Opens a closed handler again, so that a configuration can put it in force: its queue is a new one, and its file is opened to append.

        HandlerConfigError if that cannot be: it sends to a peer, or its sink hangs yet.
        """
        if not is_closed(handler):
            return
        pipeline = _pipeline_of(handler)
        if pipeline is None:
            raise HandlerConfigError(f"{handler!r} is closed, and cannot be used again")
        _renew(handler, pipeline)
        self._revived.append(handler)

    def put_in_force(self, handlers: Iterable[Any]) -> None:
        """Nothing fails any more. Records of handlers that have been replaced before are their own."""
        for handler in handlers:
            _back_in_force(handler)
        self._revived.clear()

    def hold(self, old: Iterable[logging.Handler], new: Iterable[logging.Handler]) -> None:
        """Holds each new handler whose file an old one writes to: to be called before any record comes to it.

        Its own opening of the file was to see whether that is possible. It opens it once more, to append, for its first record.
        """
        left = list(old)
        heir: Any
        for heir in new:
            before = [one for one in left if same_file(one, heir)]
            pipeline = _pipeline_of(heir)
            lock = heir.lock or (None if pipeline is None else pipeline.turn)
            if not before or lock is None or not _take(lock, TAKEN_WITHIN):
                continue
            self._held.callback(lock.release)
            heir.mode = "a"  # one that was given as it is may have emptied the file already
            with contextlib.suppress(OSError):
                _close_file(heir)
            self._heirs += [(one, heir) for one in before]
            left = [one for one in left if not same_file(one, heir)]

    def swap(self, swaps: Iterable[tuple[logging.Handler, logging.Handler]]) -> None:
        """Old and new handlers of one id: what still comes to an asynchronous old one goes to the new one."""
        for old, new in swaps:
            _send_on(old, new)

    def retire(self, handlers: list[logging.Handler]) -> None:
        """Writes what these have queued, for as long as that goes on, and closes them; an error in that is told on sys.stderr.

        A sink that hangs is left after some seconds: what is queued for it then is dropped, counted and told. What its worker has in hand it
        may still write.
        """
        pairs = [pair for pair in self._heirs if any(pair[0] is handler for handler in handlers)]
        left = [pair for pair in pairs if _attempt(pair[0], _hand_over, *pair) is False]
        self._held.close()
        # The heir writes now. Who has waited for it in the old one's `emit` may have done with that.
        hung = [
            old for old, heir in left if _pipeline_of(old) is None and not _attempt(old, _send_away, old, heir, CLOSE_TIMEOUT)
        ]
        for old in hung:
            _attempt(old, _close_later, old)
        retire([handler for handler in handlers if not any(old is handler for old in hung)])


def retire(handlers: Iterable[logging.Handler]) -> None:
    """The same for handlers without successors."""
    for handler in handlers:
        if _pipeline_of(handler) is None:
            if not _take(handler.lock, CLOSE_TIMEOUT):
                _attempt(handler, _close_later, handler)
                continue
            _give(handler.lock)
        if _attempt(handler, _drain, handler) is not False:
            _attempt(handler, handler.flush)
        # What a thread that is logging right now still brings, it writes itself.
        pipeline = _pipeline_of(handler)
        if pipeline is not None and pipeline.heir is None:
            pipeline.heir = _Nobody(pipeline)
        if isinstance(handler, logging.FileHandler):
            handler.mode = "a"
        _attempt(handler, handler.close)
        if pipeline is not None and pipeline.close_later and isinstance(pipeline.heir, _Nobody):
            pipeline.heir = None  # who wrote would hang, too
        if pipeline is not None and pipeline.close_later and pipeline.writing != threading.get_ident():
            _enqueue._say(  # noqa: SLF001 - as everywhere here
                f"{handler!r} is closed when its sink, which hangs, has written what is in hand: {pipeline.account()['in_flight']}"
            )


def same_file(one: logging.Handler, other: logging.Handler) -> bool:
    """Do both write to the file of one path?"""
    if not isinstance(one, logging.FileHandler) or not isinstance(other, logging.FileHandler):
        return False
    return _real(one.baseFilename) == _real(other.baseFilename)


def _send_on(old: Any, heir: logging.Handler) -> None:
    """A record that still comes to the old handler, when that is closed, goes to the new one."""
    pipeline = _pipeline_of(old)
    if pipeline is not None:
        pipeline.heir = _Heir(heir)


def _send_on_by_class(old: Any, heir: logging.Handler) -> None:
    """The same for a synchronous handler, whose lock the caller has. An `emit` of the instance would do, too, but native code makes way for
    all handlers of a class of which one has had that."""
    cls: Any = type(old)
    names = {"__slots__": (), "__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    sent = _Heir(heir)

    def emit(self: logging.Handler, record: logging.LogRecord) -> None:  # noqa: ARG001 - a method
        sent.handle(record)

    old.__class__ = type(cls)(cls.__name__, (cls,), {**names, "emit": emit, _REPLACED: cls})


def _back_in_force(handler: Any) -> None:
    pipeline = _pipeline_of(handler)
    if pipeline is not None:
        pipeline.heir = None
    elif _REPLACED in vars(type(handler)):
        handler.__class__ = getattr(handler, _REPLACED)


def is_closed(handler: Any) -> bool:
    """Does it take no records any more? Those that are no asynchronous ones do."""
    pipeline = _pipeline_of(handler)
    asked = getattr(getattr(handler, "_sender", None), "is_closed", None) if pipeline is None else pipeline.queue.is_closed
    return asked is not None and bool(asked())


def _renew(handler: Any, pipeline: _enqueue._Pipeline) -> None:
    """Everything of the old queue is written or dropped, and its worker about to end: it must have done so."""
    until = time.monotonic() + CLOSE_TIMEOUT
    while (worker := pipeline.worker) is True or (worker and worker.is_alive()):
        if pipeline.close_later or worker is threading.current_thread() or time.monotonic() >= until:
            raise HandlerConfigError(f"{handler!r} is closed, and its sink hangs")
        if worker is True:
            time.sleep(_enqueue.GREEN_TURN)
        else:
            worker.join(_enqueue.SLICE)
    if pipeline.close_later or not pipeline.take_lock(handler, CLOSE_TIMEOUT):
        raise HandlerConfigError(f"{handler!r} is closed, and its sink hangs")
    turn = pipeline.turn
    try:
        pipeline.renew()
        pipeline.turn = turn  # which we have, if the handler has no lock
        if isinstance(handler, logging.FileHandler):
            handler.mode = "a"
        if isinstance(handler, Steady):
            handler._forget()  # noqa: SLF001 - of the package
        if isinstance(handler, Managed):
            handler._buffering = handler._settings.buffering  # noqa: SLF001 - of which close() lets nothing wait
        if pipeline.spilling is not None:
            from femtolog._spill import _owners

            _owners.pop(handler, None)  # it has been the owner, and is not closed now
            try:
                pipeline.spilling.open(handler, pipeline)
            except BaseException:
                pipeline.queue.close()
                raise
    finally:
        pipeline.give_lock(handler)


_REPLACED = "_femtolog_replaced"
"""In the class that a synchronous handler which was replaced gets: the one it had."""


class _Heir:
    """A handler that asks for the level itself."""

    def __init__(self, handler: logging.Handler) -> None:
        self.handler = handler

    def handle(self, record: logging.LogRecord) -> Any:
        return record.levelno >= self.handler.level and self.handler.handle(record)


class _Nobody:
    """The heir of a handler that has none: who still brings a record writes it, past the queue, and closes the file again."""

    def __init__(self, pipeline: _enqueue._Pipeline) -> None:
        self.pipeline = pipeline

    def handle(self, record: logging.LogRecord) -> Any:
        handler: Any = self.pipeline.handler()
        passed = handler.filter(record)
        if sys.version_info >= (3, 12) and isinstance(passed, logging.LogRecord):
            record = passed
        offered = self.pipeline.prepared(handler, record) if passed else None
        if offered is not None:
            handler.acquire()
            try:
                self.pipeline.emit_directly(handler, offered[0])
                if isinstance(handler, logging.FileHandler) and self.pipeline.writing != threading.get_ident():
                    _end(handler, lambda: self.pipeline.cls.flush(handler))
            finally:
                handler.release()
        return passed


def _pipeline_of(handler: object) -> _enqueue._Pipeline | None:
    found = getattr(handler, _enqueue.ATTRIBUTE, None)
    return found if isinstance(found, _enqueue._Pipeline) else None  # noqa: SLF001 - the other user of its methods


def _hand_over(old: Any, heir: Any) -> bool:
    """Ends the old handler, whose heir is held. False, with nothing done, if its sink hangs.

    Nothing here takes logging's own lock, whose holder may wait for the heir's: the handler itself is closed later.
    """
    pipeline = _pipeline_of(old)
    if pipeline is None:
        if not _send_away(old, heir, TAKEN_WITHIN):
            return False
    elif _drain(old) and pipeline.take_lock(old, pipeline.timeout):
        try:
            _send_on(old, heir)
            pipeline.queue.close()
            while pipeline.write_some(old):
                pass
            pipeline.queue.close_spill()
            _end(old, lambda: pipeline.cls.flush(old))
        finally:
            pipeline.give_lock(old)
    else:
        return False
    if isinstance(heir, logging.handlers.TimedRotatingFileHandler):
        # The old one may have begun a new file since; a second time for the same moment would replace the backup.
        with contextlib.suppress(OSError):
            heir.rolloverAt = heir.computeRollover(int(os.stat(heir.baseFilename).st_mtime))
    return True


def _send_away(old: Any, heir: Any, timeout: float) -> bool:
    """Ends a synchronous handler. False if a thread has its lock for all of these seconds."""
    lock = old.lock
    if not _take(lock, timeout):
        return False
    try:
        _end(old, old.flush)
        _attempt(old, _send_on_by_class, old, heir)
    finally:
        _give(lock)
    return True


def _end(old: Any, flush: Any) -> None:
    """Closes the old handler's file, whose lock the caller has."""
    _attempt(old, flush)
    _attempt(old, _close_file, old)


def _close_later(handler: Any) -> None:
    """A synchronous handler in whose sink a thread hangs: a thread of its own closes it should that come back."""

    def close() -> None:
        handler.acquire()
        handler.release()
        _attempt(handler, handler.flush)
        _attempt(handler, handler.close)

    threading.Thread(target=close, name="femtolog-close", daemon=True).start()
    _enqueue._say(f"{handler!r} is closed when its sink, which hangs, has written what is in hand: 1")  # noqa: SLF001 - as below


def _take(lock: Any, timeout: float) -> bool:
    """Takes a lock that a handler has, if it has one. Not without end: who has it may be waiting for one that we have."""
    if lock is None:
        return True
    try:
        return bool(lock.acquire(timeout=timeout))
    except TypeError:  # somebody's lock that knows no timeouts
        return bool(lock.acquire())


def _give(lock: Any) -> None:
    if lock is not None:
        lock.release()


def _close_file(handler: Any) -> None:
    stream, handler.stream = handler.stream, None
    if stream is not None:
        stream.close()


def _drain(handler: Any) -> bool:
    """Waits until what is queued now is written, for as long as that goes on. Is it?"""
    pipeline = _pipeline_of(handler)
    if pipeline is not None:
        mark, done = pipeline.queue.mark(), pipeline.done()
        while not pipeline.wait_until(handler, mark, time.monotonic() + pipeline.timeout):
            before, done = done, pipeline.done()
            if done == before:
                return False
        return True
    stats = getattr(handler, "stats", None)
    if not callable(stats) or not hasattr(handler, "aflush"):
        return True  # it writes when it is called
    wanted = stats()["emitted"]
    while True:
        account = stats()
        done = account["emitted"] - account["in_flight"]
        if done >= wanted:
            return True
        handler.flush(CLOSE_TIMEOUT if account.get("connected", True) else AWAY)
        account = stats()
        if account["emitted"] - account["in_flight"] == done:
            return False


def _attempt(handler: logging.Handler, step: Any, *arguments: Any) -> Any:
    """A handler that fails must not keep others from being closed."""
    try:
        return step(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever a handler of the program's raises
        with contextlib.suppress(Exception):  # of a repr()
            _enqueue._say(f"{handler!r} could not be flushed and closed: {error!r}")  # noqa: SLF001
        return None


def _real(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))
