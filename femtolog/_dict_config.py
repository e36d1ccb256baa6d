"""dictConfig() whose handlers may be asynchronous, and handlers made so that are there."""

from __future__ import annotations

import logging
import logging.config

import femtolog
from femtolog._enqueue import ATTRIBUTE
from femtolog.errors import HandlerConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY = "enqueue"
FALLBACK = "fallback"
"""Of the handlers of femtolog.files; names another handler, as `target` does for a MemoryHandler."""


class Configurator(logging.config.DictConfigurator):
    """The standard library's, which knows two keys of handlers more."""

    def configure_handler(self, config: dict[str, Any]) -> logging.Handler | Any:
        """A handler, asynchronous if its configuration says so."""
        self._find_fallback(config)
        wanted = config.pop(KEY, False)
        if not isinstance(wanted, bool | dict):
            raise TypeError(f"{KEY} must be True, False or a dict of options, got {wanted!r}")
        try:
            handler = super().configure_handler(config)
        except Exception:
            # A handler whose target is not there yet is made once more.
            config[KEY] = wanted
            raise
        if wanted is False:
            return handler
        try:
            return femtolog.enqueue(handler, **({} if wanted is True else dict(wanted)))
        except Exception:
            handler.close()
            raise

    def _find_fallback(self, config: dict[str, Any]) -> None:
        name, cls = config.get(FALLBACK), config.get("class")
        if not isinstance(name, str):
            return
        from femtolog.files import _File

        if isinstance(cls, str):
            cls = self.resolve(cls)
        if isinstance(cls, type) and (issubclass(cls, _File) or (_is_peer(cls) and name in self.config["handlers"])):
            handler = self.config["handlers"][name]
            if not isinstance(handler, logging.Handler):
                # By this text the standard library knows whom to make later.
                raise ValueError(f"Unable to set fallback handler {name!r}") from TypeError("target not configured yet")
            config[FALLBACK] = handler


def _is_peer(cls: type) -> bool:
    """Does it take the path of a file as well?"""
    from femtolog.femto.peer import PeerHandler

    return issubclass(cls, PeerHandler)


def load(config: dict[str, Any]) -> None:
    """See femtolog.dictConfig()."""
    Configurator(config).configure()


def enqueue_all(**options: Any) -> list[logging.Handler]:
    """See femtolog.configure()."""
    loggers = [logging.root, *(log for log in list(logging.root.manager.loggerDict.values()) if isinstance(log, logging.Logger))]
    handlers: list[logging.Handler] = []
    for logger in loggers:
        for handler in list(logger.handlers):
            if (
                isinstance(handler, logging.StreamHandler)
                and ATTRIBUTE not in vars(handler)
                and "handle" not in vars(handler)
                and type(handler).handle is logging.Handler.handle
                and handler not in handlers
            ):
                handlers.append(handler)
    if len(handlers) > 1 and options.get("spill_dir") is not None:
        raise HandlerConfigError(f"spill_dir must be one handler's own, and {len(handlers)} would share it: enqueue() each")
    return [femtolog.enqueue(handler, **options) for handler in handlers]
