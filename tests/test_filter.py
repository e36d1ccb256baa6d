"""Filter and Filterer."""

import copy
import functools
import io
import itertools
import logging
import sys
import threading
import traceback

import pytest
from oracle import same_as_stdlib


@same_as_stdlib
@pytest.mark.parametrize("name", ["", "a", "a.b", "a.", ".", "A", "\xe9", "a.b.c.d"])
def test_names_that_pass(w, name):
    one = logging.Filter(name)
    w.note("vars", vars(one))
    for logger in ("", "a", "a.b", "a.bc", "a.b.c", "ab", "a..b", "b.a", "root", "\xe9.x"):
        w.note(logger, one.filter(logging.makeLogRecord({"name": logger})))
    for wrong in (None, 5, b"a"):
        w.catch(one.filter, logging.makeLogRecord({"name": wrong}))
    w.catch(logging.Filter, None)
    w.catch(logging.Filter, 5)
    w.catch(logging.Filter, name="x")


RESULTS = [True, False, None, 0, 1, "", "text", [], [0], 0.0, object, float("nan")]


@same_as_stdlib
@pytest.mark.parametrize("result", RESULTS, ids=repr)
@pytest.mark.parametrize("place", ["logger", "handler"])
def test_any_result_has_a_truth(w, result, place):
    """Contract 5.5, item 31."""
    log, handler, _ = w.plain()
    (log if place == "logger" else handler).addFilter(lambda record: result)
    log.info("x")
    record = logging.makeLogRecord({"msg": "y", "levelno": 20})
    w.note("results", log.filter(record), handler.filter(record), handler.handle(record), log.handle(record))


CHANGES = {
    "level below": lambda record: setattr(record, "levelno", 5),
    "level no int": lambda record: setattr(record, "levelno", 25.5),
    "level no number": lambda record: setattr(record, "levelno", "INFO"),
    "no level": lambda record: delattr(record, "levelno"),
    "dict seen": vars,
    "dict replaced": lambda record: setattr(record, "__dict__", dict(reversed(vars(record).items()))),
    "another class": lambda record: setattr(record, "__class__", type("R", (logging.LogRecord,), {})),
    "false": lambda record: setattr(record, "__class__", type("R", (logging.LogRecord,), {"__len__": lambda self: 0})),
    "level computed": lambda record: setattr(
        record, "__class__", type("R", (logging.LogRecord,), {"levelno": property(lambda self: 15)})
    ),
    "no arguments": lambda record: setattr(record, "args", None),
    "one argument": lambda record: setattr(record, "args", "b"),
    "a mapping": lambda record: setattr(record, "args", {"a": 1}),
    "too many arguments": lambda record: setattr(record, "args", ("b", "c")),
    "no text": lambda record: setattr(record, "msg", 5),
    "wide": lambda record: vars(record).update(msg="\u20ac %s", levelname="\xe9"),
    "old texts": lambda record: vars(record).update(message="old", asctime="older"),
    "odd texts": lambda record: vars(record).update(message=[1], asctime=5),
}


@same_as_stdlib
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "form", ["%(levelname)s %(message)s", "%(message)-9s|%(message)s", "%(levelname)s", "%(asctime)s %(message)s"]
)
def test_a_filter_that_changes_the_record(w, change, form):
    """What comes after it sees the record as it left it."""
    log, handler, _ = w.plain()
    handler.setFormatter(logging.Formatter(form, datefmt="then"))
    handler.setLevel(10)
    second = w.handler("second %(message)s")
    second.setLevel(20)
    log.addHandler(second)
    seen = []
    log.addFilter(lambda record: seen.append(record) or CHANGES[change](record) is not seen)
    w.catch(log.info, "a %s", "x")
    w.catch(log.info, "b")
    w.note("left", [(vars(record).get("message"), vars(record).get("asctime")) for record in seen])


@same_as_stdlib
def test_a_class_of_records_that_true_is_an_instance_of(w):
    log, _, _ = w.plain()
    log.addFilter(lambda record: True)
    log.info("x")

    class Kind(type):
        def __instancecheck__(cls, instance):
            w.note("asked", type(instance).__name__)
            return type.__instancecheck__(cls, instance)

    original = logging.LogRecord
    logging.LogRecord = Kind("LogRecord", (original,), {})
    log.info("y")
    logging.LogRecord = object
    w.catch(log.info, "z")
    logging.LogRecord = original
    log.info("x")


@same_as_stdlib
def test_order_is_kept_and_the_first_false_stops(w):
    """Contract 5.5, item 31."""
    log, handler, _ = w.plain()
    for number in range(5):
        log.addFilter(lambda record, n=number: w.note("asked", n) or n != 3)
    log.info("x")
    for number in range(3):
        handler.addFilter(lambda record, n=number: w.note("handler asked", n) or n != 1)
    log.filters.clear()
    log.info("y")


@same_as_stdlib
def test_attribute_filter_if_present_else_the_object_is_called(w):
    """Contract 5.5, item 31."""

    class Both:
        def filter(self, record):
            w.note("filter")
            return True

        def __call__(self, record):
            w.note("call")
            return True

    class Unset:
        filter = None

        def __call__(self, record):
            return True

    class Raising:
        @property
        def filter(self):
            raise AttributeError("not there")

        def __call__(self, record):
            w.note("called")
            return True

    class Worse:
        @property
        def filter(self):
            raise LookupError("not to be hidden")

    log, _, _ = w.plain()
    for one in (Both(), Unset(), Raising(), Worse(), Both, len, "text", None, 5):
        log.filters[:] = [one]
        w.catch(log.info, "x")
    log.filters[:] = []
    on_instance = Both()
    on_instance.filter = lambda record: w.note("instance") or True
    log.addFilter(on_instance)
    log.info("y")


@same_as_stdlib
@pytest.mark.parametrize("place", ["logger", "handler"])
def test_a_function_is_called_unless_it_has_an_attribute_filter(w, place):
    log, handler, _ = w.plain()

    def called(record):
        w.note("called", record)
        return True

    @functools.wraps(called)
    def wrapped(record):
        return called(record)

    (log if place == "logger" else handler).addFilter(called)
    log.info("as it is")
    vars(called)
    log.info("with a dict")
    called.filter = lambda record: w.note("its filter") or False
    log.info("with a filter")
    called.filter = None
    w.catch(log.info, "with no filter")
    del called.filter
    log.info("without it")
    (log if place == "logger" else handler).addFilter(wrapped)
    log.info("wrapped")
    for wrong in (lambda: True, lambda record, more: True, lambda record: 1 / 0, lambda record, *, more: True):
        (log if place == "logger" else handler).filters[:] = [wrong]
        w.catch(log.info, "wrong")


# What a filter of a handler may do to the handler before it comes to write.
DONE_TO_A_HANDLER = {
    "stream": "handler.stream = other",
    "format string": "handler.setFormatter(logging.Formatter('%(levelno)d %(message)s'))",
    "no formatter": "handler.formatter = None",
    "formatter deleted": "del handler.formatter",
    "terminator": "handler.terminator = ';'",
    "own emit": "handler.emit = lambda record: other.write('emitted ' + record.getMessage())",
    "own format": "handler.format = lambda record: 'formatted'",
    "own acquire": "handler.acquire = lambda: other.write('acquired ')",
    "own release": "handler.release = lambda: other.write('released ')",
    "lock": "handler.lock = threading.RLock()",
    "held lock": "handler.acquire()",
    "no lock": "handler.lock = None",
    "class": "handler.__class__ = Own",
    "own handleError": "handler.handleError = lambda record: other.write('error ')\nrecord.args = 'too', 'many'",
    "message": "record.msg, record.args = 'other', ()",
    "closed": "handler.close()",
    "level": "handler.setLevel(50)",
    "filters": "handler.filters.clear()",
    "removed": "log.removeHandler(handler)",
    "logs": "handler.filters.clear(); log.info('inner')",
}


@same_as_stdlib
@pytest.mark.parametrize("done", DONE_TO_A_HANDLER)
def test_what_a_filter_does_to_its_handler_is_so_when_it_writes(w, done):
    log, handler, stream = w.plain()
    other = io.StringIO()

    class Own(logging.StreamHandler):
        def emit(self, record):
            other.write("own ")
            super().emit(record)

    given = {"logging": logging, "threading": threading, "handler": handler, "log": log, "other": other, "Own": Own}

    def change(record):
        if record.msg == "changed":
            exec(DONE_TO_A_HANDLER[done], {**given, "record": record})
        return True

    handler.addFilter(change)
    log.info("before %s", 1)
    w.catch(log.info, "changed")
    w.catch(log.info, "after %s", 2)
    w.note("written", stream.getvalue(), other.getvalue())
    while hasattr(handler.lock, "_is_owned") and handler.lock._is_owned():
        w.note("owned")
        handler.lock.release()


@same_as_stdlib
@pytest.mark.parametrize("place", ["logger", "handler"])
def test_replaced_records(w, place):
    """Contract 2.2: only from 3.12 on, only instances of LogRecord; the whole chain for a logger, itself for a handler."""
    top, top_handler, _ = w.plain("top %(message)s", name="top")
    log = logging.getLogger("top.below")
    handler = w.handler("below %(message)s")
    log.addHandler(handler)
    other = w.handler("other %(message)s")
    log.addHandler(other)

    def replace(record):
        twin = copy.copy(record)
        twin.msg, twin.args = f"replaced {record.getMessage()}", ()
        return twin

    class Duck:
        def __bool__(self):
            return True

    thing = log if place == "logger" else handler
    for one in (
        replace,
        lambda record: Duck(),
        lambda record: record,
        logging.Filter(),
        lambda record: logging.makeLogRecord({"levelno": 5}),
    ):
        thing.filters[:] = [one]
        w.catch(log.info, "x %s", 1)
    thing.filters[:] = [replace, replace, lambda record: w.note("seen", record.msg) or True]
    log.info("y")
    record = logging.makeLogRecord({"msg": "z", "levelno": 20})
    w.note("result", thing.filter(record), thing.filter(record) is record, thing.handle(record))


@same_as_stdlib
def test_replacement_by_an_instance_of_a_subclass(w):
    class Mine(logging.LogRecord):
        def getMessage(self):
            return "mine"

    log, handler, _ = w.plain("%(message)s")
    log.addFilter(lambda record: Mine("n", 50, "p", 1, "m", (), None))
    log.info("x")


@same_as_stdlib
def test_errors_of_filters_reach_the_caller(w):
    """Design 6: filter errors propagate, and the lock is free afterwards."""
    log, handler, _ = w.plain()
    second = w.handler()
    log.addHandler(second)
    for error in (ValueError, KeyboardInterrupt, RecursionError, SystemExit, GeneratorExit):

        def failing(record, error=error):
            raise error("from a filter")

        for thing in (log, handler):
            thing.filters[:] = [failing]
            w.catch(log.info, "x")
            thing.filters[:] = []
            w.note("free", handler.lock.acquire(blocking=False))
            handler.lock.release()


@same_as_stdlib
def test_added_once_and_removed_tolerantly(w):
    class Equal:
        def __eq__(self, other):
            return True

        __hash__ = None

        def __call__(self, record):
            return True

    log = w.logger()
    first = logging.Filter("a")
    for one in (first, first, logging.Filter("a"), Equal(), 5, None):
        log.addFilter(one)
        w.note("filters", len(log.filters))
    for one in (first, first, "never added", Equal()):
        log.removeFilter(one)
        w.note("filters", len(log.filters))


@same_as_stdlib
def test_filter_is_called_without_the_lock_of_the_handler(w):
    log, handler, _ = w.plain()
    if hasattr(handler.lock, "_is_owned"):
        handler.addFilter(lambda record: w.note("owned", handler.lock._is_owned()) or True)
        handler.format = lambda record: w.note("owned", handler.lock._is_owned()) or "text"
    log.info("x")


@same_as_stdlib
def test_filterer_by_itself(w):
    one = logging.Filterer()
    w.note("vars", vars(one))
    record = logging.makeLogRecord({"name": "a"})
    w.note("result", one.filter(record) is (record if sys.version_info >= (3, 12) else True))
    one.addFilter(logging.Filter("b"))
    w.note("result", one.filter(record))
    w.catch(one.filter, None)
    one.filters.clear()
    w.catch(one.filter, None)
    w.catch(one.filter, record=record)


@same_as_stdlib
def test_enriching_filter_reaches_every_handler(w):
    log, _, _ = w.plain("%(who)s %(message)s")
    log.addHandler(w.handler("{who} {message}", style="{"))

    def enrich(record):
        record.who = "me"
        return True

    log.addFilter(enrich)
    log.info("x")
    log.removeFilter(enrich)
    log.info("the field is missing")


@same_as_stdlib
def test_answer_is_asked_in_turn_whether_it_is_true_and_a_record(w):
    class Meta(type):
        def __instancecheck__(cls, instance):
            w.note("class of", type(instance).__name__)
            return super().__instancecheck__(instance)

    Record = logging.LogRecord

    class Asked(Record, metaclass=Meta):
        pass

    class Truth(Record):
        true = False

        def __bool__(self):
            w.note("truth")
            return self.true

    class Filtered(logging.Handler):
        def emit(self, record):
            w.note("emitted", type(record).__name__)

    class Own(Filtered):
        def filter(self, record):
            return super().filter(record)

    log = logging.Logger("own", 10)
    logging.setLogRecordFactory(Truth)
    for logging.LogRecord in (Record, Asked):
        for Truth.true in (False, True):
            for handler in (Filtered(), Own()):
                log.handlers[:] = [handler]
                for of_logger, of_handler in itertools.product(
                    [[], [lambda r: True], [lambda r: False], [lambda r: r]], repeat=2
                ):
                    log.filters[:], handler.filters[:] = of_logger, of_handler
                    log.info("x")
                    w.note("handled", bool(handler.handle(Record("n", 20, "p", 1, "m", (), None))))


@same_as_stdlib
def test_traceback_where_nothing_is_a_class_of_records(w):
    def show(function, *args):
        try:
            function(*args)
        except TypeError as error:
            w.note([entry.name for entry in traceback.extract_tb(error.__traceback__)][1:])
        else:
            w.note("no error")  # 3.11 does not ask

    log = logging.Logger("own", 10)
    handler = logging.Handler()
    handler.emit = lambda record: None
    log.addHandler(handler)
    logging.LogRecord = 5
    for of_logger in ([], [lambda r: True], [lambda r: False]):
        for of_handler in ([], [lambda r: True], [lambda r: False]):
            log.filters[:], handler.filters[:] = of_logger, of_handler
            show(log.info, "x")


@same_as_stdlib
@pytest.mark.parametrize("place", ["logger", "handler"])
def test_a_filter_that_replaces_the_class_its_own_answer_is_compared_with(w, place):
    class Meta(type):
        def __instancecheck__(cls, instance):
            w.note("asked", type(instance).__name__)
            return False

    class Other(metaclass=Meta):
        pass

    log, handler, _ = w.plain()

    def replace(record):
        logging.LogRecord = Other
        return record

    (log if place == "logger" else handler).addFilter(replace)
    log.info("a")
    log.info("b")
