"""A plain program runs natively in full: no reason for the reference tier is counted."""

import io
import logging
import logging.handlers
import queue
import sys

import pytest

import femtolog


@pytest.fixture
def bound():
    """Bound natively, counts at nought."""
    with femtolog.installed():
        femtolog.reset_stats()
        yield


def logger(handler, fmt="%(asctime)s %(levelname)-8s %(name)s %(funcName)s:%(lineno)d %(threadName)s %(process)d %(message)s"):
    """A logger of its own with one handler."""
    log = logging.Logger("plain", logging.DEBUG)
    if fmt:
        handler.setFormatter(fmt if isinstance(fmt, logging.Formatter) else logging.Formatter(fmt))
    log.addHandler(handler)
    return log


def all_native(count):
    """As many native records as were logged, none by the reference tier."""
    stats = femtolog.stats()
    assert stats["reference"] == {}
    assert stats["native"] == count


def use(log):
    """What plain programs do: twelve records."""
    log.debug("plain")
    log.info("one %s", "argument")
    log.warning("three %s %d %.2f", "a", 2, 3.0)
    log.error("mapping %(a)s", {"a": 1})
    log.critical("object %r", [1, 2])
    log.log(35, "by number")
    log.info("extra", extra={"k": 1})
    log.info("level", stacklevel=2)
    log.info("stack", stack_info=True)
    try:
        raise ValueError("shown")
    except ValueError:
        log.exception("with traceback")
        log.info("exc_info", exc_info=True)
    log.info(5)


def handlers(tmp_path):
    """By name: every handler with a native implementation."""
    utf8 = {"encoding": "utf-8"}
    return {
        "NullHandler": logging.NullHandler(),
        "StreamHandler": logging.StreamHandler(io.StringIO()),
        "FileHandler": logging.FileHandler(tmp_path / "f", **utf8),
        "delayed FileHandler": logging.FileHandler(tmp_path / "d", delay=True, **utf8),
        "RotatingFileHandler without size": logging.handlers.RotatingFileHandler(tmp_path / "r0", **utf8),
        "RotatingFileHandler": logging.handlers.RotatingFileHandler(tmp_path / "r", maxBytes=10**6, backupCount=3, **utf8),
        "TimedRotatingFileHandler": logging.handlers.TimedRotatingFileHandler(tmp_path / "t", when="D", **utf8),
        "WatchedFileHandler": logging.handlers.WatchedFileHandler(tmp_path / "w", **utf8),
        "MemoryHandler": logging.handlers.MemoryHandler(100, target=logging.StreamHandler(io.StringIO())),
        "QueueHandler": logging.handlers.QueueHandler(queue.SimpleQueue()),
    }


NAMES = [
    "NullHandler",
    "StreamHandler",
    "FileHandler",
    "delayed FileHandler",
    "RotatingFileHandler without size",
    "RotatingFileHandler",
    "TimedRotatingFileHandler",
    "WatchedFileHandler",
    "MemoryHandler",
    "QueueHandler",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_handler_is_native(bound, tmp_path, name):
    every = handlers(tmp_path)
    assert list(every) == NAMES
    log = logger(every[name])
    use(log)
    all_native(12)
    for handler in every.values():
        handler.close()


@pytest.mark.parametrize(
    "arguments",
    [
        {"fmt": None},
        {"fmt": "%(message)s"},
        {"fmt": "%(asctime)s %(message)s", "datefmt": "%Y-%m-%d %H:%M"},
        {"fmt": "%(created)f %(msecs)03d %(relativeCreated)d %(levelno)s %(pathname)s %(module)s %(thread)d %(processName)s"},
        {"fmt": "{asctime} {levelname:<8} {message!s}", "style": "{"},
        {"fmt": "$asctime ${levelname} $message", "style": "$"},
        {"fmt": "%(message)s %(more)s", "defaults": {"more": 1}},
    ],
    ids=str,
)
def test_every_style_is_native(bound, arguments):
    log = logger(logging.StreamHandler(io.StringIO()), logging.Formatter(**arguments))
    use(log)
    all_native(12)


def test_filters_are_native(bound):
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(logging.Filter("plain"))
    log = logger(handler)
    log.addFilter(logging.Filter())
    use(log)
    all_native(12)


def test_a_python_filter_handler_and_formatter_are_reached_natively(bound):
    class Formatter(logging.Formatter):
        def format(self, record):
            return super().format(record).upper()

    class Handler(logging.Handler):
        def emit(self, record):
            self.format(record)

    log = logger(logging.StreamHandler(io.StringIO()), Formatter("%(message)s"))
    log.addHandler(Handler())
    log.addFilter(lambda record: True)
    use(log)
    all_native(12)


def test_an_adapter_is_native(bound):
    log = logger(logging.StreamHandler(io.StringIO()))
    adapter = logging.LoggerAdapter(log, {"who": 1})
    adapter.debug("x")
    adapter.info("x %s", 1)
    adapter.log(35, "x")
    all_native(3)


def test_a_tree_of_loggers_is_native(bound):
    root = logging.RootLogger(logging.WARNING)
    manager = logging.Manager(root)
    root.addHandler(logging.StreamHandler(io.StringIO()))
    log = manager.getLogger("a.b.c")
    manager.getLogger("a").setLevel(logging.INFO)
    log.debug("not enabled")
    log.info("x")
    log.warning("y %s", 1)
    all_native(2)


def test_module_functions_are_native(bound, monkeypatch):
    root = logging.RootLogger(logging.WARNING)
    root.addHandler(logging.StreamHandler(io.StringIO()))
    monkeypatch.setattr(logging, "root", root)
    logging.debug("not enabled")
    logging.warning("x")
    logging.error("y %s", 1)
    logging.log(50, "z")
    all_native(3)


def test_the_last_resort_is_native(bound, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    log = logging.Logger("alone", logging.DEBUG)
    log.info("x")
    log.warning("y")
    assert sys.stderr.getvalue() == "y\n"
    all_native(2)


def test_disabled_calls_are_not_counted(bound):
    log = logging.Logger("plain", logging.WARNING)
    for _ in range(100):
        log.debug("x")
    all_native(0)


def test_a_subclass_with_one_override_stays_native(bound):
    class Mine(logging.Logger):
        def info(self, msg, *args, **kwargs):
            super().info(msg, *args, **kwargs)

        def isEnabledFor(self, level):
            return super().isEnabledFor(level)

    log = logger(logging.StreamHandler(io.StringIO()))
    log.__class__ = Mine
    use(log)
    all_native(12)


def test_a_method_that_is_only_known_is_not_called(bound):
    with pytest.raises(RuntimeError, match=r"^Handler\.acquire is not native$"):
        femtolog._native.call_native("Handler.acquire", (logging.NullHandler(),))
