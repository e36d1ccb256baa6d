"""Threads that are greenlets: gevent and eventlet put functions of their own in the place of those of `_thread` and `threading`.

Waiting as a thread of the system does would stop all of them. What has to wait asks here first.
"""

from __future__ import annotations

import _queue
import os
import threading
import time
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_home = threading.get_native_id()
"""The thread of the system that greenlets are started in: the one that came here first, or that forked."""


def threads_are_green() -> bool:
    """Are the threads that `threading` starts from now on something else than threads of the system?"""
    return type(threading.get_ident) is not types.BuiltinFunctionType


def sleep_of_greenlets() -> Callable[[float], object] | None:
    """What waits and lets the others go on. None where threads are threads of the system."""
    return time.sleep if threads_are_green() else None


def may_start_greenlets() -> bool:
    """In a thread of the system that the hub has set to work a greenlet would never run."""
    return threading.get_native_id() == _home


def refuse(what: str) -> None:
    """RuntimeError for what waits as a thread of the system does."""
    if threads_are_green():
        owner = str(threading.get_ident.__module__).partition(".")[0]
        raise RuntimeError(f"{what} does not work with threads that {owner} has replaced")


def park() -> None:
    """For a thread of the system that was started before the others were replaced and has nothing to do any more.

    It waits for ever: `threading` has another idea of who is running now, and could not end it.
    """
    nothing: _queue.SimpleQueue[Any] = _queue.SimpleQueue()
    nothing.get()


def _in_child() -> None:
    global _home
    _home = threading.get_native_id()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
