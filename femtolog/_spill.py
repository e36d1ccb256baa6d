"""What enqueue(overflow="spill") keeps on disk of a record, and where.

Text and JSON: nothing that is read back can do more than be a value. How the files look, and who may use them, native/core/src/spool says.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import weakref

from femtolog._enqueue import AGAIN
from femtolog.errors import HandlerConfigError, HandlerIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from femtolog._enqueue import _Pipeline
    from femtolog._native import QueuedRecord

_UNITS = {"": 1, "B": 1} | {
    f"{letter}{i}B": (1024 if i else 1000) ** (n + 1) for n, letter in enumerate("KMGT") for i in ("", "I")
}

_owners: weakref.WeakKeyDictionary[logging.Handler, tuple[str, Callable[[], bool]]] = weakref.WeakKeyDictionary()
"""Whose directory is which, and whether that handler is closed."""


class Place:
    """A directory for a handler's records, and how large it may be; `name`: how the options are called."""

    def __init__(self, name: str, directory: str | os.PathLike[str], size: str | int) -> None:
        if not isinstance(directory, str | os.PathLike) or not os.fspath(directory):
            raise TypeError(f"{name}_dir must be a path, got {directory!r}")
        self.name = name
        self.dir = os.path.realpath(os.fsdecode(directory))
        self.size = size_of(f"{name}_max", size)

    def claim(self, handler: logging.Handler, is_closed: Callable[[], bool], opened: Callable[[], None]) -> None:
        """Takes what an earlier process has left. HandlerIOError if that cannot be, HandlerConfigError if another handler has the directory."""
        for owner, (directory, owner_is_closed) in list(_owners.items()):
            if directory == self.dir and not owner_is_closed():
                raise HandlerConfigError(
                    f"{self.name}_dir must be no other handler's, got {self.dir!r}, which is that of {owner!r}"
                )
        try:
            opened()
        except OSError as error:
            raise HandlerIOError(f"{self.name}_dir must be a directory to write to, got {self.dir!r}: {error}") from error
        _owners[handler] = self.dir, is_closed


class Spilling(Place):
    """What enqueue() is told of it."""

    def __init__(self, spill_dir: str | os.PathLike[str] | None, spill_max: str | int) -> None:
        if spill_dir is None:
            raise HandlerConfigError("spill_dir must be a directory with overflow='spill', got None")
        super().__init__("spill", spill_dir, spill_max)

    def arguments(self, handler: weakref.ref[Any], made: type[QueuedRecord]) -> tuple[str, int, Any]:
        """As a RecordQueue takes them."""
        return self.dir, self.size, functools.partial(decoded, handler, made)

    def encoded(self, item: QueuedRecord) -> tuple[bytes | None, bytes]:
        """The record's text, and the rest of it."""
        return encoded(item)

    def open(self, handler: logging.Handler, pipeline: _Pipeline) -> None:
        """Takes what an earlier process has left: see claim()."""
        # A forked child has another queue.
        self.claim(handler, lambda: pipeline.queue.is_closed(), pipeline.queue.open_spill)  # noqa: PLW0108


def size_of(name: str, value: object) -> int:
    """Bytes, of an int or of a text such as "1 GiB" or "500 MB"."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{name} must be an int or a str, got {value!r}")
    size = value
    if isinstance(size, str):
        found = re.fullmatch(r"\s*([0-9]+)\s*([A-Za-z]*)\s*", size)
        unit = _UNITS.get(found[2].upper()) if found else None
        if found is None or unit is None:
            raise HandlerConfigError(f"{name} must be a size such as '1 GiB', '500 MB' or '4096', got {value!r}")
        size = int(found[1]) * unit
    if not 0 < size < 1 << 63:
        raise HandlerConfigError(f"{name} must be at least 1 byte and less than 8 EiB, got {value!r}")
    return size


def encoded(item: QueuedRecord) -> tuple[bytes | None, bytes]:
    """The text of a record, and everything else that is kept. What has no JSON is kept as its `str()`."""
    record, text = item.record, item.text
    fields = dict(vars(record))
    exc_info = fields.get("exc_info")
    if exc_info and not fields.get("exc_text"):
        fields["exc_text"] = logging.Formatter().formatException(exc_info)
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - then the format is all there is
        message = _text(record.msg)
    fields |= {"msg": message, "args": None, "exc_info": None}
    made: dict[str, object] = {"record": fields}
    line: bytes | None = None
    if isinstance(text, str):
        try:
            line = text.encode()
        except UnicodeEncodeError:  # a lone surrogate, which JSON can say
            made["text"] = text
    elif isinstance(text, Exception):
        made["error"] = f"{type(text).__name__}: {_text(text)}"
    return line, _json(made)


def _json(made: dict[str, Any]) -> bytes:
    try:
        return json.dumps(made, default=_text).encode()
    except Exception:  # noqa: BLE001 - a circle, a key that is no text, a number too long to print
        made["record"] = {str(name): _plain(value) for name, value in made["record"].items()}
        return json.dumps(made).encode()


def _plain(value: object) -> object:
    try:
        return json.loads(json.dumps(value, default=_text))
    except Exception:  # noqa: BLE001
        return _text(value)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - whatever a `__str__` raises
        return f"<{type(value).__name__}>"


def decoded(handler: weakref.ref[Any], queued: type[QueuedRecord], line: bytes | None, rest: bytes) -> QueuedRecord:
    """The record, as it was on the queue. Whatever is wrong with it is an exception."""
    made = json.loads(rest)
    record = logging.LogRecord.__new__(logging.LogRecord)
    vars(record).update(made["record"], args=())
    text: object = made.get("text", AGAIN) if line is None else line.decode()
    if "error" in made:
        text = RuntimeError(made["error"])
    owner: Any = handler()
    return queued(owner, record, text)
