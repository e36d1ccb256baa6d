"""`python -m benches [name ...]`: runs the benches of that name, all but the slow one without; 1 if femtolog is slower somewhere."""

import argparse
import contextlib
import importlib
import json
import pathlib
import subprocess
import sys
import tempfile

from benches import install, instructions, logxide, loop, memory, report, tasks
from benches.measure import STRETCH, Measurement, Scenario

TURNS = (
    "disabled",
    "enabled",
    "format",
    "file",
    "queue",
    "changed",
    "objects",
)  # in this process, which has one thread, by turns
THREADED = ("threads", "asynchronous", "network", "scaling")  # the same, with more threads: beside the others in a second process
PROCESSES = ("memory", "install")  # in fresh ones, by turns
SLOW = ("instructions", "logxide", "loop", "tasks")  # only when asked for
BENCHES = TURNS + THREADED + PROCESSES + SLOW
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
    names = BENCHES if "all" in options.names else options.names or TURNS + THREADED + PROCESSES
    command = " ".join(["python -m benches", *options.names])
    if options.repeats != parser.get_default("repeats"):
        command += f" --repeats {options.repeats}"

    here = [name for name in TURNS if name in names]
    threaded = [name for name in THREADED if name in names]
    second = threaded if here else []
    scenarios: list[Scenario] = []
    for name in here or threaded:
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
    failed = bool(slower)
    if second:
        more, more_slower = in_second_process(second, options.repeats, options.stretch)
        found["scenarios"] += more["scenarios"]
        found["scaling"] |= more["scaling"]
        failed |= more_slower

    table = report.markdown(found)
    print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(table)
    if slower:
        report.say("slower than the stdlib: " + "; ".join(slower))
    return 1 if failed else 0


def in_second_process(names: list[str], repeats: int, stretch: float) -> tuple[report.Found, bool]:
    """What this command finds for `names` in a process of its own, and whether femtolog is slower there somewhere."""
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place, "found.json")
        asked = [*names, "--repeats", str(repeats), "--stretch", str(stretch), "--json", str(path)]
        done = subprocess.run([sys.executable, "-m", "benches", *asked], stdout=subprocess.DEVNULL, check=False)
        if not path.exists():
            raise RuntimeError(f"python -m benches {' '.join(names)}: exit status {done.returncode}")
        return json.loads(path.read_text()), done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
