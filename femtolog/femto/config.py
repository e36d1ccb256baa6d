"""ConfigBuilder: formatters, filters, handlers and loggers as a whole; it is in force when all of it could be made, or not at all."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import stat

from femtolog.errors import ConfigurationError, HandlerIOError
from femtolog.femto import registry
from femtolog.femto.builders import FileHandlerBuilder, FormatterBuilder, HandlerBuilder
from femtolog.femto.filters import FilterBuilder
from femtolog.femto.formatting import formatter_of
from femtolog.femto.handover import Succession, retire, same_file
from femtolog.femto.levels import level_number
from femtolog.femto.logger import known_loggers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Self


class LevelAndPropagate:
    """What all builders for loggers have."""

    def __init__(self) -> None:
        self._level: str | int | None = None
        self._propagate: bool | None = None

    def with_level(self, level: str | int) -> Self:
        """Its level."""
        level_number(level)
        self._level = level
        return self

    def with_propagate(self, propagate: bool) -> Self:
        """Whether its records go to its parents' handlers."""
        self._propagate = bool(propagate)
        return self


class LoggerConfigBuilder(LevelAndPropagate):
    """What a logger is to be: what is not said of handlers and filters is that there are none.

    Examples:
        >>> from femtolog.femto import LoggerConfigBuilder
        >>> LoggerConfigBuilder().with_level("DEBUG").with_handlers(["screen"]).as_dict()
        {'level': 'DEBUG', 'propagate': None, 'filters': [], 'handlers': ['screen']}
    """

    def __init__(self) -> None:
        super().__init__()
        self._handlers: list[str] = []
        self._filters: list[str] = []

    def with_handlers(self, ids: Iterable[str]) -> Self:
        """Its handlers, by their ids."""
        self._handlers = registry.ids("handler", ids)
        return self

    def with_filters(self, ids: Iterable[str]) -> Self:
        """Its filters, by their ids, in the order in which they are asked."""
        self._filters = registry.ids("filter", ids)
        return self

    def _target(self, names: registry.Names, default_level: str | int | None) -> registry.Target:
        level = default_level if self._level is None else self._level
        return registry.Target(
            level=None if level is None else level_number(level),
            propagate=self._propagate,
            handlers=[registry.found("handler", name, names.handlers) for name in self._handlers],
            filters=[registry.found("filter", name, names.filters) for name in self._filters],
        )

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        return {"level": self._level, "propagate": self._propagate, "filters": self._filters, "handlers": self._handlers}


class Definitions:
    """Formatters, filters and handlers by ids, which both kinds of configuration have. One that is given again takes the first's place."""

    def __init__(self) -> None:
        self._formatters: dict[str, Any] = {}
        self._filters: dict[str, Any] = {}
        self._handlers: dict[str, HandlerBuilder | logging.Handler] = {}

    def with_formatter(self, name: str, formatter: FormatterBuilder | Any) -> Self:
        """A formatter: a builder, a Formatter, a callable or an object with `format`."""
        if not isinstance(formatter, FormatterBuilder) and formatter_of(formatter) is None:
            raise ConfigurationError(
                f"formatter {name!r} must be a builder, callable or have a callable 'format', got {formatter!r}"
            )
        self._formatters[name] = formatter
        return self

    def with_filter(self, name: str, builder: FilterBuilder | Any) -> Self:
        """A filter: a builder, or what `logging` takes for one."""
        if not isinstance(builder, FilterBuilder) and not callable(builder) and not hasattr(builder, "filter"):
            raise ConfigurationError(f"filter {name!r} must be a builder, callable or have a 'filter' method, got {builder!r}")
        self._filters[name] = builder
        return self

    def with_handler(self, name: str, builder: HandlerBuilder | logging.Handler) -> Self:
        """A handler, or its builder."""
        if not isinstance(builder, HandlerBuilder | logging.Handler):
            raise ConfigurationError(f"handler {name!r} must be a builder or a logging.Handler, got {builder!r}")
        self._handlers[name] = builder
        return self

    def _make(self, there: registry.Names, opened: Opened) -> registry.Names:
        """What was defined, made. Ids may stand for what is there, too. `opened` knows each handler that was made here."""
        new = registry.Names()
        for name, formatter in self._formatters.items():
            made = formatter.build() if isinstance(formatter, FormatterBuilder) else formatter_of(formatter)
            assert made is not None  # with_formatter() has looked
            new.formatters[name] = made
        for name, item in self._filters.items():
            new.filters[name] = item.build() if isinstance(item, FilterBuilder) else item
        known = registry.Names(there.formatters | new.formatters, there.filters | new.filters)
        for name, builder in self._handlers.items():
            new.handlers[name] = opened.built(builder, known) if isinstance(builder, HandlerBuilder) else builder
        return new

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""

        def told(group: dict[str, Any]) -> dict[str, Any]:
            return {name: item.as_dict() if hasattr(item, "as_dict") else item for name, item in group.items()}

        return {"formatters": told(self._formatters), "filters": told(self._filters), "handlers": told(self._handlers)}


class ConfigBuilder(Definitions):
    """A whole configuration, which build_and_init() puts in force. ConfigurationError, and nothing has changed, where that cannot be.

    Examples:
        >>> import io
        >>> from femtolog.femto import ConfigBuilder, LoggerConfigBuilder, StreamHandlerBuilder, get_logger
        >>> screen = io.StringIO()
        >>> (
        ...     ConfigBuilder()
        ...     .with_handler("screen", StreamHandlerBuilder().stream_target(screen))
        ...     .with_logger("shop", LoggerConfigBuilder().with_level("INFO").with_handlers(["screen"]))
        ...     .build_and_init()
        ... )
        >>> get_logger("shop").info("open")
        'shop [INFO] open'
        >>> get_logger("shop").flush_handlers()
        True
        >>> print(screen.getvalue(), end="")
        shop [INFO] open
    """

    def __init__(self) -> None:
        super().__init__()
        self._disable_existing_loggers = False
        self._default_level: str | int | None = None
        self._loggers: dict[str, LoggerConfigBuilder] = {}

    def with_version(self, version: int) -> Self:
        """The version of such configurations: 1."""
        if version != 1:
            raise ConfigurationError(f"version must be 1, got {version!r}")
        return self

    def with_disable_existing_loggers(self, disable: bool) -> Self:
        """Whether FemtoLoggers that are not named here, nor above one that is, lose their handlers and filters."""
        self._disable_existing_loggers = bool(disable)
        return self

    def with_default_level(self, level: str | int) -> Self:
        """The level of loggers here that have none of their own."""
        level_number(level)
        self._default_level = level
        return self

    def with_logger(self, name: str, builder: LoggerConfigBuilder) -> Self:
        """A logger."""
        if not isinstance(builder, LoggerConfigBuilder):
            raise ConfigurationError(f"logger {name!r} must be a LoggerConfigBuilder, got {builder!r}")
        self._loggers[checked_name(name)] = builder
        return self

    def with_root_logger(self, builder: LoggerConfigBuilder) -> Self:
        """The root logger."""
        return self.with_logger("root", builder)

    def build_and_init(self) -> None:
        """Makes everything and puts it in force.

        ConfigurationError, HandlerIOError: nothing has changed, no file either, and what was opened is closed.
        """
        with Succession() as succession:
            with closing_on_error() as opened, registry.lock:
                new = self._make(registry.Names(), opened)
                targets = {name: builder._target(new, self._default_level) for name, builder in self._loggers.items()}  # noqa: SLF001
                if self._disable_existing_loggers:
                    for logger in known_loggers():
                        above = any(name.startswith(f"{logger.name}.") for name in targets) or logger.name == "root"
                        if logger.name not in targets and not above:
                            targets[logger.name] = registry.Target(handlers=[], filters=[])
                retired = registry.commit(new, targets, succession, opened.empty_files, whole=True)
            succession.retire(retired)

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        return {
            "version": 1,
            "disable_existing_loggers": self._disable_existing_loggers,
            "default_level": self._default_level,
            **super().as_dict(),
            "loggers": {name: builder.as_dict() for name, builder in self._loggers.items()},
        }


def checked_name(name: str) -> str:
    """The name of a logger, if get_logger() would take it."""
    if not isinstance(name, str) or not all(name.split(".")):
        raise ConfigurationError(f"name must be a str without an empty part between its dots, got {name!r}")
    return name


class Opened:
    """The handlers that a configuration makes, and what is to be done with their files."""

    def __init__(self) -> None:
        self._handlers: list[logging.Handler] = []
        self._created: list[str] = []  # files that were not there before
        self._to_empty: list[logging.FileHandler] = []

    def built(self, builder: HandlerBuilder, names: registry.Names) -> logging.Handler:
        """A handler. Its file is opened to append: with mode "w" it is emptied by empty_files()."""
        begin_anew = False
        if isinstance(builder, FileHandlerBuilder):
            told = builder._told  # noqa: SLF001 - of the package
            path = os.path.realpath(told["path"])
            if not os.path.exists(path):
                self._created.append(path)
            begin_anew = told.get("mode") == "w"
            if begin_anew:
                builder = copy.copy(builder)
                builder._told = {**told, "mode": "a"}  # noqa: SLF001
        handler: logging.Handler = builder.build(names)
        self._handlers.append(handler)
        if begin_anew and isinstance(handler, logging.FileHandler):
            self._to_empty.append(handler)
        return handler

    def empty_files(self, there: registry.Names) -> None:
        """The last step that can fail. A file that a handler of the configuration in force writes to is gone on with."""
        for handler in self._to_empty:
            if any(same_file(handler, other) for other in there.handlers.values()):
                continue
            assert handler.stream is not None  # it was opened at once
            descriptor = handler.stream.fileno()
            try:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    os.ftruncate(descriptor, 0)
            except OSError as error:
                raise HandlerIOError(error.errno, error.strerror, handler.baseFilename) from error

    def undo(self) -> None:
        """Closes the handlers, and removes files that are there because of them."""
        retire(self._handlers)
        for path in self._created:
            with contextlib.suppress(OSError):
                if not os.path.getsize(path):
                    os.remove(path)


@contextlib.contextmanager
def closing_on_error() -> Iterator[Opened]:
    """What a block opens is undone if it does not end well."""
    opened = Opened()
    try:
        yield opened
    except BaseException:
        opened.undo()
        raise
