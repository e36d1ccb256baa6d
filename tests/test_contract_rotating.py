"""RotatingFileHandler, TimedRotatingFileHandler and WatchedFileHandler: contract 5.5, item 37."""

import logging
import logging.handlers
import os
import time

import pytest
from oracle import same_as_stdlib


def rotating(w, cls=logging.handlers.RotatingFileHandler, **options):
    """A logger with a rotating handler in the world's folder."""
    if issubclass(cls, logging.handlers.TimedRotatingFileHandler):
        options["delay"] = True  # an existing file's time is the real one
    handler = cls(w.dir / "r.log", **{"encoding": "utf-8", **options})
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = w.logger()
    log.handlers[:] = [handler]
    return log, handler


def files(w):
    """Names and sizes in the folder."""
    w.note("files", [(p.name, p.stat().st_size) for p in sorted(w.dir.iterdir())])


@same_as_stdlib
@pytest.mark.parametrize("size", [0, 1, 10, 11, 12, 100])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_sizes_and_counts(w, size, count):
    log, handler = rotating(w, maxBytes=size, backupCount=count)
    w.note("mode", handler.mode, handler.maxBytes, handler.backupCount)
    for number in range(12):
        log.info("record %02d", number)
        files(w)


@same_as_stdlib
def test_bytes_are_counted_not_characters(w):
    log, _ = rotating(w, maxBytes=30, backupCount=5)
    for text in ("\xe9" * 10, "\u20ac" * 9, "\U0001f600" * 7, "a" * 29, "a" * 30, "", "\n" * 5, "x\r\ny"):
        log.info(text)
        files(w)


@same_as_stdlib
@pytest.mark.parametrize("encoding", ["utf-16", "ascii", "utf-8-sig", "latin-1"])
def test_sizes_in_other_encodings(w, encoding):
    log, _ = rotating(w, maxBytes=60, backupCount=2, encoding=encoding)
    for number in range(10):
        log.info("record %d \xe9", number)
        files(w)


@same_as_stdlib
@pytest.mark.parametrize("delay", [True, False])
def test_an_existing_file(w, delay):
    (w.dir / "r.log").write_text("x" * 50)
    log, _ = rotating(w, maxBytes=60, backupCount=2, delay=delay)
    for _ in range(3):
        log.info("y" * 20)
        files(w)


@same_as_stdlib
def test_format_is_called_for_the_size_and_again_for_the_output(w):
    """Contract 5.5, item 37."""
    log, handler = rotating(w, maxBytes=100, backupCount=1)

    class Formatter(logging.Formatter):
        def format(self, record):
            w.note("format", record.msg)
            return super().format(record)

    handler.setFormatter(Formatter())
    log.info("a")
    log.info("b")

    class Argument:
        count = 0

        def __str__(self):
            self.count += 1
            return "x" * self.count * 10

    argument = Argument()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.info("%s", argument)
    w.note("shown", argument.count)


@same_as_stdlib
def test_methods_overridden(w):
    class Mine(logging.handlers.RotatingFileHandler):
        def shouldRollover(self, record):
            w.note("should", record.msg)
            return record.msg == "now"

        def doRollover(self):
            w.note("do")
            super().doRollover()

        def rotation_filename(self, default):
            w.note("name", os.path.basename(default))
            return super().rotation_filename(default) + ".old"

        def rotate(self, source, dest):
            w.note("rotate", os.path.basename(source), os.path.basename(dest))
            super().rotate(source, dest)

    log, _ = rotating(w, Mine, maxBytes=10, backupCount=2)
    for msg in ("a", "now", "b", "now", "a long message that would roll over"):
        log.info(msg)
    files(w)


@same_as_stdlib
def test_namer_and_rotator_are_called_only_if_callable(w):
    """Contract 5.5, item 37."""
    log, handler = rotating(w, maxBytes=10, backupCount=2)
    handler.namer = lambda name: name + ".gz"
    handler.rotator = lambda source, dest: os.rename(source, dest) if os.path.exists(source) else w.note("missing")
    for number in range(6):
        log.info("number %d", number)
    handler.namer = handler.rotator = "not callable"
    for number in range(6):
        log.info("number %d", number)
    files(w)


@same_as_stdlib
def test_file_removed_grown_and_truncated_from_outside(w):
    log, handler = rotating(w, maxBytes=50, backupCount=2)
    log.info("a")
    with open(w.dir / "r.log", "a", encoding="utf-8") as file:
        file.write("x" * 60)
    log.info("b")
    files(w)
    os.unlink(w.dir / "r.log")
    log.info("c")
    files(w)
    log.info("d" * 50)
    files(w)
    os.truncate(w.dir / "r.log", 0)
    log.info("e")
    files(w)


@same_as_stdlib
def test_user_writes_count(w):
    log, handler = rotating(w, maxBytes=50, backupCount=2)
    log.info("a")
    handler.stream.write("u" * 45)
    log.info("b" * 10)
    files(w)
    handler.stream.seek(0)
    log.info("c")
    files(w)


@same_as_stdlib
def test_stream_closed_swapped_or_missing(w):
    log, handler = rotating(w, maxBytes=20, backupCount=2)
    log.info("a")
    handler.stream.close()
    log.info("closed")
    handler.stream = None
    log.info("none")
    handler.stream = other = w.stream()
    log.info("a string stream")
    log.info("it has tell and seek")
    handler.close()
    log.info("after close")
    w.note("closed", other.closed)
    files(w)


@same_as_stdlib
def test_limits_changed_between_calls(w):
    log, handler = rotating(w)
    log.info("a" * 50)
    handler.maxBytes = 20
    log.info("no backups")
    handler.backupCount = 2
    log.info("one")
    handler.maxBytes = "text"
    log.info("wrong")
    handler.maxBytes = 10.5
    log.info("float")
    handler.maxBytes = 0
    log.info("never")
    files(w)


@same_as_stdlib
@pytest.mark.parametrize("path", ["/dev/null", "/dev/full"])
def test_special_files_never_roll_over(w, path):
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=10, backupCount=2, encoding="utf-8")
    log = w.logger()
    log.handlers[:] = [handler]
    for number in range(3):
        log.info("number %d", number)
    w.catch(handler.close)


@same_as_stdlib
def test_a_failing_rollover(w):
    log, handler = rotating(w, maxBytes=10, backupCount=1)
    log.info("a" * 10)

    def rotator(source, dest):
        raise OSError("cannot rename")

    handler.rotator = rotator
    log.info("b" * 10)
    del handler.rotator
    handler.rotator = None
    log.info("c" * 10)
    files(w)


@same_as_stdlib
@pytest.mark.parametrize("when", ["S", "M", "H", "D", "MIDNIGHT", "W0", "W6", "s", "midnight", "X", "W7", "W", ""])
@pytest.mark.parametrize("utc", [True, False])
def test_timed_kinds(w, when, utc):
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    try:
        log, handler = rotating(w, logging.handlers.TimedRotatingFileHandler, when=when, backupCount=3, utc=utc)
    except ValueError as error:
        w.note("refused", str(error))
        return
    w.note("handler", handler.when, handler.interval, handler.suffix, handler.extMatch.pattern)
    if w.live:
        log.info("a")
        return
    for hours in (0, 0.0001, 1, 5, 24, 24 * 7, 24 * 60):
        w.clock.now += int(hours * 3600 * 1e9)
        log.info("after %s", hours)
        w.note("next", handler.rolloverAt)
    handler.close()


@same_as_stdlib(live=False)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("start", [1_711_800_000, 1_729_900_000, 1_710_000_000, 1_730_500_000])
def test_next_rollover_over_the_changes_of_a_zone(w, zone, start):
    import datetime

    os.environ["TZ"] = zone
    time.tzset()
    w.clock.now, w.clock.step = start * 10**9, 0
    for options in (
        {"when": "MIDNIGHT"},
        {"when": "W2"},
        {"when": "MIDNIGHT", "atTime": datetime.time(2, 30)},
        {"when": "H", "interval": 5},
        {"when": "D", "interval": 2},
    ):
        handler = logging.handlers.TimedRotatingFileHandler(
            w.dir / "t.log", backupCount=1, encoding="utf-8", delay=True, **options
        )
        w.note("next", handler.rolloverAt, [handler.computeRollover(start + hours * 3600) for hours in range(0, 60, 7)])
        record = logging.makeLogRecord({"msg": "m"})
        for hours in range(0, 80, 9):
            w.clock.now = (start + hours * 3600) * 10**9
            w.note("should", handler.shouldRollover(record))
        handler.close()


@same_as_stdlib(live=False)
def test_old_files_are_deleted_and_foreign_ones_kept(w):
    for name in (
        "r.log.2020-01-01",
        "r.log.2020-01-02.gz",
        "r.log.other",
        "r.log2020-01-01",
        "x.2020-01-01",
        "r.log.2020-01-03",
        "r.log.2020-01-04",
    ):
        (w.dir / name).write_text("old")
    log, handler = rotating(w, logging.handlers.TimedRotatingFileHandler, when="D", backupCount=2, utc=True)
    w.note("delete", [os.path.basename(p) for p in handler.getFilesToDelete()])
    w.clock.now += 2 * 86400 * 10**9
    log.info("x")
    files(w)


@same_as_stdlib(live=False)
def test_a_clock_that_jumps_back_causes_no_storm(w):
    log, handler = rotating(w, logging.handlers.TimedRotatingFileHandler, when="S", interval=10, backupCount=5, utc=True)
    for step in (0, 11, 1, -3600, 1, 1, 3600, 1):
        w.clock.now += step * 10**9
        log.info("step %d", step)
    files(w)


@same_as_stdlib(live=False)
def test_time_is_asked_as_often_as_in_the_stdlib(w):
    log, handler = rotating(w, logging.handlers.TimedRotatingFileHandler, when="D", utc=True)
    before = w.clock.readings
    for _ in range(3):
        log.info("x")
    w.note("readings", w.clock.readings - before)
    handler.rolloverAt = 0
    log.info("y")
    w.note("readings", w.clock.readings - before)


@same_as_stdlib(live=False)
def test_timed_overrides(w):
    class Mine(logging.handlers.TimedRotatingFileHandler):
        def computeRollover(self, currentTime):
            w.note("compute", currentTime)
            return super().computeRollover(currentTime)

        def getFilesToDelete(self):
            w.note("delete")
            return super().getFilesToDelete()

    log, handler = rotating(w, Mine, when="H", backupCount=1, utc=True)
    handler.namer = lambda name: name + ".log"
    for _ in range(4):
        log.info("x")
        w.clock.now += 3700 * 10**9
    handler.shouldRollover = lambda record: record.msg == "now"
    log.info("not")
    log.info("now")
    files(w)


@same_as_stdlib
def test_watched_file_moved_removed_and_replaced(w):
    """Contract 5.5, item 37: stat by path, compare dev and ino, reopen."""
    log, handler = rotating(w, logging.handlers.WatchedFileHandler)
    w.note("vars", handler.dev > 0, handler.ino > 0)
    log.info("a")
    os.rename(w.dir / "r.log", w.dir / "moved")
    log.info("b")
    os.unlink(w.dir / "r.log")
    log.info("c")
    os.rename(w.dir / "moved", w.dir / "r.log")
    log.info("d")
    handler.stream.write("mine\n")
    log.info("e")
    handler.close()
    log.info("f")
    handler.close()


@same_as_stdlib
def test_watched_file_delayed_and_overridden(w):
    class Mine(logging.handlers.WatchedFileHandler):
        def reopenIfNeeded(self):
            w.note("reopen")
            super().reopenIfNeeded()

        def _statstream(self):
            w.note("stat", self.stream is not None)
            super()._statstream()

    log, handler = rotating(w, Mine, delay=True)
    w.note("vars", handler.dev, handler.ino)
    log.info("a")
    os.unlink(w.dir / "r.log")
    log.info("b")
    saved, os.stat = os.stat, lambda *args: (_ for _ in ()).throw(FileNotFoundError())
    log.info("c")
    os.stat = saved
    log.info("d")
    handler.stream = None
    log.info("e")


@same_as_stdlib
def test_watched_folder_gone(w):
    (w.dir / "sub").mkdir()
    handler = logging.handlers.WatchedFileHandler(w.dir / "sub" / "f.log", encoding="utf-8")
    log = w.logger()
    log.handlers[:] = [handler]
    log.info("a")
    os.unlink(w.dir / "sub" / "f.log")
    (w.dir / "sub").rmdir()
    try:
        log.info("b")
    except OSError as error:
        w.note("raised", error.errno)
    (w.dir / "sub").mkdir()
    w.catch(log.info, "c")


@same_as_stdlib
def test_base_rotating_handler_by_itself(w):
    class Mine(logging.handlers.BaseRotatingHandler):
        def shouldRollover(self, record):
            return "roll" in record.msg

        def doRollover(self):
            w.note("do")

    log, _ = rotating(w, Mine, mode="a")
    log.info("a")
    log.info("roll")
    for broken in ("shouldRollover", "doRollover", "format"):
        setattr(Mine, broken, lambda *args: 1 / 0)
        w.catch(log.info, "roll %s", broken)
        delattr(Mine, broken)
    w.catch(log.info, "the methods are gone: errors go to handleError")
