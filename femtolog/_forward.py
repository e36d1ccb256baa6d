"""The type of the modules `femtolog`, `femtolog.handlers` and `femtolog.config`: the stdlib's names, live, in both directions.

Reading, writing, deleting and listing names reach the real module; nothing is copied, so nothing can go stale. The
module's own names (install, dunders, submodules) stay its own.
"""

import sys
from types import ModuleType

from femtolog_compat._install import install_on_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def forward(
    module: ModuleType,
    target_name: str,
    settings: "dict[str, Callable[[Any], None]] | None" = None,
    elsewhere: "dict[str, str] | None" = None,
) -> None:
    """Turn `module` into one that forwards to the module called `target_name`.

    `settings`: names of its own that are assigned to, with the function that puts a new value into force or raises. `elsewhere`: names of
    its own, and the modules that they are imported from when somebody asks for one.
    """
    in_force = settings or {}
    homes = elsewhere or {}

    class ForwardingModule(ModuleType):
        # `object`'s lookup does not format an error message for each name that is not the module's own (-400 ns a read).
        __getattribute__ = object.__getattribute__

        @property
        def __all__(self) -> list[str]:
            # `from femtolog.handlers import *` must find names that are not in its own dict; the stdlib's module has no __all__.
            target = _imported(target_name)
            public = [name for name in vars(target) if not name.startswith("_")]
            return list(getattr(target, "__all__", public))

        def __getattr__(self, name: str) -> "Any":
            # Runs until the target has been used once; `_reach` puts the target's own lookup in its place.
            if _is_dunder(name):
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
            target = _imported(target_name)
            getattr(target, name)  # a probe for a name that is not there installs nothing
            return getattr(_reach(target), name)  # asked again: on 3.11 installing puts another object in its place

        def __setattr__(self, name: str, value: object) -> None:
            if name in in_force:
                in_force[name](value)
                super().__setattr__(name, value)
            elif _is_own(self, name, value):
                super().__setattr__(name, value)
            else:
                setattr(_reach(_imported(target_name)), name, value)

        def __delattr__(self, name: str) -> None:
            if name in in_force:
                raise AttributeError(f"{self.__name__}.{name} can be set, not deleted")
            if name in vars(self):
                super().__delattr__(name)
            else:
                delattr(_reach(_imported(target_name)), name)

        def __dir__(self) -> list[str]:
            return sorted({*dir(_imported(target_name)), *vars(self), *homes})

    for name, home in homes.items():
        setattr(ForwardingModule, name, _found_at(home, name))

    def _reach(target: ModuleType) -> ModuleType:
        install_on_first_use()
        # The target's own bound lookup: a name costs 70 ns this way, ten times that through a Python function.
        ForwardingModule.__getattr__ = target.__getattribute__  # type: ignore[method-assign, assignment]
        return target

    ForwardingModule.__name__ = ForwardingModule.__qualname__ = "module"
    module.__class__ = ForwardingModule


def _found_at(home: str, name: str) -> property:
    return property(lambda _: getattr(_imported(home), name))


def _imported(name: str) -> ModuleType:
    __import__(name)
    return sys.modules[name]


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_own(module: ModuleType, name: str, value: object) -> bool:
    if name in vars(module) or _is_dunder(name):
        return True
    # The import system sets a submodule on its package.
    return value is sys.modules.get(f"{module.__name__}.{name}")
