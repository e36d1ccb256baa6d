"""The ecosystem matrix: each package, pinned and unmodified, in a virtual environment of its own, runs a session of its own.

    python -P tests/ecosystem [--rooms DIR] [--json FILE] [NAME ...]
    python -P tests/ecosystem --publish FILE ...

A session (programs/NAME.py) runs on the standard library, with femtolog installed at start-up, and installed in the middle; what it
prints and leaves in files must be the same to the byte, times and the like masked. Its comments say what it needs:

    # requires: PIN ...          what pip installs; with a marker (PIN; python_version < "3.12") one a line
    # room: NAME                 whose environment it shares
    # snippet: PAGE FILE         a file that a page of docs/howto shows: put beside it, on the standard library without femtolog's lines
    # files: NAME ...            files that are compared as well
    # mask: PATTERN => TEXT      what differs from run to run

femtolog is taken from the environment of the interpreter that runs this. Environments are kept in DIR (.venv-ecosystem) and used again.
The second form makes the table of docs/reference/ecosystem.md from what several interpreters have left in FILEs. Not part of the
default test run: it downloads gigabytes and takes half an hour.
"""

import argparse
import ast
import json
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

DOCS = HERE.parent.parent / "docs"
PAGE = DOCS / "reference" / "ecosystem.md"
PROGRAMS = HERE / "programs"
LINES = "import femtolog\n\nfemtolog.install()\n"

# What writes a page's files into the folder of the program that follows. On the standard library they are without femtolog's lines.
SNIPPETS = """\
import os, pathlib
for name, text in {files!r}.items():
    pathlib.Path(name).write_text(text.replace({lines!r}, "") if os.environ["FEMTOLOG_TEST_WAY"] == "stdlib" else text)
"""


VERSIONS = """\
import importlib.metadata, sys
there = {one.name.lower().replace("_", "-"): one.version for one in importlib.metadata.distributions()}
print(*(f"{name} {there[name]}" for name in sys.argv[1:] if name in there), sep=", ")
"""


class Program:
    """A session and what its comments say."""

    def __init__(self, path):
        self.name = path.stem
        self.text = path.read_text(encoding="utf-8")
        self.title = ast.get_docstring(ast.parse(self.text)).splitlines()[0]
        lines = re.findall(r"^# requires: (.*)$", self.text, re.MULTILINE)
        self.requires = [pin for line in lines for pin in ([line] if ";" in line else line.split())]
        self.environment = (self._words("room") or [self.name])[0]
        snippets = re.findall(r"^# snippet: (\S+) (\S+)$", self.text, re.MULTILINE)
        if snippets:
            files = {name: snippet(DOCS / "howto" / page, name) for page, name in snippets}
            self.text = SNIPPETS.format(files=files, lines=LINES) + self.text
        self.files = tuple(self._words("files"))
        masks = re.findall(r"^# mask: (.*) => (.*)$", self.text, re.MULTILINE)
        self.masks = (*masks, (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:0"), (r"127\.0\.0\.1', \d{4,5}", "127.0.0.1', 0"))

    def _words(self, kind):
        return [word for line in re.findall(rf"^# {kind}: (.*)$", self.text, re.MULTILINE) for word in line.split()]

    def versions(self, python):
        """Of what is required, what is installed there: "pandas 3.1.1, numpy 2.5.5"."""
        names = list(dict.fromkeys(re.match(r"[\w.-]+", pin)[0] for pin in self.requires))
        done = subprocess.run([python, "-c", VERSIONS, *names], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def room(self, rooms):
        """The interpreter of the package's environment, made if it is not there."""
        folder = rooms / self.environment
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


def snippet(page, name):
    """The file of that name which a page shows."""
    return re.search(rf'^```python title="{re.escape(name)}"\n(.*?)^```$', page.read_text("utf-8"), re.MULTILINE | re.DOTALL)[1]


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
    options.add_argument("--json", type=pathlib.Path, help="put the results there, beside what other sessions have left there")
    options.add_argument("--publish", type=pathlib.Path, nargs="+", metavar="FILE", help="make the page's table from results")
    chosen = options.parse_args()
    if chosen.publish:
        publish([json.loads(path.read_text()) for path in chosen.publish])
        return
    programs = [Program(path) for path in sorted(PROGRAMS.glob("*.py")) if not chosen.names or path.stem in chosen.names]
    failed = False
    for program in programs:
        try:
            python = program.room(chosen.rooms.resolve())
        except NotInstallable as error:
            verdict, native, versions = f"does not install: {error}", 0, ""
        else:
            versions = program.versions(python)
            found, native = program.run(python)
            wrong = {way: text for way, text in found.items() if text}
            verdict = (
                SAME if not wrong else "fails on the standard library" if "stdlib" in wrong else f"differs ({', '.join(wrong)})"
            )
            for way, text in wrong.items():
                print(f"--- {program.name}, {way}\n{text}")
        failed |= verdict != SAME
        print(f"{program.name}: {verdict}, {native} native", flush=True)
        if chosen.json:
            keep(chosen.json, program.name, {"versions": versions, "verdict": verdict, "native": native})
    sys.exit(1 if failed else 0)


SAME = "the same"


def keep(path, name, result):
    """Put the result of a session into the file, beside those that are there."""
    told = json.loads(path.read_text()) if path.exists() else {"sessions": {}}
    told["python"], told["platform"] = platform.python_version(), f"{platform.system()} on {platform.machine()}"
    told["sessions"][name] = result
    path.write_text(json.dumps(told, indent=1))


def publish(runs):
    """Put the results of several interpreters into the page, a column for each."""
    runs.sort(key=lambda run: [int(part) for part in re.findall(r"\d+", run["python"])])
    pythons = [run["python"].rpartition(".")[0] for run in runs]
    notes = []
    lines = [
        f"CPython {', '.join(run['python'] for run in runs)}; {runs[0]['platform']}; `python -P tests/ecosystem`.",
        "",
        f"| session | versions | {' | '.join(pythons)} |",
        f"| --- | --- |{' ---: |' * len(runs)}",
    ]
    for path in sorted(PROGRAMS.glob("*.py")):
        program = Program(path)
        told = [run["sessions"].get(program.name) for run in runs]
        # The versions that most have; others are told in a note.
        pins = {}
        for python, one in zip(pythons, told, strict=True):
            if one is not None and one["versions"]:
                pins.setdefault(one["versions"], []).append(python)
        versions = max(pins, key=lambda pin: len(pins[pin]), default="none")
        notes += [f"`{path.stem}` on {', '.join(where)}: {pin}." for pin, where in pins.items() if pin != versions]
        for python, one in zip(pythons, told, strict=True):
            if one is not None and one["verdict"] != SAME:
                notes.append(f"`{path.stem}` on {python}: {one['verdict']}.")
        cells = [cell(one) for one in told]
        lines.append(f"| {program.title} | {versions} | {' | '.join(cells)} |")
    if notes:
        lines += ["", *(f"- {note}" for note in notes)]
    text = PAGE.read_text("utf-8")
    before, after = text.partition("<!-- table -->\n")[0], text.partition("<!-- /table -->")[2]
    PAGE.write_text(f"{before}<!-- table -->\n" + "\n".join(lines) + f"\n<!-- /table -->{after}", encoding="utf-8")


def cell(one):
    """How many records or emissions were native, where the text is the same."""
    if one is None:
        return "not run"
    if one["verdict"] != SAME:
        return one["verdict"].partition(":")[0]
    return str(one["native"] or "children")  # a session that logs in child processes only leaves no count


if __name__ == "__main__":
    main()
