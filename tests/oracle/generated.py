"""Generated scenarios: settings, the number of cases, and the one way to run them."""

import os
from collections.abc import Callable

from hypothesis import HealthCheck, settings

from oracle.harness import compare
from oracle.world import World

SCALE = float(os.environ.get("ORACLE_SCALE", "1"))
"""Multiplies the number of examples; 1 gives more than 20 000 cases."""

cases = 0


def examples(count: int) -> settings:
    """Settings for a generated test."""
    return settings(
        max_examples=max(1, int(count * SCALE)),
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    )


def compare_generated(scenario: Callable[[World], None], count: int, *, live: bool) -> None:
    """Compare one generated scenario of so many cases, with the one clock or the other, in this process."""
    global cases
    cases += count
    compare(scenario, live=live, frozen=not live, lives=False)
