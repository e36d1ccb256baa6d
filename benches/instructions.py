"""Instructions and allocations of one call, counted by callgrind: the same to 0.1 % where a clock is not. Slow: only when asked for.

Each scenario runs in two fresh processes, N calls in one and 2N in the other: what differs between the two is N calls,
whatever the interpreter does before and after. A third process, without valgrind, checks what N calls write.
"""

import importlib
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from benches.measure import Bench, Lane, Scenario, compiled

ROOT = pathlib.Path(__file__).resolve().parent.parent
CALLS = 2000
ON_A_QUEUE = 500
"""Of a scenario whose records wait: twice as many, the most in one process, are less than there is room for."""
SIDES = ("stdlib", "femtolog")
LOOP = "empty loop"
SCENARIOS = {
    "disabled debug()": "disabled",
    "isEnabledFor(), no": "disabled",
    "NullHandler": "enabled",
    "StreamHandler to a Python object": "enabled",
    "3 arguments": "enabled",
    "caller and thread in the format": "enabled",
    "extra": "enabled",
    "filter in Python": "enabled",
    "handler in Python": "enabled",
    "formatter in Python": "enabled",
    "six loggers below the handler's": "enabled",
    "FileHandler": "file",
    "RotatingFileHandler, no rollover": "file",
    "WatchedFileHandler": "file",
    "MemoryHandler of 100 before a StreamHandler": "queue",
    "asynchronous file, the caller's part": "asynchronous",
}
# Small blocks come from Python's allocator (mimalloc on free-threaded builds), which asks for its arenas by mmap; large ones,
# and all of Rust's, from libc's. Python's realloc is left out: it calls these where it moves a block.
PYTHONS = {
    "_PyObject_Malloc",
    "_PyObject_Calloc",
    "_PyObject_MiMalloc",
    "_PyObject_MiCalloc",
    "_PyMem_MiMalloc",
    "_PyMem_MiCalloc",
}
LIBCS = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"}


def run(side: str, name: str, count: int, folder: str, check: bool) -> None:
    """In the process that is counted. It ends at once, without tidying away what the calls have left."""
    import logging
    import logging.handlers

    if side == "femtolog":
        import femtolog

        femtolog.install()
    bench = Bench(logging, logging.handlers, "benches.counted.0", pathlib.Path(folder), side)
    if name == LOOP:
        (loop,) = compiled("pass", [{}])
    else:
        scenario = _scenario(name)
        scenario.prepare(bench)
        lane = Lane(scenario, bench, scenario.statement, scenario.expect)
        (loop,) = lane.loops
        loop(itertools.repeat(None, 1000))  # until the code is specialised and every cache is filled
        bench.between()
        lane.check(1000)
    loop(itertools.repeat(None, count))
    if check and name != LOOP:
        bench.between()
        lane.check(count)
    os._exit(0)


def _scenario(name: str) -> Scenario:
    scenarios: list[Scenario] = importlib.import_module(f"benches.{SCENARIOS[name]}").SCENARIOS
    return next(scenario for scenario in scenarios if scenario.name == name)


def measure() -> dict[str, Any]:
    """For each scenario and side {"instructions", "own_instructions", "python_allocations", "libc_allocations"} of one call, the
    empty loop's too. "own_instructions" are those in the extension itself.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return {"reason": "valgrind is not installed"}
    return {
        "calls": CALLS,
        LOOP: _one_call(valgrind, "stdlib", LOOP),
        "scenarios": {name: {side: _one_call(valgrind, side, name) for side in SIDES} for name in SCENARIOS},
    }


def _one_call(valgrind: str, side: str, name: str) -> dict[str, float]:
    calls = ON_A_QUEUE if SCENARIOS.get(name) == "asynchronous" else CALLS
    _process([], side, name, calls, check=True)
    once, twice = (_counted(valgrind, side, name, count) for count in (calls, 2 * calls))
    return {what: (twice[what] - once[what]) / calls for what in once}


def _counted(valgrind: str, side: str, name: str, count: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as place:
        out = pathlib.Path(place, "callgrind.out")
        _process([valgrind, "--tool=callgrind", "--compress-strings=no", f"--callgrind-out-file={out}"], side, name, count)
        text = out.read_text()
    found = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
    assert found is not None
    counted = {"instructions": int(found[1]), "own_instructions": _own(text), "python_allocations": 0, "libc_allocations": 0}
    for called in re.finditer(r"^cfn=(.*)\ncalls=(\d+)", text, re.MULTILINE):
        if called[1] in PYTHONS:
            counted["python_allocations"] += int(called[2])
        elif called[1] in LIBCS:
            counted["libc_allocations"] += int(called[2])
    return counted


def _own(text: str) -> int:
    """The instructions in the extension's shared object, what it calls not included."""
    own, inside, of_a_call = 0, False, False
    for line in text.splitlines():
        if line.startswith("ob="):
            inside = pathlib.PurePath(line[3:]).name.startswith("_native.")
        elif line.startswith("calls="):
            of_a_call = True  # the next line tells what the called took
        elif line[:1].isdigit() or line[:1] in "+-*":
            if inside and not of_a_call:
                own += sum(int(cost) for cost in line.split()[1:2])  # none: a line that only moves the position
            of_a_call = False
    return own


def _process(prefix: list[str], side: str, name: str, count: int, check: bool = False) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "FEMTOLOG"}
    environment["PYTHONHASHSEED"] = "0"  # the same way through every dict in both processes
    with tempfile.TemporaryDirectory() as place:
        source = f"from benches.instructions import run; run({side!r}, {name!r}, {count}, {place!r}, {check})"
        done = subprocess.run(
            [*prefix, sys.executable, "-c", source], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"{name} on {side}: {done.stderr}")
