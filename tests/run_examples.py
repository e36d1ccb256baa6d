"""Runs examples, each in a fork of this process and in an empty folder: `python run_examples.py SIDE ROOM EXAMPLE...`.

SIDE is `stdlib` or `femtolog`, which is installed before the first. ROOM gets a folder for each example, in which it runs, and the files
NAME.out (what it printed), NAME.status and, with femtolog, NAME.native (how much of it the native tier did).
"""

import json
import logging.config
import logging.handlers  # noqa: F401
import os
import pathlib
import runpy
import signal
import sys

PATIENCE = 60  # seconds for one example


def run(example, side, room, name):
    """In the fork: to its end, the interpreter's own included."""
    signal.alarm(PATIENCE)
    folder = room / name
    folder.mkdir()
    os.chdir(folder)
    out = os.open(room / f"{name}.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdout.reconfigure(line_buffering=True)
    sys.argv = [example]
    try:
        runpy.run_path(example, run_name="__main__")
    finally:
        if side == "femtolog":
            import femtolog

            stats = femtolog.stats()
            (room / f"{name}.native").write_text(json.dumps(max(stats["native"], stats["emits"])))


def main(side, room, examples):
    if side == "femtolog":
        import femtolog

        femtolog.install()
        os.environ["FEMTOLOG"] = "1"  # for the interpreters that examples start
    for example in examples:
        name = pathlib.Path(example).stem
        child = os.fork()
        if child == 0:
            run(example, side, room, name)
            sys.exit()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        (room / f"{name}.status").write_text(str(status))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:])
