"""What handlers have that send records to a peer, by a thread that runs no Python: FemtoSocketHandler and FemtoHTTPHandler; and their builders.

Whoever logs makes what is to be sent and puts it on a queue. What goes on from there (connecting, TLS, backoff, the account of each record) is
native/core/src/transport.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
import weakref

from femtolog import _enqueue
from femtolog._live import each
from femtolog.errors import HandlerConfigError, HandlerIOError
from femtolog.femto.aside import Aside
from femtolog.femto.builders import HandlerBuilder
from femtolog.femto.handlers import made_by_hand
from femtolog.femto.options import CLOSE_TIMEOUT, QUEUE_BYTES, BackoffConfig, byte_limit, policy_text, positive
from femtolog_compat import load_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Self

    from femtolog._callbacks import PeerCallbacks
    from femtolog._native import PeerSender, _Protocol, _SenderAccount, _TlsOptions
    from femtolog.femto.options import OverflowPolicy

FLUSH_AFTER = 1.0
"""Seconds that flush() waits unless told otherwise."""

_TLS_KEYS = ("domain", "insecure", "ca_file", "cert_file", "key_file")

_live: weakref.WeakSet[PeerHandler] = weakref.WeakSet()


class PeerHandler(logging.Handler):
    """Puts on a queue what _items() makes of a record; a thread sends it to `target`. Nothing is connected before the first record."""

    def __init__(
        self,
        target: tuple[str, int | None],
        protocol: _Protocol,
        tls: _TlsOptions | None,
        *,
        capacity: int,
        policy: str | OverflowPolicy,
        connect_timeout_ms: int,
        write_timeout_ms: int,
        backoff: BackoffConfig,
        fallback: logging.Handler | str | os.PathLike[str] | None = None,
        replay: bool = False,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max: str | int = _enqueue.SPILL_MAX,
        numbered: bool = False,
        capacity_bytes: int = QUEUE_BYTES,
        on_error: Callable[[BaseException, int], object] | None = None,
        on_drop: Callable[[str, int], object] | None = None,
    ) -> None:
        self.target = target
        self._callbacks: PeerCallbacks | None = None
        if on_error is not None or on_drop is not None:
            from femtolog._callbacks import PeerCallbacks

            self._callbacks = PeerCallbacks(on_error, on_drop, self)
        self._boot_id = _boot_id() if numbered else None
        self._aside = Aside(fallback, bool(replay), spool_dir, spool_max, policy_text(policy), read=self._reader())
        policy_name, self._wait = _enqueue._policy(policy_text(policy))  # noqa: SLF001 - the one reader of policies
        times = [positive("connect_timeout_ms", connect_timeout_ms), positive("write_timeout_ms", write_timeout_ms)]
        try:
            self._sender: PeerSender = load_native().PeerSender(
                target,
                protocol,
                queue=(positive("capacity", capacity), byte_limit(capacity_bytes), policy_name),
                milliseconds=[*times, *backoff.as_dict().values()],
                tls=tls,
                aside=(self._aside.spool(), self._aside.fallback is not None),
                boot_id=self._boot_id,
            )
        except ValueError as error:
            raise HandlerConfigError(str(error)) from None
        super().__init__()
        self._aside.begin(self, self._sender)
        self._told = _Told()
        _register()
        _live.add(self)

    def _items(self, record: logging.LogRecord) -> Iterable[object]:
        """What is to be sent for the record, as the sender takes it; one item unless a subclass says otherwise."""
        raise NotImplementedError

    def _reader(self) -> Callable[[bytes], logging.LogRecord]:
        """What makes a record of an item again, for the fallback."""
        raise NotImplementedError

    # ---- the caller's side

    def handle(self, record: Any, *by_hand: Any) -> Any:
        """Filters the record and puts what is sent for it on the queue. No lock is held meanwhile: the queue is everybody's.

        As femto's other handlers it also takes handle(logger, level, message), by hand. It raises RuntimeError then if the record is
        dropped, because there is no room or it is too large, or the handler is closed; a record of a logger is counted as dropped.
        """
        if by_hand:
            return self._by_hand(record, *by_hand)
        passed = self.filter(record)
        if sys.version_info >= (3, 12) and isinstance(passed, logging.LogRecord):
            record = passed
        if passed:
            self.emit(record)
        return passed

    def _by_hand(self, *arguments: Any) -> Any:
        passed, record = made_by_hand(self, arguments, is_closed=self._sender.is_closed())
        if not passed:
            return passed
        if getattr(self.emit, "__func__", None) is not PeerHandler.emit:
            self.emit(record)  # a subclass's, which may send something else
        elif outcome := self._put(record):
            is_closed = outcome & _enqueue.CLOSED
            raise RuntimeError(f"{self!r} is closed" if is_closed else f"{self!r} has no room for the record: it is dropped")
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        """Puts what is sent for the record on the queue. What goes wrong goes to handleError(), and the record counts as failed."""
        self._put(record)

    def _put(self, record: logging.LogRecord) -> int:
        """emit(). 0 unless the record, or a part of what is sent for it, is dropped."""
        sender = self._sender
        try:
            items = self._items(record)
            protected = (record.levelno or 0) >= logging.ERROR  # makeLogRecord({}) has no level
        except Exception as error:
            sender.unread()
            if isinstance(error, RecursionError):
                raise
            self._fail(record)
            return 0
        outcome = 0
        try:
            for item in items:
                try:
                    outcome |= sender.send(item, protected, self._wait)
                except (OSError, TypeError, OverflowError) as error:
                    raise HandlerIOError(f"the record cannot be sent: {error}") from error
        except Exception:  # noqa: BLE001 - as every emit of the stdlib
            self._fail(record)
            return 0
        if outcome or sender.is_due():
            self._told.tell(self)
        return outcome

    def _fail(self, record: logging.LogRecord) -> None:
        """There is an exception, because of which the record counts as failed."""
        if self._callbacks is not None:
            self._callbacks.failure()
            self._callbacks.watch()
        self.handleError(record)

    # ---- flush, close, account

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override]
        """Waits, for a second unless told otherwise, until everything logged before is written to the socket; by HTTP, answered with 2xx.

        True only if all of it was: False after the time, for a closed handler, and if since the last flush a record has failed, was too large,
        refused by the peer, dropped because the peer was away for too long, or has made room for another one. What the fallback has got counts
        as failed.
        """
        closed = self._sender.is_closed()
        done = self._sender.flush(FLUSH_AFTER if timeout is None else timeout)
        self._told.tell(self)
        return self._told.nothing_lost(self) and done and not closed

    async def aflush(self, timeout: float | None = None) -> bool:
        """flush() for a coroutine: waits in a thread of the loop's executor."""
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(None, self.flush, timeout)

    def close(self) -> None:
        """Sends what is queued, for five seconds at most, and ends the connection; what is left then stays in the spool, goes to the fallback,
        or is dropped and counted. A fallback gets five seconds more; what it has not got then is counted as `fallback_lost`, and told on sys.stderr.

        Where the peer is away, one last attempt is made and no time lost. Idempotent, from any thread. What is logged later is dropped and counted.
        """
        try:
            self._sender.close(CLOSE_TIMEOUT)
            self._aside.end(self, self._sender, CLOSE_TIMEOUT)
        finally:
            super().close()
            self._told.tell(self, now=True)
            if self._callbacks is not None:
                self._callbacks.tell_now()

    def stats(self) -> _SenderAccount:
        """What became of the records: emitted = written + failed + dropped + in_flight, and why they were dropped; how many of those that
        failed the `fallback` has got, and how many it has not because close() did not wait any longer (`fallback_lost`); whether the peer
        is `connected`, how many `connections` were made, and the last `error`,
        empty as soon as the peer has taken something again; `bytes_written` to it, before compression. `callbacks_raised`: so often
        `on_error` and `on_drop`, if there are any, have raised something."""
        account = self._sender.account()
        account["fallback_lost"] = self._aside.turn.lost
        if self._callbacks is not None:
            account["callbacks_raised"] = self._callbacks.raised
        return account

    def numbers(self) -> tuple[str, int] | None:
        """The `boot_id` of this handler in this process and the last `seq` that was given; None where records are not numbered.

        Each record that `stats()` counts as emitted has a number, but those that an earlier process had left in the spool have their own.
        """
        return self._sender.numbers()

    def _in_child(self) -> None:
        """An empty queue, numbers of its own, and no connection: those of the parent are the parent's."""
        if self._boot_id is not None:
            self._boot_id = _boot_id()
        inherited, self._sender = self._sender, self._sender.renewed(self._boot_id)
        for descriptor in inherited.leave_to_parent():
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._aside.watch(self, self._sender)
        self._told = _Told()
        if self._callbacks is not None:
            self._callbacks.renew()


class _Told:
    """What sys.stderr, and those who flush, have been told of a handler's losses."""

    def __init__(self) -> None:
        self.silent_until = 0.0
        self.drops = 0
        self.lost = 0

    def tell(self, handler: PeerHandler, *, now: bool = False) -> None:
        """Says how many records were dropped since the last time, at most every few seconds."""
        moment = time.monotonic()
        handler._aside.start(handler._sender)  # noqa: SLF001
        handler._sender.look_again_after(_enqueue.WARN_EVERY)  # noqa: SLF001
        if handler._callbacks is not None:  # noqa: SLF001
            handler._callbacks.watch()  # noqa: SLF001
        if moment < self.silent_until and not now:
            return
        account = handler.stats()
        more = account["dropped"] - self.drops
        if more > 0 and logging.raiseExceptions and sys.stderr is not None:
            self.silent_until, self.drops = moment + _enqueue.WARN_EVERY, account["dropped"]
            reasons = ", ".join(f"{name} {count}" for name, count in account["dropped_by"].items() if count)
            why = f"; {account['error']}" if account["error"] else ""
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"femtolog: {handler!r} has dropped {more} more records (in all: {reasons}){why}\n")

    def nothing_lost(self, handler: PeerHandler) -> bool:
        """Since it was asked last."""
        before, self.lost = self.lost, handler._sender.lost()  # noqa: SLF001
        return self.lost == before


def _boot_id() -> str:
    return os.urandom(16).hex()


_registered = False


def _register() -> None:
    global _registered
    if _registered:
        return
    _registered = True
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork_in_child)
    # logging.shutdown() closes handlers, but a child of multiprocessing ends without it.
    before_threads_end = getattr(threading, "_register_atexit", None)
    if before_threads_end is not None:
        with contextlib.suppress(RuntimeError):  # at the end of the interpreter
            before_threads_end(_before_exit)


def _after_fork_in_child() -> None:
    each(_live, lambda handler: handler._in_child())  # noqa: SLF001


def _before_exit() -> None:
    each(_live, _end, at_exit=True)


def _end(handler: PeerHandler) -> None:
    account = handler.stats()
    if account["connected"] or not account["error"]:  # else the peer is away
        handler.flush(CLOSE_TIMEOUT)
    if handler._aside.is_used() and _enqueue.in_child_of_multiprocessing():  # noqa: SLF001
        handler.close()  # nobody else will


def backoff_of(
    given: BackoffConfig | Mapping[str, int] | None,
    base_ms: int | None = None,
    cap_ms: int | None = None,
    reset_after_ms: int | None = None,
    deadline_ms: int | None = None,
) -> BackoffConfig:
    """The settings, told at once or one by one."""
    every = {"base_ms": base_ms, "cap_ms": cap_ms, "reset_after_ms": reset_after_ms, "deadline_ms": deadline_ms}
    single = {key: value for key, value in every.items() if value is not None}
    if given is not None and single:
        raise HandlerConfigError(f"backoff is given, and so is backoff_{next(iter(single))}: give one or the other")
    if isinstance(given, BackoffConfig):
        return given
    return BackoffConfig(single if given is None else given)


def tls_of(tls: bool | Mapping[str, Any] | None, domain: str | None, insecure: bool | None) -> _TlsOptions | None:
    """The settings as the sender takes them. HandlerConfigError for contradictions, TypeError for values of the wrong type."""
    if tls is not None and not isinstance(tls, bool | dict):
        raise TypeError(f"tls must be a bool or a dict, got {tls!r}")
    options = {"domain": domain, "insecure": insecure}
    if tls is False or tls is None:
        given = [f"tls_{name}" for name, value in options.items() if value not in (None, False)]
        if tls is False and given:
            raise HandlerConfigError(f"tls is False, but {given[0]} is given")
        if not given:
            return None
    elif isinstance(tls, dict):
        for key, value in tls.items():
            if key not in _TLS_KEYS:
                raise HandlerConfigError(f"unknown key of tls {key!r}; there are {', '.join(_TLS_KEYS)}")
            if options.get(key) is not None and options[key] != value:
                raise HandlerConfigError(f"tls[{key!r}] is {value!r}, but tls_{key} is {options[key]!r}")
            options[key] = value
    for key, value in options.items():
        kind = bool if key == "insecure" else str
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{key} of tls must be a {kind.__name__}, got {value!r}")
    if (options.get("cert_file") is None) != (options.get("key_file") is None):
        raise HandlerConfigError("cert_file and key_file of tls go together: one is missing")
    roots, certificates, key = (_content(options.get(name)) for name in ("ca_file", "cert_file", "key_file"))
    identity = (certificates, key) if certificates is not None and key is not None else None
    return options["domain"] or None, roots, identity, bool(options["insecure"])  # type: ignore[return-value]


def _content(path: Any) -> bytes | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise HandlerConfigError(f"{path!r} cannot be read: {error.strerror}") from error


class PeerHandlerBuilder(HandlerBuilder):
    """What the builders of handlers have that send to a peer."""

    MAY_SPILL = False  # they have a replay

    def __init__(self, **defaults: Any) -> None:
        super().__init__(connect_timeout_ms=5000, **defaults)
        self._tls: dict[str, Any] | None = None
        self._backoff = BackoffConfig()
        self._aside: dict[str, Any] = {}

    def with_connect_timeout_ms(self, milliseconds: int) -> Self:
        """How long an attempt to connect may take."""
        return self._tell("connect_timeout_ms", positive("connect_timeout_ms", milliseconds))

    def with_write_timeout_ms(self, milliseconds: int) -> Self:
        """For how long the peer may take nothing before the connection is given up; by HTTP, what a request and its answer may take."""
        return self._tell("write_timeout_ms", positive("write_timeout_ms", milliseconds))

    def with_tls(
        self,
        domain: str | None = None,
        *,
        insecure: bool = False,
        ca_file: str | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
    ) -> Self:
        """Encrypts, see FemtoSocketHandler. HandlerConfigError if there is a path."""
        if "path" in self._told:
            raise HandlerConfigError(f"a path excludes TLS, got {self._told['path']!r}")
        tls = {"domain": domain, "insecure": insecure, "ca_file": ca_file, "cert_file": cert_file, "key_file": key_file}
        tls_of(tls, None, None)
        self._tls = tls
        self._told |= {"tls": True, "tls_domain": domain, "tls_insecure": insecure}
        return self

    def with_backoff(self, config: BackoffConfig | Mapping[str, int]) -> Self:
        """How long to wait between attempts."""
        self._backoff = backoff_of(config)
        return self

    def with_fallback(self, fallback: logging.Handler | str | os.PathLike[str]) -> Self:
        """Who gets what is dropped otherwise because the peer is away for too long: a handler, or a file."""
        self._aside["fallback"] = fallback
        return self._tell("fallback", repr(fallback) if isinstance(fallback, logging.Handler) else os.fsdecode(fallback))

    def with_replay(self, spool_dir: str | os.PathLike[str], spool_max: str | int = _enqueue.SPILL_MAX) -> Self:
        """What cannot be sent waits there, and is sent in order when the peer is back."""
        self._aside |= {"replay": True, "spool_dir": spool_dir, "spool_max": spool_max}
        self._tell("spool_dir", os.fsdecode(spool_dir))
        return self._tell("spool_max", spool_max)

    def with_numbers(self) -> Self:
        """Records have a `boot_id` and a `seq`, for `python -m femtolog verify`."""
        return self._tell("numbered", True)

    def as_dict(self) -> dict[str, Any]:
        """What it was told, and the defaults of the rest."""
        return super().as_dict() | {f"backoff_{key}": value for key, value in self._backoff.as_dict().items()}

    def _common(self) -> dict[str, Any]:
        """What the handlers' constructors all take."""
        told = self._told
        return {
            "capacity": told["capacity"],
            "policy": told["overflow_policy"],
            "connect_timeout_ms": told["connect_timeout_ms"],
            "write_timeout_ms": told["write_timeout_ms"],
            "tls": self._tls,
            "backoff": self._backoff,
            "numbered": told.get("numbered", False),
            **self._aside,
            **self._rest(),
        }
