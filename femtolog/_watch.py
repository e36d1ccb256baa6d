"""Handlers that take long: measured at `handle` while somebody watches, and where a caller waits for room in a queue.

While there is a watch, each `handle` that `logging.Handler` or a class below it has or inherits is a function of ours, like any method that
somebody has patched: handlers take the general path. Not at Logger.callHandlers, which others patch: their loop calls the handlers, too.
Invariant: one call is measured once, whatever a `handle` calls of its own handler.
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
from femtolog_compat import load_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType, TracebackType
    from typing import Any, Self

WARN_EVERY = 5.0
"""Seconds between two warnings of one watch about one handler."""

_watches: tuple[Watch, ...] = ()
_patches = contextlib.ExitStack()
_originals: dict[int, tuple[object, object]] = {}
"""What each measuring function stands for, by its id()."""
_changed: dict[int, type] = {}
"""The classes whose `handle` is such a function, by id()."""
_inside: dict[int, object] = {}
"""Whose call is measured in a thread, the innermost one; in a greenlet, where threads are such."""
_lock = threading.RLock()
_ABSENT = object()


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
                    _originals.clear()
                    _changed.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def saw(self, handler: logging.Handler, record: object, seconds: float, frame: FrameType) -> None:
        """A handler has taken so long for a record, called from this frame. By hand, femto handlers get a logger's name in its place."""
        if seconds <= self.threshold or (self.in_loop_only and not _in_loop()):
            return
        self.count += 1
        now = time.monotonic()
        if now - self._warned.get(id(handler), -WARN_EVERY) < WARN_EVERY:
            return
        self._warned[id(handler)] = now
        name = f" {handler.get_name()!r}" if handler.get_name() else ""
        text = f"handler{name} {handler!r} took {seconds * 1000:.0f} ms for a record of {getattr(record, 'name', record)!r}"
        if self.in_loop_only:
            text += ", while the event loop waited"
        else:
            text += f", called from\n{''.join(traceback.format_stack(frame))}"
        # At the place that logged, whatever is between it and here.
        if isinstance(record, logging.LogRecord):
            warnings.warn_explicit(text, RuntimeWarning, record.pathname, record.lineno, record.module)
        else:
            warnings.warn_explicit(text, RuntimeWarning, frame.f_code.co_filename, frame.f_lineno)


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
    """Puts measuring functions in the place of methods, until `_patches` are closed. Callers make no room natively meanwhile, unmeasured."""
    pipeline = _enqueue._Pipeline  # noqa: SLF001 - the other half of the asynchronous handlers' `handle`
    _replace(logging.Handler, "__init_subclass__", classmethod(_measure_new))
    for cls in _all_below(logging.Handler, {}).values():
        _measure(cls)
    _replace(pipeline, "submit_to_full", _measuring(vars(pipeline)["submit_to_full"], _of_waiting))
    _replace(pipeline, "make_room", lambda *_: False)
    with contextlib.suppress(ImportError):  # there is no native code that could know anything
        native = load_native()
        for name in ("know_framed", "know_asynchronous"):
            _replace(native, name, functools.partial(_know, getattr(native, name)))


def _all_below(cls: type, found: dict[int, type]) -> dict[int, type]:
    """The class and all below it, with what else these inherit from, by id()."""
    found |= {id(base): base for base in cls.__mro__}
    below: type
    for below in type.__subclasses__(cls):
        if id(below) not in found:
            _all_below(below, found)
    return found


def _measure_new(cls: type[logging.Handler], /, **options: Any) -> None:
    """`Handler.__init_subclass__`: a class is defined while there is a watch."""
    super(logging.Handler, cls).__init_subclass__(**options)
    with _lock:
        for base in cls.__mro__ if _watches else ():
            _measure(base)


def _measure(cls: type) -> None:
    """The class's own `handle`, if it has one; once."""
    handle = vars(cls).get("handle")
    if hasattr(handle, "__get__") and id(cls) not in _changed:
        with contextlib.suppress(TypeError, AttributeError):  # a class that cannot be changed
            _replace(cls, "handle", _measuring(_original(handle), _of_handle))
            _changed[id(cls)] = cls


def _know(know: Callable[..., None], handle: object, *others: object) -> None:
    """What native code knows is what it stands for; not us, whom it would pass by."""
    know(_original(handle), *others)


def _original(method: Any) -> Any:
    """What it stands for, if it is ours: a class may have taken the `handle` of another one."""
    return _originals.get(id(method), (None, method))[1]


def _replace(owner: type | ModuleType, name: str, replacement: object) -> None:
    original = _original(vars(owner).get(name, _ABSENT))
    setattr(owner, name, replacement)
    _originals[id(replacement)] = replacement, original
    _patches.callback(_restore, owner, name, replacement, original)


def _of_handle(handler: logging.Handler, *given: object, **named: object) -> tuple[logging.Handler, object]:
    return handler, next(iter((*given, *named.values())), None)


def _of_waiting(_pipeline: object, _queue: object, item: Any, *_: object) -> tuple[logging.Handler, object]:
    return item.handler, item.record


def _measuring(original: Any, of: Callable[..., tuple[logging.Handler, object]]) -> Callable[..., Any]:
    """The method, measured; `of` says of a call's arguments what handler and what record it is about."""

    @functools.wraps(original)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        call = original.__get__(self, type(self))
        handler, record = of(self, *args, **kwargs)
        thread = threading.get_ident()
        outer = _inside.get(thread)
        if outer is handler or not isinstance(handler, logging.Handler):  # by super(), say; or a mixin's, of something else
            return call(*args, **kwargs)
        _inside[thread] = handler
        begin = time.perf_counter()
        try:
            return call(*args, **kwargs)
        finally:
            seconds = time.perf_counter() - begin
            if outer is None:
                _inside.pop(thread, None)
            else:
                _inside[thread] = outer
            for watch in _watches:
                watch.saw(handler, record, seconds, sys._getframe(1))  # noqa: SLF001 - the caller's

    return method


def _restore(owner: type | ModuleType, name: str, replacement: object, original: object) -> None:
    """Unless somebody has patched it over ours."""
    if vars(owner).get(name) is not replacement:
        return
    if original is _ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, original)
