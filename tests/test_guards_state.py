"""Attributes and lists of loggers, handlers and formatters, changed from Python between two calls in every way Python allows."""

import copy
import functools
import gc
import io
import logging
import sys
import sysconfig
import threading
import time
import traceback
import types
import weakref

import pytest
from oracle import same_as_stdlib
from oracle.uses import RICH

NEWER = sys.version_info >= (3, 13)


# -- levels and switches of a logger -------------------------------------------------------------------------------------------------
@same_as_stdlib
def test_level_assigned_keeps_the_cache_and_set_level_empties_it(w):
    log, _, stream = w.plain()
    log.info("fills the cache")
    log.level = 50
    log.info("still")
    w.note("cache", log._cache)
    log.setLevel(50)
    log.info("no more")
    assert w.take(stream) == "INFO app fills the cache\nINFO app still\n"
    w.note("cache", log._cache)


@same_as_stdlib
def test_cache_replaced_written_and_cleared_by_hand(w):
    log, _, stream = w.plain()
    log._cache = {20: False}
    log.info("no")
    log._cache[20] = 1
    log.info("yes")
    log._cache.clear()
    log.debug("yes")
    log._cache = {}
    log.isEnabledFor(7)
    w.note("cache", log._cache)
    assert w.take(stream) == "INFO app yes\nDEBUG app yes\n"


@same_as_stdlib
@pytest.mark.parametrize("cache", [None, [], 5, types.MappingProxyType({}), {20: "truthy"}, {20: []}], ids=repr)
def test_cache_of_any_kind(w, cache):
    log, _, _ = w.plain()
    log._cache = copy.copy(cache) if not isinstance(cache, types.MappingProxyType) else cache
    w.catch(log.info, "x")
    w.catch(log.isEnabledFor, 20)
    w.catch(log.isEnabledFor, 30)
    log._cache = {}


@same_as_stdlib
def test_cache_as_a_subclass_of_dict(w):
    class Seen(dict):
        def __getitem__(self, key):
            w.note("asked", key)
            return super().__getitem__(key)

        def __setitem__(self, key, value):
            w.note("set", key, value)
            super().__setitem__(key, value)

    log, _, _ = w.plain()
    log._cache = Seen()
    log.info("x")
    log.info("x")
    log.setLevel(30)
    log.info("x")


@same_as_stdlib
@pytest.mark.parametrize("value", [True, False, 0, 1, "", "yes", None, [], [0]], ids=repr)
def test_disabled_may_be_anything_with_a_truth(w, value):
    log, _, _ = w.plain()
    log.info("a")
    log.disabled = value
    log.info("b")
    log.error("c")
    w.note("asked", log.isEnabledFor(20))
    log.disabled = False
    log.info("d")


@same_as_stdlib
def test_disabled_set_by_a_filter_is_seen_by_handle(w):
    log, _, _ = w.plain()

    def switch(record):
        log.disabled = True
        return True

    log.addFilter(switch)
    log.info("this one still")
    log.info("not this one")
    log.disabled = False
    log.handle(logging.makeLogRecord({"msg": "handled", "levelno": 20}))
    log.handle(logging.makeLogRecord({"msg": "not handled", "levelno": 20}))


@same_as_stdlib
def test_propagate_and_parent_changed_between_calls(w):
    top, _, _ = w.plain(name="top")
    below = logging.getLogger("top.below")
    other, _, _ = w.plain("other %(message)s", name="other")
    below.info("to top")
    below.propagate = False
    below.info("last resort says nothing at info")
    below.propagate = 1
    below.parent = other
    below.info("to other")
    below.parent = None
    below.error("to the last resort")
    below.parent = top
    below.propagate = []
    below.error("empty list is false")
    below.propagate = "yes"
    top.disabled = True
    below.info("a disabled parent still hands on")
    top.disabled = False
    top.setLevel(50)
    below.info("level from the parent")
    below.setLevel(10)
    below.info("own level; the parent's is not asked again")


@same_as_stdlib
def test_loops_of_parents_are_followed_for_each_handler_once_per_turn(w):
    log, _, _ = w.plain(name="a")

    class Ends(logging.Logger):
        count = 0

        @property
        def propagate(self):
            self.count += 1
            return self.count < 3

        @propagate.setter
        def propagate(self, value):
            pass

    log.__class__ = Ends
    log.parent = log
    log.info("three times")


# -- lists of handlers and filters ---------------------------------------------------------------------------------------------------
@same_as_stdlib
def test_handler_lists_mutated_in_place_and_replaced(w):
    log, first, _ = w.plain("first %(message)s")
    second = w.handler("second %(message)s")
    log.handlers.append(second)
    log.info("both")
    log.handlers[:] = [second]
    log.info("second")
    log.handlers.clear()
    log.error("none: last resort")
    log.handlers = [first, first]
    log.info("first twice")
    log.handlers = (second, first)
    log.info("from a tuple")
    log.handlers = {first: 1}
    log.info("from a mapping")
    log.handlers = iter([first])
    log.info("from an iterator, once")
    log.error("and no more")
    log.handlers = []
    w.note("has", log.hasHandlers())


@same_as_stdlib
@pytest.mark.parametrize("handlers", [None, 5, [None], [5], ["text"], "text", [...]], ids=repr)
def test_handlers_that_are_none_fail_as_in_the_stdlib(w, handlers):
    log, _, _ = w.plain()
    log.handlers = handlers
    w.catch(log.info, "x")
    w.catch(log.hasHandlers)
    log.handlers = []


@same_as_stdlib
def test_handler_list_changed_while_it_is_walked(w):
    """Contract 5.2, item 12: iteration over `handlers` is live."""
    log, _, _ = w.plain()

    class Leaves(logging.Handler):
        def emit(self, record):
            w.note("emit", self.name, record.getMessage())
            log.removeHandler(self)

    class Brings(logging.Handler):
        def emit(self, record):
            w.note("emit", self.name)
            log.handlers.append(w.handler("brought %(message)s"))
            log.handlers.remove(self)

    handlers = []
    for index, cls in enumerate((Leaves, Leaves, Brings, Leaves)):
        handler = cls()
        handler.name = f"h{index}"
        handlers.append(handler)
        log.addHandler(handler)
    for _ in range(4):
        log.info("x")
    w.note("left", log.handlers)


@same_as_stdlib
@pytest.mark.filterwarnings("ignore:non-string key in the __dict__:RuntimeWarning")
@pytest.mark.parametrize("where", ["level", "handle", "handle, as a bound method", "key of the class", "key of the base"])
def test_handler_that_leaves_while_it_is_looked_at(w, where):
    """The list had the only reference to it; the loop of `callHandlers` has one of its own."""
    log, _, _ = w.plain()
    armed = []

    def leave(*_):
        if armed:
            log.handlers.clear()

    class Key:
        def __hash__(self):
            return hash("handle")

        def __eq__(self, other):
            leave()
            return False

    def handle(self, record):
        w.note("handled", record.getMessage(), self.name)

    body = {
        "level": {"level": property(lambda self: leave() or 0, lambda self, level: None), "handle": handle},
        "handle": {"handle": property(lambda self: leave() or functools.partial(handle, self))},
        "handle, as a bound method": {"handle": property(lambda self: leave() or types.MethodType(handle, self))},
        "key of the class": {Key(): 1, "emit": handle},
        "key of the base": {"emit": handle},
    }
    bases = (type("Base", (logging.Handler,), {Key(): 1}) if where == "key of the base" else logging.Handler,)
    for cls in (type("Leaving", bases, body[where]), logging.NullHandler):
        log.handlers.clear()
        log.addHandler(cls())
        log.handlers[0].name = "leaving"
        armed.append(1)
        for _ in range(2):
            log.info("x")
        armed.clear()
        w.note("left", len(log.handlers))
    log.handlers.clear()


@same_as_stdlib
def test_filter_list_changed_while_it_is_walked(w):
    log, _, _ = w.plain()
    seen = []

    def once(record):
        seen.append("once")
        log.filters.remove(once)
        return True

    def grows(record):
        seen.append("grows")
        if len(log.filters) < 5:
            log.filters.append(lambda r: seen.append("grown") or True)
        return True

    log.filters[:] = [once, grows, once]
    log.info("a")
    w.catch(log.info, "b")
    log.info("c")
    w.note("seen", seen)


@same_as_stdlib
@pytest.mark.parametrize("place", ["logger", "handler"])
def test_filters_mutated_replaced_and_of_other_types(w, place):
    log, handler, stream = w.plain()
    thing = log if place == "logger" else handler
    log.info("a")
    thing.filters.append(lambda record: False)
    log.info("b")
    thing.filters[:] = [logging.Filter("app")]
    log.info("c")
    thing.filters = (logging.Filter("nobody"),)
    log.info("d")
    thing.filters = []
    log.info("e")
    thing.filters = [type("Duck", (), {"filter": lambda self, record: record.msg != "f"})()]
    log.info("f")
    log.info("g")
    thing.filters = ()
    log.info("h")
    thing.filters = [type("Odd", (logging.Filter,), {"__call__": lambda self, record: False})()]
    log.info("i")
    for wrong in (None, [None], [5], 7):
        thing.filters = wrong
        w.catch(log.info, "wrong %s", wrong)
    thing.filters = []
    assert w.take(stream)[:16] == "INFO app a\nINFO "


@same_as_stdlib
def test_name_of_a_filter_changed(w):
    log, handler, _ = w.plain(name="app.sub")
    passing = logging.Filter("app")
    handler.addFilter(passing)
    log.info("a")
    passing.name = "other"
    log.info("b")
    passing.nlen = 0
    log.info("c")
    passing.nlen, passing.name = 3, "ap"
    log.info("d")
    passing.name, passing.nlen = "ap", 2
    log.info("e")
    del passing.nlen
    w.catch(log.info, "f")


@same_as_stdlib
def test_logger_name_changed(w):
    log, handler, _ = w.plain()
    log.info("a")
    log.name = "renamed"
    log.info("b")
    log.name = 5
    log.info("c")
    handler.addFilter(logging.Filter("ren"))
    w.catch(log.info, "d")
    log.name = "app"


# -- a handler's attributes ------------------------------------------------------------------------------------------------------------
@same_as_stdlib
def test_level_of_a_handler_written_in_every_way(w):
    log, handler, stream = w.plain()
    log.info("a")
    handler.level = 30
    log.info("b")
    handler.__dict__["level"] = 10
    log.info("c")
    vars(handler).update(level=30)
    log.info("d")
    handler.__dict__ = dict(handler.__dict__, level=0)
    log.info("e")
    handler.__dict__["level"] = 40
    log.info("f")
    object.__setattr__(handler, "level", 20.0)
    log.info("g")
    del handler.level
    w.catch(log.info, "h")
    handler.level = "x"
    w.catch(log.info, "i")
    handler.level = 0
    assert w.take(stream) == "INFO app a\nINFO app c\nINFO app e\nINFO app g\n"


@same_as_stdlib
def test_dict_of_a_logger_replaced_and_written(w):
    log, _, stream = w.plain()
    log.info("a")
    log.__dict__["disabled"] = True
    log.info("b")
    log.__dict__ = dict(log.__dict__, disabled=False, name="copied")
    log.info("c")
    vars(log)["propagate"] = False
    vars(log)["handlers"] = []
    log.error("to the last resort")
    vars(log).pop("handlers")
    w.catch(log.info, "d")
    log.handlers = []
    assert w.take(stream) == "INFO app a\nINFO copied c\n"


@same_as_stdlib
def test_dict_of_a_formatter_and_its_style_replaced(w):
    log, handler, stream = w.plain()
    log.info("a")
    handler.formatter.__dict__ = {**vars(handler.formatter), "_style": logging.PercentStyle("other %(message)s")}
    log.info("b")
    handler.formatter._style.__dict__ = {"_fmt": "third %(message)s", "_defaults": None}
    log.info("c")
    assert w.take(stream) == "INFO app a\nother b\nthird c\n"


@same_as_stdlib
def test_terminator_on_instance_and_class(w):
    log, handler, stream = w.plain("%(message)s")
    log.info("a")
    handler.terminator = "#"
    log.info("b")
    handler.terminator = ""
    log.info("c")
    del handler.terminator
    logging.StreamHandler.terminator = "!\n"
    log.info("d")
    logging.StreamHandler.terminator = "\n"
    log.info("e")
    for wrong in (None, 5, b"\n"):
        handler.terminator = wrong
        log.info("f")
    assert w.take(stream) == "a\nb#cd!\ne\n"


@same_as_stdlib
def test_formatter_of_a_handler_replaced_by_anything(w):
    log, handler, stream = w.plain()
    log.info("a")
    handler.formatter = None
    log.info("b")
    handler.setFormatter(type("Duck", (), {"format": lambda self, record: f"duck {record.msg}"})())
    log.info("c")
    handler.formatter = type("Sub", (logging.Formatter,), {"format": lambda self, record: 5})()
    log.info("d")
    handler.formatter = object()
    log.info("e")
    handler.formatter = ""
    log.info("an empty formatter is none")
    del handler.formatter
    w.catch(log.info, "f")
    handler.formatter = None
    w.take(stream)


@same_as_stdlib
def test_stream_swapped_closed_wrapped_and_removed(w):
    log, handler, first = w.plain()
    log.info("a")
    handler.stream = second = w.stream()
    log.info("b")
    handler.setStream(first)
    log.info("c")
    second.close()
    handler.stream = second
    log.info("closed")
    handler.stream = None
    log.info("none")
    handler.stream = io.TextIOWrapper(raw := io.BytesIO(), encoding="ascii", errors="backslashreplace", newline="\r\n")
    log.info("wrapped \xe9")
    w.note("bytes", raw.getvalue())
    handler.stream.reconfigure(encoding="utf-8")
    log.info("reconfigured \xe9")
    w.note("bytes", raw.getvalue())
    handler.stream.detach()
    log.info("detached")
    handler.stream = object()
    log.info("no stream at all")
    del handler.stream
    w.catch(log.info, "deleted")
    handler.stream = first


@same_as_stdlib
def test_user_writes_in_between_keep_their_order(w):
    log, _, stream = w.plain()
    log.info("a")
    stream.write("mine\n")
    log.info("b")
    stream.seek(0)
    log.info("over")
    stream.seek(0, 2)
    log.info("c")
    w.take(stream)


@same_as_stdlib
def test_write_and_flush_of_a_stream_replaced(w):
    class Stream(io.StringIO):
        pass

    log, handler, _ = w.plain()
    handler.stream = stream = Stream()
    log.info("a")
    stream.write = lambda text: w.note("write", text)
    log.info("b")
    stream.flush = lambda: w.note("flush")
    log.info("c")
    del stream.write
    Stream.write = lambda self, text: w.note("class write", text)
    log.info("d")
    stream.flush = None
    log.info("flush is no function")
    handler.stream = type("NoFlush", (), {"write": lambda self, text: w.note("no flush", text)})()
    log.info("e")
    handler.stream = type("Falsy", (Stream,), {"__bool__": lambda self: False})()
    log.info("f")


@same_as_stdlib
@pytest.mark.parametrize("lock", ["RLock", "own", "none", "held", "not a lock", "deleted"])
def test_lock_of_a_handler_replaced(w, lock):
    log, handler, _ = w.plain()
    log.info("before")

    class Own:
        def acquire(self, *args):
            w.note("acquire", args)

        def release(self):
            w.note("release")

        def __enter__(self):
            w.note("enter")

        def __exit__(self, *args):
            w.note("exit", args)

    if lock == "deleted":
        del handler.lock
    else:
        held = threading.RLock()
        held.acquire()
        choices = {"RLock": threading.RLock(), "own": Own(), "none": None, "held": held, "not a lock": 5}
        handler.lock = choices[lock]
    w.catch(log.info, "with it")
    w.catch(log.info, "%d", "wrong")
    w.catch(handler.flush)
    handler.lock = threading.RLock()
    log.info("after")


@same_as_stdlib
@pytest.mark.parametrize("fails", ["enter", "exit", "both", "exit and swallow", "exit after another one"])
def test_where_an_error_of_a_lock_has_been(w, fails):
    """Its traceback has the methods that hold the lock, and what was raised before is its context."""
    log, handler, _ = w.plain()

    class Own:
        def acquire(self):
            if fails in ("enter", "both"):
                raise OSError("enter")

        def release(self):
            w.note("being handled", sys.exc_info()[0])
            if fails == "exit after another one":
                try:
                    raise KeyError("first")
                except KeyError:
                    int("exit")
            if fails != "enter":
                raise ValueError("exit")

        def __enter__(self):
            self.acquire()

        def __exit__(self, kind, *args):
            if fails == "exit and swallow" and kind:
                return True
            return self.release()

    class Wrong:
        def __str__(self):
            raise KeyboardInterrupt

    def names(call, *args):
        try:
            call(*args)
        except BaseException as error:
            while error:
                w.note(type(error).__name__, [entry.name for entry in traceback.extract_tb(error.__traceback__)][1:])
                error = error.__context__

    class Releasing(logging.StreamHandler):
        def release(self):
            Own().release()

    handler.lock = Own()
    names(log.info, "a line")
    names(log.info, Wrong())
    names(handler.flush)
    names(handler.handle, logging.makeLogRecord({"msg": "by hand"}))
    handler.lock = threading.RLock()
    log.info("after")
    handler.__class__ = Releasing
    names(log.info, "a line")
    names(log.info, Wrong())
    handler.lock = threading.RLock()


@same_as_stdlib
def test_a_lock_that_is_computed_and_gives_the_handler_another_dict(w):
    """What was read of the handler before is not to be read any more."""
    armed = []

    class Named:
        def __init__(self, name):
            self.name = name

        def write(self, text):
            w.note(self.name, text)

        def flush(self):
            w.note("flush", self.name)

    class Own(logging.StreamHandler):
        @property
        def lock(self):
            if armed:
                self.__dict__ = {**vars(self), "stream": Named("another")}
                self.others = [Named(str(number)) for number in range(50)]
            return held

        @lock.setter
        def lock(self, value):
            pass

    held = threading.RLock()
    handler = Own(Named("one"))
    log = logging.Logger("computed")
    log.addHandler(handler)
    for _ in range(2):
        handler.flush()
        log.info("a line")
        armed.append(True)


@same_as_stdlib
def test_lock_is_free_after_every_way_out(w):
    log, handler, _ = w.plain()

    class Bad:
        def __str__(self):
            raise KeyboardInterrupt

    for argument in (1, "x", Bad()):
        w.catch(log.info, "%d", argument)
        w.catch(log.info, argument)
        w.note("free", handler.lock.acquire(blocking=False))
        handler.lock.release()
        assert not getattr(handler.lock, "_is_owned", lambda: False)()


# -- a formatter's attributes --------------------------------------------------------------------------------------------------------
@same_as_stdlib(live=False)
def test_attributes_of_a_formatter_changed_one_by_one(w):
    log, handler, _ = w.plain("%(asctime)s|%(message)s")
    formatter = handler.formatter
    log.info("start")
    formatter.default_msec_format = "%s.%03d"
    log.info("ms format on the instance")
    formatter.default_msec_format = None
    log.info("no ms")
    formatter.default_msec_format = ""
    log.info("empty ms format")
    del formatter.default_msec_format
    formatter.default_time_format = "%H-%M"
    log.info("time format on the instance")
    logging.Formatter.default_time_format = "%Y"
    del formatter.default_time_format
    log.info("time format on the class")
    logging.Formatter.default_msec_format = "%s;%s"
    log.info("ms format on the class")
    formatter.datefmt = "%d %B"
    log.info("datefmt")
    formatter.datefmt = ""
    log.info("empty datefmt")
    formatter.datefmt = None
    formatter.converter = time.gmtime
    log.info("gmtime")
    formatter.converter = lambda seconds: time.gmtime(0)
    log.info("epoch")
    logging.Formatter.converter = time.gmtime
    del formatter.converter
    log.info("gmtime on the class")
    logging.Formatter.converter = lambda self, seconds: (2020, 1, 2, 3, 4, 5, 3, 2, 0)
    log.info("method on the class")
    formatter.converter = 5
    log.info("converter is no function")
    del formatter.converter
    formatter.formatTime = lambda record, datefmt=None: "never"
    log.info("formatTime on the instance")
    formatter._style = logging.StrFormatStyle("{message}!")
    log.info("style")
    formatter._style._fmt = "{asctime} {message}?"
    log.info("text of the style")
    formatter._fmt = "not read by the style"
    log.info("_fmt")
    formatter._style._defaults = {"message": "default", "more": "m"}
    formatter._style._fmt = "{more} {message}"
    log.info("defaults")
    del formatter._style
    log.info("no style")


@same_as_stdlib
def test_style_text_of_other_types(w):
    log, handler, _ = w.plain()
    log.info("a")

    class Text(str):
        def __mod__(self, values):
            return f"own % {sorted(values)[:2]}"

    for fmt in (Text("%(message)s"), b"%(message)s", None, 5, "", "%(nothing)s", "%(message)d", "100%", "%(message)s" * 50):
        handler.formatter._style._fmt = fmt
        w.catch(log.info, "x")


@same_as_stdlib
@pytest.mark.parametrize("name", ["asctime_format", "asctime_search", "default_format", "validation_pattern"])
def test_class_attributes_of_the_styles_changed(w, name):
    log, handler, _ = w.plain("%(asctime)s %(created)d %(message)s" if not w.live else "%(message)s")
    log.info("a")
    replacement = "%(created)" if name == "asctime_search" else "other %(message)s"
    setattr(logging.PercentStyle, name, replacement)
    log.info("b")
    w.note("uses time", handler.formatter.usesTime())
    w.catch(logging.Formatter, None)
    w.catch(logging.Formatter, "%(message)s")


@same_as_stdlib(live=False)
def test_zone_changed_between_two_calls_in_the_same_second(w):
    """Contract 5.4, item 29: tzset applies at once."""
    import os

    w.clock.step = 0
    log, _, _ = w.plain("%(asctime)s %(message)s")
    zoned = w.handler("%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S %Z %z")
    log.addHandler(zoned)
    for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC"):
        os.environ["TZ"] = zone
        time.tzset()
        log.info(zone)


@same_as_stdlib(live=False)
def test_clock_replaced_moved_and_restored(w):
    log, _, _ = w.plain("%(asctime)s %(msecs)s %(relativeCreated)s %(created)r %(message)s")
    log.info("frozen")
    for seconds in (0, 0.999, 0.9999999, 1, 1e9 - 0.0005, 1e9, 253402300799.5, 2**31, 1.7e9):
        time.time = lambda value=seconds: value
        time.time_ns = lambda value=seconds: int(value * 1_000_000_000)
        log.info("at %r", seconds)


@same_as_stdlib(live=False)
@pytest.mark.parametrize("seconds", [-1, -1e9, float("nan"), float("inf"), 1e300, "text", None, True], ids=repr)
def test_clock_gives_odd_values(w, seconds):
    log, _, _ = w.plain("%(asctime)s %(msecs)s %(created)r %(message)s")
    time.time = time.time_ns = lambda: seconds
    w.catch(log.info, "x")
    w.catch(logging.makeLogRecord, {})


@same_as_stdlib(live=False)
def test_time_module_of_logging_replaced(w):
    log, _, _ = w.plain("%(asctime)s %(message)s")
    log.info("a")
    fake = types.SimpleNamespace(
        time=lambda: 1e9, time_ns=lambda: 10**18, strftime=lambda fmt, t: f"strftime {fmt}", localtime=time.gmtime
    )
    logging.time = fake
    log.info("b")
    logging.time = time
    log.info("c")
    saved = time.strftime
    time.strftime = lambda fmt, t: "patched strftime"
    log.info("d")
    time.strftime = saved
    saved = time.localtime
    time.localtime = time.gmtime
    log.info("Formatter.converter is still the old function")
    time.localtime = saved


# -- classes whose instances are not plain -------------------------------------------------------------------------------------------
@same_as_stdlib
def test_property_in_a_handler_subclass(w):
    class Mine(logging.StreamHandler):
        lowest = 0
        level = property(lambda self: self.lowest, lambda self, value: None)
        filters = property(lambda self: [], lambda self, value: None)
        formatter = property(lambda self: logging.Formatter("own %(message)s"), lambda self, value: None)

    log, _, stream = w.plain(cls=Mine)
    log.info("a")
    Mine.lowest = 40
    log.info("b")
    assert w.take(stream) == "own a\n"


@same_as_stdlib
@pytest.mark.parametrize(
    "slots", [("stream",), ("level",), ("formatter", "lock"), ("filters",), ("_name", "extra"), ()], ids=repr
)
def test_slots_in_a_handler_subclass(w, slots):
    cls = type("Slotted", (logging.StreamHandler,), {"__slots__": slots})
    log, handler, stream = w.plain(cls=cls)
    log.info("a")
    handler.level = 40
    log.info("b")
    handler.level = 0
    w.note("dict", sorted(vars(handler)))
    w.take(stream)


@same_as_stdlib
@pytest.mark.parametrize("base", ["Logger", "Formatter", "Filter"])
@pytest.mark.parametrize("hook", ["__getattribute__", "__getattr__", "__setattr__"])
def test_attribute_hooks_in_a_subclass(w, base, hook):
    seen = []

    def watch(self, name, *value):
        seen.append(name)
        if hook == "__getattr__":
            raise AttributeError(name)
        return getattr(object, hook)(self, name, *value)

    cls = type("Watched", (getattr(logging, base),), {hook: watch})
    log, handler, _ = w.plain("%(message)s")
    if base == "Logger":
        log.__class__ = cls
    elif base == "Formatter":
        handler.formatter.__class__ = cls
    else:
        log.addFilter(cls("app"))
    log.info("a")
    log.info("b")
    w.note("asked for", sorted({n for n in seen if not n.startswith("__")}))  # how often is nobody's business


@same_as_stdlib
@pytest.mark.parametrize("hook", ["__getattribute__", "__getattr__", "__setattr__"])
def test_attribute_hooks_in_a_handler_subclass(w, hook):
    seen = []

    def watch(self, name, *value):
        seen.append(name)
        if hook == "__getattr__":
            raise AttributeError(name)
        return getattr(object, hook)(self, name, *value)

    log, _, _ = w.plain("%(message)s", cls=type("Watched", (logging.StreamHandler,), {hook: watch}))
    seen.clear()
    log.info("a")
    log.info("%d", "x")
    w.note("asked for", sorted({n for n in seen if not n.startswith("__")}))  # how often is nobody's business


@same_as_stdlib
@pytest.mark.parametrize("name", ["level", "lock", "filters", "formatter", "stream", "terminator", "_name"])
def test_data_descriptor_put_into_the_class_of_a_live_handler(w, name):
    class Mine(logging.StreamHandler):
        pass

    log, handler, _ = w.plain(cls=Mine)
    log.info("a")
    value = getattr(handler, name)

    class Descriptor:
        def __get__(self, instance, owner=None):
            read.add(name)
            return value

        def __set__(self, instance, new):
            w.note("written", name, new)

    read = set()
    setattr(Mine, name, Descriptor())
    log.info("b")
    delattr(Mine, name)
    w.note("read", read)
    log.info("c")


@same_as_stdlib
@pytest.mark.parametrize("name", ["level", "disabled", "propagate", "handlers", "filters", "parent", "name", "_cache", "manager"])
def test_data_descriptor_put_into_the_class_of_a_live_logger(w, name):
    class Mine(logging.Logger):
        pass

    log, _, _ = w.plain()
    log.__class__ = Mine
    log.info("a")
    value = getattr(log, name)
    names = set()

    def read(self):
        names.add(name)
        return value

    setattr(Mine, name, property(read))
    log.info("b")
    log.debug("c")
    log.isEnabledFor(33)
    delattr(Mine, name)
    log.info("d")
    w.note("read", names)


@same_as_stdlib
@pytest.mark.parametrize("name", ["level", "disabled", "propagate", "handlers", "filters", "parent", "name", "_cache"])
def test_class_attribute_used_where_the_instance_has_none(w, name):
    log, _, _ = w.plain()
    log.info("a")
    value = getattr(log, name)
    delattr(log, name)
    w.catch(log.info, "missing")
    setattr(logging.Logger, name, value)
    w.catch(log.info, "from the class")
    delattr(logging.Logger, name)
    setattr(log, name, value)
    log.info("b")


@same_as_stdlib
@pytest.mark.parametrize("name", ["level", "lock", "filters", "formatter", "stream", "_name"])
def test_class_attribute_used_where_the_handler_has_none(w, name):
    log, handler, _ = w.plain()
    log.info("a")
    value = getattr(handler, name)
    delattr(handler, name)
    w.catch(log.info, "missing")
    setattr(logging.StreamHandler, name, value)
    w.catch(log.info, "from the class")
    delattr(logging.StreamHandler, name)
    setattr(handler, name, value)
    log.info("b")


@same_as_stdlib
def test_odd_truths_of_duck_types(w):
    """Contract 5.2, item 11: only truth counts."""

    class Falsy(logging.Logger):
        def __bool__(self):
            return False

    class Empty(logging.StreamHandler):
        def __len__(self):
            return 0

    log, _, _ = w.plain("%(message)s", cls=Empty)
    log.info("a")
    log.__class__ = Falsy
    log.info("a false logger hands to nobody")
    log.error("and is warned about")
    log.__class__ = logging.Logger
    logging.lastResort = Empty(w.stream())
    logging.getLogger("nobody").error("a false last resort is none")


@same_as_stdlib
def test_duck_typed_handlers(w):
    log, _, _ = w.plain()

    class Duck:
        level = 25

        def handle(self, record):
            w.note("duck", record)
            record.msg, record.args = "changed by the duck", None

    log.handlers.insert(0, Duck())
    log.info("too low %d", 1)
    log.error("high %d", 2)


@same_as_stdlib
def test_comparisons_of_odd_levels_are_asked(w):
    class Level(int):
        def __le__(self, other):
            w.note("<=", int(self), other)
            return super().__le__(other)

        def __ge__(self, other):
            w.note(">=", int(self), other)
            return super().__ge__(other)

        def __hash__(self):
            return super().__hash__()

        __eq__ = int.__eq__

    log, handler, _ = w.plain()
    handler.level = Level(20)
    log.info("a")
    log.setLevel(Level(10))
    log.log(Level(20), "b")
    logging.disable(Level(15))
    log.log(Level(15), "c")
    log.debug("d")


@same_as_stdlib
def test_objects_die_when_nobody_holds_them(w):
    log, handler, _ = w.plain()
    log.filters.append(lambda record: refs.append(weakref.ref(record)) or True)
    refs = []

    class Argument:
        def __str__(self):
            return "argument"

    for _ in range(3):
        argument = Argument()
        refs.append(weakref.ref(argument))
        log.info("x %s", argument)
        del argument
        try:
            log.info("x %d", Argument())
            raise LookupError
        except LookupError:
            log.exception("y")
    w.note("dead", [ref() is None for ref in refs])
    other = w.handler()
    log.addHandler(other)
    log.info("z")
    alive = weakref.ref(other)
    log.removeHandler(other)
    del other
    w.note("handler dead", alive() is None)


@same_as_stdlib
def test_rich_format_after_each_kind_of_change(w):
    """The record is one object for all who see it: a change made on the way shows in everything after it."""
    log, _, _ = w.plain(RICH)

    def change(record):
        record.msg, record.args, record.levelname, record.funcName, record.lineno = "changed %s", ("x",), "LVL", "fn", 7
        record.name, record.created, record.msecs = "nm", 1e9, 5.0
        return True

    log.handlers[0].addFilter(change)
    log.addHandler(w.handler(RICH))
    w.keeper(log)
    log.info("original")
    last = logging.Handler()
    last.handle = lambda record: w.note("last", record)
    log.addHandler(last)
    log.info("original")


class Key:
    """A key of a handler's dict whose comparison changes the handler."""

    def __init__(self, name):
        self.name = name
        self.asked = lambda: None

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        if other == self.name:
            self.asked()
        return False


@same_as_stdlib
@pytest.mark.parametrize("name", ["emit", "format", "terminator", "formatter", "stream", "flush", "filters", "lock"])
def test_comparison_of_a_key_that_is_no_str_changes_the_handler(w, name):
    if name == "emit" and sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("docs/reference/differences.md: without a GIL such a handler's emit is looked up after its stream")

    class Stream(list):
        write = list.append

        def flush(self):
            self.append("flushed")

    handler = logging.StreamHandler(Stream())
    handler.setFormatter(logging.Formatter("old %(message)s"))
    handler.terminator = str(b"old!", "ascii")  # an object of its own
    log = w.logger()
    log.addHandler(handler)
    key = Key(name)
    handler.__dict__[key] = 1
    others = []

    def change():
        key.asked = lambda: None
        handler.stream = Stream()
        handler.setFormatter(logging.Formatter("new %(message)s"))
        handler.terminator = str(b"new!", "ascii")
        others.extend(Stream() for _ in range(20))

    for i in range(3):
        if i == 1:
            key.asked = change
        log.info("%d", i)
    w.note(list(handler.stream))
    w.note([list(other) for other in others if other])


# -- attributes of a logger that have the name of a method ---------------------------------------------------------------------------
def ask_each(w, log, *levels):
    w.note("enabled", [log.isEnabledFor(level) for level in levels])
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(log, name)("%s", name)
    log.log(25, "25")
    logging.LoggerAdapter(log, {}).info("adapted")


METHODS = [
    "debug",
    "info",
    "warning",
    "error",
    "critical",
    "log",
    "_log",
    "makeRecord",
    "findCaller",
    "handle",
    "callHandlers",
    "isEnabledFor",
]


@same_as_stdlib
@pytest.mark.parametrize("level", [10, 30, 60])
@pytest.mark.parametrize("attributes", ["in place", "in a dict", "in a dict of its own"])
@pytest.mark.parametrize("name", METHODS)
def test_attribute_of_a_methods_name(w, name, attributes, level):
    """The logger itself, another one of its class, one made later, and the first after the attribute is gone."""
    log, _, stream = w.plain()
    other = logging.Logger("other")
    other.addHandler(log.handlers[0])
    if attributes == "in a dict":
        vars(log), vars(other)
    for logger in (log, other):
        if attributes == "in a dict of its own":
            logger.__dict__ = dict(vars(logger))
        logger.setLevel(level)
        ask_each(w, logger, 10, 30, 60)
    method = getattr(log, name)

    def hidden(*args, **kwargs):
        w.note("asked", name, *(arg for arg in args if isinstance(arg, int)))
        return method(*args, **kwargs)

    setattr(log, name, hidden)
    later = logging.Logger("later", level)
    later.addHandler(log.handlers[0])
    for _ in range(3):
        for logger in (log, other, later):
            ask_each(w, logger, 10, 30, 60)
    for logger in (log, other):
        logger.disabled = True
        ask_each(w, logger, 10, 60)
        logger.disabled = False
    log.setLevel(70 - level)
    ask_each(w, log, 10, 30, 60)
    delattr(log, name)
    for logger in (log, other, later):
        ask_each(w, logger, 10, 30, 60)
    w.note("written", w.take(stream))


@same_as_stdlib
@pytest.mark.parametrize("name", ["disabled", "_cache", "isEnabledFor"])
def test_dict_with_a_key_that_is_compared_in_python(w, name):
    class Key(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            return False

    log, _, stream = w.plain()
    log.__dict__ = {Key(name): None, **vars(log)}
    for level in (10, 30, 60):
        log.setLevel(level)
        for _ in range(2):
            ask_each(w, log, 10, 30, 60)
    w.note("written", w.take(stream))


@same_as_stdlib
@pytest.mark.parametrize("answer", [False, True, 0, "yes"])
def test_own_is_enabled_for_decides(w, answer):
    log, _, stream = w.plain()
    other = logging.Logger("other", 30)
    other.addHandler(log.handlers[0])
    ask_each(w, log, 10, 30)
    log.isEnabledFor = lambda level: answer
    for _ in range(2):
        ask_each(w, log, 10, 30)
        ask_each(w, other, 10, 30)
        w.note("the class's", logging.Logger.isEnabledFor(log, 10), logging.Logger.isEnabledFor(other, 10))
    del log._cache[10]
    w.note("the class's", logging.Logger.isEnabledFor(log, 10))
    w.note("written", w.take(stream))


@same_as_stdlib
@pytest.mark.parametrize("count", [3, 12])
def test_many_attributes_of_methods_names(w, count):
    log, _, stream = w.plain()
    others = [logging.Logger(f"l{number}", 30) for number in range(count)]
    for other, name in zip(others, METHODS, strict=False):
        other.addHandler(log.handlers[0])
        setattr(other, name, getattr(other, name))
    for _ in range(2):
        for other in (log, *others):
            ask_each(w, other, 10, 30, 60)
    w.note("written", w.take(stream))


@same_as_stdlib
def test_is_enabled_for_of_a_class_that_calls_the_one_above(w):
    class Asking(logging.Logger):
        def isEnabledFor(self, level):
            w.note("asked", level)
            return super().isEnabledFor(level) and level != 20

    log, _, stream = w.plain()
    own = Asking("own", 20)
    own.addHandler(log.handlers[0])
    for _ in range(3):
        ask_each(w, own, 10, 20, 30)
    own.disabled = True
    ask_each(w, own, 10, 30)
    own.disabled = False
    own._cache.clear()
    ask_each(w, own, 10, 30)
    own._cache = {10: True, 30: "truthy"}
    ask_each(w, own, 10, 30)
    w.catch(own.isEnabledFor)
    w.catch(own.isEnabledFor, "x")
    Asking.isEnabledFor = lambda self, level: level > 20
    ask_each(w, own, 10, 30)
    del Asking.isEnabledFor
    ask_each(w, own, 10, 30)
    w.note("written", w.take(stream))


# -- an isEnabledFor of somebody's own, which the first look asks ----------------------------------------------------------------------
class Unsure:
    """Neither true nor false."""

    def __bool__(self):
        raise ValueError("who knows")


def answering(answer):
    """A function that gives that, or raises it."""

    def says(*args):
        if isinstance(answer, Exception):
            raise type(answer)(*answer.args)  # a new one: it keeps where it was raised
        return answer

    return says


OWN = {
    "method": lambda answer: {"isEnabledFor": lambda self, level: answering(answer)()},
    "method of one argument": lambda answer: {"isEnabledFor": lambda self: answer},
    "method with a default": lambda answer: {"isEnabledFor": lambda self, level, more=1: answering(answer)(more)},
    "method of keywords": lambda answer: {"isEnabledFor": lambda *args, **more: answering(answer)(args, more)},
    "static method": lambda answer: {"isEnabledFor": staticmethod(answering(answer))},
    "class method": lambda answer: {"isEnabledFor": classmethod(answering(answer))},
    "property": lambda answer: {"isEnabledFor": property(lambda self: answering(answer))},
    "partial": lambda answer: {"isEnabledFor": functools.partial(answering(answer))},
    "built-in": lambda answer: {"isEnabledFor": len},
    "nothing": lambda answer: {"isEnabledFor": None},
    "with findCaller": lambda answer: {
        "isEnabledFor": lambda self, level: answering(answer)(),
        "findCaller": lambda self, *args: ("there.py", 7, "there", None),
    },
}
ANSWERS = [False, True, 0, 1, "yes", None, [], Unsure(), KeyError("no answer")]
SAID = "%(levelname)s %(funcName)s %(filename)s %(message)s"


def say_each(w, log):
    """Calls every method that asks, without and with keywords, twice."""
    for _ in range(2):
        for name in ("debug", "info", "warning", "error", "critical", "exception"):
            w.catch(getattr(log, name), "said by %s", name)
        for level in (10, 35, True, 2**70):
            w.catch(log.log, level, "said by log")
        w.catch(log.log, "10", "said by log")
        w.catch(log.info, "with extra", extra={"user": 1})
        w.catch(log.info, "two frames up", stacklevel=2)
        w.catch(log.info, "odd", odd=1)
        w.catch(log.info)
        w.catch(log.log, 10)


@same_as_stdlib
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__ + str(answer)[:3])
@pytest.mark.parametrize("kind", OWN)
def test_is_enabled_for_of_any_kind_in_a_class(w, kind, answer):
    log, handler, stream = w.plain()
    handler.setFormatter(logging.Formatter(SAID))
    own = type("Own", (logging.Logger,), OWN[kind](answer))("own", 30)
    own.addHandler(handler)
    say_each(w, own)
    own.disabled = True
    say_each(w, own)
    log.info("others")
    w.note("written", w.take(stream))


@same_as_stdlib
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__ + str(answer)[:3])
@pytest.mark.parametrize("above", [logging.Logger, "own"], ids=["Logger", "own class"])
@pytest.mark.parametrize(
    "wrap",
    [lambda says: says, functools.partial, lambda says: types.MethodType(says, 1), lambda says: len, lambda says: None],
    ids=["function", "partial", "bound method", "built-in", "None"],
)
def test_is_enabled_for_of_any_kind_in_a_logger(w, wrap, above, answer):
    log, handler, stream = w.plain()
    handler.setFormatter(logging.Formatter(SAID))
    kind = type("Own", (logging.Logger,), OWN["method"](True)) if above == "own" else above
    own, other = kind("own", 30), kind("other", 30)
    for logger in (own, other):
        logger.addHandler(handler)
    own.isEnabledFor = wrap(answering(answer))
    say_each(w, own)
    say_each(w, other)
    del own.isEnabledFor
    say_each(w, own)
    log.info("others")
    w.note("written", w.take(stream))


def change_class(log):
    log.__class__ = type("Later", (logging.Logger,), {"_log": lambda self, *args, **more: print("later", args)})


WHILE_ASKED = {
    "takes itself away": lambda log: delattr(type(log), "isEnabledFor"),
    "is replaced": lambda log: setattr(type(log), "isEnabledFor", lambda self, level: False),
    "gives the levels other values": lambda log: vars(logging).update(INFO=5, ERROR=6),
    "looks at no frames": lambda log: setattr(logging, "_srcfile", None),
    "looks at others": lambda log: setattr(logging, "_srcfile", "there.py"),
    "gets a findCaller": lambda log: setattr(type(log), "findCaller", lambda self, *args: ("there.py", 7, "there", None)),
    "gets a _log": lambda log: setattr(log, "_log", lambda *args, **more: print("own _log", args, more)),
    "disables": lambda log: setattr(log, "disabled", True),
    "empties the cache": lambda log: setattr(log, "_cache", {}),
    "hides itself": lambda log: setattr(log, "isEnabledFor", lambda level: False),
    "shows the dict": vars,
    "exchanges the dict": lambda log: setattr(log, "__dict__", dict(vars(log))),
    "changes the class": change_class,
    "has no handlers": lambda log: log.handlers.clear(),
    "collects": lambda log: gc.collect(),
    "logs": lambda log: logging.getLogger("app").warning("while asked"),
    "patches info": lambda log: setattr(type(log), "info", lambda self, *args: print("own info", args)),
}


@same_as_stdlib
@pytest.mark.parametrize("answer", [False, True])
@pytest.mark.parametrize("what", WHILE_ASKED)
def test_is_enabled_for_that_changes_something(w, what, answer):
    before = {name: vars(logging)[name] for name in ("INFO", "ERROR", "_srcfile")}
    log, handler, stream = w.plain()
    handler.setFormatter(logging.Formatter(SAID))

    class Own(logging.Logger):
        def isEnabledFor(self, level):
            WHILE_ASKED[what](self)
            return answer

    own = Own("own", 30)
    own.addHandler(handler)
    try:
        for _ in range(3):
            for call in (own.info, own.warning, own.exception, functools.partial(own.log, 20)):
                w.catch(call, "said %d times", 3)
    finally:
        vars(logging).update(before)
    log.info("others")
    w.note("written", w.take(stream))
