"""The two sides that are compared: the interpreter's own logging, and the same classes bound natively.

Invariant: leaving a side restores what entering it changed, and unbinding gives back the very objects that stood in the classes before.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

STDLIB_ONLY = os.environ.get("ORACLE_SIDES") == "stdlib"
"""Compare the standard library with itself: finds scenarios that are not deterministic."""

if not STDLIB_ONLY:
    import femtolog

SIDES = ("stdlib", "stdlib again") if STDLIB_ONLY else ("stdlib", "femtolog")


def switch_to(side: str) -> None:
    """Bind or unbind; does nothing when that is how it stands."""
    if STDLIB_ONLY:
        return
    if side == "femtolog":
        femtolog.install()
        assert femtolog.is_installed()
    else:
        femtolog.uninstall()
        assert not femtolog.is_installed()


@contextlib.contextmanager
def on(side: str) -> Iterator[None]:
    """Run on one side; afterwards the binding is as it was before."""
    if STDLIB_ONLY:
        yield
        return
    before = femtolog.is_installed()
    switch_to(side)
    try:
        yield
    finally:
        switch_to("femtolog" if before else "stdlib")


@contextlib.contextmanager
def counts(side: str, total: Counter[str]) -> Iterator[None]:
    """Add what the native tier counted meanwhile."""
    if side != "femtolog":
        yield
        return
    femtolog.reset_stats()
    try:
        yield
    finally:
        stats: dict[str, Any] = femtolog.stats()
        total.update({"native": stats["native"], **stats["reference"]})
