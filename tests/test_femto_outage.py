"""Handlers while their peer is away: what goes to the spool is sent later, in order; what goes to the fallback is there at once."""

import contextlib
import http.server
import json
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import msgpack
import pytest

import femtolog
from femtolog import femto

COUNT = int(os.environ.get("FEMTOLOG_STRESS_RECORDS", "300"))
OUTAGE = float(os.environ.get("FEMTOLOG_OUTAGE_SECONDS", "2"))
PACE = 1000  # records a second, in an outage of so many seconds
QUICK = {"base_ms": 10, "cap_ms": 20, "deadline_ms": 50}
pytestmark = pytest.mark.usefixtures("tier")
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork and signals are POSIX's")


@pytest.fixture
def nobody():
    """A socket that has a port and does not listen yet."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its port is for another one after it
        made.bind(("127.0.0.1", 0))
        made.settimeout(30)
        yield made


class Frames:
    """A peer over TCP."""

    made, builder, options = femto.FemtoSocketHandler, femto.SocketHandlerBuilder, {}

    def __init__(self, listening):
        self.listening = listening

    def where(self):
        host, port = self.listening.getsockname()
        return {"host": host, "port": port}

    def received(self, count):
        """The messages of so many records, over as many connections as it takes."""
        self.listening.listen()
        messages = []
        while len(messages) < count:
            with contextlib.closing(self.listening.accept()[0]) as connection, connection.makefile("rb") as stream:
                while len(messages) < count and (length := stream.read(4)):
                    messages.append(msgpack.unpackb(stream.read(int.from_bytes(length, "big")))["message"])
        return messages


class Requests(Frames):
    """A peer by HTTP, with batches that wait for ten records for longer than a test takes."""

    made, builder = femto.FemtoHTTPHandler, femto.HTTPHandlerBuilder
    options = {"batch": {"max_records": 10, "max_wait_ms": 600_000}}

    def where(self):
        host, port = self.listening.getsockname()
        return {"url": f"http://{host}:{port}/in"}

    def received(self, count, statuses=()):
        """The same; first there are answers with these statuses."""
        messages, statuses = [], list(statuses)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = statuses.pop(0) if statuses else 200
                if status == 200:
                    messages.extend(record["msg"] for record in json.loads(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.HTTPServer(self.listening.getsockname(), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = self.listening
        server.server_activate()
        while len(messages) < count:
            server.handle_request()
        return messages


@pytest.fixture(params=[Frames, Requests])
def peer(request, nobody):
    return request.param(nobody)


@pytest.fixture
def make(peer, tmp_path):
    made = []

    def new(**options):
        handler = peer.made(**peer.where(), capacity=10, **{"backoff": QUICK} | peer.options | options)
        made.append(handler)
        logger = logging.Logger("outage")
        logger.addHandler(handler)
        return logger, handler

    new.replay = lambda **options: new(replay=True, spool_dir=tmp_path / "spool", **options)
    yield new
    for handler in made:
        handler.close()


class Collecting(logging.Handler):
    """Keeps messages."""

    def __init__(self, level=0):
        super().__init__(level)
        self.seen = []

    def emit(self, record):
        self.seen.append(record.getMessage())


def lines(numbers):
    return [f"line {number}" for number in numbers]


def log_lines(logger, numbers):
    for number in numbers:
        logger.warning("line %d", number)


def account(handler, **expected):
    """What is not named must be 0; it must add up."""
    stats = handler.stats()
    assert stats["emitted"] == stats["written"] + stats["failed"] + stats["dropped"] + stats["in_flight"]
    names = ("written", "failed", "in_flight", "recovered", "on_disk", "fallback")
    found = {name: stats[name] for name in names} | stats["dropped_by"]
    assert {name: count for name, count in found.items() if count} == expected


def wait_for(condition):
    while not condition():
        pass


# ---- replay


def test_an_outage_loses_nothing(make, peer):
    logger, handler = make.replay()
    log_lines(logger, range(COUNT))
    wait_for(lambda: handler.stats()["on_disk"] == COUNT)  # those of the queue, too: the deadline is over
    account(handler, in_flight=COUNT, on_disk=COUNT)
    assert handler.flush(0.01) is False
    log_lines(logger, range(COUNT, COUNT + 20))
    assert peer.received(COUNT + 20) == lines(range(COUNT + 20))
    assert handler.flush(30)
    account(handler, written=COUNT + 20)


def test_what_close_leaves_is_sent_by_the_next_one(make, peer, capsys):
    logger, handler = make.replay(backoff={"base_ms": 60_000, "cap_ms": 60_000})
    log_lines(logger, range(30))
    handler.close()
    account(handler, in_flight=30, on_disk=30)
    logger, handler = make.replay()
    account(handler, in_flight=30, on_disk=30, recovered=30)
    log_lines(logger, range(30, 40))
    assert peer.received(40) == lines(range(40))
    assert handler.flush(30)
    account(handler, written=40, recovered=30)
    assert capsys.readouterr().err == ""


@POSIX
def test_a_kill_in_an_outage_loses_nothing_that_is_on_disk(make, peer, tmp_path):
    program = """
        import json, logging, os, signal, sys, femtolog
        from femtolog import femto
        femtolog.install()
        kind, options, count = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
        handler = getattr(femto, kind)(capacity=10, replay=True, **options)
        log = logging.getLogger("l")
        log.addHandler(handler)
        for number in range(count):
            log.warning("line %d", number)
        while handler.stats()["on_disk"] < count:
            pass
        os.kill(os.getpid(), signal.SIGKILL)
        """
    options = peer.where() | peer.options | {"backoff": QUICK, "spool_dir": str(tmp_path / "spool")}
    arguments = [peer.made.__name__, json.dumps(options), str(COUNT)]
    killed = subprocess.run([sys.executable, "-P", "-c", textwrap.dedent(program), *arguments], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    logger, handler = make.replay()
    account(handler, in_flight=COUNT, on_disk=COUNT, recovered=COUNT)
    log_lines(logger, [COUNT])
    assert peer.received(COUNT + 1) == lines(range(COUNT + 1))


@POSIX
def test_a_forked_child_has_a_spool_of_its_own(make, peer):
    logger, handler = make.replay()
    log_lines(logger, range(50))
    child = os.fork()
    if child == 0:
        try:
            log_lines(logger, range(100, 130))
            handler.close()
            stats = handler.stats()
            os._exit(0 if (stats["emitted"], stats["on_disk"]) == (30, 30) else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert peer.received(50) == lines(range(50))
    assert handler.flush(30)
    handler.close()
    logger, handler = make.replay()
    account(handler, in_flight=30, on_disk=30, recovered=30)
    log_lines(logger, [130])
    assert peer.received(31) == lines(range(100, 131))


@POSIX
def test_a_child_of_multiprocessing_leaves_its_records_on_disk(make, peer):
    logger, handler = make.replay(backoff={"base_ms": 60_000, "cap_ms": 60_000})
    child = multiprocessing.get_context("fork").Process(target=log_lines, args=(logger, range(15)))
    child.start()
    child.join()
    assert child.exitcode == 0
    handler.close()
    logger, handler = make.replay()
    account(handler, in_flight=15, on_disk=15, recovered=15)
    log_lines(logger, [15])
    assert peer.received(16) == lines(range(16))


class Receiver:
    """Listens at an address and keeps the messages of all connections, until the handler is closed and has ended its own."""

    def __init__(self, address):
        self.messages, self.last = [], threading.Event()
        self.listening = socket.socket()
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listening.bind(address)
        self.listening.settimeout(30)
        self.thread = threading.Thread(target=self.receive, daemon=True)

    def start(self):
        self.listening.listen()
        self.thread.start()

    def receive(self):
        while not self.last.is_set():
            with self.listening.accept()[0] as connection, connection.makefile("rb") as stream:
                while length := stream.read(4):
                    self.messages.append(msgpack.unpackb(stream.read(int.from_bytes(length, "big")))["message"])
        self.listening.close()


@pytest.mark.timeout(300 + 3 * OUTAGE)
@pytest.mark.parametrize("peer", [Frames], indirect=True)
def test_an_outage_at_a_steady_pace_loses_nothing(make, peer, nobody):
    """1000 records/s for as long as the peer is away, and goes on when it is back: each arrives once, in order."""
    count = 0

    def log_for(seconds):
        nonlocal count
        begin = time.monotonic()
        for number in range(int(seconds * PACE)):
            time.sleep(max(0.0, begin + number / PACE - time.monotonic()))
            logger.warning("line %d", count)
            count += 1
        return time.monotonic() - begin

    logger, handler = make.replay()
    log_for(0.1)
    before = peer.received(count)
    assert handler.flush(30)
    nobody.close()
    receiver = Receiver(handler.target)  # has the port, and refuses connections until it is started
    took = log_for(OUTAGE)
    away = count - len(before)
    wait_for(lambda: handler.stats()["on_disk"] == away)
    account(handler, written=len(before), in_flight=away, on_disk=away)
    receiver.start()
    log_for(0.5)
    assert handler.flush(120 + OUTAGE)
    account(handler, written=count)
    receiver.last.set()
    handler.close()
    receiver.thread.join(60)
    assert before + receiver.messages == lines(range(count))
    print(f"away for {took:.1f} s: {away} records on disk, {count} received, {handler.stats()['connections']} connections")


# ---- fallback


def test_beyond_the_deadline_the_fallback_has_the_records(make, peer, capsys):
    fallback = Collecting(logging.WARNING)
    logger, handler = make(fallback=fallback)
    logger.info("too low")
    log_lines(logger, range(5))
    assert handler.flush(30) is False
    log_lines(logger, range(5, 8))
    assert handler.flush(30) is False
    assert fallback.seen == lines(range(8))
    account(handler, failed=9, fallback=9)
    back = []
    receiver = threading.Thread(target=lambda: back.extend(peer.received(1)))
    receiver.start()
    wait_for(lambda: logger.warning("back") or handler.flush(30))
    receiver.join()
    assert back == ["back"]
    assert "dropped" not in capsys.readouterr().err


def test_the_fallback_may_be_a_file(make, tmp_path):
    logger, handler = make(fallback=tmp_path / "fallback.log")
    assert not (tmp_path / "fallback.log").exists()
    log_lines(logger, range(3))
    handler.close()
    written = (tmp_path / "fallback.log").read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in written] == [f"WARNING outage {line}" for line in lines(range(3))]
    account(handler, failed=3, fallback=3)


def test_a_fallback_that_fails_does_not_end_it(make, capsys):
    class Failing(Collecting):
        def handle(self, record):
            super().handle(record)
            if record.getMessage() == "line 1":
                raise LookupError("broken")

    fallback = Failing()
    logger, handler = make(fallback=fallback)
    log_lines(logger, range(3))
    handler.close()
    assert fallback.seen == lines(range(3))
    account(handler, failed=3, fallback=2)
    assert "LookupError: broken" in capsys.readouterr().err


class Hanging(Collecting):
    """Stands still in its fourth record until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.entered, self.opened = threading.Event(), threading.Event()

    def emit(self, record):
        if len(self.seen) == 3:
            self.entered.set()
            assert self.opened.wait(60)
        super().emit(record)


@pytest.mark.parametrize("told", ["told", "raiseExceptions", "stderr"])
def test_what_a_slow_fallback_has_not_got_is_counted_and_told(make, capsys, monkeypatch, told):
    monkeypatch.setattr("femtolog.femto.peer.CLOSE_TIMEOUT", 0.2)
    if told != "told":
        monkeypatch.setattr(*((logging, "raiseExceptions", False) if told == "raiseExceptions" else (sys, "stderr", None)))
    fallback = Hanging()
    logger, handler = make(fallback=fallback)
    log_lines(logger, range(4))
    handler.flush(0.2)
    assert fallback.entered.wait(30)
    for number in range(4, 304, 5):  # more than are taken at once
        log_lines(logger, range(number, number + 5))
        wait_for(lambda number=number: handler.flush(0.01) or handler.stats()["failed"] == number + 5)
    handler.close()
    handler.close()
    expected = f"femtolog: {handler!r} has waited 0.2 s for its fallback: 301 records were not written to it\n"
    assert capsys.readouterr().err == (expected if told == "told" else "")
    account(handler, failed=304, fallback=3)
    assert handler.stats()["fallback_lost"] == 301
    thread = handler._aside.thread
    fallback.opened.set()
    thread.join(30)
    assert not thread.is_alive()
    assert fallback.seen == lines(range(4))  # none after the one in which it was
    account(handler, failed=304, fallback=3)
    assert handler.stats()["fallback_lost"] == 301


def test_a_fallback_that_is_slow_and_gets_all_has_lost_nothing(make, capsys):
    fallback = Hanging()
    logger, handler = make(fallback=fallback)
    log_lines(logger, range(8))
    handler.flush(0.2)
    assert fallback.entered.wait(30)
    fallback.opened.set()
    handler.close()
    assert fallback.seen == lines(range(8))
    account(handler, failed=8, fallback=8)
    assert handler.stats()["fallback_lost"] == 0
    assert capsys.readouterr().err == ""


def test_the_fallback_has_what_the_disk_does_not_take(make, peer):
    fallback = Collecting()
    logger, handler = make.replay(fallback=fallback, spool_max="16 KB")
    log_lines(logger, range(COUNT))
    handler.close()
    stats = handler.stats()
    assert (stats["dropped"], stats["fallback"] + stats["on_disk"]) == (0, COUNT)
    assert 0 < stats["fallback"] == len(fallback.seen) < COUNT
    logger, handler = make.replay()
    logger.warning("last")
    sent = peer.received(stats["on_disk"] + 1)
    assert sorted(sent[:-1] + fallback.seen) == sorted(lines(range(COUNT)))
    assert sent[:-1] == sorted(sent[:-1], key=lambda line: int(line.split()[1]))


# ---- options


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"replay": True}, ValueError, "spool_dir must be a directory with replay=True, got None"),
        ({"spool_dir": "x"}, ValueError, "replay must be True with spool_dir and spool_max, got False"),
        ({"spool_max": 5}, ValueError, "replay must be True with spool_dir and spool_max, got False"),
        ({"replay": True, "spool_dir": 7}, TypeError, "spool_dir must be a path, got 7"),
        (
            {"replay": True, "spool_dir": "x", "policy": "block"},
            ValueError,
            "policy must be left alone with replay=True, which keeps what has no room, got 'block'",
        ),
        ({"fallback": 7}, TypeError, "fallback must be a logging.Handler or a path, got 7"),
    ],
)
def test_options_that_cannot_be(options, error, text, peer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as caught:
        peer.made(**peer.where(), **options)
    assert str(caught.value) == text
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_of_one_handler(make, tmp_path):
    make.replay()
    with pytest.raises(ValueError, match=r"spool_dir must be no other handler's, got .*which is that of <Femto"):
        make.replay()
    (tmp_path / "file").touch()
    with pytest.raises(femtolog.errors.HandlerIOError, match="spool_dir must be a directory to write to, got"):
        make(replay=True, spool_dir=tmp_path / "file")


def test_by_configuration(peer, tmp_path):
    configured = peer.where() | {
        "class": f"femtolog.femto.{peer.made.__name__}",
        "replay": True,
        "spool_dir": str(tmp_path / "spool"),
        "fallback": "file",
    }
    config = {
        "version": 1,
        "handlers": {
            "a peer": configured,
            "file": {"class": "logging.FileHandler", "filename": str(tmp_path / "log"), "delay": True},
        },
        "loggers": {"outage.configured": {"handlers": ["a peer", "file"]}},
    }
    femtolog.dictConfig(config)
    logger = logging.getLogger("outage.configured")
    handler, fallback = logger.handlers
    logger.handlers = []
    assert handler._aside.fallback is fallback
    handler.close()
    builder = peer.builder()
    if peer.builder is femto.HTTPHandlerBuilder:
        builder.with_url(**peer.where())
    builder.with_replay(tmp_path / "spool", "1 MB").with_fallback(tmp_path / "fallback.log")
    told = builder.as_dict()
    assert (told["spool_dir"], told["spool_max"]) == (str(tmp_path / "spool"), "1 MB")
    assert told["fallback"] == str(tmp_path / "fallback.log")
    handler = builder.build()
    assert handler._aside.fallback.baseFilename == told["fallback"]
    handler.close()


# ---- by HTTP alone

BY_HTTP = pytest.mark.parametrize("peer", [Requests], indirect=True)


@BY_HTTP
def test_a_server_that_cannot_now_gets_it_later(make, peer):
    logger, handler = make.replay()
    log_lines(logger, range(COUNT))
    assert peer.received(COUNT, statuses=[503] * 20) == lines(range(COUNT))
    assert handler.flush(30)
    account(handler, written=COUNT)


@BY_HTTP
def test_what_is_on_disk_for_other_requests_stays_there(make):
    single = {"batch": None}
    for options in ({}, {"batch": {"layout": "ndjson"}}, single | {"format": "json"}, single | {"method": "GET"}, single):
        logger, handler = make.replay(**options)
        account(handler)
        log_lines(logger, range(3))
        handler.close()
        account(handler, in_flight=3, on_disk=3)
    _, handler = make.replay(**single)
    account(handler, in_flight=3, on_disk=3, recovered=3)


@BY_HTTP
@pytest.mark.parametrize("options", [{"batch": None}, {"method": "GET", "batch": None}, {}, {"batch": {"layout": "ndjson"}}])
def test_the_fallback_gets_the_record_that_was_logged(make, options):
    class Keeping(Collecting):
        def emit(self, record):
            self.seen.append(record)

    fallback = Keeping()
    logger, handler = make(fallback=fallback, **options)
    records = Keeping()
    logger.addHandler(records)
    try:
        raise ValueError("no stock")
    except ValueError:
        logger.warning("é & %s,\n", "=", extra={"shelf": "4"}, exc_info=True)
    handler.close()
    (got,), (logged,) = fallback.seen, records.seen
    same = (
        "name",
        "levelname",
        "levelno",
        "created",
        "pathname",
        "filename",
        "lineno",
        "module",
        "thread",
        "threadName",
        "shelf",
    )
    assert [getattr(got, name) for name in same] == [getattr(logged, name) for name in same]
    assert got.getMessage() == logged.getMessage()
    error = got.extra_exc_info
    assert (json.loads(error) if isinstance(error, str) else error)["message"] == "no stock"


@BY_HTTP
@pytest.mark.parametrize(
    ("options", "text", "attributes"),
    [
        ({"record_fields": ["msg"]}, "open", {}),
        ({"transform": lambda records: [{"text": "shut", "lineno": "?"}]}, '{"text":"shut","lineno":"?"}', {"text": "shut"}),
        ({"transform": lambda records: [{"text": "a b"}], "batch": None}, "text=a+b", {"text": "a b"}),
    ],
)
def test_the_fallback_gets_what_would_be_sent(make, options, text, attributes):
    fallback = logging.Handler(logging.INFO)
    fallback.emit = lambda record: seen.append(record)
    seen = []
    logger, handler = make(fallback=fallback, **options)
    logger.error("open")
    handler.close()
    (record,) = seen
    assert (record.getMessage(), record.levelname, record.name, record.lineno) == (text, "INFO", "root", 0)
    assert {name: getattr(record, name) for name in attributes} == attributes
    account(handler, failed=1, fallback=1)
