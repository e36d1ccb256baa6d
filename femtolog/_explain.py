"""Why a line appears or not: the way a record would take through loggers and handlers, walked without logging anything."""

from __future__ import annotations

import copy
import logging
import logging.handlers
import sys
import time
from typing import NamedTuple

from femtolog.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PASSES, EMITS, DROPS, DEPENDS = "passes", "emits", "drops", "depends"


class Configuration(NamedTuple):
    """The call that disabled a logger: of which function of logging.config, where, and when in seconds since 1970."""

    function: str
    file: str
    line: int
    caller: str
    time: float


class Step(NamedTuple):
    """One station of the way. `subject` is the logger, handler or filter that decides; `by` the call that disabled it, if known."""

    subject: object
    verdict: str
    reason: str
    text: str
    by: Configuration | None = None


class Explanation(list[str]):
    """The sentences, in the order in which logging would decide.

    `steps` holds the same as data, one `Step` for each sentence but the last: its `verdict` is 'passes', 'emits', 'drops' or
    'depends' (on code that was not run), its `reason` one of 'created', 'disabled', 'disable', 'level', 'filter', 'override',
    'propagate', 'handlers', 'lastResort', 'closed', 'target', 'queue', 'buffer' and 'emit'. `logged` is True if some handler emits
    the record, False if none does, None if that depends.
    """

    steps: list[Step]
    logged: bool | None


def explain(logger: Any, level: int | str, record: logging.LogRecord | None) -> Explanation:
    """See femtolog.explain()."""
    start, name, parent = _find(logger)
    number = _number(level)
    found = Explanation()
    before = list(_before_the_handlers(start, name, parent, number, record))
    ways = [] if any(step.verdict == DROPS for step in before) else list(_handlers(start or parent, name, number, record))
    found.steps = [*before, *(step for way in ways for step in way)]
    found.extend(step.text for step in found.steps)
    found.logged, conclusion = _conclusion(before, [_outcome(way) for way in ways])
    found.append(conclusion)
    return found


# -- what is asked about ------------------------------------------------------------------------------------------------------


def _find(logger: Any) -> tuple[logging.Logger | None, str, logging.Logger | None]:
    """The logger, or None if nobody has made it; its name; the logger that is, or would be, its parent."""
    while isinstance(logger, logging.LoggerAdapter):
        logger = logger.logger
    if isinstance(logger, logging.Logger):
        return logger, logger.name, logger.parent
    if not isinstance(logger, str):
        raise TypeError(f"a logger, an adapter or a name is wanted, not {type(logger).__name__}")
    manager = logging.root.manager
    if not logger or logger == manager.root.name:
        return manager.root, manager.root.name, None
    there = manager.loggerDict.get(logger)
    if isinstance(there, logging.Logger):
        return there, logger, there.parent
    parts = logger.split(".")
    for count in range(len(parts) - 1, 0, -1):
        above = manager.loggerDict.get(".".join(parts[:count]))
        if isinstance(above, logging.Logger):
            return None, logger, above
    return None, logger, manager.root


def _number(level: int | str) -> int:
    if isinstance(level, int):
        return level
    if not isinstance(level, str):
        raise TypeError(f"Level not an integer or a valid string: {level!r}")
    names = logging.getLevelNamesMapping()
    if level not in names:
        raise ConfigurationError(f"Unknown level: {level!r}")
    return names[level]


# -- words --------------------------------------------------------------------------------------------------------------------


def _level(number: int) -> str:
    name = str(logging.getLevelName(number))
    return f"level {number}" if name == f"Level {number}" else f"{name} ({number})"


def _own(number: int) -> str:
    return _level(number) if _level(number).startswith("level ") else f"level {_level(number)}"


def _logger(logger: logging.Logger) -> str:
    return "the root logger" if logger.parent is None and logger is logger.manager.root else f"logger {logger.name!r}"


def _shown(thing: object) -> str:
    try:
        text = repr(thing)
    except Exception as error:  # noqa: BLE001 - it is only to be shown
        text = f"{object.__repr__(thing)} (its repr fails: {type(error).__name__})"
    name = getattr(thing, "name", None) if isinstance(thing, logging.Handler) else None
    return f"{text} named {name!r}" if name else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# -- the way ------------------------------------------------------------------------------------------------------------------


def _before_the_handlers(
    start: logging.Logger | None, name: str, parent: logging.Logger | None, level: int, record: logging.LogRecord | None
) -> Iterator[Step]:
    subject = start or parent
    assert subject is not None
    if start is None:
        text = f"Nobody has asked for logger {name!r} yet; it would get no level and no handler of its own, and {_logger(subject)} for parent."
        yield Step(subject, PASSES, "created", text)
    else:
        yield from _overrides(start, ("isEnabledFor", "getEffectiveLevel"))
        if start.disabled:
            yield disabled(start)
            return
    disable = subject.manager.disable
    if disable >= level:
        text = f"logging.disable({disable}) is in force: nothing up to {_level(disable)} is logged, and this is {_level(level)}."
        yield Step(subject.manager, DROPS, "disable", text)
        return
    owner: logging.Logger | None = subject
    while owner is not None and not owner.level:
        owner = owner.parent
    effective = owner.level if owner is not None else logging.NOTSET
    own = f"{_capital(_logger(start))}" if start is not None else f"Logger {name!r}"
    if owner is None:
        whose = f"{own} has no level, nor has any above it"
    elif owner is start:
        whose = f"{own} has {_own(effective)}"
    else:
        whose = f"{own} has {_own(effective)} from {_logger(owner)}"
    if level < effective:
        yield Step(owner, DROPS, "level", f"{whose}: {_level(level)} is below it.")
        return
    yield Step(owner or subject, PASSES, "level", f"{whose}: {_level(level)} passes.")
    if start is not None:
        yield from _overrides(start, ("_log", "makeRecord", "handle", "filter", "callHandlers"))
        yield from _filters(start, _logger(start), name, record)


def disabled(logger: logging.Logger) -> Step:
    """Why a logger that is disabled is."""
    # The extension notes it while it is bound; where it has not been loaded nothing has been noted.
    native = sys.modules.get("femtolog._native")
    noted = native.disabled_by(logger.name) if native is not None else None
    subject = f"{_capital(_logger(logger))} is disabled"
    why = "dictConfig() and fileConfig() do that to loggers they do not name, unless disable_existing_loggers is false."
    if noted is None:
        return Step(
            logger, DROPS, "disabled", f"{subject}: {why} Which call it was is known of calls while femtolog is installed."
        )
    by = Configuration(*noted)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(by.time))
    return Step(
        logger,
        DROPS,
        "disabled",
        f"{subject} by {by.function}() in {by.file}, line {by.line}, in {by.caller}, at {when}: {why}",
        by,
    )


def _handlers(first: logging.Logger | None, name: str, level: int, record: logging.LogRecord | None) -> Iterator[list[Step]]:
    """For each handler on the way, and for each place where the way ends, the steps there; the last one says what comes of it."""
    logger, count = first, 0
    while logger is not None:
        for handler in list(logger.handlers):
            count += 1
            yield _handler(handler, f"{_shown(handler)} of {_logger(logger)}", name, level, record)
        if not logger.propagate:
            if logger.parent is not None:
                text = f"{_capital(_logger(logger))} does not propagate: handlers of {_logger(logger.parent)} and above are not asked."
                yield [Step(logger, PASSES, "propagate", text)]
            break
        logger = logger.parent
    if count:
        return
    last = logging.lastResort
    if last is None:
        yield [Step(first, DROPS, "handlers", "There is no handler on the way, and logging.lastResort is None.")]
    elif level < last.level:
        text = f"There is no handler on the way, and logging.lastResort takes {_level(last.level)} and above only."
        yield [Step(last, DROPS, "lastResort", text)]
    else:
        yield [
            Step(last, EMITS, "lastResort", "There is no handler on the way: logging.lastResort writes the message to stderr.")
        ]


def _handler(handler: logging.Handler, label: str, name: str, level: int, record: logging.LogRecord | None) -> list[Step]:
    if level < handler.level:
        return [Step(handler, DROPS, "level", f"{label} takes {_level(handler.level)} and above only.")]
    steps = [*_overrides(handler, ("handle", "filter")), *_filters(handler, label, name, record)]
    if steps and steps[-1].verdict == DROPS:
        return steps
    last = _emission(handler, label, level)
    if steps and last.verdict == EMITS:
        last = last._replace(verdict=DEPENDS, text=f"If that lets it pass, {last.text}")
    return [*steps, last]


def _emission(handler: logging.Handler, label: str, level: int) -> Step:
    """What becomes of a record that a handler takes."""
    verdict, reason, does = EMITS, "emit", "emits it."
    if isinstance(handler, logging.NullHandler):
        verdict, does = DROPS, "writes nothing: that is what a NullHandler is for."
    elif isinstance(handler, logging.handlers.MemoryHandler):
        if handler.target is None:
            verdict, reason, does = DROPS, "target", "has no target: what it keeps goes nowhere."
        elif level < handler.flushLevel and len(handler.buffer) + 1 < handler.capacity:
            until = f"until it holds {handler.capacity} records or {_level(handler.flushLevel)} comes."
            reason, does = "buffer", f"keeps it for {_shown(handler.target)} {until}"
    elif isinstance(handler, logging.handlers.QueueHandler):
        reason, does = "queue", "puts it into its queue; whether it is written then is its listener's affair."
        full = getattr(handler.queue, "full", None)
        if full is not None and full():
            verdict, does = DEPENDS, "puts it into its queue, which is full now."
    elif isinstance(handler, logging.StreamHandler):
        if getattr(handler.stream, "closed", False) is True:
            verdict, reason, does = DROPS, "closed", "has a stream that is closed: handleError() is called."
        elif isinstance(handler, logging.FileHandler) and _is_shut(handler):
            verdict, reason, does = DROPS, "closed", "is closed, and a file of mode 'w' is not opened again: that would empty it."
    return Step(handler, verdict, reason, f"{label} {does}")


def _is_shut(handler: logging.FileHandler) -> bool:
    return handler.stream is None and vars(handler).get("_closed", False) and handler.mode == "w"


def _filters(owner: Any, label: str, name: str, record: logging.LogRecord | None) -> Iterator[Step]:
    for one in list(owner.filters):
        if type(one) is logging.Filter and _is_of_logging(one, "filter"):
            if one.nlen and name != one.name and not name.startswith(one.name + "."):
                text = f"A filter of {label} lets {one.name!r} and loggers below it pass only, not {name!r}."
                yield Step(one, DROPS, "filter", text)
                return
        elif record is None:
            yield Step(one, DEPENDS, "filter", f"Filter {_shown(one)} of {label} decides by its own code, which was not run.")
        else:
            try:
                answer = (one.filter if hasattr(one, "filter") else one)(copy.copy(record))
            except Exception as error:  # noqa: BLE001 - it is what would happen
                yield Step(one, DROPS, "filter", f"Filter {_shown(one)} of {label} raises {type(error).__name__}: {error}")
                return
            if not answer:
                yield Step(one, DROPS, "filter", f"Filter {_shown(one)} of {label} refuses the record.")
                return


def _overrides(thing: Any, names: tuple[str, ...]) -> Iterator[Step]:
    for name in names:
        if not _is_of_logging(thing, name):
            method = getattr(thing, name)
            where = getattr(method, "__module__", None) or type(method).__module__
            shown = _shown(thing) if isinstance(thing, logging.Handler) else _capital(_logger(thing))
            text = f"{shown} has a {name}() of its own, from {where}: what that does was not tried."
            yield Step(thing, DEPENDS, "override", text)


def _is_of_logging(thing: Any, name: str) -> bool:
    if name in getattr(thing, "__dict__", ()):
        return False
    method = getattr(type(thing), name)
    module = getattr(method, "__module__", None) or getattr(getattr(method, "__objclass__", None), "__module__", None)
    return module in ("logging", "logging.handlers")


def _outcome(way: list[Step]) -> str:
    """What comes of it: the last verdict, except that a method that was not tried may do otherwise than drop."""
    return DEPENDS if _has_override(way) and way[-1].verdict == DROPS else way[-1].verdict


def _has_override(steps: list[Step]) -> bool:
    return any(step.reason == "override" for step in steps)


def _conclusion(before: list[Step], outcomes: list[str]) -> tuple[bool | None, str]:
    emitting = outcomes.count(EMITS)
    if not emitting and DEPENDS not in outcomes and not _has_override(before):
        return False, "So it is not logged."
    if not emitting or any(step.verdict == DEPENDS for step in before):
        return None, "So whether it is logged depends on code that was not run."
    return True, "So it is logged." if emitting == 1 else f"So it is logged, by {emitting} handlers."
