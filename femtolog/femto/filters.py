"""Filters, and what makes them: by level, by the name of the logger, by a function of the program's."""

from __future__ import annotations

import logging

from femtolog.errors import FilterBuildError
from femtolog.femto.levels import level_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self


class MaxLevelFilter(logging.Filter):
    """Lets records up to a level pass."""

    def __init__(self, max_level: int) -> None:
        super().__init__()
        self.max_level = max_level

    def filter(self, record: logging.LogRecord) -> bool:
        """Is the record's level not above it?"""
        return record.levelno <= self.max_level


class PrefixFilter(logging.Filter):
    """Lets records pass whose logger's name begins so; the name need not end there at a dot, as it must for logging.Filter."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = prefix

    def filter(self, record: logging.LogRecord) -> bool:
        """Does the name of the record's logger begin so?"""
        return record.name.startswith(self.prefix)


class FilterBuilder:
    """What all builders of filters have."""

    def build(self) -> Any:
        """The filter. FilterBuildError if something is missing."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        raise NotImplementedError


class LevelFilterBuilder(FilterBuilder):
    """A filter that lets records up to a level pass.

    Examples:
        >>> import logging
        >>> from femtolog.femto import LevelFilterBuilder
        >>> up_to_info = LevelFilterBuilder().with_max_level("INFO").build()
        >>> up_to_info.filter(logging.makeLogRecord({"levelno": logging.ERROR}))
        False
    """

    def __init__(self) -> None:
        self._max_level: str | int | None = None

    def with_max_level(self, level: str | int) -> Self:
        """The highest level that passes."""
        level_number(level)
        self._max_level = level
        return self

    def build(self) -> MaxLevelFilter:
        """The filter. FilterBuildError without a level."""
        if self._max_level is None:
            raise FilterBuildError("max_level must be set by with_max_level(), got None")
        return MaxLevelFilter(level_number(self._max_level))

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        return {"max_level": self._max_level}


class NameFilterBuilder(FilterBuilder):
    """A filter that lets records of loggers pass whose names begin so.

    Examples:
        >>> import logging
        >>> from femtolog.femto import NameFilterBuilder
        >>> of_the_shop = NameFilterBuilder().with_prefix("shop.").build()
        >>> of_the_shop.filter(logging.makeLogRecord({"name": "shop.orders"}))
        True
    """

    def __init__(self) -> None:
        self._prefix: str | None = None

    def with_prefix(self, prefix: str) -> Self:
        """The beginning of the names."""
        if not isinstance(prefix, str) or not prefix:
            raise FilterBuildError(f"prefix must be a str that is not empty, got {prefix!r}")
        self._prefix = prefix
        return self

    def build(self) -> PrefixFilter:
        """The filter. FilterBuildError without a prefix."""
        if self._prefix is None:
            raise FilterBuildError("prefix must be set by with_prefix(), got None")
        return PrefixFilter(self._prefix)

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        return {"prefix": self._prefix}


class PythonCallbackFilterBuilder(FilterBuilder):
    """A filter that is a function of the record, or an object with a `filter(record)`.

    It runs in the thread that logs. What it sets on the record is there for handlers, and in `key_values` of dicts.

    Examples:
        >>> import logging
        >>> from femtolog.femto import PythonCallbackFilterBuilder
        >>> short = PythonCallbackFilterBuilder(lambda record: len(record.getMessage()) < 80).build()
        >>> short(logging.makeLogRecord({"msg": "ready"}))
        True
    """

    def __init__(self, callback: Callable[[logging.LogRecord], Any] | Any) -> None:
        if not callable(callback) and not callable(getattr(callback, "filter", None)):
            raise FilterBuildError(f"a filter must be callable or have a callable 'filter' method, got {callback!r}")
        self._callback = callback

    def build(self) -> Any:
        """What was given: `logging` takes both."""
        return self._callback

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        return {"callback": self._callback}
