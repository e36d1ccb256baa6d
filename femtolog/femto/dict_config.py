"""femto's dictConfig(): the standard library's, with femtologging's names of classes, and filters that are declared."""

from __future__ import annotations

import ast
import functools
import inspect

from femtolog._dict_config import Configurator
from femtolog.errors import ConfigurationError
from femtolog.femto.filters import LevelFilterBuilder
from femtolog.femto.handlers import FemtoFileHandler, FemtoRotatingFileHandler, FemtoStreamHandler, FemtoTimedRotatingFileHandler
from femtolog.femto.http import FemtoHTTPHandler
from femtolog.femto.options import HandlerOptions, TimedHandlerOptions
from femtolog.femto.socket import FemtoSocketHandler

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    import logging
    import os
    from typing import Any

# What the standard library calls arguments that femto calls otherwise.
_ARGUMENTS = {"filename": "path", "maxBytes": "max_bytes", "backupCount": "backup_count", "atTime": "at_time"}


def dictConfig(config: dict[str, Any]) -> None:  # noqa: N802 (the stdlib's name)
    """Configures logging as femtolog.dictConfig() does, where names of handlers may be femtologging's.

    `femtologging.StreamHandler`, `FileHandler`, `RotatingFileHandler`, `TimedRotatingFileHandler`, `SocketHandler` and `HTTPHandler`, the
    same with `femtolog.`, and with `Femto` before the name, are femto's handlers. Any handler may have `args` and `kwargs`; where those are
    text, it is read as Python literals. A filter has exactly one of `level` (the highest that passes), `name` (as logging.Filter) and `()`.

    The ValueError of the standard library, with what is wrong as its cause, for what cannot be.

    Examples:
        >>> from femtolog.femto import dictConfig, get_logger
        >>> screen = {"class": "femtologging.StreamHandler", "stream": "ext://sys.stdout", "filters": ["calm"]}
        >>> dictConfig(
        ...     {
        ...         "version": 1,
        ...         "filters": {"calm": {"level": "WARN"}},
        ...         "handlers": {"screen": screen},
        ...         "root": {"level": "INFO", "handlers": ["screen"]},
        ...     }
        ... )
        >>> log = get_logger("shop")
        >>> log.info("open"), log.error("fire"), get_logger("root").flush_handlers()
        shop [INFO] open
        ('shop [INFO] open', 'shop [ERROR] fire', True)
    """
    _FemtoConfigurator(config).configure()


class _FemtoConfigurator(Configurator):
    """Reads a handler's class and arguments, and declared filters; the rest is the standard library's."""

    def configure_handler(self, config: dict[str, Any]) -> logging.Handler | Any:
        """A handler, made by its class's name or by `()`."""
        given = dict(config)
        try:
            args, kwargs = _literal(config.pop("args", ())), _literal(config.pop("kwargs", {}))
            if not isinstance(args, tuple | list) or not isinstance(kwargs, dict):
                raise TypeError(f"args must be a tuple or a list and kwargs a dict, got {args!r} and {kwargs!r}")
            config.update(kwargs)
            make = _CLASSES.get(config.get("class", ""))
            if make is not None:
                config["()"] = functools.partial(_femto_handler, make)
            if args:
                # By their names: the standard library's way for a class looks at some of them.
                if "class" not in config:
                    raise TypeError("args are for a handler with a class, not for one with '()'")
                signature = inspect.signature(make or self.resolve(config["class"]))
                config.update(signature.bind_partial(*args).arguments)
            if make is not None:
                del config["class"]
            return super().configure_handler(config)
        except Exception:
            # A handler whose target is not there yet is made once more.
            config.clear()
            config.update(given)
            raise

    def configure_filter(self, config: Any) -> Any:
        """A filter: by its highest level, by the name of a logger, or made by `()`."""
        kinds = [key for key in ("level", "name", "()") if key in config]
        if len(kinds) != 1:
            raise ConfigurationError(
                f"a filter has exactly one of level, name and '()', got {', '.join(map(repr, kinds)) or 'none'}"
            )
        if kinds != ["level"]:
            return super().configure_filter(config)
        return LevelFilterBuilder().with_max_level(config["level"]).build()


def _literal(value: Any) -> Any:
    return ast.literal_eval(value) if isinstance(value, str) else value


def _femto_handler(make: Any, *args: Any, **kwargs: Any) -> logging.Handler:
    handler: logging.Handler = make(*args, **{_ARGUMENTS.get(name, name): value for name, value in kwargs.items()})
    return handler


def _rotating(
    path: str | os.PathLike[str],
    max_bytes: int = 0,
    backup_count: int = 0,
    *,
    capacity: int = 1024,
    flush_interval: int = 1,
    policy: str = "drop",
    encoding: str = "utf-8",
    **rest: Any,
) -> FemtoRotatingFileHandler:
    options = HandlerOptions(capacity, flush_interval, policy, (max_bytes, backup_count))
    return FemtoRotatingFileHandler(path, options, encoding=encoding, **rest)


def _timed(
    path: str | os.PathLike[str],
    when: str = "H",
    interval: int = 1,
    backup_count: int = 0,
    *,
    utc: bool = False,
    at_time: datetime.time | None = None,
    capacity: int = 1024,
    flush_interval: int = 1,
    policy: str = "drop",
    encoding: str = "utf-8",
    **rest: Any,
) -> FemtoTimedRotatingFileHandler:
    options = TimedHandlerOptions(capacity, flush_interval, policy, when, interval, backup_count, utc, at_time)
    return FemtoTimedRotatingFileHandler(path, options, encoding=encoding, **rest)


_CLASSES = {
    f"{package}.{prefix}{name}": make
    for package in ("femtologging", "femtolog")
    for prefix in ("", "Femto")
    for name, make in (
        ("StreamHandler", FemtoStreamHandler),
        ("FileHandler", FemtoFileHandler),
        ("RotatingFileHandler", _rotating),
        ("TimedRotatingFileHandler", _timed),
        ("SocketHandler", FemtoSocketHandler),
        ("HTTPHandler", FemtoHTTPHandler),
    )
}
