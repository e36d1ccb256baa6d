"""CPython's own tests of logging, on the stdlib and on femtolog: tests/cpython_logging_suite, called from pytest."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest
from three_ways import WAYS

SUITE = pathlib.Path(__file__).with_name("cpython_logging_suite")


@pytest.mark.suite
@pytest.mark.timeout(1800)
def test_cpythons_own_tests_have_the_same_outcomes(record_property):
    jobs = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"  # another process of pytest has the other core
    ways = [option for way in WAYS if way != "stdlib" for option in ("--way", way)]
    done = subprocess.run([sys.executable, "-P", SUITE, "--jobs", jobs, *ways], capture_output=True, text=True, check=False)
    if importlib.util.find_spec("test") is None or importlib.util.find_spec("test.test_logging") is None:
        pytest.skip(done.stderr.strip())  # it says what to install, and runs as soon as that is there
    record_property("CPython's suite", done.stdout.rstrip())
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed")
