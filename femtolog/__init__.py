"""Python's `logging`, executed by Rust.

`femtolog.install()` lets femtolog execute this process's logging; `import femtolog as logging` does the same at the first
use of a name. There is one logging per process: every name of the stdlib's module read, set or deleted here is the one of
the real `logging`. Importing this module alone changes nothing.
"""

import sys as _sys

from femtolog_compat import VERSION as _VERSION
from femtolog_compat import install as install
from femtolog_compat import install_on_first_use as _install_on_first_use
from femtolog_compat import installed as installed
from femtolog_compat import is_installed as is_installed
from femtolog_compat import load_native_or_fall_back as _load_native_or_fall_back
from femtolog_compat import uninstall as uninstall

_native = _load_native_or_fall_back()

__version__ = _VERSION

accelerated = _native is not None
"""Whether the native tier can run here. False only with FEMTOLOG_FALLBACK=1, where importing femtolog would fail otherwise:
then install() does nothing, and the names of `logging` are the standard library's.

Examples:
    >>> import femtolog
    >>> femtolog.accelerated
    True
"""

extra_policy = _sys.modules["femtolog._extra"].policy() if "femtolog._extra" in _sys.modules else "raise"
"""What a key of `extra` does that a record has already: "raise" a KeyError, as in the standard library, or "rename", then it is
stored as `extra_<key>`. To be assigned to; ValueError for anything else. Of the process, while femtolog is installed; a process
that is forked has its parent's.

Examples:
    >>> import femtolog
    >>> log = femtolog.getLogger("app")
    >>> femtolog.extra_policy = "rename"
    >>> record = log.makeRecord("app", 20, "app.py", 1, "hello", (), None, extra={"name": "Ann"})
    >>> record.name, record.extra_name
    ('app', 'Ann')
"""


def _set_extra_policy(value):  # type: ignore[no-untyped-def]
    from femtolog._extra import set_policy

    set_policy(value)


# -- the module itself ---------------------------------------------------------------------------------------------------------


def _forward(module, target_name, settings=None, elsewhere=None):  # type: ignore[no-untyped-def]
    """Turn `module` into one that forwards to the module called `target_name`: `femtolog`, `femtolog.handlers`, `femtolog.config`.

    Reading, writing, deleting and listing names reach the real module; nothing is copied, so nothing can go stale. The module's own
    names (install, dunders, submodules) stay its own.

    `settings`: names of its own that are assigned to, with the function that puts a new value into force or raises. `elsewhere`: names of
    its own, and the modules that they are imported from when somebody asks for one.
    """
    in_force = settings or {}
    elsewhere = elsewhere or {}
    homes = dict(elsewhere)  # without those that were deleted

    class ForwardingModule(type(_sys)):  # not types.ModuleType: at start-up `types` would be one more file
        # `object`'s lookup does not format an error message for each name that is not the module's own (-400 ns a read).
        __getattribute__ = object.__getattribute__

        @property
        def __all__(self):
            # `from femtolog.handlers import *` must find names that are not in its own dict; the stdlib's module has no __all__.
            target = _imported(target_name)
            public = [name for name in vars(target) if not name.startswith("_")]
            return list(getattr(target, "__all__", public))

        def __getattr__(self, name):
            # Runs until the target has been used once; `_reach` puts the target's own lookup in its place.
            if _is_dunder(name):
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
            target = _imported(target_name)
            getattr(target, name)  # a probe for a name that is not there installs nothing
            return getattr(_reach(target), name)  # asked again: on 3.11 installing puts another object in its place

        def __setattr__(self, name, value):
            if name in in_force:
                in_force[name](value)
                super().__setattr__(name, value)
            elif name in elsewhere:
                vars(self)[name] = value
            elif _is_own(self, name, value):
                super().__setattr__(name, value)
            else:
                setattr(_reach(_imported(target_name)), name, value)

        def __delattr__(self, name):
            if name in in_force:
                raise AttributeError(f"{self.__name__}.{name} can be set, not deleted")
            if name in homes:
                del homes[name]
                delattr(ForwardingModule, name)
                vars(self).pop(name, None)
            elif name in vars(self):
                super().__delattr__(name)
            else:
                delattr(_reach(_imported(target_name)), name)

        def __dir__(self):
            return sorted({*dir(_imported(target_name)), *vars(self), *homes})

    for name, home in homes.items():
        vars(module).pop(name, None)  # found before a reload
        setattr(ForwardingModule, name, _found_at(home, name))

    def _reach(target):
        _install_on_first_use()
        # The target's own bound lookup: a name costs 70 ns this way, ten times that through a Python function.
        ForwardingModule.__getattr__ = target.__getattribute__
        return target

    ForwardingModule.__name__ = ForwardingModule.__qualname__ = "module"
    module.__class__ = ForwardingModule


def _found_at(home, name):
    def find(module):
        own = vars(module)
        if name in own:
            return own[name]
        try:
            found = getattr(_imported(home), name)
        except AttributeError as error:  # which would have `logging` asked for the name
            raise ImportError(f"{home} cannot be used: {error}", name=home) from error
        return own.setdefault(name, found)  # somebody may have assigned to it meanwhile

    return property(find)


def _imported(name):
    __import__(name)
    return _sys.modules[name]


def _is_dunder(name):
    return name.startswith("__") and name.endswith("__")


def _is_own(module, name, value):
    if name in vars(module) or _is_dunder(name):
        return True
    # The import system sets a submodule on its package.
    return value is _sys.modules.get(f"{module.__name__}.{name}")


_forward(
    _sys.modules[__name__],
    "logging",
    {"extra_policy": _set_extra_policy},
    {
        "LogServer": "femtolog.server",
        **dict.fromkeys(("AsyncLogger", "AsyncLoggerConfig", "get_async_logger", "shutdown_all_async_loggers"), "femtolog.aio"),
        **dict.fromkeys(
            (
                "add_level",
                "asyncio_guard",
                "configure",
                "dictConfig",
                "doctor",
                "enqueue",
                "explain",
                "fileConfig",
                "get_logger",
                "reset_stats",
                "stats",
                "watch_handlers",
            ),
            "femtolog._functions",
        ),
    },
)
