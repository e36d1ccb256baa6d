"""A thread for what many handlers have to do later: it is started when there is something to do, and once in each process."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
import weakref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Timetable:
    """Calls functions at their times, one after the other. From any thread and from signal handlers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Nothing to do and no thread: at the beginning, and in a forked child."""
        # Unlike a Condition, its put() may be interrupted by itself.
        self._orders: queue.SimpleQueue[tuple[float, Callable[[], object]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def call(self, function: Callable[[], object], at: float = 0.0) -> bool:
        """Have this called when time.monotonic() is `at`, or soon after. A weakref.WeakMethod: if there is its object then.

        False if nobody is going to: the interpreter is about to end, and starts no threads any more.
        """
        self._orders.put((at, function))
        if self._thread is None and self._starting.acquire(blocking=False):
            try:
                if self._thread is None:
                    thread = threading.Thread(target=_work, args=(self._orders,), name=self.name, daemon=True)
                    thread.start()
                    self._thread = thread
            except RuntimeError:
                return False
            finally:
                self._starting.release()
        return True


def _work(orders: queue.SimpleQueue[tuple[float, Callable[[], object]]]) -> None:
    waiting: list[tuple[float, Callable[[], object]]] = []
    while True:
        left = min(at for at, _ in waiting) - time.monotonic() if waiting else None
        with contextlib.suppress(queue.Empty):
            waiting.append(orders.get(timeout=None if left is None else max(0.0, left)))
        now = time.monotonic()
        due = [order for order in waiting if order[0] <= now]
        waiting = [order for order in waiting if order[0] > now]
        for _, function in due:
            called = function() if isinstance(function, weakref.WeakMethod) else function
            if called is None:
                continue
            try:
                called()
            except Exception:  # noqa: BLE001 - the others still have to be called
                sys.excepthook(*sys.exc_info())
            del called
