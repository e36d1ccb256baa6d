"""What is said where the native tier cannot run: one ImportError that says what is missing and what to do about it.

With FEMTOLOG_FALLBACK=1 in the environment there is one warning instead, and the standard library's logging runs as it is.
Imported only then.
"""

import sys

from femtolog_compat import OLDEST, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, ModuleType


class _Fallback:
    """Whether the one warning has been given in this process."""

    warned = False


def wrong_python() -> ImportError:
    return ImportError(f"femtolog needs CPython {OLDEST[0]}.{OLDEST[1]} or newer, this is {_running()}", name="femtolog")


def not_loaded(error: ImportError) -> ImportError:
    if isinstance(error, ModuleNotFoundError):
        return ImportError(
            f"femtolog has no extension module for {_running()} ({sys.implementation.cache_tag}): "
            f"it was built for another interpreter, or not built. {_reinstall()}. "
            "In a clone, the sources hide the installed package: start python elsewhere, or with -P",
            name="femtolog._native",
        )
    # In a sub-interpreter the extension itself says what is the matter, and no installation would help.
    remedy = "" if "interpreter" in str(error) else f". {_reinstall()}"
    return ImportError(
        f"femtolog's extension module does not load on {_running()}: {error}{remedy}",
        name="femtolog._native",
        path=error.path,
    )


def wrong_version(native: "ModuleType") -> ImportError:
    path = getattr(native, "__file__", None)
    return ImportError(
        f"femtolog's parts do not belong together: its Python files are version {VERSION}, its extension module "
        f"({path}) is version {getattr(native, '__version__', 'unknown')}. {_reinstall()}",
        name="femtolog._native",
        path=path,
    )


def _running() -> str:
    return f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"


def _reinstall() -> str:
    return (
        f"Reinstall it with this interpreter's own pip: {sys.executable or 'python'} -m pip install "
        "--force-reinstall --no-cache-dir femtolog"
    )


def warn_once(error: ImportError) -> None:
    """The warning, unless it has been given."""
    if not _Fallback.warned:
        _Fallback.warned = True
        import warnings

        told = f"{error}. FEMTOLOG_FALLBACK is set: logging is the standard library's"
        warnings.warn(told, RuntimeWarning, stacklevel=_outside())


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
