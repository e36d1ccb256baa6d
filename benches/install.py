"""What it costs to have femtolog at all: importing, installing, and not using it. Each number is from fresh interpreters."""

import os
import pathlib
import statistics
import subprocess
import sys

QUESTIONS = {
    "import logging, stdlib": ("", "import logging"),
    "import femtolog": ("import logging", "import femtolog"),
    "femtolog.install(), logging imported": ("import logging, femtolog", "femtolog.install()"),
    "femtolog.install(), with logging.handlers": ("import logging.handlers, femtolog", "femtolog.install()"),
    "femtolog.uninstall()": ("import logging, femtolog; femtolog.install()", "femtolog.uninstall()"),
    "femtolog.install() again": ("import logging, femtolog; femtolog.install(); femtolog.uninstall()", "femtolog.install()"),
    "import logging through femtolog's finder": ("import femtolog_compat; femtolog_compat.install()", "import logging"),
    "the .pth line, FEMTOLOG unset": ("line = open(PTH).read()", "exec(line)"),
}


def measure(repeats: int) -> dict[str, dict[str, float]]:
    """Milliseconds, least and median, for each question, asked by turns."""
    spent: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    import femtolog_compat

    pth = pathlib.Path(femtolog_compat.__file__).parent.parent / "femtolog.pth"
    for _ in range(repeats):
        for name, (before, timed) in QUESTIONS.items():
            source = f"import time; PTH = {str(pth)!r}\n{before}\nbegan = time.perf_counter()\n{timed}\nprint(time.perf_counter() - began)"
            answer = subprocess.run(
                [sys.executable, "-P", "-c", source], env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            spent[name].append(float(answer.stdout) * 1e3)
    return {name: {"least": min(times), "median": statistics.median(times)} for name, times in spent.items()}
