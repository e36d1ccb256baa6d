"""What a file handler is told beside the standard library's arguments, checked."""

from __future__ import annotations

import dataclasses
import logging
from typing import Literal, TypedDict

from femtolog.errors import HandlerConfigError
from femtolog.files import _keeping

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from typing import Any

    from femtolog.femto.options import BackoffConfig


class Options(TypedDict, total=False):
    """The keyword arguments of all file handlers."""

    enqueue: bool | dict[str, Any]
    buffering: int
    flush_interval_ms: int
    flush_level: int | str
    fsync: bool
    fallback: logging.Handler | None
    backoff: BackoffConfig | Mapping[str, int] | None
    multiprocess: bool


class RotatingOptions(Options, total=False):
    """Those of handlers that rotate."""

    compression: Literal["gz", "zst"] | None
    retention: int | str | None
    archive_dir: str | os.PathLike[str] | None
    archive_after_days: float
    delete_after_days: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """They, with their defaults. TypeError for a value of the wrong kind, HandlerConfigError for one that cannot be."""

    enqueue: bool | dict[str, Any] = False
    buffering: int = 0
    flush_interval_ms: int = 1000
    flush_level: int | str = logging.ERROR
    fsync: bool = False
    fallback: logging.Handler | None = None
    backoff: BackoffConfig | Mapping[str, int] | None = None
    multiprocess: bool = False
    compression: Literal["gz", "zst"] | None = None
    retention: int | str | None = None
    archive_dir: str | os.PathLike[str] | None = None
    archive_after_days: float = 30
    delete_after_days: float = 365

    def __post_init__(self) -> None:
        if not isinstance(self.enqueue, bool | dict):
            raise TypeError(f"enqueue must be True, False or a dict of options, got {self.enqueue!r}")
        self._whole("buffering", 0)
        self._whole("flush_interval_ms", 1)
        if not self.buffering and (self.flush_interval_ms, self.flush_level) != (1000, logging.ERROR):
            raise HandlerConfigError("flush_interval_ms and flush_level need buffering of at least 1 byte, got 0")
        self._flag("fsync")
        self._flag("multiprocess")
        if self.fallback is not None and not isinstance(self.fallback, logging.Handler):
            raise TypeError(f"fallback must be a logging.Handler, got {self.fallback!r}")
        if self.compression is not None:
            _keeping.opener(self.compression)
        _keeping.retention(self.retention)
        for name in ("archive_after_days", "delete_after_days"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise TypeError(f"{name} must be a number, got {value!r}")
            if value < 0:
                raise HandlerConfigError(f"{name} must not be negative, got {value}")
        if self.archive_dir is None and (self.archive_after_days, self.delete_after_days) != (30, 365):
            raise HandlerConfigError("archive_after_days and delete_after_days need archive_dir, got None")
        if self.delete_after_days < self.archive_after_days:
            raise HandlerConfigError(
                f"delete_after_days must not be below archive_after_days, got {self.delete_after_days} and {self.archive_after_days}"
            )

    def _whole(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} must be an int, got {value!r}")
        if value < least:
            raise HandlerConfigError(f"{name} must be at least {least}, got {value}")

    def _flag(self, name: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, got {value!r}")

    def keeps(self) -> bool:
        """Is anything to be done with backups?"""
        return (self.compression, self.retention, self.archive_dir) != (None, None, None)

    def any_but_enqueue(self) -> bool:
        """Is anything asked for but a thread that writes?"""
        return any(getattr(self, field.name) != field.default for field in dataclasses.fields(self) if field.name != "enqueue")
