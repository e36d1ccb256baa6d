"""Gives the extension module, or one ImportError that says what is missing and what to do about it.

With FEMTOLOG_FALLBACK=1 in the environment there is one warning instead, and the standard library's logging runs as it is.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, ModuleType

VERSION = "0.1.0"
"""Of these Python sources; the extension must be of the same."""

OFF = frozenset({"", "0", "false", "no", "off"})
"""Values of an environment variable that switch nothing on."""

_OLDEST = (3, 11)


class _Fallback:
    """Whether the one warning has been given in this process."""

    warned = False


def load() -> "ModuleType":
    """The module `femtolog._native`.

    Raises ImportError, always with one of the texts below, where it cannot run: another implementation or an older version of
    Python, no extension built for this interpreter, one that does not load or is of another version, or a sub-interpreter.
    """
    if sys.implementation.name != "cpython" or sys.version_info < _OLDEST:
        raise ImportError(f"femtolog needs CPython {_OLDEST[0]}.{_OLDEST[1]} or newer, this is {_running()}", name="femtolog")
    try:
        import femtolog._native as _native  # noqa: PLR0402 - `from` reports a missing extension as a circular import
    except ModuleNotFoundError as error:
        if error.name != "femtolog._native":
            raise
        raise ImportError(
            f"femtolog has no extension module for {_running()} ({sys.implementation.cache_tag}): "
            f"it was built for another interpreter, or not built. {_reinstall()}. "
            "In a clone, the sources hide the installed package: start python elsewhere, or with -P",
            name="femtolog._native",
        ) from error
    except ImportError as error:
        # In a sub-interpreter the extension itself says what is the matter, and no installation would help.
        remedy = "" if "interpreter" in str(error) else f". {_reinstall()}"
        raise ImportError(
            f"femtolog's extension module does not load on {_running()}: {error}{remedy}",
            name="femtolog._native",
            path=error.path,
        ) from error
    built = getattr(_native, "__version__", "unknown")
    if built != VERSION:
        raise ImportError(
            f"femtolog's parts do not belong together: its Python files are version {VERSION}, its extension module "
            f"({getattr(_native, '__file__', None)}) is version {built}. {_reinstall()}",
            name="femtolog._native",
            path=getattr(_native, "__file__", None),
        )
    return _native


def _running() -> str:
    return f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"


def _reinstall() -> str:
    return (
        f"Reinstall it with this interpreter's own pip: {sys.executable or 'python'} -m pip install "
        "--force-reinstall --no-cache-dir femtolog"
    )


def load_or_fall_back() -> "ModuleType | None":
    """load(), or None where it fails and FEMTOLOG_FALLBACK asks for the standard library's logging instead.

    The first None of a process comes with a RuntimeWarning that says why.
    """
    try:
        return load()
    except ImportError as error:
        if os.environ.get("FEMTOLOG_FALLBACK", "").lower() in OFF:
            raise
        if not _Fallback.warned:
            _Fallback.warned = True
            import warnings

            told = f"{error}. FEMTOLOG_FALLBACK is set: logging is the standard library's"
            warnings.warn(told, RuntimeWarning, stacklevel=_outside())
        return None


def _outside() -> int:
    """The stack level of the first caller that is no part of femtolog: where the warning points."""
    level = 0
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - what `warnings` itself uses
    while frame is not None:
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        # `warnings` does not count the frames of an import.
        if name not in ("importlib", "_frozen_importlib", "_frozen_importlib_external"):
            level += 1
            if name not in ("femtolog", "femtolog_compat"):
                return level
        frame = frame.f_back
    return 1
