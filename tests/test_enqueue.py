"""femtolog.enqueue(): what an asynchronous handler writes is what it would have written, and every record is accounted for."""

import asyncio
import contextlib
import gc
import io
import logging
import logging.handlers
import math
import os
import pathlib
import queue
import socket
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
from gate import Gate

import femtolog
from femtolog import _callbacks
from femtolog._live import each

REASONS = ("overflow", "timeout", "interrupted", "reentrant", "closed")


NATIVE = pytest.mark.skipif(
    femtolog._native.raw_layout() not in ("raw", "parallel"), reason="without raw reads the caller's part is Python code"
)
pytestmark = pytest.mark.usefixtures("tier")
BOTH = pytest.mark.parametrize("tier", ["installed", "stdlib"], indirect=True)


@pytest.fixture
def logger():
    made = logging.Logger("async")
    yield made
    for handler in made.handlers:
        with contextlib.suppress(OSError):  # what a full device still has in its buffer
            handler.close()


def stopped(logger, **options):
    """An asynchronous handler whose worker hangs in its first record, "first"."""
    gate = Gate()
    handler = femtolog.enqueue(logging.StreamHandler(gate), **options)
    logger.addHandler(handler)
    logger.info("first")
    assert gate.entered.wait(10)
    return gate, handler


def account(handler, **expected):
    """Compares the ledger: what is not named must be 0; it must add up."""
    stats = handler.stats()
    assert stats["emitted"] == stats["written"] + stats["failed"] + stats["dropped"] + stats["in_flight"]
    reasons = {reason: expected.pop(reason, 0) for reason in REASONS}
    assert stats["dropped_by"] == reasons
    assert stats["dropped"] == sum(reasons.values())
    assert {name: stats[name] for name in ("written", "failed", "in_flight")} == {
        name: expected.get(name, 0) for name in ("written", "failed", "in_flight")
    }


def run(program, *, timeout=60):
    """Runs a program in a process of its own; gives its output."""
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


# ---- what is written


def all_kinds(logger):
    """Calls of every kind, some of whose arguments change right after."""
    state = [1]
    logger.info("plain")
    logger.warning("%s and %d", "text", 7)
    logger.info("list %s", state)
    state.append(2)
    mapping = {"a": 1}
    logger.info("mapping %(a)s", mapping)
    mapping["a"] = 2
    logger.info({"an": "object"})
    logger.info(state)
    state.append(3)
    logger.info("extra", extra={"key": "value"})
    try:
        raise LookupError("gone")
    except LookupError:
        logger.exception("failed %s", state)
    logger.info("ünïcödé \N{SNOWMAN}")
    logger.error("")


@BOTH
@pytest.mark.parametrize("kind", ["stream", "file", "rotating", "watched"])
@pytest.mark.parametrize("fmt", [None, "%(levelname)s %(threadName)s %(process)d %(funcName)s %(lineno)d %(message)s"])
def test_the_same_lines_as_a_synchronous_handler(tmp_path, kind, fmt):
    texts = []
    for name in ("synchronous", "asynchronous"):
        path, out = tmp_path / name, io.StringIO()
        handler = {
            "stream": lambda out=out, path=path: logging.StreamHandler(out),
            "file": lambda out=out, path=path: logging.FileHandler(path, encoding="utf-8"),
            "rotating": lambda out=out, path=path: logging.handlers.RotatingFileHandler(
                path, maxBytes=300, backupCount=50, encoding="utf-8"
            ),
            "watched": lambda out=out, path=path: logging.handlers.WatchedFileHandler(path, encoding="utf-8"),
        }[kind]()
        handler.setFormatter(logging.Formatter(fmt))
        if name == "asynchronous":
            femtolog.enqueue(handler)
        logger = logging.Logger("async")
        logger.addHandler(handler)
        all_kinds(logger)
        handler.close()
        files = sorted(tmp_path.glob(name + "*"))
        texts.append(
            [out.getvalue(), *[file.read_text("utf-8") for file in files], [len(file.name) - len(name) for file in files]]
        )
    assert texts[0] == texts[1]


def test_the_handler_stays_what_it_was(tmp_path):
    class Own(logging.FileHandler):
        """Mine."""

    handler = Own(tmp_path / "log")
    formatter, wanted = logging.Formatter("%(message)s!"), lambda record: "no" not in record.getMessage()
    handler.setFormatter(formatter)
    handler.addFilter(wanted)
    handler.setLevel(logging.INFO)
    handler.set_name("mine")
    before = repr(handler)
    assert femtolog.enqueue(handler) is handler
    assert isinstance(handler, Own)
    assert (repr(handler), type(handler).__name__, type(handler).__doc__) == (before, "Own", "Mine.")
    assert (handler.formatter, handler.filters, handler.level, handler.name) == (formatter, [wanted], logging.INFO, "mine")
    logger = logging.Logger("async")
    logger.addHandler(handler)
    for text in ("yes", "no", "yes again"):
        logger.info(text)
    logger.debug("below")
    handler.close()
    assert (tmp_path / "log").read_text() == "yes!\nyes again!\n"
    account(handler, written=2)
    logger.info("afterwards")
    assert (tmp_path / "log").read_text().endswith("afterwards!\n")
    handler.close()


@BOTH
def test_a_record_without_a_level_is_written():
    handler = femtolog.enqueue(logging.StreamHandler(io.StringIO()))
    assert handler.handle(logging.makeLogRecord({"msg": "made by hand"}))
    handler.close()
    assert handler.stream.getvalue() == "made by hand\n"


def test_handlers_that_use_the_record_get_all_of_it(logger):
    seen = []

    class Own(logging.Handler):
        def emit(self, record):
            seen.append((record.msg, record.args, record.key, record.exc_info and record.exc_info[0], record.getMessage()))
            seen.append(threading.current_thread().name == record.threadName)

    handler = femtolog.enqueue(Own())
    logger.addHandler(handler)
    changing = []
    logger.info("template %s", "x", extra={"key": 1})
    logger.info("template %s", changing, extra={"key": 2})
    changing.append(1)
    try:
        raise KeyError
    except KeyError:
        logger.info("e", extra={"key": 3}, exc_info=True)
    assert handler.flush()
    assert seen[0::2] == [
        ("template %s", ("x",), 1, None, "template x"),
        ("template []", (), 2, None, "template []"),
        ("e", (), 3, KeyError, "e"),
    ]
    assert not any(seen[1::2])


def test_four_threads_lose_nothing_and_keep_their_order(tmp_path):
    count = int(os.environ.get("FEMTOLOG_STRESS_RECORDS", 20_000)) // 4
    handler = femtolog.enqueue(logging.FileHandler(tmp_path / "log"))
    logger = logging.Logger("async")
    logger.addHandler(handler)

    def work(thread):
        for number in range(count):
            logger.info("%d %d", thread, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert handler.flush()
    account(handler, written=4 * count)
    last = [-1] * 4
    for line in (tmp_path / "log").read_text().splitlines():
        thread, number = map(int, line.split())
        assert number == last[thread] + 1
        last[thread] = number
    assert last == [count - 1] * 4
    assert handler.stats()["queue_high_water"] <= 1024
    handler.close()


@pytest.mark.parametrize("policy", ["block", "drop", "drop_oldest", "timeout:1"])
def test_producers_beside_flushes_and_a_close_are_accounted_for(tmp_path, policy):
    handler = femtolog.enqueue(logging.FileHandler(tmp_path / "log"), capacity=64, overflow=policy)
    logger = logging.Logger("async")
    logger.addHandler(handler)
    offered = [0] * 3
    stop = threading.Event()

    def work(thread):
        while not stop.is_set():
            logger.info("%d %d", thread, offered[thread])
            offered[thread] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        handler.flush()
        stats = handler.stats()
        assert stats["emitted"] == stats["written"] + stats["failed"] + stats["dropped"] + stats["in_flight"]
    handler.close()
    stop.set()
    for thread in threads:
        thread.join()
    handler.flush()
    stats = handler.stats()
    assert (stats["failed"], stats["in_flight"], stats["emitted"]) == (0, 0, stats["written"] + stats["dropped"])
    lines = [tuple(map(int, line.split())) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(set(lines)) == len(lines) == sum(offered) - stats["dropped"]  # those after close() were handled by their callers
    for thread in range(3):
        numbers = [number for who, number in lines if who == thread]
        assert numbers == sorted(numbers)
    handler.close()


# ---- what needs no Python code of the caller


def without_times(record):
    """What is on a record, without what differs from call to call."""
    attributes = dict(vars(record))
    for name in ("created", "msecs", "relativeCreated"):
        assert type(attributes.pop(name)) is float
    return attributes


@NATIVE
def test_plain_records_take_no_python_code_of_the_caller(tmp_path, logger):
    handler = femtolog.enqueue(logging.FileHandler(tmp_path / "log", encoding="utf-8"))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(funcName)s %(threadName)s %(key)s %(message)s"))
    logger.addHandler(handler)
    logger.info("starts the worker", extra={"key": 0})
    femtolog.reset_stats()
    for number in range(500):
        logger.info("plain", extra={"key": number})
        logger.error("%s and %d \N{SNOWMAN}", "text", number, extra={"key": None})
    assert femtolog.stats()["emits"] >= 990
    assert femtolog.stats()["real_records"] <= 10  # those that met a full queue
    assert handler.flush()
    account(handler, written=1001)
    ends = [line.split(" ", 2)[2] for line in (tmp_path / "log").read_text("utf-8").splitlines()]
    here = f"{test_plain_records_take_no_python_code_of_the_caller.__name__} {threading.current_thread().name}"
    expected = [f"INFO {here} 0 starts the worker"]
    for number in range(500):
        expected += [f"INFO {here} {number} plain", f"ERROR {here} None text and {number} \N{SNOWMAN}"]
    assert ends == expected


@BOTH
@pytest.mark.parametrize("fmt", ["%(message)s", "%(asctime)s %(levelname)s"])
def test_the_record_of_a_failure_is_what_the_stdlibs_would_be(fmt):
    class Broken(io.StringIO):
        def write(self, text):
            raise OSError(text)

    class Own(logging.StreamHandler):
        def handleError(self, record):
            assert type(record) is logging.LogRecord
            seen.append((without_times(record), list(vars(record)), str(sys.exc_info()[1])))

    both = []
    for asynchronous in (False, True):
        seen = []
        handler = Own(Broken())
        handler.setFormatter(logging.Formatter(fmt, "%Y"))
        if asynchronous:
            femtolog.enqueue(handler)
        logger = logging.Logger("async")
        logger.addHandler(handler)
        key, extra = [1], {"key": None}
        extra["key"] = key
        with handler.lock:
            logger.info("plain", extra=extra)
            extra["key"] = None
            logger.warning("%s %d %.1f %s \N{SNOWMAN}", "text", 7, 1.5, None)
            logging.setLogRecordFactory(lambda *args, **kwargs: None)
        try:
            handler.close()
        finally:
            logging.setLogRecordFactory(logging.LogRecord)
        both.append(seen)
    assert both[0] == both[1]
    assert len(both[0]) == 2


@NATIVE
def test_syslog_needs_no_record_of_the_caller(logger):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        handler = femtolog.enqueue(logging.handlers.SysLogHandler(receiver.getsockname()))
        logger.addHandler(handler)
        with handler.lock:
            femtolog.reset_stats()
            logger.info("one")
            logger.error("%s \N{SNOWMAN}", "two")
            assert femtolog.stats()["real_records"] == 0
        assert handler.flush()
        assert [receiver.recv(1000) for _ in range(2)] == [b"<14>one\0", "<11>two \N{SNOWMAN}\0".encode()]
    account(handler, written=2)


def test_changes_between_two_records_hold_from_the_next_one_on(tmp_path, logger):
    class Own(logging.FileHandler):
        pass

    handler = femtolog.enqueue(Own(tmp_path / "log"))
    logger.addHandler(handler)
    logger.info("plain")
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.info("another formatter")
    handler.formatter.format = lambda record: f"own {record.getMessage()}"
    logger.info("a formatter's own format")
    handler.setFormatter(None)
    handler.addFilter(lambda record: "not" not in record.getMessage())
    logger.info("filtered")
    logger.info("not this one")
    handler.filters.clear()
    Own.format = lambda self, record: "class: " + record.getMessage()
    logger.info("patched")
    del Own.format
    assert handler.flush()  # this `format` gives the worker, which may write one by one, the text of what is queued
    asynchronous = type(handler).format
    type(handler).format = lambda self, record: "asynchronous class: " + record.getMessage()
    logger.info("patched as well")
    type(handler).format = asynchronous
    handler.setLevel(logging.ERROR)
    logger.info("below")
    handler.setLevel(0)
    assert handler.flush()
    Own.emit = lambda self, record: self.stream.write(f"emit {record.msg}\n")
    logger.info("by emit %s")
    assert handler.flush()
    del Own.emit
    for number in range(3):
        logger.info("%s", [number])  # for Python code
        logger.info("%s", number)  # not
    assert handler.flush()
    assert (tmp_path / "log").read_text().splitlines() == [
        "plain",
        "INFO another formatter",
        "own a formatter's own format",
        "filtered",
        "class: patched",
        "asynchronous class: patched as well",
        "emit by emit %s",
        "[0]",
        "0",
        "[1]",
        "1",
        "[2]",
        "2",
    ]
    account(handler, written=13)
    handler.close()


# ---- callbacks


@pytest.fixture
def told(monkeypatch):
    """What callbacks that are called once an hour are told."""
    monkeypatch.setattr(_callbacks, "EVERY", 3600)
    return queue.SimpleQueue()


def test_drops_are_told_at_most_once_in_a_while_and_at_the_end(logger, told):
    gate, handler = stopped(logger, capacity=3, overflow="drop", on_drop=lambda *what: told.put(what))
    for number in range(10):
        logger.info("%d", number)
    reason, first = told.get(timeout=30)
    logger.info("one more")
    gate.opened.set()
    handler.close()
    assert reason == "overflow" and 1 <= first <= 8
    assert told.get(timeout=30) == ("overflow", 9 - first)
    assert told.empty()
    assert handler.stats()["callbacks_raised"] == 0
    account(handler, written=3, overflow=9)


def test_failures_are_told_with_an_exception(logger, told, monkeypatch):
    class Broken(io.StringIO):
        def write(self, text):
            raise OSError(text)

    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = femtolog.enqueue(logging.StreamHandler(Broken()), on_error=lambda *what: told.put(what))
    logger.addHandler(handler)
    for number in range(5):
        logger.info("%d", number)
    error, first = told.get(timeout=30)
    handler.close()
    assert isinstance(error, OSError)
    rest = 0 if first == 5 else told.get(timeout=30)[1]
    assert first + rest == 5
    account(handler, failed=5)


def test_what_cannot_be_formatted_is_told_as_a_failure(logger, told, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = femtolog.enqueue(logging.StreamHandler(io.StringIO()), on_error=lambda *what: told.put(what))
    logger.addHandler(handler)
    logger.info("%d", "no number")
    error, count = told.get(timeout=30)
    assert (type(error), count) == (TypeError, 1)
    handler.close()


def test_a_callback_that_exits_ends_nobody_elses(logger, told, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    exits = femtolog.enqueue(logging.StreamHandler(io.StringIO()), on_error=lambda *what: (told.put(what), sys.exit(3)))
    other = femtolog.enqueue(logging.StreamHandler(io.StringIO()), on_error=lambda *what: told.put(what))
    for handler in (exits, other):
        handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("no number",)}))
        assert told.get(timeout=30)[1] == 1
    for handler in (exits, other):
        handler.close()
    assert (exits.stats()["callbacks_raised"], other.stats()["callbacks_raised"]) == (1, 0)


def test_a_signal_handler_that_closes_while_callbacks_are_told(logger, told, monkeypatch):
    """What close() has to tell is told by who was about to."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = femtolog.enqueue(logging.StreamHandler(io.StringIO()), on_error=lambda *what: told.put(what))
    pipeline = handler._femtolog_pipeline
    pipeline.callbacks.waiting = True  # nobody else tells
    read, interrupted = pipeline.whole_account, []

    def account():
        found = read()
        if not interrupted:
            interrupted.append(True)
            handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("no number",)}))
            handler.close()
        return found

    monkeypatch.setattr(pipeline, "whole_account", account)
    pipeline.tell()
    assert told.get_nowait()[1] == 1
    assert told.empty()


def test_what_callbacks_raise_is_counted(logger, told, capsys):
    def failing(*what):
        told.put(what)
        raise LookupError("of the callback")

    gate, handler = stopped(logger, capacity=1, overflow="drop_oldest", on_drop=failing)
    logger.info("a")
    logger.info("b")
    assert told.get(timeout=30)
    gate.opened.set()
    handler.close()
    assert handler.stats()["callbacks_raised"] >= 1
    assert "of the callback" not in capsys.readouterr().err
    with pytest.raises(TypeError, match="on_error must be callable or None, not int"):
        femtolog.enqueue(logging.StreamHandler(), on_error=5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_child_is_told_of_its_own(told):
    child = run(
        """
        import logging, os, io, sys, femtolog
        class Broken(io.StringIO):
            def write(self, text):
                raise OSError(text.strip())
        logging.raiseExceptions = False
        told = []
        handler = femtolog.enqueue(logging.StreamHandler(Broken()), on_error=lambda error, n: told.append((os.getpid(), str(error), n)))
        logging.getLogger().addHandler(handler)
        logging.error("parent")
        handler.flush()
        child = os.fork()
        if child == 0:
            del told[:]
            logging.error("child")
            handler.close()
            os._exit(told != [(os.getpid(), "child", 1)])
        handler.close()
        assert told == [(os.getpid(), "parent", 1)], told
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
    )
    assert child.stdout == "0\n"


# ---- no room


@BOTH
def test_what_is_protected_is_dropped_last(logger, capsys):
    gate, handler = stopped(logger, capacity=3, overflow="drop", protect_level=logging.WARNING)
    for level, message in ((20, "a"), (20, "b"), (30, "c"), (20, "d"), (40, "e"), (30, "f"), (20, "g")):
        logger.log(level, message)
    gate.opened.set()
    handler.close()
    # "c" and "e" have taken the places of "a" and "b"; there is nothing lower left when "f" comes.
    assert gate.lines() == ["first", "c", "e"]
    account(handler, written=3, overflow=5)


@BOTH
def test_errors_need_not_be_protected(logger, capsys):
    gate, handler = stopped(logger, capacity=2, overflow="drop", protect_level=logging.CRITICAL)
    logger.info("a")
    logger.error("b")
    account(handler, in_flight=2, overflow=1)
    logger.critical("c")
    gate.opened.set()
    handler.close()
    assert gate.lines() == ["first", "c"]
    account(handler, written=2, overflow=2)


def test_drop_counts_each_record_and_warns_once(logger, capsys):
    gate, handler = stopped(logger, capacity=3, overflow="drop")
    for number in range(10):
        logger.info("%d", number)
    account(handler, in_flight=3, overflow=8)
    logger.error("important")
    account(handler, in_flight=3, overflow=9)
    assert capsys.readouterr().err.count("femtolog: ") == 1
    gate.opened.set()
    assert not handler.flush()  # "1" was on the queue, and made room
    assert gate.lines() == ["first", "0", "important"]
    account(handler, written=3, overflow=9)
    assert handler.flush()


def test_drop_oldest_keeps_the_newest(logger, capsys):
    gate, handler = stopped(logger, capacity=3, overflow="drop_oldest")
    logger.error("important")
    for number in range(10):
        logger.info("%d", number)
    gate.opened.set()
    assert not handler.flush()
    assert handler.flush()  # it has been told
    assert gate.lines() == ["first", "important", "9"]
    account(handler, written=3, overflow=9)


@pytest.mark.parametrize("level", [logging.WARNING, "WARNING"])
def test_protect_level_is_a_number_or_a_name(logger, capsys, level):
    gate, handler = stopped(logger, capacity=3, overflow="drop_oldest", protect_level=level)
    logger.warning("important")
    for number in range(10):
        logger.info("%d", number)
    gate.opened.set()
    assert not handler.flush()
    assert gate.lines() == ["first", "important", "9"]


def test_flush_takes_no_longer_than_it_is_told(logger):
    handler = femtolog.enqueue(logging.StreamHandler(io.StringIO()))
    logger.addHandler(handler)
    logger.info("written")
    assert handler.flush()
    assert handler.flush(math.inf)
    held, done = threading.Event(), threading.Event()

    def hang():  # in a record that was logged later, say
        with handler.lock:
            held.set()
            done.wait(30)

    thread = threading.Thread(target=hang)
    thread.start()
    assert held.wait(10)
    assert not handler.flush(0.01)
    done.set()
    thread.join()
    assert handler.flush()


def test_timeout_waits_and_then_drops(logger, capsys):
    gate, handler = stopped(logger, capacity=2, overflow="timeout:20")
    logger.info("second")
    started = time.monotonic()
    logger.info("third")
    assert time.monotonic() - started >= 0.02
    gate.opened.set()
    assert handler.flush()
    assert gate.lines() == ["first", "second"]
    account(handler, written=2, timeout=1)


def test_block_waits_as_long_as_it_takes(logger):
    gate, handler = stopped(logger, capacity=2)
    done = threading.Event()

    def work():
        for number in range(5):
            logger.info("%d", number)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert not done.wait(0.05)
    account(handler, in_flight=2)
    gate.opened.set()
    thread.join(10)
    assert handler.flush()
    assert gate.lines() == ["first", "0", "1", "2", "3", "4"]
    account(handler, written=6)


def without_worker(logger, path, **options):
    """An asynchronous file, whose worker has begun and does nothing."""
    handler = femtolog.enqueue(logging.FileHandler(path, encoding="latin-1"), **options)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    idle = threading.Event()
    handler._femtolog_pipeline.worker = threading.Thread(target=idle.wait, daemon=True)
    handler._femtolog_pipeline.worker.start()
    return handler, idle


@NATIVE
def test_a_caller_writes_to_a_file_itself_rather_than_wait(logger, tmp_path, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler, idle = without_worker(logger, tmp_path / "out.log", capacity=4)
    expected = ["\u20ac" if number % 7 == 3 else f"\xe4 {number}" for number in range(50)]  # the euro sign has no code there
    for text in expected:
        logger.info(text)
    assert handler.stats()["written"] + handler.stats()["failed"] >= 46
    idle.set()
    handler.flush()
    account(handler, written=43, failed=7)
    lines = (tmp_path / "out.log").read_text("latin-1").splitlines()
    assert lines == [text for text in expected if text != "\u20ac"]


@NATIVE
def test_a_caller_waits_for_a_file_that_another_thread_has(logger, tmp_path):
    handler, idle = without_worker(logger, tmp_path / "out.log", capacity=4)
    logger.info("0")
    done, has, may_go = threading.Event(), threading.Event(), threading.Event()

    def keep():
        with handler.lock:
            has.set()
            may_go.wait(30)

    def work():
        for number in range(1, 20):
            logger.info("%d", number)
        done.set()

    keeping, working = threading.Thread(target=keep), threading.Thread(target=work)
    keeping.start()
    assert has.wait(30)
    working.start()
    assert not done.wait(0.05)
    may_go.set()
    for thread in (keeping, working):
        thread.join(30)
    assert done.is_set()
    idle.set()
    assert handler.flush()
    assert (tmp_path / "out.log").read_text().split() == [str(number) for number in range(20)]


def test_a_sink_of_ones_own_is_the_workers_alone(logger):
    threads = set()

    class Sink(io.StringIO):
        def write(self, text):
            threads.add(threading.current_thread().name)
            return super().write(text)

    handler = femtolog.enqueue(logging.StreamHandler(Sink()), capacity=2)
    logger.addHandler(handler)
    for number in range(200):
        logger.info("%d", number)
    assert handler.flush()
    assert threads == {"femtolog-queue"}


@NATIVE
def test_a_signal_while_a_caller_writes_itself(logger, tmp_path, monkeypatch):
    handler, idle = without_worker(logger, tmp_path / "out.log", capacity=2)

    def interrupted(*_):
        raise KeyboardInterrupt

    logger.info("one")
    logger.info("two")
    with monkeypatch.context() as patch:
        patch.setattr(type(handler._femtolog_pipeline), "make_room", interrupted)
        with pytest.raises(KeyboardInterrupt):
            logger.info("three")
    account(handler, in_flight=2, interrupted=1)
    logger.info("four")
    idle.set()
    handler.flush()
    assert (tmp_path / "out.log").read_text().split() == ["one", "two", "four"]


@NATIVE
def test_a_signal_in_the_middle_of_a_callers_write_leaves_nothing_behind(logger, tmp_path, monkeypatch):
    handler, _idle = without_worker(logger, tmp_path / "out.log", capacity=20)
    pipeline = handler._femtolog_pipeline
    write_lines, raised = type(pipeline).write_lines, []

    def interrupted(*arguments):
        if not raised:
            raised.append(True)
            raise KeyboardInterrupt
        return write_lines(*arguments)

    for number in range(20):
        logger.info("%d", number)
    monkeypatch.setattr(type(pipeline), "write_lines", interrupted)
    with pytest.raises(KeyboardInterrupt):
        logger.info("interrupted")
    account(handler, written=20, interrupted=1)  # and nobody has flushed
    assert (tmp_path / "out.log").read_text().split() == [str(number) for number in range(20)]


@NATIVE
def test_a_handler_that_its_own_error_closes_in_a_caller_is_closed(logger, tmp_path):
    class Closing(logging.FileHandler):
        def handleError(self, record):
            self.close()

    handler = femtolog.enqueue(Closing(tmp_path / "out.log", encoding="ascii"), capacity=4)
    logger.addHandler(handler)
    idle = threading.Event()
    handler._femtolog_pipeline.worker = threading.Thread(target=idle.wait, daemon=True)
    handler._femtolog_pipeline.worker.start()
    for number in range(8):
        logger.info("\xe4 %d", number)  # which has no code there
    assert handler.stream is None
    idle.set()


@BOTH
@pytest.mark.parametrize("filtered", [False, True])
def test_bytes_are_limited_as_well(logger, capsys, filtered):
    gate, handler = stopped(logger, capacity_bytes=100_000, overflow="drop")
    if filtered:
        handler.addFilter(lambda record: True)
    for _ in range(10):
        logger.info("x" * 10_000)  # its line, and the message that a record is made from
    account(handler, in_flight=5, overflow=6)
    assert handler.stats()["bytes"] <= 100_000
    gate.opened.set()


@pytest.mark.parametrize("make", [lambda: logging.StreamHandler(io.StringIO()), lambda: Keeping()])
def test_an_object_with_slots_in_the_place_of_a_record(make):
    class Slots:
        __slots__ = ("args", "exc_info", "exc_text", "levelno", "msg", "stack_info")

        def getMessage(self):
            return str(self.msg)

    record = Slots()
    for name in Slots.__slots__:
        setattr(record, name, None)
    record.msg, record.levelno = ["m"], 40
    handler = femtolog.enqueue(make())
    handler.setFormatter(type("Plain", (logging.Formatter,), {"format": lambda self, record: record.getMessage()})())
    handler.handle(record)
    assert handler.flush()
    account(handler, written=1)
    handler.close()


@BOTH
@pytest.mark.parametrize("filtered", [False, True])
def test_a_graph_in_extra_is_weighed_at_once(logger, filtered):
    """Each of its nodes leads to all others: looking at every way through it takes minutes."""
    nodes = [{"text": "x" * 1000} for _ in range(300)]
    for node in nodes:
        node["others"] = nodes
    pairs = ("x" * 1000,)
    for _ in range(60):
        pairs = (pairs, pairs)
    handler = femtolog.enqueue(logging.StreamHandler(out := io.StringIO()))
    if filtered:
        handler.addFilter(lambda record: True)
    logger.addHandler(handler)
    with handler.lock:
        logger.info("graph", extra={"nodes": nodes, "pairs": pairs})
        assert 2_000 < handler.stats()["bytes"] < 10_000_000
    assert handler.flush()
    assert out.getvalue() == "graph\n"


class Keeping(logging.Handler):
    """An `emit` of its own: it needs the record."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def test_what_extra_holds_is_copied_once_or_left_alone(logger):
    handler = femtolog.enqueue(Keeping())
    logger.addHandler(handler)
    pairs = ("x",)
    for _ in range(60):
        pairs = (pairs, pairs)
    deep = []
    for _ in range(100_000):
        deep = [deep]
    items, thing = ["tea"], object()
    logger.info("m", extra={"pairs": pairs, "deep": deep, "items": items, "thing": thing})
    items.append("milk")
    assert handler.flush()
    [record] = handler.records
    left, right = record.pairs
    assert left is right
    assert record.deep is deep
    assert (record.items, record.thing) == (["tea"], thing)
    while deep:  # freed one by one
        deep = deep.pop()


@BOTH
@pytest.mark.parametrize(
    ("message", "args", "extra"),
    [
        ("%.3s", ("x" * 30_000,), None),
        ("short", (), {"body": "x" * 30_000}),
        ("short", (), {"body": {"parts": [b"x" * 15_000, ("x" * 15_000,)]}}),
        ("short", (), {"body": bytearray(30_000)}),
    ],
    ids=["an argument", "extra", "what extra holds", "bytes"],
)
@pytest.mark.parametrize("filtered", [False, True])
def test_what_is_not_in_the_line_has_its_weight(logger, capsys, message, args, extra, filtered):
    gate, handler = stopped(logger, capacity_bytes=100_000, overflow="drop")
    if filtered:  # by Python code, which sees a record
        handler.addFilter(lambda record: True)
    for _ in range(10):
        logger.info(message, *args, extra=extra)
    account(handler, in_flight=4, overflow=7)
    assert 3 * 30_000 < handler.stats()["bytes"] <= 100_000
    gate.opened.set()


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is Linux's")
@pytest.mark.parametrize("overflow", ["drop", "drop_oldest"])
def test_a_stopped_sink_keeps_no_more_in_memory_than_the_limits(overflow):
    run(
        f"""
        import io, logging, resource, threading, femtolog
        femtolog.install()
        entered, opened = threading.Event(), threading.Event()
        class Stopped(io.StringIO):
            def write(self, text):
                entered.set()
                opened.wait(30)
                return super().write(text)
        log = logging.getLogger("x")
        log.propagate = False
        handler = femtolog.enqueue(
            logging.StreamHandler(Stopped()), capacity=10**6, capacity_bytes=4 << 20, overflow={overflow!r}
        )
        log.addHandler(handler)
        log.warning("first")
        assert entered.wait(10)
        def many(count):
            for number in range(count):
                log.warning("%s", f"{{number:01000}}")
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        before = many(5_000)
        grown = many(20_000) - before  # 20 MB of text in all
        stats = handler.stats()
        assert stats["bytes"] <= 4 << 20
        assert (stats["emitted"], stats["dropped"]) == (25_001, 25_001 - stats["in_flight"])
        assert grown < 2 << 10, grown  # kilobytes
        opened.set()
        assert handler.flush() is ({overflow!r} == "drop")
        assert handler.stats()["written"] == stats["in_flight"]
        """
    )


@BOTH
def test_a_thread_that_has_the_lock_makes_room_itself(logger):
    out = io.StringIO()
    handler = femtolog.enqueue(logging.StreamHandler(out), capacity=2)
    logger.addHandler(handler)
    with handler.lock:
        for number in range(20):
            logger.info("%d", number)
    assert handler.flush()
    assert out.getvalue().split() == [str(number) for number in range(20)]


def test_a_sink_that_logs_to_its_own_handler(logger):
    class Echo(io.StringIO):
        def write(self, text):
            if text.startswith("once"):
                logger.info("from within")
            return super().write(text)

    out = Echo()
    handler = femtolog.enqueue(logging.StreamHandler(out), capacity=1)
    logger.addHandler(handler)
    logger.info("once")
    logger.info("twice")
    assert handler.flush()
    assert sorted(out.getvalue().split("\n")) == ["", "from within", "once", "twice"]
    account(handler, written=3)


def test_a_signal_handler_may_log_while_a_full_queue_is_waited_for():
    run(
        """
        import io, logging, signal, threading, femtolog
        gate = threading.Event()
        class Slow(io.StringIO):
            def write(self, text):
                gate.wait(10)
                return super().write(text)
        out = Slow()
        log = logging.getLogger("x")
        handler = femtolog.enqueue(logging.StreamHandler(out), capacity=1)
        log.addHandler(handler)
        log.propagate = False
        def on_alarm(*_):
            gate.set()
            log.warning("signal")
        signal.signal(signal.SIGALRM, on_alarm)
        log.warning("one")
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        log.warning("two")
        assert handler.flush()
        assert sorted(out.getvalue().split()) == ["one", "signal", "two"], out.getvalue()
        def interrupt(*_):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, interrupt)
        gate.clear()
        log.warning("three")
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            log.warning("four")
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("not interrupted")
        gate.set()
        stats = handler.stats()
        assert stats["dropped_by"]["interrupted"] == 1, stats
        """
    )


# ---- sinks that fail


@BOTH
def test_failures_go_to_handle_error_and_are_counted(logger):
    class Broken(io.StringIO):
        def write(self, text):
            if "bad" in text:
                raise OSError(text)
            return super().write(text)

    seen = []

    class Own(logging.StreamHandler):
        def handleError(self, record):
            seen.append((record.msg, record.args, sys.exc_info()[0]))

    out = Broken()
    handler = femtolog.enqueue(Own(out))
    logger.addHandler(handler)
    for text in ("good", "bad 1", "good", "bad 2"):
        logger.info(text)
    assert not handler.flush()
    assert seen == [("bad 1", (), OSError), ("bad 2", (), OSError)]
    assert out.getvalue() == "good\ngood\n"
    account(handler, written=2, failed=2)
    logger.info("good")
    assert handler.flush()
    logger.info("%d", "no number")
    assert not handler.flush()
    assert seen[2:] == [("%d", ("no number",), TypeError)]
    account(handler, written=3, failed=3)


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_device_fails_each_record(logger, capsys):
    handler = femtolog.enqueue(logging.FileHandler("/dev/full"))
    logger.addHandler(handler)
    for number in range(20):
        logger.info("%d", number)
    assert not handler.flush()
    account(handler, failed=20)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of files are POSIX's")
def test_a_file_that_fills_up_loses_what_the_stdlib_loses(tmp_path):
    program = """
        import logging, resource, signal, sys, threading, femtolog
        femtolog.install()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        logging.raiseExceptions = False
        path, asynchronous = {path!r}, {asynchronous}
        handler = logging.FileHandler(path)
        if asynchronous:
            femtolog.enqueue(handler)
        log = logging.getLogger("x")
        log.addHandler(handler)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        with handler.lock:
            for number in range(150):
                log.warning("%08d", number)
        if asynchronous:
            handler.flush()
            print(handler.stats()["written"], handler.stats()["failed"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        log.warning("again")
        handler.close()
        """
    texts = []
    for asynchronous in (False, True):
        path = tmp_path / str(asynchronous)
        done = run(program.format(path=str(path), asynchronous=asynchronous))
        texts.append(path.read_bytes())
    assert done.stdout.split() == ["111", "39"]
    assert texts[0] == texts[1]


# ---- flush and close


def test_flush_tells_the_truth(logger):
    gate, handler = stopped(logger)
    started = time.monotonic()
    assert handler.flush(0.05) is False
    assert time.monotonic() - started < 5
    gate.opened.set()
    assert handler.flush(10) is True
    assert gate.lines() == ["first"]
    handler.close()
    assert handler.flush() is False


def test_a_loop_does_not_wait_for_its_sink(logger):
    gate, handler = stopped(logger, capacity=10, overflow="drop")
    turns = []

    async def log(task):
        for number in range(100):
            logger.info("%d of task %d", number, task)
            turns.append(task)
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(log(1), log(2))
        return handler.stats()

    stats = asyncio.run(main())
    assert turns == [1, 2] * 100
    assert (stats["written"], stats["in_flight"], stats["dropped"]) == (0, 10, 191)
    gate.opened.set()
    assert handler.flush()
    account(handler, written=10, overflow=191)


def test_aflush(logger):
    gate, handler = stopped(logger)

    async def main():
        waiting = asyncio.ensure_future(handler.aflush(10))
        await asyncio.sleep(0)
        assert not waiting.done()
        gate.opened.set()
        return await waiting

    assert asyncio.run(main()) is True
    assert gate.lines() == ["first"]


def test_close_from_many_threads_writes_everything(tmp_path):
    handler = femtolog.enqueue(logging.FileHandler(tmp_path / "log"))
    logger = logging.Logger("async")
    logger.addHandler(handler)
    for number in range(500):
        logger.info("%d", number)
    threads = [threading.Thread(target=handler.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    account(handler, written=500)
    assert len((tmp_path / "log").read_text().split()) == 500
    assert handler.stream is None


def test_close_of_a_stopped_sink_ends_in_time(logger, capsys):
    gate, handler = stopped(logger, timeout=0.05)
    logger.info("lost")
    handler.close()
    account(handler, in_flight=1, closed=1)
    assert "closed 1" in capsys.readouterr().err
    gate.opened.set()
    while handler.stats()["in_flight"]:
        time.sleep(0.001)
    account(handler, written=1, closed=1)


def test_shutdown_holds_the_lock_and_still_writes_everything(tmp_path):
    handler = femtolog.enqueue(logging.FileHandler(tmp_path / "log"))
    logger = logging.Logger("async")
    logger.addHandler(handler)
    for number in range(500):
        logger.info("%d", number)
    logging.shutdown([weakref.ref(handler)])
    account(handler, written=500)
    assert len((tmp_path / "log").read_text().split()) == 500


def test_an_asynchronous_handler_can_be_collected():
    out = io.StringIO()
    handler = femtolog.enqueue(logging.StreamHandler(out))
    logger = logging.Logger("async")
    logger.addHandler(handler)
    logger.info("line")
    assert handler.flush()
    worker = vars(handler)["_femtolog_pipeline"].worker
    reference = weakref.ref(handler)
    logger.handlers.clear()
    del handler
    worker.join(10)
    gc.collect()
    assert reference() is None
    assert out.getvalue() == "line\n"


# ---- processes


def test_each_handler_has_its_turn_whatever_another_one_raises():
    class Thing:
        def __init__(self, error=None):
            self.error, self.turns = error, 0

        def turn(self):
            self.turns += 1
            if self.error is not None:
                raise self.error

    things = [Thing(), Thing(KeyError("a lock")), Thing(), Thing(KeyboardInterrupt()), Thing()]
    live = weakref.WeakSet(things)
    with pytest.raises((KeyError, KeyboardInterrupt)):
        each(live, lambda thing: thing.turn())
    assert [thing.turns for thing in things] == [1] * 5
    each(weakref.WeakSet(things[::2]), lambda thing: thing.turn())
    assert [thing.turns for thing in things] == [2, 1, 2, 1, 2]
    # At the end, an interrupt is for all of them; an error is not.
    with pytest.raises(KeyError):
        each(weakref.WeakSet(things[:3]), lambda thing: thing.turn(), at_exit=True)
    assert [thing.turns for thing in things] == [3, 2, 3, 1, 2]
    interrupted = [Thing(KeyboardInterrupt()) for _ in range(3)]
    with pytest.raises(KeyboardInterrupt):
        each(weakref.WeakSet(interrupted), lambda thing: thing.turn(), at_exit=True)
    assert sum(thing.turns for thing in interrupted) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_writes_its_own_records_only(tmp_path):
    path = tmp_path / "log"
    run(
        f"""
        import logging, os, threading, femtolog
        femtolog.install()
        handler = femtolog.enqueue(logging.FileHandler({str(path)!r}))
        log = logging.getLogger("x")
        log.addHandler(handler)
        for child in range(5):
            for number in range(100):
                log.warning("parent %d %d", child, number)
            pid = os.fork()
            if pid == 0:
                log.warning("child %d", child)
                assert handler.stats()["emitted"] == 1
                assert handler.flush()
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        with handler.lock:
            log.warning("held")
            pid = os.fork()
            if pid == 0:
                log.warning("child 5")
                logging.shutdown()
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        """
    )
    lines = path.read_text().splitlines()
    expected = [f"parent {child} {number}" for child in range(5) for number in range(100)]
    assert [line for line in lines if line.startswith("parent")] == expected
    assert sorted(lines) == sorted([*expected, *(f"child {child}" for child in range(6)), "held"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forks_beside_producers_lose_and_repeat_nothing(tmp_path):
    path = tmp_path / "log"
    run(
        f"""
        import logging, os, threading, femtolog
        femtolog.install()
        handler = femtolog.enqueue(logging.FileHandler({str(path)!r}))
        log = logging.getLogger("x")
        log.addHandler(handler)

        def work(thread):
            for number in range(2000):
                log.warning("parent %d %d", thread, number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for child in range(5):
            pid = os.fork()
            if pid == 0:
                log.warning("child %d", child)
                assert handler.flush()
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        for thread in threads:
            thread.join()
        assert handler.flush()
        assert handler.stats()["written"] == handler.stats()["emitted"] == 6000
        """
    )
    expected = [f"parent {thread} {number}" for thread in range(3) for number in range(2000)]
    assert sorted(path.read_text().splitlines()) == sorted([*expected, *(f"child {child}" for child in range(5))])


def test_nothing_is_lost_at_the_end_of_the_interpreter(tmp_path):
    run(
        f"""
        import atexit
        atexit.register(lambda: log.warning("last"))  # before logging's own: it runs after logging.shutdown()
        import logging, threading, time, femtolog
        femtolog.install()
        log = logging.getLogger("x")
        log.addHandler(femtolog.enqueue(logging.FileHandler({str(tmp_path / "log")!r})))
        atexit.register(lambda: log.warning("at exit"))
        def work():
            for number in range(500): log.warning("thread")
        threading.Thread(target=work).start()
        for number in range(2000): log.warning("main")
        """
    )
    lines = (tmp_path / "log").read_text().splitlines()
    assert {text: lines.count(text) for text in set(lines)} == {"main": 2000, "thread": 500, "at exit": 1, "last": 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_of_multiprocessing_writes_everything(tmp_path):
    run(
        f"""
        import logging, multiprocessing, femtolog
        log = logging.getLogger("x")
        log.addHandler(femtolog.enqueue(logging.FileHandler({str(tmp_path / "log")!r})))
        def work(name):
            for number in range(200): log.warning(name)
        work("parent")
        context = multiprocessing.get_context("fork")
        child = context.Process(target=work, args=("child",))
        child.start()
        child.join()
        assert child.exitcode == 0
        """
    )
    lines = (tmp_path / "log").read_text().splitlines()
    assert (lines.count("parent"), lines.count("child"), len(lines)) == (200, 200, 400)


AT_EXIT = """
    import logging, sys, threading, time, femtolog

    opened = threading.Event()

    class Slow:
        def write(self, text):
            opened.wait()
            time.sleep(0.01)
            sys.stdout.write(text)
        def flush(self):
            pass

    log = logging.getLogger("x")
    handler = femtolog.enqueue(logging.StreamHandler(Slow()), timeout=0.2)
    log.addHandler(handler)
    with handler.lock:  # so the worker takes all of them at once
        for number in range(100):
            log.warning("%d", number)
    while handler.stats()["queue_len"]:
        time.sleep(0.001)
    handler.close()
    assert handler.stats()["in_flight"] == 100, handler.stats()
"""


def test_what_was_begun_before_a_close_that_took_too_long_is_written_at_exit():
    done = run(AT_EXIT + "    opened.set()\n")
    assert done.stdout.split() == [str(number) for number in range(100)]
    assert done.stderr == ""


def test_what_was_begun_and_hangs_at_exit_is_told():
    done = run(AT_EXIT)
    assert done.stderr == "femtolog: <StreamHandler (NOTSET)> hangs at the end of the program and loses 100 records\n"


def test_a_sink_that_hangs_at_exit_does_not_hang_the_process():
    done = run(
        """
        import io, logging, threading, femtolog
        entered = threading.Event()
        class Hanging(io.StringIO):
            def write(self, text):
                entered.set()
                threading.Event().wait()
        log = logging.getLogger("x")
        log.addHandler(femtolog.enqueue(logging.StreamHandler(Hanging()), timeout=0.05))
        log.warning("one")
        entered.wait()
        log.warning("two")
        """
    )
    assert "has dropped 1 more records (in all: closed 1)" in done.stderr


# ---- what enqueue() refuses


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"overflow": "timeout"}, ValueError, "timeout requires a positive integer N, use 'timeout:N'"),
        ({"overflow": "timeout:x"}, ValueError, "timeout requires a positive integer N, use 'timeout:N'"),
        ({"overflow": "timeout:0"}, ValueError, "timeout must be greater than zero"),
        (
            {"overflow": "x"},
            ValueError,
            "invalid overflow policy: 'x'. Valid options are: block, drop, drop_oldest, timeout:N, spill",
        ),
        ({"capacity": 0}, ValueError, "capacity must be at least 1, got 0"),
        ({"capacity_bytes": 0}, ValueError, "capacity_bytes must be at least 1, got 0"),
        ({"capacity": "7"}, TypeError, "capacity must be an int, not str"),
        ({"timeout": -1}, ValueError, "timeout must not be negative, got -1"),
        ({"timeout": float("nan")}, ValueError, "timeout must not be negative, got nan"),
        ({"timeout": None}, TypeError, "timeout must be a number of seconds, not NoneType"),
        ({"overflow": 5}, TypeError, "overflow must be a str, not int"),
        ({"protect_level": "LOUD"}, ValueError, "protect_level must be a level or its name, got 'LOUD'"),
        ({"protect_level": 2.5}, TypeError, "Level not an integer or a valid string: 2.5"),
    ],
)
def test_options_out_of_range(options, error, text):
    handler = logging.StreamHandler()
    with pytest.raises(error) as caught:
        femtolog.enqueue(handler, **options)
    assert str(caught.value) == text
    assert type(handler) is logging.StreamHandler


def test_handlers_that_cannot_be_asynchronous():
    class Own(logging.Handler):
        def handle(self, record):
            return True

    for handler, error in ((Own(), TypeError), (logging.NullHandler(), TypeError), (object(), TypeError)):
        with pytest.raises(error):
            femtolog.enqueue(handler)
    handler = femtolog.enqueue(logging.StreamHandler(io.StringIO()))
    with pytest.raises(ValueError, match="asynchronous already"):
        femtolog.enqueue(handler)
    handler.close()
