"""Locals in tracebacks, for exceptions as data and as text: few, short, without secrets, whatever values are like."""

import collections
import dataclasses
import json
import logging
import os
import sys
import traceback
import types
import typing

import pytest

from femtolog import formatters
from femtolog._locals import Locals
from femtolog.errors import ConfigurationError
from femtolog.femto import exception_payload

SECRET = "hunter2"


class Silent:
    def __repr__(self):
        raise LookupError(SECRET)


class Hidden(str):
    __slots__ = ()

    def __repr__(self):
        return "<hidden>"


@dataclasses.dataclass
class User:
    name: str
    password: str
    shelf: int = 4


class Login(typing.NamedTuple):
    user: str
    pwd: str


def raised(function, *args):
    try:
        function(*args)
    except Exception as error:
        return error


def failing(**values):
    """An exception in whose frame there are these variables, and no others."""
    code = compile("\n".join(f"{name} = values[{name!r}]" for name in values) + "\ndel values\n1 / 0", "f.py", "exec")
    return raised(exec, code, {}, {"values": values})


def payload_locals(error, **options):
    return exception_payload(error, capture_locals=True, **options)["frames"][-1].get("locals")


def text(value):
    return payload_locals(failing(x=value))["x"]


# ---- what is kept


def test_there_are_none_unless_asked_for():
    error = failing(shelf=4)
    assert "locals" not in exception_payload(error)["frames"][-1]
    assert "shelf" not in formatters.Formatter().formatException((type(error), error, error.__traceback__))


def test_the_first_twenty_of_each_frame():
    def inner(number):
        raise ValueError(number)

    def outer(name):
        inner(len(name))

    frames = exception_payload(raised(outer, "tea"), capture_locals=True)["frames"]
    assert [frame["locals"] for frame in frames[1:]] == [{"name": "'tea'", "inner": repr(inner)}, {"number": "3"}]
    assert list(payload_locals(failing(**{f"v{number}": number for number in range(30)}))) == [f"v{n}" for n in range(20)]
    assert payload_locals(failing()) is None
    assert payload_locals(failing(__hidden__=1)) is None


def test_causes_contexts_and_groups_have_them():
    def chained(first):
        try:
            raise KeyError(first)
        except KeyError as error:
            second = first + 1
            raise ExceptionGroup("several", [failing(third=second + 1)]) from error

    payload = exception_payload(raised(chained, 1), capture_locals=True)
    json.dumps(payload)
    assert payload["frames"][-1]["locals"].items() >= {"first": "1", "second": "2"}.items()
    assert payload["cause"]["frames"][-1]["locals"]["first"] == "1"
    assert payload["exceptions"][0]["frames"][-1]["locals"] == {"third": "3"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, (2,), {"a": {3}}, None], "[1, (2,), {'a': {3}}, None]"),
        (list(range(30)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, …]"),
        ([[[[[1]]]]], "[[[[[…]]]]]"),
        ("é" * 300, "'" + "é" * 198 + "…"),
        (b"x" * 300, "b'" + "x" * 197 + "…"),
        (["x" * 120, "y" * 120, "z"], f"['{'x' * 120}', '{'y' * 73}…"),
        (collections.deque([1]), "deque([1])"),
        (Hidden(SECRET), "<hidden>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_text_is_short_and_harmless(value, expected):
    assert text(value) == expected


def test_what_has_no_text_breaks_nothing():
    assert text(Silent()) == "<unprintable Silent object>"
    assert text({"a": [Silent()]}) == "{'a': [<unprintable Silent object>]}"
    assert text(10**5000) == "<unprintable int object>"


def test_a_circle_ends():
    circle = []
    circle.append(circle)
    assert text(circle) == "[[[[[…]]]]]"


def test_namespaces_of_any_kind():
    class Names(dict):
        def __iter__(self):
            raise LookupError(SECRET)

    code = compile("1 / 0", "f.py", "exec")
    assert payload_locals(raised(exec, code, {}, Names(a=1))) is None


# ---- secrets


@pytest.mark.parametrize(
    "value",
    [
        {"password": SECRET},
        {"a": [{"X-API-Key": SECRET}]},
        {b"Authorization": SECRET},
        [(b"cookie", SECRET), ("set-cookie", SECRET)],
        {"nested": {"accessToken": {"value": SECRET}}},
        User("Eve", SECRET),
        [User("Eve", SECRET)],
        types.SimpleNamespace(api_key=SECRET),
        collections.OrderedDict(db_passwd=SECRET),
        Login("Eve", SECRET),
        f"https://example.org/?a=b&session-id={SECRET}",
        json.dumps({"client_secret": SECRET}),
        json.dumps(json.dumps({"client_secret": SECRET})),
        f"Authorization: Bearer {SECRET}".encode(),
        "x" * 190 + f"token={SECRET}",
    ],
    ids=lambda value: type(value).__name__,
)
def test_secrets_become_stars(value):
    assert SECRET not in text(value)
    assert "***" in text(value) or len(text(value)) == 200


def test_what_stands_beside_a_secret_stays():
    assert text({"user": "Eve", "password": SECRET, "n": 1}) == "{'user': 'Eve', 'password': ***, 'n': 1}"
    assert text([("cookie", SECRET), ("host", "h")]) == "[('cookie', ***), ('host', 'h')]"
    assert text(User("Eve", SECRET)) == "User(name='Eve', password=***"
    found = payload_locals(failing(db_password=SECRET, apiKey=[SECRET], user="Eve", author="Bob"))
    assert found == {"db_password": "***", "apiKey": "***", "user": "'Eve'", "author": "'Bob'"}


def test_the_environment_shows_no_secrets(monkeypatch):
    monkeypatch.setattr(os, "environ", os._Environ({"A": "1", "AWS_SECRET_ACCESS_KEY": SECRET}, str, str, str, str))
    assert SECRET not in text(os.environ)


def test_the_list_can_be_set():
    values = failing(password=SECRET, iban="DE1", x={"my-IBAN": "DE1", "token": "t"})
    assert payload_locals(values, redact=["iban"]) == {
        "password": "'hunter2'",
        "iban": "***",
        "x": "{'my-IBAN': ***, 'token': 't'}",
    }
    assert payload_locals(values, redact=[*formatters.REDACTED, "iban"])["password"] == "***"
    assert payload_locals(values, redact=[])["x"] == "{'my-IBAN': 'DE1', 'token': 't'}"


@pytest.mark.parametrize("make", [Locals, lambda redact: formatters.Formatter(capture_locals=True, redact=redact)])
def test_lists_that_cannot_be(make):
    with pytest.raises(TypeError, match="redact must be several str, got 'iban'"):
        make("iban")
    with pytest.raises(TypeError, match=r"redact must be several str, got \[7\]"):
        make([7])
    with pytest.raises(ConfigurationError, match=r"redact must be parts of names, with letters or digits, got \['_'\]"):
        make(["_"])


# ---- text


@pytest.fixture
def formatter():
    return formatters.Formatter("%(message)s", capture_locals=True)


def test_text_is_that_of_traceback(formatter):
    def broken(shelf):
        raise ValueError(shelf)

    def chained(first):
        try:
            raise KeyError(first)
        except KeyError:
            raise ExceptionGroup("several", [raised(broken, [1, (2,)])]) from raised(broken, "é")

    error = raised(chained, 1)
    printed = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    assert formatter.formatException((type(error), error, error.__traceback__)) == "".join(printed).removesuffix("\n")


def test_no_other_handler_gets_it(formatter):
    error = failing(password=SECRET, shelf=4)
    record = logging.makeLogRecord({"msg": "m", "exc_info": (type(error), error, error.__traceback__)})
    shown = formatter.format(record)
    assert "    password = ***\n    shelf = 4\nZeroDivisionError: division by zero" in shown
    assert record.exc_text is None
    assert "shelf" not in logging.Formatter().format(record)
    assert formatter.format(record) == shown


def test_escaped_and_without_an_exception():
    formatter = formatters.Formatter("%(message)s", escape="controls", capture_locals=True)
    error = failing(line="a\nb")
    shown = formatter.format(logging.makeLogRecord({"msg": "m", "exc_info": (type(error), error, error.__traceback__)}))
    assert "\n        line = 'a\\nb'\n" in shown
    assert formatter.format(logging.makeLogRecord({"msg": "m", "exc_info": (None, None, None)})) == "m\n    NoneType: None"


def test_a_limit_of_tracebacks(formatter, monkeypatch):
    monkeypatch.setattr(sys, "tracebacklimit", 1, raising=False)
    error = failing(shelf=4)
    assert "function = " in formatter.formatException((type(error), error, error.__traceback__))
    [frame] = exception_payload(error, capture_locals=True)["frames"]
    assert "function" in frame["locals"]
