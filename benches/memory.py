"""What a live logger occupies: growth of the resident set over many of them, each number from a fresh interpreter.

Not tracemalloc's number: it does not see what an extension allocates.
"""

import os
import pathlib
import statistics
import subprocess
import sys

LOGGERS = {"stdlib": 100_000, "picologging": 5_000, "femtolog": 100_000}  # picologging's getLogger() takes n² time: minutes
STATM = pathlib.Path("/proc/self/statm")
IMPORTS = {
    "stdlib": "import logging",
    "picologging": "import picologging as logging",
    "femtolog": "import logging, femtolog; femtolog.install()",
}
QUESTIONS = {
    "a logger": "pass",
    "a logger, after a disabled call": 'log.debug("hello %s", "world")',
    "a logger and its NullHandler, after a call": 'log.addHandler(logging.NullHandler()); log.error("hello %s", "world")',
}
# The names are there before: a program has them anyway, and they are the same on all sides.
SOURCE = """
import gc, os
{imports}
logging.getLogger().addHandler(logging.NullHandler())
names = [f"module{{number}}" for number in range({loggers})]
made = [None] * len(names)
def resident():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def make():
    for number, name in enumerate(names):
        made[number] = log = logging.getLogger(name)
        {statement}
before = resident()
make()
print((resident() - before) / len(names))
assert len(set(made)) == len(names)
"""


def measure(sides: tuple[str, ...], repeats: int, share: float = 1) -> dict[str, dict[str, dict[str, float]]]:
    """Bytes per logger, least and median, for each question and side, asked by turns; nothing where the system does not tell.

    `share` of the loggers are made: fewer take less time, and blur the number by what else the process allocates.
    """
    if not STATM.exists():
        return {}
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    taken: dict[str, dict[str, list[float]]] = {name: {side: [] for side in sides} for name in QUESTIONS}
    for _ in range(repeats):
        for name, statement in QUESTIONS.items():
            for side in sides:
                source = SOURCE.format(imports=IMPORTS[side], loggers=int(LOGGERS[side] * share), statement=statement)
                answer = subprocess.run(
                    [sys.executable, "-P", "-c", source], env=environment, stdout=subprocess.PIPE, text=True, check=True
                )
                taken[name][side].append(float(answer.stdout))
    return {
        name: {side: {"least": min(sizes), "median": statistics.median(sizes)} for side, sizes in sized.items()}
        for name, sized in taken.items()
    }
