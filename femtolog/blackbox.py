"""The last records of a process, in a file of fixed size that is mapped into its memory: they outlive whatever ends the process.

A record is in the file when the call that logged it returns, without a system call: the pages are the kernel's. SIGKILL, the OOM killer, a
segfault and os._exit() take nothing away; a loss of power may. `python -m femtolog recover FILE` prints what is there.

The file is a header, and a ring of entries, each with a number and a checksum, in multiples of eight bytes. An entry is in one piece: where
none fits before the end, a filler takes the room. What a process was writing when it was killed has a wrong checksum, and is skipped.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import struct
import sys
import weakref
import zlib
from typing import NamedTuple

from femtolog._live import each
from femtolog.errors import HandlerConfigError, HandlerIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["BlackBoxHandler", "Recovered", "recover"]

SMALLEST = 4096
DEFAULT = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")

_MAGIC: Final = b"femtolog ring 1\n"
_HEADER: Final = struct.Struct("<16s8sI36x")
"""Magic, tag, process id."""
_ENTRY: Final = struct.Struct("<8sIQI")
"""Tag, checksum of the rest, number (0: a filler), length. The tag is random, so that no text can look like an entry."""
_TAIL: Final = struct.Struct("<QI")
_ALIGNMENT = 8

_live: weakref.WeakSet[BlackBoxHandler] = weakref.WeakSet()


class BlackBoxHandler(logging.Handler):
    """Keeps as many of the last records as go into `size` bytes. `{pid}` in the path stands for the process id.

    A file of that name is renamed to `NAME.old` first: what was in it may be what a crash has left. A forked child has a file of its own,
    with its process id before the extension unless `{pid}` says where. A text longer than a quarter of the ring is cut.
    HandlerConfigError for a size below 4096; OSError if there cannot be such a file, or no room for all of it.

    Examples:
        >>> import logging
        >>> from femtolog.blackbox import BlackBoxHandler, recover
        >>> logging.basicConfig(handlers=[BlackBoxHandler("app.ring")], format="%(levelname)s %(message)s")
        >>> logging.warning("order %d paid", 17)
        >>> recover("app.ring").texts
        ['WARNING order 17 paid']
    """

    def __init__(self, path: str | os.PathLike[str], size: int = 1 << 20, level: int | str = logging.NOTSET) -> None:
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(f"size must be an int, got {size!r}")
        if size < SMALLEST:
            raise HandlerConfigError(f"size must be at least {SMALLEST}, got {size}")
        super().__init__(level)
        self.path = os.path.abspath(os.fspath(path))
        self.size = size
        self._owner = os.getpid()
        self._is_closed = False
        self._ring: _Ring | None = _Ring(self.current_path(), size)
        _live.add(self)

    def current_path(self) -> str:
        """The file of this process."""
        pid = os.getpid()
        if "{pid}" in self.path:
            return self.path.replace("{pid}", str(pid))
        root, extension = os.path.splitext(self.path)
        return self.path if pid == self._owner else f"{root}.{pid}{extension}"

    def format(self, record: logging.LogRecord) -> str:
        """As its formatter does; without one, time, level, name and message."""
        return (self.formatter or DEFAULT).format(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record over the oldest ones. Nothing happens after close()."""
        try:
            text = self.format(record).encode("utf-8", "backslashreplace")
            if self._is_closed:
                return
            if self._ring is None:  # in a forked child
                self._ring = _Ring(self.current_path(), self.size)
            self._ring.write(text)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - as every emit of the stdlib
            self.handleError(record)

    def flush(self) -> None:
        """Has the file written to the disk: after that it outlives a loss of power, too."""
        self.acquire()
        try:
            if self._ring is not None:
                self._ring.sync()
        finally:
            self.release()

    def close(self) -> None:
        """Lets go of the file, which stays."""
        self.acquire()
        try:
            ring, self._ring, self._is_closed = self._ring, None, True
            if ring is not None:
                ring.close()
        finally:
            self.release()
            super().close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path} ({logging.getLevelName(self.level)})>"


class _Ring:
    """The file, as its only writer sees it."""

    def __init__(self, path: str, size: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, f"{path}.old")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _allocate(descriptor, size)
            self._map = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        self._tag = os.urandom(8)
        self._seed = zlib.crc32(self._tag)
        self._at = _HEADER.size
        self._end = size - size % _ALIGNMENT
        self._longest = (self._end - _HEADER.size) // 4 - _ENTRY.size
        self._number = 0
        self._map[: _HEADER.size] = _HEADER.pack(_MAGIC, self._tag, os.getpid())

    def write(self, text: bytes) -> None:
        if len(text) > self._longest:
            text = text[: self._longest - 3] + b"..."
        length = _aligned(_ENTRY.size + len(text))
        if self._at + length > self._end:
            self._fill()
        self._number += 1
        start, self._at = self._at, self._at + length
        self._put(start, self._number, text)

    def _fill(self) -> None:
        """What remains of older entries behind the last one would be out of order."""
        start, room = self._at, self._end - self._at
        self._at = _HEADER.size
        if room >= _ENTRY.size:
            self._put(start, 0, bytes(room - _ENTRY.size))
        else:
            self._map[start : self._end] = bytes(room)

    def _put(self, start: int, number: int, text: bytes) -> None:
        tail = _TAIL.pack(number, len(text))
        checksum = zlib.crc32(text, zlib.crc32(tail, self._seed))
        self._map[start : start + _ENTRY.size + len(text)] = _ENTRY.pack(self._tag, checksum, number, len(text)) + text

    def sync(self) -> None:
        self._map.flush()

    def close(self) -> None:
        self._map.close()


def _aligned(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT


def _allocate(descriptor: int, size: int) -> None:
    """Gives the file all its blocks: where there is no room for a page that is written to later, the kernel ends the process."""
    if hasattr(os, "posix_fallocate"):
        with contextlib.suppress(OSError):  # a file system that cannot; no room is found out below
            os.posix_fallocate(descriptor, 0, size)
            return
    written = 0
    while written < size:
        written += os.write(descriptor, bytes(min(size - written, 1 << 20)))


class Recovered(NamedTuple):
    """What was found in a black box.

    Examples:
        >>> from femtolog.blackbox import Recovered
        >>> Recovered(["ready"], torn=0, first=1, pid=4711).texts
        ['ready']
    """

    texts: list[str]
    """Of the records, the oldest first."""
    torn: int
    """Entries that were being written when the process was killed."""
    first: int
    """The number of the first of these records among all of the process, from 1."""
    pid: int
    """The process's id."""


def recover(path: str | os.PathLike[str]) -> Recovered:
    """The records of a black box, whose process may be alive. HandlerIOError if the file is none, OSError if it cannot be read.

    Examples:
        >>> from femtolog.blackbox import BlackBoxHandler, recover
        >>> handler = BlackBoxHandler("empty.ring")
        >>> recover("empty.ring").texts
        []
    """
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise HandlerIOError(f"{os.fspath(path)} is no black box of femtolog")
    _, tag, pid = _HEADER.unpack_from(data)
    seed = zlib.crc32(tag)
    found: dict[int, str] = {}
    torn = 0
    at = data.find(tag, _HEADER.size)
    while 0 <= at <= len(data) - _ENTRY.size:
        _, checksum, number, length = _ENTRY.unpack_from(data, at)
        text = data[at + _ENTRY.size : at + _ENTRY.size + length]
        if zlib.crc32(text, zlib.crc32(_TAIL.pack(number, length), seed)) == checksum and len(text) == length:
            if number:
                found[number] = text.decode("utf-8", "backslashreplace")
            at += _aligned(_ENTRY.size + length)
        else:
            torn += 1
            at += _ALIGNMENT
        at = data.find(tag, at)
    numbers = sorted(found)
    return Recovered([found[number] for number in numbers], torn, numbers[0] if numbers else 0, pid)


def main(arguments: list[str]) -> None:
    """`python -m femtolog recover FILE...`"""
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m femtolog recover",
        description="Print the records of black boxes, the oldest first, and on the standard error what each of the files is.",
    )
    parser.add_argument("file", nargs="+", help="written by femtolog.blackbox.BlackBoxHandler")
    failed = False
    for path in parser.parse_args(arguments).file:
        try:
            found = recover(path)
        except OSError as error:
            sys.stderr.write(f"femtolog recover: {error}\n")
            failed = True
            continue
        for text in found.texts:
            sys.stdout.buffer.write(f"{text}\n".encode())
        sys.stdout.flush()
        told = f"{len(found.texts)} records of process {found.pid}, the first of them its {found.first}."
        sys.stderr.write(f"{path}: {told} Torn entries that were skipped: {found.torn}\n")
    sys.exit(failed)


def _after_fork_in_child() -> None:
    each(_live, _leave)


def _leave(handler: BlackBoxHandler) -> None:
    ring, handler._ring = handler._ring, None  # noqa: SLF001
    if ring is not None:
        ring.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
