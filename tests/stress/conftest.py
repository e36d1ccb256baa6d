"""The `run` fixture: each test runs on the stdlib, with femtolog installed early, and installed late."""

from pathlib import Path

import pytest
from three_ways import WAYS, Runner


@pytest.fixture(params=WAYS)
def run(request):
    runner = Runner(request.param)
    yield runner
    runner.clean()


@pytest.fixture
def run_plain():
    """Runs a program that installs femtolog by itself."""
    if WAYS == ("stdlib",):
        pytest.skip("FEMTOLOG_TEST_WAYS leaves femtolog out")
    runner = Runner("stdlib")
    yield runner
    runner.clean()


def pytest_collection_modifyitems(items):
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.stress)
