"""Exceptions as data: femtolog.femto.exception_payload() and filter_frames()."""

import json
import logging
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


class Raises:
    """An attribute that raises."""

    def __get__(self, error, kind):
        if error is None:
            return self
        raise RuntimeError("none of yours")

    def __set__(self, error, value):
        """So that it goes before what an instance has."""


class OddList(list):
    def __iter__(self):
        raise RuntimeError("not one by one")

    __bool__ = __len__ = __iter__


class Pretender:
    """Says that it is an exception."""

    __class__ = ValueError


class Meta(type):
    __module__ = Raises()


RAISES = Raises()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, RAISES) for name in ("__notes__", "args", "__cause__", "__context__", "__traceback__", "__suppress_context__")),
        *((name, 5) for name in ("__notes__", "args", "__cause__", "__context__", "__traceback__", "__suppress_context__")),
        ("__notes__", OddList(["a"])),
        ("args", OddList(["a"])),
        ("__notes__", "text"),
        ("__cause__", Pretender()),
        ("__context__", ValueError),
        ("__traceback__", None),
        ("__suppress_context__", "odd"),
        ("__module__", None),
        ("__module__", 5),
        ("__module__", "builtins"),
    ],
)
def test_attribute_that_is_not_what_it_should_be_is_absent(name, value):
    expected = {
        "schema_version": 1,
        "type_name": "Malformed",
        "module": __name__,
        "message": "bad",
        "args_repr": ["'bad'"],
        "suppress_context": False,
    }
    expected.pop({"args": "args_repr", "__module__": "module"}.get(name), None)
    error = type("Malformed", (Exception,), {"__module__": __name__, name: value, "__str__": lambda self: "bad"})("bad")
    assert femto.exception_payload(error) == expected
    outer = ValueError("outer")
    outer.__cause__ = error
    assert femto.exception_payload(outer)["cause"] == expected
    [member] = femto.exception_payload(ExceptionGroup("group", [error]))["exceptions"]
    assert member == expected


def test_module_that_raises_is_absent():
    kind = Meta("Malformed", (Exception,), {})
    assert "module" not in femto.exception_payload(kind("bad"))


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        (None, None),
        (5, None),
        (RAISES, None),
        (OddList([ValueError("a")]), None),
        ([5, Pretender(), ValueError("a")], ["a"]),
        ((), None),
    ],
)
def test_members_of_a_group_that_are_none_are_absent(members, kept):
    group = type("Group", (ExceptionGroup,), {"exceptions": members})("group", [ValueError("b")])
    payload = femto.exception_payload(group)
    assert (payload["type_name"], payload["message"]) == ("Group", "group (1 sub-exception)")
    assert [member["message"] for member in payload["exceptions"]] == kept if kept else "exceptions" not in payload


def test_a_sink_gets_the_record_of_an_exception_with_odd_attributes():
    class Sink:
        def handle(self, *_):
            raise AssertionError

        def handle_record(self, record):
            got.append(record["exc_info"])

    got = []
    log = femto.FemtoLogger("alone")
    log.add_handler(Sink())
    log.logger.handlers[0].handle(
        logging.makeLogRecord({"exc_info": (ValueError, type("E", (ValueError,), {"__cause__": 5})("m"), None)})
    )
    assert log.flush_handlers(10)
    assert [(payload["type_name"], payload["message"], "cause" in payload) for payload in got] == [("E", "m", False)]
    log.logger.handlers[0].close()


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


def test_nothing_is_shared_with_the_payload_that_was_filtered():
    def parts(value):
        if isinstance(value, dict | list):
            yield id(value)
            for part in value.values() if isinstance(value, dict) else value:
                yield from parts(part)

    def failing():
        here = "shelf"
        raise ValueError(here)

    try:
        failing()
    except ValueError as error:
        error.add_note("n")
        payload = femto.exception_payload(ExceptionGroup("group", [error]), capture_locals=True)
    payload["more"] = {"of": "a reader's"}
    [member] = payload["exceptions"]
    assert member["frames"][1]["locals"] == {"here": "'shelf'"}
    filtered = femto.filter_frames(payload)
    assert filtered == payload
    assert not {*parts(filtered)} & {*parts(payload)}


def test_options_that_cannot_be():
    with pytest.raises(ValueError, match=re.escape("max_depth must not be negative, got -1")):
        femto.filter_frames({}, max_depth=-1)
    with pytest.raises(TypeError, match="exclude_filenames must be several str"):
        femto.filter_frames({}, exclude_filenames="a.py")


def test_patterns_of_logging():
    assert femto.get_logging_infrastructure_patterns() == ["femtolog", "logging/__init__", "logging/config", "<frozen importlib"]
