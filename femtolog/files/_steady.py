"""An asynchronous file handler whose lines native code writes as the standard library would, and that goes on when they cannot be written.

Its `emit` and `flush` are the standard library's, so that the worker writes many lines with one call. What is done about a disk that fails
is done around that: before a batch, where the stream is asked for, and after a failure, which comes to `handleError`.

Invariant: whoever writes has the handler's lock, and only that thread looks at the file, closes it or opens it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import stat
import sys
import threading

from femtolog import _enqueue
from femtolog.files._backoff import Backoff
from femtolog.files._failures import Failures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import TextIOWrapper
    from typing import Any

    from femtolog.files._settings import Settings


class _PauseError(OSError):
    """It is not yet time for another attempt."""


class _RefusingStream(io.TextIOBase):
    """In the place of one that cannot be opened, where the caller of `emit` is nobody who would handle that."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def write(self, text: str) -> int:  # noqa: ARG002
        raise self._error


class Steady(logging.FileHandler):
    """The methods of such a handler, and what `Managed` has in common with it."""

    _stream: TextIOWrapper | None = None
    _emptied = False  # by the mode: what has been written since has to stay

    def _manage(self, settings: Settings) -> None:
        from femtolog.femto.options import BackoffConfig

        self._settings = settings
        given = settings.backoff
        self._backoff = Backoff(given if isinstance(given, BackoffConfig) else BackoffConfig(given))
        self._forget()

    def _forget(self) -> None:
        """No records yet: at the beginning, and in a forked child."""
        self._failures = Failures(self._settings.fallback)
        self._size = -1  # of the file before what is being written; -1 for one that is not regular
        self._looked_at = -1  # so many records were done then

    @property
    def _hung_with(self) -> logging.Handler | None:
        """Who hangs when this handler does, perhaps."""
        return self._failures.fallback

    def _prepare(self) -> None:
        """Looks at the standard library's arguments: all of them go with this."""

    def _drain(self) -> None:
        """The process is about to end: nothing waits here."""

    # ---- the file

    @property  # type: ignore[override]
    def stream(self) -> TextIOWrapper | None:
        """The open file, or None. Who is about to write asks for it, native code once for each batch."""
        self._look()
        return self._stream

    @stream.setter
    def stream(self, stream: TextIOWrapper | None) -> None:
        self._stream = stream

    def _look(self) -> None:
        """Closes a file that is no longer that of the path, if this thread is about to write: `emit` opens another one then."""
        pipeline = self._pipeline()
        if self._stream is None or pipeline is None or pipeline.writing != threading.get_ident():
            return
        done = pipeline.done()
        if done == self._looked_at:
            return  # the same record still
        self._looked_at = done
        if self._backoff.failing_since is not None:
            self._backoff.worked()  # or there would be no stream
        if self._is_moved():
            self._close_stream()
        else:
            self._size = _size_of(self._stream)

    def _pipeline(self) -> _enqueue._Pipeline | None:
        return getattr(self, _enqueue.ATTRIBUTE, None)

    def _open(self) -> TextIOWrapper:
        try:
            return self._opened()
        except OSError as error:
            pipeline = self._pipeline()
            if pipeline is None or not pipeline.queue.is_closed():
                raise
            return _RefusingStream(error)  # type: ignore[return-value]

    def _opened(self) -> TextIOWrapper:
        if not self._may_open():
            lost = self._failures.lost
            raise _PauseError(*(lost.args if isinstance(lost, OSError) else ()))  # whoever is told of it is told why
        if self.mode.startswith(("w", "x")):
            if not self._emptied:
                super()._open().close()
                self._emptied = True
            mode, self.mode = self.mode, "a"
            try:
                stream = super()._open()
            finally:
                self.mode = mode
        else:
            stream = super()._open()
        self._size = _size_of(stream)
        return stream

    def _may_open(self) -> bool:
        return self._backoff.may_try()

    def _is_moved(self) -> bool:
        """Is the open file no longer that of the path? Somebody has renamed or removed it, or its directory."""
        try:
            there, ours = os.stat(self.baseFilename), os.fstat(self._descriptor())
        except (OSError, ValueError):
            return True
        return there.st_ino != ours.st_ino or there.st_dev != ours.st_dev

    def _descriptor(self) -> int:
        return self._stream.fileno()  # type: ignore[union-attr]

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(OSError):  # of a file system that is gone
                stream.close()

    # ---- what could not be written

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the stdlib's name)
        """Gives a record that could not be written to the fallback; does for any other what the standard library does."""
        error, pipeline = sys.exc_info()[1], self._pipeline()
        writes = pipeline is not None and pipeline.writing == threading.get_ident()
        if not isinstance(error, OSError) or not (writes or (pipeline is not None and pipeline.queue.is_closed())):
            super().handleError(record)
            return
        if isinstance(error, _PauseError):
            self._close_stream()
        else:
            self._failures.lost = error.with_traceback(None)
            self._backoff.failed()
            if self._stream is not None:
                self._give_up_stream(record if writes else None)
        self._failures.add()
        self._failures.give(record, super().handleError)
        self._failures.warn(self)
        self._notice()

    def _notice(self) -> None:
        """The callbacks of an asynchronous handler are told why records have failed."""
        pipeline = self._pipeline()
        if pipeline is not None and pipeline.callbacks is not None:
            pipeline.callbacks.error = self._failures.lost
            pipeline.callbacks.notice(pipeline)

    def _give_up_stream(self, record: logging.LogRecord | None) -> None:
        """Closes the stream, whose buffer has kept a line or the rest of one, and takes what is written of that off the file."""
        stream: Any = self._stream
        try:
            descriptor = stream.fileno()
            file = os.dup(descriptor)
        except (OSError, ValueError):
            self._close_stream()
            return
        try:
            with contextlib.suppress(OSError):
                null = os.open(os.devnull, os.O_WRONLY)
                try:
                    os.dup2(null, descriptor, inheritable=False)  # where the buffer goes
                finally:
                    os.close(null)
            encoding, errors = stream.encoding, stream.errors
            self._close_stream()
            if record is not None and self._size >= 0:
                # A formatter may raise anything, and the file may be no longer there.
                with contextlib.suppress(Exception):
                    line = self._encoded(self.format(record), encoding, errors)
                    _take_back(
                        file, _piece(_read(self.baseFilename, file, self._size), line, self._encoded("", encoding, errors))
                    )
        finally:
            os.close(file)

    def _encoded(self, text: str, encoding: str, errors: str | None) -> bytes:
        """The line of a text, as it is in the file."""
        text += self.terminator
        if os.linesep != "\n":
            text = text.replace("\n", os.linesep)
        return text.encode(encoding, errors or "strict")

    # ---- close, account

    def close(self) -> None:
        """Closes the file. No OSError is raised."""
        self.acquire()
        try:
            self._close_stream()
            self._failures.warn(self, now=True)
        finally:
            self.release()
            super().close()

    def _account(self, queue: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What stats() tells. `queue`: the account of the queue before this handler, if it is asynchronous."""
        return {**(queue or {}), "fallback": self._failures.given, "failed_by": dict(self._failures.by_reason)}


def _size_of(stream: Any) -> int:
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return -1
    return status.st_size if stat.S_ISREG(status.st_mode) else -1


def _read(path: str, descriptor: int, start: int) -> bytes:
    """What is in the file of a descriptor that may not read, from there on; nothing if it is no longer that of the path."""
    with open(path, "rb") as file:
        if not os.path.samestat(os.fstat(file.fileno()), os.fstat(descriptor)):
            return b""
        file.seek(start)
        return file.read()


def _piece(written: bytes, line: bytes, end: bytes) -> int:
    """How many bytes at the end of what was written are the beginning of this line, and follow the `end` of another one, if any."""
    begin = len(written)
    while begin and end:
        before = written.rfind(end, 0, begin - 1)
        begin = before + len(end) if before >= 0 else 0
        if len(written) - begin < len(line) and line.startswith(written[begin:]):
            return len(written) - begin
    return 0


def _take_back(descriptor: int, length: int) -> None:
    """Takes the beginning of a line off the end of a file, unless somebody has written behind it."""
    with contextlib.suppress(OSError):
        status = os.fstat(descriptor)
        if length and stat.S_ISREG(status.st_mode) and status.st_size == os.lseek(descriptor, 0, os.SEEK_CUR):
            os.ftruncate(descriptor, status.st_size - length)
