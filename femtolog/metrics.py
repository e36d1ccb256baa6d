"""What logging does, in numbers: records by logger and level, and what each handler has written, lost and taken its time for.

    femtolog.metrics.enable()
    prometheus_client.REGISTRY.register(femtolog.metrics.Collector())   # or: femtolog.metrics.text()

Nothing is counted for this before enable(), which adds less than ten nanoseconds to a record. What asynchronous handlers keep an account of
(what is queued, dropped, failed) is told whether anything is enabled or not. Counts are this process's own: a forked child begins anew.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import logging
import math
import os
import threading
import weakref

from femtolog import _enqueue
from femtolog.errors import ConfigurationError, HandlerConfigError
from femtolog_compat import load_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from prometheus_client import Metric

__all__ = ["Collector", "EmitSeconds", "HandlerMetrics", "Metrics", "disable", "enable", "is_enabled", "read", "text"]

OTHERS = "*"
"""Stands for loggers beyond the thousandth, and for handlers beyond the thousandth at a time."""


@dataclasses.dataclass(frozen=True, slots=True)
class EmitSeconds:
    """How long a handler's `emit` takes: of a synchronous handler estimated, an emission that was timed stands for those that were not.

    Examples:
        >>> from femtolog.metrics import EmitSeconds
        >>> times = EmitSeconds(2, 0.75, ((0.5, 1), (float("inf"), 2)))
        >>> times.seconds / times.count
        0.375
    """

    count: int
    """Emissions."""
    seconds: float
    """Of all of them."""
    buckets: tuple[tuple[float, int], ...]
    """Seconds, and how many emissions took that long at most; the last are all, with infinity."""


@dataclasses.dataclass(frozen=True, slots=True)
class HandlerMetrics:
    """The numbers of one handler.

    Examples:
        >>> from femtolog.metrics import HandlerMetrics
        >>> HandlerMetrics(bytes_written=2048, dropped={"overflow": 3}).dropped["overflow"]
        3
    """

    bytes_written: int = 0
    """To streams and files, in UTF-8; by femto's network handlers, before compression. Handlers of other kinds: 0."""
    errors: int = 0
    """Records that an asynchronous handler could not write; errors that were told to the `handleError` of any other."""
    dropped: dict[str, int] = dataclasses.field(default_factory=dict)
    """Records that an asynchronous handler has dropped, by reason; also the reasons that did not occur."""
    queue_length: int | None = None
    """Records that wait in the queue of an asynchronous handler."""
    emit_seconds: EmitSeconds | None = None
    """None: there was no emission that was timed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Metrics:
    """All numbers at one moment.

    Examples:
        >>> from femtolog import metrics
        >>> now = metrics.read()
        >>> sum(handler.errors for handler in now.handlers.values())
        0
    """

    records: dict[tuple[str, str], int]
    """How many records came to the handlers, by the names of their logger and level; there are 1 000 loggers at most, then `*`."""
    handlers: dict[str, HandlerMetrics]
    """By the handler's name; without one, by its class and a number."""


def enable(*, time_one_in: int = 32) -> None:
    """Begins to count, from nought if it has not begun. What logging does while femtolog is not installed is not counted.

    Of the emissions of synchronous handlers one in `time_one_in` is timed, by lot, and stands for that many; 1 times all, which costs 50 ns each.
    Asynchronous handlers are timed for each batch that they write. From any thread; a forked child counts on, from nought.
    ConfigurationError, a ValueError, for a number that is not between 1 and 1 000 000.

    Examples:
        >>> import femtolog as logging
        >>> from femtolog import metrics
        >>> logging.getLogger("shop").addHandler(logging.NullHandler())
        >>> metrics.enable()
        >>> logging.getLogger("shop").error("out of stock")
        >>> metrics.read().records
        {('shop', 'ERROR'): 1}
        >>> metrics.disable()
    """
    if type(time_one_in) is not int or not 1 <= time_one_in <= 1_000_000:
        raise ConfigurationError(f"time_one_in must be a number from 1 to 1000000, got {time_one_in!r}")
    global _every
    with _lock:
        if _every != time_one_in:
            _begin(time_one_in)
            _every = time_one_in


def disable() -> None:
    """Ends it and forgets what was counted. Idempotent, from any thread.

    Examples:
        >>> from femtolog import metrics
        >>> metrics.enable()
        >>> metrics.disable()
        >>> metrics.is_enabled()
        False
    """
    global _every
    with _lock:
        _every = 0
        _begin(0)


def is_enabled() -> bool:
    """Is there a count?

    Examples:
        >>> from femtolog import metrics
        >>> metrics.is_enabled()
        False
    """
    return _every != 0


def read() -> Metrics:
    """The numbers now. Those of handlers that are gone are gone with them. From any thread.

    Examples:
        >>> import io
        >>> import femtolog as logging
        >>> from femtolog import metrics
        >>> metrics.enable(time_one_in=1)
        >>> handler = logging.StreamHandler(io.StringIO())
        >>> handler.name = "screen"
        >>> logging.basicConfig(handlers=[handler])
        >>> logging.warning("disk nearly full")
        >>> numbers = metrics.read().handlers["screen"]
        >>> numbers.bytes_written, numbers.errors, numbers.emit_seconds.count
        (30, 0, 1)
        >>> metrics.disable()
    """
    native = load_native()
    records, counted = native.metrics_read()
    by_name: collections.Counter[tuple[str, str]] = collections.Counter()
    for logger, level, count in records:
        by_name[logger, str(logging.getLevelName(level))] += count  # two levels may have one name
    bounds = (*native.metrics_bounds(), math.inf)
    result = {}
    for handler, written, errors, times, seconds in counted:
        numbers = HandlerMetrics(written, errors, emit_seconds=_emit_seconds(bounds, times, seconds))
        result[OTHERS if handler is None else _labels.of(handler)] = numbers
    for reference in list(logging._handlerList):  # type: ignore[attr-defined]  # noqa: SLF001
        handler = reference()
        account = _account(handler)
        if account is not None:
            label = _labels.of(handler)
            numbers = result.get(label, HandlerMetrics())
            result[label] = dataclasses.replace(
                numbers,
                bytes_written=account.get("bytes_written", numbers.bytes_written),
                errors=account["failed"],
                dropped=account.get("dropped_by", {}),
                queue_length=account.get("queue_len"),
            )
    return Metrics(dict(by_name), result)


class Collector:
    """For the registries of prometheus-client, which femtolog does not install: `pip install prometheus-client`.

    The metrics are `femtolog_records_total{logger, level}`, `femtolog_bytes_written_total{handler}`, `femtolog_handler_errors_total{handler}`,
    `femtolog_dropped_total{handler, reason}`, `femtolog_queue_length{handler}` and the histogram `femtolog_emit_seconds{handler}`.

    Examples:
        >>> from femtolog import metrics
        >>> from prometheus_client import CollectorRegistry
        >>> registry = CollectorRegistry()
        >>> registry.register(metrics.Collector())
    """

    def collect(self) -> Iterator[Metric]:
        """Yields the metrics now, as prometheus-client asks for them. From any thread.

        Examples:
            >>> from femtolog import metrics
            >>> [metric.name for metric in metrics.Collector().collect()][:2]
            ['femtolog_records', 'femtolog_bytes_written']
        """
        core = _prometheus().core
        numbers = read()
        records = core.CounterMetricFamily("femtolog_records", "Records that came to the handlers.", labels=["logger", "level"])
        for names, count in numbers.records.items():
            records.add_metric(names, count)
        of_handler = ["handler"]
        written = core.CounterMetricFamily("femtolog_bytes_written", "Bytes that the handler has written.", labels=of_handler)
        errors = core.CounterMetricFamily(
            "femtolog_handler_errors", "Records that the handler could not write.", labels=of_handler
        )
        dropped = core.CounterMetricFamily("femtolog_dropped", "Records that were dropped.", labels=["handler", "reason"])
        queued = core.GaugeMetricFamily("femtolog_queue_length", "Records that wait in the queue.", labels=of_handler)
        seconds = core.HistogramMetricFamily("femtolog_emit_seconds", "How long emit() takes.", labels=of_handler)
        for label, handler in numbers.handlers.items():
            written.add_metric([label], handler.bytes_written)
            errors.add_metric([label], handler.errors)
            for reason, count in handler.dropped.items():
                dropped.add_metric([label, reason], count)
            if handler.queue_length is not None:
                queued.add_metric([label], handler.queue_length)
            if (times := handler.emit_seconds) is not None:
                buckets = [("+Inf" if bound == math.inf else repr(bound), count) for bound, count in times.buckets]
                seconds.add_metric([label], buckets, times.seconds)
        yield from (records, written, errors, dropped, queued, seconds)


def text() -> str:
    """The numbers in the text format of Prometheus, for a web framework's own route. ImportError without prometheus-client.

    Examples:
        >>> from femtolog import metrics
        >>> "# TYPE femtolog_records_total counter" in metrics.text()
        True
    """
    client = _prometheus()
    registry = client.CollectorRegistry()
    registry.register(Collector())
    answer: bytes = client.generate_latest(registry)
    return answer.decode()


def _prometheus() -> ModuleType:
    try:
        import prometheus_client.core
    except ImportError as error:
        raise ImportError(
            "this needs prometheus-client, which is not installed: pip install prometheus-client", name="prometheus_client"
        ) from error
    return prometheus_client


def _account(handler: Any) -> Any:
    """What a handler of femtolog's knows of its records. None: it keeps no account."""
    stats = getattr(type(handler), "stats", None)
    if not str(getattr(stats, "__module__", "")).startswith("femtolog."):
        return None
    with contextlib.suppress(HandlerConfigError):
        return handler.stats()
    return None


def _emit_seconds(bounds: tuple[float, ...], times: list[int], seconds: float) -> EmitSeconds | None:
    counts = tuple(itertools.accumulate(times))
    return EmitSeconds(counts[-1], seconds, tuple(zip(bounds, counts, strict=True))) if counts[-1] else None


class _Labels:
    """What handlers are called: by their name, or, if they have none or another's, by a number that they keep; never two the same."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler, or a handler's finalizer, may come back here
        self._known: dict[int, tuple[weakref.ref[logging.Handler], object, str]] = {}

    def of(self, handler: logging.Handler) -> str:
        name = vars(handler).get("_name")
        with self._lock:
            alive = {key: known for key, known in self._known.items() if known[0]() is not None}
            known = alive.pop(id(handler), None)
            if known is None or known[1] != name:
                taken = {OTHERS} | {label for *_, label in alive.values()}
                known = (weakref.ref(handler), name, self._new(name, type(handler).__name__, taken))
            alive[id(handler)] = known
            self._known = alive
            return known[-1]

    def _new(self, name: object, kind: str, taken: set[str]) -> str:
        if isinstance(name, str) and name and name not in taken:
            return name
        numbered = (f"{name or kind}-{number}" for number in itertools.count(1))
        return next(label for label in numbered if label not in taken)


_labels = _Labels()
_lock = threading.Lock()
_every = 0


def _begin(every: int) -> None:
    """Counts anew; nothing with 0. Whoever calls has the lock."""
    native = load_native()
    native.metrics_count(every)
    _enqueue._observe = native.metrics_observe if every else None  # noqa: SLF001


def _begin_in_child() -> None:
    global _lock, _labels
    _lock, _labels = threading.Lock(), _Labels()
    _begin(_every)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
