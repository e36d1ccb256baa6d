"""LogServer: takes records from other processes and gives them to handlers, or to the loggers of their names.

One thread reads all connections and handles all records. What arrives is untrusted: a payload is told apart by its first byte (the pickles
of logging.handlers.SocketHandler and DatagramHandler, the MessagePack and CBOR of femtolog.femto.FemtoSocketHandler), bounded, and counted as
what it was if it is no record. A pickle can run anything, so pickles are refused unless allowed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import pickle
import selectors
import socket
import sys
import threading
import time
import traceback

from femtolog.control import _Closing, _listen_at
from femtolog.errors import ConfigurationError
from femtolog_compat import load_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from femtolog._native import FrameReader, _Payload

__all__ = ["LogServer"]

READS_AT_THE_END = 64
"""So often a connection is read once more when the server is closed."""

LONGEST = 0xFFFF_FFFF
"""No frame can announce more bytes."""

CONNECTIONS = 512
"""How many a server has at most; more are ended at once."""

READ = 1 << 16
"""Bytes that are read at a time. A datagram is never larger."""

WARN_EVERY = 5.0
"""Seconds between two lines on sys.stderr about what was refused."""


@dataclasses.dataclass
class _Counts:
    records: int = 0  # handled
    refused: int = 0  # pickles that are not allowed
    garbage: int = 0  # payloads, or datagrams, that are no record
    oversize: int = 0  # lengths beyond the limit; the connection ended there
    half: int = 0  # connections that ended in the middle of a frame
    connections: int = 0  # accepted so far


class LogServer(_Closing):
    """Listens on TCP, on a socket in the file system, for datagrams, or on several of them, until it is closed.

    `handlers` is a handler or several, which get the records that their level lets through; without any, a record goes to the logger of its name
    in this process. `tcp` and `udp` are (host, port), with 0 for any free port, see `addresses`; `unix` is a path, where only this user may
    connect. Payloads have at most `max_frame_size` bytes. With `allow_pickle` whoever can connect can run code in this process.

    OSError if an address cannot be had; ConfigurationError, a ValueError, if there is none, or for a `max_frame_size` below 1; TypeError if that
    is no int. What a handler raises, SystemExit too, is told on sys.stderr, and the next record is taken. A forked child does not serve.

    Examples:
        >>> import logging, sys
        >>> from femtolog.femto import FemtoSocketHandler
        >>> from femtolog import LogServer
        >>> with LogServer(logging.StreamHandler(sys.stdout), tcp=("127.0.0.1", 0)) as server:
        ...     handler = FemtoSocketHandler(*server.addresses["tcp"])
        ...     handler.emit(logging.makeLogRecord({"name": "shop", "levelname": "INFO", "msg": "open"}))
        ...     handler.close()
        ...     server.wait_for(1)
        open
        True
    """

    def __init__(
        self,
        handlers: logging.Handler | Iterable[logging.Handler] | None = None,
        *,
        allow_pickle: bool = False,
        tcp: tuple[str, int] | None = None,
        unix: str | os.PathLike[str] | None = None,
        udp: tuple[str, int] | None = None,
        max_frame_size: int = 1 << 20,
    ) -> None:
        if tcp is None and unix is None and udp is None:
            raise ConfigurationError("give tcp, unix or udp: there is nothing to listen at")
        if not isinstance(max_frame_size, int) or isinstance(max_frame_size, bool):
            raise TypeError(f"max_frame_size must be an int, not {type(max_frame_size).__name__}")
        if max_frame_size < 1:
            raise ConfigurationError(f"max_frame_size must be at least 1, got {max_frame_size}")
        self._native = load_native()
        self._handlers = [handlers] if isinstance(handlers, logging.Handler) else list(handlers or ())
        self._allow_pickle = allow_pickle
        self._max_frame_size = min(max_frame_size, LONGEST)
        self._counts = _Counts()
        self._counted = threading.Condition()
        self._warned_at: float | None = None
        self._connections: dict[socket.socket, FrameReader] = {}
        self._selector = selectors.DefaultSelector()
        self._closed = False
        self._path: str | None = None
        self.addresses: dict[str, Any] = {}
        """Where it listens: (host, port) for "tcp" and "udp", a path for "unix"."""
        self._listening: list[socket.socket] = []
        self._waker, wakened = socket.socketpair()
        self._listen(wakened, lambda: None)
        try:
            if tcp is not None:
                self._accept_at("tcp", socket.create_server(tcp, family=_family(tcp), backlog=128))
            if unix is not None:
                self._path = os.path.abspath(os.fsdecode(unix))
                self._accept_at("unix", _listen_at(self._path))
            if udp is not None:
                datagrams = socket.socket(_family(udp), socket.SOCK_DGRAM)
                self._listen(datagrams, lambda: self._read_datagram(datagrams))
                datagrams.bind(udp)
                self.addresses["udp"] = datagrams.getsockname()[:2]
        except BaseException:
            self._close_all()
            raise
        # A join() that a signal handler interrupts believes afterwards that the thread has ended.
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="femtolog-server", daemon=True)
        self._process = os.getpid()
        self._thread.start()

    def close(self) -> None:
        """Handles what has arrived, up to 4 MiB of each connection, ends the connections and stops listening. Idempotent, from any thread."""
        self._closed = True
        if self._process != os.getpid():
            return
        with contextlib.suppress(OSError):
            self._waker.send(b"x")
        if threading.current_thread() is not self._thread:
            self._ended.wait()

    def stats(self) -> dict[str, int]:
        """How many `records` were handled and `connections` accepted; `refused` pickles, `garbage`, `oversize` payloads, `half` frames."""
        with self._counted:
            return dataclasses.asdict(self._counts)

    def wait_for(self, records: int, timeout: float = 10.0) -> bool:
        """Waits until so many records were handled since the server began; False if they were not, in so many seconds."""
        with self._counted:
            return self._counted.wait_for(lambda: self._counts.records >= records, timeout)

    def join(self) -> None:
        """Waits until the server is closed by somebody. A signal's handler runs within a second, Ctrl-C's too."""
        # One that comes just before the wait begins does not end it.
        while not self._ended.wait(1):
            pass

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {', '.join(f'{kind} {where!r}' for kind, where in self.addresses.items())}>"

    # ---- the thread

    def _serve(self) -> None:
        try:
            while not self._closed:
                for key, _ in self._selector.select():
                    key.data()
            for connection in list(self._connections):
                for _ in range(READS_AT_THE_END):
                    if not self._read(connection):
                        break
        finally:
            self._close_all()
            self._ended.set()

    def _listen(self, listening: socket.socket, ready: Callable[[], None]) -> None:
        listening.setblocking(False)
        self._listening.append(listening)
        self._selector.register(listening, selectors.EVENT_READ, ready)

    def _accept_at(self, kind: str, listening: socket.socket) -> None:
        self._listen(listening, lambda: self._accept(listening))
        self.addresses[kind] = self._path if kind == "unix" else listening.getsockname()[:2]

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return  # it is gone again, or there are no descriptors left
        connection.setblocking(False)
        if len(self._connections) >= CONNECTIONS:
            connection.close()
            self._warn(f"more than {CONNECTIONS} connections: one is ended")
            return
        self._connections[connection] = self._native.FrameReader(self._max_frame_size)
        self._count("connections")
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(connection))

    def _read(self, connection: socket.socket) -> bool:
        """Handles what has arrived. False: nothing has, or it was the end."""
        reader = self._connections[connection]
        try:
            data = connection.recv(READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        payloads, too_long = reader.feed(data)
        for payload in payloads:
            self._take(payload)
        if too_long is not None:
            self._count("oversize")
            self._warn(
                f"a payload of {too_long} bytes was announced, {self._max_frame_size} are allowed: the connection is ended"
            )
        elif not data and reader.pending():
            self._count("half")
        if not data or too_long is not None:
            del self._connections[connection]
            self._selector.unregister(connection)
            connection.close()
            return False
        return True

    def _read_datagram(self, datagrams: socket.socket) -> None:
        try:
            data = datagrams.recv(READ)
        except OSError:
            return
        reader = self._native.FrameReader(self._max_frame_size)
        payloads, too_long = reader.feed(data)
        if too_long is not None or reader.pending() or len(payloads) != 1:
            self._count("garbage")
        else:
            self._take(payloads[0])

    def _take(self, payload: bytes) -> None:
        kind = self._native.kind_of_payload(payload)
        if kind == "pickle" and not self._allow_pickle:
            self._count("refused")
            self._warn("a pickle was refused: it could run anything; allow_pickle lets it")
            return
        try:
            record = _unpickled(payload) if kind == "pickle" else record_of(payload)
        except BaseException as error:  # noqa: BLE001 - a pickle may raise anything, SystemExit too, which would end the thread
            self._count("garbage")
            self._warn(f"a payload is no record: {error}")
            return
        try:
            self._handle(record)
        except BaseException:  # noqa: BLE001 - a filter or a handler of the program's; the next record must not suffer
            if logging.raiseExceptions and sys.stderr is not None:
                with contextlib.suppress(OSError, ValueError):
                    traceback.print_exc()
        self._count("records")

    def _handle(self, record: logging.LogRecord) -> None:
        if not self._handlers:
            log = logging.getLogger(record.name)
            if log.isEnabledFor(record.levelno):
                log.handle(record)
        for handler in self._handlers:
            if record.levelno >= handler.level:
                handler.handle(record)

    def _count(self, name: str) -> None:
        with self._counted:
            setattr(self._counts, name, getattr(self._counts, name) + 1)
            self._counted.notify_all()

    def _warn(self, what: str) -> None:
        now = time.monotonic()
        if self._warned_at is not None and now - self._warned_at < WARN_EVERY:
            return
        self._warned_at = now
        if logging.raiseExceptions and sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"femtolog: {self!r}: {what}\n")

    def _close_all(self) -> None:
        self._selector.close()
        for closed in (*self._connections, *self._listening, self._waker):
            closed.close()
        self._connections.clear()
        if "unix" in self.addresses:
            with contextlib.suppress(OSError):
                os.unlink(self.addresses["unix"])


def _family(address: tuple[str, int]) -> int:
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def _unpickled(payload: bytes) -> logging.LogRecord:
    attributes = pickle.loads(payload)  # noqa: S301 - only where it is allowed
    if not isinstance(attributes, dict) or not isinstance(attributes.get("levelno"), int) or "name" not in attributes:
        raise ValueError("a pickle that is no dict of a record")
    return logging.makeLogRecord(attributes)


def record_of(payload: bytes) -> logging.LogRecord:
    """The record in a payload of MessagePack or CBOR. ValueError if there is none."""
    native = load_native()
    return record_from(native.decode_payload(payload, native.kind_of_payload(payload) or "msgpack"))


def record_from(payload: _Payload) -> logging.LogRecord:
    """A record of this process, of what came from another."""
    from femtolog.femto.levels import level_number

    level = "WARNING" if payload["level"] == "WARN" else payload["level"]
    try:
        number = level_number(level)
    except ConfigurationError:
        number = logging.INFO  # a level that this process does not know
    seconds, nanoseconds = divmod(payload["timestamp_ns"], 1_000_000_000)
    filename = os.path.basename(payload["filename"])
    record = logging.makeLogRecord(
        {
            "name": payload["logger"],
            "levelname": level,
            "levelno": number,
            "msg": payload["message"],
            "created": payload["timestamp_ns"] / 1e9 if seconds else 0.0,
            "msecs": float(nanoseconds // 1_000_000),
            "pathname": payload["filename"],
            "filename": filename,
            "module": payload["module_path"],
            "lineno": payload["line_number"],
            "thread": int(payload["thread_id"]) if payload["thread_id"].isdecimal() else None,
            "threadName": payload["thread_name"],
            "process": None,
            "processName": None,
        }
    )
    attributes = vars(record)
    attributes.update((key, value) for key, value in payload.items() if key in ("boot_id", "seq"))
    for key, value in payload["key_values"].items():
        clashes = key in attributes or key in ("message", "asctime")
        attributes[f"extra_{key}" if clashes else key] = value
    return record
