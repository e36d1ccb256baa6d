"""What every test module shares: the oracle on the path, and logging as it was after each test."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Nothing a test does to classes, modules, loggers or the binding outlives it."""
    from oracle.keeping import kept

    femtolog = sys.modules.get("femtolog")
    bound = femtolog is not None and femtolog.is_installed()
    with kept():
        yield
    if femtolog is not None and femtolog.is_installed() != bound:
        femtolog.install() if bound else femtolog.uninstall()


# -- what the closing lines say ----------------------------------------------------------------------------------------------

_counts: Counter[str] = Counter()


def _counted_here() -> dict[str, int]:
    """What the oracle counted in this process: generated cases, native records, and each reason for the reference tier."""
    harness = sys.modules.get("oracle.harness")
    generated = sys.modules.get("oracle.generated")
    return ({"cases": generated.cases} if generated else {}) | (dict(harness.counted) if harness else {})


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Hand the counts of a parallel run's process to the one that reports, which fails a run of too few generated cases."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["counted"] = _counted_here()
    yield
    if output is None and (_counts + Counter(_counted_here()))["cases"] < AT_LEAST and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


AT_LEAST = int(os.environ.pop("ORACLE_AT_LEAST", "0"))
"""A run of fewer generated cases fails: for CI, which runs all of them. Not for the runs that tests start."""


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of a parallel run has ended."""
    _counts.update(getattr(node, "workeroutput", {}).get("counted", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much was compared and ran natively: what CPython's suite printed, and the oracle's counts."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in report.user_properties if getattr(report, "when", "") == "call" else []:
                if name == "CPython's suite":
                    terminalreporter.write_line(text)
    counts = _counts + Counter(_counted_here())
    if counts:
        cases, natively = counts.pop("cases", 0), counts.pop("native", 0)
        reasons = dict(counts.most_common())
        too_few = f", fewer than {AT_LEAST}" if cases < AT_LEAST else ""
        terminalreporter.write_line(
            f"oracle: {cases} generated cases{too_few}; records: {natively} native, {counts.total()} reference {reasons}"
        )
