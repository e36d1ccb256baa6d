"""Rotating, timed and watched files: what is formatted, asked of the file system and written is the stdlib's, record for record."""

import datetime
import io
import logging
import logging.handlers
import os
import stat
import time
import types

import pytest
from oracle import World, same_as_stdlib

SIZES = [0, 1, 20, 64, 65, 66, 100, -1, 50.5, True]


def rotating(w: World, cls=logging.handlers.RotatingFileHandler, fmt="%(levelname)s %(message)s", **kw):
    """A logger over a rotating file: (logger, handler)."""
    kw = {"maxBytes": 60, "backupCount": 2, "encoding": "utf-8"} | kw
    handler = cls(w.dir / "r.log", **kw)
    handler.setFormatter(logging.Formatter(fmt))
    logger = w.logger()
    logger.addHandler(handler)
    return logger, handler


def fill(w: World, logger, count=12, text="line %d é") -> None:
    """Log enough records for a few rollovers."""
    for i in range(count):
        logger.info(text, i)


def timed(w: World, cls=logging.handlers.TimedRotatingFileHandler, **kw):
    """A logger over a file that rolls over every hour: (logger, handler)."""
    kw = {"when": "H", "utc": True, "encoding": "utf-8", "backupCount": 2} | kw
    path = w.dir / "t.log"
    path.touch()
    start = w.clock.now // 10**9
    os.utime(path, (start, start))  # the first rollover is counted from the file's time
    handler = cls(path, **kw)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = w.logger()
    logger.addHandler(handler)
    return logger, handler


def watched(w: World, cls=logging.handlers.WatchedFileHandler, **kw):
    """A logger over a watched file: (logger, handler)."""
    handler = cls(w.dir / "w.log", **({"encoding": "utf-8"} | kw))
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = w.logger()
    logger.addHandler(handler)
    return logger, handler


# ---- RotatingFileHandler


@same_as_stdlib
@pytest.mark.parametrize("size", SIZES)
def test_rollover_points(w, size):
    logger, _ = rotating(w, maxBytes=size)
    fill(w, logger)


@same_as_stdlib
@pytest.mark.parametrize("length", range(15, 24))
def test_rollover_points_byte_by_byte(w, length):
    logger, handler = rotating(w, maxBytes=40, fmt="%(message)s")
    for i in range(4):
        logger.info("x" * length)
        w.note("size", os.path.getsize(handler.baseFilename), i)


@same_as_stdlib
def test_length_is_counted_in_characters(w):
    logger, handler = rotating(w, maxBytes=30, fmt="%(message)s")
    for i in range(6):
        logger.info("日本語" * i)
        w.note("size", os.path.getsize(handler.baseFilename))


@same_as_stdlib
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1", "ascii", "utf-8-sig", None])
def test_encodings(w, encoding):
    logger, _ = rotating(w, encoding=encoding, errors="backslashreplace")
    fill(w, logger, text="ü%d")


@same_as_stdlib
@pytest.mark.parametrize("backups", [0, 1, 3])
@pytest.mark.parametrize("delay", [False, True])
def test_backups_and_delay(w, backups, delay):
    logger, handler = rotating(w, backupCount=backups, delay=delay)
    w.note("stream", handler.stream is None)
    fill(w, logger)


@same_as_stdlib
@pytest.mark.parametrize("terminator", ["", "\r\n", "-" * 30])
def test_terminator_is_not_counted(w, terminator):
    logger, handler = rotating(w)
    handler.terminator = terminator
    fill(w, logger)


@same_as_stdlib(live=False)
def test_the_record_is_formatted_for_the_test_and_for_output(w):
    class Handler(logging.handlers.RotatingFileHandler):
        def format(self, record):
            text = super().format(record)
            w.note("format", text)
            return text

    logger, _ = rotating(w, Handler)
    fill(w, logger, 6)


@same_as_stdlib(live=False)
def test_message_and_arguments_are_asked_for_text_as_often(w):
    class Shy:
        asked = 0

        def __str__(self):
            Shy.asked += 1
            return "x" * Shy.asked

    logger, _ = rotating(w, fmt="%(message)s %(asctime)s")
    for _ in range(6):
        logger.info(Shy())
        logger.info("%s", Shy())
    w.note("asked", Shy.asked)


@same_as_stdlib(live=False)
def test_format_may_return_anything(w):
    class Handler(logging.handlers.RotatingFileHandler):
        def format(self, record):
            return record.msg

    logger, _ = rotating(w, Handler)
    for value in ("text", ("tuple",), (1, 2), 7, None, b"bytes", "x" * 50):
        logger.info(value)


@same_as_stdlib
def test_exceptions_are_rendered_once(w):
    class Formatter(logging.Formatter):
        def formatException(self, ei):
            w.note("formatException")
            return "shown " + repr(ei[1])

    logger, handler = rotating(w)
    handler.setFormatter(Formatter())
    other = w.handler()
    logger.addHandler(other)
    for _ in range(3):
        try:
            raise LookupError("gone")
        except LookupError:
            logger.exception("failed")


@same_as_stdlib(live=False)
def test_the_record_carries_what_formatting_set(w):
    logger, _ = rotating(w, fmt="%(asctime)s %(message)s")
    records = w.keeper(logger)
    fill(w, logger, 5)
    w.note("records", records)


@same_as_stdlib(live=False)
def test_a_formatter_that_changes_the_handler(w):
    logger, handler = rotating(w)
    plain = handler.formatter

    class Formatter(logging.Formatter):
        def format(self, record):
            handler.terminator = "|\n"
            handler.maxBytes = 10
            handler.formatter = plain
            return "odd"

    handler.formatter = Formatter()
    fill(w, logger, 4)


@same_as_stdlib
@pytest.mark.parametrize("answer", [True, False, 1, 0, "", "yes", None, []])
def test_should_rollover_overridden(w, answer):
    class Handler(logging.handlers.RotatingFileHandler):
        def shouldRollover(self, record):
            w.note("asked", record.getMessage())
            return answer

    logger, _ = rotating(w, Handler)
    fill(w, logger, 4)


@same_as_stdlib
def test_should_rollover_on_the_instance_and_called_by_hand(w):
    logger, handler = rotating(w)
    fill(w, logger, 3)
    record = logging.makeLogRecord({"msg": "x" * 45})
    w.note("by hand", handler.shouldRollover(record))
    w.catch(handler.shouldRollover)
    w.catch(handler.shouldRollover, record, record)
    w.note("by keyword", handler.shouldRollover(record=record))
    handler.shouldRollover = lambda record: w.note("instance", record.msg)
    fill(w, logger, 2)
    del handler.shouldRollover
    fill(w, logger, 4)


@same_as_stdlib
def test_do_rollover_overridden_and_failing(w):
    class Handler(logging.handlers.RotatingFileHandler):
        def doRollover(self):
            w.note("rollover")
            raise OSError("no")

        def handleError(self, record):
            import sys

            w.note("error", repr(sys.exc_info()[1]), record.getMessage())

    logger, _ = rotating(w, Handler)
    fill(w, logger, 8)


@same_as_stdlib
def test_namer_and_rotator(w):
    logger, handler = rotating(w)
    handler.namer = lambda name: name.replace("r.log", "named.log")

    def rotator(source, dest):
        w.note("rotate", os.path.basename(source), os.path.basename(dest))
        os.rename(source, dest)

    handler.rotator = rotator
    fill(w, logger)
    w.note("filename", handler.rotation_filename("a/r.log.1"), handler.rotation_filename(default_name="r.log"))
    handler.namer = "not callable"
    handler.rotator = 7
    w.note("filename", handler.rotation_filename("a/r.log.1"))
    fill(w, logger)
    w.catch(handler.rotation_filename)
    w.catch(handler.rotate, "one")


@same_as_stdlib
def test_namer_and_rotator_as_methods(w):
    class Handler(logging.handlers.RotatingFileHandler):
        def namer(self, name):
            return name + ".n"

        def rotator(self, source, dest):
            w.note("rotate", os.path.basename(source), os.path.basename(dest))

    logger, _ = rotating(w, Handler)
    fill(w, logger)


@same_as_stdlib
def test_rotate_renames_what_is_there(w):
    _, handler = rotating(w)
    source, dest = w.dir / "a", w.dir / "b"
    handler.rotate(source, dest)
    source.write_text("content")
    handler.rotate(source=str(source), dest=str(dest))
    w.catch(handler.rotate, None, str(dest))


class Stream:
    """A stream in Python that says what is asked of it."""

    def __init__(self, w, position=0, error=None):
        self.w, self.position, self.error = w, position, error

    def write(self, text):
        self.w.note("write", text)

    def flush(self):
        self.w.note("flush")

    def seek(self, *args):
        self.w.note("seek", args)

    def tell(self):
        self.w.note("tell")
        if self.error:
            raise self.error("no position")
        return self.position

    def close(self):
        self.w.note("close")


@same_as_stdlib
@pytest.mark.parametrize("position", [0, 10, 59, 60, 1000, 45.5, None, "text"])
def test_a_stream_in_python(w, position):
    logger, handler = rotating(w)
    handler.stream.close()
    handler.stream = Stream(w, position)
    fill(w, logger, 3)


@same_as_stdlib
@pytest.mark.parametrize(
    "error",
    [OSError, io.UnsupportedOperation, RecursionError, ValueError, KeyboardInterrupt],
)
def test_a_stream_without_position(w, error):
    logger, handler = rotating(w)
    handler.stream.close()
    handler.stream = Stream(w, error=error)
    w.catch(logger.info, "one")
    handler.stream = io.StringIO("x" * 100)
    fill(w, logger, 2)


@same_as_stdlib
def test_seek_and_tell_set_on_the_stream(w):
    logger, handler = rotating(w)
    fill(w, logger, 2)
    handler.stream.tell = lambda: w.note("tell") or 5
    handler.stream.seek = lambda *args: w.note("seek", args)
    fill(w, logger, 6)


@same_as_stdlib
def test_other_writers_of_the_file(w):
    logger, handler = rotating(w, maxBytes=100)
    fill(w, logger, 2)
    with open(handler.baseFilename, "a", encoding="utf-8") as other:
        other.write("from elsewhere\n" * 4)
    fill(w, logger, 3)
    handler.stream.seek(0)
    fill(w, logger, 3)
    handler.stream.write("pending")
    fill(w, logger, 5)
    os.truncate(handler.baseFilename, 0)
    fill(w, logger, 3)
    os.unlink(handler.baseFilename)
    fill(w, logger, 6)


@same_as_stdlib
@pytest.mark.parametrize("where", ["class", "instance", "between"])
def test_the_stream_is_closed_or_gone(w, where):
    logger, handler = rotating(w)
    fill(w, logger, 2)
    if where == "class":
        handler.close()
    elif where == "instance":
        handler.stream.close()
    else:
        handler.stream = None
    fill(w, logger, 4)


@same_as_stdlib
@pytest.mark.parametrize("kind", ["null", "fifo", "directory link"])
def test_what_is_no_regular_file_never_rolls_over(w, kind):
    path = w.dir / "special"
    reader = None
    if kind == "null":
        path = "/dev/null"
    elif kind == "fifo":
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    else:
        (w.dir / "target").write_text("")
        path.symlink_to(w.dir / "target")
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=10, backupCount=1, encoding="utf-8")
    logger = w.logger()
    logger.addHandler(handler)
    fill(w, logger, 3)
    if reader is not None:
        w.catch(os.read, reader, 1000)
        os.close(reader)
    handler.close()
    if kind == "fifo":
        os.unlink(path)


@same_as_stdlib
@pytest.mark.parametrize("name", ["exists", "isfile"])
@pytest.mark.parametrize("answer", [True, False])
def test_os_path_functions_replaced(w, name, answer):
    logger, _ = rotating(w)
    original = getattr(os.path, name)

    def replaced(path):
        w.note(name, os.path.basename(path))
        return answer

    setattr(os.path, name, replaced)
    try:
        fill(w, logger, 4)
    finally:
        setattr(os.path, name, original)
    fill(w, logger, 4)


@same_as_stdlib
def test_os_stat_replaced(w):
    logger, _ = rotating(w)
    original = os.stat

    def replaced(path, *args, **kwargs):
        w.note("stat", os.path.basename(path))
        result = original(path, *args, **kwargs)
        return os.stat_result([stat.S_IFIFO | 0o600, *result[1:]])

    os.stat = replaced
    try:
        fill(w, logger, 6)
    finally:
        os.stat = original
    fill(w, logger, 4)


@same_as_stdlib
def test_globals_of_handlers_replaced(w):
    logger, _ = rotating(w)
    asked = []
    path = types.SimpleNamespace(
        exists=lambda p: asked.append("exists") or True, isfile=lambda p: asked.append("isfile") or False
    )
    module = logging.handlers
    real = module.os
    module.os = types.SimpleNamespace(path=path)
    try:
        fill(w, logger, 6)
    finally:
        module.os = real
    w.note("asked", asked)


@same_as_stdlib
@pytest.mark.parametrize("cls", [logging.FileHandler, logging.StreamHandler], ids=lambda cls: cls.__name__)
def test_emit_of_a_base_class_replaced(w, cls):
    logger, _ = rotating(w)
    timer, _ = timed(w)
    original = cls.emit

    def emit(self, record):
        w.note("emit", type(self), record.getMessage())
        original(self, record)

    cls.emit = emit
    try:
        fill(w, logger, 4)
        timer.info("timed")
    finally:
        cls.emit = original
    fill(w, logger, 2)


@same_as_stdlib
@pytest.mark.parametrize("size", [None, "many", 1e9, float("nan"), ...], ids=repr)
def test_a_size_that_is_no_int(w, size):
    logger, handler = rotating(w)
    handler.maxBytes = size
    fill(w, logger, 2)
    del handler.maxBytes
    fill(w, logger, 1)


@same_as_stdlib
def test_a_failing_format_is_reported_once(w):
    logger, _ = rotating(w)
    logger.info("%d", "text")
    logger.info("%s %s", *[1])
    fill(w, logger, 2)


@same_as_stdlib(live=False)
@pytest.mark.parametrize("error", [RecursionError, KeyError, SystemExit, MemoryError])
def test_errors_while_asking_go_to_handle_error(w, error):
    class Handler(logging.handlers.RotatingFileHandler):
        def shouldRollover(self, record):
            raise error("asking")

        def handleError(self, record):
            import sys

            w.note("error", repr(sys.exc_info()[1]))

    logger, _ = rotating(w, Handler)
    w.catch(logger.info, "x")


@same_as_stdlib(live=False)
def test_a_recursion_error_of_the_output_is_handled_here(w):
    class Handler(logging.handlers.RotatingFileHandler):
        def format(self, record):
            raise RecursionError("deep")

        def handleError(self, record):
            import sys

            w.note("error", repr(sys.exc_info()[1]))

    for size in (0, 60):
        logger, _ = rotating(w, Handler, maxBytes=size)
        w.catch(logger.info, "x")
        logger.handlers.clear()


@same_as_stdlib
def test_write_mode_without_limit(w):
    logger, handler = rotating(w, maxBytes=0, mode="w")
    fill(w, logger, 3)
    handler.close()
    fill(w, logger, 3)


@same_as_stdlib
def test_two_rotating_handlers_on_one_record(w):
    logger, _ = rotating(w)
    second = logging.handlers.RotatingFileHandler(w.dir / "second.log", maxBytes=100, backupCount=1, encoding="utf-8")
    second.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(message)s"))
    logger.addHandler(second)
    fill(w, logger)


# ---- TimedRotatingFileHandler


@same_as_stdlib(live=False)
@pytest.mark.parametrize("when", ["S", "M", "H", "D", "MIDNIGHT", "W0", "W6"])
def test_rollover_times(w, when):
    logger, handler = timed(w, when=when)
    for hours in (0, 0.001, 0.1, 1, 2, 23, 24, 200, 200):
        w.clock.now += int(hours * 3600e9)
        logger.info("after %s hours", hours)
        w.note("next", handler.rolloverAt)


@same_as_stdlib(live=False)
def test_at_time_and_local_time(w):
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    logger, handler = timed(w, when="midnight", utc=False, atTime=datetime.time(3, 30))
    for _ in range(40):
        w.clock.now += int(6 * 3600e9)
        logger.info("tick")
        w.note("next", handler.rolloverAt)


@same_as_stdlib(live=False)
@pytest.mark.parametrize("at", [0, 1e18, 1_700_000_000.5, float("inf"), None, "soon"])
def test_an_odd_rollover_time(w, at):
    logger, handler = timed(w)
    handler.rolloverAt = at
    logger.info("one")
    logger.info("two")


@same_as_stdlib(live=False)
def test_the_clock_of_the_module_replaced(w):
    logger, handler = timed(w)
    module = logging.handlers
    real = module.time

    def now():
        w.note("time asked")
        return handler.rolloverAt + 0.9

    module.time = types.SimpleNamespace(time=now, strftime=real.strftime, localtime=real.localtime, gmtime=real.gmtime)
    try:
        logger.info("one")
        logger.info("two")
    finally:
        module.time = real
    logger.info("three")


@same_as_stdlib(live=False)
@pytest.mark.parametrize("reading", [5, True, 1e300, float("nan"), float("inf"), "now", None])
def test_a_clock_that_gives_something_else(w, reading):
    logger, _ = timed(w)
    module = logging.handlers
    real = module.time
    module.time = types.SimpleNamespace(
        time=lambda: reading, strftime=real.strftime, localtime=real.localtime, gmtime=real.gmtime
    )
    try:
        logger.info("one")
    finally:
        module.time = real


@same_as_stdlib(live=False)
def test_the_clock_jumps_back(w):
    logger, handler = timed(w)
    for step in (3600, 3600, -20000, 5, 5):
        w.clock.now += int(step * 1e9)
        logger.info("step %d", step)
        w.note("next", handler.rolloverAt)


@same_as_stdlib(live=False)
def test_a_special_file_gets_its_next_time(w):
    path = w.dir / "fifo"
    os.mkfifo(path)
    os.utime(path, (w.clock.now // 10**9,) * 2)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    class Handler(logging.handlers.TimedRotatingFileHandler):
        def computeRollover(self, currentTime):
            result = super().computeRollover(currentTime)
            w.note("computed", currentTime, result)
            return result

    handler = Handler(path, when="H", utc=True, encoding="utf-8")
    logger = w.logger()
    logger.addHandler(handler)
    for _ in range(3):
        w.clock.now += int(7200e9)
        logger.info("tick")
        w.note("next", handler.rolloverAt)
    w.note("read", os.read(reader, 1000))
    os.close(reader)
    handler.close()
    path.unlink()


@same_as_stdlib(live=False)
def test_timed_should_rollover_by_hand(w):
    _, handler = timed(w)
    w.note("now", handler.shouldRollover(None), handler.shouldRollover(record=1))
    w.clock.now += int(4000e9)
    w.note("later", handler.shouldRollover(None))
    w.catch(handler.shouldRollover)


@same_as_stdlib(live=False)
def test_timed_namer_and_failing_rotator(w):
    logger, handler = timed(w)
    handler.namer = lambda name: name + ".kept"

    def rotator(source, dest):
        raise PermissionError("no")

    for _ in range(3):
        w.clock.now += int(3700e9)
        logger.info("tick")
    handler.rotator = rotator
    w.clock.now += int(3700e9)
    logger.info("tick")


# ---- WatchedFileHandler


@same_as_stdlib
def test_the_file_is_moved_deleted_and_replaced(w):
    logger, handler = watched(w)
    path = w.dir / "w.log"
    logger.info("one")
    path.rename(w.dir / "moved.log")
    logger.info("two")
    path.unlink()
    logger.info("three")
    path.rename(w.dir / "again.log")
    path.write_text("made by logrotate\n")
    logger.info("four")
    os.truncate(path, 0)
    logger.info("five")
    inode = os.stat(path)
    w.note("same", handler.dev == inode.st_dev, handler.ino == inode.st_ino)


@same_as_stdlib
def test_watched_with_delay_and_closed(w):
    logger, handler = watched(w, delay=True)
    w.note("before", handler.dev, handler.ino, handler.stream)
    logger.info("one")
    w.note("after", handler.dev == -1)
    logger.info("two")
    handler.close()
    logger.info("three")
    handler.stream = None
    handler.reopenIfNeeded()
    w.note("stream", handler.stream)


@same_as_stdlib
@pytest.mark.parametrize("error", [PermissionError, FileNotFoundError, NotADirectoryError, KeyError])
def test_stat_fails(w, error):
    logger, _ = watched(w)
    original = os.stat

    def failing(path, *args, **kwargs):
        if os.fspath(path).endswith(".log"):
            w.note("stat", os.path.basename(path))
            raise error("no")
        return original(path, *args, **kwargs)

    logger.info("one")
    os.stat = failing
    try:
        w.catch(logger.info, "two")
    finally:
        os.stat = original
    logger.info("three")


@same_as_stdlib
@pytest.mark.parametrize("change", [{"dev": -1}, {"ino": 0}, {"dev": None}, {"ino": 1.5}, {"dev": 2**70}], ids=repr)
def test_device_or_inode_tampered_with(w, change):
    logger, handler = watched(w)
    stream = handler.stream
    vars(handler).update(change)
    logger.info("one")
    w.note("reopened", handler.stream is not stream, handler.dev == os.stat(handler.baseFilename).st_dev)


@same_as_stdlib
def test_opening_again_fails(w):
    logger, handler = watched(w)
    logger.info("one")
    os.rename(w.dir / "w.log", w.dir / "moved")
    (w.dir / "w.log").mkdir()
    w.catch(logger.info, "two")
    w.note("stream", handler.stream)
    (w.dir / "w.log").rmdir()
    w.catch(logger.info, "three")


@same_as_stdlib
def test_watched_steps_overridden(w):
    class Handler(logging.handlers.WatchedFileHandler):
        def reopenIfNeeded(self):
            w.note("reopenIfNeeded")
            super().reopenIfNeeded()

        def _statstream(self):
            w.note("_statstream", self.stream is None)
            super()._statstream()

    logger, handler = watched(w, Handler)
    logger.info("one")
    os.unlink(handler.baseFilename)
    logger.info("two")
    w.catch(handler.reopenIfNeeded, 1)
    w.catch(handler._statstream, 1)


@same_as_stdlib(live=False)
def test_watched_on_a_stream_of_ones_own(w):
    logger, handler = watched(w)
    handler.stream.close()
    handler.stream = Stream(w)
    logger.info("one")
    os.unlink(handler.baseFilename)
    logger.info("two")
    logger.info("three")


@same_as_stdlib
def test_a_path_of_bytes_surrogates_or_objects(w):
    logger, handler = watched(w)
    for path in (os.fsencode(handler.baseFilename), w.dir / "w.log", str(w.dir / "sch\udc80ade"), 3.5, "a\0b"):
        handler.baseFilename = path
        w.catch(logger.info, "x")
        w.note("stream", handler.stream is None)


# ---- where the native way asks the file itself


@same_as_stdlib(live=False)
@pytest.mark.parametrize("way", ["property", "bool", "default", "extra", "converter"])
def test_python_code_between_test_and_output(w, way):
    class Handler(logging.handlers.RotatingFileHandler):
        pass

    class Formatter(logging.Formatter):
        pass

    logger, handler = rotating(w, Handler)
    handler.setFormatter(Formatter("%(message)s %(asctime)s"))
    fill(w, logger, 2)
    if way == "property":
        size = vars(handler).pop("maxBytes")
        Handler.maxBytes = property(lambda self: w.note("maxBytes") or size)
    elif way == "bool":
        Formatter.__bool__ = lambda self: w.note("bool") or True
    elif way == "default":
        handler.formatter = None
    elif way == "extra":

        class Key:
            def __str__(self):
                w.note("str")
                return "key"

        handler.setFormatter(Formatter("%(key)s", defaults={"key": Key()}))
    else:
        handler.formatter.converter = lambda seconds: w.note("converter") or time.gmtime(seconds)
    fill(w, logger, 6)


@same_as_stdlib(live=False)
def test_base_emit_replaced_sees_what_the_test_set(w):
    logger, _ = rotating(w, maxBytes=1000)
    fill(w, logger, 1)
    original = logging.StreamHandler.emit
    logging.StreamHandler.emit = lambda self, record: w.note("emit", record)
    try:
        fill(w, logger, 2)
    finally:
        logging.StreamHandler.emit = original


@same_as_stdlib
@pytest.mark.parametrize("mode", ["w", "r+", "a", "x"])
def test_a_stream_opened_otherwise(w, mode):
    logger, handler = rotating(w, maxBytes=1000)
    handler.stream.close()
    path = w.dir / "other.log"
    if mode != "x":
        path.write_text("0123456789\n" * 3, "utf-8")
    with open(path, mode, encoding="utf-8") as handler.stream:
        fill(w, logger, 2)
        handler.stream.seek(5)
        fill(w, logger, 2)
        w.note("tell", handler.stream.tell())


@same_as_stdlib
@pytest.mark.parametrize("mode", ["w", "a", "x"])
@pytest.mark.parametrize("size", [1000, 100])
def test_others_write_and_the_path_becomes_special(w, mode, size):
    logger, handler = rotating(w, maxBytes=size, backupCount=0)
    handler.stream.close()
    path = w.dir / "r.log"
    path.unlink()
    with open(path, mode, encoding="utf-8") as handler.stream, open(path, "r+", encoding="utf-8") as other:
        fill(w, logger, 2)
        other.seek(0, 2)
        other.write("another line\n" * 3)
        other.flush()
        path.unlink()
        os.mkfifo(path)
        for _ in range(2):
            fill(w, logger, 1)
            w.note("tell", handler.stream.tell())
        other.seek(0)
        w.note("text", other.read())
    path.unlink()


@same_as_stdlib
def test_the_descriptor_becomes_another_file(w):
    logger, handler = rotating(w, maxBytes=1000)
    fill(w, logger, 2)
    other = os.open(w.dir / "other.log", os.O_CREAT | os.O_WRONLY)
    os.dup2(other, handler.stream.fileno())
    os.close(other)
    fill(w, logger, 2)
    w.note("tell", handler.stream.tell())


@same_as_stdlib
def test_a_full_disk(w):
    handler = logging.handlers.RotatingFileHandler("/dev/full", maxBytes=1000, encoding="utf-8")
    logger = w.logger()
    logger.addHandler(handler)
    fill(w, logger, 2)
    handler.handleError = lambda record: None
    fill(w, logger, 2)
    with pytest.raises(OSError, match="space"):
        handler.stream.close()


# ---- a record that somebody has seen before


@same_as_stdlib
@pytest.mark.parametrize("place", ["logger", "handler"])
@pytest.mark.parametrize("asked", ["size", "size unset", "time", "watched", "rotator", "namer"])
def test_what_a_filter_has_seen_is_formatted_when_it_is_written(w, asked, place):
    """What the handler asks before it writes sees the record as it was, and as it is where it formats to measure."""
    seen = []

    def look(*_):
        w.note("asked", [sorted({"message", "asctime"} & set(vars(record))) for record in seen])
        return False

    def look_at(name):
        look()
        return str(name)

    class Size(logging.handlers.RotatingFileHandler):
        shouldRollover = look

    class Time(logging.handlers.TimedRotatingFileHandler):
        shouldRollover = look

    class Watched(logging.handlers.WatchedFileHandler):
        reopenIfNeeded = look

    if asked == "size":
        log, handler = rotating(w, Size)
    elif asked == "size unset":
        log, handler = rotating(w, Size, maxBytes=0)
    elif asked == "time":
        log, handler = timed(w, Time)
    elif asked == "watched":
        log, handler = watched(w, Watched)
    else:
        log, handler = timed(w) if asked == "rotator" else rotating(w)
        handler.namer = look_at
    if asked == "rotator":
        handler.rotator = lambda source, target: look() or os.rename(source, target)
    (log if place == "logger" else handler).addFilter(lambda record: seen.append(record) or True)
    for number in range(5):
        log.info("line %d of some length", number)
        w.clock.now += 3600 * 10**9
    handler.close()
