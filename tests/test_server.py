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
from femtolog._serve import main as serve
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
    """A pickle that ends who reads it."""

    def __reduce__(self):
        return (sys.exit, ("boom",))


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
        pickle.dumps(Bomb()),
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


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_whatever_a_handler_raises_the_server_goes_on(kept, capsys, error):
    class Raises(logging.Handler):
        def emit(self, record):
            if record.msg == "raise":
                raise error("of a handler")

    with LogServer([Raises(), kept], tcp=LOCAL) as server:
        client = femto.FemtoSocketHandler(*server.addresses["tcp"])
        sent(client, record(msg="raise"), record(msg="after it"))
        assert server.wait_for(2)
        sent(femto.FemtoSocketHandler(*server.addresses["tcp"]), record(msg="another connection"))
        assert server.wait_for(3)
    assert [one.msg for one in kept.records] == ["after it", "another connection"]
    said = capsys.readouterr().err
    assert said.count(f"{error.__name__}: of a handler") == said.count("Traceback") == 1
    assert server.stats()["records"] == 3


@pytest.mark.parametrize("silence", ["raiseExceptions", "stderr"])
def test_errors_of_handlers_are_told_to_those_who_listen(kept, capsys, monkeypatch, silence):
    monkeypatch.setattr(*((logging, "raiseExceptions", False) if silence == "raiseExceptions" else (sys, "stderr", None)))
    kept.emit = lambda record: sys.exit(record.msg)
    with LogServer(kept, tcp=LOCAL) as server:
        sent(femto.FemtoSocketHandler(*server.addresses["tcp"]), record(), record())
        assert server.wait_for(2)
    assert capsys.readouterr() == ("", "")


UNIX = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no sockets in the file system")


@UNIX
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


@pytest.mark.parametrize(
    ("size", "error", "text"),
    [
        (-5, ValueError, "max_frame_size must be at least 1, got -5"),
        (0, ValueError, "max_frame_size must be at least 1, got 0"),
        (True, TypeError, "max_frame_size must be an int, not bool"),
        (1e6, TypeError, "max_frame_size must be an int, not float"),
        ("1 MB", TypeError, "max_frame_size must be an int, not str"),
        (None, TypeError, "max_frame_size must be an int, not NoneType"),
    ],
)
def test_sizes_that_cannot_be(size, error, text):
    with pytest.raises(error) as caught:
        LogServer(tcp=LOCAL, max_frame_size=size)
    assert str(caught.value) == text


def test_a_size_beyond_all_frames_is_no_limit(kept):
    with LogServer(kept, tcp=LOCAL, udp=LOCAL, max_frame_size=1 << 80) as server:
        sent(femto.FemtoSocketHandler(*server.addresses["tcp"]), record(msg="m" * 100_000))
        assert server.wait_for(1)
    assert [len(one.msg) for one in kept.records] == [100_000]


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


class Served:
    """The command, running: what it says of where it listens, what it writes, what it says in the end."""

    def __init__(self, *options):
        command = [sys.executable, "-P", "-m", "femtolog", "serve", "--format", "%(name)s %(message)s", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        self.where = self.process.stderr.readline()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=30)

    def address(self, kind):
        host, port = self.where.partition(f"{kind} ('")[2].partition(")")[0].split("', ")
        return host, int(port)

    def line(self):
        return self.process.stdout.readline()

    def end(self):
        """(what it has counted, what it said beside that)."""
        self.process.send_signal(signal.SIGTERM)
        out, said = self.process.communicate(timeout=30)
        assert (self.process.returncode, out) == (0, "")
        *others, counts = said.splitlines()
        found = dict(pair.split("=") for pair in counts.split())
        return {name: int(count) for name, count in found.items() if count != "0"}, others


@UNIX
def test_a_signal_that_ends_no_wait_is_served():
    """The system gave it to another thread, or it came before the wait began."""
    program = """
import logging, signal, threading, time
from femtolog.server import LogServer

def stop(*_):
    raise KeyboardInterrupt

def terminate():
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

signal.signal(signal.SIGTERM, stop)
with LogServer(logging.NullHandler(), tcp=("127.0.0.1", 0)) as server:
    threading.Thread(target=terminate).start()
    try:
        server.join()
    except KeyboardInterrupt:
        print("stopped")
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")


@UNIX
def test_the_command_at_a_path(tmp_path):
    path = tmp_path / "log.sock"
    with Served("--unix", str(path)) as server:
        assert server.where == f"<LogServer at unix {str(path)!r}>\n"  # no TCP unless it is asked for
        sent(femto.FemtoSocketHandler(unix_path=path), record(msg="by path"))
        assert server.line() == "a by path\n"
        assert server.end() == ({"records": 1, "connections": 1}, [])
    assert not path.exists()


def test_the_command_takes_datagrams():
    with Served("--udp", "127.0.0.1:0") as server:
        assert server.where.startswith("<LogServer at udp ('127.0.0.1', ")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"no frame", server.address("udp"))
            peer.sendto(frame(b"\x83\xa6logger\xa1a\xa5level\xa4INFO\xa7message\xa4good"), server.address("udp"))
        assert server.line() == "a good\n"
        assert server.end() == ({"records": 1, "garbage": 1}, [])


@UNIX
def test_the_command_in_three_places(tmp_path):
    path = tmp_path / "log.sock"
    with Served("--tcp", "0", "--udp", "0", "--unix", str(path)) as server:
        sent(femto.FemtoSocketHandler(*server.address("tcp")), record(msg="by TCP"))
        assert server.line() == "a by TCP\n"
        sent(femto.FemtoSocketHandler(unix_path=path), record(msg="by path"))
        assert server.line() == "a by path\n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(frame(b"\x83\xa6logger\xa1a\xa5level\xa4INFO\xa7message\xa6by UDP"), server.address("udp"))
        assert server.line() == "a by UDP\n"
        assert server.end() == ({"records": 3, "connections": 2}, [])


@pytest.mark.parametrize("allow", [True, False])
def test_the_command_and_pickles(allow):
    with Served("--tcp", "0", "--udp", "0", *(["--allow-pickle"] if allow else [])) as server:
        where = server.address("tcp")
        sent(logging.handlers.SocketHandler(*where), record(msg="by TCP"))
        if allow:
            assert server.line() == "a by TCP\n"
            sent(logging.handlers.DatagramHandler(*server.address("udp")), record(msg="by UDP"))
            assert server.line() == "a by UDP\n"
            assert server.end() == ({"records": 2, "connections": 1}, [])
        else:
            said = server.process.stderr.readline()
            assert said.endswith(": a pickle was refused: it could run anything; allow_pickle lets it\n")
            sent(femto.FemtoSocketHandler(*where), record(msg="after it"))
            assert server.line() == "a after it\n"
            assert server.end() == ({"records": 1, "refused": 1, "connections": 2}, [])


def test_the_command_and_large_frames():
    good = frame(b"\x83\xa6logger\xa1a\xa5level\xa4INFO\xa7message\xa4good")
    size = len(good) - 4
    with Served("--tcp", "0", "--max-frame-size", str(size)) as server:
        with socket.create_connection(server.address("tcp"), 30) as peer:
            peer.sendall(good)
            assert server.line() == "a good\n"
            peer.sendall(frame(b"x" * (size + 1)))
            assert peer.recv(1) == b""
        said = server.process.stderr.readline()
        assert said.endswith(f": a payload of {size + 1} bytes was announced, {size} are allowed: the connection is ended\n")
        assert server.end() == ({"records": 1, "oversize": 1, "connections": 1}, [])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--max-frame-size", "-5"], "argument --max-frame-size: must be a number of bytes, 1 or more, got '-5'"),
        (["--max-frame-size", "0"], "argument --max-frame-size: must be a number of bytes, 1 or more, got '0'"),
        (["--max-frame-size", "1 MB"], "argument --max-frame-size: must be a number of bytes, 1 or more, got '1 MB'"),
        (["--tcp", "99999"], "argument --tcp: a port is a number up to 65535, got '99999'"),
        (["--udp", "here:-1"], "argument --udp: a port is a number up to 65535, got '-1'"),
    ],
)
def test_the_command_refuses(options, text, capsys):
    with pytest.raises(SystemExit) as caught:
        serve(options)
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {text}\n")


def test_the_package_has_it_and_imports_it_when_asked():
    code = "import sys, femtolog; print('femtolog.server' in sys.modules, 'LogServer' in dir(femtolog), femtolog.LogServer)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False True <class 'femtolog.server.LogServer'>\n"
