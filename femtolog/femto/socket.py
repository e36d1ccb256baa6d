"""FemtoSocketHandler: records as frames of MessagePack or CBOR to a peer, sent by a thread that runs no Python; and its builder.

Whoever logs makes the frame and puts it on a queue. What goes on from there is femto/peer.py and
native/core/src/transport; what is in a frame, native/core/src/wire.
"""

from __future__ import annotations

import logging
import os

from femtolog import _enqueue
from femtolog.errors import HandlerConfigError
from femtolog.femto import formatting
from femtolog.femto.levels import femto_name
from femtolog.femto.options import QUEUE_BYTES, positive
from femtolog.femto.peer import PeerHandler, PeerHandlerBuilder, backoff_of, tls_of
from femtolog_compat import load_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self

    from femtolog.femto.options import BackoffConfig, OverflowPolicy

_LOCAL = "localhost", 9020
"""Where records go unless told otherwise."""


class FemtoSocketHandler(PeerHandler):
    """Sends records to `host`:`port`, or to a socket in the file system, as frames: four bytes of length, the highest first, and a map.

    The map has the keys `logger`, `level`, `message`, `timestamp_ns`, `filename`, `line_number`, `module_path`, `thread_id`, `thread_name` and
    `key_values`; `wire_format` says whether it is MessagePack ("msgpack") or CBOR ("cbor"). The message is what a formatter makes of the
    record if one is set, without one the message alone. Payloads larger than `max_frame_size` bytes are dropped; with `truncate` their
    message is cut.

    `tls` is True or a dict of `domain` (the name in the peer's certificate; the host's without it), `insecure` (any certificate does), `ca_file`
    (who is trusted instead of the system's), `cert_file` and `key_file` (who this side is), all PEM.

    While the peer is away for longer than the backoff's deadline, records go to `fallback`, a handler or the path of a file, if there is
    one. With `replay` they wait in `spool_dir`, a directory of this handler's own of at most `spool_max` bytes, as soon as the queue has no
    room for them, and are sent in order when the peer is back, by the next process if need be; the fallback has what the disk does not
    take. With `numbered` the map has two more keys, `boot_id` and `seq`, by which `python -m femtolog verify` finds at the other end what is
    missing; see numbers().

    At most `capacity` records and `capacity_bytes` bytes of frames are in flight. `on_error(exception, n)` and `on_drop(reason, n)` are
    called by a thread of their own, once a second at most and by close(): of records that failed or were dropped since the last time, whoever dropped
    them; on_error with 0 when the peer has been away for a second.

    HandlerConfigError, a ValueError, for settings that cannot be; TypeError for values of the wrong type. Nothing is connected before the
    first record.

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
        host: str = _LOCAL[0],
        port: int = _LOCAL[1],
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
        fallback: logging.Handler | str | os.PathLike[str] | None = None,
        replay: bool = False,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max: str | int = _enqueue.SPILL_MAX,
        numbered: bool = False,
        capacity_bytes: int = QUEUE_BYTES,
        on_error: Callable[[BaseException, int], object] | None = None,
        on_drop: Callable[[str, int], object] | None = None,
    ) -> None:
        chosen_tls = tls_of(tls, tls_domain, tls_insecure)
        target = _address(host, port) if unix_path is None else (os.fsdecode(unix_path), None)
        if unix_path is not None and (host, port) != _LOCAL:
            raise HandlerConfigError(f"unix_path excludes host and port, got {target[0]!r} beside {host!r} and {port!r}")
        if chosen_tls is not None and unix_path is not None:
            raise HandlerConfigError(f"tls is for TCP only, got unix_path={target[0]!r}")
        load_native().know_framed(FemtoSocketHandler.handle, FemtoSocketHandler.emit, FemtoSocketHandler._items)
        super().__init__(
            target,
            (_wire_format(wire_format), positive("max_frame_size", max_frame_size), bool(truncate)),
            chosen_tls,
            capacity=capacity,
            policy=policy,
            connect_timeout_ms=connect_timeout_ms,
            write_timeout_ms=write_timeout_ms,
            backoff=backoff_of(backoff, backoff_base_ms, backoff_cap_ms, backoff_reset_after_ms, backoff_deadline_ms),
            fallback=fallback,
            replay=replay,
            spool_dir=spool_dir,
            spool_max=spool_max,
            numbered=numbered,
            capacity_bytes=capacity_bytes,
            on_error=on_error,
            on_drop=on_drop,
        )

    # For most records native code does what handle(), emit() and _items() do, see native/py/src/handler/framed.rs.

    def _items(self, record: logging.LogRecord) -> tuple[tuple[object, ...]]:
        own = formatting._OWN  # noqa: SLF001 - what a record has of itself
        fields = (
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
        return (fields,)

    def _reader(self) -> Callable[[bytes], logging.LogRecord]:
        from femtolog.server import record_of

        return record_of

    def __repr__(self) -> str:
        host, port = self.target
        return f"<{type(self).__name__} {host if port is None else f'{host}:{port}'} ({logging.getLevelName(self.level)})>"


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


class SocketHandlerBuilder(PeerHandlerBuilder):
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
            write_timeout_ms=1000,
            max_frame_size=1 << 20,
            truncate=False,
            format="msgpack",
        )

    def with_tcp(self, host: str, port: int) -> Self:
        """The peer's address, instead of a path that was told before."""
        host, number = _address(host, port)
        return self._reach(transport="tcp", host=host, port=number)

    def with_unix_path(self, path: str | os.PathLike[str]) -> Self:
        """The peer's socket in the file system, instead of an address that was told before. HandlerConfigError if there is TLS."""
        if self._tls is not None:
            raise HandlerConfigError(f"a path excludes TLS, got {os.fsdecode(path)!r}")
        return self._reach(transport="unix", path=os.fsdecode(path))

    def _reach(self, **target: Any) -> Self:
        for name in ("transport", "host", "port", "path"):
            self._told.pop(name, None)
        self._told = target | self._told
        return self

    def with_max_frame_size(self, size: int) -> Self:
        """Bytes that a payload has at most."""
        return self._tell("max_frame_size", positive("max_frame_size", size))

    def with_truncate(self, truncate: bool = True) -> Self:
        """The message of a record that is too large is cut, and the record not dropped."""
        return self._tell("truncate", bool(truncate))

    def with_format(self, wire_format: str) -> Self:
        """How a record is encoded: "msgpack" or "cbor"."""
        return self._tell("format", _wire_format(wire_format))

    def _make(self) -> FemtoSocketHandler:
        told = self._told
        return FemtoSocketHandler(
            told.get("host", _LOCAL[0]),
            told.get("port", _LOCAL[1]),
            unix_path=told.get("path"),
            max_frame_size=told["max_frame_size"],
            truncate=told["truncate"],
            wire_format=told["format"],
            **self._common(),
        )
