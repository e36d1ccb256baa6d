"""What makes handlers and formatters, told step by step. Nothing is opened before build()."""

from __future__ import annotations

import logging
import os
import sys

from femtolog.errors import FilterBuildError, HandlerConfigError, HandlerIOError
from femtolog.femto import registry
from femtolog.femto.filters import FilterBuilder
from femtolog.femto.formatting import formatter_of
from femtolog.femto.handlers import FemtoFileHandler, FemtoRotatingFileHandler, FemtoStreamHandler, FemtoTimedRotatingFileHandler
from femtolog.femto.levels import level_number
from femtolog.femto.options import (
    HandlerOptions,
    OverflowPolicy,
    TimedHandlerOptions,
    byte_limit,
    interval_of_flushes,
    not_negative,
    policy_text,
    positive,
    rotation_limits,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable
    from typing import Any, Literal, Self


class FormatterBuilder:
    """A logging.Formatter.

    Examples:
        >>> import logging
        >>> from femtolog.femto import FormatterBuilder
        >>> formatter = FormatterBuilder().with_format("{levelname} {message}").with_style("{").build()
        >>> formatter.format(logging.makeLogRecord({"levelname": "INFO", "msg": "ready"}))
        'INFO ready'
    """

    def __init__(self) -> None:
        self._format: str | None = None
        self._datefmt: str | None = None
        self._style: Literal["%", "{", "$"] = "%"

    def with_format(self, fmt: str) -> Self:
        """The format of a line."""
        self._format = fmt
        return self

    def with_datefmt(self, datefmt: str) -> Self:
        """The format of a time."""
        self._datefmt = datefmt
        return self

    def with_style(self, style: Literal["%", "{", "$"]) -> Self:
        """How fields stand in the format: % { or $."""
        self._style = style
        return self

    def build(self) -> logging.Formatter:
        """The formatter; what `logging` raises for formats that are none."""
        return logging.Formatter(self._format, self._datefmt, self._style)

    def as_dict(self) -> dict[str, Any]:
        """What it was told."""
        return {"format": self._format, "datefmt": self._datefmt, "style": self._style}


class HandlerBuilder:
    """What all builders of handlers have. Each method returns the builder."""

    BY_NAME: tuple[str, ...] = ("capacity_bytes", "on_error", "on_drop")
    MAY_SPILL = True

    def __init__(self, **defaults: Any) -> None:
        self._told: dict[str, Any] = {**defaults, "capacity": 1024, "overflow_policy": "drop"}
        self._formatter: Any = None
        self._filters: list[Any] = []

    def _tell(self, name: str, value: Any) -> Self:
        self._told[name] = value
        return self

    def with_capacity(self, capacity: int) -> Self:
        """So many records its queue has room for."""
        return self._tell("capacity", positive("capacity", capacity))

    def with_capacity_bytes(self, capacity_bytes: int) -> Self:
        """So many bytes its queue has room for; 64 MiB unless told."""
        return self._tell("capacity_bytes", byte_limit(capacity_bytes))

    def with_on_error(self, on_error: Callable[[BaseException, int], object]) -> Self:
        """What a thread of its own calls with an exception and how many records have failed, once a second at most."""
        return self._tell("on_error", _callback("on_error", on_error))

    def with_on_drop(self, on_drop: Callable[[str, int], object]) -> Self:
        """What that thread calls with a reason and how many records were dropped for it."""
        return self._tell("on_drop", _callback("on_drop", on_drop))

    def with_overflow_policy(self, policy: str | OverflowPolicy, timeout_ms: int | None = None) -> Self:
        """What happens to a record for which there is no room; "timeout" with its milliseconds beside it is "timeout:N"."""
        if timeout_ms is not None:
            return self._tell("overflow_policy", policy_text(f"{policy}:{timeout_ms}"))
        text = policy_text(policy, may_spill=self.MAY_SPILL)
        return self._tell("overflow_policy", policy if text == "spill" else text)

    def with_level(self, level: str | int) -> Self:
        """What is below this level is not handled."""
        level_number(level)
        return self._tell("level", level)

    def with_filters(self, filters: Iterable[Any]) -> Self:
        """Filters, builders of filters, or ids of filters in a ConfigBuilder."""
        listed = list(filters)
        for item in listed:
            if not isinstance(item, str | FilterBuilder) and not callable(item) and not hasattr(item, "filter"):
                raise FilterBuildError(f"a filter must be an id, a builder, callable or have a 'filter' method, got {item!r}")
        self._filters = listed
        return self

    def with_formatter(self, formatter: str | logging.Formatter | Callable[[dict[str, Any]], str] | Any) -> Self:
        """A Formatter; a callable, or an object with `format`, that makes a str of the record as a dict; "default"; or an id in a ConfigBuilder."""
        if not isinstance(formatter, str) and formatter_of(formatter) is None:
            raise HandlerConfigError(f"a formatter must be an id, callable or have a callable 'format', got {formatter!r}")
        self._formatter = formatter
        return self

    def build(self, names: registry.Names | None = None) -> Any:
        """The handler. `names` says what ids stand for; unless given, what the last configuration says.

        HandlerConfigError for an id that stands for nothing, HandlerIOError for a file that cannot be opened.
        """
        known = registry.names if names is None else names
        formatter = None
        if self._formatter is not None:
            formatter = known.formatter(self._formatter) if isinstance(self._formatter, str) else formatter_of(self._formatter)
        filters = [self._filter(item, known) for item in self._filters]
        try:
            handler: logging.Handler = self._make()
        except OSError as error:
            raise HandlerIOError(error.errno, error.strerror, error.filename) from error
        if formatter is not None:
            handler.setFormatter(formatter)
        handler.setLevel(level_number(self._told.get("level", logging.NOTSET)))
        for item in filters:
            handler.addFilter(item)
        return handler

    @staticmethod
    def _filter(item: Any, names: registry.Names) -> Any:
        if isinstance(item, str):
            return registry.found("filter", item, names.filters)
        return item.build() if isinstance(item, FilterBuilder) else item

    def _make(self) -> Any:
        """The handler itself; each builder makes its own kind."""
        raise NotImplementedError

    def _rest(self) -> dict[str, Any]:
        """What all constructors take by name, if it was told."""
        return {name: self._told[name] for name in self.BY_NAME if name in self._told}

    def as_dict(self) -> dict[str, Any]:
        """What it was told, and the defaults of the rest."""
        told = dict(self._told)
        policy, _, milliseconds = str(told["overflow_policy"]).partition(":")
        if isinstance(told["overflow_policy"], OverflowPolicy):
            told["spill_dir"], told["spill_max"] = told["overflow_policy"].spill_dir, told["overflow_policy"].spill_max
        told["overflow_policy"] = policy
        if milliseconds:
            told["timeout_ms"] = int(milliseconds)
        if self._filters:
            told["filters"] = [item.as_dict() if isinstance(item, FilterBuilder) else item for item in self._filters]
        if self._formatter is not None:
            told["formatter"] = self._formatter
        return told


def _callback(name: str, callback: Any) -> Any:
    if not callable(callback):
        raise TypeError(f"{name} must be callable, not {type(callback).__name__}")
    return callback


class StreamHandlerBuilder(HandlerBuilder):
    """A FemtoStreamHandler; for sys.stderr unless told otherwise, as that is when it is built.

    Examples:
        >>> from femtolog.femto import StreamHandlerBuilder
        >>> handler = StreamHandlerBuilder.stdout().with_level("WARN").with_capacity(100).build()
        >>> handler.level
        30
    """

    def __init__(self) -> None:
        super().__init__(target="stderr", flush_after_ms=1000)

    @classmethod
    def stdout(cls) -> Self:
        """A builder for sys.stdout."""
        return cls().stream_target("stdout")

    @classmethod
    def stderr(cls) -> Self:
        """A builder for sys.stderr."""
        return cls().stream_target("stderr")

    def stream_target(self, stream: Any) -> Self:
        """The stream: "stdout", "stderr", or one."""
        if isinstance(stream, str) and stream not in ("stdout", "stderr"):
            raise HandlerConfigError(f"stream_target must be 'stdout', 'stderr' or a stream, got {stream!r}")
        return self._tell("target", stream)

    def with_flush_after_ms(self, milliseconds: int) -> Self:
        """How long flush() waits."""
        return self._tell("flush_after_ms", positive("flush_after_ms", milliseconds))

    with_flush_timeout_ms = with_flush_after_ms

    def _make(self) -> FemtoStreamHandler:
        target = self._told["target"]
        stream = getattr(sys, target) if isinstance(target, str) else target
        told = self._told
        wait = told["flush_after_ms"]
        return FemtoStreamHandler(stream, told["capacity"], told["overflow_policy"], flush_after_ms=wait, **self._rest())


class FileHandlerBuilder(HandlerBuilder):
    """A FemtoFileHandler.

    Examples:
        >>> from femtolog.femto import FileHandlerBuilder
        >>> handler = FileHandlerBuilder("app.log").mode("w").with_overflow_policy("block").build()
        >>> handler.mode
        'w'
        >>> handler.close()
    """

    BY_NAME = (*HandlerBuilder.BY_NAME, "fallback")

    def __init__(self, path: str | os.PathLike[str], **defaults: Any) -> None:
        super().__init__(path=os.fspath(path), encoding="utf-8", flush_after_records=1, **defaults)

    def encoding(self, encoding: str) -> Self:
        """How text becomes bytes."""
        return self._tell("encoding", encoding)

    def with_flush_after_records(self, records: int) -> Self:
        """The file is flushed with each so manieth record; -1: with each."""
        return self._tell("flush_after_records", interval_of_flushes(records))

    with_flush_record_interval = with_flush_after_records

    def with_fallback(self, fallback: logging.Handler) -> Self:
        """Who gets the records that cannot be written."""
        if not isinstance(fallback, logging.Handler):
            raise TypeError(f"fallback must be a logging.Handler, got {fallback!r}")
        return self._tell("fallback", fallback)

    def mode(self, mode: str) -> Self:
        """How the file is opened: "a" or "w"; only "a" for one that rotates. A configuration empties it when it is put in force, and only
        if no handler of the one before has it."""
        if mode != "a" and (mode != "w" or type(self) is not FileHandlerBuilder):
            raise HandlerConfigError(f"mode must be 'a', or 'w' for a file that does not rotate, got {mode!r}")
        return self._tell("mode", mode)

    def _make(self) -> Any:
        told = self._told
        return FemtoFileHandler(
            told["path"],
            told["capacity"],
            told["flush_after_records"],
            told["overflow_policy"],
            mode=told.get("mode", "a"),
            encoding=told["encoding"],
            **self._rest(),
        )


class RotatingFileHandlerBuilder(FileHandlerBuilder):
    """A FemtoRotatingFileHandler; it does not rotate unless both limits are set.

    Examples:
        >>> from femtolog.femto import RotatingFileHandlerBuilder
        >>> handler = RotatingFileHandlerBuilder("app.log").with_max_bytes(1_000_000).with_backup_count(5).build()
        >>> handler.max_bytes
        1000000
        >>> handler.close()
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, max_bytes=0, backup_count=0)

    def with_max_bytes(self, max_bytes: int) -> Self:
        """The size that no file exceeds."""
        return self._tell("max_bytes", positive("max_bytes", max_bytes))

    def with_backup_count(self, backup_count: int) -> Self:
        """How many files are kept beside the one that is written to."""
        return self._tell("backup_count", positive("backup_count", backup_count))

    def _make(self) -> Any:
        told = self._told
        rotation = rotation_limits(told["max_bytes"], told["backup_count"])
        options = HandlerOptions(told["capacity"], told["flush_after_records"], told["overflow_policy"], rotation)
        return FemtoRotatingFileHandler(told["path"], options, encoding=told["encoding"], **self._rest())


class TimedRotatingFileHandlerBuilder(FileHandlerBuilder):
    """A FemtoTimedRotatingFileHandler.

    Examples:
        >>> from femtolog.femto import TimedRotatingFileHandlerBuilder
        >>> TimedRotatingFileHandlerBuilder("app.log").with_when("midnight").as_dict()["when"]
        'MIDNIGHT'
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, when="H", interval=1, backup_count=0, utc=False, at_time=None)

    def with_when(self, when: str) -> Self:
        """S, M, H, D, MIDNIGHT, W0 (Monday) to W6."""
        return self._tell("when", TimedHandlerOptions(when=when).when)

    def with_interval(self, interval: int) -> Self:
        """So many of these."""
        return self._tell("interval", positive("interval", interval))

    def with_backup_count(self, backup_count: int) -> Self:
        """How many files are kept beside the one that is written to; 0: all."""
        return self._tell("backup_count", not_negative("backup_count", backup_count))

    def with_utc(self, utc: bool) -> Self:
        """Whether times are UTC."""
        return self._tell("utc", bool(utc))

    def with_at_time(self, at_time: datetime.time | None) -> Self:
        """The time of day, for D, MIDNIGHT and weekdays."""
        return self._tell("at_time", at_time)

    def _make(self) -> Any:
        told = self._told
        options = TimedHandlerOptions(
            told["capacity"],
            told["flush_after_records"],
            told["overflow_policy"],
            told["when"],
            told["interval"],
            told["backup_count"],
            told["utc"],
            told["at_time"],
        )
        return FemtoTimedRotatingFileHandler(told["path"], options, encoding=told["encoding"], **self._rest())
