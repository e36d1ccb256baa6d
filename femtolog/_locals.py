"""What is kept of local variables in exceptions: few, short, and nothing whose name says that it is a secret.

It runs where something has gone wrong already: whatever a value of the program's raises becomes a placeholder.
"""

from __future__ import annotations

import re
import traceback

from femtolog.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType, TracebackType
    from typing import Any

REDACTED: tuple[str, ...] = (
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "access_key",
    "private_key",
    "authorization",
    "credential",
    "cookie",
    "session_id",
)
"""Parts of names whose values nobody is to read, in any case, with or without `_` and `-`."""

STARS = "***"
MOST = 20
"""Variables of a frame; items of a collection."""
LONGEST = 200
"""Characters of a value."""
DEEPEST = 4
"""Collections in each other."""


class Locals:
    """Makes text of a frame's variables. `redact` are parts of the names whose values become `***`.

    TypeError, ConfigurationError for a `redact` that is no list of such.
    """

    def __init__(self, redact: Iterable[str] = REDACTED) -> None:
        words = [redact] if isinstance(redact, str) else list(redact)
        if isinstance(redact, str) or not all(isinstance(word, str) for word in words):
            raise TypeError(f"redact must be several str, got {redact!r}")
        parts = {_squeezed(word) for word in words}
        if "" in parts:
            raise ConfigurationError(f"redact must be parts of names, with letters or digits, got {words!r}")
        # In a text, a name may be divided: api_key, api-key.
        names = "|".join("[_ -]?".join(part) for part in sorted(parts))
        self._parts = parts
        self._in_text = re.compile(rf"(?i)(?:{names})[\w-]*(?:[\"'\\]*\s*[:=]|[\"']\s*,)\s*") if parts else None

    def of(self, frame: FrameType) -> dict[str, str]:
        """The first variables of the frame, but for those of the interpreter."""
        try:
            variables = frame.f_locals
            names = [name for name in variables if not name.startswith("__")]
            return {name: self._value(name, variables[name]) for name in names[:MOST]}
        except Exception:  # noqa: BLE001 - the body of a class may have any mapping for its names
            return {}

    def of_frames(self, trace: TracebackType | None) -> Iterator[dict[str, str]]:
        """The variables of each frame."""
        return (self.of(frame) for frame, _ in traceback.walk_tb(trace))

    def traceback_of(self, error: BaseException, trace: TracebackType | None) -> str:
        """The text that the standard library makes with its own `capture_locals`."""
        whole = traceback.TracebackException(type(error), error, trace)
        todo: list[tuple[Any, Any, TracebackType | None]] = [(whole, error, trace)]
        while todo:
            described, current, its_trace = todo.pop()
            # Where sys.tracebacklimit is set, the first frames are described.
            for frame, variables in zip(described.stack, self.of_frames(its_trace), strict=False):
                frame.locals = variables
            others = [(described.__cause__, current.__cause__), (described.__context__, current.__context__)]
            if described.exceptions is not None:
                others += zip(described.exceptions, current.exceptions, strict=False)
            todo += [(it, its_error, its_error.__traceback__) for it, its_error in others if it is not None]
        return "".join(whole.format()).removesuffix("\n")

    def _value(self, name: object, value: object, depth: int = 0) -> str:
        return STARS if self._is_secret(name) else self._text(value, depth)

    def _is_secret(self, name: object) -> bool:
        squeezed = _squeezed(name.decode("latin-1") if isinstance(name, bytes) else name if isinstance(name, str) else "")
        return any(part in squeezed for part in self._parts)

    def _text(self, value: object, depth: int) -> str:
        try:
            how = type(value).__repr__
            if how in _WALKED:
                return self._collection(value, _WALKED[how], depth)
            return self._searched(repr(value[:LONGEST] if how in _LONG else value))  # type: ignore[index] # the long ones are sequences
        except Exception:  # noqa: BLE001 - whatever a `__repr__` raises
            return f"<unprintable {type(value).__name__} object>"

    def _collection(self, value: Any, brackets: str, depth: int) -> str:
        if depth == DEEPEST:
            return f"{brackets[0]}…{brackets[1]}"
        depth += 1
        if isinstance(value, dict):
            made = (f"{self._text(key, depth)}: {self._value(key, item, depth)}" for key, item in value.items())
        elif len(value) == 2 and brackets == "()":  # perhaps a name and a value, as headers have them
            made = (self._value(name, item, depth) for name, item in zip((None, value[0]), value, strict=True))
        else:
            made = (self._text(item, depth) for item in value)
        parts: list[str] = []
        left = LONGEST
        for part in made:
            if len(parts) == MOST or left <= 0:
                parts.append("…")
                break
            parts.append(part)
            left -= len(part)
        comma = "," if brackets == "()" and len(value) == 1 else ""
        return _cut(brackets[0] + ", ".join(parts) + comma + brackets[1])

    def _searched(self, text: str) -> str:
        """What stands behind `password=` in the text of an object is the rest of it: nobody knows where the value ends."""
        text = text[: LONGEST + 1]
        found = self._in_text.search(text) if self._in_text else None
        return _cut(text) if found is None else _cut(text[: found.end()], LONGEST - len(STARS)) + STARS


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _cut(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


_WALKED: dict[Callable[..., str], str] = {
    dict.__repr__: "{}",
    list.__repr__: "[]",
    tuple.__repr__: "()",
    set.__repr__: "{}",
    frozenset.__repr__: "{}",
}
"""Collections that are shown item by item, by what makes their text: those that have text of their own are asked for it."""

_LONG = (str.__repr__, bytes.__repr__, bytearray.__repr__)
"""What makes text of values of which the beginning is enough."""
