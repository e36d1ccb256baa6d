"""femtolog beside LogXide, which puts its own classes into `logging` when it is imported, so that it needs a process of its own.

Each number is the least of several turns in several fresh processes, one side after the other. LogXide's handlers write later: its turns end
with a flush, as a program needs it, and that is timed with them.
"""

import contextlib
import functools
import importlib
import importlib.util
import io
import json
import os
import pathlib
import sys
import tempfile
from typing import Any

from benches import apart
from benches.measure import STRETCH, Bench, Lane, Scenario

SIDES = ("stdlib", "logxide", "femtolog")
TURNS = 5  # in each process
MODULES = ("disabled", "enabled", "format", "file", "queue", "changed")


def scenarios() -> list[Scenario]:
    """Those that one thread runs."""
    found = [scenario for name in MODULES for scenario in importlib.import_module(f"benches.{name}").SCENARIOS]
    return [scenario for scenario in found if not scenario.threads]


def measure(repeats: int, stretch: float = STRETCH) -> dict[str, Any]:
    """For each scenario and side {"least": nanoseconds} or {"reason": why there is none}, and LogXide's version; or why there is nothing."""
    if importlib.util.find_spec("logxide") is None:
        return {"reason": "logxide is not installed"}
    least: dict[str, dict[str, Any]] = {scenario.name: {} for scenario in scenarios()}
    version = ""
    for _ in range(repeats):
        for side in SIDES:
            found = apart.answer(f"from benches.logxide import run; run({side!r}, {stretch!r})")
            version = found["version"] or version
            for name, numbers in found["scenarios"].items():
                before = least[name].get(side, numbers)
                both = [one["least"] for one in (before, numbers) if "least" in one]
                # Once wrong is wrong.
                least[name][side] = {"least": min(both)} if len(both) > 1 else (numbers if "reason" in numbers else before)
    return {"version": version, "scenarios": least}


def run(side: str, stretch: float) -> None:
    """In a process of that side: its numbers as JSON to stdout."""
    version = ""
    if side == "logxide":
        import logxide

        version = logxide.__version__
    elif side == "femtolog":
        import femtolog

        femtolog.install()
    import logging
    import logging.handlers

    numbers = {}
    for index, scenario in enumerate(scenarios()):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            bench = Bench(logging, logging.handlers, f"benches.beside.{index}", pathlib.Path(folder), side)
            numbers[scenario.name] = _numbers(scenario, bench, stretch)
    json.dump({"version": version, "scenarios": numbers}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


def _numbers(scenario: Scenario, bench: Bench, stretch: float) -> dict[str, Any]:
    try:
        scenario.prepare(bench)
        if bench.side == "logxide" and bench.take is not None:
            bench.finish = functools.partial(_flush, bench.logging.getLogger(bench.name).handlers, bench.finish)
        lane = Lane(scenario, bench, scenario.statement, scenario.expect, stretch)
        lane.calibrate()
        for _ in range(TURNS):
            lane.turn()
    except Exception as error:  # whatever it is, the side cannot do it
        return {"reason": f"{type(error).__name__}: {error}" if not isinstance(error, AssertionError) else str(error)}
    return {"least": min(lane.turns)}


def _flush(handlers: list[Any], finish: Any) -> None:
    import logxide

    for handler in handlers:
        handler.flush()
    logxide.flush()
    if finish is not None:
        finish()
