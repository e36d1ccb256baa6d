"""What every test module shares: the oracle on the path, and logging as it was after each test."""

import os
import shutil
import subprocess
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


@pytest.fixture
def tier(request: pytest.FixtureRequest) -> Iterator[None]:
    """With femtolog's methods; with the interpreter's own where a test is for both and this is its turn."""
    import femtolog

    if getattr(request, "param", "installed") == "installed":
        with femtolog.installed():
            yield
    else:
        yield


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """(certificate, key) of localhost, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on this machine: ends where it is")
    folder = tmp_path_factory.mktemp("tls")
    names = str(folder / "cert.pem"), str(folder / "key.pem")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost"
    command += " -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    subprocess.run([*command.split(), "-out", names[0], "-keyout", names[1]], check=True, capture_output=True)
    return names


# -- in which order and where tests run ------------------------------------------------------------------------------------------

LONG = {
    "test_many_forks_while_eight_threads_log",
    "test_many_forks_share_a_file_handler",
    "test_formatters_of_every_style",
    "test_messages_with_arguments",
    "test_records_with_attributes_of_any_kind",
    "test_a_session_of_several_processes",
}
"""What takes ten seconds and more beside CPython's suite: begun first, so that at the end nobody waits for one of them."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The three ways of a program one after the other, the standard library's first, whose outcome the others need; the long first.

    Everything else stays in the order that pytest-randomly gave it.
    """
    from three_ways import WAYS

    def program(item: pytest.Item) -> tuple[object, ...]:
        values = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        values.pop("run", None)
        return item.path, getattr(item, "cls", None), getattr(item, "originalname", item.name), repr(values)

    def way(item: pytest.Item) -> int:
        name = item.callspec.params.get("run") if hasattr(item, "callspec") else None
        return WAYS.index(name) if name in WAYS else 0

    first: dict[tuple[object, ...], int] = {}
    for number, item in enumerate(items):
        first.setdefault(program(item), number)
    items.sort(key=lambda item: (first[program(item)], way(item)))

    # Each process of a parallel run begins with a stretch of its own, as long as the others' (xdist/scheduler/worksteal.py). The
    # first gets CPython's suite, the others get the other long ones, all ways of a program together.
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    light: list[pytest.Item] = []
    programs: list[object] = []
    for item in items:
        if item.get_closest_marker("suite"):
            shares[0].insert(0, item)
        elif item.get_closest_marker("build") or getattr(item, "originalname", item.name) in LONG:
            together = "build" if item.get_closest_marker("build") else program(item)  # one sdist and one wheel for all who look
            if together not in programs:
                programs.append(together)
            shares[1 + programs.index(together) % (processes - 1) if processes > 1 else 0].append(item)
        else:
            light.append(item)
    left = len(items)
    items.clear()
    for number, share in enumerate(shares):
        size = left // (processes - number)
        left -= size
        items += share + light[: size - len(share)]
        del light[: size - len(share)]
    items += light


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A process that has nothing left takes of the others' tests: -n alone hands the last ones out in batches, and one gets the slow ones."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


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
    if "COVERAGE_PROCESS_CONFIG" in os.environ:  # a parallel run's process may be ended before coverage saves by itself
        import coverage

        if (measuring := coverage.Coverage.current()) is not None:
            measuring.save()
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
