"""Generated log calls: callers of every kind, stacklevel, stack_info, exc_info, extra, levels, adapters, module functions."""

import contextlib
import functools
import logging
import sys
import warnings

from hypothesis import given
from hypothesis import strategies as st
from oracle.generated import compare_generated, examples
from oracle.values import build, leaves, mappings, words

CALLER = "%(pathname)s:%(lineno)d:%(funcName)s:%(module)s:%(filename)s %(levelname)s %(message)s"


# -- ways to reach a log call ------------------------------------------------------------------------------------------
def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def by_function(call):
    return call()


def by_lambda(call):
    return (lambda: call())()


def by_comprehension(call):
    return [call() for _ in range(2)]


def by_generator(call):
    return list(call() for _ in range(1))


def by_exec(call):
    namespace = {"call": call}
    exec("def inner():\n    return call()\ninner()", namespace)


def by_exec_with_name(call):
    exec(compile("\n\ncall()", "/no/such/folder/ex.ec.py", "exec"), {"call": call})


def by_odd_file_name(call):
    exec(compile("call()", "<frozen importlib._bootstrap>", "exec"), {"call": call})


def by_logging_file_name(call):
    exec(compile("call()", logging._srcfile or "", "exec"), {"call": call})


def by_eval(call):
    return eval("call()", {"call": call})


def by_map(call):
    return list(map(lambda _: call(), [1]))


def by_sorted(call):
    return sorted([2, 1], key=lambda x: call() or x)


def by_partial(call):
    return functools.partial(call)()


@decorated
def by_decorator(call):
    return call()


class Caller:
    def method(self, call):
        return call()

    @property
    def read(self):
        return self.call()

    def __repr__(self):
        self.call()
        return "caller"


def by_method(call):
    return Caller().method(call)


def by_property(call):
    caller = Caller()
    caller.call = call
    return caller.read


def by_repr(call):
    caller = Caller()
    caller.call = call
    return f"{caller!r}"


def by_class_body(call):
    class Body:
        call()

    return Body


def by_context_manager(call):
    with contextlib.ExitStack() as stack:
        stack.callback(call)


def by_except(call):
    try:
        raise LookupError("being handled")
    except LookupError:
        return call()


def by_recursion(call, depth=3):
    return by_recursion(call, depth - 1) if depth else call()


WAYS = [value for name, value in sorted(globals().items()) if name.startswith("by_")]


def through(ways, call):
    """A function that goes all the ways and then calls."""
    for way in reversed(ways):
        call = functools.partial(way, call)
    return call


# -- what is called ----------------------------------------------------------------------------------------------------
class Sub(logging.Logger):
    """Overrides a method and goes on by super()."""

    def info(self, msg, *args, **kwargs):
        super().info(msg, *args, **kwargs)

    def _log(self, *args, **kwargs):
        super()._log(*args, **kwargs)


class Adapter(logging.LoggerAdapter):
    """Changes the message."""

    def process(self, msg, kwargs):
        return f"adapted {msg}", kwargs


def helper(log, *args, **kwargs):
    log.info(*args, **kwargs)


TARGETS = {
    "logger": lambda log: log.info,
    "logger.log": lambda log: functools.partial(log.log, 25),
    "warning": lambda log: log.warning,
    "old warn": lambda log: log.warn,
    "critical": lambda log: log.fatal,
    "helper": lambda log: functools.partial(helper, log),
    "adapter": lambda log: logging.LoggerAdapter(log, {"who": 1}).info,
    "adapter.log": lambda log: functools.partial(logging.LoggerAdapter(log, None).log, 40),
    "adapter of adapter": lambda log: Adapter(Adapter(log, {"a": 1}), {"b": 2}).error,
    "exception": lambda log: log.exception,
    "unbound": lambda log: functools.partial(logging.Logger.error, log),
    "private": lambda log: lambda msg, *args, **kwargs: log._log(20, msg, args, **kwargs),
}
if sys.version_info >= (3, 13):
    TARGETS["merging adapter"] = lambda log: logging.LoggerAdapter(log, {"a": 1, "k": "own"}, merge_extra=True).info


def chained():
    try:
        try:
            raise ValueError("inner \xe9")
        except ValueError as inner:
            inner.add_note("a note\nof two lines")
            raise LookupError("outer") from inner
    except LookupError as outer:
        return outer


def during():
    try:
        try:
            raise ValueError("first")
        except ValueError:
            raise OSError(2, "second", "file")  # noqa: B904
    except OSError as error:
        return error


def group():
    try:
        raise ExceptionGroup("several", [ValueError(1), ExceptionGroup("more", [chained(), KeyError("k")])])
    except ExceptionGroup as error:
        return error


def unshowable():
    class Bad(Exception):
        def __str__(self):
            raise ValueError

    return Bad()


EXC_INFOS = {
    "none": lambda: None,
    "true": lambda: True,
    "one": lambda: 1,
    "false": lambda: False,
    "never raised": lambda: ValueError("never raised"),
    "chained": chained,
    "during": during,
    "group": group,
    "unshowable": unshowable,
    "tuple": lambda: (ValueError, ValueError("from a tuple"), None),
    "full tuple": lambda: (lambda e: (type(e), e, e.__traceback__))(chained()),
    "tuple of none": lambda: (None, None, None),
    "short tuple": lambda: (1, 2),
    "text": lambda: "text",
    "empty tuple": lambda: (),
    "empty list": lambda: [],
    "base exception": lambda: SystemExit(3),
    "class": lambda: ValueError,
}

calls = st.fixed_dictionaries(
    {
        "ways": st.lists(st.sampled_from(WAYS), max_size=4),
        "target": st.sampled_from(sorted(TARGETS)),
        "msg": words,
    },
    optional={
        "stacklevel": st.integers(-1, 9),
        "exc_info": st.sampled_from(sorted(EXC_INFOS)),
        "stack_info": st.sampled_from([False, False, False, True]),
        "extra": st.none()
        | mappings
        | st.dictionaries(st.sampled_from(["k", "message", "asctime", "name", "x", "taskName"]), leaves),
        "args": st.lists(leaves, max_size=2).map(tuple),
    },
)


def run(w, log, call):
    """One generated call."""
    options = {name: build(call[name], w) for name in ("stacklevel", "stack_info", "extra") if name in call}
    if "exc_info" in call:
        options["exc_info"] = EXC_INFOS[call["exc_info"]]()
    target = TARGETS[call["target"]](log)
    function = functools.partial(target, build(call["msg"], w), *build(call.get("args", ()), w), **options)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            through(call["ways"], function)()
        for warning in caught:
            # `warnings` skips frames of the import system, but only from a frame of its own kind on: a native method has none.
            place = () if by_odd_file_name in call["ways"] else (warning.filename, warning.lineno)
            w.note("warning", warning.category, str(warning.message), *place)
    except BaseException as error:
        w.note("raised", error)


@examples(400)
@given(
    made=st.lists(calls, min_size=1, max_size=20),
    seen=st.booleans(),
    live=st.booleans(),
    cls=st.sampled_from([logging.Logger, logging.Logger, Sub]),
    fmt=st.sampled_from([CALLER, CALLER, "%(message)s", "%(funcName)s %(k)s %(message)s"]),
)
def test_calls_from_anywhere(made, seen, live, cls, fmt):
    def scenario(w):
        log, _, stream = w.plain(fmt)
        w.logger("app.sub").propagate = True
        log.__class__ = cls
        if seen:
            records = w.keeper(log)
        for call in made:
            run(w, log, call)
            w.take(stream)
        if seen:
            w.note("seen", records)

    compare_generated(scenario, len(made), live=live)


@examples(250)
@given(
    made=st.lists(
        st.tuples(
            st.sampled_from(["debug", "info", "warning", "error", "critical", "fatal", "exception", "log"]),
            st.lists(st.sampled_from(WAYS), max_size=2),
            words,
            st.lists(leaves, max_size=2),
            st.integers(1, 4),
        ),
        min_size=1,
        max_size=10,
    ),
    configured=st.booleans(),
    level=st.sampled_from([0, 10, 20, 30, 50]),
    live=st.booleans(),
)
def test_calls_of_module_functions(made, configured, level, live):
    def scenario(w):
        w.note("start")
        if configured:
            logging.root.addHandler(w.handler(CALLER))
        logging.root.setLevel(level)
        for name, ways, msg, args, stacklevel in made:
            call = getattr(logging, name)
            if name == "log":
                call = functools.partial(call, 25)
            try:
                through(ways, functools.partial(call, msg, *build(args, w), stacklevel=stacklevel))()
            except BaseException as error:
                w.note("raised", error)
        logging.root.handlers[:] = []

    compare_generated(scenario, len(made), live=live)


LEVELS = st.sampled_from(
    [
        0,
        10,
        15,
        20,
        30,
        40,
        50,
        5,
        35,
        100,
        -1,
        True,
        False,
        "INFO",
        "info",
        "MINE",
        "",
        None,
        20.0,
        20.5,
        float("nan"),
        10**30,
        (1,),
        b"INFO",
    ]
)


@examples(250)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["set", "handler", "log", "enabled", "disable", "name", "look", "root", "assign"]), LEVELS, LEVELS
        ),
        min_size=5,
        max_size=40,
    ),
    live=st.booleans(),
)
def test_levels_of_every_kind(steps, live):
    def scenario(w):
        log, handler, _ = w.plain("%(levelname)s %(levelno)s")
        logging.addLevelName(15, "MINE")
        for what, level, other in steps:
            if what == "set":
                w.catch(log.setLevel, level)
            elif what == "handler":
                w.catch(handler.setLevel, level)
            elif what == "log":
                w.catch(log.log, level, "x")
            elif what == "enabled":
                w.catch(log.isEnabledFor, level)
            elif what == "disable":
                w.catch(logging.disable, level)
            elif what == "name":
                w.catch(logging.addLevelName, level, other)
            elif what == "look":
                w.catch(logging.getLevelName, level)
            elif what == "root":
                w.catch(logging.root.setLevel, level)
            else:
                log.level = level
                w.catch(log.getEffectiveLevel)
            w.note("names", logging._levelToName, logging._nameToLevel, log.level, handler.level, log.manager.disable)
        logging.root.level = 30

    compare_generated(scenario, len(steps), live=live)
