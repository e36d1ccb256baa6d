"""Turns in processes of their own, for what a side would pass on to the next one in the same process: code of the interpreter's that
was specialised, or may not be any more, because femtolog was installed and taken off in between."""

import json
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from benches.measure import Lane, Scenario, prepared

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARM = 3  # turns before the one that counts


def turn(side: str, scenarios: list[Scenario], stretch: float) -> dict[str, dict[str, Any]]:
    """For each scenario nanoseconds per statement, those of the empty loop, and the checks; or {"reason": why there are none}."""
    program = "from benches import apart; apart.run()"
    names = [scenario.name for scenario in scenarios]
    asked = json.dumps({"side": side, "names": names, "stretch": stretch})
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, input=asked, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, dict[str, Any]] = json.loads(answer.stdout)
    return told


def run() -> None:
    """In such a process: what stdin asks for, as JSON to stdout."""
    asked = json.load(sys.stdin)
    side = asked["side"]
    if side == "femtolog":
        import femtolog

        femtolog.install()
    from benches import objects

    told = {}
    with tempfile.TemporaryDirectory() as place:
        for number, scenario in enumerate(objects.SCENARIOS):
            if scenario.name in asked["names"]:
                told[scenario.name] = _timed(scenario, side, number, pathlib.Path(place), asked["stretch"])
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
