"""What may be done a second time: whose formatting runs no code of the program's, and why that of others would."""

from __future__ import annotations

import sys
import time
from types import BuiltinFunctionType, FunctionType, WrapperDescriptorType

from femtolog._shadow.found import Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STEPS_OF_A_FORMATTER = ("usesTime", "formatTime", "formatMessage", "formatException", "formatStack")


def formatter_obstacle(formatter: Any) -> str:
    """Why a formatter cannot format a second time: code of the program would run. Empty: it can."""
    runs = Found.native.runs
    if not has_plain_attributes(formatter):
        return f"{_class(formatter)} has a lookup of attributes of its own"
    for step in STEPS_OF_A_FORMATTER:
        if runs(formatter, step) is None:
            return f"{_class(formatter)} has a {step}() of its own"
    style = formatter._style
    for step in ("usesTime", "format", "_format"):
        if runs(style, step) is None:
            return f"{_class(style)} has a {step}() of its own"
    if formatter.converter not in (time.localtime, time.gmtime):
        return f"{_class(formatter)} has a converter of its own"
    if type(formatter.datefmt) not in (str, type(None)):
        return f"{_class(formatter)} has a datefmt that is no str"
    return ""


def record_obstacle(formatter: Any, record: Any) -> str:
    if not has_plain_attributes(record) or not hasattr(record, "__dict__") or Found.native.runs(record, "getMessage") is None:
        return f"{_class(record)} is a record with code of its own"
    shown = str(formatter._fmt)
    # `list`, since another thread may add an attribute meanwhile.
    for name, value in [*list(vars(record).items()), *(getattr(formatter._style, "_defaults", None) or {}).items()]:
        if name not in ("msg", "args", "exc_info") and name in shown and not is_plain(value):
            return f"the field {name!r} shows an object of {_class(value)}, which takes code of the program"
    return ""


def has_plain_attributes(thing: Any) -> bool:
    kind: Any = type(thing)
    return kind.__getattribute__ is object.__getattribute__ and not hasattr(type(thing), "__getattr__")


KINDS_WITHOUT_CODE = frozenset(
    {str, int, float, bool, type(None), bytes, bytearray, complex, type(Ellipsis), type(NotImplemented), range, type}
    | {FunctionType, BuiltinFunctionType}
)
KINDS_OF_THE_LIBRARY = {
    "datetime": ("date", "datetime", "time", "timedelta"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "pathlib": ("PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "uuid": ("UUID",),
    "ipaddress": ("IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"),
}
"""Classes whose texts are made by the standard library alone, as often as one likes."""
DEEPEST, MOST = 6, 10_000


def is_plain(value: Any, depth: int = 0) -> bool:
    """Does str() or repr() of this run no code of the program's?"""
    kind: Any = type(value)
    if kind in KINDS_WITHOUT_CODE:
        return True
    if depth > DEEPEST:
        return False
    if kind in (tuple, list, set, frozenset):
        return len(value) <= MOST and all(is_plain(item, depth + 1) for item in list(value))
    if kind is dict:
        return len(value) <= MOST and all(is_plain(item, depth + 1) for pair in list(value.items()) for item in pair)
    if issubclass(kind, BaseException):
        own = (kind.__str__, kind.__repr__, kind.__format__)
        return (
            type(own[0]) is type(own[1]) is WrapperDescriptorType
            and own[2] is object.__format__
            and is_plain(value.args, depth + 1)
        )
    for module, names in KINDS_OF_THE_LIBRARY.items():
        if kind.__name__ in names and getattr(sys.modules.get(module), kind.__name__, None) is kind:
            return True
    return False


def is_plain_exception(exc_info: Any) -> bool:
    """Does rendering this exception, its causes and its notes run no code of the program's?"""
    if not (isinstance(exc_info, tuple) and len(exc_info) == 3):
        return False
    seen: set[int] = set()
    waiting: list[Any] = [exc_info[1]]
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        if (
            not is_plain(error)
            or type(getattr(error, "__notes__", [])) is not list
            or not is_plain(getattr(error, "__notes__", []))
        ):
            return False
        waiting += [error.__cause__, error.__context__, *(error.exceptions if isinstance(error, BaseExceptionGroup) else ())]
    return True


def _class(thing: Any) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def why_no_text(handler: Any) -> str:
    runs = Found.native.runs
    emit = runs(handler, "emit")
    if emit == "BufferingHandler.emit":
        return f"{_class(handler)} keeps the record; what its target makes of it is compared there"
    if emit is None:
        return f"{_class(handler)} has an emit() of its own, which does not call Formatter.format()"
    if runs(handler, "format") is None:
        return f"{_class(handler)} has a format() of its own"
    formatter = handler.formatter
    if formatter is not None and runs(formatter, "format") is None:
        return f"{_class(formatter)} has a format() of its own, which does not call Formatter.format()"
    return f"{_class(handler)} did not format it"
