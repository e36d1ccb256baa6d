"""Recipes for every kind of value a program hands to logging, and hypothesis strategies for them.

A recipe is plain data and is built afresh on each side, so that no state (a traceback, a cache, a counter) crosses over.
"""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import logging
import types
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from oracle.world import World

ERRORS = {e.__name__: e for e in (ValueError, KeyError, TypeError, RecursionError, OSError, KeyboardInterrupt, StopIteration)}


@dataclasses.dataclass(frozen=True)
class Make:
    """A value to be made when the scenario runs."""

    kind: str
    of: Any = None

    def build(self, w: World) -> Any:
        """The value itself."""
        return BUILDERS[self.kind](w, build(self.of, w))


def build(value: Any, w: World) -> Any:
    """The value with all recipes in it made."""
    if isinstance(value, Make):
        return value.build(w)
    if type(value) in (list, tuple):
        return type(value)(build(item, w) for item in value)
    if type(value) is dict:
        return {key: build(item, w) for key, item in value.items()}
    return value


class Colour(enum.Enum):
    """An enumeration."""

    RED = 1


class Number(enum.IntEnum):
    """Integers with names."""

    ONE = 1


class Flag(enum.StrEnum):
    """Strings with names."""

    A = "flag a"


class OwnStr(str):
    """A string that shows itself otherwise."""

    __slots__ = ()

    def __str__(self) -> str:
        return "own str"

    def __mod__(self, other: object) -> str:
        return f"own mod {other!r}"


class PlainStr(str):
    """A string subclass that changes nothing."""

    __slots__ = ()


class OwnInt(int):
    """An integer that shows itself otherwise."""

    def __str__(self) -> str:
        return "own int"

    __repr__ = __str__


class OwnFloat(float):
    """A float that shows itself otherwise."""

    def __str__(self) -> str:
        return "own float"

    __repr__ = __str__


class OwnTuple(tuple):
    """A tuple subclass."""

    __slots__ = ()


class OwnDict(dict):
    """A mapping that answers every question."""

    def __missing__(self, key: object) -> str:
        return f"missing {key}"


class Asked(Mapping):
    """A mapping that is no dict."""

    def __init__(self, data: dict[str, object]) -> None:
        self.data = data

    def __getitem__(self, key: str) -> object:
        return self.data[key]

    def __iter__(self) -> Any:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


class Shown:
    """Writes down each time it is shown, and how."""

    def __init__(self, w: World, of: object) -> None:
        self.w, self.of = w, of

    def __str__(self) -> str:
        self.w.note("str of", self.of)
        return f"shown {self.of}"

    def __repr__(self) -> str:
        self.w.note("repr of", self.of)
        return f"Shown({self.of!r})"

    def __format__(self, spec: str) -> str:
        self.w.note("format of", self.of, spec)
        return f"formatted {spec}"


class Raises:
    """Cannot be shown."""

    def __init__(self, error: str) -> None:
        self.error = ERRORS[error]

    def __str__(self) -> str:
        raise self.error("not to be shown")

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        raise self.error("not to be formatted")


class Logs:
    """Logs while it is shown (contract 5.6, item 43). Not while another does: a MemoryHandler that is full shows all that it has for each
    record, so that this would end only with the stack, which is as deep as frames are large."""

    busy = False

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        if not Logs.busy:
            Logs.busy = True
            try:
                logging.getLogger(self.name).warning("logged while shown")
            finally:
                Logs.busy = False
        return "logs"


class NoText:
    """Its `__str__` gives no text."""

    def __str__(self) -> Any:
        return self

    def __repr__(self) -> str:
        return "NoText()"


class Indexed:
    """Can be made a number in every way."""

    def __index__(self) -> int:
        return 65

    def __float__(self) -> float:
        return 6.5

    def __repr__(self) -> str:
        return "Indexed()"


BUILDERS: dict[str, Any] = {
    "own str": lambda w, of: OwnStr(of),
    "plain str": lambda w, of: PlainStr(of),
    "own int": lambda w, of: OwnInt(of),
    "own float": lambda w, of: OwnFloat(of),
    "own tuple": lambda w, of: OwnTuple(of),
    "own dict": lambda w, of: OwnDict(of),
    "user dict": lambda w, of: collections.UserDict(of),
    "default dict": lambda w, of: collections.defaultdict(int, of),
    "chain map": lambda w, of: collections.ChainMap(of),
    "proxy": lambda w, of: types.MappingProxyType(of),
    "asked": lambda w, of: Asked(of),
    "shown": Shown,
    "raises": lambda w, of: Raises(of),
    "logs": lambda w, of: Logs(of),
    "no text": lambda w, of: NoText(),
    "indexed": lambda w, of: Indexed(),
    "colour": lambda w, of: Colour.RED,
    "number": lambda w, of: Number.ONE,
    "flag": lambda w, of: Flag.A,
    "decimal": lambda w, of: decimal.Decimal(of),
    "fraction": lambda w, of: fractions.Fraction(1, 3),
    "date": lambda w, of: datetime.datetime(2020, 1, 2, 3, 4, 5, of),
    "bytearray": lambda w, of: bytearray(of),
    "exception": lambda w, of: ERRORS[of]("as a value"),
    "class": lambda w, of: Colour,
    "namespace": lambda w, of: types.SimpleNamespace(a=of),
}

words = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["", "plain", "a\nb", "100%", "%s", "%(a)s", "{}", "$x", "\xe9\u20ac\U0001f600", "\ud800", "a\0b", "\r\n", "\u2028"]
)
# No number between is drawn: as the width of a "%*d" it would ask for gigabytes.
numbers = st.integers(-300, 300) | st.sampled_from([0, -1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**40, -(10**40)])
floats = st.floats() | st.sampled_from([0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e16, 1e-5, 123456.789, 0.1, 1e300])
scalars = st.one_of(st.none(), st.booleans(), numbers, floats, words, st.binary(max_size=4), st.complex_numbers(max_magnitude=10))
makes = st.one_of(
    st.builds(Make, st.just("own str"), words),
    st.builds(Make, st.just("plain str"), words),
    st.builds(Make, st.just("own int"), st.integers(-9, 9)),
    st.builds(Make, st.just("own float"), st.just(1.5)),
    st.builds(Make, st.just("shown"), words),
    st.builds(Make, st.just("raises"), st.sampled_from(sorted(ERRORS))),
    st.builds(Make, st.just("logs"), st.sampled_from(["app", "app.sub", "elsewhere"])),
    st.builds(Make, st.sampled_from(["no text", "indexed", "colour", "number", "flag", "fraction", "class"])),
    st.builds(Make, st.just("decimal"), st.sampled_from(["1.10", "NaN", "-1E+5"])),
    st.builds(Make, st.just("date"), st.integers(0, 999999)),
    st.builds(Make, st.just("bytearray"), st.binary(max_size=3)),
    st.builds(Make, st.just("exception"), st.sampled_from(sorted(ERRORS))),
)
keys = st.sampled_from(["a", "b", "name", "message", "0", "x y", "\xe9"])
leaves = scalars | scalars | makes
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=3),
        st.builds(Make, st.just("namespace"), inner),
    ),
    max_leaves=4,
)
mappings = st.one_of(
    st.dictionaries(keys, leaves, max_size=3),
    st.builds(
        Make,
        st.sampled_from(["own dict", "user dict", "default dict", "chain map", "proxy", "asked"]),
        st.dictionaries(keys, leaves, max_size=3),
    ),
)
