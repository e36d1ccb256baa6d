"""`femtolog.extra_policy`: a key of `extra` that a record has already raises KeyError, or is stored under another name.

The native tier does it in makeRecord. Where the interpreter's own body runs instead (FEMTOLOG_FALLBACK=1, shadow mode) it is
given an `extra` in which the keys are renamed already.
"""

from femtolog_compat import is_shadow, load_native_or_fall_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import Any


class _State:
    # The makeRecord that renames, and the interpreter's, where there is no native tier to do it.
    renaming: "Callable[..., logging.LogRecord] | None" = None
    original: "Callable[..., logging.LogRecord] | None" = None


def policy() -> str:
    """The policy in force."""
    native = load_native_or_fall_back()
    return "rename" if _State.renaming is not None or (native is not None and native.renames_clashing_extra()) else "raise"


def set_policy(value: object) -> None:
    """Put a policy into force."""
    if value not in ("raise", "rename"):
        from femtolog.errors import ConfigurationError

        raise ConfigurationError(f"femtolog.extra_policy is 'raise' or 'rename', not {value!r}")
    on = value == "rename"
    native = load_native_or_fall_back()
    if native is not None:
        native.rename_clashing_extra(on)
    if native is None or is_shadow():
        _wrap(on)


def _wrap(on: bool) -> None:
    import logging

    if on and _State.renaming is None:
        _State.original = logging.Logger.makeRecord
        _State.renaming = logging.Logger.makeRecord = _renaming(_State.original)  # type: ignore[method-assign]
    elif not on and _State.renaming is not None:
        if logging.Logger.makeRecord is _State.renaming:  # else somebody has put a function over it, which calls it
            logging.Logger.makeRecord = _State.original  # type: ignore[method-assign, assignment]
        _State.renaming = None


def _renaming(original: "Callable[..., logging.LogRecord]") -> "Callable[..., logging.LogRecord]":
    from functools import wraps

    @wraps(original)
    def makeRecord(  # noqa: N802, PLR0917 (the stdlib's name and parameters)
        self: "logging.Logger",
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: "Any",
        exc_info: "Any",
        func: str | None = None,
        extra: "Any" = None,
        sinfo: str | None = None,
    ) -> "logging.LogRecord":
        if extra is None or _State.renaming is not makeRecord:
            return original(self, name, level, fn, lno, msg, args, exc_info, func, extra, sinfo)
        record = original(self, name, level, fn, lno, msg, args, exc_info, func, None, sinfo)
        for key in extra:
            stored_as = key
            if key in ("message", "asctime") or key in vars(record):
                if not isinstance(key, str):
                    raise KeyError(f"Attempt to overwrite {key!r} in LogRecord")
                stored_as = f"extra_{str.__str__(key)}"
                while stored_as in vars(record) or stored_as in extra:
                    stored_as = f"extra_{stored_as}"
            vars(record)[stored_as] = extra[key]
        return record

    return makeRecord
