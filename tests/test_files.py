"""femtolog.files: file handlers that buffer, and go on when the disk does not."""

import itertools
import logging
import logging.config
import logging.handlers
import math
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import pytest

import femtolog
from femtolog import files
from femtolog.files import (
    FileHandler,
    RotatingFileHandler,
    TimedRotatingFileHandler,
    _backoff,
    _failures,
    _managed,
    _rotating,
    _steady,
)

PYTHON = {"backoff": {"base_ms": 50}}
"""An option by which nothing else changes."""


@pytest.fixture(autouse=True)
def installed():
    with femtolog.installed():
        yield


@pytest.fixture
def clock(monkeypatch):
    """The time that handlers see, to be moved by hand. It is days ahead: the thread of the timetable has nothing to do meanwhile."""

    class Clock:
        # In whole seconds, to which steps of an eighth are added without rounding.
        now = start = math.ceil(time.monotonic()) + 1_000_000.0

        def __call__(self):
            return self.now

    clock = Clock()
    for module in (_managed, _backoff, _failures, _rotating):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


@pytest.fixture
def log():
    logger = logging.Logger("files")
    yield logger
    for handler in logger.handlers:
        handler.close()


def logs_to(logger, handler):
    logger.addHandler(handler)
    return handler


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def some(handler, *names):
    stats = handler.stats()
    return tuple(stats[name] for name in names)


class Kept(logging.Handler):
    """Keeps the messages."""

    def __init__(self):
        super().__init__()
        self.got = []

    def emit(self, record):
        self.got.append(record.getMessage())


# ---- without options


@pytest.mark.parametrize("kind", ["FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler"])
def test_without_options_a_handler_is_the_stdlibs(tmp_path, log, kind):
    stdlib = getattr(logging, kind, None) or getattr(logging.handlers, kind)
    handler = logs_to(log, getattr(files, kind)(tmp_path / "a.log", encoding="utf-8"))
    assert isinstance(handler, stdlib)
    assert type(handler).emit is stdlib.emit
    log.info("one")
    femtolog.reset_stats()
    log.info("two")
    assert femtolog.stats() == {"native": 1, "emits": 1, "real_records": 0, "reference": {}}
    assert lines(tmp_path / "a.log") == ["one", "two"]
    with pytest.raises(ValueError, match="keeps no account"):
        handler.stats()


def test_logging_handlers_stays_as_it_is():
    assert femtolog.handlers.RotatingFileHandler is logging.handlers.RotatingFileHandler is not RotatingFileHandler


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"buffering": -1}, ValueError, "buffering must be at least 0, got -1"),
        ({"buffering": True}, TypeError, "buffering must be an int, got True"),
        ({"buffering": 1, "flush_interval_ms": 0}, ValueError, "flush_interval_ms must be at least 1, got 0"),
        ({"flush_interval_ms": 5}, ValueError, "need buffering of at least 1 byte, got 0"),
        ({"flush_level": "INFO"}, ValueError, "need buffering of at least 1 byte, got 0"),
        ({"buffering": 1, "flush_level": "LOUD"}, ValueError, "Unknown level: 'LOUD'"),
        ({"fsync": 1}, TypeError, "fsync must be True or False, got 1"),
        ({"fallback": "stderr"}, TypeError, "fallback must be a logging.Handler, got 'stderr'"),
        ({"backoff": {"base": 1}}, ValueError, "unknown backoff key 'base'"),
        ({"enqueue": 1}, TypeError, "enqueue must be True, False or a dict of options, got 1"),
        ({"enqueue": {"capacity": 0}}, ValueError, "capacity must be at least 1, got 0"),
        ({"buffer": 1}, TypeError, "buffer"),
        ({"multiprocess": "yes"}, TypeError, "multiprocess must be True or False, got 'yes'"),
        ({"multiprocess": True, "mode": "w"}, ValueError, "mode must be 'a' with multiprocess=True, got 'w'"),
        ({"fsync": True, "mode": "a+"}, ValueError, r"mode must be 'a', 'w' or 'x' with these options, got 'a\+'"),
        ({"fsync": True, "encoding": "utf-16"}, ValueError, "without a byte order mark with these options, got 'utf-16'"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, options, error, text):
    with pytest.raises(error, match=text):
        FileHandler(tmp_path / "a.log", **options)


@pytest.mark.parametrize("name", ["emit", "flush", "shouldRollover"])
def test_an_override_that_nobody_would_call_is_refused(tmp_path, name):
    mine = type("Mine", (RotatingFileHandler,), {name: lambda self, *record: None})
    mine(tmp_path / "a.log").close()
    with pytest.raises(ValueError, match=rf"Mine.{name}\(\) would never be called"):
        mine(tmp_path / "a.log", fsync=True)


def test_a_subclass_formats_and_opens_in_its_own_way(tmp_path, log):
    class Mine(FileHandler):
        def format(self, record):
            return f"mine: {super().format(record)}"

        def _open(self):
            return open(tmp_path / "b.log", "a")

    handler = logs_to(log, Mine(tmp_path / "b.log", buffering=10))
    log.error("one")
    assert lines(tmp_path / "b.log") == ["mine: one"]
    assert type(handler).__name__ == "Mine"


# ---- buffering


def test_lines_wait_until_they_fill_the_buffer_or_one_is_urgent(tmp_path, log):
    path = tmp_path / "a.log"
    handler = logs_to(log, FileHandler(path, buffering=20, flush_interval_ms=60_000, encoding="utf-8"))
    log.info("1 2 3 4")
    log.info("ä")
    assert lines(path) == []
    assert some(handler, "emitted", "written", "in_flight") == (2, 0, 2)
    log.info("that is enough")
    assert lines(path) == ["1 2 3 4", "ä", "that is enough"]
    log.info("waits")
    log.error("urgent")
    assert lines(path)[3:] == ["waits", "urgent"]
    log.info("waits")
    assert handler.flush() is True
    assert lines(path)[5:] == ["waits"]
    log.info("waits")
    handler.close()
    assert lines(path)[6:] == ["waits"]
    log.info("after close, as with the standard library")
    assert len(lines(path)) == 8
    assert some(handler, "emitted", "written", "failed", "in_flight") == (8, 8, 0, 0)


def test_lines_are_written_when_the_interval_is_over(tmp_path, log):
    logs_to(log, FileHandler(tmp_path / "a.log", buffering=1 << 20, flush_interval_ms=1, encoding="utf-8"))
    log.info("soon")
    deadline = time.monotonic() + 60
    while not lines(tmp_path / "a.log") and time.monotonic() < deadline:
        os.sched_yield()
    assert lines(tmp_path / "a.log") == ["soon"]


def test_one_line_logged_by_a_signal_handler_in_the_middle_of_a_write(tmp_path, log, monkeypatch):
    logs_to(log, FileHandler(tmp_path / "a.log", **PYTHON))
    write = os.write

    def write_and_log(descriptor, data):
        monkeypatch.setattr(os, "write", write)
        log.info("inner")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", write_and_log)
    log.info("outer")
    assert lines(tmp_path / "a.log") == ["outer", "inner"]


def test_one_line_logged_by_a_signal_handler_right_after_a_write(tmp_path, log, monkeypatch):
    handler = logs_to(log, FileHandler(tmp_path / "a.log", **PYTHON))
    worked = handler._backoff.worked

    def worked_and_log():
        monkeypatch.setattr(handler._backoff, "worked", worked)
        log.info("inner")

    monkeypatch.setattr(handler._backoff, "worked", worked_and_log)
    log.info("outer")
    assert handler.flush() is True
    assert lines(tmp_path / "a.log") == ["outer", "inner"]
    assert some(handler, "written", "failed") == (2, 0)


def test_mode_w_empties_the_file_once(tmp_path, log):
    path = tmp_path / "a.log"
    path.write_text("old\n")
    logs_to(log, FileHandler(path, "w", buffering=10))
    log.error("one")
    path.rename(tmp_path / "moved.log")
    log.error("two")
    (tmp_path / "moved.log").rename(path)
    log.error("three")
    assert lines(path) == ["one", "three"]


def test_fsync_follows_each_block(tmp_path, log, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    logs_to(log, FileHandler(tmp_path / "a.log", buffering=8, fsync=True))
    for _ in range(4):
        log.info("123")
    assert synced == [8, 16]


def test_line_that_was_not_synced_has_failed(tmp_path, log, monkeypatch, capsys):
    def fsync(descriptor):
        raise OSError(5, "Input/output error")

    handler = logs_to(log, FileHandler(tmp_path / "a.log", fsync=True, fallback=(kept := Kept())))
    monkeypatch.setattr(os, "fsync", fsync)
    log.info("one")
    assert kept.got == ["one"]
    assert some(handler, "emitted", "written", "failed", "fallback", "failed_by") == (1, 0, 1, 1, {"EIO": 1})
    assert "cannot write ([Errno 5] Input/output error): 1 more records have failed" in capsys.readouterr().err


PROGRAM = """
import logging, os, signal
from femtolog.files import FileHandler
log = logging.Logger("l")
log.addHandler(FileHandler("a.log", buffering=1 << 20, flush_interval_ms=60_000))
"""


@pytest.mark.parametrize(("end", "left"), [("", 3), ("os._exit(0)", 2), ("os.kill(os.getpid(), signal.SIGKILL)", 2)])
def test_what_is_in_the_file_however_the_process_ends(tmp_path, end, left):
    program = PROGRAM + f"log.info('1')\nlog.error('2')\nlog.info('3')\n{end}"
    subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, check=False)
    assert lines(tmp_path / "a.log") == ["1", "2", "3"][:left]


def test_forked_child_writes_its_own_lines_and_none_of_the_parents(tmp_path, log):
    handler = logs_to(log, FileHandler(tmp_path / "a.log", buffering=1 << 20, flush_interval_ms=60_000))
    log.info("parent")
    child = multiprocessing.get_context("fork").Process(target=log.info, args=("child",))
    child.start()
    child.join(60)
    assert lines(tmp_path / "a.log") == ["child"]
    handler.close()
    assert lines(tmp_path / "a.log") == ["child", "parent"]


# ---- rotation


@pytest.mark.parametrize("options", [PYTHON, {"buffering": 333}])
def test_rotation_by_size_is_the_stdlibs(tmp_path, log, options):
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    ours = logs_to(log, RotatingFileHandler(tmp_path / "ours" / "a.log", maxBytes=500, backupCount=3, **options))
    logs_to(log, logging.handlers.RotatingFileHandler(tmp_path / "theirs" / "a.log", maxBytes=500, backupCount=3))
    for number in range(200):
        log.info("line %d %s", number, "x" * (number % 17))
    ours.close()
    names = sorted(os.listdir(tmp_path / "theirs"))
    assert names == sorted(os.listdir(tmp_path / "ours")) == ["a.log", "a.log.1", "a.log.2", "a.log.3"]
    for name in names:
        assert lines(tmp_path / "ours" / name) == lines(tmp_path / "theirs" / name)


def test_namer_and_rotator_are_asked(tmp_path, log):
    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", maxBytes=5, backupCount=2, **PYTHON))
    moved = []
    handler.namer = lambda name: name.replace(".log", "-log")
    handler.rotator = lambda source, target: (moved.append(os.path.basename(target)), os.rename(source, target))
    for number in range(4):
        log.info("n%d", number)
    assert moved == ["a-log.1"] * 3
    assert {name: lines(tmp_path / name) for name in os.listdir(tmp_path)} == {
        "a.log": ["n3"],
        "a-log.1": ["n2"],
        "a-log.2": ["n1"],
    }


def test_rotation_by_time_keeps_what_waited_in_the_old_file(tmp_path, log, monkeypatch):
    handler = logs_to(log, TimedRotatingFileHandler(tmp_path / "a.log", "S", 1, 2, utc=True, buffering=1000))
    for second in range(10, 15):
        monkeypatch.setattr(time, "time", lambda second=second: 1_700_000_000.5 + second)
        handler.rolloverAt = 1_700_000_000 + second
        log.info("s%d.1", second)
        log.info("s%d.2", second)
    handler.close()
    assert {name: lines(tmp_path / name) for name in sorted(os.listdir(tmp_path))} == {
        "a.log": ["s14.1", "s14.2"],
        "a.log.2023-11-14_22-13-32": ["s12.1", "s12.2"],
        "a.log.2023-11-14_22-13-33": ["s13.1", "s13.2"],
    }


def test_rotation_by_time_never_overwrites(tmp_path, log):
    """As in the hour that a change of the clocks gives twice."""
    handler = logs_to(log, TimedRotatingFileHandler(tmp_path / "a.log", "D", utc=True, **PYTHON))
    for number in range(3):
        handler.rolloverAt = 86400
        log.info("n%d", number)
    assert {name: lines(tmp_path / name) for name in sorted(os.listdir(tmp_path))} == {
        "a.log": ["n0", "n1", "n2"],
        "a.log.1970-01-01": [],
    }


def test_file_that_cannot_be_rotated_is_written_on(tmp_path, log, clock, capsys):
    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", maxBytes=5, backupCount=1, **PYTHON))
    handler.rotator = lambda source, target: os.rename(source, tmp_path / "nowhere" / "a")
    for number in range(3):
        log.info("n%d", number)
    assert lines(tmp_path / "a.log") == ["n0", "n1", "n2"]
    assert capsys.readouterr().err.count("cannot be rotated and is written on") == 1
    handler.rotator = None
    clock.now += 6
    log.info("n3")
    assert (lines(tmp_path / "a.log"), lines(tmp_path / "a.log.1")) == (["n3"], ["n0", "n1", "n2"])


def test_namer_that_raises_is_no_error_of_the_caller(tmp_path, log, clock, capsys):
    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", maxBytes=5, backupCount=1, **PYTHON))
    handler.namer = {}.__getitem__
    for number in range(3):
        log.info("n%d", number)
    assert lines(tmp_path / "a.log") == ["n0", "n1", "n2"]
    assert capsys.readouterr().err.count("cannot be rotated and is written on") == 1


# ---- a disk that fails


def test_records_go_to_the_fallback_until_the_directory_is_back(tmp_path, log, clock, capsys):
    folder = tmp_path / "logs"
    folder.mkdir()
    kept = Kept()
    handler = logs_to(log, FileHandler(folder / "a.log", fallback=kept))
    log.info("n0")
    folder.rename(tmp_path / "away")
    for number in range(1, 4):
        log.info("n%d", number)
    assert kept.got == ["n1", "n2", "n3"]
    assert handler.flush() is False
    (tmp_path / "away").rename(folder)
    log.info("n4")  # before it is time for another attempt
    clock.now += 60
    log.info("n5")
    assert lines(folder / "a.log") == ["n0", "n5"]
    assert kept.got == ["n1", "n2", "n3", "n4"]
    assert some(handler, "emitted", "written", "failed", "fallback", "failed_by") == (6, 2, 4, 4, {"ENOENT": 4})
    error = capsys.readouterr().err
    assert error.count("femtolog: ") == 1
    assert "No such file or directory: " in error
    handler.close()
    assert "3 more records have failed" in capsys.readouterr().err


def test_attempts_are_made_at_growing_intervals(tmp_path, log, clock, monkeypatch):
    folder = tmp_path / "logs"
    folder.mkdir()
    handler = logs_to(log, FileHandler(folder / "a.log", backoff={"base_ms": 125, "cap_ms": 500}))
    os.remove(folder / "a.log")
    folder.rmdir()
    monkeypatch.setattr(_backoff.random, "uniform", lambda least, most: most)
    attempts = []

    def opened(*arguments, **named):
        attempts.append(clock.now - clock.start)
        return open(*arguments, **named)

    monkeypatch.setattr(handler, "_builtin_open", opened)
    for _ in range(20):
        log.info("lost")
        clock.now += 0.125
    assert attempts == [0.0, 0.125, 0.375, 0.875, 1.375, 1.875, 2.375]
    assert some(handler, "failed", "written") == (20, 0)


def test_what_fits_into_the_buffer_waits_for_space(tmp_path, log, clock, monkeypatch, capsys):
    """A write is cut short: whole lines stay, the piece is taken back, the rest waits, and what is too much is handed over."""
    kept = Kept()
    handler = logs_to(log, FileHandler(tmp_path / "a.log", buffering=30, fallback=kept, flush_interval_ms=60_000))
    write = os.write
    left = 13

    def cut(descriptor, data):
        nonlocal left
        if not left:
            raise OSError(28, "No space left on device")
        written = write(descriptor, data[:left])
        left -= written
        return written

    monkeypatch.setattr(os, "write", cut)
    arguments = ["changes later"]
    for number in range(8):
        log.info("line %d", number) if number != 5 else log.info("%s", arguments)
    arguments[:] = []
    assert lines(tmp_path / "a.log") == ["line 0"]
    assert (tmp_path / "a.log").read_bytes()[-1:] == b"\n"
    assert kept.got == ["['changes later']", "line 6", "line 7"]
    assert some(handler, "written", "failed", "fallback", "in_flight") == (1, 3, 3, 4)
    left = 10_000
    clock.now += 60
    handler._tick()
    assert lines(tmp_path / "a.log") == [f"line {number}" for number in range(5)]
    assert some(handler, "emitted", "written", "failed", "in_flight") == (8, 5, 3, 0)
    assert capsys.readouterr().err.count("No space left on device): 1 more records have failed") == 1


def test_after_the_deadline_and_at_the_end_what_waits_is_handed_over(tmp_path, log, clock, monkeypatch, capsys):
    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    kept = Kept()
    options = {"buffering": 1000, "flush_interval_ms": 60_000, "fallback": kept, "backoff": {"deadline_ms": 5000}}
    handler = logs_to(log, FileHandler(tmp_path / "a.log", **options))
    monkeypatch.setattr(os, "write", full)
    log.error("one")
    clock.now += 6
    assert kept.got == []
    log.error("two")
    assert kept.got == ["one", "two"]
    log.error("three")
    handler.close()
    assert kept.got == ["one", "two", "three"]
    assert some(handler, "emitted", "failed", "fallback", "failed_by") == (3, 3, 3, {"ENOSPC": 3})
    assert "[Errno 28]" in capsys.readouterr().err


def test_fallback_has_a_level_and_may_fail(tmp_path, log, monkeypatch, capsys):
    class Broken(Kept):
        def handle(self, record):
            super().handle(record)
            raise RuntimeError("as well")

    monkeypatch.setattr(os, "write", lambda descriptor, data: os.close(-1))
    kept = Broken()
    kept.setLevel("ERROR")
    handler = logs_to(log, FileHandler(tmp_path / "a.log", fallback=kept))
    log.warning("too little")
    log.error("enough")
    assert kept.got == ["enough"]
    assert some(handler, "failed", "fallback", "failed_by") == (2, 0, {"EBADF": 2})
    assert "RuntimeError: as well" in capsys.readouterr().err


def test_record_that_cannot_be_formatted_fails_as_in_the_stdlib(tmp_path, log, capsys):
    handler = logs_to(log, FileHandler(tmp_path / "a.log", "w", "ascii", fallback=Kept()))
    log.info("%d", "x")
    log.info("\xe4")
    handler.handle(logging.makeLogRecord({"msg": "no level"}))
    error = capsys.readouterr().err
    assert error.count("--- Logging error ---") == 2
    assert "UnicodeEncodeError" in error
    assert lines(tmp_path / "a.log") == ["no level"]
    assert some(handler, "emitted", "written", "failed", "fallback", "failed_by") == (3, 1, 2, 0, {})


# ---- one file of many processes (more in stress/test_one_file.py)


def test_handlers_of_one_process_share_a_file(tmp_path, log):
    """The fallback of one of them among these, and one that rolls over while the other one is open."""
    options = {"maxBytes": 100, "backupCount": 50, "multiprocess": True}
    first = logs_to(log, RotatingFileHandler(tmp_path / "a.log", **options))
    second = logs_to(log, RotatingFileHandler(tmp_path / "a.log", fallback=first, **options))
    for number in range(20):
        log.info("line %d", number)
    second._close_stream()
    second._open = lambda: open(tmp_path / "nowhere" / "a.log")
    log.info("line 20")
    assert (first.stats()["written"], second.stats()["written"], second.stats()["fallback"]) == (22, 20, 1)
    found = [line for path in tmp_path.glob("a.log*") for line in lines(path)]
    assert sorted(found) == sorted(2 * [f"line {number}" for number in range(21)])


def test_lock_file_that_somebody_removes_is_made_anew(tmp_path, log):
    logs_to(log, FileHandler(tmp_path / "a.log", multiprocess=True))
    other = logs_to(log, FileHandler(tmp_path / "a.log", multiprocess=True))
    log.info("one")
    (tmp_path / ".a.log.lock").unlink()
    log.info("two")
    assert lines(tmp_path / "a.log") == ["one", "one", "two", "two"]
    assert other._lock._is_at_path()


def test_file_that_cannot_be_renamed_is_copied_and_emptied(tmp_path, log):
    """As one that another process has open on Windows."""

    def rotator(source, target):
        raise PermissionError(13, "in use")

    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", maxBytes=5, backupCount=2, multiprocess=True))
    handler.rotator = rotator
    for number in range(3):
        log.info("n%d", number)
    names = ("a.log", "a.log.1", "a.log.2")
    assert {name: lines(tmp_path / name) for name in names} == {"a.log": ["n2"], "a.log.1": ["n1"], "a.log.2": ["n0"]}


def test_no_lock_no_handler(tmp_path):
    (tmp_path / ".a.log.lock").mkdir()
    with pytest.raises(IsADirectoryError):
        FileHandler(tmp_path / "a.log", multiprocess=True)


def test_rollover_of_another_process_moves_the_time_of_the_next(tmp_path, log, monkeypatch):
    first = logs_to(log, TimedRotatingFileHandler(tmp_path / "a.log", "H", multiprocess=True))
    second = logs_to(log, TimedRotatingFileHandler(tmp_path / "a.log", "H", multiprocess=True))
    now = first.rolloverAt + 10
    monkeypatch.setattr(time, "time", lambda: now)
    log.info("one")
    assert (first.rolloverAt, second.rolloverAt) == (now + 3600, now + 3600)
    assert len(list(tmp_path.glob("a.log*"))) == 2
    assert lines(tmp_path / "a.log") == ["one", "one"]


# ---- asynchronous


def test_enqueue_with_options_has_one_account(tmp_path, log, monkeypatch, capsys):
    kept = Kept()
    handler = logs_to(log, FileHandler(tmp_path / "a.log", enqueue={"capacity": 10}, buffering=1000, fallback=kept))
    log.info("waits behind the queue")
    assert handler.flush(60) is True
    assert some(handler, "emitted", "written", "in_flight", "dropped") == (1, 1, 0, 0)
    monkeypatch.setattr(os, "write", lambda descriptor, data: os.close(-1))
    log.error("lost")
    log.error("%d", "x")
    assert handler.flush(60) is False
    handler.close()
    assert kept.got == ["lost"]
    assert some(handler, "emitted", "written", "failed", "fallback", "in_flight") == (3, 1, 2, 1, 0)
    assert "Bad file descriptor" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [FileHandler, RotatingFileHandler, TimedRotatingFileHandler])
def test_with_options_the_way_to_the_queue_is_native(tmp_path, log, kind):
    handler = logs_to(log, kind(tmp_path / "a.log", enqueue=True, buffering=300, fallback=(kept := Kept())))
    log.info("first")  # starts the worker
    femtolog.reset_stats()
    for number in range(100):
        log.info("%d", number)
    assert femtolog.stats()["emits"] >= 90
    assert handler.flush(60) is True
    assert lines(tmp_path / "a.log") == ["first", *map(str, range(100))]
    handler._open = lambda: os.close(-1)
    os.remove(tmp_path / "a.log")
    log.error("%s %d", "for the fallback", 1)
    handler.close()
    assert kept.got == ["for the fallback 1"]
    assert some(handler, "emitted", "written", "failed") == (102, 101, 1)


def test_enqueue_alone_writes_many_lines_with_one_call(tmp_path, log):
    handler = logs_to(log, FileHandler(tmp_path / "a.log", enqueue=True))
    log.info("first")  # starts the worker
    assert handler.flush(60) is True
    looks = []
    is_moved = handler._is_moved
    handler._is_moved = lambda: looks.append(None) or is_moved()
    handler.acquire()
    femtolog.reset_stats()
    for number in range(100):
        log.info("%d", number)
    assert femtolog.stats()["emits"] >= 90
    handler.release()
    assert handler.flush(60) is True
    assert lines(tmp_path / "a.log") == ["first", *map(str, range(100))]
    assert len(looks) <= 2  # one is of what the worker had taken before the others came
    assert some(handler, "written", "failed", "fallback", "failed_by") == (101, 0, 0, {})


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is Linux's")
@pytest.mark.parametrize("kind", [FileHandler, RotatingFileHandler, TimedRotatingFileHandler])
def test_enqueue_alone_is_an_option_when_the_disk_is_full(log, kind, capsys):
    handler = logs_to(log, kind("/dev/full", enqueue=True))
    for number in range(20):
        log.info("%d", number)
    assert [handler.flush(60), handler.flush(60)] == [False, True]
    log.info("%d", "x")
    handler.close()
    assert some(handler, "emitted", "written", "failed", "in_flight") == (21, 0, 21, 0)
    assert handler.stats()["failed_by"] == {"ENOSPC": 20}
    log.info("after close")  # which the caller writes, and nothing is raised
    error = capsys.readouterr().err
    assert error.count("--- Logging error ---") == 1  # of the one that has no text
    assert 2 <= error.count("No space left on device") <= 3


def test_what_a_failed_write_has_left_of_a_line():
    piece = _steady._piece
    assert [piece(written, b"one\ntwo\n", b"\n") for written in (b"", b"x\n", b"x\non", b"on", b"x\none\n", b"x\none\nt")] == [
        0,
        0,
        2,
        2,
        4,
        5,
    ]
    assert piece(b"x\none\ntwo\n", b"one\ntwo\n", b"\n") == 0  # it is whole
    assert piece(b"a\r\nb", b"bc\r\n", b"\r\n") == 1
    assert piece(b"on", b"one", b"") == 0  # nobody knows where it begins


def test_enqueue_alone_rotates(tmp_path, log):
    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", maxBytes=100, backupCount=9, enqueue=True))
    for number in range(20):
        log.info("line %d", number)
    assert handler.flush(60) is True
    handler.close()
    assert [line for number in (1, 0) for line in lines(tmp_path / f"a.log{f'.{number}' if number else ''}")] == [
        f"line {number}" for number in range(20)
    ]
    assert handler.stats()["written"] == 20


def account(handler):
    return some(handler, "emitted", "written", "failed", "dropped", "in_flight")


@pytest.mark.parametrize(
    ("make", "seen"),
    [
        (lambda path: FileHandler(path, enqueue=True, buffering=1000), [(2, 0, 0, 0, 2)]),
        (lambda path: RotatingFileHandler(path, enqueue=True), [(2, 0, 0, 0, 2), (2, 1, 0, 0, 1)]),
    ],
)
def test_account_adds_up_while_a_line_is_written(tmp_path, log, monkeypatch, make, seen):
    handler = logs_to(log, make(tmp_path / "a.log"))
    write, readings = os.write, []

    def reading(descriptor, data):
        readings.append(account(handler))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", reading)
    handler.acquire()  # both are there when the first is written
    log.info("one")
    log.error("two")
    handler.release()
    assert handler.flush(60) is True
    assert readings == seen
    assert account(handler) == (2, 2, 0, 0, 0)


def test_account_adds_up_while_the_fallback_has_a_line(tmp_path, log, monkeypatch):
    class Reading(Kept):
        def emit(self, record):
            super().emit(record)
            readings.append(account(handler))

    readings, fallback = [], Reading()
    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", enqueue=True, fallback=fallback))
    log.info("one")
    assert handler.flush(60) is True
    monkeypatch.setattr(os, "write", lambda descriptor, data: os.close(-1))
    log.info("two")
    assert [handler.flush(60), handler.flush(60)] == [False, True]
    assert (fallback.got, readings) == (["two"], [(2, 1, 1, 0, 0)])
    assert account(handler) == (2, 1, 1, 0, 0)


@pytest.mark.parametrize(
    "asynchronous", [False, {"overflow": "block", "capacity": 50}, {"overflow": "drop_oldest", "capacity": 50}]
)
@pytest.mark.parametrize(("kind", "options"), [(FileHandler, {"buffering": 300}), (RotatingFileHandler, {})])
def test_account_adds_up_at_every_reading(tmp_path, log, monkeypatch, kind, options, asynchronous):
    write, calls = os.write, itertools.count(1)

    def failing(descriptor, data):
        return write(descriptor, data) if next(calls) % 20 else os.close(-1)

    monkeypatch.setattr(os, "write", failing)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    fallback = Kept()
    handler = logs_to(log, kind(tmp_path / "a.log", enqueue=asynchronous, fallback=fallback, backoff={"base_ms": 1}, **options))

    def work():
        for number in range(400):
            log.info("%d", number if number % 10 else "no number")

    workers = [threading.Thread(target=work) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for worker in workers:
            worker.start()
        readings = []
        while any(worker.is_alive() for worker in workers):
            readings.append({"dropped": 0, **handler.stats()})
    finally:
        for worker in workers:
            worker.join(60)
        sys.setswitchinterval(interval)
    handler.close()
    end = {"dropped": 0, **handler.stats()}
    parts = ("written", "failed", "dropped", "in_flight")
    assert [one for one in readings if one["emitted"] != sum(one[part] for part in parts) or one["in_flight"] < 0] == []
    for name in ("emitted", "written", "failed", "dropped", "fallback"):
        counted = [one[name] for one in (*readings, end)]
        assert counted == sorted(counted), name
    assert (end["emitted"], end["in_flight"]) == (1200, 0)
    assert end["written"] == len(lines(tmp_path / "a.log"))
    assert (end["failed"], end["fallback"]) == (120 + len(fallback.got), len(fallback.got))


def test_lines_after_close_are_in_the_account(tmp_path, log, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", enqueue=True))
    log.info("before")
    handler.close()
    assert account(handler) == (1, 1, 0, 0, 0)
    log.info("after")
    log.info("%d", "no number")
    # Whoever has found the queue open, and finds it closed when the record is prepared.
    handler._femtolog_pipeline.submit(handler, logging.makeLogRecord({"msg": "between"}))
    assert account(handler) == (4, 3, 1, 0, 0)
    assert lines(tmp_path / "a.log") == ["before", "after", "between"]


def test_line_of_a_write_that_is_interrupted_is_in_the_account(tmp_path, log, monkeypatch):
    def interrupted(descriptor, data):
        raise KeyboardInterrupt

    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", enqueue=True))
    monkeypatch.setattr(sys, "excepthook", lambda *raised: None)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", interrupted)
        log.info("one")
        pipeline = handler._femtolog_pipeline
        assert pipeline.wait_until(handler, pipeline.queue.mark(), time.monotonic() + 30)
    assert account(handler) == (2, 0, 1, 0, 1)  # the queue has lost a record, of which a line waits
    handler.close()
    assert account(handler) == (2, 1, 1, 0, 0)
    assert lines(tmp_path / "a.log") == ["one"]


def test_records_that_an_emit_of_the_instance_takes_are_written(tmp_path, log):
    handler = logs_to(log, RotatingFileHandler(tmp_path / "a.log", enqueue=True))
    log.info("one")
    assert handler.flush(60) is True
    got = []
    handler.emit = got.append
    log.info("two")
    assert handler.flush(60) is True
    assert [record.getMessage() for record in got] == ["two"]
    assert account(handler) == (2, 2, 0, 0, 0)


def test_records_without_a_line_fail_whatever_handles_their_error(tmp_path, log):
    class Quiet(FileHandler):
        def handleError(self, record):
            pass

    handler = logs_to(log, Quiet(tmp_path / "a.log", buffering=1000))
    log.info("%d", "no number")
    log.info("one")
    assert some(handler, "emitted", "written", "failed", "in_flight") == (2, 0, 1, 1)
    handler.close()
    assert some(handler, "emitted", "written", "failed", "in_flight") == (2, 1, 1, 0)


CHILD = """
import logging, multiprocessing, sys
import femtolog
from femtolog import files
first = femtolog.enqueue(logging.StreamHandler(sys.stdout))  # whose hooks are there before those of files
log = logging.Logger("l")
log.addHandler(files.FileHandler("a.log", enqueue=True, buffering=1 << 20, flush_interval_ms=600_000))
def work():
    for number in range(500):
        log.info("%d", number)
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_child_of_multiprocessing_writes_what_is_queued_and_what_waits(tmp_path):
    subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", CHILD], cwd=tmp_path, check=True, timeout=60)
    assert lines(tmp_path / "a.log") == [str(number) for number in range(500)]


@pytest.mark.parametrize("configure", [logging.config.dictConfig, femtolog.dictConfig])
def test_dict_config(tmp_path, configure):
    handler = {"class": "femtolog.files.RotatingFileHandler", "filename": str(tmp_path / "a.log"), "maxBytes": 1000}
    handler |= {"backupCount": 2, "enqueue": {"capacity": 5}, "buffering": 100}
    configure({"version": 1, "handlers": {"file": handler}, "root": {"level": "INFO", "handlers": ["file"]}})
    logging.info("configured")
    [made] = logging.root.handlers
    assert made.flush(60) is True
    made.close()
    assert lines(tmp_path / "a.log") == ["INFO:root:configured"] or lines(tmp_path / "a.log") == ["configured"]


def test_dict_config_finds_the_fallback_whatever_the_order(tmp_path):
    file = {"class": "femtolog.files.FileHandler", "filename": str(tmp_path / "a.log"), "fallback": "screen"}
    screen = {"class": "logging.StreamHandler", "level": "ERROR"}
    femtolog.dictConfig(
        {
            "version": 1,
            "handlers": {"file": file, "screen": screen},
            "root": {"handlers": ["file"]},
            "loggers": {"x": {"handlers": ["screen"]}},
        }
    )
    [made] = logging.root.handlers
    assert made._settings.fallback is logging.getLogger("x").handlers[0]
    made.close()
    with pytest.raises(ValueError, match="Unable to configure handler 'file'"):
        femtolog.dictConfig({"version": 1, "handlers": {"file": file | {"fallback": "none"}}})


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_fallback_that_hangs_at_exit_does_not_hang_the_process():
    program = """if True:
        import logging, threading
        from femtolog import files
        class Hanging(logging.Handler):
            def emit(self, record):
                entered.set()
                threading.Event().wait()
        entered = threading.Event()
        handler = files.FileHandler("/dev/full", enqueue=True, fallback=Hanging())
        vars(handler)["_femtolog_pipeline"].timeout = 0.2
        log = logging.Logger("x")
        log.addHandler(handler)
        for number in range(5):
            log.info("%d", number)
        entered.wait()
    """
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "hangs at the end of the program and loses" in done.stderr
