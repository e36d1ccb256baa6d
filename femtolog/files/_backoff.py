"""When to try again after a failure, as a BackoffConfig says."""

from __future__ import annotations

import random
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from femtolog.femto.options import BackoffConfig

LEAST = 0.01
"""Seconds of the shortest wait."""


class Backoff:
    """The state of one sink. Times are those of time.monotonic(), in seconds."""

    def __init__(self, config: BackoffConfig) -> None:
        self._base, self._cap = config.base_ms / 1000, config.cap_ms / 1000
        self._reset, self._deadline = config.reset_after_ms / 1000, config.deadline_ms / 1000
        self._longest = self._base
        self._well_since = monotonic()
        self.failing_since: float | None = None
        self.next_try = 0.0

    def failed(self) -> None:
        """The next attempt is to be made after a random time, the longest of which doubles with each failure."""
        now = monotonic()
        if self.failing_since is None:
            self.failing_since = now
            if now - self._well_since >= self._reset:
                self._longest = self._base
        self.next_try = now + random.uniform(LEAST, max(LEAST, self._longest))  # noqa: S311 - spreads attempts
        self._longest = min(self._cap, self._longest * 2)

    def worked(self) -> None:
        """It is well again."""
        if self.failing_since is not None:
            self.failing_since, self.next_try, self._well_since = None, 0.0, monotonic()

    def may_try(self) -> bool:
        """Is it well, or has it waited for long enough?"""
        return self.failing_since is None or monotonic() >= self.next_try

    def is_past_deadline(self) -> bool:
        """Has it failed for so long that nothing is to wait for it? The deadline begins anew then."""
        if self.failing_since is None or monotonic() - self.failing_since < self._deadline:
            return False
        self.failing_since = monotonic()
        return True
