"""The ecosystem matrix: each package, pinned and unmodified, in a virtual environment of its own, runs a session of its own.

    python tests/ecosystem [--rooms DIR] [--table FILE] [--pins] [NAME ...]

A session (programs/NAME.py) runs on the standard library, with femtolog installed at start-up, and installed in the middle; what it
prints and leaves in files must be the same to the byte, times and the like masked. Its comments say what it needs:

    # requires: PIN ...          what pip installs
    # files: NAME ...            files that are compared as well
    # mask: PATTERN => TEXT      what differs from run to run

femtolog is taken from the environment of the interpreter that runs this. Environments are kept in DIR (.venv-ecosystem) and used again.
Not part of the default test run: it downloads gigabytes and takes half an hour.
"""

import argparse
import ast
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from three_ways import Runner  # noqa: E402

PROGRAMS = HERE / "programs"


class Program:
    """A session and what its comments say."""

    def __init__(self, path):
        self.name = path.stem
        self.text = path.read_text(encoding="utf-8")
        self.title = ast.get_docstring(ast.parse(self.text)).splitlines()[0]
        self.requires = self._words("requires")
        self.files = tuple(self._words("files"))
        masks = re.findall(r"^# mask: (.*) => (.*)$", self.text, re.MULTILINE)
        self.masks = (*masks, (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:0"), (r"127\.0\.0\.1', \d{4,5}", "127.0.0.1', 0"))

    def _words(self, kind):
        return [word for line in re.findall(rf"^# {kind}: (.*)$", self.text, re.MULTILINE) for word in line.split()]

    def room(self, rooms):
        """The interpreter of the package's environment, made if it is not there."""
        folder = rooms / self.name
        python = folder / "bin" / "python"
        if not python.exists():
            venv.create(folder, with_pip=True, symlinks=True)
        mark = folder / "requires.txt"
        if not mark.exists() or mark.read_text() != "\n".join(self.requires):
            pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install", *self.requires]
            done = subprocess.run(pip, capture_output=True, text=True, timeout=1800, check=False)
            if done.returncode:
                raise NotInstallable(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip fails")
            mark.write_text("\n".join(self.requires))
        put_femtolog_into(next(folder.glob("lib/python3.*/site-packages")))
        return str(python)

    def run(self, python):
        """{way: "" or what differs or fails}, and how many records the native tier made."""
        found, native = {}, 0
        for way in ("stdlib", "early", "late"):
            runner = Runner(way, python)
            try:
                outcome = runner(self.text, files=self.files, masks=self.masks, timeout=180, native=None)
                found[way] = ""
                if way == "early" and outcome.counters:
                    native = max(outcome.counters["native"], outcome.counters["emits"])
            except AssertionError as error:
                found[way] = str(error)
                if way == "stdlib":
                    break
            finally:
                runner.clean()
        return found, native


class NotInstallable(Exception):
    """pip says no."""


def put_femtolog_into(site):
    """Link the femtolog that runs here into another environment."""
    import femtolog
    import femtolog_compat

    for module in (femtolog, femtolog_compat):
        source = pathlib.Path(module.__file__).parent
        target = site / source.name
        if target.is_symlink() or target.exists():
            target.unlink() if target.is_symlink() else shutil.rmtree(target)
        target.symlink_to(source)


def main():
    """Run the sessions, print a line for each, and exit with 1 if one differs."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("names", nargs="*", metavar="NAME")
    options.add_argument("--rooms", type=pathlib.Path, default=HERE.parent.parent / ".venv-ecosystem")
    options.add_argument("--table", type=pathlib.Path, help="write the results as a Markdown table")
    chosen = options.parse_args()
    programs = [Program(path) for path in sorted(PROGRAMS.glob("*.py")) if not chosen.names or path.stem in chosen.names]
    rows, failed = [], False
    for program in programs:
        try:
            found, native = program.run(program.room(chosen.rooms.resolve()))
        except NotInstallable as error:
            verdict, native = f"does not install: {error}", 0
        else:
            wrong = {way: text for way, text in found.items() if text}
            verdict = (
                "the same"
                if not wrong
                else "fails on the standard library"
                if "stdlib" in wrong
                else f"differs ({', '.join(wrong)})"
            )
            for way, text in wrong.items():
                print(f"--- {program.name}, {way}\n{text}")
        failed |= verdict != "the same"
        print(f"{program.name}: {verdict}, {native} native", flush=True)
        rows.append((program, verdict, native))
    if chosen.table:
        chosen.table.write_text(table(rows), encoding="utf-8")
    sys.exit(1 if failed else 0)


def table(rows):
    """The results as the page docs/reference/ecosystem.md holds them."""
    lines = [
        f"CPython {platform.python_version()}, {platform.system()} on {platform.machine()}; `python tests/ecosystem`.",
        "",
        "| versions | session | text | native |",
        "| --- | --- | --- | ---: |",
    ]
    for program, verdict, native in rows:
        # A session that logs in child processes only leaves no count here.
        counted = native or "children"
        versions = ", ".join(program.requires).replace("==", " ")
        lines.append(f"| {versions} | {program.title} | {verdict} | {counted} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
