"""Exceptions as data: femtolog.femto.exception_payload() and filter_frames()."""

import json
import os
import re

import pytest

from femtolog import femto
from femtolog.errors import FemtologError
from femtolog.femto.payload import stack_payload


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Silent:
    def __repr__(self):
        raise RuntimeError("no text")


def raised(error, cause=None):
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_exception_with_all_its_parts():
    error = ValueError("bad", 7)
    error.add_note("a note")
    payload = femto.exception_payload(raised(error, raised(Odd(Silent()))))
    [frame] = payload.pop("frames")
    assert (os.path.basename(frame["filename"]), frame["function"]) == ("test_femto_payload.py", "raised")
    assert frame["source_line"] == "raise error from cause"
    assert frame["end_lineno"] == frame["lineno"] == raised.__code__.co_firstlineno + 2
    assert frame["end_colno"] - frame["colno"] == len("raise error from cause")
    cause = payload.pop("cause")
    assert payload == {
        "schema_version": femto.EXCEPTION_SCHEMA_VERSION,
        "type_name": "ValueError",
        "message": "('bad', 7)",
        "args_repr": ["'bad'", "7"],
        "notes": ["a note"],
        "suppress_context": True,
    }
    assert (cause["type_name"], cause["module"]) == ("Odd", __name__)
    assert cause["message"] == "<unprintable Odd object>"
    assert cause["args_repr"] == ["<unprintable Silent object>"]
    assert "context" not in cause
    assert femto.EXCEPTION_SCHEMA_VERSION == 1


def test_context_and_exception_that_was_never_raised():
    try:
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            raise KeyError from None
    except KeyError as error:
        payload = femto.exception_payload(error)
    assert payload["suppress_context"]
    assert payload["context"]["type_name"] == "ZeroDivisionError"
    assert "args_repr" not in payload
    assert femto.exception_payload(KeyError()) == {
        "schema_version": 1,
        "type_name": "KeyError",
        "message": "",
        "suppress_context": False,
    }


def test_deep_groups_and_long_chains_are_kept_whole():
    group = ValueError("leaf")
    for depth in range(100):
        group = ExceptionGroup(f"g{depth}", [group])
    payload, depth = femto.exception_payload(group), 0
    json.dumps(payload)
    while "exceptions" in payload:
        [payload] = payload["exceptions"]
        depth += 1
    assert (depth, payload["message"]) == (100, "leaf")
    last = ValueError("0")
    for number in range(1, 5000):
        error = ValueError(str(number))
        error.__cause__ = last
        last = error
    payload = femto.filter_frames(femto.exception_payload(last))
    count = 1
    while "cause" in payload:
        payload, count = payload["cause"], count + 1
    assert (count, payload["message"]) == (5000, "0")


def test_chain_that_bites_its_tail():
    first, second = ValueError("1"), ValueError("2")
    first.__context__, second.__context__ = second, first
    payload = femto.exception_payload(first)
    assert payload["context"]["message"] == "2"
    assert "context" not in payload["context"]


def test_notes_that_are_none_are_left_out():
    error = ValueError()
    error.__notes__ = 5
    assert "notes" not in femto.exception_payload(error)
    error.__notes__ = [Silent(), "x"]
    assert femto.exception_payload(error)["notes"][1] == "x"


def test_versions_that_are_read():
    femto.validate_schema_version({"schema_version": 1})
    with pytest.raises(femto.VersionTooNew, match="found 2, maximum supported is 1") as new:
        femto.validate_schema_version({"schema_version": 2})
    assert (new.value.found, new.value.max_supported) == (2, 1)
    with pytest.raises(femto.VersionTooOld, match="found 0, minimum supported is 1") as old:
        femto.validate_schema_version({"schema_version": 0})
    assert (old.value.found, old.value.min_supported) == (0, 1)
    assert isinstance(old.value, FemtologError)
    for odd in ({}, {"schema_version": "1"}, {"schema_version": True}):
        with pytest.raises(TypeError, match="schema_version must be an int"):
            femto.validate_schema_version(odd)


def test_stack_text_becomes_frames():
    text = 'Stack (most recent call last):\n  File "/a b.py", line 3, in <module>\n    f()\n    ~^^\nodd\n  File "c.py", line 4, in f\n'
    assert stack_payload(text) == {
        "schema_version": 1,
        "frames": [
            {"filename": "/a b.py", "lineno": 3, "function": "<module>", "source_line": "f()"},
            {"filename": "c.py", "lineno": 4, "function": "f"},
        ],
    }


FRAMES = [
    {"filename": name, "lineno": 1, "function": function}
    for name, function in (
        ("/lib/logging/__init__.py", "info"),
        ("/site/femtolog/femto/logger.py", "_log"),
        ("<frozen importlib._bootstrap>", "_call"),
        ("C:\\lib\\logging\\config.py", "dictConfig"),
        ("/app/a.py", "main"),
        ("/app/b.py", "helper"),
    )
]


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"exclude_logging": True}, [4, 5]),
        ({"exclude_filenames": ["/app/"]}, [0, 1, 2, 3]),
        ({"exclude_functions": ["helper", "main"]}, [0, 1, 2, 3]),
        ({"max_depth": 2}, [4, 5]),
        ({"max_depth": 0}, []),
        ({"max_depth": 9}, [0, 1, 2, 3, 4, 5]),
        ({"max_depth": 1, "exclude_functions": ["helper"]}, [4]),
        ({"exclude_logging": True, "exclude_filenames": iter(["a.py"]), "max_depth": 3}, [5]),
    ],
)
def test_frames_that_are_left(options, left):
    frames = [FRAMES[number] for number in left]
    inner = {"frames": FRAMES, "type_name": "E"}
    payload = {"frames": FRAMES, "cause": {**inner, "context": inner}, "exceptions": [inner, inner], "notes": ["n"]}
    before = json.dumps(payload)
    filtered = femto.filter_frames(payload, **options)
    assert json.dumps(payload) == before
    inner = {"frames": frames, "type_name": "E"}
    assert filtered == {"frames": frames, "cause": {**inner, "context": inner}, "exceptions": [inner, inner], "notes": ["n"]}
    assert filtered["notes"] is not payload["notes"]


def test_options_that_cannot_be():
    with pytest.raises(ValueError, match=re.escape("max_depth must not be negative, got -1")):
        femto.filter_frames({}, max_depth=-1)
    with pytest.raises(TypeError, match="exclude_filenames must be several str"):
        femto.filter_frames({}, exclude_filenames="a.py")


def test_patterns_of_logging():
    assert femto.get_logging_infrastructure_patterns() == ["femtolog", "logging/__init__", "logging/config", "<frozen importlib"]
