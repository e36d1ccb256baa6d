"""Finder and loader for the three names, for the case that they have not been imported yet.

The finder asks the other finders where the interpreter's own module is, and the loader lets that module's own loader run
the interpreter's own code: same source, same `__file__`, same cached bytecode. Then the native tier is bound.
Every other import passes through untouched.
"""

import os
import sys
from _thread import _local

TYPE_CHECKING = False  # `typing` itself is not imported here: it would be most of the time an import takes
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

NAMES = frozenset({"logging", "logging.config", "logging.handlers"})

# Another finder may itself ask all of `sys.meta_path` (import hooks of tracers do): then it is not our turn again. One for all
# finders: CPython 3.14t never frees a thread-local object.
_asking = _local()


class Finder:
    """Stands first on `sys.meta_path` while femtolog is installed."""

    def __init__(self, bind: "Callable[[ModuleType], None]", unbind: "Callable[[ModuleType], None]") -> None:
        self._bind = bind
        self._unbind = unbind

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if fullname not in NAMES or getattr(_asking, "now", False):
            return None
        _asking.now = True
        try:
            spec = self._original_spec(fullname, path, target)
        finally:
            _asking.now = False
        if spec is not None and spec.loader is not None and is_the_interpreters_own(spec):
            spec.loader = Loader(spec.loader, self._bind, self._unbind)  # type: ignore[assignment]
        return spec

    def _original_spec(self, fullname: str, path: "Sequence[str] | None", target: "ModuleType | None") -> "ModuleSpec | None":
        for finder in list(sys.meta_path):
            if finder is self:
                continue
            find_spec = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find_spec(fullname, path, target) if find_spec is not None else None
            if spec is not None:
                return spec
        return None

    def __repr__(self) -> str:
        return "<femtolog's finder for logging, logging.config and logging.handlers>"


class Loader:
    """Runs the original loader, then binds. All else that loaders are asked (source, resources, file names) the original answers."""

    def __init__(self, original: "Any", bind: "Callable[[ModuleType], None]", unbind: "Callable[[ModuleType], None]") -> None:
        self.original = original
        self._bind = bind
        self._unbind = unbind

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        create: Callable[[ModuleSpec], ModuleType | None] | None = getattr(self.original, "create_module", None)
        return create(spec) if create is not None else None

    def exec_module(self, module: "ModuleType") -> None:
        if any(not name.startswith("__") for name in vars(module)):
            self._unbind(module)  # importlib.reload: the classes made so far are not the module's much longer
        self.original.exec_module(module)
        self._bind(module)

    def __getattr__(self, name: str) -> "Any":
        if name == "original":  # not there yet while the loader is being copied or unpickled
            raise AttributeError(name)
        return getattr(self.original, name)

    def __repr__(self) -> str:
        return f"<femtolog's loader over {self.original!r}>"


def is_the_interpreters_own(spec: "ModuleSpec") -> bool:
    """False for a program's own `logging.py` earlier on sys.path: that is its business, as it is without femtolog."""
    library = getattr(os, "__file__", None)
    if library is None or not spec.has_location or spec.origin is None:
        return True  # a frozen standard library
    return os.path.dirname(os.path.dirname(spec.origin)) == os.path.dirname(str(library))
