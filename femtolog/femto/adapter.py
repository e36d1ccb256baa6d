"""StdlibHandlerAdapter: a handler of `logging` as a sink that takes records as dicts, from wherever they come."""

from __future__ import annotations

import logging

from femtolog.femto.levels import level_number, name_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_LINKS = {
    "cause": "\nThe above exception was the direct cause of the following exception:\n",
    "context": "\nDuring handling of the above exception, another exception occurred:\n",
}


class StdlibHandlerAdapter:
    """Makes a LogRecord of each dict and gives it to `handle()` of a handler of `logging`, so its level, filters and lock apply.

    A FemtoLogger takes handlers of `logging` without it. An exception is there as text (`exc_text`), the function is not known.

    Examples:
        >>> import logging, sys
        >>> from femtolog.femto import StdlibHandlerAdapter
        >>> StdlibHandlerAdapter(logging.StreamHandler(sys.stdout)).handle("shop", "WARN", "shelf 4 is empty")
        shelf 4 is empty
    """

    def __init__(self, handler: logging.Handler) -> None:
        if not isinstance(handler, logging.Handler):
            raise TypeError(f"expected a logging.Handler, got {type(handler).__name__}")
        name_trace()
        self._handler = handler

    def handle(self, logger: str, level: str, message: str) -> None:
        """A record that has nothing but these."""
        self.handle_record({"logger": logger, "level": level, "message": message})

    def handle_record(self, record: Mapping[str, Any]) -> None:
        """A record as a dict: see femtolog.femto's reference."""
        made = _record_of(record)
        if made.levelno >= self._handler.level:
            self._handler.handle(made)

    def flush(self) -> None:
        """Flushes the handler."""
        self._handler.flush()

    def close(self) -> None:
        """Closes the handler."""
        self._handler.close()


def _record_of(given: Mapping[str, Any]) -> logging.LogRecord:
    metadata: Mapping[str, Any] = given.get("metadata") or {}
    record = logging.LogRecord(
        given.get("logger", "root"),
        level_number(given.get("level") or given.get("levelno") or logging.WARNING),
        metadata.get("filename") or "(unknown file)",
        metadata.get("line_number") or 0,
        given.get("message", ""),
        (),
        None,
    )
    created = metadata.get("timestamp")
    if isinstance(created, int | float):
        # What a record has of its time, as it would have had then.
        record.relativeCreated += (created - record.created) * 1000
        record.created = float(created)
        record.msecs = float(int((created - int(created)) * 1000))
    if metadata.get("thread_name") is not None:
        record.threadName = str(metadata["thread_name"])
    thread = str(metadata.get("thread_id", ""))
    if thread.isdigit():
        record.thread = int(thread)
    if isinstance(given.get("exc_info"), dict):
        record.exc_text = "\n".join(_exception_lines(given["exc_info"]))
    if isinstance(given.get("stack_info"), dict):
        record.stack_info = "\n".join(["Stack (most recent call last):", *_frame_lines(given["stack_info"])])
    for key, value in (metadata.get("key_values") or {}).items():
        vars(record).setdefault(key, value)
    return record


def _exception_lines(payload: Mapping[str, Any]) -> list[str]:
    """The exception and what led to it, first things first. Exceptions of a group are told by their number only."""
    chain: list[tuple[Mapping[str, Any], str]] = [(payload, "")]
    while True:
        current = chain[-1][0]
        link = "cause" if "cause" in current else "context"
        if link not in current or (link == "context" and current.get("suppress_context")):
            break
        chain.append((current[link], _LINKS[link]))
    lines: list[str] = []
    for position in range(len(chain) - 1, -1, -1):
        current, link = chain[position]
        if current.get("frames"):
            lines.append("Traceback (most recent call last):")
            lines.extend(_frame_lines(current))
        name = current.get("type_name", "Exception")
        if current.get("module"):
            name = f"{current['module']}.{name}"
        lines.append(f"{name}: {current['message']}" if current.get("message") else name)
        lines.extend(current.get("notes", ()))
        if link:
            lines.extend(link.split("\n"))
    return lines


def _frame_lines(payload: Mapping[str, Any]) -> Iterator[str]:
    for frame in payload.get("frames", ()):
        yield f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("function")}'
        if frame.get("source_line"):
            yield f"    {frame['source_line']}"
