"""Differences that generated tests have found once, each as the small program that showed it."""

import _thread
import io
import logging
import os
import sys
import threading
import types

import pytest
from oracle import same_as_stdlib


@same_as_stdlib
@pytest.mark.parametrize(("fmt", "style"), [("%(name)s", "%"), ("{name}", "{"), ("$name", "$")])
def test_wrong_arguments_of_an_empty_message_the_format_does_not_show(w, fmt, style):
    log, _, _ = w.plain(fmt, style=style)
    for args in ((None,), (1, 2), ({"a": 1},), ("x",)):
        log.warning("", *args)


@same_as_stdlib
def test_record_class_replaced_by_no_class(w):
    log, _, _ = w.plain()
    logging.LogRecord = lambda *args, **kwargs: 1 / 0
    w.catch(log.warning, "x")
    logging.LogRecord = 5
    w.catch(log.warning, "y")


@same_as_stdlib
def test_acquire_overridden_counts_in_flush_of_a_file(w):
    log = w.logger()
    handler = logging.FileHandler(w.dir / "f.log", encoding="utf-8")
    log.addHandler(handler)
    log.info("a")
    handler.acquire = lambda: w.note("acquire")
    handler.release = lambda: w.note("release")
    log.info("b")
    handler.flush()


@same_as_stdlib
def test_missing_arguments_of_an_adapter_are_told_before_its_logger_is_read(w):
    empty = logging.LoggerAdapter.__new__(logging.LoggerAdapter)
    for args in ((), (20,), (20, "m")):
        w.catch(empty._log, *args)


@same_as_stdlib
@pytest.mark.parametrize("level", [None, (1,), (), "x", 1.5], ids=repr)
def test_error_of_an_undecided_level_keeps_the_missing_key_as_context(w, level):
    log = w.logger()
    w.catch(log.isEnabledFor, level)


@same_as_stdlib
@pytest.mark.parametrize("many", [0, 60], ids=["values in place", "a dict of its own"])
def test_failing_write_of_a_handler_with_attributes_of_its_own(w, many):
    log, handler, _ = w.plain()
    log.warning("before %s", 1)
    for number in range(many):
        setattr(handler, f"own_{number}", number)
    handler.stream = io.StringIO()
    handler.stream.close()
    w.catch(log.warning, "two %s and %s", 1.5, "a\nb")


@same_as_stdlib
def test_truth_of_a_logger_that_changes_the_loggers_attributes_and_a_levels_name(w):
    class Truth(logging.Logger):
        def __bool__(self):
            logging.addLevelName(30, "CHANGED")
            # More than fit beside the object: what it had in place moves.
            for number in range(60):
                vars(self)[f"own_{number}"] = number
            return True

    _, handler, _ = w.plain("%(levelname)s %(message)s")
    log = Truth("truth", 10)
    log.addHandler(handler)
    for _ in range(2):
        log.warning("m")


@same_as_stdlib
def test_handlers_by_a_property_that_changes_the_loggers_attributes_and_a_levels_name(w):
    _, handler, _ = w.plain("%(levelname)s %(message)s")

    class Computed(logging.Logger):
        @property
        def handlers(self):
            logging.addLevelName(30, "CHANGED")
            for number in range(60):
                vars(self)[f"own_{number}"] = number
            return [handler]

        @handlers.setter
        def handlers(self, _):
            pass

    for _ in range(2):
        Computed("computed", 10).warning("m")


@same_as_stdlib
def test_stream_exchanged_while_threading_is_asked_for_a_thread_it_does_not_know(w):
    log, handler, _ = w.plain("%(threadName).5s %(message)s")
    other = w.stream()

    class Dummy(threading._DummyThread):
        def __init__(self):
            super().__init__()
            handler.setStream(other)

    done = threading.Lock()
    done.acquire()

    def run():
        log.warning("m")
        # The next thread may have the same number.
        threading._active.pop(threading.get_ident(), None)
        done.release()

    own = threading._DummyThread
    threading._DummyThread = Dummy
    try:
        _thread.start_new_thread(run, ())
        done.acquire()
    finally:
        threading._DummyThread = own


@same_as_stdlib
@pytest.mark.parametrize("place", ["class", "instance"])
def test_overridden_is_enabled_for_is_asked_once_where_frames_of_logging_are_looked_for(w, place):
    class Asks(logging.Logger):
        def isEnabledFor(self, level):
            w.note("asked", level)
            return super().isEnabledFor(level)

    log = Asks("asks", 20)
    if place == "instance":
        log = logging.Logger("asks", 20)
        log.isEnabledFor = lambda level: w.note("asked", level) or level >= 20
    log.addHandler(logging.StreamHandler(w.stream()))
    logging.os = types.SimpleNamespace(**{**vars(os), "getpid": lambda: 12})
    for enabled in (10, 20):
        log.log(enabled, "log")
    for name in ("debug", "info", "warning", "error", "critical", "exception", "fatal"):
        getattr(log, name)(name)


@same_as_stdlib
def test_overridden_is_enabled_for_that_makes_frames_looked_for_is_asked_once(w):
    class Asks(logging.Logger):
        def isEnabledFor(self, level):
            w.note("asked", level)
            logging.os = types.SimpleNamespace(**{**vars(os), "getpid": lambda: 12})
            return True

    for name in ("info", "error", "exception"):
        log = Asks("asks", 20)
        log.addHandler(logging.StreamHandler(w.stream()))
        getattr(log, name)(name)
        logging.os = os


class Low(logging.Logger):
    def _log(self, *args, **kwargs):
        super()._log(*args, **kwargs)


class Log(logging.Logger):
    def log(self, *args, **kwargs):
        super().log(*args, **kwargs)


class Named(logging.LoggerAdapter):
    def log(self, *args, **kwargs):
        super().log(*args, **kwargs)


class Asking(logging.LoggerAdapter):
    def isEnabledFor(self, level):
        return super().isEnabledFor(level)


@same_as_stdlib
@pytest.mark.parametrize("looks", ["_srcfile", "findCaller"])
@pytest.mark.parametrize("adapters", [(), (logging.LoggerAdapter,), (Named,), (Asking, Named), (Named, Asking)])
@pytest.mark.parametrize("cls", [logging.Logger, Low, Log])
def test_frames_below_an_override_where_frames_of_logging_are_looked_for(w, cls, adapters, looks):
    class Logger(cls):
        def findCaller(self, *args, **kwargs):
            frame, names = sys._getframe(1), []
            while frame and len(names) < 9:
                names.append(frame.f_code.co_name)
                frame = frame.f_back
            w.note(names)
            return super().findCaller(*args, **kwargs)

    if looks == "_srcfile":
        logging._srcfile = "elsewhere.py"
        Logger = cls
    log = Logger("own", 10)
    kept = w.keeper(log)
    for adapter in adapters:
        log = adapter(log, {})
    for stacklevel in range(1, 9):
        log.info("m", stacklevel=stacklevel)
        log.log(20, "m", stacklevel=stacklevel)
    log.exception("m", stacklevel=3)
    w.note([record.funcName for record in kept])
