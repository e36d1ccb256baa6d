"""FemtoSocketHandler while its peer is away: what goes to the spool is sent later, in order; what goes to the fallback is there at once."""

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap

import msgpack
import pytest

import femtolog
from femtolog import femto

COUNT = int(os.environ.get("FEMTOLOG_STRESS_RECORDS", "300"))
QUICK = {"base_ms": 10, "cap_ms": 20, "deadline_ms": 50}
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork and signals are POSIX's")


@pytest.fixture(autouse=True)
def tier():
    with femtolog.installed():
        yield


@pytest.fixture
def nobody():
    """A socket that has a port and does not listen yet."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(30)
        yield made


@pytest.fixture
def make(nobody, tmp_path):
    made = []

    def new(**options):
        handler = femto.FemtoSocketHandler(*nobody.getsockname(), capacity=10, **{"backoff": QUICK} | options)
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


def received(nobody, count):
    """The messages of so many frames, over as many connections as it takes."""
    nobody.listen()
    messages = []
    while len(messages) < count:
        with contextlib.closing(nobody.accept()[0]) as connection, connection.makefile("rb") as stream:
            while len(messages) < count and (length := stream.read(4)):
                messages.append(msgpack.unpackb(stream.read(int.from_bytes(length, "big")))["message"])
    return messages


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


def test_an_outage_loses_nothing(make, nobody):
    logger, handler = make.replay()
    log_lines(logger, range(COUNT))
    wait_for(lambda: handler.stats()["on_disk"] == COUNT)  # those of the queue, too: the deadline is over
    account(handler, in_flight=COUNT, on_disk=COUNT)
    assert handler.flush(0.01) is False
    log_lines(logger, range(COUNT, COUNT + 20))
    assert received(nobody, COUNT + 20) == lines(range(COUNT + 20))
    assert handler.flush(30)
    account(handler, written=COUNT + 20)


def test_what_close_leaves_is_sent_by_the_next_one(make, nobody, capsys):
    logger, handler = make.replay(backoff={"base_ms": 60_000, "cap_ms": 60_000})
    log_lines(logger, range(30))
    handler.close()
    account(handler, in_flight=30, on_disk=30)
    logger, handler = make.replay()
    account(handler, in_flight=30, on_disk=30, recovered=30)
    log_lines(logger, range(30, 40))
    assert received(nobody, 40) == lines(range(40))
    assert handler.flush(30)
    account(handler, written=40, recovered=30)
    assert capsys.readouterr().err == ""


@POSIX
def test_a_kill_in_an_outage_loses_nothing_that_is_on_disk(make, nobody, tmp_path):
    program = """
        import logging, os, signal, sys, femtolog
        from femtolog.femto import FemtoSocketHandler
        femtolog.install()
        port, spool, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
        backoff = {"base_ms": 10, "cap_ms": 20, "deadline_ms": 50}
        handler = FemtoSocketHandler("127.0.0.1", port, capacity=10, backoff=backoff, replay=True, spool_dir=spool)
        log = logging.getLogger("l")
        log.addHandler(handler)
        for number in range(count):
            log.warning("line %d", number)
        while handler.stats()["on_disk"] < count:
            pass
        os.kill(os.getpid(), signal.SIGKILL)
        """
    arguments = [str(nobody.getsockname()[1]), str(tmp_path / "spool"), str(COUNT)]
    killed = subprocess.run([sys.executable, "-P", "-c", textwrap.dedent(program), *arguments], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    logger, handler = make.replay()
    account(handler, in_flight=COUNT, on_disk=COUNT, recovered=COUNT)
    log_lines(logger, [COUNT])
    assert received(nobody, COUNT + 1) == lines(range(COUNT + 1))


@POSIX
def test_a_forked_child_has_a_spool_of_its_own(make, nobody):
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
    assert received(nobody, 50) == lines(range(50))
    assert handler.flush(30)
    handler.close()
    logger, handler = make.replay()
    account(handler, in_flight=30, on_disk=30, recovered=30)
    log_lines(logger, [130])
    assert received(nobody, 31) == lines(range(100, 131))


@POSIX
def test_a_child_of_multiprocessing_leaves_its_records_on_disk(make, nobody):
    logger, handler = make.replay(backoff={"base_ms": 60_000, "cap_ms": 60_000})
    child = multiprocessing.get_context("fork").Process(target=log_lines, args=(logger, range(15)))
    child.start()
    child.join()
    assert child.exitcode == 0
    handler.close()
    logger, handler = make.replay()
    account(handler, in_flight=15, on_disk=15, recovered=15)
    log_lines(logger, [15])
    assert received(nobody, 16) == lines(range(16))


# ---- fallback


def test_beyond_the_deadline_the_fallback_has_the_records(make, nobody, capsys):
    fallback = Collecting(logging.WARNING)
    logger, handler = make(fallback=fallback)
    logger.info("too low")
    log_lines(logger, range(5))
    assert handler.flush(30) is False
    log_lines(logger, range(5, 8))
    assert handler.flush(30) is False
    assert fallback.seen == lines(range(8))
    account(handler, failed=9, fallback=9)
    nobody.listen()
    wait_for(lambda: logger.warning("back") or handler.flush(30) or handler.stats()["connected"])
    assert handler.flush(30)
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


def test_the_fallback_has_what_the_disk_does_not_take(make, nobody):
    fallback = Collecting()
    logger, handler = make.replay(fallback=fallback, spool_max="16 KB")
    log_lines(logger, range(COUNT))
    handler.close()
    stats = handler.stats()
    assert (stats["dropped"], stats["fallback"] + stats["on_disk"]) == (0, COUNT)
    assert 0 < stats["fallback"] == len(fallback.seen) < COUNT
    logger, handler = make.replay()
    logger.warning("last")
    sent = received(nobody, stats["on_disk"] + 1)
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
def test_options_that_cannot_be(options, error, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as caught:
        femto.FemtoSocketHandler(**options)
    assert str(caught.value) == text
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_of_one_handler(make, tmp_path):
    make.replay()
    with pytest.raises(ValueError, match=r"spool_dir must be no other handler's, got .*which is that of <FemtoSocketHandler"):
        make.replay()
    (tmp_path / "file").touch()
    with pytest.raises(femtolog.errors.HandlerIOError, match="spool_dir must be a directory to write to, got"):
        make(replay=True, spool_dir=tmp_path / "file")


def test_by_configuration(tmp_path):
    peer = {
        "class": "femtolog.femto.FemtoSocketHandler",
        "replay": True,
        "spool_dir": str(tmp_path / "spool"),
        "fallback": "file",
    }
    config = {
        "version": 1,
        "handlers": {"a peer": peer, "file": {"class": "logging.FileHandler", "filename": str(tmp_path / "log"), "delay": True}},
        "loggers": {"outage.configured": {"handlers": ["a peer", "file"]}},
    }
    femtolog.dictConfig(config)
    logger = logging.getLogger("outage.configured")
    handler, fallback = logger.handlers
    logger.handlers = []
    assert handler._aside.fallback is fallback
    handler.close()
    builder = femto.SocketHandlerBuilder().with_replay(tmp_path / "spool", "1 MB").with_fallback(tmp_path / "fallback.log")
    told = builder.as_dict()
    assert (told["spool_dir"], told["spool_max"]) == (str(tmp_path / "spool"), "1 MB")
    assert told["fallback"] == str(tmp_path / "fallback.log")
    handler = builder.build()
    assert handler._aside.fallback.baseFilename == told["fallback"]
    handler.close()
