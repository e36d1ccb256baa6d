"""Names of levels, as femto loggers take and print them: TRACE is a level, and WARNING is printed as WARN."""

from __future__ import annotations

import logging

from femtolog.errors import ConfigurationError

TRACE = 5

_NUMBERS = {
    "TRACE": TRACE,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}


def level_number(level: str | int) -> int:
    """The number of a level given by it, or by its name in any case. ConfigurationError for what names none."""
    if isinstance(level, int) and not isinstance(level, bool):
        return level
    if isinstance(level, str):
        name = level.upper()
        number = _NUMBERS.get(name)
        if number is None:
            # One of the program's own, as femtolog.add_level() makes them.
            number = logging.getLevelNamesMapping().get(name)
        if number is not None:
            return number
    raise ConfigurationError(f"level must be a number or one of {', '.join(_NUMBERS)}, got {level!r}")


def femto_name(name: str) -> str:
    """What femto prints for the name that a record or `logging` has for a level."""
    return "WARN" if name == "WARNING" else name


def name_trace() -> None:
    """Lets `logging` print TRACE, too, unless somebody has named that level."""
    if logging.getLevelName(TRACE) == f"Level {TRACE}":
        logging.addLevelName(TRACE, "TRACE")
