"""Runs one program on the stdlib, under an early and under a late ``femtolog.install()``, and compares.

A program is Python text run in a process and a folder of its own, with a timeout. What it prints, what it
leaves in the files named, and how it ends must be the same three ways; what it asserts itself must hold even
on the stdlib. Nothing here imports femtolog: the process that tests stays as it is.

FEMTOLOG_TEST_WAYS=stdlib (a comma list) restricts the ways, for work on a tree where nothing is built.
"""

import dataclasses
import difflib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

HERE = pathlib.Path(__file__).resolve().parent
WAYS = tuple(os.environ.get("FEMTOLOG_TEST_WAYS", "stdlib,early,late").split(","))

# In the late way the line that holds this comment installs femtolog; in the others it does nothing. A program
# without one is installed late before its first line, with logging, its handlers and config imported.
MARK = re.compile(r"^( *)pass  # late install$", re.MULTILINE)

# The stack at which handleError was called: where Python code stands between the call and the error (a __format__
# that logs, a patch over callHandlers), the interpreter's own bodies have frames there and native ones have not.
FRAME = r' *File "[^\n]*\n(?: {4,}(?!File ").*\n)*'
CALL_STACK = re.compile(rf"^Call stack:\n(?:{FRAME})+", re.MULTILINE)
LOGGING_FRAME = re.compile(r' *File "[^"\n]*[/\\]logging[/\\](?:__init__|handlers|config)\.py", line \d+, in .*\n(?: {4}.*\n)*')


@dataclasses.dataclass
class Outcome:
    """What a program did. Texts are as written; ``seen()`` gives the form that is compared."""

    way: str
    status: int
    stdout: str
    stderr: str
    files: dict
    counters: dict | None  # femtolog.stats() at exit; None on the stdlib and when the process was killed
    directory: pathlib.Path
    masks: tuple = ()

    def mask(self, text):
        text = text.replace(str(self.directory), "<dir>")
        text = CALL_STACK.sub(lambda stack: LOGGING_FRAME.sub("", stack[0]), text)
        text = re.sub(r"\b0x[0-9a-f]{6,}\b", "0x?", text)
        for pattern, replacement in self.masks:
            text = re.sub(pattern, replacement, text)
        return text

    def seen(self):
        return {
            "status": self.status,
            "stdout": self.mask(self.stdout),
            "stderr": self.mask(self.stderr),
            "files": {name: self.mask(text) for name, text in self.files.items()},
        }

    def difference(self, other):
        """The two outcomes as a diff, from `other` to this one; empty when they are the same."""
        lines = []
        mine, theirs = self.seen(), other.seen()
        mine.update(mine.pop("files"))
        theirs.update(theirs.pop("files"))
        for name in [*theirs, *(name for name in mine if name not in theirs)]:
            a, b = str(theirs.get(name, "<no such file>")), str(mine.get(name, "<no such file>"))
            if a != b:
                lines += difflib.unified_diff(a.splitlines(), b.splitlines(), name, name, lineterm="", n=3)
                if a.splitlines() == b.splitlines():
                    lines.append(f"{name}: {a[-20:]!r} != {b[-20:]!r}")
        return "\n".join(lines[:200])

    def report(self):
        return (
            f"[{self.way}] exit status {self.status}\n--- stdout\n{self.stdout[-6000:]}\n"
            f"--- stderr\n{self.stderr[-6000:]}\n--- counters {self.counters}"
        )


class Runner:
    """Runs programs one way; made per test by the ``run`` fixture."""

    _on_stdlib = {}  # (program, options) -> Outcome: the oracle runs once for all ways that are tried in this process

    def __init__(self, way, python=sys.executable):
        self.way = way
        self.python = python
        self.folders = []

    def clean(self):
        """Remove the folders of this runner's programs; FEMTOLOG_TEST_KEEP=1 leaves them."""
        if not os.environ.get("FEMTOLOG_TEST_KEEP"):
            for folder in self.folders:
                shutil.rmtree(folder, ignore_errors=True)

    def __call__(
        self,
        program,
        *,
        status=0,
        files=(),
        env=None,
        flags=(),
        args=(),
        masks=(),
        timeout=60,
        compare=True,
        native=1,
    ):
        """Run `program` (text, dedented) and check it against the stdlib's run of the same text.

        ``status`` is the exit status it must have, ``files`` the names it leaves whose contents are compared,
        ``native`` the least number of records the native tier must have handled (None: do not look, for
        programs that are killed or log nothing).
        """
        program = textwrap.dedent(program).lstrip("\n")
        options = dict(files=files, env=env, flags=flags, args=args, masks=masks, timeout=timeout)
        outcome = self._execute(self.way, program, **options)
        key = (program, repr(options))
        if self.way == "stdlib":
            self._on_stdlib[key] = outcome
        assert outcome.status == status, outcome.report()
        if self.way == "stdlib":
            return outcome
        if native is not None:
            assert outcome.counters is not None, "no counters were left behind\n" + outcome.report()
            # Records of a logger's call, and records that a handler was given by hand.
            handled = max(outcome.counters["native"], outcome.counters.get("emits", 0))
            assert handled >= native, "not native\n" + outcome.report()
        if compare:
            if key not in self._on_stdlib:
                self._on_stdlib[key] = self._execute("stdlib", program, **options)
            difference = outcome.difference(self._on_stdlib[key])
            assert not difference, f"not what the stdlib does (-), but (+):\n{difference}"
        return outcome

    def _execute(self, way, program, *, files, env, flags, args, masks, timeout):
        # Paths of one length in all ways: some programs fold their lines by width.
        directory = pathlib.Path(tempfile.mkdtemp(prefix="femtolog-")).resolve()
        self.folders.append(directory)
        marked = MARK.search(program) is not None
        if marked and way == "late":
            program = MARK.sub(r"\1import install_femtolog_now", program)
        path = directory / "program.py"
        path.write_text(program, encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("FEMTOLOG", "PYTEST_"))}
        for name in ("FEMTOLOG_RAW", "FEMTOLOG_REFERENCE"):  # choices of a tier: pass through
            if name in os.environ:
                environment[name] = os.environ[name]
        environment.update(
            PYTHONPATH=os.pathsep.join([str(HERE / "bootstrap"), *filter(None, [os.environ.get("PYTHONPATH")])]),
            PYTHONHASHSEED="0",
            PYTHONIOENCODING="utf-8",
            FEMTOLOG_TEST_WAY="marked" if marked and way == "late" else way,
            FEMTOLOG_TEST_COUNTERS=str(directory / "counters.json"),
            TMPDIR=str(directory),
        )
        environment.update(env or {})
        out, err = directory / "stdout.txt", directory / "stderr.txt"
        # Files, not pipes: a grandchild that survives must not keep us waiting for the end of a pipe.
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [self.python, *flags, str(path), *args],
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                code = None
                process.send_signal(signal.SIGQUIT)  # it says where it is
                time.sleep(1)
            finally:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
        counters = directory / "counters.json"
        outcome = Outcome(
            way=way,
            status=code,
            stdout=out.read_text("utf-8", "backslashreplace"),
            stderr=err.read_text("utf-8", "backslashreplace"),
            files={n: (directory / n).read_text("utf-8", "backslashreplace") for n in files if (directory / n).exists()},
            counters=json.loads(counters.read_text()) if counters.exists() else None,
            directory=directory,
            masks=tuple(masks),
        )
        assert code is not None, f"no end within {timeout} s\n" + outcome.report()
        return outcome
