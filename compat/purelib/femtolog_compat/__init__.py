"""Owns the names `logging`, `logging.config` and `logging.handlers`: puts femtolog's native tier under them, and takes it off.

There is one logging per process: nothing here makes a second module, class or table. What is imported as `logging` stays the
interpreter's own code, and every object in it stays the same object; only who executes its methods changes.

Two ways lead to the same native tier: the finder for modules that are still to be imported, and binding in place for
modules that are there. Both are taken by one install(), since `logging.handlers` may come later than `logging`.

Invariant: the finder is on `sys.meta_path` exactly while femtolog is installed; the loader, which runs under the import
lock of the module it loads, never takes the lock below, so the two cannot wait for each other.

All of it is one file, since every install() needs all of it and a file more would take a twentieth of the time of `import femtolog`
and install(). What is said where the native tier cannot run is in `_unavailable`.
"""

import os
import sys
from _thread import RLock, _local

TYPE_CHECKING = False  # `typing` itself is not imported here: it would be most of the time an import takes
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType, TracebackType
    from typing import Any

__all__ = ["install", "installed", "is_installed", "uninstall"]  # what else has no underscore is for femtolog's own modules

VERSION = "0.1.0"
"""Of these Python sources; the extension must be of the same."""

OFF = frozenset({"", "0", "false", "no", "off"})
"""Values of an environment variable that switch nothing on."""

OLDEST = (3, 11)
"""The first Python that can run the native tier."""

_NAMES = frozenset({"logging", "logging.config", "logging.handlers"})

# importlib.reload() runs all of this again, in a process that may have femtolog installed: what was asked for, and its lock, stay.
_lock: "RLock" = globals().get("_lock") or RLock()

# Another finder may itself ask all of `sys.meta_path` (import hooks of tracers do): then it is not our turn again. One for all
# finders: CPython 3.14t never frees a thread-local object.
_asking: "_local" = globals().get("_asking") or _local()


class _Asked:
    """What has been asked for: by install() once and for all, and by `with installed():` blocks that are still open."""

    finder: "_Finder | None" = None
    # The module that is bound, while one is; and the first that ever was: the native tier reads the globals of that one.
    logging: "ModuleType | None" = None
    first: "ModuleType | None" = None
    permanent = False
    blocks = 0
    # Blocks opened before the last uninstall() have nothing left to undo.
    generation = 0
    # Whoever has called install, uninstall or installed decides for himself; until then first use of a name installs.
    decided = False
    # Who installed, in words, and whether `logging` was there before: for the doctor.
    way = ""
    in_place = False
    # The interpreter's own bodies run and are watched (shadow mode), for as long as the process lives.
    shadow = False


_State: "type[_Asked]" = globals().get("_State") or _Asked


def install(*, picologging: bool = False) -> None:
    """Let femtolog execute this process's `logging`, from now on, for every object that exists or will exist.

    With `picologging`, the names `picologging`, `picologging.config` and `picologging.handlers` stand for those of `logging`, for
    programs that were written for picologging, which need not be there.

    Idempotent and thread-safe. Raises ImportError, and changes nothing, where the native tier cannot run, and with `picologging`
    where that has been imported before. Where the native tier cannot run and FEMTOLOG_FALLBACK=1 is in the environment, there is
    one RuntimeWarning instead of the error, and logging stays the standard library's.

    Examples:
        >>> import logging, sys
        >>> log = logging.getLogger("app")
        >>> log.addHandler(logging.StreamHandler(sys.stdout))
        >>> import femtolog
        >>> femtolog.install()
        >>> log.warning("%d record", 1)
        1 record
        >>> femtolog.stats()["native"]
        1
    """
    _install(picologging, f"femtolog.install() in {_caller()}")


def install_at_start_up(way: str) -> None:
    """install(), by what `way` names."""
    _install(False, way)


def _install(picologging: bool, way: str) -> None:
    with _lock:
        if picologging:
            from femtolog_compat import _picologging

            _picologging.check()
        _activate(way)
        if picologging:
            _picologging.register()
        _State.decided = True
        _State.permanent = True


def uninstall() -> None:
    """Put everything back exactly as it was, also inside `with installed():`.

    A method that somebody patched over ours is left alone and keeps working. Idempotent and thread-safe.

    Examples:
        >>> import logging
        >>> before = logging.Logger.info
        >>> import femtolog
        >>> femtolog.install()
        >>> femtolog.uninstall()
        >>> femtolog.is_installed(), logging.Logger.info is before
        (False, True)
    """
    with _lock:
        _State.decided = True
        _State.permanent = False
        _State.blocks = 0
        _State.generation += 1
        if "femtolog_compat._picologging" in sys.modules:
            sys.modules["femtolog_compat._picologging"].unregister()
        _deactivate()


def is_installed() -> bool:
    """Whether femtolog executes `logging` now, or will as soon as somebody imports it.

    Examples:
        >>> import femtolog
        >>> femtolog.is_installed()
        False
        >>> femtolog.install()
        >>> femtolog.is_installed()
        True
    """
    if _State.shadow:  # the program is not to notice: what it asked for
        return _State.permanent or _State.blocks > 0
    return _State.finder is not None


class installed:  # noqa: N801 - used as a function: `with femtolog.installed():`
    """A context manager: installed inside the block, and afterwards as it was before.

    Blocks nest, also across threads: the last one to end uninstalls, unless install() was called by then.

    Examples:
        >>> import femtolog
        >>> with femtolog.installed():
        ...     femtolog.is_installed()
        True
        >>> femtolog.is_installed()
        False
    """

    def __enter__(self) -> None:
        with _lock:
            _activate(f"with femtolog.installed() in {_caller()}")
            _State.decided = True
            _State.blocks += 1
            self._generation = _State.generation

    def __exit__(
        self, kind: "type[BaseException] | None", value: "BaseException | None", traceback: "TracebackType | None"
    ) -> None:
        with _lock:
            if self._generation != _State.generation:
                return
            _State.blocks -= 1
            if not _State.blocks and not _State.permanent:
                _deactivate()


def install_on_first_use() -> None:
    """install(), unless the program has called install, uninstall or installed before: then it decides for itself."""
    with _lock:
        if not _State.decided:
            _install(False, f"the first use of a name of femtolog, in {_caller()}")


def shadow(observers: dict[str, object]) -> None:
    """Shadow mode until the process ends: the interpreter's own bodies run, and `observers` are told (see `_native.observe`).

    What install() and uninstall() are asked for then is remembered and not done. RuntimeError if femtolog is installed already.
    """
    with _lock:
        load_native().observe(observers)
        _State.shadow = True
        _activate("shadow mode")


def is_shadow() -> bool:
    """Whether the interpreter's own bodies run, for good, and are watched."""
    return _State.shadow


def how_installed() -> tuple[str, bool]:
    """Who installed, in words ("" if nobody did), and whether `logging` was there before."""
    return (_State.way, _State.in_place) if _State.finder is not None else ("", False)


def _caller() -> str:
    """File and line of the first caller that is no part of femtolog."""
    frame = sys._getframe(1)  # noqa: SLF001 - what `warnings` itself uses
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in (
        "femtolog",
        "femtolog_compat",
    ):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


# -- binding -------------------------------------------------------------------------------------------------------------------


def _activate(way: str) -> None:
    if _State.finder is not None:
        return
    native = load_native_or_fall_back()
    if native is None:
        return
    _State.way, _State.in_place = way, "logging" in sys.modules
    finder = _State.finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        for module in _already_imported():
            _bind_natively(native, module)
    except BaseException:
        _deactivate()
        raise


def _deactivate() -> None:
    finder = _State.finder
    if finder is None or _State.shadow:
        return
    _State.finder = None
    sys.meta_path[:] = [other for other in sys.meta_path if other is not finder]
    load_native().unbind()
    _State.logging = None
    for name in _NAMES:
        module = sys.modules.get(name)
        if module is not None:
            _give_back_loader(module)


def _already_imported() -> "Iterator[ModuleType]":
    from _frozen_importlib import _lock_unlock_module as _wait_for_import  # type: ignore[attr-defined]
    from _frozen_importlib import _module_locks as _being_imported  # type: ignore[attr-defined]

    for name in ("logging", "logging.handlers", "logging.config"):
        # Another thread may have found the module before our finder was there and not have put it into sys.modules yet. This is the
        # import system's own way of waiting until another thread is done with a module, without importing it. Whoever imports a
        # module has its lock from before the finders are asked until it is done; where there is none, there is nobody (-30 us).
        if name in _being_imported:
            _wait_for_import(name)
        module = sys.modules.get(name)
        if module is None:
            continue
        spec = module.__spec__
        if name == "logging.config" and (
            getattr(spec, "_initializing", False) or spec is None or not _is_the_interpreters_own(spec)
        ):
            continue  # its configurations are not noted, no more than that
        if getattr(spec, "_initializing", False):
            raise ImportError(f"femtolog cannot be installed while {name} itself is being imported", name=name)
        if spec is not None and not _is_the_interpreters_own(spec):
            raise ImportError(f"femtolog cannot be installed: {name} is {spec.origin}, not the interpreter's", name=name)
        if name == "logging" and _State.first not in (None, module):
            raise ImportError(
                "femtolog cannot be installed: another module stands where the logging it was bound to stood", name=name
            )
        yield module


def _bind(module: "ModuleType") -> None:
    """What the loader calls when it has run the module's code, with the import lock of `module` held."""
    if _State.finder is not None:
        _bind_natively(load_native(), module)


def _unbind(module: "ModuleType") -> None:
    """What the loader calls before it runs the code of a module again."""
    if module is _State.logging:
        load_native().unbind()
        _State.logging = None


def _bind_natively(native: "ModuleType", module: "ModuleType") -> None:
    if module.__name__ == "logging":
        # A second copy (made by a test that imports afresh) is not the process's logging; the first one stays bound.
        if _State.logging is None and _State.first in (None, module):
            native.bind(module)
            _State.logging = _State.first = module
    else:
        base = vars(module)["logging"]
        _bind_natively(native, base)  # whose own import may have begun before the finder was there
        if _State.logging is base:
            (native.bind_handlers if module.__name__ == "logging.handlers" else native.bind_config)(module)


def _give_back_loader(module: "ModuleType") -> None:
    for owner, attribute in ((module.__spec__, "loader"), (module, "__loader__")):
        loader = getattr(owner, attribute, None)
        if loader is not None and type(loader).__module__ == __name__:  # one made before a reload, too
            setattr(owner, attribute, loader.original)


# -- finder and loader, for modules that have not been imported yet ------------------------------------------------------------


class _Finder:
    """Stands first on `sys.meta_path` while femtolog is installed.

    It asks the other finders where the interpreter's own module is, and the loader lets that module's own loader run the
    interpreter's own code: same source, same `__file__`, same cached bytecode. Then the native tier is bound. Every other import
    passes through untouched.
    """

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if fullname not in _NAMES or getattr(_asking, "now", False):
            return None
        _asking.now = True
        try:
            spec = self._original_spec(fullname, path, target)
        finally:
            _asking.now = False
        if spec is not None and spec.loader is not None and _is_the_interpreters_own(spec):
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
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


class _Loader:
    """Runs the original loader, then binds. All else that loaders are asked (source, resources, file names) the original answers."""

    def __init__(self, original: "Any") -> None:
        self.original = original

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        create: Callable[[ModuleSpec], ModuleType | None] | None = getattr(self.original, "create_module", None)
        return create(spec) if create is not None else None

    def exec_module(self, module: "ModuleType") -> None:
        if any(not name.startswith("__") for name in vars(module)):
            _unbind(module)  # importlib.reload: the classes made so far are not the module's much longer
        self.original.exec_module(module)
        _bind(module)

    def __getattr__(self, name: str) -> "Any":
        if name == "original":  # not there yet while the loader is being copied or unpickled
            raise AttributeError(name)
        return getattr(self.original, name)

    def __repr__(self) -> str:
        return f"<femtolog's loader over {self.original!r}>"


def _is_the_interpreters_own(spec: "ModuleSpec") -> bool:
    """False for a program's own `logging.py` earlier on sys.path: that is its business, as it is without femtolog."""
    library = getattr(os, "__file__", None)
    if library is None or not spec.has_location or spec.origin is None:
        return True  # a frozen standard library
    return os.path.dirname(os.path.dirname(spec.origin)) == os.path.dirname(str(library))


# -- the native tier -----------------------------------------------------------------------------------------------------------


def load_native() -> "ModuleType":
    """The module `femtolog._native`.

    Raises ImportError, always with one of the texts of `_unavailable`, where it cannot run: another implementation or an older
    version of Python, no extension built for this interpreter, one that does not load or is of another version, or a
    sub-interpreter.
    """
    if sys.implementation.name != "cpython" or sys.version_info < OLDEST:
        from femtolog_compat._unavailable import wrong_python

        raise wrong_python()
    try:
        import femtolog._native as native  # `from` reports a missing extension as a circular import
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name != "femtolog._native":
            raise
        from femtolog_compat._unavailable import not_loaded

        raise not_loaded(error) from error
    if getattr(native, "__version__", "unknown") != VERSION:
        from femtolog_compat._unavailable import wrong_version

        raise wrong_version(native)
    return native


def load_native_or_fall_back() -> "ModuleType | None":
    """load_native(), or None where it fails and FEMTOLOG_FALLBACK asks for the standard library's logging instead.

    The first None of a process comes with a RuntimeWarning that says why.
    """
    try:
        return load_native()
    except ImportError as error:
        if os.environ.get("FEMTOLOG_FALLBACK", "").lower() in OFF:
            raise
        from femtolog_compat._unavailable import warn_once

        warn_once(error)
        return None
