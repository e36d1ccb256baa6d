"""enqueue(overflow="spill"): what has no room in memory waits on disk, in order, and outlives its process."""

import enum
import gc
import io
import json
import logging
import os
import pathlib
import signal
import stat
import struct
import subprocess
import sys
import textwrap
import threading
import weakref
import zlib

import pytest
from gate import Gate

import femtolog
from femtolog import femto

COUNT = int(os.environ.get("FEMTOLOG_STRESS_RECORDS", "400"))
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork, signals and limits of files are POSIX's")


pytestmark = pytest.mark.usefixtures("tier")
BOTH = pytest.mark.parametrize("tier", ["installed", "stdlib"], indirect=True)


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def handlers():
    made = []
    yield made
    for handler in made:
        getattr(handler, "stream", None).__class__ is Gate and handler.stream.opened.set()
        handler.close()


def spilling(handlers, spool, sink=None, **options):
    """A logger, its handler of five records, which spills, and the stream that the handler's worker hangs in unless one is given."""
    sink = Gate() if sink is None else sink
    handler = femtolog.enqueue(logging.StreamHandler(sink), capacity=5, overflow="spill", spill_dir=spool, **options)
    handlers.append(handler)
    logger = logging.Logger("spill")
    logger.addHandler(handler)
    return logger, handler, sink


def account(handler, **expected):
    """What is not named must be 0; it must add up."""
    stats = handler.stats()
    assert stats["emitted"] == stats["written"] + stats["failed"] + stats["dropped"] + stats["in_flight"]
    assert stats["dropped"] == sum(stats["dropped_by"].values())
    names = ("written", "failed", "in_flight", "spilled", "recovered", "on_disk")
    found = {name: stats[name] for name in names} | stats["dropped_by"]
    assert {name: count for name, count in found.items() if count} == expected


def lines(numbers):
    return [f"line {number}" for number in numbers]


def log_lines(logger, numbers):
    for number in numbers:
        logger.warning("line %d", number)


def log_longer_lines(logger, numbers):
    """Each longer than the one before, by more than its times may be shorter: where one has no room, no later one has."""
    for number in numbers:
        logger.warning("line %d%s", number, " " * 20 * number)


def segments(spool):
    return sorted(spool.glob("*.records"))


def run(program, *arguments, status=0):
    """Runs a program in a process of its own; gives what it prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout


# ---- order and account


@BOTH
def test_what_has_no_room_comes_after_what_has(handlers, spool):
    logger, handler, gate = spilling(handlers, spool)
    log_lines(logger, range(100))
    account(handler, in_flight=100, spilled=95, on_disk=95)
    gate.opened.set()
    assert handler.flush(10)
    assert gate.lines() == lines(range(100))
    account(handler, written=100, spilled=95)
    assert segments(spool) == []
    log_lines(logger, range(3))
    assert handler.flush(10)
    account(handler, written=103, spilled=95)


@BOTH
def test_threads_keep_their_order_through_memory_and_disk(handlers, spool):
    logger, handler, out = spilling(handlers, spool, io.StringIO())
    work = [threading.Thread(target=log_lines, args=(logger, range(first, first + COUNT))) for first in (0, 10**6)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert handler.flush(60)
    written = out.getvalue().splitlines()
    assert [line for line in written if len(line) < 12] == lines(range(COUNT))
    assert [line for line in written if len(line) == 12] == lines(range(10**6, 10**6 + COUNT))
    assert handler.stats()["written"] == 2 * COUNT
    assert segments(spool) == []


def test_a_sink_that_logs_to_itself_does_not_wait(handlers, spool):
    class Talkative(io.StringIO):
        def write(self, text):
            if text.startswith("line"):
                for _ in range(10):
                    logger.warning("more")
            return super().write(text)

    logger, handler, out = spilling(handlers, spool, Talkative())
    log_lines(logger, range(2))
    while handler.stats()["in_flight"]:
        assert handler.flush(10)
    assert sorted(out.getvalue().splitlines()) == sorted(lines(range(2)) + ["more"] * 20)


def test_a_handler_lives_while_records_of_it_are_on_disk(spool):
    gate = Gate()
    handler = femtolog.enqueue(logging.StreamHandler(gate), capacity=1, overflow="spill", spill_dir=spool)
    handler.handle(logging.makeLogRecord({"msg": "one"}))
    assert gate.entered.wait(10)
    handler.handle(logging.makeLogRecord({"msg": "two"}))
    alive = weakref.ref(handler)
    del handler
    gc.collect()
    assert alive() is not None
    gate.opened.set()
    while alive() is not None:
        gc.collect()
    assert gate.lines() == ["one", "two"]


# ---- what is kept of a record


class Weight(enum.IntEnum):
    HEAVY = 7


class Unspeakable:
    def __str__(self):
        raise ZeroDivisionError


class Collecting(logging.Handler):
    """Keeps the records, and what is formatted of them; stands still as a Gate does."""

    def __init__(self):
        super().__init__()
        self.gate, self.seen = Gate(), []

    def emit(self, record):
        self.gate.write("")
        self.seen.append((self.format(record), record))


@BOTH
def test_a_record_comes_back_as_it_was(handlers, spool):
    sink = Collecting()
    sink.setFormatter(logging.Formatter("%(message)s|%(asctime)s"))
    handler = femtolog.enqueue(sink, capacity=1, overflow="spill", spill_dir=spool)
    handlers.append(handler)
    logger = logging.Logger("spill")
    logger.addHandler(handler)
    circle = []
    circle.append(circle)
    extra = {"plain": [1, 2.5, None, "é\udc80"], "object": Weight, "number": Weight.HEAVY, "pair": (1, 2), "odd": {(1, 2): 3}}
    made = []
    logger.addFilter(lambda record: made.append(dict(vars(record))) or True)
    try:
        raise KeyError("gone")
    except KeyError:
        for huge in (1, 10**5000):  # a number that is too long to be printed
            logger.error(
                "%s of %r",
                "é\udc80",
                [1],
                exc_info=True,
                stack_info=True,
                extra=extra | {"n": huge, "bad": Unspeakable(), "o": circle},
            )
    logger.error("and %d", "not a number")
    account(handler, in_flight=3, spilled=2, on_disk=2)
    sink.gate.opened.set()
    assert handler.flush(10) is False  # that one cannot be formatted
    for (text, record), before in zip(sink.seen, made, strict=False):
        assert text.startswith(f"é\udc80 of [1]|{record.asctime}\nTraceback")
        assert text.endswith(record.stack_info)
        assert "KeyError: 'gone'" in record.exc_text
        for name in before.keys() - {"args", "msg", "exc_info", "exc_text", "message", "asctime", "n", "o", *extra, "bad"}:
            assert getattr(record, name) == before[name], name
    (_, first), (_, second) = sink.seen
    assert (second.msg, second.args, second.exc_info) == ("é\udc80 of [1]", (), None)
    assert (second.plain, second.number, second.object) == (extra["plain"], 7, str(Weight))
    assert (second.pair, second.odd, second.bad, second.o) == ([1, 2], str(extra["odd"]), "<Unspeakable>", str(circle))
    assert second.n == "<int>"
    assert first.n == 1


def test_what_a_format_gives_that_is_no_text_is_made_again(handlers, spool):
    class Pairs(logging.Formatter):
        def format(self, record):
            return record.levelname, record.getMessage()

    sink = Collecting()
    sink.setFormatter(Pairs())
    handler = femtolog.enqueue(sink, capacity=1, overflow="spill", spill_dir=spool)
    handlers.append(handler)
    for number in range(3):
        handler.handle(logging.makeLogRecord({"msg": "line %d", "args": (number,), "levelname": "INFO"}))
    sink.gate.opened.set()
    assert handler.flush(10)
    assert [text for text, _ in sink.seen] == [("INFO", line) for line in lines(range(3))]


# ---- what outlives a process


def test_close_leaves_on_disk_what_it_cannot_write(handlers, spool, capsys):
    logger, handler, gate = spilling(handlers, spool, timeout=0.01)
    log_lines(logger, range(1))
    assert gate.entered.wait(10)
    log_lines(logger, range(1, 20))
    handler.close()
    account(handler, in_flight=20, spilled=19, on_disk=19)
    assert capsys.readouterr().err == ""
    gate.opened.set()
    vars(handler)["_femtolog_pipeline"].worker.join(10)  # so long the directory is its own
    account(handler, written=1, in_flight=19, spilled=19, on_disk=19)
    logger, after, out = spilling(handlers, spool, io.StringIO())
    account(after, in_flight=19, recovered=19, on_disk=19)
    assert after.flush(10)
    assert out.getvalue().splitlines() == lines(range(1, 20))
    account(after, written=19, recovered=19)


def test_close_with_the_time_over_leaves_what_the_worker_had(handlers, spool):
    logger, handler, out = spilling(handlers, spool, io.StringIO(), timeout=0)
    with handler.lock:
        log_lines(logger, range(20))
        handler.close()
        account(handler, in_flight=20, spilled=20, on_disk=20)
    assert out.getvalue() == ""
    logger, after, out = spilling(handlers, spool, io.StringIO())
    log_lines(logger, [20])
    after.close()
    assert out.getvalue().splitlines() == lines(range(21))
    account(after, written=21, recovered=20, spilled=after.stats()["spilled"])


KILLED = """
    import logging, os, signal, sys, threading, femtolog
    sys.path.append(sys.argv[1])
    from gate import Gate
    femtolog.install()
    spool, output, count = sys.argv[2], sys.argv[3], int(sys.argv[4])
    handler = logging.StreamHandler(Gate()) if output == "-" else logging.FileHandler(output)
    femtolog.enqueue(handler, capacity=50, overflow="spill", spill_dir=spool)
    log = logging.getLogger("l")
    log.addHandler(handler)
    if output != "-":
        handler.lock.acquire()
    for number in range(count):
        log.warning("line %d", number)
    if output != "-":
        handler.lock.release()
        while handler.stats()["written"] < count // 3:
            pass
    os.kill(os.getpid(), signal.SIGKILL)
    """

TESTS = pathlib.Path(__file__).parent


@POSIX
def test_a_kill_loses_nothing_that_was_spilled(handlers, spool):
    run(KILLED, TESTS, spool, "-", COUNT, status=-signal.SIGKILL)
    logger, handler, out = spilling(handlers, spool, io.StringIO())
    account(handler, in_flight=COUNT - 50, recovered=COUNT - 50, on_disk=COUNT - 50)
    log_lines(logger, [COUNT])
    assert handler.flush(60)
    assert out.getvalue().splitlines() == lines(range(50, COUNT + 1))
    handler.close()


@POSIX
def test_a_kill_in_the_middle_of_writing_repeats_a_batch_at_most(handlers, spool, tmp_path):
    run(KILLED, TESTS, spool, tmp_path / "log", COUNT, status=-signal.SIGKILL)
    before = (tmp_path / "log").read_text().splitlines()
    _, handler, out = spilling(handlers, spool, io.StringIO())
    left = handler.stats()["recovered"]
    assert handler.flush(60)
    assert out.getvalue().splitlines() == lines(range(COUNT - left, COUNT))
    assert before[: COUNT - left] == lines(range(COUNT - left))
    assert len(before) + left - COUNT <= 1024


def left_behind(handlers, spool, count):
    """So many lines that a handler has left on disk."""
    logger, handler, _ = spilling(handlers, spool, io.StringIO(), timeout=0)
    with handler.lock:
        log_lines(logger, range(count))
        handler.close()
    (path,) = (path for path in segments(spool) if path.stat().st_size > 1000) if count > 10 else segments(spool)
    return path


def test_a_torn_tail_is_skipped_and_counted(handlers, spool):
    path = left_behind(handlers, spool, 5)
    os.truncate(path, path.stat().st_size - 1)
    _, handler, out = spilling(handlers, spool, io.StringIO())
    account(handler, in_flight=5, recovered=5, on_disk=5)
    assert handler.flush(10)
    assert out.getvalue().splitlines() == lines(range(4))
    account(handler, written=4, recovered=5, damaged=1)


def test_an_entry_that_is_no_record_is_skipped_and_counted(handlers, spool):
    path = left_behind(handlers, spool, 3)
    content = path.read_bytes()
    with open(path, "wb") as file:
        file.write(content)
        for entry in (b"", b"\xff\xff\xff\xffno JSON", b"\xff\xff\xff\xff{}", b"\x50\0\0\0short"):
            place, length = struct.pack("<Q", file.tell()), struct.pack("<I", len(entry))
            file.write(b"\xf5\xf5lg" + length + struct.pack("<I", zlib.crc32(place + length + entry)) + entry)
    _, handler, out = spilling(handlers, spool, io.StringIO())
    account(handler, in_flight=7, recovered=7, on_disk=7)
    assert handler.flush(10)
    assert out.getvalue().splitlines() == lines(range(3))
    account(handler, written=3, recovered=7, damaged=4)


# ---- no room


def test_what_is_beyond_the_limit_is_dropped_and_the_others_are_not(handlers, spool, capsys):
    logger, handler, gate = spilling(handlers, spool, spill_max="64 KB")
    log_lines(logger, range(1))
    assert gate.entered.wait(10)  # from here on nothing makes room
    log_longer_lines(logger, range(1, 500))
    stats = handler.stats()
    dropped = stats["dropped_by"]["spill"]
    assert 0 < dropped < 500
    assert sum(path.stat().st_size for path in segments(spool)) <= 64_000
    assert "spill 1" in capsys.readouterr().err
    gate.opened.set()
    assert handler.flush(10)
    assert [line.rstrip() for line in gate.lines()] == lines(range(500 - dropped))
    account(handler, written=500 - dropped, spilled=495 - dropped, spill=dropped)


@POSIX
def test_a_full_disk_loses_the_record_that_has_no_room(spool):
    printed = run(
        """
        import io, logging, resource, signal, sys, femtolog
        logging.raiseExceptions = False
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        out = io.StringIO()
        handler = femtolog.enqueue(logging.StreamHandler(out), capacity=1, overflow="spill", spill_dir=sys.argv[1])
        log = logging.getLogger("l")
        log.addHandler(handler)
        handler.lock.acquire()
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
        for number in range(20):  # as log_longer_lines() does
            log.warning("line %d%s", number, " " * 20 * number)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        log.warning("line 20")
        handler.lock.release()
        print(handler.flush(10))
        stats = handler.stats()
        dropped = stats["dropped_by"]["spill"]
        written = [line.rstrip() for line in out.getvalue().splitlines()]
        expected = [f"line {number}" for number in (*range(20 - dropped), 20)]
        print(0 < dropped < 20, written == expected, stats["written"] + dropped)
        """,
        spool,
    )
    assert printed.split() == ["True", "True", "True", "21"]


# ---- processes


@POSIX
def test_a_forked_child_lets_go_of_nothing_that_a_closed_handler_had(handlers, spool):
    logger, handler, sink = spilling(handlers, spool)
    for _ in range(20):
        logger.warning("x")
    assert handler.stats()["on_disk"]
    sink.opened.set()
    handler.close()
    # Others get the numbers of its descriptors now.
    opened = [end for _ in range(8) for end in os.pipe()]
    child = os.fork()
    if child == 0:
        try:
            for descriptor in opened:
                os.fstat(descriptor)
        except OSError:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    for descriptor in opened:
        os.close(descriptor)


@POSIX
def test_a_forked_child_writes_no_line_of_its_parent_whoever_is_gone(spool, tmp_path):
    """The handler that spills is gone, but what belonged to it is not yet: that used to leave the others' queues to the child."""
    printed = run(
        """
        import logging, os, sys, femtolog
        femtolog.install()
        log = logging.getLogger("l")
        gone = femtolog.enqueue(logging.FileHandler(sys.argv[1] + ".gone"), overflow="spill", spill_dir=sys.argv[1])
        kept = gone._femtolog_pipeline
        gone.close()
        del gone
        assert kept.handler() is None
        handlers = [femtolog.enqueue(logging.FileHandler(f"{sys.argv[1]}.{number}")) for number in range(8)]
        for handler in handlers:
            log.addHandler(handler)
        for handler in handlers:
            handler.acquire()
        log.warning("parent")
        child = os.fork()
        if child == 0:
            log.warning("child")
            for handler in handlers:
                handler.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        for handler in handlers:
            handler.release()
            handler.close()
        for number in range(8):
            print(*open(f"{sys.argv[1]}.{number}").read().split())
        """,
        spool,
    )
    assert printed.splitlines() == ["child parent"] * 8


@POSIX
def test_a_forked_child_has_files_of_its_own(spool, tmp_path):
    printed = run(
        """
        import logging, os, sys, femtolog
        sys.path.append(sys.argv[1])
        femtolog.install()
        handler = logging.FileHandler(sys.argv[2] + ".log")
        femtolog.enqueue(handler, capacity=2, overflow="spill", spill_dir=sys.argv[2])
        log = logging.getLogger("l")
        log.addHandler(handler)
        handler.lock.acquire()
        for number in range(10):
            log.warning("parent %d", number)
        child = os.fork()
        if child == 0:
            handler.lock.acquire()
            for number in range(10):
                log.warning("child %d", number)
            print(handler.stats()["on_disk"], len(os.listdir(sys.argv[2])), flush=True)
            handler.lock.release()
            handler.close()
            print(handler.stats()["written"], flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        handler.lock.release()
        handler.close()
        print(handler.stats()["written"], flush=True)
        """,
        TESTS,
        spool,
    )
    assert printed.split() == ["8", "4", "10", "10"]
    written = (tmp_path / "spool.log").read_text().splitlines()
    assert written == [f"{who} {number}" for who in ("child", "parent") for number in range(10)]


@POSIX
def test_nobody_else_can_read_them(handlers, spool):
    path = left_behind(handlers, spool, 3)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.stat().st_mode) == 0o700
    assert b"line 2" in path.read_bytes()


# ---- options


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"overflow": "spill"}, ValueError, "spill_dir must be a directory with overflow='spill', got None"),
        ({"overflow": "spill", "spill_dir": 7}, TypeError, "spill_dir must be a path, got 7"),
        ({"overflow": "spill", "spill_dir": ""}, TypeError, "spill_dir must be a path, got ''"),
        ({"spill_dir": "x"}, ValueError, "overflow must be 'spill' with spill_dir='x', got 'block'"),
        ({"spill_max": 7}, ValueError, "overflow must be 'spill' with spill_max=7, got 'block'"),
        (
            {"overflow": "spill", "spill_dir": "x", "spill_max": "1 Gig"},
            ValueError,
            "spill_max must be a size such as '1 GiB', '500 MB' or '4096', got '1 Gig'",
        ),
        (
            {"overflow": "spill", "spill_dir": "x", "spill_max": 0},
            ValueError,
            "spill_max must be at least 1 byte and less than 8 EiB, got 0",
        ),
        ({"overflow": "spill", "spill_dir": "x", "spill_max": True}, TypeError, "spill_max must be an int or a str, got True"),
    ],
)
def test_options_that_cannot_be(options, error, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handler = logging.StreamHandler()
    with pytest.raises(error) as caught:
        femtolog.enqueue(handler, **options)
    assert str(caught.value) == text
    assert type(handler) is logging.StreamHandler
    assert list(tmp_path.iterdir()) == []


def test_sizes(tmp_path):
    from femtolog._spill import size_of

    sizes = [size_of("x", text) for text in (5, "5", " 5 b", "5kb", "5 KiB", "2 MB", "1 GiB", "1tib")]
    assert sizes == [5, 5, 5, 5000, 5120, 2_000_000, 1 << 30, 1 << 40]


def test_a_directory_is_of_one_handler(handlers, spool, tmp_path):
    spilling(handlers, spool)
    with pytest.raises(ValueError, match=r"spill_dir must be no other handler's, got .*which is that of <StreamHandler"):
        spilling(handlers, spool)
    (tmp_path / "file").touch()
    with pytest.raises(femtolog.errors.HandlerIOError, match="spill_dir must be a directory to write to, got"):
        spilling(handlers, tmp_path / "file")


def test_by_configuration(handlers, spool, tmp_path):
    config = {"class": "logging.StreamHandler", "enqueue": {"overflow": "spill", "spill_dir": str(spool), "spill_max": "1 MiB"}}
    femtolog.dictConfig({"version": 1, "handlers": {"h": config}, "loggers": {"spill.configured": {"handlers": ["h"]}}})
    logger = logging.getLogger("spill.configured")
    handlers.extend(logger.handlers)
    assert (spool / "0.records.lock").exists()
    logger.handlers = [logging.StreamHandler(io.StringIO()), logging.StreamHandler(io.StringIO())]
    with pytest.raises(ValueError, match=r"spill_dir must be one handler's own, and .* would share it"):
        femtolog.configure(async_=True, overflow="spill", spill_dir=tmp_path / "other")
    logger.handlers = []


def test_the_policy_of_femto_handlers(handlers, spool, tmp_path):
    policy = femto.OverflowPolicy.spill(spool, "1 MiB")
    assert policy == "spill"
    assert policy == femto.OverflowPolicy.spill(spool, "1 MiB")
    assert policy != femto.OverflowPolicy.spill(spool)
    handler = femto.FemtoFileHandler(tmp_path / "log", capacity=5, policy=policy)
    with handler.lock:
        for number in range(20):
            handler.handle("name", "INFO", f"line {number}")
        assert handler.stats()["spilled"] == 15
    handler.close()
    assert (tmp_path / "log").read_text().splitlines() == [f"name [INFO] {line}" for line in lines(range(20))]
    for policy in ("spill", femto.OverflowPolicy.spill(spool)):
        with pytest.raises(
            ValueError, match=r"policy must be OverflowPolicy.spill\(directory\), for a handler of a stream or file"
        ):
            femto.FemtoSocketHandler(policy=policy)
    with pytest.raises(ValueError, match="spill_max must be a size"):
        femto.OverflowPolicy.spill(spool, "much")


def test_json_is_all_that_is_read_back(handlers, spool):
    path = left_behind(handlers, spool, 1)
    content = path.read_bytes()
    entry = content[content.index(b"line 0") + len("line 0") :]
    assert json.loads(entry)["record"]["msg"] == "line 0"
