"""A thread for what many handlers have to do later: it is started when there is something to do, and once in each process."""

from __future__ import annotations

import _thread
import contextlib
import os
import queue
import sys
import threading
import time
import weakref

from femtolog._green import may_start_greenlets, park, threads_are_green

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    _Order = tuple[float, Callable[[], object]]

GREEN_TURN = 0.05
"""Seconds until a greenlet looks again what there is to do."""


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
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self.works = False
        self._starting = threading.Lock()

    def call(self, function: Callable[[], object], at: float = 0.0) -> bool:
        """Have this called when time.monotonic() is `at`, or soon after. A weakref.WeakMethod: if there is its object then.

        False if nobody is going to: the interpreter is about to end, and starts no threads any more; or this is a thread that starts no
        greenlets, where these are all there is.
        """
        green = threads_are_green()
        if green and not may_start_greenlets():
            return False
        self._orders.put((at, function))
        if not self.works and self._starting.acquire(blocking=False):
            try:
                if not self.works:
                    self.works = True
                    if green:
                        _thread.start_new_thread(_work_green, (self, self._orders))
                    else:
                        threading.Thread(target=_work, args=(self, self._orders), name=self.name, daemon=True).start()
            except RuntimeError:
                self.works = False
                return False
            finally:
                self._starting.release()
        return True


def _work(table: Timetable, orders: queue.SimpleQueue[_Order]) -> None:
    waiting: list[_Order] = []
    while True:
        left = min(at for at, _ in waiting) - time.monotonic() if waiting else None
        with contextlib.suppress(queue.Empty):
            waiting.append(orders.get(timeout=None if left is None else max(0.0, left)))
        if threads_are_green():
            # Since this thread began. The next call starts another worker.
            for order in waiting:
                orders.put(order)
            table.works = False
            park()
        waiting = _call_those_due(waiting)


def _work_green(table: Timetable, orders: queue.SimpleQueue[_Order]) -> None:
    """The same as a greenlet, which ends when there is nothing left to do. A forked child has a copy of it, which has nothing to do there."""
    waiting: list[_Order] = []
    while table._orders is orders:  # noqa: SLF001
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.append(orders.get_nowait())
        waiting = _call_those_due(waiting)
        if not waiting and orders.empty():
            table.works = False
            return
        time.sleep(GREEN_TURN)


def _call_those_due(waiting: list[_Order]) -> list[_Order]:
    """The others are left."""
    now = time.monotonic()
    for at, function in waiting:
        called = function() if isinstance(function, weakref.WeakMethod) else function
        if at > now or called is None:
            continue
        try:
            called()
        except BaseException:  # noqa: BLE001 - the others still have to be called
            sys.excepthook(*sys.exc_info())
        del called
    return [order for order in waiting if order[0] > now]
