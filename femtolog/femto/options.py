"""What femto handlers are told: how a queue overflows, when a file is rotated, how long to back off. Checked here, for all of them."""

from __future__ import annotations

import dataclasses
import datetime

from femtolog import _enqueue
from femtolog.errors import ConfigurationError, HandlerConfigError, NegativeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

QUEUE_BYTES = 64 << 20
"""Bytes that a queue holds at most unless told otherwise."""

ROTATION_VALIDATION_MSG = "both max_bytes and backup_count must be > 0 to enable rotation; set both to 0 to disable"
TIMED_ROTATION_VALIDATION_MSG = "when must be one of: S, M, H, D, MIDNIGHT, or W0-W6"

CLOSE_TIMEOUT = 5.0
"""Seconds that close() takes at most."""

_WHEN = ("S", "M", "H", "D", "MIDNIGHT", *(f"W{day}" for day in range(7)))


@dataclasses.dataclass(frozen=True, slots=True)
class OverflowPolicy:
    """What happens to a record for which a queue has no room. Equal to the str that says the same.

    Examples:
        >>> from femtolog.femto import OverflowPolicy
        >>> OverflowPolicy.timeout(20) == "timeout:20"
        True
    """

    text: str
    spill_dir: str | os.PathLike[str] | None = dataclasses.field(default=None, repr=False)
    spill_max: str | int = dataclasses.field(default=_enqueue.SPILL_MAX, repr=False)

    def __post_init__(self) -> None:
        if self.spill_dir is None:
            object.__setattr__(self, "text", policy_text(self.text))
        else:
            queue_options(1, self)

    @classmethod
    def drop(cls) -> OverflowPolicy:
        """It is dropped, and counted."""
        return cls("drop")

    @classmethod
    def drop_oldest(cls) -> OverflowPolicy:
        """The oldest record on the queue is dropped for it, and counted."""
        return cls("drop_oldest")

    @classmethod
    def block(cls) -> OverflowPolicy:
        """The caller waits for room."""
        return cls("block")

    @classmethod
    def timeout(cls, timeout_ms: int) -> OverflowPolicy:
        """The caller waits for room for so many milliseconds; then it is dropped, and counted."""
        return cls(f"timeout:{timeout_ms}")

    @classmethod
    def spill(cls, spill_dir: str | os.PathLike[str], spill_max: str | int = _enqueue.SPILL_MAX) -> OverflowPolicy:
        """It waits on disk, as with femtolog.enqueue(): in a directory of this handler's own. For handlers of streams and files."""
        return cls("spill", spill_dir, spill_max)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OverflowPolicy):
            return (self.text, self.spill_dir, self.spill_max) == (other.text, other.spill_dir, other.spill_max)
        return self.text == other

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text


def policy_text(policy: str | OverflowPolicy, *, may_spill: bool = False) -> str:
    """The policy as enqueue() takes it. HandlerConfigError for none that there is."""
    if not isinstance(policy, str | OverflowPolicy):
        raise TypeError(f"policy must be a str or an OverflowPolicy, not {type(policy).__name__}")
    text = str(policy).strip().lower()
    _enqueue._policy(text)  # noqa: SLF001 - which says what is wrong with it
    if text == "spill" and not (may_spill and isinstance(policy, OverflowPolicy)):
        raise HandlerConfigError(
            f"policy must be OverflowPolicy.spill(directory), for a handler of a stream or file, got {policy!r}"
        )
    return text


def queue_options(
    capacity: int,
    policy: str | OverflowPolicy,
    capacity_bytes: int = QUEUE_BYTES,
    on_error: Callable[[BaseException, int], object] | None = None,
    on_drop: Callable[[str, int], object] | None = None,
) -> _enqueue.Options:
    """The options of a handler's queue. HandlerConfigError for what cannot be."""
    text = policy_text(policy, may_spill=True)
    limits = positive("capacity", capacity), byte_limit(capacity_bytes)
    spilling = {}
    if isinstance(policy, OverflowPolicy):
        spilling = {"spill_dir": policy.spill_dir, "spill_max": policy.spill_max}
    options = _enqueue.Options(*limits, text, 40, CLOSE_TIMEOUT, **spilling)  # type: ignore[arg-type] # of a dict of two types
    if on_error is not None or on_drop is not None:
        from femtolog._callbacks import Callbacks

        options.callbacks = Callbacks(on_error, on_drop)
    return options


def byte_limit(value: int) -> int:
    """`capacity_bytes`, if something has room in it. HandlerConfigError otherwise."""
    _whole("capacity_bytes", value)
    if value < 1:
        raise HandlerConfigError(f"capacity_bytes must be at least 1, got {value}")
    return value


def positive(name: str, value: int) -> int:
    """The value, if it counts something. NegativeError, an OverflowError, for a negative one, HandlerConfigError for 0."""
    _whole(name, value)
    if value < 0:
        raise NegativeError(f"{name} must not be negative, got {value}")
    if value == 0:
        raise HandlerConfigError(f"{name} must be greater than zero, got 0")
    return value


def not_negative(name: str, value: int) -> int:
    """The value, if it can be a size. NegativeError, an OverflowError, for a negative one."""
    _whole(name, value)
    if value < 0:
        raise NegativeError(f"{name} must not be negative, got {value}")
    return value


def _whole(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got {value!r}")


def interval_of_flushes(value: int) -> int:
    """`flush_interval`, in records; -1 is the default, 1."""
    return 1 if value == -1 else positive("flush_interval", value)


def rotation_limits(max_bytes: int, backup_count: int) -> tuple[int, int]:
    """Both, if both are set or neither is. HandlerConfigError otherwise."""
    not_negative("max_bytes", max_bytes)
    not_negative("backup_count", backup_count)
    if bool(max_bytes) != bool(backup_count):
        raise HandlerConfigError(f"{ROTATION_VALIDATION_MSG}; got max_bytes={max_bytes}, backup_count={backup_count}")
    return max_bytes, backup_count


@dataclasses.dataclass
class _QueueOptions:
    capacity: int = 1024
    flush_interval: int = 1
    policy: str | OverflowPolicy = "drop"
    capacity_bytes: int = dataclasses.field(default=QUEUE_BYTES, kw_only=True)

    def _check(self) -> None:
        positive("capacity", self.capacity)
        byte_limit(self.capacity_bytes)
        self.flush_interval = interval_of_flushes(self.flush_interval)
        policy_text(self.policy, may_spill=True)


@dataclasses.dataclass
class HandlerOptions(_QueueOptions):
    """Of a FemtoRotatingFileHandler. `rotation`: (max_bytes, backup_count), both or neither; `flush_interval` counts records.

    Examples:
        >>> from femtolog.femto import HandlerOptions
        >>> HandlerOptions(policy="block", rotation=(1_000_000, 5))
        HandlerOptions(capacity=1024, flush_interval=1, policy='block', capacity_bytes=67108864, rotation=(1000000, 5))
    """

    rotation: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self._check()
        rotation_limits(*(self.rotation or (0, 0)))


@dataclasses.dataclass
class TimedHandlerOptions(_QueueOptions):
    """Of a FemtoTimedRotatingFileHandler. `when`: S, M, H, D, MIDNIGHT, W0 (Monday) to W6; `interval` counts these; `backup_count` 0 keeps all.

    Examples:
        >>> from femtolog.femto import TimedHandlerOptions
        >>> TimedHandlerOptions(when="midnight", backup_count=7).when
        'MIDNIGHT'
    """

    when: str = "H"
    interval: int = 1
    backup_count: int = 0
    utc: bool = False
    at_time: datetime.time | None = None

    def __post_init__(self) -> None:
        self._check()
        self.when = _when(self.when)
        positive("interval", self.interval)
        not_negative("backup_count", self.backup_count)
        if self.at_time is not None:
            if not isinstance(self.at_time, datetime.time):
                raise TypeError(f"at_time must be a datetime.time, got {self.at_time!r}")
            if self.when in ("S", "M", "H"):
                raise HandlerConfigError(f"at_time is only for D, MIDNIGHT and W0-W6, got when={self.when!r}")


def _when(when: object) -> str:
    if not isinstance(when, str) or when.upper() not in _WHEN:
        raise HandlerConfigError(f"{TIMED_ROTATION_VALIDATION_MSG}; got {when!r}")
    return when.upper()


class BackoffConfig:
    """How long a handler waits before it tries again: milliseconds, checked; BackoffConfig({"base_ms": 50}) leaves the others as they are.

    `base_ms` (100): the first wait; `cap_ms` (10 000): the longest; `reset_after_ms` (30 000): of health, after which the next
    wait is the first again; `deadline_ms` (120 000): after which what is pending is dropped. ConfigurationError for an unknown key, one
    that is not positive, and a base above the cap.

    Examples:
        >>> from femtolog.femto import BackoffConfig
        >>> BackoffConfig({"base_ms": 50}).as_dict()
        {'base_ms': 50, 'cap_ms': 10000, 'reset_after_ms': 30000, 'deadline_ms': 120000}
    """

    __slots__ = ("base_ms", "cap_ms", "deadline_ms", "reset_after_ms")

    def __init__(self, config: Mapping[str, int] | None = None) -> None:
        values = {"base_ms": 100, "cap_ms": 10_000, "reset_after_ms": 30_000, "deadline_ms": 120_000}
        for key, value in (config or {}).items():
            if key not in values:
                raise ConfigurationError(f"unknown backoff key {key!r}; there are {', '.join(values)}")
            if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                raise ConfigurationError(f"{key} must be a positive int, got {value!r}")
            values[key] = value
        self.base_ms, self.cap_ms = values["base_ms"], values["cap_ms"]
        self.reset_after_ms, self.deadline_ms = values["reset_after_ms"], values["deadline_ms"]
        if self.base_ms > self.cap_ms:
            raise ConfigurationError(f"base_ms must not be above cap_ms, got {self.base_ms} and {self.cap_ms}")

    def as_dict(self) -> dict[str, int]:
        """All four."""
        return {name: getattr(self, name) for name in ("base_ms", "cap_ms", "reset_after_ms", "deadline_ms")}

    def __repr__(self) -> str:
        return f"BackoffConfig({self.as_dict()})"
