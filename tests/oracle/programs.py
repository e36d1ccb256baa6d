"""Whole programs in clean interpreters: the same source under the standard library and under femtolog, output compared byte for byte."""

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from oracle.describe import text
from oracle.harness import assert_same
from oracle.sides import SIDES

_RUNNER = Path(__file__).with_name("run_program.py")


def same_program(source: str, *arguments: str, options: tuple[str, ...] = (), timeout: float = 60, **environment: str) -> str:
    """Run on both sides; equal standard output, standard error, exit status and files. Returns the standard output.

    The program's file, folder and name are the same on both sides; so are the frames above it.
    """
    told = [_run(side, textwrap.dedent(source), arguments, options, timeout, environment) for side in SIDES]
    assert_same(*told, "program")
    return told[0][0]


def _run(
    side: str, source: str, arguments: tuple[str, ...], options: tuple[str, ...], timeout: float, environment: dict[str, str]
) -> list[str]:
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "run"
        folder.mkdir()
        program = folder / "program.py"
        program.write_text(source, encoding="utf-8")
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONIOENCODING": "utf-8", **environment}
        command = [
            sys.executable,
            *options,
            str(_RUNNER),
            "femtolog" if side == "femtolog" else "stdlib",
            program.name,
            *arguments,
        ]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=timeout, check=False)
        shown = [part.decode("utf-8", "backslashreplace").replace(str(folder), "<folder>") for part in (done.stdout, done.stderr)]
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p != program and "__pycache__" not in p.parts)
        return [
            text(shown[0]),
            f"stderr:\n{text(shown[1])}",
            f"status {done.returncode}",
            *(f"file {p.relative_to(folder)}:\n{p.read_text('utf-8', 'backslashreplace')}" for p in files),
        ]
