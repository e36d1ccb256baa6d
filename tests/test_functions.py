"""The functions of the logging module: the root logger's, basicConfig, shutdown, captureWarnings, the tree of loggers."""

import io
import logging
import os
import sys
import threading
import traceback
import warnings
import weakref

import pytest
from oracle import same_as_stdlib

FMT = "%(levelname)s %(filename)s:%(lineno)d %(funcName)s %(message)s"
LEVELS = ["debug", "info", "warning", "error", "critical", "fatal", "exception"]


@same_as_stdlib
@pytest.mark.parametrize("name", [*LEVELS, "warn"])
def test_function_of_a_level_reports_its_caller(w, name):
    warnings.simplefilter("always")
    logging.root.addHandler(w.handler(FMT))
    logging.root.setLevel(1)

    def inner(**kwargs):
        w.catch(getattr(logging, name), "m %s", 1, **kwargs)
        getattr(logging, name)("direct", **kwargs)

    def outer(**kwargs):
        inner(**kwargs)

    inner()
    outer(stacklevel=2)
    outer(stacklevel=3)
    inner(extra={"a": 1})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(logging, name)("warns")
    w.note("warned", [(one.filename, one.lineno) for one in caught])


@same_as_stdlib
@pytest.mark.parametrize("name", [*LEVELS, "warn"])
def test_find_caller_that_counts_frames_sees_the_stdlibs_frames(w, name):
    class Counting(logging.RootLogger):
        def findCaller(self, *args, **kwargs):
            frame, names = sys._getframe(0), []
            while frame.f_code.co_name != "catch":
                names.append(frame.f_code.co_name)
                frame = frame.f_back
            w.note("frames", names)
            return super().findCaller(*args, **kwargs)

    warnings.simplefilter("ignore")
    logging.root.addHandler(w.handler(FMT))
    logging.root.setLevel(1)
    logging.root.__class__ = Counting
    try:
        w.catch(getattr(logging, name), "m")
    finally:
        logging.root.__class__ = logging.RootLogger


@same_as_stdlib
@pytest.mark.parametrize("replaced", ["error", "critical", "warning", "basicConfig"])
def test_function_another_one_calls_is_replaced(w, replaced):
    warnings.simplefilter("ignore")
    setattr(logging, replaced, lambda *args, **kwargs: w.note(replaced, args, kwargs))
    for name in [*LEVELS, "warn"]:
        w.catch(getattr(logging, name), "m", 1)
    w.catch(logging.exception, "m", exc_info=2)


STYLES = [{"style": "{"}, {"style": "$", "format": "$message"}, {"style": "x"}, {"style": []}, {"format": "x"}, {"format": None}]
FILES = [
    {"filename": "a"},
    {"filename": "a", "filemode": "wb"},
    {"filename": "a", "filemode": 5},
    {"filename": "a", "encoding": "latin-1", "errors": None},
    {"filename": ""},
    {"filename": 5.5},
    {"filename": "a", "stream": 1},
]
HANDLERS = [{"handlers": h} for h in ([], None, 5, [1])] + [{"handlers": [], "stream": 1}, {"handlers": [], "filename": 1}]
OTHERS = [{}, {"level": "DEBUG"}, {"level": "no"}, {"force": True}, {"nope": 1, "more": 2}, {"datefmt": "%H", "level": None}]
GIVEN = [{"formatter": None}, {"formatter": 5}, {"formatter": 5, "style": "{"}, {"formatter": 5, "datefmt": None}]


@same_as_stdlib
@pytest.mark.parametrize("options", STYLES + FILES + HANDLERS + OTHERS + GIVEN, ids=str)
def test_basic_config(w, options):
    os.chdir(w.dir)
    for _ in range(2):
        w.catch(logging.basicConfig, **options)
        for handler in logging.root.handlers:
            fields = [getattr(handler, name, None) for name in ("mode", "encoding", "errors")]
            formatter = getattr(handler, "formatter", None)
            w.note("handler", type(handler).__name__, fields, getattr(formatter, "_fmt", None), getattr(formatter, "datefmt", 0))
        w.note("level", logging.root.level)
    for handler in logging.root.handlers:
        w.catch(lambda handler=handler: handler.close())
    logging.root.handlers.clear()


class Handlerlike:
    """A handler that only tells; `failing` names the steps that raise `error`."""

    def __init__(self, w, failing, error):
        self.w, self.failing, self.error = w, failing, error

    def step(self, name):
        self.w.note(name)
        if name in self.failing:
            raise self.error(name)

    def acquire(self):
        self.step("acquire")

    def flush(self):
        self.step("flush")

    def close(self):
        self.step("close")

    def release(self):
        self.step("release")


@same_as_stdlib
@pytest.mark.parametrize("raises", [True, False])
@pytest.mark.parametrize("error", [OSError, ValueError, TypeError, KeyboardInterrupt])
def test_shutdown_with_failing_steps(w, error, raises):
    logging.raiseExceptions = raises
    for failing in ((), ("acquire",), ("flush",), ("close",), ("release",), ("close", "release"), ("flush", "release")):
        handler = Handlerlike(w, failing, error)
        raised = w.catch(logging.shutdown, [weakref.ref(handler)])
        if raised:
            entries = traceback.extract_tb(raised.__traceback__)
            w.note([(entry.name, entry.line) for entry in entries if entry.name in ("shutdown", "step")])
    handler = Handlerlike(w, (), error)
    handler.flushOnClose = False
    w.catch(logging.shutdown, handlerList=(weakref.ref(handler), lambda: None))
    w.catch(logging.shutdown, [5])
    w.catch(logging.shutdown, 5)


@same_as_stdlib
def test_capture_warnings_there_and_back(w):
    shown = warnings.showwarning
    log, _, _ = w.plain(FMT, name="py.warnings")
    warnings.simplefilter("always")
    logging.captureWarnings(True)
    logging.captureWarnings(True)
    w.note("taken", warnings.showwarning is logging._showwarning, logging._warnings_showwarning is shown)
    warnings.showwarning("m", UserWarning, "file", 3, line="text")
    sink = io.StringIO()
    warnings.showwarning("m", UserWarning, "file", 3, file=sink, line="text")
    w.note("written", sink.getvalue())
    logging.captureWarnings(False)
    logging.captureWarnings(0)
    w.note("given back", warnings.showwarning is shown, logging._warnings_showwarning)
    log.handlers.clear()
    logging._showwarning("m", UserWarning, "file", 3)
    w.note("handlers", log.handlers)


def tree(w) -> None:
    """The registry: names, kinds, parents, children of place holders."""
    for name, thing in sorted(logging.root.manager.loggerDict.items()):
        parent = getattr(getattr(thing, "parent", None), "name", None)
        w.note("tree", name, type(thing).__name__, parent, sorted(c.name for c in getattr(thing, "loggerMap", ())))


@same_as_stdlib
def test_get_logger_in_every_order(w):
    for name in ("a.b.c", "a", "a.b", "x.y", "a.b.c.d.e", ".", "..", ".a", "a.", "\0", "root", "", None, 0, 5, b"x"):
        w.catch(logging.getLogger, name)
    tree(w)
    w.catch(logging.getLogger("a").getChild, "z")
    w.catch(logging.root.getChild, "q.r")
    w.catch(logging.getLogger("a").getChild, 3)
    if sys.version_info >= (3, 12):
        for name in ("a", "root"):
            w.note("children", sorted(child.name for child in logging.getLogger(name).getChildren()))
    tree(w)


@same_as_stdlib
def test_registry_of_another_kind_and_overridden_manager(w):
    class Registry(dict):
        def __setitem__(self, key, value):
            w.note("set", key)
            super().__setitem__(key, value)

    class Manager(logging.Manager):
        def _fixupParents(self, alogger):
            w.note("fixup", alogger.name)
            super()._fixupParents(alogger)

        def _clear_cache(self):
            w.note("clear")
            super()._clear_cache()

    manager = Manager(logging.root)
    manager.loggerDict = Registry()
    manager.getLogger("u.v.w")
    manager.getLogger("u.v").setLevel("INFO")
    manager.loggerDict["odd"] = "no logger"
    w.catch(manager.getLogger, "odd.one")
    manager.loggerClass = lambda name: 5
    w.catch(manager.getLogger, "five")
    w.catch(setattr, manager, "disable", "no level")
    manager.disable = "ERROR"
    w.note("disable", manager.disable)


@same_as_stdlib
def test_explicit_base_calls_honour_a_patched_class(w):
    init = logging.Handler.__init__

    def patched(self, level=0):
        w.note("Handler.__init__", type(self).__name__, level)
        init(self, level)

    logging.Handler.__init__ = patched
    os.chdir(w.dir)
    logging.StreamHandler()
    logging._StderrHandler(30)
    logging.NullHandler()
    logging.FileHandler("a", delay=True)
    logging.FileHandler("a").close()


@same_as_stdlib
def test_locks_are_free_in_a_forked_child(w):
    handler = w.handler()
    handler.acquire()
    logging._lock.acquire()
    warnings.simplefilter("ignore")
    pid = os.fork()
    if pid == 0:
        got = []
        thread = threading.Thread(target=lambda: got.extend([handler.lock.acquire(timeout=5), logging._lock.acquire(timeout=5)]))
        thread.start()
        thread.join()
        os._exit(0 if got == [True, True] else 1)
    w.note("child", os.waitpid(pid, 0)[1])
    logging._lock.release()
    handler.release()


class Sink:
    """A stream whose steps raise what they are told to."""

    def __init__(self, w, **steps):
        self.w = w
        self.__dict__.update({name: self.failing(name, error) for name, error in steps.items()})

    def failing(self, name, error):
        def step():
            self.w.note(name)
            if error is not None:
                raise error(name)

        return step


@same_as_stdlib
@pytest.mark.parametrize("flush", [None, ValueError])
@pytest.mark.parametrize("close", [None, TypeError])
def test_closing_a_file_handler_gives_everything_up_whatever_fails(w, flush, close):
    os.chdir(w.dir)
    handler = logging.FileHandler("a")
    handler.name = "named"
    handler.stream.close()
    handler.stream = Sink(w, flush=flush, close=close)
    w.catch(handler.close)
    w.note("left", handler.stream, handler._closed, "named" in logging._handlers, handler.lock.acquire(False))
