"""Handlers that take long: measured at `Handler.handle` while somebody watches, and where a caller waits for room in a queue.

While there is a watch, `logging.Handler.handle` is a function of ours, like any method that somebody has patched: handlers take the
general path. Asynchronous handlers have a `handle` of their own; of these the waiting is measured.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
import threading
import time
import traceback
import warnings

from femtolog import _enqueue
from femtolog.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Any, Self

WARN_EVERY = 5.0
"""Seconds between two warnings of one watch about one handler."""

_watches: tuple[Watch, ...] = ()
_patches = contextlib.ExitStack()
_lock = threading.RLock()


class Watch:
    """Warns of handlers that take longer than `threshold` seconds, from its making until close(); also by `with`."""

    def __init__(self, threshold: float, *, in_loop_only: bool) -> None:
        global _watches
        if threshold < 0:
            raise ConfigurationError(f"a threshold must not be negative, got {threshold * 1000:g} ms")
        self.threshold = threshold
        self.in_loop_only = in_loop_only
        self.count = 0
        """How many calls have taken longer, whether there was a warning or not."""
        self._warned: dict[int, float] = {}
        with _lock:
            if not _watches:
                _patch()
            _watches += (self,)

    def close(self) -> None:
        """Ends it. Idempotent."""
        global _watches
        with _lock:
            if self in _watches:
                _watches = tuple(watch for watch in _watches if watch is not self)
                if not _watches:
                    _patches.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def saw(self, handler: logging.Handler, record: logging.LogRecord, seconds: float, frame: FrameType | None) -> None:
        """A handler has taken so long for a record, called from this frame."""
        if seconds <= self.threshold or (self.in_loop_only and not _in_loop()):
            return
        self.count += 1
        now = time.monotonic()
        if now - self._warned.get(id(handler), -WARN_EVERY) < WARN_EVERY:
            return
        self._warned[id(handler)] = now
        name = f" {handler.get_name()!r}" if handler.get_name() else ""
        text = f"handler{name} {handler!r} took {seconds * 1000:.0f} ms for a record of {record.name!r}"
        if self.in_loop_only:
            text += ", while the event loop waited"
        else:
            text += f", called from\n{''.join(traceback.format_stack(frame))}"
        # At the place that logged, whatever is between it and here.
        warnings.warn_explicit(text, RuntimeWarning, record.pathname, record.lineno, record.module)


def _in_loop() -> bool:
    """Does an event loop run in this thread?"""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _patch() -> None:
    """Puts measuring functions in the place of two methods, until `_patches` are closed. Callers make no room natively meanwhile, unmeasured."""
    pipeline = _enqueue._Pipeline  # noqa: SLF001 - the other half of the asynchronous handlers' `handle`
    _replace(logging.Handler, "handle", _measuring(logging.Handler.handle, _of_handle))
    _replace(pipeline, "submit_to_full", _measuring(pipeline.submit_to_full, _of_waiting))
    _replace(pipeline, "make_room", lambda *_: False)


def _replace(owner: type, name: str, replacement: Callable[..., Any]) -> None:
    original = vars(owner)[name]
    setattr(owner, name, replacement)
    _patches.callback(_restore, owner, name, replacement, original)


def _of_handle(handler: logging.Handler, record: logging.LogRecord) -> tuple[logging.Handler, logging.LogRecord]:
    return handler, record


def _of_waiting(_pipeline: object, _queue: object, item: Any, *_: object) -> tuple[logging.Handler, logging.LogRecord]:
    return item.handler, item.record


def _measuring(original: Callable[..., Any], of: Callable[..., tuple[logging.Handler, logging.LogRecord]]) -> Callable[..., Any]:
    """The method, measured; `of` says of a call's arguments what handler and what record it is about."""

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        begin = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            seconds = time.perf_counter() - begin
            handler, record = of(*args, **kwargs)
            for watch in _watches:
                watch.saw(handler, record, seconds, sys._getframe(1))  # noqa: SLF001 - the caller's

    return method


def _restore(owner: type, name: str, replacement: object, original: object) -> None:
    """Unless somebody has patched it over ours."""
    if vars(owner).get(name) is replacement:
        setattr(owner, name, original)
