"""A clock for `time.time` and `time.time_ns` that moves by itself at every reading, so that the number of readings shows as well."""

import contextlib
import time
from collections.abc import Iterator

START_NS = 1_700_000_000_123_456_789
STEP_NS = 1_000_003


class Clock:
    """Unix time in ns; `step` is added after each reading."""

    def __init__(self) -> None:
        self.now = START_NS
        self.step = STEP_NS
        self.readings = 0

    def time_ns(self) -> int:
        """The frozen time, then one step."""
        now = self.now
        self.now += self.step
        self.readings += 1
        return now

    def time(self) -> float:
        """The same in seconds."""
        return self.time_ns() / 1e9

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stand in for the functions of the `time` module."""
        saved = time.time, time.time_ns
        time.time, time.time_ns = self.time, self.time_ns
        try:
            yield
        finally:
            time.time, time.time_ns = saved
