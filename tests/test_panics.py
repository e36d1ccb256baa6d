"""A panic in the extension is an exception in Python, and what it takes to unwind is loaded only then."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging, sys, threading
import femtolog
from femtolog import _native

def unwinder():
    with open("/proc/self/maps") as maps:
        return "libgcc_s" in maps.read()

mapped = sys.argv[1] == "maps"
before = mapped and unwinder()
femtolog.install()
logging.basicConfig(stream=sys.stdout, format="%(message)s")
logging.warning("before")
if mapped:
    assert unwinder() is before, "loaded without need"

caught = []
def panic():
    try:
        _native._raw_probe("panic")
    except BaseException as error:
        caught.append((type(error).__name__, str(error)))

panic()
panic()
thread = threading.Thread(target=panic)
thread.start()
thread.join()
assert caught == [("PanicException", "on purpose")] * 3, caught
if mapped:
    assert unwinder()
logging.warning("after")
"""


def run(*args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *args],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_panic_is_an_exception_wherever_it_happens() -> None:
    outcome = run("no maps", RUST_BACKTRACE="0")
    assert (outcome.returncode, outcome.stdout) == (0, "before\nafter\n"), outcome.stderr
    assert outcome.stderr.count("on purpose") == 3


def test_its_backtrace_can_be_had() -> None:
    outcome = run("no maps", RUST_BACKTRACE="1")
    assert (outcome.returncode, outcome.stdout) == (0, "before\nafter\n"), outcome.stderr
    assert "femtolog_native::raw::probe::__pyfunction__raw_probe" in outcome.stderr


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not Path("/proc/self/maps").exists(),
    reason="only with glibc is the unwinder loaded late: elsewhere there is nothing to test",
)
def test_the_unwinder_is_loaded_when_it_is_needed() -> None:
    outcome = run("maps")
    assert (outcome.returncode, outcome.stdout) == (0, "before\nafter\n"), outcome.stderr
