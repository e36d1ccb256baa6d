"""What it costs to have femtolog at all: importing, installing, and not using it. Each number is from fresh interpreters."""

import compileall
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

QUESTIONS = {
    "import logging, stdlib": ("", "import logging"),
    "import femtolog": ("import logging", "import femtolog"),
    "femtolog.install(), logging imported": ("import logging, femtolog", "femtolog.install()"),
    "femtolog.install(), with logging.handlers": ("import logging.handlers, femtolog", "femtolog.install()"),
    "femtolog.uninstall()": ("import logging, femtolog; femtolog.install()", "femtolog.uninstall()"),
    "femtolog.install() again": ("import logging, femtolog; femtolog.install(); femtolog.uninstall()", "femtolog.install()"),
    "import logging through femtolog's finder": ("import femtolog_compat; femtolog_compat.install()", "import logging"),
    "the .pth line, FEMTOLOG unset": ("line = open(PTH).read()", "exec(line)"),
    "what stays of the import: one file and the extension": ("import logging, sys; sys.path.insert(0, ALONE)", "import femtolog"),
    "what stays of install(): binding": (
        "import logging, sys; sys.path.insert(0, ALONE); import femtolog",
        "femtolog._native.bind(logging)",
    ),
}


def alone(folder: str) -> None:
    """A package of one file that does nothing but load the extension."""
    import femtolog._native

    package = pathlib.Path(folder, "femtolog")
    package.mkdir()
    library = pathlib.Path(femtolog._native.__file__)
    (package / library.name).symlink_to(library)
    (package / "__init__.py").write_text("from femtolog import _native\n")
    compileall.compile_dir(package, quiet=2)


def measure(repeats: int) -> dict[str, dict[str, float]]:
    """Milliseconds, least and median, for each question, asked by turns."""
    spent: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    import femtolog_compat

    pth = pathlib.Path(femtolog_compat.__file__).parent.parent / "femtolog.pth"
    with tempfile.TemporaryDirectory() as folder:
        alone(folder)
        for _ in range(repeats):
            for name, (before, timed) in QUESTIONS.items():
                places = f"PTH, ALONE = {str(pth)!r}, {folder!r}"
                program = f"began = time.perf_counter()\n{timed}\nprint(time.perf_counter() - began)"
                source = f"import time\n{places}\n{before}\n{program}"
                answer = subprocess.run(
                    [sys.executable, "-P", "-c", source], env=environment, stdout=subprocess.PIPE, text=True, check=True
                )
                spent[name].append(float(answer.stdout) * 1e3)
    return {name: {"least": min(times), "median": statistics.median(times)} for name, times in spent.items()}
