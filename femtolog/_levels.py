"""A level of one's own, with the methods that the standard levels have."""

from __future__ import annotations

import keyword

from femtolog.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import Any

MARK = "_femtolog_level"
"""The attribute of a method made here that holds its level."""


def add(name: str, level: int) -> None:
    """See femtolog.add_level()."""
    import logging

    if not isinstance(name, str):
        raise TypeError(f"the name of a level must be a str, not {type(name).__name__}")
    if not isinstance(level, int) or isinstance(level, bool):
        raise TypeError(f"a level must be an int, not {type(level).__name__}")
    method = name.lower()
    if not method.isidentifier() or keyword.iskeyword(method) or method.startswith("_"):
        raise ConfigurationError(f"{name!r} cannot be the name of a level: {method!r} cannot be the name of a method")
    made: dict[Any, Callable[..., None]] = {
        logging.Logger: _logger_method(level),
        logging.LoggerAdapter: _adapter_method(level),
        logging: _function(method),
    }
    for owner, of_instances in zip(made, (vars(logging.root), vars(logging.LoggerAdapter(logging.root, {})), {}), strict=True):
        there = getattr(owner, method, None)
        if method in of_instances or (there is not None and getattr(there, MARK, None) != level):
            raise ConfigurationError(f"{owner.__name__}.{method} exists already")
    logging.addLevelName(level, name)
    for owner, function in made.items():
        if method not in vars(owner):
            function.__name__ = method
            function.__qualname__ = method if owner is logging else f"{owner.__name__}.{method}"
            function.__module__ = "logging"
            function.__doc__ = f"Log 'msg % args' with level {name} ({level})."
            setattr(function, MARK, level)
            setattr(owner, method, function)


# Each of them is one Python frame between the caller and logging: the stack level counts it.


def _logger_method(level: int) -> Callable[..., None]:
    def method(self: logging.Logger, msg: object, *args: Any, **kwargs: Any) -> None:
        if self.isEnabledFor(level):
            kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
            self._log(level, msg, args, **kwargs)

    return method


def _adapter_method(level: int) -> Callable[..., None]:
    def method(self: logging.LoggerAdapter[Any], msg: object, *args: Any, **kwargs: Any) -> None:
        if self.isEnabledFor(level):
            kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
            self.log(level, msg, *args, **kwargs)

    return method


def _function(method: str) -> Callable[..., None]:
    def function(msg: object, *args: Any, **kwargs: Any) -> None:
        import logging

        if not logging.root.handlers:
            logging.basicConfig()
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        getattr(logging.root, method)(msg, *args, **kwargs)

    return function
