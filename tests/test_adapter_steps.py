"""LoggerAdapter: process, extra, callers, and every step overridden, against the stdlib."""

import collections
import logging
import sys
import types
import warnings

import pytest
from oracle import World, same_as_stdlib

FMT = "%(levelname)s %(filename)s:%(lineno)d %(funcName)s %(message)s"
LEVELS = ["debug", "info", "warning", "error", "critical", "exception"]


def overriding(w: World, base: type, *names: str) -> type:
    """A subclass whose methods tell what they are called with and call the base's."""

    def method(name):
        def override(self, *args, **kwargs):
            w.note(name, args, kwargs)
            return getattr(super(cls, self), name)(*args, **kwargs)

        return override

    cls = type("Sub", (base,), {name: method(name) for name in names})
    return cls


def use(w: World, adapter, log) -> None:
    """Every level method, with and without keywords, at several stack levels."""
    records = w.keeper(log)

    def inner(**kwargs):
        for name in LEVELS:
            w.catch(getattr(adapter, name), "m %s", 1, **kwargs)
        w.catch(adapter.log, 15, "m %d", 2, **kwargs)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            w.catch(adapter.warn, "m", **kwargs)
        w.note("warned", [(str(one.message), one.filename, one.lineno) for one in caught])

    def outer(**kwargs):
        inner(**kwargs)

    inner()
    inner(extra={"a": 5, "z": 1})
    inner(extra=None)
    inner(bad=1)
    outer(stacklevel=2)
    outer(stacklevel=3)
    inner(exc_info=ValueError("x"))
    log.setLevel(logging.ERROR)
    inner()
    w.note("records", [{k: v for k, v in vars(r).items() if k in {"a", "b", "c", "z", "lineno", "funcName"}} for r in records])


WRAPPINGS = {
    "no extra": lambda log: logging.LoggerAdapter(log),
    "extra": lambda log: logging.LoggerAdapter(log, {"a": 1, "b": 2}),
    "odd extra": lambda log: logging.LoggerAdapter(log, 5),
    "nested": lambda log: logging.LoggerAdapter(logging.LoggerAdapter(log, {"a": 1}), {"b": 2}),
}
if sys.version_info >= (3, 13):
    WRAPPINGS |= {
        "merging": lambda log: logging.LoggerAdapter(log, {"a": 1, "b": 2}, merge_extra=True),
        "merging nothing": lambda log: logging.LoggerAdapter(log, None, True),
        "merging no mapping": lambda log: logging.LoggerAdapter(log, 5, True),
    }


@same_as_stdlib
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_level_method(w, wrapping):
    log, _, _ = w.plain(FMT)
    use(w, WRAPPINGS[wrapping](log), log)


STEPS = ["process", "log", "isEnabledFor", "warning", "error", "exception", "setLevel", "_log"]


@same_as_stdlib
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("nested", [False, True])
def test_step_of_the_adapter_overridden(w, step, nested):
    log, _, _ = w.plain(FMT)
    adapter = overriding(w, logging.LoggerAdapter, step)(log, {"a": 1})
    use(w, logging.LoggerAdapter(adapter, {"b": 1}) if nested else adapter, log)


@same_as_stdlib
@pytest.mark.parametrize("step", ["log", "isEnabledFor", "_log", "makeRecord", "handle"])
def test_step_of_the_logger_overridden(w, step):
    log, _, _ = w.plain(FMT)
    log.__class__ = overriding(w, logging.Logger, step)
    use(w, logging.LoggerAdapter(log, {"a": 1}), log)


@same_as_stdlib
@pytest.mark.parametrize("name", [*LEVELS, "warn"])
def test_find_caller_that_counts_frames_sees_the_stdlibs_frames(w, name):
    class Counting(logging.Logger):
        def findCaller(self, *args, **kwargs):
            frame, names = sys._getframe(0), []
            while frame.f_code.co_name != "catch":
                names.append(frame.f_code.co_name)
                frame = frame.f_back
            w.note("frames", names)
            return super().findCaller(*args, **kwargs)

    warnings.simplefilter("ignore")
    log, _, _ = w.plain(FMT)
    log.__class__ = Counting
    adapter = logging.LoggerAdapter(logging.LoggerAdapter(log, {}), {})
    w.catch(getattr(adapter, name), "m")
    w.catch(adapter.log, 40, "m")
    w.catch(adapter._log, 40, "m", ())


RESULTS = {
    "list": lambda msg, kwargs: [msg, {}],
    "one": lambda msg, kwargs: (msg,),
    "three": lambda msg, kwargs: (msg, kwargs, 1),
    "None": lambda msg, kwargs: None,
    "no kwargs": lambda msg, kwargs: (msg, None),
    "kwargs a list": lambda msg, kwargs: (msg, [1]),
    "kwargs a proxy": lambda msg, kwargs: (msg, types.MappingProxyType({"extra": {"a": 1}})),
    "kwargs ordered": lambda msg, kwargs: (msg, collections.OrderedDict(stacklevel=1)),
    "key no str": lambda msg, kwargs: (msg, {1: 2}),
    "level": lambda msg, kwargs: (msg, {"level": 2}),
    "msg": lambda msg, kwargs: (msg, {"msg": 2}),
    "self": lambda msg, kwargs: (msg, {"self": 2}),
    "unknown": lambda msg, kwargs: (msg, {"unknown": 2}),
    "raises": lambda msg, kwargs: 1 / 0,
}


@same_as_stdlib
@pytest.mark.parametrize("result", RESULTS)
def test_process_that_returns_anything(w, result):
    log, _, _ = w.plain()
    adapter = logging.LoggerAdapter(log, {})
    adapter.process = RESULTS[result]
    w.catch(adapter.info, "m")
    w.catch(logging.LoggerAdapter(adapter, {}).info, "m")
    outer = logging.LoggerAdapter(adapter, {})
    outer.process = RESULTS[result]
    w.catch(outer.info, "m")


@same_as_stdlib
def test_an_adapter_around_itself_ends_in_recursion_error(w):
    adapter = logging.LoggerAdapter(None, {})
    adapter.logger = adapter
    with pytest.raises(RecursionError):
        adapter.info("m")
    w.note("alive")


@same_as_stdlib
def test_properties_reach_through_to_the_logger(w):
    log, _, _ = w.plain()
    adapter = logging.LoggerAdapter(logging.LoggerAdapter(log, {}), {})
    w.note("name", adapter.name, repr(adapter), adapter.manager is logging.root.manager)
    adapter.manager = "mine"
    w.note("manager", log.manager, adapter.manager)
    del log.manager
    w.catch(setattr, adapter, "name", "x")
    w.catch(delattr, adapter, "manager")
    adapter.setLevel("ERROR")
    w.note("asked", adapter.isEnabledFor(30), adapter.getEffectiveLevel(), adapter.hasHandlers())
