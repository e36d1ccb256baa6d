"""What a file handler could not write: how much, why, who has got it instead, and what sys.stderr is told of it."""

from __future__ import annotations

import contextlib
import errno
import logging
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WARN_EVERY = 5.0
"""Seconds between two warnings of one handler."""


class Failures:
    """Those of one handler. Whoever calls a method holds its lock."""

    def __init__(self, fallback: logging.Handler | None) -> None:
        self.fallback = fallback
        self.lost: BaseException | None = None  # why records were not written, the last time
        self.count = 0  # of records, those that have no line as well
        self.unwritten = 0  # lines
        self.by_reason: dict[str, int] = {}
        self.given = 0  # to the fallback
        self.at_flush = 0  # how many there were at the last one
        self._told, self._warned_at = 0, -WARN_EVERY

    def add(self) -> None:
        """One more record is lost."""
        self.count += 1
        self.unwritten += 1
        reason = errno.errorcode.get(getattr(self.lost, "errno", None) or 0, type(self.lost).__name__)
        self.by_reason[reason] = self.by_reason.get(reason, 0) + 1

    def give(self, record: logging.LogRecord, in_vain: Callable[[logging.LogRecord], None]) -> None:
        """Gives it to the fallback, if there is one and it reaches its level; `in_vain` is called while handling what that has raised."""
        fallback = self.fallback
        if fallback is not None and reaches(record, fallback.level):
            try:
                fallback.handle(record)
            except Exception:  # noqa: BLE001 - nothing of it may reach the caller
                in_vain(record)
            else:
                self.given += 1

    def warn(self, handler: logging.Handler, *, now: bool = False) -> None:
        """Says on sys.stderr how many records have failed since the last time, at most every few seconds."""
        moment = monotonic()
        if moment - self._warned_at < WARN_EVERY and not now:
            return
        more, self._told = self.unwritten - self._told, self.unwritten
        if more <= 0 or not logging.raiseExceptions or sys.stderr is None:
            return
        self._warned_at = moment
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"femtolog: {handler!r} cannot write ({self.lost}): {more} more records have failed\n")


def reaches(record: logging.LogRecord, level: int) -> bool:
    """Is it of this level, or above?"""
    try:
        return record.levelno >= level
    except TypeError:  # of makeLogRecord({}), which has no level
        return False
