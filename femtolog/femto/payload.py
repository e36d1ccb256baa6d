"""Exceptions and stacks as data: schema version 1, made of what strings, numbers, lists and dicts can say.

A payload holds no object of the program. What is empty is left out, but for `frames` of an exception that has been raised. Chains and
groups may be as deep as memory allows: nothing here calls itself. An attribute of an exception that raises, or is of another type than
those of the interpreter, is taken for absent: it runs where something has gone wrong already.
"""

from __future__ import annotations

import re
import traceback
from types import TracebackType

from femtolog._locals import REDACTED, Locals
from femtolog.errors import FemtologError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeVar

    _T = TypeVar("_T")

EXCEPTION_SCHEMA_VERSION = 1
MIN_EXCEPTION_SCHEMA_VERSION = 1

# A frame as `traceback` prints it, and its source line below it.
_FRAME = re.compile(r'^  File "(?P<filename>.*)", line (?P<lineno>\d+), in (?P<function>.*)$')


class SchemaVersionError(FemtologError, ValueError):
    """A payload is of a version that is not read here: `found` is its version."""

    def __init__(self, found: int, limit: str, supported: int) -> None:
        super().__init__(f"unsupported exception schema version: found {found}, {limit} supported is {supported}")
        self.found = found


class VersionTooNew(SchemaVersionError):  # noqa: N818 (the name that femtologging gives it)
    """The payload was made by something newer; `max_supported` is the newest version that is read.

    Examples:
        >>> from femtolog.femto import VersionTooNew, validate_schema_version
        >>> try:
        ...     validate_schema_version({"schema_version": 2})
        ... except VersionTooNew as error:
        ...     print(error.found, error.max_supported)
        2 1
    """

    def __init__(self, found: int, max_supported: int) -> None:
        super().__init__(found, "maximum", max_supported)
        self.max_supported = max_supported


class VersionTooOld(SchemaVersionError):  # noqa: N818 (as above)
    """The payload was made by something older; `min_supported` is the oldest version that is read.

    Examples:
        >>> from femtolog.femto import VersionTooOld, validate_schema_version
        >>> try:
        ...     validate_schema_version({"schema_version": 0})
        ... except VersionTooOld as error:
        ...     print(error.found, error.min_supported)
        0 1
    """

    def __init__(self, found: int, min_supported: int) -> None:
        super().__init__(found, "minimum", min_supported)
        self.min_supported = min_supported


def validate_schema_version(payload: Mapping[str, Any]) -> None:
    """Raises VersionTooNew or VersionTooOld for a payload that a reader of this version cannot take. TypeError if it has no version.

    Examples:
        >>> from femtolog.femto import exception_payload, validate_schema_version
        >>> validate_schema_version(exception_payload(ValueError("no stock")))
        >>> validate_schema_version({"schema_version": 2})
        Traceback (most recent call last):
        femtolog.femto.payload.VersionTooNew: unsupported exception schema version: found 2, maximum supported is 1
    """
    found = payload.get("schema_version")
    if not isinstance(found, int) or isinstance(found, bool):
        raise TypeError(f"schema_version must be an int, got {found!r}")
    if found > EXCEPTION_SCHEMA_VERSION:
        raise VersionTooNew(found, EXCEPTION_SCHEMA_VERSION)
    if found < MIN_EXCEPTION_SCHEMA_VERSION:
        raise VersionTooOld(found, MIN_EXCEPTION_SCHEMA_VERSION)


def exception_payload(
    error: BaseException,
    trace: TracebackType | None = None,
    *,
    capture_locals: bool = False,
    redact: Iterable[str] = REDACTED,
) -> dict[str, Any]:
    """An exception, its causes and contexts, and the exceptions of a group. `trace` is used instead of its own traceback if given.

    With `capture_locals` each frame has `locals`: the texts of 20 variables, of 200 characters, at most. The value of a variable, a key or an
    attribute is `***` if its name has one of `redact` in it; TypeError or ConfigurationError for a `redact` that cannot be.

    Examples:
        >>> from femtolog.femto import exception_payload
        >>> payload = exception_payload(ValueError("no stock"))
        >>> payload["type_name"], payload["message"]
        ('ValueError', 'no stock')
    """
    return payload_of(error, trace, Locals(redact) if capture_locals else None)


def payload_of(error: BaseException, trace: TracebackType | None, kept: Locals | None) -> dict[str, Any]:
    """The same, with what is `kept` of frames' variables."""
    whole: dict[str, Any] = {}
    todo: list[tuple[BaseException, TracebackType | None, dict[str, Any]]] = [
        (error, trace or _part(error, "__traceback__", TracebackType), whole)
    ]
    seen = {id(error)}
    while todo:
        current, its_trace, payload = todo.pop()
        _describe(current, its_trace, payload, kept)
        for key in ("cause", "context"):
            other = _part(current, f"__{key}__", BaseException)
            if other is not None and id(other) not in seen:
                seen.add(id(other))
                payload[key] = {}
                todo.append((other, _part(other, "__traceback__", TracebackType), payload[key]))
        payload["suppress_context"] = _part(current, "__suppress_context__", bool) or False
        members = _listed(current, "exceptions") if isinstance(current, BaseExceptionGroup) else []
        new = [member for member in members if issubclass(type(member), BaseException) and id(member) not in seen]
        if new:
            seen.update(map(id, new))
            payload["exceptions"] = [{} for _ in new]
            for member, made in zip(new, payload["exceptions"], strict=True):
                todo.append((member, _part(member, "__traceback__", TracebackType), made))
    return whole


def stack_payload(text: str) -> dict[str, Any]:
    """The stack that a record has as text, as `logging` prints it. What does not look like a frame is not one."""
    frames: list[dict[str, Any]] = []
    for line in text.splitlines():
        if found := _FRAME.match(line):
            frames.append({**found.groupdict(), "lineno": int(found["lineno"])})
        elif frames and line.startswith("    ") and "source_line" not in frames[-1]:
            frames[-1]["source_line"] = line.strip()
    return {"schema_version": EXCEPTION_SCHEMA_VERSION, "frames": frames}


def _describe(error: BaseException, trace: TracebackType | None, payload: dict[str, Any], kept: Locals | None) -> None:
    kind = type(error)
    payload["schema_version"] = EXCEPTION_SCHEMA_VERSION
    payload["type_name"] = kind.__qualname__
    module = _part(kind, "__module__", str)
    if module is not None and module != "builtins":
        payload["module"] = module
    payload["message"] = _text_of(error, str)
    args = _listed(error, "args")
    if args:
        payload["args_repr"] = [_text_of(arg, repr) for arg in args]
    notes = _listed(error, "__notes__")
    if notes:
        payload["notes"] = [_text_of(note, str) for note in notes]
    if trace is not None:
        payload["frames"] = frames = [_frame(frame) for frame in traceback.extract_tb(trace)]
        if kept is not None:
            for frame, variables in zip(frames, kept.of_frames(trace), strict=False):
                if variables:
                    frame["locals"] = variables


def _part(thing: object, name: str, *kinds: type[_T]) -> _T | None:
    """An attribute; None if it is not there, raises or is of another type. What it says of its `__class__` is not asked for."""
    try:
        value = getattr(thing, name, None)
    except Exception:  # noqa: BLE001 - anybody's property
        return None
    return value if issubclass(type(value), kinds) else None


def _listed(thing: object, name: str) -> list[Any]:
    """What an attribute that is a list or a tuple has in it; nothing if it is none, or raises."""
    value = _part(thing, name, list, tuple)
    try:
        return [] if value is None else list(value)
    except Exception:  # noqa: BLE001 - a subclass
        return []


def _text_of(value: object, how: type[str] | Any) -> str:
    """`str` or `repr` of something of the program's, which may raise."""
    try:
        return str(how(value))
    except Exception:  # noqa: BLE001 - the text of an exception must not be another exception
        return f"<unprintable {type(value).__name__} object>"


def _frame(frame: traceback.FrameSummary) -> dict[str, Any]:
    described: dict[str, Any] = {"filename": frame.filename, "lineno": frame.lineno, "function": frame.name}
    for key in ("end_lineno", "colno", "end_colno"):
        value = getattr(frame, key, None)
        if value is not None:
            described[key] = value
    if frame.line:
        described["source_line"] = frame.line
    return described
