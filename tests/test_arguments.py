"""Every function of logging, and every method of its classes, called with arguments of all kinds: results and errors are the stdlib's."""

import inspect
import io
import logging
import os
import warnings

import pytest
from oracle import World, same_as_stdlib

CALLS = [
    ((), {}),
    ((1,), {}),
    ((None,), {}),
    (("a",), {}),
    (([],), {}),
    ((1, 2), {}),
    ((1, 2, 3), {}),
    ((None,) * 4, {}),
    ((None,) * 8, {}),
    ((), {"nope": 1}),
    ((1,), {"nope": 1}),
    (("a",), {"self": 1}),
    (("a", "b"), {"msg": 1}),
    (("a", "b"), {"level": 1}),
    ((), {"level": 3}),
    ((), {"name": 3}),
]

# They take or give back locks and handlers of the whole process, or end the scenario's own.
LEFT_OUT = {"_acquireLock", "_releaseLock", "_prepareFork", "_afterFork", "shutdown", "_after_at_fork_child_reinit_locks"}

FUNCTIONS = sorted(
    name
    for name, value in vars(logging).items()
    if callable(value) and not inspect.isclass(value) and getattr(value, "__module__", "") == "logging" and name not in LEFT_OUT
)


def all_calls(w: World, function) -> None:
    """Every call of the list, with the warnings it gives."""
    for args, kwargs in CALLS:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            # A file that dies inside logging is blamed on the innermost frame, which native code does not have.
            warnings.simplefilter("ignore", ResourceWarning)
            w.catch(function, *args, **kwargs)
        w.note("warned", [(str(one.message), one.filename, one.lineno) for one in caught])


@same_as_stdlib(live=False)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_called_with_all_kinds_of_arguments(w, name):
    logging.root.addHandler(w.handler())
    all_calls(w, getattr(logging, name))


MAKERS = {
    "Logger": lambda w: w.plain()[0],
    "LoggerAdapter": lambda w: logging.LoggerAdapter(w.plain()[0], {"a": 1}),
    "Manager": lambda w: logging.Manager(logging.root),
    "PlaceHolder": lambda w: logging.PlaceHolder(None),
    "Handler": lambda w: logging.Handler(),
    "StreamHandler": lambda w: logging.StreamHandler(io.StringIO()),
    "FileHandler": lambda w: logging.FileHandler(w.dir / "a.log"),
    "NullHandler": lambda w: logging.NullHandler(),
    "Formatter": lambda w: logging.Formatter(),
    "BufferingFormatter": lambda w: logging.BufferingFormatter(),
    "PercentStyle": lambda w: logging.PercentStyle("%(message)s"),
    "StrFormatStyle": lambda w: logging.StrFormatStyle("{message}"),
    "StringTemplateStyle": lambda w: logging.StringTemplateStyle("$message"),
    "Filter": lambda w: logging.Filter("a"),
}
METHODS = [
    (kind, name)
    for kind in MAKERS
    for name, value in sorted(vars(getattr(logging, kind)).items())
    # `converter` is time.localtime itself: called with None it tells the second it is called in.
    if callable(value) and name not in {"__class_getitem__", "acquire", "release", "handleError", "converter"}
]


@same_as_stdlib(live=False)
@pytest.mark.parametrize(("kind", "name"), METHODS, ids=[f"{kind}.{name}" for kind, name in METHODS])
def test_method_called_with_all_kinds_of_arguments(w, kind, name):
    os.chdir(w.dir)
    thing = MAKERS[kind](w)
    all_calls(w, getattr(thing, name))
    if isinstance(thing, logging.Handler):
        thing.close()


@same_as_stdlib(live=False)
@pytest.mark.parametrize("kind", [*MAKERS, "RootLogger", "_StderrHandler"])
def test_class_called_with_all_kinds_of_arguments(w, kind):
    os.chdir(w.dir)
    all_calls(w, lambda *args, **kwargs: type(getattr(logging, kind)(*args, **kwargs)).__name__)
