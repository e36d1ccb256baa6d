"""RuntimeConfigBuilder: changes to loggers that are in use; all of them, or none."""

from __future__ import annotations

import logging

from femtolog.errors import ConfigurationError
from femtolog.femto import registry
from femtolog.femto.config import Definitions, LevelAndPropagate, checked_name, closing_on_error
from femtolog.femto.handover import Succession
from femtolog.femto.levels import level_number
from femtolog.femto.logger import is_among

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Self


class _Change:
    """Of a list: unchanged, replace, append, remove or clear; and the ids that this is about."""

    def __init__(self, kind: str) -> None:
        self.kind, self.mode = kind, "unchanged"
        self.ids: list[str] = []

    def be(self, mode: str, ids: Iterable[str] = ()) -> None:
        if self.mode not in ("unchanged", mode):
            raise ConfigurationError(f"multiple {self.kind}s mutation modes: {self.mode}, then {mode}")
        self.mode, self.ids = mode, registry.ids(self.kind, ids)

    def applied(self, items: list[Any], there: Mapping[str, Any], new: Mapping[str, Any]) -> list[Any] | None:
        """What becomes of the items of a logger, where ids get new ones. To be taken away is what has an id until now."""
        known = there if self.mode == "remove" else {**there, **new}
        named = [registry.found(self.kind, name, known) for name in self.ids]
        swaps = registry.swaps(there, new)
        if self.mode == "append":
            return registry.swapped(items, swaps) + named  # each once: so does commit()
        if self.mode == "remove":
            return registry.swapped([item for item in items if not is_among(item, named)], swaps)
        return None if self.mode == "unchanged" else named

    def as_dict(self) -> dict[str, Any]:
        return {"mode": self.mode, "ids": list(self.ids)}


class LoggerMutationBuilder(LevelAndPropagate):
    """What is to change of a logger. ConfigurationError for two ways of changing one list.

    Examples:
        >>> from femtolog.femto import LoggerMutationBuilder
        >>> LoggerMutationBuilder().append_handlers(["screen"]).as_dict()["handlers"]
        {'mode': 'append', 'ids': ['screen']}
    """

    def __init__(self) -> None:
        super().__init__()
        self._handlers, self._filters = _Change("handler"), _Change("filter")

    def replace_handlers(self, ids: Iterable[str]) -> Self:
        """These handlers instead of those it has."""
        self._handlers.be("replace", ids)
        return self

    def append_handlers(self, ids: Iterable[str]) -> Self:
        """These handlers after those it has."""
        self._handlers.be("append", ids)
        return self

    def remove_handlers(self, ids: Iterable[str]) -> Self:
        """Without these handlers."""
        self._handlers.be("remove", ids)
        return self

    def clear_handlers(self) -> Self:
        """Without handlers."""
        self._handlers.be("clear")
        return self

    def replace_filters(self, ids: Iterable[str]) -> Self:
        """These filters instead of those it has."""
        self._filters.be("replace", ids)
        return self

    def append_filters(self, ids: Iterable[str]) -> Self:
        """These filters after those it has."""
        self._filters.be("append", ids)
        return self

    def remove_filters(self, ids: Iterable[str]) -> Self:
        """Without these filters."""
        self._filters.be("remove", ids)
        return self

    def clear_filters(self) -> Self:
        """Without filters."""
        self._filters.be("clear")
        return self

    def _target(self, logger: logging.Logger, there: registry.Names, new: registry.Names) -> registry.Target:
        return registry.Target(
            level=None if self._level is None else level_number(self._level),
            propagate=self._propagate,
            handlers=self._handlers.applied(list(logger.handlers), there.handlers, new.handlers),
            filters=self._filters.applied(list(logger.filters), there.filters, new.filters),
        )

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        return {
            "level": self._level,
            "propagate": self._propagate,
            "handlers": self._handlers.as_dict(),
            "filters": self._filters.as_dict(),
        }


class RuntimeConfigBuilder(Definitions):
    """Changes to what ConfigBuilder has put in force; ids stand for what it has defined, and for what is defined here.

    A handler that gets the id of another takes its place in every FemtoLogger; the other one is flushed and closed.

    Examples:
        >>> from femtolog.femto import LoggerMutationBuilder, RuntimeConfigBuilder, get_logger
        >>> RuntimeConfigBuilder().with_logger("shop", LoggerMutationBuilder().with_level("DEBUG")).apply()
        >>> get_logger("shop").level
        'DEBUG'
    """

    def __init__(self) -> None:
        super().__init__()
        self._loggers: dict[str, LoggerMutationBuilder] = {}
        self._root: LoggerMutationBuilder | None = None

    def with_logger(self, name: str, builder: LoggerMutationBuilder) -> Self:
        """Changes to a logger. TypeError for what is none."""
        _check(builder)
        self._loggers[checked_name(name)] = builder
        return self

    def with_root_logger(self, builder: LoggerMutationBuilder) -> Self:
        """Changes to the root logger. TypeError for what is none."""
        _check(builder)
        self._root = builder
        return self

    def apply(self) -> None:
        """Makes the changes. ConfigurationError, HandlerIOError: nothing has changed, no file either, and what was opened is closed."""
        changes = dict(self._loggers)
        if self._root is not None:
            if "root" in changes:
                raise ConfigurationError('with_root_logger() and with_logger("root", ...) exclude each other, got both')
            changes["root"] = self._root
        with Succession() as succession:
            with closing_on_error() as opened, registry.lock:
                there = registry.names
                new = self._make(there, opened)
                targets = {
                    name: builder._target(logging.getLogger(name), there, new)  # noqa: SLF001 - made for this
                    for name, builder in changes.items()
                }
                retired = registry.commit(new, targets, succession, opened.empty_files, whole=False)
            succession.retire(retired)

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        return {
            **super().as_dict(),
            "loggers": {name: builder.as_dict() for name, builder in self._loggers.items()},
            "root": None if self._root is None else self._root.as_dict(),
        }


def _check(builder: object) -> None:
    if not isinstance(builder, LoggerMutationBuilder):
        raise TypeError(f"changes to a logger must be a LoggerMutationBuilder, got {builder!r}")
