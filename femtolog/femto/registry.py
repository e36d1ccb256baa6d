"""The formatters, filters and handlers that configurations have named, and the one step that changes loggers: all of it, or nothing.

Whoever configures makes everything first, which may fail. commit() then only assigns.
"""

from __future__ import annotations

import dataclasses
import logging

from femtolog.errors import ConfigurationError, HandlerConfigError
from femtolog.femto.formatting import DEFAULT
from femtolog.femto.handover import is_closed
from femtolog.femto.logger import forget_loggers, get_logger, is_among, known_loggers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeVar

    from femtolog.femto.handover import Succession

    _T = TypeVar("_T")


class UnknownIdError(HandlerConfigError, KeyError):
    """A configuration names something that nobody has defined. It is a KeyError as well.

    Examples:
        >>> from femtolog.femto import StreamHandlerBuilder
        >>> StreamHandlerBuilder().with_formatter("brief").build()
        Traceback (most recent call last):
        femtolog.femto.registry.UnknownIdError: unknown formatter id 'brief'; there are none
    """

    def __str__(self) -> str:
        return str(self.args[0])


@dataclasses.dataclass
class Names:
    """What ids stand for."""

    formatters: dict[str, logging.Formatter] = dataclasses.field(default_factory=dict)
    filters: dict[str, Any] = dataclasses.field(default_factory=dict)
    handlers: dict[str, logging.Handler] = dataclasses.field(default_factory=dict)

    def formatter(self, name: str) -> logging.Formatter:
        """The formatter of this id; "default" is always there."""
        return DEFAULT if name == "default" and name not in self.formatters else found("formatter", name, self.formatters)


@dataclasses.dataclass
class Target:
    """What a logger is to be. None: as it is, with what has got the ids of others in their places."""

    level: int | None = None
    propagate: bool | None = None
    handlers: list[logging.Handler] | None = None
    filters: list[Any] | None = None


names = Names()
lock: Any = logging._lock  # type: ignore[attr-defined]  # noqa: SLF001 - what logging.config takes, too, and a forked child makes new
"""Of `names`, and of whoever is configuring."""


def found(kind: str, name: str, where: Mapping[str, _T]) -> _T:
    """What the id stands for. UnknownIdError if it stands for nothing."""
    try:
        return where[name]
    except KeyError:
        raise UnknownIdError(f"unknown {kind} id {name!r}; there are {', '.join(map(repr, where)) or 'none'}") from None


def ids(kind: str, given: Iterable[str]) -> list[str]:
    """A list of ids. ConfigurationError that names each one that is there more than once."""
    if isinstance(given, str):
        raise TypeError(f"{kind} ids must be several str, got one: {given!r}")
    listed = list(given)
    twice = [name for name in dict.fromkeys(listed) if listed.count(name) > 1]
    if twice:
        raise ConfigurationError(f"duplicate {kind} ids: {', '.join(map(repr, twice))}")
    return listed


def commit(
    new: Names, targets: Mapping[str, Target], succession: Succession, last_step: Callable[[Names], None], *, whole: bool
) -> list[logging.Handler]:
    """Makes loggers what they are to be; the handlers that nobody needs any more are to be given to Succession.retire(), without the lock.

    `last_step` is told what is in force; when it has not failed, nothing does. HandlerConfigError, with nothing changed, for a closed handler
    that cannot be opened again.

    What has an id that gets another handler or filter is replaced by it in every FemtoLogger, but where a target says what there is to be. It
    is needed yet if it has another id. `whole`: this is all that is to be known, so handlers of earlier configurations that no FemtoLogger
    has are not needed, either.
    """
    with lock:
        there, coming = list(names.handlers.values()), list(new.handlers.values())
        added = [handler for handler in coming if not is_among(handler, there)]
        for handler in added:
            if is_closed(handler):
                _count_on(handler)
                succession.revive(handler)
        succession.hold([handler for handler in there if not is_among(handler, coming)], added)
        last_step(names)
        succession.put_in_force(coming)
        handlers, filters = swaps(names.handlers, new.handlers), swaps(names.filters, new.filters)
        loggers = {logger.name: logger for logger in [*known_loggers(), *map(get_logger, targets)]}
        for name, logger in loggers.items():
            target = targets.get(name, Target())
            target.handlers = (
                swapped(logger.logger.handlers, handlers) if target.handlers is None else swapped(target.handlers, ())
            )
            target.filters = swapped(logger.logger.filters, filters) if target.filters is None else swapped(target.filters, ())
            logger._become(target)  # noqa: SLF001 - the other half of this function
        names.formatters |= new.formatters
        names.filters |= new.filters
        names.handlers |= new.handlers
        if whole:
            for name, handler in list(names.handlers.items()):
                if name not in new.handlers and not any(is_among(handler, logger.logger.handlers) for logger in loggers.values()):
                    del names.handlers[name]
        in_force = list(names.handlers.values())
        succession.swap([swap for swap in handlers if not is_among(swap[0], in_force)])
    return [handler for handler in swapped(there, ()) if not is_among(handler, in_force)]


def _count_on(handler: logging.Handler) -> None:
    """What it has dropped counts on for loggers that had it, though it begins to count anew."""
    for logger in known_loggers():
        for one in logger._removed:  # noqa: SLF001 - of the package
            if one.handler() is handler:
                one.account()
                one.handler = _nobody  # type: ignore[assignment]  # as if it were not there any more


def _nobody() -> None:
    pass


def swaps(there: Mapping[str, _T], new: Mapping[str, _T]) -> list[tuple[_T, _T]]:
    """What has an id now, and what gets the id."""
    return [(there[name], thing) for name, thing in new.items() if name in there and there[name] is not thing]


def swapped(things: Iterable[Any], swaps: Iterable[tuple[Any, Any]]) -> list[Any]:
    """The list with the new in the places of the old, each once."""
    result: list[Any] = []
    for thing in things:
        now = next((new for old, new in swaps if old is thing), thing)
        if not is_among(now, result):
            result.append(now)
    return result


def reset_manager() -> None:
    """Takes back what FemtoLoggers of get_logger() have done, and forgets them and the ids of configurations: for tests.

    Handlers and filters that were added through them are removed, not closed; levels and `propagate` are as they were before the
    first get_logger().

    Examples:
        >>> import logging
        >>> from femtolog.femto import get_logger, reset_manager
        >>> get_logger("app").set_level("DEBUG")
        >>> reset_manager()
        >>> logging.getLogger("app").level
        0
    """
    with lock:
        forget_loggers()
        for group in (names.formatters, names.filters, names.handlers):
            group.clear()
