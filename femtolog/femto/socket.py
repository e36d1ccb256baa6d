"""FemtoSocketHandler: records as frames of MessagePack or CBOR to a peer, sent by a thread that runs no Python; and its builder.

Whoever logs makes the frame and puts it on a queue. What goes on from there (connecting, TLS, backoff, the account of each record) is
native/core/src/transport; what is in a frame, native/core/src/wire.
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
from femtolog.errors import HandlerConfigError, HandlerIOError
from femtolog.femto import formatting
from femtolog.femto.builders import HandlerBuilder
from femtolog.femto.levels import femto_name
from femtolog.femto.options import CLOSE_TIMEOUT, BackoffConfig, policy_text, positive
from femtolog_compat import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from femtolog._native import PeerSender, _SenderAccount
    from femtolog.femto.options import OverflowPolicy

FLUSH_AFTER = 1.0
"""Seconds that flush() waits unless told otherwise."""

QUEUE_BYTES = 64 << 20
"""Bytes of frames that a queue holds at most."""

_TLS_KEYS = ("domain", "insecure", "ca_file", "cert_file", "key_file")

_live: weakref.WeakSet[FemtoSocketHandler] = weakref.WeakSet()


class FemtoSocketHandler(logging.Handler):
    """Sends records to `host`:`port`, or to a socket in the file system, as frames: four bytes of length, the highest first, and a map.

    The map has the keys `logger`, `level`, `message`, `timestamp_ns`, `filename`, `line_number`, `module_path`, `thread_id`, `thread_name` and
    `key_values`; `wire_format` says whether it is MessagePack ("msgpack") or CBOR ("cbor"). The message is what a formatter makes of the
    record if one is set, without one the message alone. Payloads larger than `max_frame_size` bytes are dropped; with `truncate` their
    message is cut.

    `tls` is True or a dict of `domain` (the name in the peer's certificate; the host's without it), `insecure` (any certificate does), `ca_file`
    (who is trusted instead of the system's), `cert_file` and `key_file` (who this side is), all PEM. HandlerConfigError, a ValueError, for
    settings that cannot be; TypeError for values of the wrong type. Nothing is connected before the first record.

    Examples:
        >>> import logging
        >>> from femtolog.femto import FemtoSocketHandler, get_logger
        >>> from femtolog.server import LogServer
        >>> with LogServer(logging.NullHandler(), tcp=("127.0.0.1", 0)) as server:
        ...     handler = FemtoSocketHandler(*server.addresses["tcp"])
        ...     get_logger("shop").add_handler(handler)
        ...     line = get_logger("shop").info("open")
        ...     handler.close()
        >>> handler.stats()["written"]
        1
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 9020,
        *,
        unix_path: str | os.PathLike[str] | None = None,
        capacity: int = 1024,
        policy: str | OverflowPolicy = "drop",
        connect_timeout_ms: int = 5000,
        write_timeout_ms: int = 1000,
        max_frame_size: int = 1 << 20,
        truncate: bool = False,
        wire_format: str = "msgpack",
        tls: bool | Mapping[str, Any] | None = None,
        tls_domain: str | None = None,
        tls_insecure: bool | None = None,
        backoff: BackoffConfig | Mapping[str, int] | None = None,
        backoff_base_ms: int | None = None,
        backoff_cap_ms: int | None = None,
        backoff_reset_after_ms: int | None = None,
        backoff_deadline_ms: int | None = None,
    ) -> None:
        times = [positive("connect_timeout_ms", connect_timeout_ms), positive("write_timeout_ms", write_timeout_ms)]
        given = {
            "base_ms": backoff_base_ms,
            "cap_ms": backoff_cap_ms,
            "reset_after_ms": backoff_reset_after_ms,
            "deadline_ms": backoff_deadline_ms,
        }
        times += _backoff(backoff, {key: value for key, value in given.items() if value is not None}).as_dict().values()
        chosen_tls = _tls(tls, tls_domain, tls_insecure)
        self.target = _address(host, port) if unix_path is None else (os.fsdecode(unix_path), None)
        if chosen_tls is not None and unix_path is not None:
            raise HandlerConfigError(f"tls is for TCP only, got unix_path={self.target[0]!r}")
        policy_name, self._wait = _enqueue._policy(policy_text(policy))  # noqa: SLF001 - the one reader of policies
        native = _native.load()
        native.know_framed(FemtoSocketHandler.handle, FemtoSocketHandler.emit, FemtoSocketHandler._fields)
        try:
            self._sender: PeerSender = native.PeerSender(
                self.target,
                queue=(positive("capacity", capacity), QUEUE_BYTES, policy_name),
                format=_wire_format(wire_format),
                max_frame_size=positive("max_frame_size", max_frame_size),
                truncate=bool(truncate),
                milliseconds=times,
                tls=chosen_tls,
            )
        except ValueError as error:
            raise HandlerConfigError(f"tls cannot be used: {error}") from None
        super().__init__()
        self._told = _Told()
        _register()
        _live.add(self)

    # ---- the caller's side

    # For most records native code does what follows, see native/py/src/handler/framed.rs.

    def handle(self, record: logging.LogRecord) -> Any:
        """Filters the record and puts its frame on the queue. No lock is held meanwhile: the queue is everybody's."""
        passed = self.filter(record)
        if sys.version_info >= (3, 12) and isinstance(passed, logging.LogRecord):
            record = passed
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        """Puts the record's frame on the queue. What goes wrong goes to handleError(), and the record counts as failed."""
        sender = self._sender
        try:
            fields = self._fields(record)
            protected = (record.levelno or 0) >= logging.ERROR  # makeLogRecord({}) has no level
        except Exception as error:
            sender.unread()
            if isinstance(error, RecursionError):
                raise
            self.handleError(record)
            return
        try:
            try:
                outcome = sender.send(fields, protected, self._wait)
            except (OSError, TypeError, OverflowError) as error:
                raise HandlerIOError(f"the record cannot be sent: {error}") from error
        except Exception:  # noqa: BLE001 - as every emit of the stdlib
            self.handleError(record)
            return
        if outcome or sender.is_due():
            self._told.tell(self)

    def _fields(self, record: logging.LogRecord) -> tuple[object, ...]:
        own = formatting._OWN  # noqa: SLF001 - what a record has of itself
        return (
            str(record.name),
            femto_name(str(record.levelname)),
            record.getMessage() if self.formatter is None else self.format(record),
            max(0, round(record.created * 1e9)),
            str(record.pathname),
            record.lineno or 0,
            str(record.module),
            str(record.thread),
            record.threadName,
            [(key, str(value)) for key, value in vars(record).items() if key not in own],
        )

    # ---- flush, close, account

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override]
        """Waits, for a second unless told otherwise, until everything logged before is written to the socket.

        True only if all of it was: False after the time, for a closed handler, and if a record has failed, or was dropped because the peer
        was away for too long, since the last flush.
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
        """Sends what is queued, for five seconds at most, and ends the connection; what is left then is dropped and counted.

        Where the peer is away, one last attempt is made and no time lost. Idempotent, from any thread. What is logged later is dropped and counted.
        """
        try:
            self._sender.close(CLOSE_TIMEOUT)
        finally:
            super().close()
            self._told.tell(self, now=True)

    def stats(self) -> _SenderAccount:
        """What became of the records: emitted = written + failed + dropped + in_flight, and why they were dropped; whether the peer is
        `connected`, how many `connections` were made, and the last `error` of one."""
        return self._sender.account()

    def __repr__(self) -> str:
        host, port = self.target
        return f"<{type(self).__name__} {host if port is None else f'{host}:{port}'} ({logging.getLevelName(self.level)})>"

    def _in_child(self) -> None:
        """An empty queue, and no connection: those of the parent are the parent's."""
        inherited, self._sender = self._sender, self._sender.renewed()
        descriptor = inherited.leave_to_parent()
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._told = _Told()


class _Told:
    """What sys.stderr, and those who flush, have been told of a handler's losses."""

    def __init__(self) -> None:
        self.silent_until = 0.0
        self.drops = 0
        self.lost = 0

    def tell(self, handler: FemtoSocketHandler, *, now: bool = False) -> None:
        """Says how many records were dropped since the last time, at most every few seconds."""
        moment = time.monotonic()
        handler._sender.look_again_after(_enqueue.WARN_EVERY)  # noqa: SLF001
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

    def nothing_lost(self, handler: FemtoSocketHandler) -> bool:
        """Since it was asked last."""
        account = handler.stats()
        before, self.lost = self.lost, account["failed"] + account["dropped_by"]["deadline"]
        return self.lost == before


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
    for handler in list(_live):
        handler._in_child()  # noqa: SLF001


def _before_exit() -> None:
    for handler in list(_live):
        if not handler.stats()["error"]:  # else the peer is away
            handler.flush(CLOSE_TIMEOUT)


def _address(host: str, port: int) -> tuple[str, int | None]:
    if not isinstance(host, str) or not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"host and port must be a str and an int, got {host!r} and {port!r}")
    if not host or not 0 < port < 65536:
        raise HandlerConfigError(f"host must not be empty and port must be from 1 to 65535, got {host!r} and {port}")
    return host, port


def _wire_format(name: str) -> str:
    if name not in ("msgpack", "cbor"):
        raise HandlerConfigError(f"wire_format must be 'msgpack' or 'cbor', got {name!r}")
    return name


def _backoff(given: BackoffConfig | Mapping[str, int] | None, single: dict[str, int]) -> BackoffConfig:
    if given is not None and single:
        raise HandlerConfigError(f"backoff is given, and so is backoff_{next(iter(single))}: give one or the other")
    if isinstance(given, BackoffConfig):
        return given
    return BackoffConfig(single if given is None else given)


def _tls(
    tls: bool | Mapping[str, Any] | None, domain: str | None, insecure: bool | None
) -> tuple[str | None, bytes | None, tuple[bytes, bytes] | None, bool] | None:
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


class SocketHandlerBuilder(HandlerBuilder):
    """A FemtoSocketHandler; for TCP to localhost:9020 unless told otherwise.

    Examples:
        >>> from femtolog.femto import SocketHandlerBuilder
        >>> SocketHandlerBuilder().with_tcp("log.example.org", 9021).with_tls().build()
        <FemtoSocketHandler log.example.org:9021 (NOTSET)>
    """

    def __init__(self) -> None:
        super().__init__(
            transport="tcp",
            host="localhost",
            port=9020,
            tls=False,
            connect_timeout_ms=5000,
            write_timeout_ms=1000,
            max_frame_size=1 << 20,
            truncate=False,
            format="msgpack",
        )
        self._address_told = False
        self._tls: dict[str, Any] | None = None
        self._backoff = BackoffConfig()

    def with_tcp(self, host: str, port: int) -> Self:
        """The peer's address. HandlerConfigError if there is a path."""
        if "path" in self._told:
            raise HandlerConfigError(f"TCP and a path exclude each other, got {host!r} and {self._told['path']!r}")
        self._told["host"], self._told["port"] = _address(host, port)
        self._address_told = True
        return self

    def with_unix_path(self, path: str | os.PathLike[str]) -> Self:
        """The peer's socket in the file system. HandlerConfigError if there is an address, or TLS."""
        if self._address_told or self._tls is not None:
            other = f"{self._told['host']}:{self._told['port']}" if self._address_told else "TLS"
            raise HandlerConfigError(f"a path excludes TCP and TLS, got {os.fsdecode(path)!r} and {other}")
        del self._told["host"], self._told["port"]
        self._told |= {"transport": "unix", "path": os.fsdecode(path)}
        return self

    def with_connect_timeout_ms(self, milliseconds: int) -> Self:
        """How long an attempt to connect may take."""
        return self._tell("connect_timeout_ms", positive("connect_timeout_ms", milliseconds))

    def with_write_timeout_ms(self, milliseconds: int) -> Self:
        """For how long the peer may take nothing before the connection is given up."""
        return self._tell("write_timeout_ms", positive("write_timeout_ms", milliseconds))

    def with_max_frame_size(self, size: int) -> Self:
        """Bytes that a payload has at most."""
        return self._tell("max_frame_size", positive("max_frame_size", size))

    def with_truncate(self, truncate: bool = True) -> Self:
        """The message of a record that is too large is cut, and the record not dropped."""
        return self._tell("truncate", bool(truncate))

    def with_format(self, wire_format: str) -> Self:
        """How a record is encoded: "msgpack" or "cbor"."""
        return self._tell("format", _wire_format(wire_format))

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
        _tls(tls, None, None)
        self._tls = tls
        self._told |= {"tls": True, "tls_domain": domain, "tls_insecure": insecure}
        return self

    def with_backoff(self, config: BackoffConfig | Mapping[str, int]) -> Self:
        """How long to wait between attempts."""
        self._backoff = _backoff(config, {})
        return self

    def as_dict(self) -> dict[str, Any]:
        """What it was told, and the defaults of the rest."""
        return super().as_dict() | {f"backoff_{key}": value for key, value in self._backoff.as_dict().items()}

    def _make(self) -> FemtoSocketHandler:
        told = self._told
        return FemtoSocketHandler(
            told.get("host", "localhost"),
            told.get("port", 9020),
            unix_path=told.get("path"),
            capacity=told["capacity"],
            policy=told["overflow_policy"],
            connect_timeout_ms=told["connect_timeout_ms"],
            write_timeout_ms=told["write_timeout_ms"],
            max_frame_size=told["max_frame_size"],
            truncate=told["truncate"],
            wire_format=told["format"],
            tls=self._tls,
            backoff=self._backoff,
        )
