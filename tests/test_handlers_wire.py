"""What the handlers left to the interpreter put on the wire: sockets, syslog, HTTP. Bytes captured on loopback, the same on both sides."""

import contextlib
import http.server
import io
import logging
import logging.handlers
import os
import pickle
import socket
import struct
import sys
import threading
import types
from unittest import mock

import pytest
from oracle import same_as_stdlib

WAIT = 10


def emit(logger: logging.Logger) -> None:
    """A few records of every kind."""
    logger.info("plain é")
    logger.warning("with %s and %d", "args", 3, extra={"key": [1, 2]})
    logger.error("mapping %(a)s", {"a": 1})
    try:
        raise LookupError("gone")
    except LookupError:
        logger.exception("failed", stack_info=False)


def steady(record: dict) -> dict:
    """A record's attributes without what differs between two runs."""
    return {k: v for k, v in record.items() if k not in ("thread", "process", "relativeCreated", "exc_text")}


def frames(data: bytes) -> list[dict]:
    """The records in the bytes of a `SocketHandler`: a length, then a pickle."""
    found = []
    while data:
        (length,) = struct.unpack(">L", data[:4])
        found.append(pickle.loads(data[4 : 4 + length]))
        data = data[4 + length :]
    return found


def read_all(server: socket.socket) -> bytes:
    """Everything one client sends until it closes."""
    connection, _ = server.accept()
    connection.settimeout(WAIT)
    with connection:
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
    return data


@same_as_stdlib(live=False)
@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_socket_handler(w, where):
    if where == "tcp":
        server = socket.create_server(("127.0.0.1", 0))
        handler = logging.handlers.SocketHandler(*server.getsockname())
    else:
        path = str(w.dir / "socket")
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()
        handler = logging.handlers.SocketHandler(path, None)
    server.settimeout(WAIT)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = w.logger()
    logger.addHandler(handler)
    records = w.keeper(logger)
    emit(logger)
    handler.close()
    data = read_all(server)
    server.close()
    for sent, record in zip(frames(data), records, strict=True):
        w.note("sent", steady(sent))
        w.note("keys", list(sent))
        w.note("made", logging.makeLogRecord(sent).getMessage(), record.args)
    w.note("protocol", data[4:6])


@same_as_stdlib(live=False)
def test_make_pickle_byte_for_byte(w):
    handler = logging.handlers.SocketHandler("127.0.0.1", 1)
    logger = w.logger()
    logger.addHandler(logging.NullHandler())
    records = w.keeper(logger)
    emit(logger)
    for record in records:
        vars(record).update(thread=1, process=2, relativeCreated=3.0, created=4.0, msecs=5.0)
        if record.exc_info:
            record.exc_text = "shown"
        w.note("pickle", handler.makePickle(record))
        w.note("after", sorted(vars(record)))


@same_as_stdlib(live=False)
def test_socket_handler_without_a_server(w):
    server = socket.create_server(("127.0.0.1", 0))
    address = server.getsockname()
    server.close()
    handler = logging.handlers.SocketHandler(*address)
    logger = w.logger()
    logger.addHandler(handler)
    for _ in range(3):
        logger.info("lost")
        w.note("retry", handler.sock, handler.retryTime is not None, handler.retryPeriod)


@same_as_stdlib(live=False)
def test_datagram_handler(w):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(WAIT)
        handler = logging.handlers.DatagramHandler(*server.getsockname())
        logger = w.logger()
        logger.addHandler(handler)
        emit(logger)
        for _ in range(4):
            (sent,) = frames(server.recv(65536))
            w.note("sent", steady(sent))
        handler.close()


@same_as_stdlib
@pytest.mark.parametrize("where", ["udp", "tcp", "unix datagram", "unix stream"])
@pytest.mark.parametrize("options", [{}, {"ident": "prog: ", "append_nul": False}, {"facility": "local3"}], ids=str)
def test_syslog_handler(w, where, options):
    ident, append_nul = options.get("ident"), options.get("append_nul")
    facility = options.get("facility", logging.handlers.SysLogHandler.LOG_USER)
    kind = socket.SOCK_STREAM if where in ("tcp", "unix stream") else socket.SOCK_DGRAM
    if where.startswith("unix"):
        server = socket.socket(socket.AF_UNIX, kind)
        address = str(w.dir / "log")
    else:
        server = socket.socket(socket.AF_INET, kind)
        address = ("127.0.0.1", 0)
    with server:
        server.bind(address)
        server.settimeout(WAIT)
        if kind == socket.SOCK_STREAM:
            server.listen()
        handler = logging.handlers.SysLogHandler(server.getsockname(), facility, socktype=kind)
        if ident is not None:
            handler.ident, handler.append_nul = ident, append_nul
        handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        logger = w.logger()
        logger.addHandler(handler)
        logging.addLevelName(25, "NOTICE")
        logger.log(25, "own level")
        logger.critical("grave")
        logger.info("plain é %s", "args")
        handler.close()
        if kind == socket.SOCK_STREAM:
            w.note("sent", read_all(server))
        else:
            for _ in range(3):
                w.note("sent", server.recv(65536))
    if where.startswith("unix"):
        os.unlink(address)


@same_as_stdlib
@pytest.mark.parametrize("level", [0, 10, 20, 25, 30, 40, 50, 60])
def test_syslog_priorities(w, level):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        handler = logging.handlers.SysLogHandler(server.getsockname())
        name = logging.getLevelName(level)
        w.note("mapped", handler.mapPriority(name))
        w.note("encoded", handler.encodePriority("daemon", handler.mapPriority(name)), handler.encodePriority(3, 4))
        handler.close()


class Requests(http.server.BaseHTTPRequestHandler):
    """Keeps what it was asked."""

    def answer(self) -> None:
        """Note the request and say yes."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, sorted(self.headers.items()), body))
        self.send_response(200)
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@same_as_stdlib(live=False)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("credentials", [None, ("user", "secret")], ids=["open", "basic"])
def test_http_handler(w, method, credentials):
    class Handler(logging.handlers.HTTPHandler):
        def mapLogRecord(self, record):
            return steady(super().mapLogRecord(record)) | {"exc_info": None}

    server = http.server.HTTPServer(("127.0.0.1", 0), Requests)
    server.seen = []
    server.timeout = WAIT
    thread = threading.Thread(target=lambda: [server.handle_request() for _ in range(4)])
    thread.start()
    handler = Handler(f"127.0.0.1:{server.server_port}", "/log?a=1", method, credentials=credentials)
    logger = w.logger()
    logger.addHandler(handler)
    emit(logger)
    thread.join(WAIT)
    server.server_close()
    for command, path, headers, body in server.seen:
        w.note("asked", command, path, [h for h in headers if h[0] != "Host"], body)


@same_as_stdlib
def test_smtp_handler(w):
    sent = []

    class Smtp:
        def __init__(self, host, port, timeout):
            sent.append(("connect", host, port, timeout))

        def __getattr__(self, name):
            return lambda *args, **kwargs: sent.append((name, args, sorted(kwargs)))

        def send_message(self, message):
            text = message.as_string()
            sent.append(("message", [line for line in text.splitlines() if not line.startswith("Date:")]))

    import smtplib

    original = smtplib.SMTP
    smtplib.SMTP = Smtp
    try:
        handler = logging.handlers.SMTPHandler(
            ("localhost", 2525), "me@example", ["you@example"], "Log", credentials=("user", "secret")
        )
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        logger = w.logger()
        logger.addHandler(handler)
        logger.error("failed é %s", "args")
        logger.info("fine")
    finally:
        smtplib.SMTP = original
    for call in sent:
        w.note("smtp", call)


@same_as_stdlib
def test_a_server_that_goes_away(w):
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(WAIT)
    handler = logging.handlers.SocketHandler(*server.getsockname())
    handler.closeOnError = True
    logger = w.logger()
    logger.addHandler(handler)
    logger.info("one")
    connection, _ = server.accept()
    connection.close()
    server.close()
    handler.handleError(logging.makeLogRecord({"msg": "x"}))
    w.note("closed", handler.sock)


@same_as_stdlib
def test_event_log_of_windows(w):
    """The calls that reach the Win32 extensions, or from 3.15 on the interpreter's own, which stand-ins note; and what is said without."""
    asked = []
    extension = types.ModuleType("win32evtlogutil")
    extension.__file__ = os.path.join("folder", "win32", "win32evtlogutil.py")
    extension.AddSourceToRegistry = lambda *args: asked.append(("add", *args))
    extension.ReportEvent = lambda *args: asked.append(("report", *args))
    kinds = {"EVENTLOG_ERROR_TYPE": 1, "EVENTLOG_WARNING_TYPE": 2, "EVENTLOG_INFORMATION_TYPE": 4}
    constants = mock.MagicMock(**kinds)
    own = mock.MagicMock(**kinds, **{"RegisterEventSource.return_value": 7})
    registry = mock.MagicMock(
        HKEY_LOCAL_MACHINE=1, REG_EXPAND_SZ=2, REG_DWORD=4, **{"CreateKey.return_value.__enter__.return_value": 8}
    )
    there = {"win32evtlogutil": extension, "win32evtlog": constants, "_winapi": own, "winreg": registry}
    logger, _, _ = w.plain()
    with mock.patch.dict(sys.modules, there):
        handler = logging.handlers.NTEventLogHandler("app")
        logger.handlers[:] = [handler]
        emit(logger)
        handler.close()
    w.note("asked", asked, str(own.mock_calls), str(registry.mock_calls))
    assert len(asked) == 5 or len(own.ReportEvent.mock_calls) == 4
    with mock.patch.dict(sys.modules, dict.fromkeys(there)), contextlib.redirect_stdout(io.StringIO()) as out:
        handler = w.catch(logging.handlers.NTEventLogHandler, "app")
        if isinstance(handler, logging.Handler):
            logger.handlers[:] = [handler]
            emit(logger)
    w.note("told", out.getvalue())
