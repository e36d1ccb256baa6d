"""Every method of every logging class, overridden from Python between two uses and restored again: each use is the stdlib's.

What the override is called with, what it is given back, and everything written is compared.
"""

import functools
import logging
import sys
import types

import pytest
from oracle import World, same_as_stdlib
from oracle.uses import KINDS, methods


def class_named(name: str) -> type:
    """A class of logging or logging.handlers."""
    return getattr(logging, name, None) or getattr(logging.handlers, name)


def target(kind: str, thing: object) -> object:
    """The object whose class is named: a formatter's style, else the thing itself."""
    return thing._style if kind.endswith("Style") else thing


METHODS = [(kind, name) for kind in KINDS for name in methods(class_named(kind))]
EVERY_METHOD = pytest.mark.parametrize(("kind", "name"), METHODS, ids=[f"{k}.{n}" for k, n in METHODS])


def spy(w: World, name: str, original):
    """Calls what it stands for, and writes down arguments and result."""

    def override(*args, **kwargs):
        w.note(f"{name} called with", args, kwargs)
        result = original(*args, **kwargs)
        w.note(f"{name} gave", result)
        return result

    return override


def defining(cls: type, name: str) -> type:
    """The class in whose `__dict__` a method stands."""
    return next(c for c in cls.__mro__ if name in vars(c))


def uses(w: World, kind: str):
    """Make an object of that kind and return it with a function that uses it."""
    make, use = KINDS[kind]
    thing = make(w)
    return thing, lambda: use(w, thing)


@same_as_stdlib(live=False)
@EVERY_METHOD
def test_method_replaced_on_the_class_and_put_back(w, kind, name):
    _, use = uses(w, kind)
    use()
    cls = defining(class_named(kind), name)
    original = vars(cls)[name]
    setattr(cls, name, spy(w, name, original))
    use()
    setattr(cls, name, original)
    use()


@same_as_stdlib(live=False)
@EVERY_METHOD
def test_method_added_to_the_class_below_and_deleted(w, kind, name):
    cls = class_named(kind)
    below = type("Below", (cls,), {})
    thing, use = uses(w, kind)
    target(kind, thing).__class__ = below
    use()
    setattr(below, name, spy(w, name, getattr(cls, name)))
    use()
    delattr(below, name)
    use()


@same_as_stdlib(live=False)
@EVERY_METHOD
def test_method_set_on_the_instance_and_deleted(w, kind, name):
    thing, use = uses(w, kind)
    use()
    holder = target(kind, thing)
    setattr(holder, name, spy(w, name, getattr(holder, name)))
    use()
    delattr(holder, name)
    use()


@same_as_stdlib(live=False)
@EVERY_METHOD
def test_class_of_a_used_object_replaced_by_one_that_overrides(w, kind, name):
    cls = class_named(kind)
    thing, use = uses(w, kind)
    use()
    holder = target(kind, thing)
    holder.__class__ = type("Sub", (cls,), {name: spy(w, name, getattr(cls, name))})
    use()
    holder.__class__ = cls
    use()


class Callable:
    """Not a descriptor: is called without the instance."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)


FORMS = {
    "static method": staticmethod,
    "class method": lambda f: classmethod(lambda cls, *a, **k: f(*a, **k)),
    "property": lambda f: property(lambda self: f),
    "callable object": Callable,
    "partial": functools.partial,
    "built-in bound method": lambda f: [].append,
    "bound to another object": lambda f: types.MethodType(lambda other, *a, **k: f(*a, **k), 5),
}
HOT = [
    ("Logger", "isEnabledFor"),
    ("Logger", "_log"),
    ("Logger", "findCaller"),
    ("Logger", "makeRecord"),
    ("Logger", "handle"),
    ("Logger", "filter"),
    ("Logger", "callHandlers"),
    ("StreamHandler", "handle"),
    ("StreamHandler", "filter"),
    ("StreamHandler", "emit"),
    ("StreamHandler", "format"),
    ("StreamHandler", "flush"),
    ("StreamHandler", "handleError"),
    ("Formatter", "format"),
    ("Formatter", "formatTime"),
    ("Formatter", "formatMessage"),
    ("Formatter", "usesTime"),
    ("Filter", "filter"),
    ("LoggerAdapter", "process"),
    ("LoggerAdapter", "isEnabledFor"),
]
FIXED = {
    "isEnabledFor": True,
    "findCaller": ("there.py", 5, "they", None),
    "makeRecord": logging.makeLogRecord({"msg": "fixed", "levelno": 20}),
    "filter": True,
    "format": "fixed text",
    "formatTime": "fixed time",
    "formatMessage": "fixed message",
    "usesTime": False,
    "process": ("fixed", {}),
}


@same_as_stdlib
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "name"), HOT, ids=[f"{k}.{n}" for k, n in HOT])
def test_replacement_of_any_form_is_called_as_python_calls_it(w, kind, name, form):
    thing, _ = uses(w, kind)
    cls = defining(class_named(kind), name)

    def fixed(*args, **kwargs):
        w.note(f"{name} called with", len(args), args[-1:] if name == "_log" else (), sorted(kwargs))
        return FIXED.get(name)

    log = w.logger("short")
    handler = thing if kind == "StreamHandler" else w.handler()
    log.addHandler(handler)
    if kind == "Formatter":
        handler.setFormatter(thing)
    if kind == "Filter":
        log.addFilter(thing)
    adapter = logging.LoggerAdapter(log, None)
    setattr(cls, name, FORMS[form](fixed))
    w.catch(log.info, "now %s", 1)
    w.catch(log.error, "now %d", "x")
    w.catch(adapter.info, "adapted")


@same_as_stdlib
@pytest.mark.parametrize(("kind", "name"), HOT, ids=[f"{k}.{n}" for k, n in HOT])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, RecursionError, AttributeError])
def test_error_of_an_override_takes_the_stdlibs_way(w, kind, name, error):
    thing, _ = uses(w, kind)

    def raising(*args, **kwargs):
        raise error("mine")

    log = w.logger("short")
    first, second = w.handler(), w.handler()
    log.handlers[:] = [thing if kind == "StreamHandler" else first, second]
    if kind == "Formatter":
        first.setFormatter(thing)
    if kind == "Filter":
        log.addFilter(thing)
    adapter = logging.LoggerAdapter(log, None)
    w.catch(log.info, "before")
    setattr(defining(class_named(kind), name), name, raising)
    w.catch(log.info, "now %s", 1)
    w.catch(log.error, "now %d", "x")
    w.catch(adapter.info, "adapted")
    if kind == "StreamHandler" and name != "handleError":
        w.note("lock is free", first.lock.acquire(blocking=False), second.lock.acquire(blocking=False))


@same_as_stdlib
@pytest.mark.parametrize(
    "name", ["emit", "handle", "format", "filter", "acquire", "release", "flush", "close", "handleError", "createLock"]
)
def test_method_put_into_the_base_class_only_counts_where_it_is_inherited(w, name):
    log, handler, _ = w.plain()
    keeper = logging.NullHandler()
    log.addHandler(keeper)
    log.info("warm")
    original = getattr(logging.Handler, name)
    setattr(logging.Handler, name, spy(w, name, original))
    log.info("%d", "x")
    logging.StreamHandler(w.stream()).close()
    setattr(logging.Handler, name, original)
    log.info("done")


@same_as_stdlib
def test_override_calls_super_and_the_rest_stays_as_it_was(w):
    class Loud(logging.Logger):
        def info(self, msg, *args, **kwargs):
            super().info(f"loud {msg}", *args, **kwargs)

        def makeRecord(self, *args, **kwargs):
            record = super().makeRecord(*args, **kwargs)
            record.loud = True
            return record

        def callHandlers(self, record):
            w.note("loud", record.loud)
            super().callHandlers(record)

    log, _, stream = w.plain("%(funcName)s %(loud)s %(message)s")
    log.__class__ = Loud

    def here():
        log.info("x %s", 1, stacklevel=2)
        log.warning("y")

    here()
    assert w.take(stream) == "here True loud x 1\nhere True y\n"


@same_as_stdlib
def test_bases_of_a_subclass_replaced(w):
    class First(logging.StreamHandler):
        def format(self, record):
            return "first " + super().format(record)

    class Second(logging.StreamHandler):
        terminator = "|\n"

    class Mine(First):
        pass

    log, handler, stream = w.plain(cls=Mine)
    log.info("x")
    assert w.take(stream) == "first INFO app x\n"
    Mine.__bases__ = (Second,)
    log.info("x")
    assert w.take(stream) == "INFO app x|\n"


@same_as_stdlib
def test_code_of_the_stdlibs_function_exchanged(w):
    """A tool may exchange the `__code__` of the very function logging uses; not on 3.11, where a descriptor stands in its place."""
    if sys.version_info < (3, 12):
        pytest.skip("a method descriptor has no __code__: ends with 3.11")

    def emit(self, record):
        self.stream.write("other code\n")

    log, _, stream = w.plain()
    log.info("x")
    original = logging.StreamHandler.emit.__code__
    logging.StreamHandler.emit.__code__ = emit.__code__
    log.info("x")
    logging.StreamHandler.emit.__code__ = original
    log.info("y")
    assert w.take(stream) == "INFO app x\nother code\nINFO app y\n"


@same_as_stdlib
def test_more_than_a_thousand_changes_of_one_class(w):
    """Design 6: then the class gets no version tag any more; 0 means "look again", never "unchanged"."""
    log, handler, stream = w.plain()
    for count in range(1500):
        logging.StreamHandler.terminator = f" {count}\n"
        log.info("x")
    assert w.take(stream).endswith("x 1499\n")
    logging.StreamHandler.format = lambda self, record: "patched"
    log.info("x")
    assert w.take(stream) == "patched 1499\n"
    del logging.StreamHandler.format
    for count in range(1500):
        logging.Logger.extra_name = count
        log.info("y")
    logging.Logger.isEnabledFor = lambda self, level: False
    w.take(stream)
    log.info("z")
    assert w.take(stream) == ""


@same_as_stdlib
def test_many_classes_each_with_an_own_override(w):
    log, _, _ = w.plain()
    for count in range(300):
        sub = type(f"L{count}", (logging.Logger,), {"isEnabledFor": lambda self, level, n=count: n % 3 == 0})
        log.__class__ = sub
        log.info("from %d", count)


@same_as_stdlib
def test_more_classes_in_turn_than_can_be_known_at_once(w):
    """Each with what an older one, that was known in the same place, has not."""
    log = logging.Logger("turns")
    handler, stream = logging.StreamHandler(), w.stream()
    handler.setStream(stream)
    log.addHandler(handler)
    kinds = []
    for count in range(2500):
        members = {"terminator": f" {count % 7}\n"}
        if count % 3 == 0:
            members["format"] = lambda self, record, count=count: f"format {count}"
        if count % 5 == 0:
            members["handle"] = lambda self, record: True
        kinds.append(type(f"H{count}", (logging.StreamHandler,), members))
    for turn in range(3):
        for kind in kinds[turn::3] if turn else kinds:
            handler.__class__ = kind
            log.info("a line")
            if turn == 1:
                handler.terminator = " own\n"
                log.info("a line")
                del handler.terminator
    w.note(w.take(stream))


@same_as_stdlib
@pytest.mark.parametrize("name", ["message", "asctime", "getMessage", "__setattr__", "msg", "exc_info", "levelname"])
def test_record_class_changed_while_a_seen_record_is_formatted_again(w, name):
    class Record(logging.LogRecord):
        pass

    changes = {
        "getMessage": lambda self: "made here",
        "__setattr__": lambda self, name, value: object.__setattr__(self, name, f"set {value}"),
        "levelname": "of the class",
    }
    change = changes.get(name, property(lambda self: f"computed {name}", lambda self, value: w.note("set", name)))
    record = Record("n", logging.INFO, "p", 1, "hello %s", ("world",), None)
    formatter = logging.Formatter("%(levelname)s %(message)s")
    w.note("before", formatter.format(record), formatter.format(record))
    setattr(Record, name, change)
    w.catch(formatter.format, record)
    delattr(Record, name)
    w.note("after", formatter.format(record))
    del record.levelname
    Record.levelname = "of the class"
    w.catch(formatter.format, record)
