"""femtolog.get_logger(): a logger of `logging` with the methods of femtologging's loggers, and the sinks that it takes."""

import gc
import io
import logging
import sys
import threading

import pytest

import femtolog
from femtolog import femto
from femtolog.errors import ConfigurationError, FemtologError


@pytest.fixture(autouse=True)
def fresh():
    with femtolog.installed():
        yield
        femto.reset_manager()


class Collector:
    def __init__(self):
        self.got = []

    def handle(self, logger, level, message):
        self.got.append((logger, level, message))


class RecordCollector(Collector):
    def handle_record(self, record):
        self.got.append(record)


def lines_of(log):
    stream = io.StringIO()
    log.add_handler(logging.StreamHandler(stream))
    return lambda: stream.getvalue().splitlines()


def test_one_logger_for_a_name_and_it_is_the_one_of_logging():
    log = femtolog.get_logger("femto.a")
    assert log is femtolog.get_logger("femto.a") is femto.get_logger("femto.a")
    assert log is not femtolog.get_logger("femto.b")
    assert log.logger is logging.getLogger("femto.a")
    assert logging.getLogger("femto.a").log(20, "m") is None
    assert (log.parent, femtolog.get_logger("femto").parent, femtolog.get_logger("root").parent) == ("femto", "root", None)
    assert femtolog.get_logger("root").logger is logging.root


@pytest.mark.parametrize("name", ["", ".", ".a", "a.", "a..b"])
def test_name_with_an_empty_part_is_refused(name):
    with pytest.raises(ValueError, match="name must have no empty part"):
        femtolog.get_logger(name)


def test_name_that_is_no_str_is_refused():
    with pytest.raises(TypeError, match="name must be a str"):
        femtolog.get_logger(None)


@pytest.mark.parametrize(
    ("level", "printed", "number"),
    [
        ("trace", "TRACE", 5),
        ("Debug", "DEBUG", 10),
        ("INFO", "INFO", 20),
        ("WARN", "WARN", 30),
        ("warning", "WARN", 30),
        ("ERROR", "ERROR", 40),
        ("critical", "CRITICAL", 50),
        (20, "INFO", 20),
    ],
)
def test_log_takes_names_in_any_case_and_returns_the_line(level, printed, number):
    log = femtolog.get_logger("svc")
    collector = RecordCollector()
    log.add_handler(collector)
    log.set_level("TRACE")
    assert log.log(level, "m") == f"svc [{printed}] m"
    assert log.flush_handlers()
    assert [(r["level"], r["levelno"], r["message"]) for r in collector.got] == [(printed, number, "m")]


def test_level_of_the_programs_own():
    femtolog.add_level("NOTICE", 25)
    try:
        assert femtolog.get_logger("svc").log("notice", "m") == "svc [NOTICE] m"
    finally:
        for owner in (logging.Logger, logging.LoggerAdapter, logging):
            del owner.notice
        del logging._levelToName[25], logging._nameToLevel["NOTICE"]


@pytest.mark.parametrize("level", ["bogus", None, "", True])
def test_what_is_no_level_is_refused_with_what_it_was(level):
    with pytest.raises(ConfigurationError, match="level must be a number or one of TRACE, DEBUG") as caught:
        femtolog.get_logger("svc").log(level, "m")
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, FemtologError)
    assert repr(level) in str(caught.value)


def test_nothing_is_returned_for_what_is_not_logged():
    log = femtolog.get_logger("svc")
    lines = lines_of(log)
    assert log.level == "INFO"
    assert log.debug("below the level") is None
    log.logger.addFilter(lambda record: "secret" not in record.msg)
    assert log.error("secret") is None
    logging.disable(logging.ERROR)
    try:
        assert log.error("disabled") is None
        assert not log.isEnabledFor("ERROR")
    finally:
        logging.disable(logging.NOTSET)
    log.logger.disabled = True
    assert log.critical("disabled") is None
    log.logger.disabled = False
    assert log.warning("logged") == "svc [WARN] logged"
    assert lines() == ["logged"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="filters replace records from 3.12 on")
def test_record_that_a_filter_puts_in_its_place():
    log = femtolog.get_logger("svc")
    lines = lines_of(log)
    log.logger.addFilter(lambda record: logging.makeLogRecord({**vars(record), "msg": "other"}))
    assert log.info("one") == "svc [INFO] other"
    assert lines() == ["other"]


@pytest.mark.parametrize("name", ["debug", "info", "warning", "error", "critical"])
def test_methods_of_levels_find_their_caller(name):
    log = femtolog.get_logger("svc")
    log.set_level("DEBUG")
    records = []
    log.logger.addFilter(lambda record: records.append(record) or True)
    getattr(log, name)("100 %", extra={"order": 7})
    log.log(name, "100 %")
    here = sys._getframe().f_lineno
    assert [(r.filename, r.lineno, r.funcName) for r in records] == [
        ("test_femto_logger.py", here - 2, "test_methods_of_levels_find_their_caller"),
        ("test_femto_logger.py", here - 1, "test_methods_of_levels_find_their_caller"),
    ]
    assert [(r.getMessage(), r.args, r.levelname.lower()) for r in records] == [("100 %", (), name)] * 2
    assert records[0].order == 7


def test_exceptions_and_stacks():
    log = femtolog.get_logger("svc")
    collector = RecordCollector()
    log.add_handler(collector)
    error = KeyError("k")
    try:
        raise error
    except KeyError:
        texts = [log.exception("x"), log.error("x", exc_info=True), log.info("x", exc_info=error)]
        texts.append(log.info("x", exc_info=(KeyError, error, error.__traceback__)))
    for level, text in zip(["ERROR", "ERROR", "INFO", "INFO"], texts, strict=True):
        assert text.startswith(f"svc [{level}] x\nTraceback (most recent call last):\n")
        assert text.endswith("\nKeyError: 'k'")
    assert log.exception("x", exc_info=False) == "svc [ERROR] x"
    stack = log.info("x", stack_info=True)
    assert stack.startswith("svc [INFO] x\nStack (most recent call last):\n")
    assert 'stack = log.info("x", stack_info=True)' in stack.splitlines()[-1]
    log.flush_handlers()
    assert [(r["exc_info"]["type_name"], r["exc_info"]["message"]) for r in collector.got[:4]] == [("KeyError", "'k'")] * 4
    assert "exc_info" not in collector.got[4]
    frame = collector.got[5]["stack_info"]["frames"][-1]
    assert (frame["function"], frame["source_line"]) == ("test_exceptions_and_stacks", 'stack = log.info("x", stack_info=True)')


def test_level_and_propagation():
    log, parent = femtolog.get_logger("femto.child"), femtolog.get_logger("femto")
    lines = lines_of(parent)
    log.info("up")
    log.set_propagate(False)
    log.info("not up")
    log.set_propagate(True)
    log.set_level("ERROR")
    assert (log.level, log.propagate, log.isEnabledFor("WARN"), log.isEnabledFor(40)) == ("ERROR", True, False, True)
    log.info("below")
    assert lines() == ["up"]


def test_level_is_what_every_thread_sees_next():
    log = femtolog.get_logger("svc")
    seen, go, gone = [], threading.Barrier(2), threading.Barrier(2)

    def work():
        for _ in range(20):
            go.wait(10)
            seen.append(log.debug("m") is not None)
            gone.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    for turn in range(20):
        log.set_level("DEBUG" if turn % 2 else "INFO")
        go.wait(10)
        gone.wait(10)
    thread.join()
    assert seen == [False, True] * 10


def test_a_level_that_is_there_stays():
    logging.getLogger("svc").setLevel(logging.ERROR)
    try:
        assert femtolog.get_logger("svc").level == "ERROR"
    finally:
        logging.getLogger("svc").setLevel(logging.NOTSET)
        femto.reset_manager()
    root = logging.root.level
    assert femtolog.get_logger("root").logger.level == root


def test_reset_takes_back_what_was_done():
    before = list(logging.getLogger("svc").handlers)
    log = femtolog.get_logger("svc")
    log.add_handler(logging.NullHandler())
    log.add_handler(Collector())
    log.set_level("ERROR")
    log.set_propagate(False)
    femto.reset_manager()
    plain = logging.getLogger("svc")
    assert (plain.handlers, plain.level, plain.propagate) == (before, logging.NOTSET, True)
    assert femtolog.get_logger("svc") is not log


def test_logger_made_by_its_name_stands_alone():
    log = femto.FemtoLogger("")
    lines = lines_of(log)
    assert log.info("m") == " [INFO] m"
    assert log.parent is None
    assert lines() == ["m"]
    assert log.logger is not logging.root


# ---- sinks


def test_sink_with_handle():
    log = femtolog.get_logger("svc")
    collector = Collector()
    log.add_handler(collector)
    log.add_handler(collector)  # is there
    log.warning("one")
    log.info("two")
    assert log.flush_handlers()
    assert collector.got == [("svc", "WARN", "one"), ("svc", "INFO", "two")]


def test_sink_with_handle_record_gets_the_record():
    log = femtolog.get_logger("svc")
    collector = RecordCollector()
    log.add_handler(collector)
    log.info("m", extra={"order": 7})
    log.flush_handlers()
    [record] = collector.got
    metadata = record.pop("metadata")
    assert record == {"logger": "svc", "level": "INFO", "levelno": 20, "message": "m"}
    assert list(metadata) == ["module_path", "filename", "line_number", "thread_name", "thread_id", "timestamp", "key_values"]
    assert (metadata["module_path"], metadata["filename"]) == ("test_femto_logger", __file__)
    assert (metadata["thread_name"], metadata["thread_id"]) == ("MainThread", threading.get_ident())
    assert metadata["key_values"] == {"order": 7}


def test_what_a_sink_can_do_is_decided_when_it_is_added():
    log, other = femtolog.get_logger("svc"), femtolog.get_logger("other")
    collector = Collector()
    log.add_handler(collector)
    collector.handle_record = collector.got.append
    other.add_handler(collector)
    log.info("as before")
    assert log.flush_handlers()
    other.info("as it is now")
    assert other.flush_handlers()
    del collector.handle_record
    other.info("still")
    assert other.flush_handlers()
    assert [got[2] if isinstance(got, tuple) else got["message"] for got in collector.got] == [
        "as before",
        "as it is now",
        "still",
    ]
    assert [type(got) for got in collector.got] == [tuple, dict, dict]


def test_what_is_no_sink_is_refused():
    log = femtolog.get_logger("svc")
    with pytest.raises(TypeError, match="callable 'handle' method"):
        log.add_handler(object())
    with pytest.raises(TypeError, match="not callable"):
        log.add_handler(type("Odd", (), {"handle": "oops"})())
    assert log.logger.handlers == []


def test_exception_of_a_sink_is_printed_and_counted(capsys):
    class Broken(Collector):
        def handle(self, *args):
            raise RuntimeError("no")

    log = femtolog.get_logger("svc")
    log.add_handler(Broken())
    assert log.info("m") == "svc [INFO] m"
    assert not log.flush_handlers()
    assert log.handler_errors == 1
    assert "RuntimeError: no" in capsys.readouterr().err
    assert log.get_dropped() == 0


def test_what_is_dropped_is_counted():
    entered, opened = threading.Event(), threading.Event()

    class Slow(Collector):
        def handle(self, *args):
            entered.set()
            assert opened.wait(10)
            super().handle(*args)

    log = femtolog.get_logger("svc")
    slow = Slow()
    log.add_handler(slow)
    log.info("first")
    assert entered.wait(10)
    for _ in range(1023 + 5):  # the queue has room for 1024, the one being written included
        assert log.info("m") == "svc [INFO] m"
    assert log.get_dropped() == 5
    assert not log.flush_handlers(0.01)
    opened.set()
    assert log.flush_handlers(10)
    assert (len(slow.got), log.get_dropped()) == (1024, 5)


def test_what_removed_handlers_have_dropped_stays_counted(capsys):
    class Counted(logging.Handler):
        def __init__(self, dropped):
            super().__init__()
            self.dropped = dropped

        def stats(self):
            return {"dropped": self.dropped, "failed": 10 * self.dropped}

    class Odd(logging.Handler):
        def stats(self):
            raise RuntimeError("no stats")

    def counts():
        return log.get_dropped(), log.handler_errors

    log = femtolog.get_logger("svc")
    handlers = [Counted(1), Counted(20), Counted(300)]
    for handler in (*handlers, logging.NullHandler()):
        log.add_handler(handler)
    assert counts() == (321, 3210)
    log.remove_handler(handlers[0])
    assert counts() == (321, 3210)
    handlers[0].dropped += 1  # what was queued
    assert counts() == (322, 3220)
    log.add_handler(handlers[0])
    assert counts() == (322, 3220)
    log.remove_handler(handlers[0])
    log.clear_handlers()
    assert counts() == (322, 3220)
    del handler, handlers[0]
    gc.collect()
    assert counts() == (322, 3220)
    log.add_handler(Odd())
    log.clear_handlers()
    handlers.clear()
    gc.collect()
    assert counts() == (322, 3220)
    log.add_handler(last := Counted(4000))
    femto.ConfigBuilder().with_logger("svc", femto.LoggerConfigBuilder()).build_and_init()
    assert log.logger.handlers == []
    assert counts() == (4322, 43220)
    assert len(log._removed) == 2
    assert last.dropped == 4000


def test_removal_is_for_what_is_logged_later():
    entered, opened = threading.Event(), threading.Event()

    class Slow(Collector):
        def handle(self, *args):
            entered.set()
            assert opened.wait(10)
            super().handle(*args)

    log = femtolog.get_logger("svc")
    slow, kept = Slow(), Collector()
    log.add_handler(slow)
    log.add_handler(kept)
    log.info("one")
    log.info("two")
    assert entered.wait(10)
    [wrapper] = [handler for handler in log.logger.handlers if handler.sink is slow]
    log.remove_handler(slow)
    log.remove_handler(slow)
    log.info("three")
    opened.set()
    assert wrapper.flush(10)
    log.flush_handlers()
    assert [message for _, _, message in slow.got] == ["one", "two"]
    assert [message for _, _, message in kept.got] == ["one", "two", "three"]
    log.clear_handlers()
    assert log.logger.handlers == []
