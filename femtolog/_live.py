"""Handlers that a fork and the end of the process concern: each has its turn, whatever another one raises."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar
    from weakref import WeakSet

    _T = TypeVar("_T")


def those_of(live: WeakSet[_T]) -> list[_T]:
    """Those that are still there."""
    while True:
        try:
            return list(live)
        except RuntimeError:  # another thread has added one meanwhile
            continue


def each(live: WeakSet[_T], function: Callable[[_T], object], *, at_exit: bool = False) -> None:
    """Calls the function with every one of them, and only then raises what the first call that failed has raised.

    `at_exit`: what is no Exception, as Ctrl-C, is raised at once, for nobody wants to wait for the others then.
    """
    failed: BaseException | None = None
    for one in those_of(live):
        try:
            function(one)
        except BaseException as error:
            # The others' records would be lost, or written by a child, too.
            if at_exit and not isinstance(error, Exception):
                raise
            if failed is None:
                failed = error
    if failed is not None:
        raise failed
