"""FemtoSocketHandler: what is on the wire, what becomes of each record, and peers that are not as they should be."""

import asyncio
import contextlib
import logging
import logging.config
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

import cbor2
import msgpack
import pytest

import femtolog
from femtolog import femto
from femtolog.femto import peer as femto_peer

KEYS = [
    "logger",
    "level",
    "message",
    "timestamp_ns",
    "filename",
    "line_number",
    "module_path",
    "thread_id",
    "thread_name",
    "key_values",
]
QUICK = {"base_ms": 10, "cap_ms": 20}
DECODERS = {"msgpack": msgpack.unpackb, "cbor": cbor2.loads}


def bound(port=0):
    """A socket that has a port and does not listen: connections to it are refused, and no other test's process gets the port."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def port_of(listening):
    return listening.getsockname()[1] if listening.family == socket.AF_INET else None


class Peer:
    """Accepts connections, one after the other or several at once, and keeps what each has sent."""

    def __init__(self, listening=None, context=None):
        self.listening = listening or bound()
        self.listening.listen()
        self.port = port_of(self.listening)
        self.context = context
        self.streams, self.connections, self.versions = [], [], []
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            if self.context is not None:
                try:
                    connection = self.context.wrap_socket(connection, server_side=True)
                except OSError:
                    continue
            self.versions.append(connection.version() if self.context else None)
            self.connections.append(connection)
            self.streams.append(bytearray())
            thread = threading.Thread(target=self.read, args=(connection, self.streams[-1]))
            self.threads.append(thread)
            thread.start()

    def read(self, connection, stream):
        while True:
            try:
                data = connection.recv(65536)
            except OSError:
                return
            if not data:
                connection.close()
                return
            with self.changed:
                stream += data
                self.changed.notify_all()

    def payloads(self):
        """What has arrived in whole frames, connection by connection."""
        found = []
        for stream in self.streams:
            at = 0
            while at + 4 <= len(stream) and at + 4 + int.from_bytes(stream[at : at + 4]) <= len(stream):
                end = at + 4 + int.from_bytes(stream[at : at + 4])
                found.append(bytes(stream[at + 4 : end]))
                at = end
        return found

    def records(self, count):
        """So many records, as soon as they are there."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.payloads()) >= count, 10)
        return [msgpack.unpackb(payload) for payload in self.payloads()]

    def close(self):
        """Everything is cut, as if its process were killed."""
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        for connection in self.connections:
            connection.close()


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def make():
    """Makes handlers that are closed at the end."""
    made = []

    def handler(*address, **options):
        made.append(femto.FemtoSocketHandler(*address, **{"backoff": QUICK} | options))
        return made[-1]

    yield handler
    for one in made:
        one.close()


@pytest.fixture
def nobody():
    """What nobody listens at."""
    with bound() as made:
        yield made


def record(message="m", level=logging.INFO, **attributes):
    return logging.makeLogRecord(
        {"name": "a.b", "levelno": level, "levelname": logging.getLevelName(level), "msg": message} | attributes
    )


def messages(records):
    return [record["message"] for record in records]


def adds_up(handler):
    stats = handler.stats()
    return stats["emitted"] == stats["written"] + stats["failed"] + stats["dropped"] + stats["in_flight"]


# ---- the wire


@pytest.mark.parametrize("wire_format", DECODERS)
def test_plain_decoders_read_the_frames(peer, make, wire_format):
    handler = make("127.0.0.1", peer.port, wire_format=wire_format)
    log = logging.Logger("shop.orders")
    log.addHandler(handler)
    log.warning("order %d", 17, extra={"shelf": 4, "é": None})
    log.log(25, "x" * 70_000)
    assert handler.flush(10)
    with peer.changed:
        assert peer.changed.wait_for(lambda: len(peer.payloads()) == 2, 10)
    first, second = (DECODERS[wire_format](payload) for payload in peer.payloads())
    assert list(first) == KEYS
    assert first["logger"] == "shop.orders"
    assert first["level"] == "WARN"
    assert first["message"] == "order 17"
    assert abs(first["timestamp_ns"] - time.time_ns()) < 60e9
    assert first["filename"] == __file__
    assert type(first["line_number"]) is int
    assert first["module_path"] == "test_femto_socket"
    assert first["thread_id"] == str(threading.get_ident())
    assert first["thread_name"] == "MainThread"
    assert first["key_values"] == {"shelf": "4", "é": "None"}
    assert (second["level"], len(second["message"])) == ("Level 25", 70_000)


def test_the_first_byte_is_no_pickles(peer, make):
    handler = make("127.0.0.1", peer.port)
    handler.handle(record())
    peer.records(1)
    assert peer.payloads()[0][0] == 0x8A


def test_values_that_utf8_or_the_map_do_not_have(peer, make):
    handler = make("127.0.0.1", peer.port)
    handler.handle(record("lone \udc80", threadName=None, thread=None, lineno=None, created=-5.0, odd={1: "\udcff"}))
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    handler.handle(record("with a formatter", exc_info=(ValueError, ValueError("v"), None)))
    first, second = peer.records(2)
    assert first["message"] == "lone \\udc80"
    assert (first["thread_name"], first["thread_id"], first["line_number"], first["timestamp_ns"]) == (None, "None", 0, 0)
    assert first["key_values"] == {"odd": "{1: '\\udcff'}"}
    assert second["message"] == "a.b: with a formatter\nValueError: v"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no sockets in the file system")
def test_a_path_instead_of_an_address(make, tmp_path):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "log.sock"))
    peer = Peer(listening)
    try:
        handler = make(unix_path=tmp_path / "log.sock")
        handler.handle(record("by path"))
        assert messages(peer.records(1)) == ["by path"]
        assert "log.sock" in repr(handler)
    finally:
        peer.close()


def test_oversize_is_dropped_counted_and_said(peer, make, capsys):
    handler = make("127.0.0.1", peer.port, max_frame_size=300)
    handler.handle(record("x" * 300))
    handler.handle(record("x" * 300))
    handler.handle(record("fits"))
    assert messages(peer.records(1)) == ["fits"]
    assert handler.stats()["dropped_by"]["oversize"] == 2
    said = capsys.readouterr().err
    assert "has dropped 1 more records (in all: oversize 1)" in said
    assert said.count("\n") == 1


def test_truncating_cuts_the_message_and_says_so(peer, make):
    handler = make("127.0.0.1", peer.port, max_frame_size=300, truncate=True)
    handler.handle(record("é" * 300))
    [cut] = peer.records(1)
    assert set(cut["message"]) == {"é"}
    assert cut["key_values"] == {"truncated": "true"}
    assert 290 < len(peer.payloads()[0]) <= 300


# ---- what becomes of a record


def test_by_hand(peer, make, nobody, capsys):
    handler = make("127.0.0.1", peer.port, max_frame_size=300)
    assert handler.handle("a.b", "warn", "100 %")
    [sent] = peer.records(1)
    assert (sent["logger"], sent["level"], sent["message"]) == ("a.b", "WARN", "100 %")
    handler.setLevel(logging.INFO)
    handler.addFilter(lambda record: record.getMessage() != "no")
    assert handler.handle("a.b", "DEBUG", "below") is False
    assert not handler.handle("a.b", "INFO", "no")
    with pytest.raises(TypeError, match=r"handle\(\) takes a record, or the name of a logger, a level and a message"):
        handler.handle("a.b", "INFO")
    with pytest.raises(ValueError, match="level must be"):
        handler.handle("a.b", "LOUD", "m")
    with pytest.raises(RuntimeError, match="has no room for the record: it is dropped"):
        handler.handle("a.b", "INFO", "x" * 300)
    handler.handle(record("x" * 300))
    handler.close()
    with pytest.raises(RuntimeError, match="is closed"):
        handler.handle("a.b", "INFO", "m")
    stats = handler.stats()
    assert (stats["emitted"], stats["written"], stats["dropped_by"]["oversize"]) == (3, 1, 2)

    class Mine(femto.FemtoSocketHandler):
        def emit(self, record):
            record.msg = record.msg.upper()
            super().emit(record)

    mine = Mine("127.0.0.1", peer.port)
    mine.handle("a.b", "INFO", "loud")
    assert messages(peer.records(2)) == ["100 %", "LOUD"]
    mine.close()
    full = make("127.0.0.1", port_of(nobody), capacity=1, policy="timeout:1", backoff={"base_ms": 10_000})
    full.handle("a.b", "INFO", "waits")
    with pytest.raises(RuntimeError, match="it is dropped"):
        full.handle("a.b", "INFO", "has no room")
    assert full.stats()["dropped_by"]["timeout"] == 1


def test_a_queue_without_bytes(make, nobody):
    handler = make("127.0.0.1", port_of(nobody), capacity_bytes=400, backoff={"base_ms": 10_000})
    handler.handle(record("x" * 200))
    handler.handle(record("x" * 200))
    stats = handler.stats()
    assert (stats["in_flight"], stats["dropped_by"]["overflow"]) == (1, 1)
    builder = femto.SocketHandlerBuilder().with_tcp("127.0.0.1", port_of(nobody)).with_capacity_bytes(400)
    assert builder.as_dict()["capacity_bytes"] == 400
    built = builder.with_backoff({"base_ms": 10_000}).build()
    built.handle("a", "INFO", "x" * 200)
    with pytest.raises(RuntimeError, match="it is dropped"):
        built.handle("a", "INFO", "x" * 200)
    built.close()


def test_a_queue_without_room(make, nobody, capsys):
    handler = make("127.0.0.1", port_of(nobody), capacity=2, backoff={"base_ms": 10_000})
    for number in range(4):
        handler.handle(record(str(number)))
    handler.handle(record("error", logging.ERROR))
    stats = handler.stats()
    assert (stats["emitted"], stats["in_flight"]) == (5, 2)
    assert stats["dropped_by"]["overflow"] == 3
    assert adds_up(handler)
    assert "has dropped 1 more records (in all: overflow 1)" in capsys.readouterr().err
    waiting = make("127.0.0.1", port_of(nobody), capacity=1, policy="timeout:20", backoff={"base_ms": 10_000})
    waiting.handle(record())
    waiting.handle(record())
    assert waiting.stats()["dropped_by"]["timeout"] == 1


def test_blocking_waits_until_the_peer_is_there(make, nobody):
    handler = make("127.0.0.1", port_of(nobody), capacity=2, policy="block")
    thread = threading.Thread(target=lambda: [handler.handle(record(str(number))) for number in range(50)])
    thread.start()
    peer = Peer(nobody)
    try:
        thread.join(10)
        assert messages(peer.records(50)) == [str(number) for number in range(50)]
        assert handler.stats()["queue_high_water"] <= 2
    finally:
        peer.close()


def test_records_that_cannot_be_made_go_to_handle_error(peer, make, capsys):
    class Broken:
        def __str__(self):
            raise LookupError("broken")

    handler = make("127.0.0.1", peer.port)
    handler.handle(record("%d", args=("x",)))
    handler.handle(record("m", key=Broken()))
    handler.handle(record("m", lineno="seven"))
    handler.handle(record("m", levelno="high"))
    handler.handle(record("good"))
    assert not handler.flush(10)
    assert handler.flush(10)
    assert messages(peer.records(1)) == ["good"]
    stats = handler.stats()
    assert (stats["failed"], stats["written"]) == (4, 1)
    said = capsys.readouterr().err
    assert "LookupError: broken" in said
    assert "HandlerIOError: the record cannot be sent" in said


def test_after_the_deadline_what_waits_is_dropped(make, nobody, capsys):
    handler = make("127.0.0.1", port_of(nobody), backoff=QUICK | {"deadline_ms": 50})
    handler.handle(record())
    assert not handler.flush(10)
    stats = handler.stats()
    assert (stats["dropped_by"]["deadline"], stats["in_flight"], stats["connected"]) == (1, 0, False)
    assert "refused" in stats["error"]
    handler.close()
    handler.handle(record())
    assert handler.stats()["dropped_by"]["closed"] == 1
    assert not handler.flush(10)
    assert "deadline 1); " in capsys.readouterr().err


def test_closing_ends_the_wait_for_an_absent_peer(make, nobody, capsys):
    handler = make("127.0.0.1", port_of(nobody), backoff={"base_ms": 60_000, "cap_ms": 60_000})
    handler.handle(record())
    begin = time.monotonic()
    handler.close()
    handler.close()
    assert time.monotonic() - begin < 2
    assert handler.stats()["dropped_by"]["closed"] == 1
    assert "closed 1); " in capsys.readouterr().err


def test_flush_tells_of_what_made_room(make, nobody, capsys):
    backoff = {"base_ms": 20, "cap_ms": 20}
    handler = make("127.0.0.1", port_of(nobody), capacity=2, policy="drop_oldest", backoff=backoff)
    handler.handle(record("0"))
    until = time.monotonic() + 30
    while handler.stats()["queue_len"]:  # the sending thread has it in hand, from where nothing is dropped
        assert time.monotonic() < until
        time.sleep(0.001)
    for number in range(1, 4):
        handler.handle(record(str(number)))
    assert handler.stats()["dropped_by"]["overflow"] == 2
    peer = Peer(nobody)
    try:
        assert messages(peer.records(2)) == ["0", "3"]
        assert not handler.flush(10)
        assert handler.flush(10)  # it has been told
    finally:
        handler.close()
        peer.close()


def test_a_peer_that_is_killed_and_comes_back_gets_the_rest(peer, make):
    handler = make("127.0.0.1", peer.port)
    for number in range(500):
        handler.handle(record(str(number)))
    assert handler.flush(10)
    assert messages(peer.records(500)) == [str(number) for number in range(500)]
    peer.close()
    absent = bound(peer.port)
    for number in range(500, 1000):
        handler.handle(record(str(number)))
    again = Peer(absent)
    try:
        for number in range(1000, 1500):
            handler.handle(record(str(number)))
        assert messages(again.records(1000)) == [str(number) for number in range(500, 1500)]
        assert handler.flush(10)
        assert (handler.stats()["written"], handler.stats()["dropped"]) == (1500, 0)
        assert handler.stats()["connections"] == 2
    finally:
        again.close()


def test_a_peer_that_reads_nothing_holds_up_nobody(make, monkeypatch, capsys):
    monkeypatch.setattr(femto_peer, "CLOSE_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        handler = make("127.0.0.1", listening.getsockname()[1], capacity=20, write_timeout_ms=10_000)
        for _ in range(100):
            handler.handle(record("x" * 500_000))
        assert not handler.flush(0.1)
        handler.close()
    stats = handler.stats()
    assert stats["emitted"] == 100
    assert stats["in_flight"] == 0
    assert adds_up(handler)
    assert stats["dropped_by"]["closed"] > 0


def test_aflush(peer, make):
    handler = make("127.0.0.1", peer.port)
    handler.handle(record())
    assert asyncio.run(handler.aflush(10))


def test_a_handler_that_nobody_keeps_sends_what_it_has(peer):
    handler = femto.FemtoSocketHandler("127.0.0.1", peer.port)
    handler.handle(record("last words"))
    del handler
    assert messages(peer.records(1)) == ["last words"]


# ---- processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_a_queue_and_a_connection_of_its_own(peer, nobody):
    program = f"""
import contextlib, logging, os, socket
from femtolog import femto

def connections():  # to the peer; that of the other handler may be there for a moment
    count = 0
    for descriptor in range(3, 256):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as one:
            count += one.getpeername()[1] == {peer.port}
    return count

there = femto.FemtoSocketHandler("127.0.0.1", {peer.port})
away = femto.FemtoSocketHandler("127.0.0.1", {port_of(nobody)}, backoff={{"base_ms": 10_000}})
log = logging.getLogger("fork")
log.addHandler(there); log.addHandler(away)
log.warning("parent")
assert there.flush(10) and not away.flush(0)
child = os.fork()
if not child:
    assert (there.stats()["emitted"], away.stats()["in_flight"]) == (0, 0)
    log.warning("child")
    assert there.flush(10)
    os._exit(connections())
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
log.warning("parent again")
assert there.flush(10) and there.stats()["connections"] == 1 and away.stats()["in_flight"] == 2
print(status, connections(), flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 1\n"  # the parent's connection is closed in the child
    assert sorted(messages(peer.records(3))) == ["child", "parent", "parent again"]
    assert len(peer.streams) == 2


@pytest.mark.parametrize("end", ["pass", "sys.exit(3)", "os._exit(multiprocessing_ends())"])
def test_what_is_queued_at_the_end_is_sent(peer, end):
    program = f"""
import logging, os, sys, threading
from femtolog import femto
def multiprocessing_ends():
    threading._shutdown()
    return 0
log = logging.getLogger("end")
log.addHandler(femto.FemtoSocketHandler("127.0.0.1", {peer.port}))
for number in range(1000):
    log.warning("%d", number)
{end}
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert messages(peer.records(1000)) == [str(number) for number in range(1000)]


# ---- TLS


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_with_certificates_of_both_sides(make, certificates, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates)
    context.load_verify_locations(certificates[0])
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    peer = Peer(context=context)
    try:
        tls = {"domain": "localhost", "ca_file": certificates[0], "cert_file": certificates[0], "key_file": certificates[1]}
        handler = make("127.0.0.1", peer.port, tls=tls)
        for number in range(500):
            handler.handle(record(f"{number} {'x' * 100}"))
        handler.close()
        assert [message.split()[0] for message in messages(peer.records(500))] == [str(number) for number in range(500)]
        assert peer.versions[0] == version.name.replace("_", ".")
    finally:
        peer.close()


def test_a_certificate_that_nobody_vouches_for(make, certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates)
    peer = Peer(context=context)
    try:
        for tls, reason in [
            (True, "certificate"),
            ({"domain": "example.org", "ca_file": certificates[0]}, "not valid for name"),
        ]:
            handler = make("127.0.0.1", peer.port, tls=tls, backoff=QUICK | {"deadline_ms": 30})
            handler.handle(record())
            assert not handler.flush(10)
            assert reason in handler.stats()["error"]
        handler = make("127.0.0.1", peer.port, tls=True, tls_insecure=True)
        handler.handle(record("trusting"))
        assert messages(peer.records(1)) == ["trusting"]
    finally:
        peer.close()


def test_openssl_s_server(make, certificates, nobody, tmp_path):
    """What it has received it prints; the length in front of a frame as well."""
    command = [
        "openssl",
        "s_server",
        "-accept",
        str(port_of(nobody)),
        "-cert",
        certificates[0],
        "-key",
        certificates[1],
        "-quiet",
    ]
    with open(tmp_path / "out", "wb") as out, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out) as server:
        try:
            handler = make("localhost", port_of(nobody), tls=True, tls_domain="localhost", tls_insecure=True)
            handler.handle(record("to openssl"))
            assert handler.flush(10)
            handler.close()
            until = time.monotonic() + 10
            while not (received := (tmp_path / "out").read_bytes()).endswith(b"\x80") and time.monotonic() < until:
                time.sleep(0.01)
        finally:
            server.kill()
    assert int.from_bytes(received[:4]) == len(received) - 4
    assert msgpack.unpackb(received[4:])["message"] == "to openssl"


# ---- settings


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"port": 0}, ValueError, "port must be from 1 to 65535"),
        ({"port": "9020"}, TypeError, "'9020'"),
        ({"host": ""}, ValueError, "host must not be empty"),
        ({"capacity": 0}, ValueError, "capacity must be greater than zero, got 0"),
        ({"capacity_bytes": 0}, ValueError, "capacity_bytes must be at least 1, got 0"),
        ({"capacity_bytes": -1}, ValueError, "capacity_bytes must be at least 1, got -1"),
        ({"capacity_bytes": "1"}, TypeError, "capacity_bytes must be an int, got '1'"),
        ({"on_drop": 7}, TypeError, "on_drop must be callable or None, not int"),
        ({"connect_timeout_ms": 0}, ValueError, "connect_timeout_ms"),
        ({"write_timeout_ms": -1}, OverflowError, "write_timeout_ms"),
        ({"max_frame_size": 0}, ValueError, "max_frame_size"),
        ({"policy": "lose"}, ValueError, "invalid overflow policy: 'lose'"),
        ({"wire_format": "xml"}, ValueError, "'xml'"),
        ({"backoff": {"base": 1}}, ValueError, "unknown backoff key 'base'"),
        ({"backoff": {"base_ms": -1}}, ValueError, "base_ms must be a positive int, got -1"),
        ({"backoff": {}, "backoff_cap_ms": 5}, ValueError, "one or the other"),
        ({"backoff_deadline_ms": 0}, ValueError, "deadline_ms"),
        ({"unix_path": "/tmp/x", "tls": True}, ValueError, "tls is for TCP only"),
        (
            {"unix_path": "/tmp/x", "port": 514},
            ValueError,
            "unix_path excludes host and port, got '/tmp/x' beside 'localhost' and 514",
        ),
        ({"tls": "yes"}, TypeError, "tls must be a bool or a dict"),
        ({"tls": {"insecure": 1}}, TypeError, "insecure of tls must be a bool"),
        ({"tls": {"name": "x"}}, ValueError, "unknown key of tls 'name'"),
        ({"tls": {"domain": "a"}, "tls_domain": "b"}, ValueError, "tls['domain'] is 'a', but tls_domain is 'b'"),
        ({"tls": False, "tls_domain": "b"}, ValueError, "tls is False, but tls_domain is given"),
        ({"tls": {"domain": "no host!"}}, ValueError, "is no name of a host"),
        ({"tls": {"cert_file": "x"}}, ValueError, "one is missing"),
        ({"tls": {"ca_file": "/nowhere/ca.pem"}}, ValueError, "'/nowhere/ca.pem' cannot be read"),
    ],
)
def test_settings_that_cannot_be(options, error, says):
    with pytest.raises(error) as caught:
        femto.FemtoSocketHandler(**options)
    assert says in str(caught.value)
    assert error is TypeError or error is OverflowError or isinstance(caught.value, femto.FemtologError)


def test_the_builder_tells_its_defaults_and_builds_what_it_was_told(peer):
    assert femto.SocketHandlerBuilder().as_dict() == {
        "transport": "tcp",
        "host": "localhost",
        "port": 9020,
        "tls": False,
        "capacity": 1024,
        "overflow_policy": "drop",
        "connect_timeout_ms": 5000,
        "write_timeout_ms": 1000,
        "max_frame_size": 1048576,
        "truncate": False,
        "format": "msgpack",
        "backoff_base_ms": 100,
        "backoff_cap_ms": 10000,
        "backoff_reset_after_ms": 30000,
        "backoff_deadline_ms": 120000,
    }
    builder = femto.SocketHandlerBuilder().with_tcp("127.0.0.1", peer.port).with_capacity(5).with_level("WARN")
    builder.with_connect_timeout_ms(100).with_write_timeout_ms(100).with_max_frame_size(200).with_truncate()
    handler = builder.with_format("msgpack").with_backoff({"base_ms": 1}).build()
    assert handler.level == logging.WARNING
    handler.handle(record("x" * 1000))
    assert len(peer.records(1)[0]["message"]) < 100
    handler.close()


def test_the_builder_refuses_what_excludes_each_other():
    by_path = femto.SocketHandlerBuilder().with_unix_path("/run/log.sock")
    assert (by_path.as_dict()["transport"], by_path.as_dict()["path"]) == ("unix", "/run/log.sock")
    assert "host" not in by_path.as_dict()
    with pytest.raises(femto.HandlerConfigError, match=r"/run/log\.sock"):
        by_path.with_tls()
    encrypted = femto.SocketHandlerBuilder().with_tls("log.example.org", insecure=True)
    assert (encrypted.as_dict()["tls_domain"], encrypted.as_dict()["tls_insecure"]) == ("log.example.org", True)
    with pytest.raises(femto.HandlerConfigError, match=r"a path excludes TLS, got '/run/log\.sock'"):
        encrypted.with_unix_path("/run/log.sock")
    assert encrypted.as_dict()["transport"] == "tcp"
    for wrong in (lambda: femto.SocketHandlerBuilder().with_capacity(0), lambda: femto.SocketHandlerBuilder().with_tcp("", 1)):
        with pytest.raises(femto.HandlerConfigError):
            wrong()


def test_of_addresses_and_paths_the_last_one_counts(peer):
    def target():
        return {key: builder.as_dict().get(key) for key in ("transport", "host", "port", "path")}

    builder = femto.SocketHandlerBuilder().with_unix_path("/x").with_unix_path("/y")
    assert target() == {"transport": "unix", "host": None, "port": None, "path": "/y"}
    assert builder.build().target == ("/y", None)
    builder.with_tcp("h", 1).with_tcp("127.0.0.1", peer.port)
    assert target() == {"transport": "tcp", "host": "127.0.0.1", "port": peer.port, "path": None}
    builder.with_unix_path("/x").with_tcp("127.0.0.1", peer.port).with_tls()
    assert target()["path"] is None
    plain = femto.SocketHandlerBuilder().with_tcp("h", 1).with_unix_path("/x").with_tcp("127.0.0.1", peer.port).build()
    plain.handle(record("by TCP"))
    assert messages(peer.records(1)) == ["by TCP"]
    plain.close()


@pytest.mark.parametrize(
    ("configure", "name"),
    [
        (logging.config.dictConfig, "femtolog.femto.FemtoSocketHandler"),
        (femto.dictConfig, "femtologging.SocketHandler"),
        (femto.dictConfig, "femtolog.FemtoSocketHandler"),
    ],
)
def test_dict_config_with_the_keys_of_femtologging(peer, configure, name):
    keys = {"host": "127.0.0.1", "port": peer.port, "capacity": 10, "connect_timeout_ms": 100, "write_timeout_ms": 100}
    keys |= {"max_frame_size": 1000, "tls": False, "backoff_base_ms": 1, "backoff_cap_ms": 2, "backoff_deadline_ms": 60_000}
    handlers = {"peer": {"class": name, **keys}}
    loggers = {"configured": {"handlers": ["peer"], "propagate": False}}
    configure({"version": 1, "disable_existing_loggers": False, "handlers": handlers, "loggers": loggers})
    try:
        logging.getLogger("configured").error("by dict")
        assert messages(peer.records(1)) == ["by dict"]
    finally:
        handler = logging.getLogger("configured").handlers.pop()
        handler.close()


def test_under_install_it_is_the_same(peer, make):
    handler = make("127.0.0.1", peer.port)
    log = logging.Logger("installed")
    log.addHandler(handler)
    with femtolog.installed():
        log.info("%s", "native", extra={"k": 1})
        log.addFilter(lambda record: record.levelno > 20)
        log.info("filtered")
        log.error("error")
    assert [(one["message"], one["key_values"]) for one in peer.records(2)] == [("native", {"k": "1"}), ("error", {})]


def test_nothing_runs_before_the_first_record():
    program = """
import os
from femtolog import femto
handler = femto.FemtoSocketHandler()
print(len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 1)
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
