"""The names of picologging, for programs written for it: `picologging`, `picologging.config` and `picologging.handlers` are then `logging`.

A finder makes the modules when somebody imports them, so they cost nothing before, and whether picologging is on this
machine does not matter. What picologging has beside the names of `logging` is there too.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

TARGETS = {
    "picologging": "logging",
    "picologging.config": "logging.config",
    "picologging.handlers": "logging.handlers",
}
VERSION = "0.9.3"
"""The picologging whose names are here."""


class Finder:
    """Stands before other finders, so that an installed picologging is not imported."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG002
        if fullname not in TARGETS:
            return None
        return ModuleSpec(fullname, Loader(), origin="femtolog", is_package=fullname == "picologging")  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return "<femtolog's finder for picologging>"


class Loader:
    """Makes a module that forwards to the one of `logging`."""

    def create_module(self, spec: ModuleSpec) -> None:  # noqa: ARG002
        return None

    def exec_module(self, module: ModuleType) -> None:
        stand_in(module)

    def __repr__(self) -> str:
        return "<femtolog's loader for picologging>"


def stand_in(module: ModuleType) -> None:
    """Turn a module called `picologging` (or one of its two submodules) into one that forwards to that of `logging`."""
    from femtolog import _forward

    if module.__name__ == "picologging":
        import io
        import logging

        module.__dict__.update(
            FormatStyle=logging.PercentStyle,
            _Placeholder=logging.PlaceHolder,
            text_encoding=io.text_encoding,
            __version__=VERSION,
        )
    elif module.__name__ == "picologging.config":
        from logging.handlers import MemoryHandler

        module.__dict__["MemoryHandler"] = MemoryHandler
    _forward(module, TARGETS[module.__name__])


def check() -> None:
    """ImportError if picologging itself is imported: its classes cannot be exchanged any more."""
    for name in TARGETS:
        module = sys.modules.get(name)
        if module is not None and not _forwards(module):
            raise ImportError(
                f"femtolog cannot stand in for picologging: {name} is imported already. "
                "Call femtolog.install(picologging=True) before anything imports it",
                name=name,
            )


def register() -> None:
    """Put the finder first. Idempotent."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


def unregister() -> None:
    """Take the finder and the modules away. Who holds a module goes on with it: it forwards to `logging`."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
    for name in TARGETS:
        if name in sys.modules and _is_ours(sys.modules[name]):
            del sys.modules[name]


def _forwards(module: ModuleType) -> bool:
    """Is it one of ours, or of the package femtolog-picologging?"""
    return type(module).__module__ == "femtolog"


def _is_ours(module: ModuleType) -> bool:
    return isinstance(getattr(getattr(module, "__spec__", None), "loader", None), Loader)
