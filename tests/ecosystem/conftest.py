"""The `run` fixture: each test runs on the stdlib, with femtolog installed early, and installed late."""

import pytest
from three_ways import WAYS, Runner


@pytest.fixture(params=WAYS)
def run(request):
    runner = Runner(request.param)
    yield runner
    runner.clean()
