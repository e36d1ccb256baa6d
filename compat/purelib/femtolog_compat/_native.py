"""Gives the extension module, or one ImportError that says what is missing and what to do about it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_OLDEST = (3, 11)


def load() -> ModuleType:
    """The module `femtolog._native`.

    Raises ImportError, always with one of the texts below, where it cannot run: another implementation or an older
    version of Python, no extension built for this interpreter, or a sub-interpreter.
    """
    running = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"
    if sys.implementation.name != "cpython" or sys.version_info < _OLDEST:
        raise ImportError(f"femtolog needs CPython {_OLDEST[0]}.{_OLDEST[1]} or newer, this is {running}", name="femtolog")
    try:
        import femtolog._native as _native  # noqa: PLR0402 - `from` reports a missing extension as a circular import
    except ModuleNotFoundError as error:
        if error.name != "femtolog._native":
            raise
        raise ImportError(
            f"femtolog has no extension module for {running} ({sys.implementation.cache_tag}): "
            "it was built for another interpreter, or not built; reinstall it with this interpreter's pip. "
            "In a clone, the sources hide the installed package: start python elsewhere, or with -P",
            name="femtolog._native",
        ) from error
    except ImportError as error:
        raise ImportError(
            f"femtolog's extension module does not load on {running}: {error}",
            name="femtolog._native",
            path=error.path,
        ) from error
    return _native
