"""Hypothesis strategies for format strings: `%` messages with their arguments, and the three styles of a Formatter, invalid ones included."""

import dataclasses
from typing import Any

from hypothesis import strategies as st

from oracle.values import keys, leaves, mappings, numbers, values, words

STILL = [
    "name",
    "levelname",
    "levelno",
    "pathname",
    "filename",
    "module",
    "lineno",
    "funcName",
    "threadName",
    "process",
    "processName",
]
CLOCKED = ["created", "msecs", "relativeCreated", "asctime"]
ODD = [
    "message",
    "msg",
    "args",
    "exc_info",
    "exc_text",
    "stack_info",
    "taskName",
    "thread",
    "nothing",
    "k",
    "",
    "message.x",
    "args[0]",
    "1a",
]
DATES = [
    None,
    "",
    "%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
    "%d %b %y, %j %U %%",
    "%",
    "%s %f",
    "\xe9%Y\u20ac",
    "%c %x %X %p",
    "a\0b",
    "%Q",
    "%-d",
]

_flags = st.text("-+ #0", max_size=3)
_widths = st.sampled_from(["", "", "", "1", "5", "12", "040"])
_precisions = st.sampled_from(["", "", "", ".", ".0", ".2", ".10"])
_lengths = st.sampled_from(["", "", "", "", "l", "h", "L", "ll"])
_conversions = st.sampled_from([*"ssssdddfrrxXoeEgGaicuF%", "y", " ", "(", ""])
_literals = words | st.sampled_from(["text ", " and ", ": ", "=", "[", "]"])


@st.composite
def percent_messages(draw: Any) -> tuple[Any, tuple[Any, ...]]:
    """A message with arguments that mostly fit."""
    if draw(st.integers(0, 9)) == 0:
        return draw(values), tuple(draw(st.lists(values, max_size=3)))
    parts, wanted = [], []
    by_key = draw(st.integers(0, 4)) == 0
    for _ in range(draw(st.integers(0, 4))):
        parts.append(draw(_literals).replace("%", draw(st.sampled_from(["%%", "%%", "%%", "%"]))))
        star = draw(st.integers(0, 12)) == 0
        width = "*" if star else draw(_widths)
        conversion = draw(_conversions)
        key = f"({draw(keys)})" if by_key else ""
        parts.append(f"%{key}{draw(_flags)}{width}{draw(_precisions)}{draw(_lengths)}{conversion}")
        if star:
            wanted.append(draw(st.integers(-20, 20)))
        wanted.append(draw(_fitting(conversion)))
    parts.append(draw(_literals).replace("%", "%%"))
    message = "".join(parts)
    if by_key:
        return message, draw(st.one_of(st.tuples(mappings), st.tuples(mappings, mappings), st.just(())))
    shape = draw(st.integers(0, 14))
    if shape == 0:
        wanted = wanted[:-1]
    elif shape == 1:
        wanted.append(draw(leaves))
    elif shape == 2:
        wanted = [tuple(wanted)]
    return message, tuple(wanted)


def _fitting(conversion: str) -> st.SearchStrategy[Any]:
    if conversion and conversion in "diouxX":
        return st.one_of(numbers, numbers, numbers, st.floats(-1e6, 1e6), leaves)
    if conversion and conversion in "eEfFgG":
        return st.one_of(st.floats(), st.floats(), numbers, leaves)
    if conversion == "c":
        return st.one_of(st.characters(), st.integers(0, 0x10FFFF), leaves)
    return leaves


@dataclasses.dataclass(frozen=True)
class Spec:
    """The arguments of a Formatter."""

    fmt: Any
    datefmt: Any = None
    style: str = "%"
    validate: bool = True
    defaults: Any = None


@st.composite
def formatters(draw: Any, *, clocked: bool = True) -> Spec:
    """A formatter of any style, mostly valid."""
    style = draw(st.sampled_from("%%%{{$$x" if draw(st.integers(0, 30)) == 0 else "%%%{{$$"))
    fields = st.sampled_from(["message", "message", *STILL, *(CLOCKED if clocked else ())])
    if draw(st.integers(0, 5)) == 0:
        fields = fields | st.sampled_from(ODD)
    part = {"%": _percent_field, "{": _brace_field, "$": _dollar_field}.get(style, _percent_field)
    pieces: list[str] = []
    for _ in range(draw(st.integers(0, 4))):
        pieces.append(draw(_literals if draw(st.integers(0, 3)) == 0 else st.sampled_from([" ", "|", "-", ": "])))
        pieces.append(draw(part(fields)))
    fmt: Any = "".join(pieces)
    if draw(st.integers(0, 25)) == 0:
        fmt = draw(st.sampled_from([None, "", b"%(message)s", 5, "plain"]))
    defaults = draw(
        st.none()
        | st.none()
        | st.dictionaries(st.sampled_from(["k", "nothing", "name", "asctime"]), leaves, max_size=2)
        | mappings
    )
    return Spec(fmt, draw(st.sampled_from(DATES) if clocked else st.none()), style, draw(st.integers(0, 4)) > 0, defaults)


@st.composite
def _percent_field(draw: Any, fields: st.SearchStrategy[str]) -> str:
    field = draw(fields)
    usual = "d" if field in ("lineno", "levelno", "process", "msecs") else "s"
    conversion = draw(st.sampled_from([usual] * 6 + [*"srdfxag", "c", "%", "y", ""]))
    return f"%({field}){draw(_flags)}{draw(_widths)}{draw(_precisions)}{conversion}"


@st.composite
def _brace_field(draw: Any, fields: st.SearchStrategy[str]) -> str:
    if draw(st.integers(0, 20)) == 0:
        return draw(
            st.sampled_from(
                ["{", "}", "{}", "{0}", "{{}}", "{message!x}", "{message:{lineno}}", "{message", "{0[a]}", "{message:"]
            )
        )
    conversion = draw(st.sampled_from(["", "", "", "", "!r", "!s", "!a"]))
    spec = ""
    if draw(st.booleans()):
        align = draw(st.sampled_from(["", "", "<", ">", "^", "*<", "\xe9>", "="]))
        sign = draw(st.sampled_from(["", "", "", "+", "-", " "]))
        spec = (
            ":" + align + sign + draw(st.sampled_from(["", "", "#"])) + draw(_widths) + draw(st.sampled_from(["", "", ",", "_"]))
        )
        spec += draw(_precisions) + draw(st.sampled_from(["", "", "", "s", "d", "f", "x", "g", "e", "%", "n", "y"]))
    return f"{{{draw(fields)}{conversion}{spec}}}"


@st.composite
def _dollar_field(draw: Any, fields: st.SearchStrategy[str]) -> str:
    field = draw(fields)
    broken = [f"${{{field}"] if draw(st.integers(0, 5)) == 0 else []
    return draw(st.sampled_from([f"${field}", f"${{{field}}}", f"${{{field}}}", "$$", f"$${field}", *broken]))
