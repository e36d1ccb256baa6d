"""LogServer: whose records it takes, and what strangers may send it."""

import io
import logging
import logging.handlers
import pickle
import signal
import socket
import struct
import subprocess
import sys

import pytest

from femtolog import femto
from femtolog.server import LogServer

LOCAL = ("127.0.0.1", 0)
FORMAT = "%(name)s %(levelname)s %(levelno)d %(message)s"


class Kept(logging.Handler):
    """Keeps the records."""

    def __init__(self, level=0):
        super().__init__(level)
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture
def kept():
    return Kept()


def sent(handler, *records):
    for record in records:
        handler.handle(logging.makeLogRecord(record))
    handler.close()


def frame(payload):
    return struct.pack(">L", len(payload)) + payload


def connect(server):
    return socket.create_connection(server.addresses["tcp"], 10)


def record(**attributes):
    return {"name": "a", "levelno": 30, "levelname": "WARNING", "msg": "m"} | attributes


@pytest.mark.parametrize("wire_format", ["msgpack", "cbor"])
def test_a_record_arrives_as_it_was(kept, wire_format):
    with LogServer(kept, tcp=LOCAL) as server:
        client = femto.FemtoSocketHandler(*server.addresses["tcp"], wire_format=wire_format)
        log = logging.Logger("shop.orders")
        log.addHandler(client)
        log.warning("order %d", 17, extra={"shelf": 4, "odd name": "x"})
        client.handle(logging.makeLogRecord(record(levelname="LOUD", levelno=33, threadName=None, thread=None)))
        client.close()
        assert server.wait_for(2)
    first, second = kept.records
    assert (first.name, first.levelno, first.levelname, first.getMessage()) == ("shop.orders", 30, "WARNING", "order 17")
    assert (first.pathname, first.filename, first.module) == (__file__, "test_server.py", "test_server")
    assert (first.shelf, vars(first)["odd name"], first.threadName) == ("4", "x", "MainThread")
    assert abs(first.created % 1 * 1000 - first.msecs) < 1
    assert (second.levelname, second.levelno, second.thread, second.threadName) == ("LOUD", logging.INFO, None, None)
    assert logging.Formatter("%(asctime)s %(processName)s %(message)s").format(first).endswith(" None order 17")


def test_keys_that_a_record_has_already_are_renamed(kept):
    with LogServer(kept, tcp=LOCAL) as server:
        client = femto.FemtoSocketHandler(*server.addresses["tcp"])
        made = logging.makeLogRecord(record())
        vars(made)["msgx"] = "x"
        client.handle(made)
        client.close()
        with connect(server) as peer:
            peer.sendall(frame(b"\x84\xa6logger\xa1a\xa5level\xa4INFO\xa7message\xa1m\xaakey_values\x81\xa3msg\xa1x"))
        assert server.wait_for(2)
    assert [(one.msg, vars(one).get("extra_msg")) for one in kept.records] == [("m", None), ("m", "x")]


def test_pickles_of_the_stdlib_are_refused_unless_allowed(kept, capsys):
    for allow in (False, True):
        with LogServer(kept, tcp=LOCAL, udp=LOCAL, allow_pickle=allow) as server:
            sent(logging.handlers.SocketHandler(*server.addresses["tcp"]), record(msg="tcp"), record(msg="again"))
            sent(logging.handlers.DatagramHandler(*server.addresses["udp"]), record(msg="udp"))
            if allow:
                assert server.wait_for(3)
            else:
                sent(femto.FemtoSocketHandler(*server.addresses["tcp"]), record(msg="after"))
                assert server.wait_for(1)
        if not allow:
            assert [one.msg for one in kept.records] == ["after"]
            assert server.stats()["refused"] >= 2
    assert sorted(one.msg for one in kept.records) == ["after", "again", "tcp", "udp"]
    assert capsys.readouterr().err.count("a pickle was refused") == 1


class Bomb:
    def __reduce__(self):
        return (exit, (1,))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"GET / HTTP/1.1",
        b"\x8a\xff",
        b"\xaa",
        b"\x81\xa1x\xc0",
        pickle.dumps({"no": "record"}),
        pickle.dumps(5),
        b"\x80\x04garbage",
    ],
)
def test_garbage_in_a_frame_is_counted_and_the_connection_goes_on(kept, payload):
    with LogServer(kept, tcp=LOCAL, allow_pickle=True) as server:
        with connect(server) as peer:
            peer.sendall(frame(payload) + frame(b"\x83\xa6logger\xa1a\xa5level\xa4INFO\xa7message\xa4good"))
            assert server.wait_for(1)
        assert [one.msg for one in kept.records] == ["good"]
        assert server.stats()["garbage"] == 1


def test_half_frames_and_lengths_that_are_lies(kept):
    good = frame(b"\x83\xa6logger\xa1a\xa5level\xa4INFO\xa7message\xa4good")
    with LogServer(kept, tcp=LOCAL, max_frame_size=1000) as server:
        with connect(server) as slow, connect(server) as liar, connect(server) as other:
            for byte in good[:-1]:
                slow.send(bytes([byte]))
            liar.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert liar.recv(100) == b""
            other.sendall(good)
            assert server.wait_for(1)
            slow.send(good[-1:])
            assert server.wait_for(2)
            slow.sendall(good[:10])
            slow.shutdown(socket.SHUT_WR)
            assert slow.recv(100) == b""
        stats = server.stats()
    assert (stats["records"], stats["half"], stats["oversize"], stats["connections"]) == (2, 1, 1, 3)


def test_records_go_to_the_loggers_of_their_names_without_handlers(kept):
    log = logging.getLogger("server.test")
    log.addHandler(kept)
    log.propagate = False
    log.setLevel(logging.WARNING)
    try:
        with LogServer(tcp=LOCAL) as server:
            info = record(name="server.test", levelno=20, levelname="INFO", msg="low")
            sent(femto.FemtoSocketHandler(*server.addresses["tcp"]), info, record(name="server.test.below", msg="high"))
            assert server.wait_for(2)
    finally:
        log.removeHandler(kept)
    assert [one.msg for one in kept.records] == ["high"]


def test_a_handler_that_raises_and_one_with_a_level(kept, capsys):
    class Raises(logging.Handler):
        def emit(self, record):
            raise LookupError(record.msg)

    with LogServer([Raises(), kept], tcp=LOCAL) as server:
        sent(femto.FemtoSocketHandler(*server.addresses["tcp"]), record(msg="one"), record(msg="two"))
        assert server.wait_for(2)
    assert capsys.readouterr().err.count("LookupError: ") == 2
    kept.setLevel(40)
    with LogServer([kept], tcp=LOCAL) as server:
        sent(femto.FemtoSocketHandler(*server.addresses["tcp"]), record())
        assert server.wait_for(1)
    assert kept.records == []


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no sockets in the file system")
def test_a_socket_in_the_file_system(kept, tmp_path):
    path = tmp_path / "log.sock"
    with LogServer(kept, unix=path) as server:
        assert path.stat().st_mode & 0o777 == 0o600
        sent(femto.FemtoSocketHandler(unix_path=path), record(msg="by path"))
        assert server.wait_for(1)
        assert str(path) in repr(server)
        with pytest.raises(OSError, match="in use"):
            LogServer(unix=path)
    assert not path.exists()
    server.close()


def test_nothing_to_listen_at():
    with pytest.raises(ValueError, match="nothing to listen at"):
        LogServer()


def test_the_command(tmp_path):
    command = [sys.executable, "-P", "-m", "femtolog", "serve", "--tcp", "0", "--format", FORMAT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        address = server.stderr.readline()
        port = int(address.rpartition(", ")[2].split(")")[0])
        sent(femto.FemtoSocketHandler("127.0.0.1", port), record(msg="to the command"))
        assert server.stdout.readline() == "a WARNING 30 to the command\n"
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=10)[1]
    assert server.returncode == 0
    assert "records=1" in said
    assert io.StringIO(said).readline().count("=") == 6


def test_the_package_has_it_and_imports_it_when_asked():
    code = "import sys, femtolog; print('femtolog.server' in sys.modules, 'LogServer' in dir(femtolog), femtolog.LogServer)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False True <class 'femtolog.server.LogServer'>\n"
