"""on_error and on_drop of enqueue(): called by a thread of their own, once a second at most, never by a log call or a handler's worker.

Invariant: what is noticed takes no lock that a signal handler which logs could wait for in vain.
"""

from __future__ import annotations

import sys
import threading
import time

from femtolog._timetable import Timetable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from femtolog._enqueue import _Pipeline

EVERY = 1.0
"""Seconds between two calls of a handler's callbacks."""

_teller = Timetable("femtolog-callbacks")


class Callbacks:
    """Those of one handler, and what they have been told of."""

    def __init__(self, on_error: Callable[[BaseException, int], object] | None, on_drop: Callable[[str, int], object] | None):
        for name, callback in (("on_error", on_error), ("on_drop", on_drop)):
            if callback is not None and not callable(callback):
                raise TypeError(f"{name} must be callable or None, not {type(callback).__name__}")
        self.on_error, self.on_drop = on_error, on_drop
        self.renew()

    def renew(self) -> None:
        """Nothing has happened yet: at the beginning, and in a forked child."""
        self.lock = threading.Lock()
        self.waiting = False
        self.told_at = float("-inf")  # by time.monotonic()
        self.error: BaseException | None = None
        self.failed = 0
        self.dropped: dict[str, int] = {}
        self.raised = 0  # by the callbacks

    def failure(self) -> None:
        """The worker handles an error."""
        self.error = sys.exc_info()[1] or self.error

    def notice(self, pipeline: _Pipeline) -> None:
        """There is something to tell, soon; at the end of the interpreter, when close() does."""
        if not self.waiting:
            self.waiting = True
            if not _teller.call(pipeline.tell, self.told_at + EVERY):
                self.waiting = False

    def tell(self, pipeline: _Pipeline) -> None:
        """Calls them for what has happened since the last time."""
        self.waiting, self.told_at = False, time.monotonic()
        with self.lock:
            account = pipeline.queue.account()
            failures, self.failed = account["failed"] - self.failed, account["failed"]
            drops = {reason: count - self.dropped.get(reason, 0) for reason, count in account["dropped_by"].items()}
            self.dropped = dict(account["dropped_by"])
            error, self.error = self.error, None
        if failures > 0 and self.on_error is not None:
            self.call(self.on_error, error if error is not None else OSError("the sink failed"), failures)
        for reason, count in drops.items():
            if count > 0 and self.on_drop is not None:
                self.call(self.on_drop, reason, count)

    def call(self, callback: Callable[..., object], *arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 - nobody is there to take it
            self.raised += 1
