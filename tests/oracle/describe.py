"""Values as text that two runs can compare: types, contents and order matter, addresses and logging's own frames do not.

A native method has no Python frame, so the frames of `Lib/logging` are left out of tracebacks and stacks on both sides; every other
frame, line and name has to be the same.
"""

import logging
import os
import re
import traceback
import types

# As they are before any test replaces them.
_basename, _dirname = os.path.basename, os.path.dirname
_PACKAGE = os.path.dirname(logging.__file__)
_RECORD = logging.LogRecord  # a scenario may put another in its place
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")
_LOGGING_ENTRY = re.compile(
    r'^( *(?:[|+] *)*)  File "' + re.escape(_PACKAGE) + r'[/\\][^"\n]*", line \d+, in [^\n]*\n'
    r"(?:\1    [^\n]*\n)*",  # the source line and, from 3.11, the marks below it
    re.MULTILINE,
)
_ERROR = "--- Logging error ---\n"
_TRACE = "Traceback (most recent call last):\n"
_ENTRY = re.compile(r'^  File "[^\n]*\n(?:    [^\n]*\n)*', re.MULTILINE)
_STACK = re.compile(r'(?:  (?:File "|\[Previous line)[^\n]*\n(?:    [^\n]*\n)*)*')
_WHERE = re.compile(r'  File "[^"\n]*", line \d+, in [^\n]*')
_NO_FRAMES = re.compile(re.escape(_TRACE) + r"(?!  File )")
_LIVE_TEXT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d{3})?\b")
_CLOCKED = ("created", "msecs", "relativeCreated", "asctime")


def text(value: str, *, live: bool = False) -> str:
    """A text without addresses and logging's own frames; with a live clock also without the usual date."""
    value = _LOGGING_ENTRY.sub("", _ADDRESS.sub("0x…", value))
    head, *blocks = value.split(_ERROR)
    value = _ERROR.join([head, *map(_same_error_block, blocks)])
    return _LIVE_TEXT.sub("<time>", value) if live else value


def _same_error_block(block: str) -> str:
    """An error that starts in native code has the calling frame as its traceback or none, the stdlib has its own frames there."""
    trace, call, stack = block.partition("Call stack:\n")
    listed = _STACK.match(stack)
    if not listed or not listed[0]:
        return block
    here = _WHERE.match(_ENTRY.findall(listed[0])[-1])[0]
    parts = []
    for part in trace.split(_TRACE):
        first = _ENTRY.match(part)
        parts.append(part[first.end() :] if first and _WHERE.match(first.group())[0] == here else part)
    return _NO_FRAMES.sub("", _TRACE.join(parts)) + call + stack


def frames(trace: types.TracebackType | None) -> list[str]:
    """The frames of a traceback that are not logging's own, as `function:line file`."""
    entries = traceback.extract_tb(trace)
    return [f"{e.name}:{e.lineno} {_basename(e.filename)}" for e in entries if _dirname(e.filename) != _PACKAGE]


def describe(value: object, *, live: bool = False, depth: int = 6) -> str:
    """One line for a value, exact in type and content."""
    if depth == 0:
        return "…"

    def inner(item: object) -> str:
        return describe(item, live=live, depth=depth - 1)

    kind = type(value)
    if kind is str:
        return ascii(text(value, live=live))
    if value is None or kind in (bool, int, float, complex, bytes):
        return repr(value)
    if kind in (list, tuple, set, frozenset):
        return f"{kind.__name__}({', '.join(map(inner, value))})"
    if isinstance(value, dict):
        return f"{kind.__name__}({', '.join(f'{inner(k)}: {inner(v)}' for k, v in value.items())})"
    if isinstance(value, _RECORD):
        return f"{kind.__module__}.{kind.__qualname__}{{{', '.join(_fields(value, live, depth))}}}"
    if isinstance(value, BaseException):
        return _exception(value, live, depth)
    if isinstance(value, types.TracebackType):
        return f"traceback{frames(value)}"
    if isinstance(value, type):
        return f"class {value.__module__}.{value.__qualname__}"
    if isinstance(value, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)):
        return f"callable {value.__name__}"  # a built-in method on 3.11 names the class of its instance
    try:
        shown = text(repr(value), live=live)
    except BaseException as error:  # an object whose repr raises is a value like another
        shown = f"<repr raised {type(error).__name__}>"
    return f"{kind.__module__}.{kind.__qualname__}:{shown!a}"


def _fields(record: logging.LogRecord, live: bool, depth: int) -> list[str]:
    """A record's attributes in the order of its `__dict__`."""
    masked = _CLOCKED if live else ()
    return [f"{k}={'<time>' if k in masked else describe(v, live=live, depth=depth - 1)}" for k, v in vars(record).items()]


def _exception(error: BaseException, live: bool, depth: int, caller: list[str] | None = None) -> str:
    """Type, text, arguments, notes, frames and what it came from."""
    if depth == 0:
        return "…"

    def inner(item: object) -> str:
        return describe(item, live=live, depth=depth - 1)

    try:
        shown = text(str(error), live=live)
    except BaseException as failure:  # see describe
        shown = f"<str raised {type(failure).__name__}>"
    seen = frames(error.__traceback__)
    if caller and seen[:1] and seen[0] in caller:
        del seen[0]  # native code gave it the frame that called logging; the stdlib has only its own frames there
    parts = [f"{type(error).__module__}.{type(error).__qualname__}", ascii(shown), inner(error.args), str(seen)]
    if getattr(error, "__notes__", None):
        parts.append(f"notes={inner(error.__notes__)}")
    if error.__cause__ is not None:
        parts.append(f"cause={_exception(error.__cause__, live, depth - 1, frames(error.__traceback__))}")
    elif error.__context__ is not None:
        parts.append(f"context={_exception(error.__context__, live, depth - 1, frames(error.__traceback__))}")
    return f"raised({', '.join(parts)})"
