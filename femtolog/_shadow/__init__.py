"""Shadow mode: a program runs on the standard library's logging, and each record also goes through the native tier beside it.

The interpreter's own bodies do all the work; before and after some of them `_native.observe` calls the functions below, which leave
no frame, no attribute and no record behind. Two things are compared:

- each text that `Formatter.format` makes, with what the native tier makes of a copy of the record as it was before;
- where nothing but logging's own code is on a record's way, what a whole `Logger._log` call gives each handler: loggers and
  handlers are copied, their streams replaced, and the native tier runs the call again, from the same frame, at the same time.

Code of the program's own (a `__str__`, a handler, a filter) is never run a second time. What it made is taken over, or the text is
left out, and counted with the reason.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import tempfile

from femtolog._shadow.found import FOLDER, Found, collect, remove, report, report_at_exit
from femtolog._shadow.observed import OBSERVERS
from femtolog_compat import load_native, shadow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


def start() -> None:
    """Begin, in a process where femtolog is not installed: at start-up, by FEMTOLOG=shadow.

    The first process of a run prints the report when it ends; with differences its exit status is 1.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=Found.begin)
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="femtolog-shadow-")
        # First registered, so last to run: what other functions log at exit is still compared.
        atexit.register(report_at_exit, os.getpid(), os.environ[FOLDER])
    Found.begin()
    shadow(OBSERVERS)


USAGE = """\
usage: python -m femtolog shadow [--json] [--output FILE] [option] ... [-c cmd | -m mod | file] [arg] ...

Runs the program on the standard library's logging, and every record also through femtolog, and compares. The report goes to stderr,
or to FILE. Exit status: 1 if there are differences, otherwise the program's.
"""


def main(arguments: list[str]) -> None:
    """Run a program in shadow mode and say what came of it."""
    import subprocess

    from femtolog_compat import run

    as_json = False
    output = None
    while arguments and arguments[0] in ("--json", "--output"):
        if arguments.pop(0) == "--json":
            as_json = True
        elif arguments:
            output = arguments.pop(0)
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(USAGE)
        sys.exit(0 if arguments else 2)
    load_native()  # an ImportError belongs to this command line
    folder = tempfile.mkdtemp(prefix="femtolog-shadow-")
    try:
        command = run.command(arguments)
        with _signals_passed_on() as child:
            child.process = process = subprocess.Popen(command, env=os.environ | {FOLDER: folder, "FEMTOLOG": "shadow"})
            status = process.wait()
        total = collect(folder)
    finally:
        remove(folder)
    text = json.dumps(total, indent=2) + "\n" if as_json else report(total)
    if output is None:
        sys.stderr.write(text)
    else:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
    sys.exit(1 if total["differences"] else 128 - status if status < 0 else status)


class _signals_passed_on:  # noqa: N801 - used as a function
    """A terminal sends its signals to the program as well; one sent to this process alone is passed on."""

    process: Any = None

    def __enter__(self) -> Self:
        import signal

        signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the program would inherit
        for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._pass_on)
        return self

    def __exit__(self, *_: object) -> None: ...

    def _pass_on(self, number: int, _frame: object) -> None:
        if self.process is not None:
            self.process.send_signal(number)
