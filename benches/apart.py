"""Turns in processes of their own, for what a side would pass on to the next one in the same process: code of the interpreter's that
was specialised, or may not be any more, because femtolog was installed and taken off in between."""

import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from benches.measure import Lane, Scenario, prepared

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARM = 3  # turns before the one that counts


def answer(program: str, given: str = "") -> Any:
    """What the program prints, which is JSON, in a fresh interpreter where nothing installs femtolog unasked. Raises RuntimeError."""
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr}")
    return json.loads(done.stdout)


def turn(side: str, scenarios: list[Scenario], stretch: float) -> dict[str, dict[str, Any]]:
    """For each scenario nanoseconds per statement, those of the empty loop, and the checks; or {"reason": why there are none}."""
    asked = [(scenario.prepare.__module__, scenario.name) for scenario in scenarios]
    told: dict[str, dict[str, Any]] = answer(
        "from benches import apart; apart.run()", json.dumps({"side": side, "scenarios": asked, "stretch": stretch})
    )
    return told


def run() -> None:
    """In such a process: what stdin asks for, as JSON to stdout."""
    asked = json.load(sys.stdin)
    side = asked["side"]
    if side == "femtolog":
        import femtolog

        femtolog.install()
    told = {}
    with tempfile.TemporaryDirectory() as place:
        for number, (module, name) in enumerate(asked["scenarios"]):
            [scenario] = (one for one in importlib.import_module(module).SCENARIOS if one.name == name)
            told[name] = _timed(scenario, side, number, pathlib.Path(place), asked["stretch"])
    json.dump(told, sys.stdout)


def _timed(scenario: Scenario, side: str, number: int, place: pathlib.Path, stretch: float) -> dict[str, Any]:
    try:
        lane: Lane = prepared(scenario, side, number, place, stretch)
        for _ in range(WARM):
            lane.turn()
        lane.forget()
        lane.turn()
    except Exception as error:
        if side != "picologging":
            raise
        return {"reason": f"{type(error).__name__}: {error}"}
    return {"raw": lane.raw, "empties": lane.empties, "checks": lane.checks, "lines": lane.lines}
