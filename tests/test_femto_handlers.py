"""The femto handlers: what they write, what they refuse, and an account of every record."""

import datetime
import io
import logging
import logging.handlers
import os
import shutil
import subprocess
import sys
import threading

import pytest
from gate import Gate

import femtolog
from femtolog import _enqueue, femto
from femtolog.femto import handover


@pytest.fixture(autouse=True)
def fresh():
    with femtolog.installed():
        yield
        femto.reset_manager()


def stopped(**options):
    """A handler whose worker hangs in its first record."""
    gate = Gate()
    handler = femto.FemtoStreamHandler(gate, **options)
    handler.handle("core", "INFO", "first")
    assert gate.entered.wait(10)
    return gate, handler


def counts(handler):
    stats = handler.stats()
    return tuple(stats[name] for name in ("emitted", "written", "failed", "in_flight", "failed_by"))


class Kept(logging.Handler):
    """Keeps the messages."""

    def __init__(self):
        super().__init__()
        self.got = []

    def emit(self, record):
        self.got.append(record.getMessage())


def texts(folder):
    return {path.name: path.read_text(encoding="utf-8").splitlines() for path in sorted(folder.iterdir())}


# ---- what all of them do


def test_handlers_are_those_of_logging():
    stream = femto.FemtoStreamHandler(io.StringIO())
    assert isinstance(stream, logging.StreamHandler)
    assert isinstance(stream, femto.FemtoHandler)
    assert type(stream) is femto.FemtoStreamHandler
    assert issubclass(femto.FemtoFileHandler, logging.FileHandler)
    assert issubclass(femto.FemtoRotatingFileHandler, logging.handlers.RotatingFileHandler)
    assert issubclass(femto.FemtoTimedRotatingFileHandler, logging.handlers.TimedRotatingFileHandler)
    with pytest.raises(ValueError, match="asynchronous already"):
        femtolog.enqueue(stream)
    stream.close()


def test_without_a_formatter_the_line_is_the_default():
    stream = io.StringIO()
    handler = femto.FemtoStreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.handle("svc", "INFO", "one")
    handler.setFormatter(None)
    handler.handle("svc", "INFO", "two")
    handler.close()
    assert stream.getvalue() == "one\nsvc [INFO] two\n"


def test_flush_waits_for_a_second_unless_told_otherwise(tmp_path):
    handlers = [
        femto.FemtoStreamHandler(io.StringIO()),
        femto.StreamHandlerBuilder().stream_target(io.StringIO()).build(),
        femto.FemtoStreamHandler(io.StringIO(), flush_after_ms=20),
        femto.FemtoFileHandler(tmp_path / "f.log"),
    ]
    waited = []
    for handler in handlers:
        pipeline = handler._femtolog_pipeline
        wait, pipeline.flush = pipeline.flush, lambda _, timeout: waited.append(timeout)
        handler.flush()
        handler.flush(3)
        pipeline.flush = wait
        handler.close()
    assert waited == [1.0, 3, 1.0, 3, 0.02, 3, 1.0, 3]


def test_default_line_with_exception_and_stack():
    stream = io.StringIO()
    handler = femto.FemtoStreamHandler(stream)
    log = femtolog.get_logger("svc")
    log.add_handler(handler)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        text = log.error("m", exc_info=True, stack_info=True)
    logging.getLogger("svc").warning("from %s", "logging")
    assert handler.flush()
    assert stream.getvalue() == f"{text}\nsvc [WARN] from logging\n"
    assert text.startswith("svc [ERROR] m\nTraceback (most recent call last):\n")
    assert "\nStack (most recent call last):\n" in text
    handler.close()


def test_with_a_formatter_of_logging_the_way_to_the_queue_is_native(tmp_path):
    handler = femto.FemtoFileHandler(tmp_path / "f.log", policy="block")
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log = logging.Logger("native")
    log.addHandler(handler)
    log.info("first")  # starts the worker
    femtolog.reset_stats()
    for number in range(100):
        log.info("%d", number)
    assert femtolog.stats()["emits"] >= 90
    assert handler.flush(10)
    handler.close()
    assert (tmp_path / "f.log").read_text() == "INFO first\n" + "".join(f"INFO {number}\n" for number in range(100))


def test_standard_streams(capsys):
    for handler in (femto.FemtoStreamHandler(), femto.FemtoStreamHandler.stderr(), femto.FemtoStreamHandler.stdout()):
        handler.handle("core", "WARNING", "m")
        assert handler.flush()
        handler.close()
    assert (capsys.readouterr()) == ("core [WARN] m\n", "core [WARN] m\n" * 2)


def test_level_filters_and_formatter_of_a_handler():
    stream = io.StringIO()
    handler = femto.FemtoStreamHandler(stream)
    handler.setLevel(logging.INFO)
    handler.addFilter(lambda record: "no" not in record.msg)
    handler.setFormatter(logging.Formatter("%(levelname)s:%(message)s"))
    for level, message in (("DEBUG", "below"), ("INFO", "no"), ("ERROR", "yes")):
        handler.handle("core", level, message)
    handler.close()
    assert stream.getvalue() == "ERROR:yes\n"


def test_direct_call_with_too_little_or_no_level():
    handler = femto.FemtoStreamHandler(io.StringIO())
    with pytest.raises(TypeError, match="handle\\(\\) takes a record, or"):
        handler.handle("core", "INFO")
    with pytest.raises(ValueError, match="level must be"):
        handler.handle("core", "LOUD", "m")
    handler.close()
    handler.close()
    with pytest.raises(RuntimeError, match="is closed"):
        handler.handle("core", "INFO", "m")
    assert handler.flush() is False


@pytest.mark.parametrize("filtered", [False, True])
def test_what_is_logged_after_close_is_dropped_and_counted(tmp_path, capsys, filtered):
    handler = femto.FemtoFileHandler(tmp_path / "log")
    if filtered:
        handler.addFilter(lambda record: record.msg != "no")
    log = femtolog.get_logger("late")
    log.add_handler(handler)
    log.info("in time")
    handler.close()
    log.info("late")
    log.info("no")
    log.remove_handler(handler)
    handler.emit(logging.makeLogRecord({"msg": "by emit()"}))
    assert (tmp_path / "log").read_text() == "late [INFO] in time\n"
    stats = handler.stats()
    late = 2 if filtered else 3
    assert (stats["emitted"], stats["written"], stats["dropped"], stats["dropped_by"]["closed"]) == (1 + late, 1, late, late)
    assert capsys.readouterr().err.count("femtolog: ") == 1


def test_drop_raises_for_a_direct_call_and_counts_for_a_logger(capsys):
    gate, handler = stopped(capacity=2)
    handler.handle("core", "INFO", "second")
    with pytest.raises(RuntimeError, match=r"the queue of .* is full: the record is dropped"):
        handler.handle("core", "INFO", "third")
    log = femtolog.get_logger("svc")
    log.add_handler(handler)
    assert log.info("fourth") == "svc [INFO] fourth"
    assert log.get_dropped() == 2
    assert handler.flush(0.01) is False
    gate.opened.set()
    assert handler.flush(10) is True
    assert gate.getvalue() == "core [INFO] first\ncore [INFO] second\n"
    stats = handler.stats()
    assert (stats["emitted"], stats["written"], stats["dropped"], stats["in_flight"]) == (4, 2, 2, 0)
    handler.close()
    assert "has dropped 1 more records" in capsys.readouterr().err


def test_other_policies():
    gate, handler = stopped(capacity=2, policy=femto.OverflowPolicy.timeout(1))
    handler.handle("core", "INFO", "second")
    with pytest.raises(RuntimeError, match="is dropped"):
        handler.handle("core", "INFO", "third")
    gate.opened.set()
    handler.close()
    assert handler.stats()["dropped_by"]["timeout"] == 1
    gate, handler = stopped(capacity=2, policy="drop_oldest")
    for message in ("second", "third"):
        handler.handle("core", "INFO", message)
    gate.opened.set()
    handler.close()
    assert gate.getvalue().splitlines() == ["core [INFO] first", "core [INFO] third"]
    gate, handler = stopped(capacity=2, policy="block")
    threads = [threading.Thread(target=handler.handle, args=("core", "INFO", f"m{n}")) for n in range(4)]
    for thread in threads:
        thread.start()
    gate.opened.set()
    for thread in threads:
        thread.join()
    handler.close()
    assert sorted(gate.getvalue().splitlines()) == ["core [INFO] first", *(f"core [INFO] m{n}" for n in range(4))]


def limits(handler):
    return vars(handler)[_enqueue.ATTRIBUTE].limits


def test_bytes_of_a_queue(tmp_path):
    gate, handler = stopped(capacity_bytes=1)
    assert limits(handler) == (1024, 1, "drop")
    with pytest.raises(RuntimeError, match="is dropped"):
        handler.handle("core", "INFO", "second")
    gate.opened.set()
    handler.close()
    path = tmp_path / "f.log"
    sized, timed = femto.HandlerOptions(capacity_bytes=7), femto.TimedHandlerOptions(capacity_bytes=7)
    for made, size in (
        (femto.FemtoStreamHandler(io.StringIO()), 64 << 20),
        (femto.FemtoFileHandler(path), 64 << 20),
        (femto.FemtoFileHandler(path, capacity_bytes=9), 9),
        (femto.FemtoRotatingFileHandler(path), 64 << 20),
        (femto.FemtoRotatingFileHandler(path, sized), 7),
        (femto.FemtoRotatingFileHandler(path, sized, capacity_bytes=9), 9),
        (femto.FemtoTimedRotatingFileHandler(path), 64 << 20),
        (femto.FemtoTimedRotatingFileHandler(path, timed), 7),
        (femto.FemtoTimedRotatingFileHandler(path, timed, capacity_bytes=9), 9),
        (femto.FileHandlerBuilder(path).with_capacity_bytes(5).build(), 5),
        (femto.RotatingFileHandlerBuilder(path).with_capacity_bytes(5).build(), 5),
        (femto.TimedRotatingFileHandlerBuilder(path).with_capacity_bytes(5).build(), 5),
        (femto.StreamHandlerBuilder().with_capacity_bytes(5).build(), 5),
    ):
        assert limits(made) == (1024, size, "drop")
        made.close()


@pytest.mark.parametrize("wrong", [0, -1])
def test_bytes_out_of_range(wrong, tmp_path):
    path = tmp_path / "f.log"
    for make in (
        lambda **options: femto.FemtoStreamHandler(io.StringIO(), **options),
        lambda **options: femto.FemtoFileHandler(path, **options),
        lambda **options: femto.FemtoRotatingFileHandler(path, **options),
        lambda **options: femto.FemtoTimedRotatingFileHandler(path, **options),
        femto.HandlerOptions,
        femto.TimedHandlerOptions,
    ):
        with pytest.raises(femto.HandlerConfigError, match=f"capacity_bytes must be at least 1, got {wrong}"):
            make(capacity_bytes=wrong)
        with pytest.raises(TypeError, match=r"capacity_bytes must be an int, got 1\.5"):
            make(capacity_bytes=1.5)
    assert not path.exists()


def test_flush_that_fails_says_so(capsys):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    handler = femto.FemtoStreamHandler(Full())
    handler.handle("core", "INFO", "m")
    assert handler.flush() is False
    assert handler.stats()["failed"] == 1
    handler.close()
    assert "No space left on device" in capsys.readouterr().err


def test_flush_waits_as_long_as_it_was_told():
    gate, handler = stopped(flush_after_ms=1)
    assert handler.flush() is False
    gate.opened.set()
    handler.close()


def test_emit_of_a_subclass_is_refused():
    with pytest.raises(TypeError, match=r"Mine.emit\(\) would never be called"):
        type("Mine", (femto.FemtoFileHandler,), {"emit": lambda self, record: None})
    mine = type("Mine", (femto.FemtoStreamHandler,), {"format": lambda self, record: "mine"})(stream := io.StringIO())
    mine.handle("core", "INFO", "m")
    mine.close()
    assert stream.getvalue() == "mine\n"


# ---- options


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ("timeout", "timeout requires a positive integer N, use 'timeout:N'"),
        ("timeout:", "timeout requires a positive integer N, use 'timeout:N'"),
        ("timeout:x", "timeout requires a positive integer N, use 'timeout:N'"),
        ("timeout:0", "timeout must be greater than zero"),
        ("x", "invalid overflow policy: 'x'. Valid options are: block, drop, drop_oldest, timeout:N, spill"),
    ],
)
def test_policies_that_there_are_not(policy, text, tmp_path):
    for make in (
        femto.OverflowPolicy,
        lambda policy: femto.FemtoFileHandler(tmp_path / "f.log", policy=policy),
        lambda policy: femto.HandlerOptions(policy=policy),
        lambda policy: femto.TimedHandlerOptions(policy=policy),
    ):
        with pytest.raises(femto.HandlerConfigError) as caught:
            make(policy)
        assert str(caught.value) == text
        assert isinstance(caught.value, ValueError)
    assert list(tmp_path.iterdir()) == []


def test_policies_are_what_they_are_called():
    policy = femto.OverflowPolicy
    assert [policy.drop(), policy.block(), policy.timeout(20), policy.drop_oldest()] == [
        "drop",
        "block",
        "timeout:20",
        "drop_oldest",
    ]
    assert policy(" Drop ") == policy.drop() != policy.block()
    assert len({policy.drop(), policy("drop"), "drop"}) == 1
    with pytest.raises(ValueError, match="greater than zero"):
        policy.timeout(0)


def test_numbers_out_of_range(tmp_path):
    path = tmp_path / "f.log"
    with pytest.raises(ValueError, match="capacity must be greater than zero, got 0"):
        femto.FemtoFileHandler(path, capacity=0)
    with pytest.raises(OverflowError, match="capacity must not be negative, got -1"):
        femto.FemtoFileHandler(path, capacity=-1)
    with pytest.raises(TypeError, match="capacity must be an int, got '1'"):
        femto.FemtoFileHandler(path, capacity="1")
    with pytest.raises(ValueError, match="flush_interval must be greater than zero"):
        femto.FemtoFileHandler(path, flush_interval=0)
    with pytest.raises(ValueError, match="flush_after_ms must be greater than zero"):
        femto.FemtoStreamHandler(io.StringIO(), flush_after_ms=0)
    assert femto.HandlerOptions(flush_interval=-1).flush_interval == 1
    for rotation in ((1, 0), (0, 1)):
        with pytest.raises(ValueError, match=femto.ROTATION_VALIDATION_MSG):
            femto.HandlerOptions(rotation=rotation)
    with pytest.raises(OverflowError, match="max_bytes must not be negative"):
        femto.HandlerOptions(rotation=(-1, 1))
    for when in ("X", "W7", "", None):
        with pytest.raises(ValueError, match=femto.TIMED_ROTATION_VALIDATION_MSG):
            femto.TimedHandlerOptions(when=when)
    for when in "SMH":
        with pytest.raises(ValueError, match="at_time is only for"):
            femto.TimedHandlerOptions(when=when, at_time=datetime.time(1))
    assert not path.exists()


def test_backoff():
    assert femto.BackoffConfig().as_dict() == {"base_ms": 100, "cap_ms": 10000, "reset_after_ms": 30000, "deadline_ms": 120000}
    assert femto.BackoffConfig({"cap_ms": 5000}).cap_ms == 5000
    for config, text in (
        ({"base": 1}, "unknown backoff key 'base'"),
        ({"base_ms": 0}, "base_ms must be a positive int, got 0"),
        ({"cap_ms": -1}, "cap_ms must be a positive int, got -1"),
        ({"cap_ms": 1.5}, "cap_ms must be a positive int, got 1.5"),
        ({"base_ms": 20, "cap_ms": 10}, "base_ms must not be above cap_ms, got 20 and 10"),
    ):
        with pytest.raises(femto.ConfigurationError, match=text):
            femto.BackoffConfig(config)


# ---- files


def test_every_line_is_in_the_file(tmp_path):
    handler = femto.FemtoFileHandler(tmp_path / "f.log", policy="block")

    def work(name):
        for number in range(500):
            handler.handle(name, "INFO", f"é {number}")

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.close()
    handler.close()
    lines = (tmp_path / "f.log").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2000
    for n in range(4):
        own = [line for line in lines if line.startswith(f"t{n} ")]
        assert own == [f"t{n} [INFO] é {number}" for number in range(500)]


def test_file_is_flushed_by_records(tmp_path):
    path = tmp_path / "f.log"
    handler = femto.FemtoFileHandler(path, flush_interval=3)

    def after(count):
        for _ in range(count):
            handler.handle("core", "INFO", "m")
        pipeline = handler._femtolog_pipeline
        assert pipeline.wait_until(handler, pipeline.queue.mark(), float("inf"))
        return len(path.read_text().splitlines())

    assert [after(2), after(1), after(2)] == [0, 3, 3]
    assert handler.flush()
    assert [len(path.read_text().splitlines()), after(2)] == [5, 5]
    handler.close()
    assert path.read_text() == "core [INFO] m\n" * 7


def test_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError):
        femto.FemtoFileHandler(tmp_path / "none" / "f.log")


def test_rotation_counts_bytes_and_keeps_so_many(tmp_path):
    line = len("c [INFO] é\n".encode())
    options = femto.HandlerOptions(rotation=(2 * line, 2))
    handler = femto.FemtoRotatingFileHandler(tmp_path / "r.log", options)
    assert (handler.max_bytes, handler.backup_count) == (2 * line, 2)
    for _ in range(2):
        handler.handle("c", "INFO", "é")
    assert handler.flush()
    assert texts(tmp_path) == {"r.log": ["c [INFO] é"] * 2}  # as large as it may be
    handler.handle("c", "INFO", "x" * 100)  # larger than any file may be
    handler.handle("c", "INFO", "3")
    handler.handle("c", "INFO", "4")
    handler.close()
    assert texts(tmp_path) == {
        "r.log": ["c [INFO] 3", "c [INFO] 4"],
        "r.log.1": ["c [INFO] " + "x" * 100],
        "r.log.2": ["c [INFO] é"] * 2,
    }
    fewer = femto.FemtoRotatingFileHandler(tmp_path / "r.log", femto.HandlerOptions(rotation=(line, 1)))
    fewer.handle("c", "INFO", "5")
    fewer.close()
    assert texts(tmp_path) == {"r.log": ["c [INFO] 5"], "r.log.1": ["c [INFO] 3", "c [INFO] 4"]}


@pytest.mark.parametrize("interval", [1, 4])
def test_no_line_is_lost_over_many_files(tmp_path, interval):
    options = femto.HandlerOptions(policy="block", flush_interval=interval, rotation=(500, 1000))
    handler = femto.FemtoRotatingFileHandler(tmp_path / "r.log", options)
    for number in range(400):
        handler.handle("c", "INFO", f"{number:04}")
    handler.close()
    files = sorted(tmp_path.iterdir(), key=lambda path: -int(path.suffix[1:]) if path.suffix != ".log" else 0)
    assert len(files) > 10
    assert all(path.stat().st_size <= 500 for path in files)
    assert "".join(path.read_text() for path in files) == "".join(f"c [INFO] {number:04}\n" for number in range(400))


def test_without_limits_nothing_rotates(tmp_path):
    handler = femto.FemtoRotatingFileHandler(tmp_path / "r.log", femto.HandlerOptions(rotation=(0, 0)))
    for _ in range(10):
        handler.handle("c", "INFO", "m" * 100)
    handler.close()
    assert list(texts(tmp_path)) == ["r.log"]
    handler = femto.FemtoRotatingFileHandler(os.devnull, femto.HandlerOptions(rotation=(1, 1)))
    handler.handle("c", "INFO", "m")
    handler.handle("c", "INFO", "m")
    assert handler.flush()
    handler.close()


def test_old_file_is_written_on_if_there_can_be_no_new_one(tmp_path, monkeypatch, capsys):
    handler = femto.FemtoRotatingFileHandler(tmp_path / "r.log", femto.HandlerOptions(rotation=(20, 3)))
    for number in range(3):
        handler.handle("c", "INFO", f"{number}aaaa")
    assert handler.flush()
    before = texts(tmp_path)
    opened = []

    def refuse(self):
        if not opened:
            opened.append(self)
            raise PermissionError(13, "Permission denied")
        return open(self.baseFilename, "a", encoding="utf-8")

    monkeypatch.setattr(femto.FemtoRotatingFileHandler, "_open", refuse)
    for number in range(3, 6):
        handler.handle("c", "INFO", f"{number}aaaa")
    assert handler.flush()
    assert texts(tmp_path) == {**before, "r.log": ["c [INFO] 2aaaa", *(f"c [INFO] {n}aaaa" for n in range(3, 6))]}
    assert capsys.readouterr().err.count("cannot be rotated and is written on: [Errno 13] Permission denied") == 1
    monkeypatch.undo()
    handler._not_before = 0.0  # when the time has come
    handler.handle("c", "INFO", "6aaaa")
    handler.close()
    assert texts(tmp_path)["r.log"] == ["c [INFO] 6aaaa"]
    assert texts(tmp_path)["r.log.1"][-1] == "c [INFO] 5aaaa"


def test_records_that_fail_do_not_count_for_the_size(tmp_path, monkeypatch, capsys):
    handler = femto.FemtoRotatingFileHandler(tmp_path / "r.log", femto.HandlerOptions(rotation=(40, 2)))
    handler.handle("c", "INFO", "1" * 19)
    assert handler.flush()

    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    for _ in range(3):
        handler.handle("c", "INFO", "x")
    assert [handler.flush(), handler.flush()] == [False, True]
    monkeypatch.undo()
    handler._backoff.next_try = 0.0  # when the time has come
    handler.handle("c", "INFO", "2")
    handler.close()
    assert texts(tmp_path) == {"r.log": ["c [INFO] " + "1" * 19, "c [INFO] 2"]}  # 40 bytes
    error = capsys.readouterr().err
    assert error.count("cannot write ([Errno 28] No space left on device): 1 more records have failed\n") == 1
    assert error.count("\n") == error.count("femtolog: ") == 2  # at once, and at the end
    assert counts(handler) == (5, 2, 3, 0, {"ENOSPC": 3})


def test_what_a_killed_process_has_parked_becomes_a_backup(tmp_path):
    (tmp_path / "r.log.rolling").write_text("parked\n")
    (tmp_path / "r.log").write_text("old old old old old\n")
    handler = femto.FemtoRotatingFileHandler(tmp_path / "r.log", femto.HandlerOptions(rotation=(20, 3)))
    handler.handle("c", "INFO", "new")
    handler.close()
    assert texts(tmp_path) == {"r.log": ["c [INFO] new"], "r.log.1": ["old old old old old"], "r.log.2": ["parked"]}


def test_rotation_by_time(tmp_path, monkeypatch):
    options = femto.TimedHandlerOptions(when="s", interval=1000, utc=True)
    handler = femto.FemtoTimedRotatingFileHandler(tmp_path / "t.log", options)
    assert (handler.when, handler.interval, handler.backup_count, handler.suffix) == ("S", 1000, 0, "%Y-%m-%d_%H-%M-%S")
    for number in range(3):
        handler.handle("c", "INFO", f"m{number}")
        assert handler.flush()
        handler.rolloverAt = 1_000_000 * (number + 1)  # long ago
    handler.close()
    assert list(texts(tmp_path).values()) == [["c [INFO] m2"], ["c [INFO] m0"], ["c [INFO] m1"]]
    assert [name for name in texts(tmp_path)][1:] == ["t.log.1970-01-12_13-30-00", "t.log.1970-01-24_03-16-40"]


@pytest.mark.parametrize(
    ("when", "suffix"),
    [("M", "%Y-%m-%d_%H-%M"), ("H", "%Y-%m-%d_%H"), ("D", "%Y-%m-%d"), ("midnight", "%Y-%m-%d"), ("W3", "%Y-%m-%d")],
)
def test_suffixes_and_times(when, suffix, tmp_path):
    at_time = None if when in "MH" else datetime.time(3, 30)
    options = femto.TimedHandlerOptions(when=when, at_time=at_time, utc=True, flush_interval=2)
    handler = femto.FemtoTimedRotatingFileHandler(tmp_path / "t.log", options)
    assert handler.suffix == suffix
    if at_time is not None:
        assert datetime.datetime.fromtimestamp(handler.rolloverAt, datetime.UTC).time() == at_time
    handler.close()


# ---- a disk that fails

FILES = {
    "file": lambda path, **more: femto.FemtoFileHandler(path, policy="block", **more),
    "file that waits": lambda path, **more: femto.FemtoFileHandler(path, flush_interval=3, policy="block", **more),
    "rotating": lambda path, **more: femto.FemtoRotatingFileHandler(
        path, femto.HandlerOptions(policy="block", rotation=(1000, 1)), **more
    ),
    "timed": lambda path, **more: femto.FemtoTimedRotatingFileHandler(
        path, femto.TimedHandlerOptions(policy="block", flush_interval=2), **more
    ),
}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is Linux's")
@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_full_disk_is_no_error_of_anybody(make, capsys):
    handler = make("/dev/full", fallback=(kept := Kept()))
    for number in range(20):
        handler.handle("c", "INFO", f"m{number}")
    assert handler.flush(30) is False
    assert handler.stats()["written"] == 0
    handler.close()
    handler.close()
    assert counts(handler) == (20, 0, 20, 0, {"ENOSPC": 20})
    assert kept.got == [f"m{number}" for number in range(20)]
    assert handler.stats()["fallback"] == 20
    told = capsys.readouterr().err.splitlines()
    assert all("cannot write ([Errno 28] No space left on device): " in line for line in told)
    assert sum(int(line.split("): ")[1].split()[0]) for line in told) == 20
    assert len(told) <= 2  # one at once, one at the end


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_handler_goes_on_when_the_directory_is_back(make, tmp_path, capsys):
    folder = tmp_path / "logs"
    folder.mkdir()
    handler = make(folder / "f.log")
    waits = handler.flush_interval > 1
    handler.handle("c", "INFO", "0")
    assert handler.flush(30) is True
    shutil.rmtree(folder)
    handler.handle("c", "INFO", "1")
    assert handler.flush(30) is False
    assert counts(handler) == ((2, 1, 0, 1, {}) if waits else (2, 1, 1, 0, {"ENOENT": 1}))
    assert not folder.exists()
    folder.mkdir()
    handler._backoff.next_try = 0.0  # when the time has come
    handler.handle("c", "INFO", "2")
    assert handler.flush(30) is True
    assert texts(folder) == {"f.log": ["c [INFO] 1", "c [INFO] 2"] if waits else ["c [INFO] 2"]}
    (folder / "f.log").rename(folder / "moved.log")
    handler.handle("c", "INFO", "3")
    handler.close()
    assert texts(folder)["f.log"] == ["c [INFO] 3"]
    assert counts(handler) == ((4, 4, 0, 0, {}) if waits else (4, 3, 1, 0, {"ENOENT": 1}))
    assert capsys.readouterr().err.count("No such file or directory") == (0 if waits else 1)


def test_attempts_wait_for_their_time(tmp_path, monkeypatch):
    folder = tmp_path / "logs"
    folder.mkdir()
    handler = femto.FemtoFileHandler(folder / "f.log", policy="block")
    shutil.rmtree(folder)
    handler.handle("c", "INFO", "0")
    assert handler.flush(30) is False
    folder.mkdir()
    handler._backoff.next_try = float("inf")
    for number in range(3):
        handler.handle("c", "INFO", str(number))
    assert handler.flush(30) is False
    assert (list(folder.iterdir()), handler.stats()["failed_by"]) == ([], {"ENOENT": 4})
    handler._backoff.next_try = 0.0
    for number in range(3):
        handler.handle("c", "INFO", str(number))
        assert handler.flush(30) is True
    assert handler._backoff.failing_since is None
    handler.close()
    assert texts(folder) == {"f.log": [f"c [INFO] {number}" for number in range(3)]}


CUT_SHORT = """
import logging, resource, signal, sys
from femtolog import femto
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
handler = femto.FemtoFileHandler("f.log", policy="block")
message = {message!r}
handler.handle("c", "INFO", "first")
assert handler.flush(30)
limit({limit})
handler.acquire()  # so that all are written with one call
for _ in range(5):
    handler.handle("c", "INFO", message)
handler.release()
assert handler.flush(30) is False
limit(resource.RLIM_INFINITY)
handler._backoff.next_try = 0.0
handler.handle("c", "INFO", "last")
assert handler.flush(30) is True
handler.close()
stats = handler.stats()
print(stats["written"], stats["failed"], stats["failed_by"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize("message", ["m" * 40, "m\nm\nm", "\u00e4" * 20000])
@pytest.mark.parametrize("piece", [0, 1, 11, 12, 13])
def test_no_half_line_stays_in_a_file_that_is_full(message, piece, tmp_path):
    first, line = "c [INFO] first\n", f"c [INFO] {message}\n"
    whole = 2
    size = len(first) + whole * len(line.encode()) + piece
    program = CUT_SHORT.format(message=message, limit=size)
    done = subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{whole + 2} {5 - whole} {{'EFBIG': {5 - whole}}}\n", done.stderr
    assert (tmp_path / "f.log").read_text(encoding="utf-8") == first + whole * line + "c [INFO] last\n"
    assert done.stderr.count("File too large): ") == done.stderr.count("\n") == 2


def test_records_that_wait_are_not_written_yet(tmp_path, monkeypatch):
    handler = femto.FemtoFileHandler(tmp_path / "f.log", flush_interval=10, policy="block")
    for number in range(12):
        handler.handle("c", "INFO", str(number))
    pipeline = handler._femtolog_pipeline
    assert pipeline.wait_until(handler, pipeline.queue.mark(), float("inf"))
    assert counts(handler) == (12, 10, 0, 2, {})
    monkeypatch.setattr(os, "write", lambda descriptor, data: os.close(-1))
    assert handler.flush(30) is False
    assert counts(handler) == (12, 10, 0, 2, {})
    monkeypatch.undo()
    handler._backoff.next_try = 0.0
    assert handler.flush(30) is True
    assert counts(handler) == (12, 12, 0, 0, {})
    handler.close()
    assert texts(tmp_path) == {"f.log": [f"c [INFO] {number}" for number in range(12)]}


def test_not_too_many_bytes_wait(tmp_path):
    handler = femto.FemtoFileHandler(tmp_path / "f.log", flush_interval=10_000, policy="block")
    handler.handle("c", "INFO", "m" * 40_000)
    handler.handle("c", "INFO", "m" * 40_000)
    handler.handle("c", "INFO", "m")
    pipeline = handler._femtolog_pipeline
    assert pipeline.wait_until(handler, pipeline.queue.mark(), float("inf"))
    assert counts(handler) == (3, 2, 0, 1, {})
    handler.close()


def test_encoding_with_a_mark_only_for_lines_that_do_not_wait(tmp_path):
    handler = femto.FemtoFileHandler(tmp_path / "f.log", encoding="utf-16")
    handler.handle("c", "INFO", "ä")
    handler.close()
    assert (tmp_path / "f.log").read_text(encoding="utf-16") == "c [INFO] ä\n"
    with pytest.raises(femto.HandlerConfigError, match="without a byte order mark with these options, got 'utf-16'"):
        femto.FemtoFileHandler(tmp_path / "f.log", flush_interval=2, encoding="utf-16")


@pytest.mark.parametrize(
    "kind", [femto.FileHandlerBuilder, femto.RotatingFileHandlerBuilder, femto.TimedRotatingFileHandlerBuilder]
)
def test_builders_take_a_fallback(kind, tmp_path):
    with pytest.raises(TypeError, match=r"fallback must be a logging\.Handler, got 'stderr'"):
        kind(tmp_path / "f.log").with_fallback("stderr")
    handler = kind(tmp_path / "f.log").with_fallback(kept := Kept()).build()
    handler._builtin_open = lambda *arguments, **named: os.close(-1)
    os.remove(tmp_path / "f.log")
    handler.handle("c", "INFO", "m")
    handler.close()
    assert kept.got == ["m"]


@pytest.mark.parametrize("kind", ["rotating", "timed", "file that waits"])
def test_account_adds_up_while_a_line_is_written(kind, tmp_path, monkeypatch):
    handler = FILES[kind](tmp_path / "f.log")
    write, seen = os.write, []

    def reading(descriptor, data):
        stats = handler.stats()
        seen.append(tuple(stats[name] for name in ("emitted", "written", "failed", "dropped", "in_flight")))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", reading)
    handler.acquire()  # all are there when the first is written
    for number in range(3):
        handler.handle("c", "INFO", str(number))
    handler.release()
    assert handler.flush(30) is True
    assert (
        seen
        == {
            "rotating": [(3, 0, 0, 0, 3), (3, 1, 0, 0, 2), (3, 2, 0, 0, 1)],
            "timed": [(3, 0, 0, 0, 3), (3, 2, 0, 0, 1)],
            "file that waits": [(3, 0, 0, 0, 3)],
        }[kind]
    )
    assert counts(handler) == (3, 3, 0, 0, {})
    handler.close()


@pytest.mark.parametrize("kind", ["rotating", "timed", "file that waits"])
def test_account_adds_up_at_every_reading(kind, tmp_path):
    handler = FILES[kind](tmp_path / "f.log")

    def work():
        for number in range(400):
            handler.handle("c", "INFO", str(number))

    workers = [threading.Thread(target=work) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for worker in workers:
            worker.start()
        readings = []
        while any(worker.is_alive() for worker in workers):
            readings.append(handler.stats())
    finally:
        for worker in workers:
            worker.join(60)
        sys.setswitchinterval(interval)
    parts = ("written", "failed", "dropped", "in_flight")
    assert [one for one in readings if one["emitted"] != sum(one[part] for part in parts) or one["in_flight"] < 0] == []
    assert {one["failed"] for one in readings} <= {0}
    handler.close()
    assert counts(handler) == (1200, 1200, 0, 0, {})


@pytest.mark.parametrize("kind", ["rotating", "timed", "file that waits"])
def test_lines_after_a_handler_was_replaced_are_in_the_account(kind, tmp_path):
    handler = FILES[kind](tmp_path / "f.log")
    handler.handle("c", "INFO", "before")
    handover.retire([handler])
    for message in ("after", "later"):
        logging.Handler.handle(handler, logging.makeLogRecord({"name": "c", "msg": message, "levelname": "INFO", "levelno": 20}))
    assert counts(handler)[0] == 3
    handler.close()
    assert counts(handler) == (3, 3, 0, 0, {})
    assert texts(tmp_path) == {"f.log": [f"c [INFO] {message}" for message in ("before", "after", "later")]}


def test_failed_records_do_not_become_fewer(tmp_path, monkeypatch):
    class Own(femto.FemtoRotatingFileHandler):
        def handleError(self, record):
            pass

    handler = Own(tmp_path / "f.log", femto.HandlerOptions(policy="block"))
    handler.setFormatter(logging.Formatter("%(none)s"))
    handler.handle("c", "INFO", "m")
    assert counts(handler) == (1, 0, 1, 0, {})
    handler.setFormatter(None)
    write, failed = os.write, []
    monkeypatch.setattr(os, "write", lambda *arguments: failed.append(handler.stats()["failed"]) or write(*arguments))
    handler.handle("c", "INFO", "m")
    handler.close()
    assert failed == [1]
    assert counts(handler) == (2, 1, 1, 0, {})


# ---- fork and the end


def test_what_waits_at_a_fork_is_written_once(tmp_path):
    handler = femto.FemtoFileHandler(tmp_path / "f.log", flush_interval=100, policy="block")
    handler.handle("c", "INFO", "parent")
    pipeline = handler._femtolog_pipeline
    assert pipeline.wait_until(handler, pipeline.queue.mark(), float("inf"))
    child = os.fork()
    if not child:
        handler.handle("c", "INFO", "child")
        handler.close()
        os._exit(0 if counts(handler) == (1, 1, 0, 0, {}) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert texts(tmp_path) == {"f.log": ["c [INFO] child"]}
    assert handler.stats()["in_flight"] == 1
    handler.close()
    assert texts(tmp_path) == {"f.log": ["c [INFO] child", "c [INFO] parent"]}


MULTIPROCESSING = """
import logging, multiprocessing, sys
import femtolog
from femtolog import femto
first = femtolog.enqueue(logging.StreamHandler(sys.stdout))  # whose hooks are there before those of files
handler = {make}
handler.handle("c", "INFO", "parent")
def work(number):
    for line in range(3):
        handler.handle("c", "INFO", f"{{number}}.{{line}}")
children = [multiprocessing.get_context("fork").Process(target=work, args=(number,)) for number in range(3)]
for child in children:
    child.start()
for child in children:
    child.join()
    assert child.exitcode == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    "make",
    [
        'femto.FemtoFileHandler("f.log", flush_interval=50, policy="block")',
        'femto.FemtoFileHandler("f.log", policy="block")',
        'femto.FemtoRotatingFileHandler("f.log", femto.HandlerOptions(flush_interval=50, policy="block"))',
        'femto.FemtoTimedRotatingFileHandler("f.log", femto.TimedHandlerOptions(flush_interval=50, policy="block"))',
    ],
)
def test_children_of_multiprocessing_write_their_last_lines(make, tmp_path):
    program = MULTIPROCESSING.format(make=make)
    subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", program], cwd=tmp_path, check=True, timeout=60)
    lines = texts(tmp_path)["f.log"]
    assert sorted(lines) == [*(f"c [INFO] {number}.{line}" for number in range(3) for line in range(3)), "c [INFO] parent"]


def test_a_fork_writes_each_line_once(tmp_path):
    handler = femto.FemtoFileHandler(tmp_path / "f.log")
    log = femtolog.get_logger("svc")
    log.add_handler(handler)
    log.info("parent")
    child = os.fork()
    if not child:
        log.info("child")
        handler.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    handler.close()
    assert sorted((tmp_path / "f.log").read_text().splitlines()) == ["svc [INFO] child", "svc [INFO] parent"]


def test_everything_is_written_at_exit(tmp_path):
    program = (
        "import femtolog\nfrom femtolog.femto import FemtoFileHandler\nlog = femtolog.get_logger('svc')\n"
        f"log.add_handler(FemtoFileHandler({str(tmp_path / 'f.log')!r}, policy='block'))\n"
        "for number in range(1500): log.info(str(number))\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=60)
    assert (tmp_path / "f.log").read_text() == "".join(f"svc [INFO] {number}\n" for number in range(1500))


def test_builders_take_a_directory_to_spill_to(tmp_path):
    policy = femto.OverflowPolicy.spill(tmp_path / "spill", "2 MiB")
    builders = femto.StreamHandlerBuilder().stream_target(io.StringIO()), femto.FileHandlerBuilder(tmp_path / "f.log")
    for builder in builders:
        told = builder.with_capacity(1).with_overflow_policy(policy).as_dict()
        assert (told["overflow_policy"], told["spill_dir"], told["spill_max"]) == ("spill", tmp_path / "spill", "2 MiB")
        handler = builder.build()
        with handler.lock:
            for number in range(20):
                handler.handle("svc", "INFO", str(number))
            assert handler.stats()["spilled"] >= 18
        assert handler.flush(30)
        assert handler.stats()["written"] == 20
        handler.close()
    with pytest.raises(femto.HandlerConfigError, match="for a handler of a stream or file"):
        femto.SocketHandlerBuilder().with_overflow_policy(policy)
    with pytest.raises(femto.HandlerConfigError, match=r"must be OverflowPolicy\.spill"):
        femto.FileHandlerBuilder(tmp_path / "f.log").with_overflow_policy("spill")
