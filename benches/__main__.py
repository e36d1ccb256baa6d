"""`python -m benches [name ...]`: runs the benches of that name, all but the slow one without; 1 if femtolog is slower somewhere."""

import argparse
import contextlib
import importlib
import json
import pathlib
import sys

from benches import install, instructions, logxide, loop, memory, report, tasks
from benches.measure import STRETCH, Measurement, Scenario

TURNS = (
    "disabled",
    "enabled",
    "format",
    "file",
    "threads",
    "queue",
    "asynchronous",
    "network",
    "scaling",
    "changed",
    "objects",
)  # in this process, by turns
PROCESSES = ("memory", "install")  # in fresh ones, by turns
SLOW = ("instructions", "logxide", "loop", "tasks")  # only when asked for
BENCHES = TURNS + PROCESSES + SLOW
MEMORY_REPEATS = 15  # enough where the numbers hardly differ, and each takes a second
BEFORE = 3  # turns of the stdlib before femtolog is imported


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(BENCHES)}; or all")
    parser.add_argument("--repeats", type=int, default=31, help="turns for each side (31)")
    parser.add_argument(
        "--stretch", type=float, default=STRETCH, help=f"seconds a turn takes; less also makes fewer loggers ({STRETCH})"
    )
    parser.add_argument("--json", type=pathlib.Path, help="write all numbers into this file")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table into this file as well")
    options = parser.parse_args()
    unknown = set(options.names) - {*BENCHES, "all"}
    if unknown:
        parser.error(f"no bench called {', '.join(sorted(unknown))}")
    names = BENCHES if "all" in options.names else options.names or TURNS + PROCESSES
    command = " ".join(["python -m benches", *options.names])
    if options.repeats != parser.get_default("repeats"):
        command += f" --repeats {options.repeats}"

    scenarios: list[Scenario] = []
    for name in TURNS:
        if name in names:
            scenarios += importlib.import_module(f"benches.{name}").SCENARIOS
    versions = {}
    sides: tuple[str, ...] = ("stdlib", "femtolog")
    try:
        versions["picologging"] = importlib.import_module("picologging").__version__
        sides = ("stdlib", "picologging", "femtolog")
    except ImportError as error:
        report.say(f"without picologging: {error}")

    measurement = Measurement(scenarios, sides, options.stretch)
    try:
        for side in sides[:-1]:
            measurement.prepare(side)
        for _ in range(BEFORE):
            measurement.turn("stdlib")

        import femtolog

        versions["femtolog"] = f"{femtolog.__version__} ({femtolog._native.raw_layout()} reads)"
        with femtolog.installed():
            measurement.prepare("femtolog")

        def turn(only: list[str] | None = None) -> None:
            for side in sides:
                with femtolog.installed() if side == "femtolog" else contextlib.nullcontext():
                    measurement.turn(side, only)
                measurement.turn_apart(side, only)

        for _ in range(options.repeats):
            turn()
        for _ in range(options.repeats):  # on a busy machine one side may have had the bad moments only: look again
            if not (slower := measurement.slower()):
                break
            turn(slower)
        slower = measurement.slower()
        others = {}
        if "memory" in names:
            others["memory_bytes"] = memory.measure(
                sides, min(options.repeats, MEMORY_REPEATS), min(1, options.stretch / STRETCH)
            )
        if "install" in names:
            others["install_ms"] = install.measure(options.repeats)
        if "instructions" in names:
            others["instructions"] = instructions.measure()
        if "logxide" in names:
            others["logxide"] = logxide.measure(max(1, options.repeats // logxide.TURNS), options.stretch)
        if "loop" in names:
            others["loop_ms"] = loop.measure()
        if "tasks" in names:
            others["tasks"] = tasks.measure()
        found = report.collect(measurement, report.machine(versions, command), others)
    finally:
        measurement.close()

    table = report.markdown(found)
    print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(table)
    if slower:
        report.say("slower than the stdlib: " + "; ".join(slower))
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
