"""The examples run, print what stands at their end, and do the same on the standard library and under femtolog.install()."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
RUNNER = pathlib.Path(__file__).with_name("run_examples.py")
PROGRAMS = sorted(
    [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("cookbook/*.py"), *(path.parent for path in EXAMPLES.glob("*/*/__main__.py"))]
)
SAID = re.compile(r"^# prints:\n((?:#.*\n)+)\Z", re.MULTILINE)
MASKS = [
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d{3}"), "<time>"),
    (re.compile(r"\b\d\d\.\d\d\. \d\d:\d\d\b"), "<time>"),
    (re.compile(r"^ *[~^]+\n", re.MULTILINE), ""),  # the marks below a traceback's lines: more or fewer with the version
]


def masked(text, room):
    text = text.replace(f"{EXAMPLES}{os.sep}", "").replace(str(room), "<room>")
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


def source(program):
    return (program / "__main__.py" if program.is_dir() else program).read_text()


def said(program):
    found = SAID.search(source(program))
    assert found, f"{program.name} does not end with what it prints"
    return "".join(line[2:] or "\n" for line in found[1].splitlines(keepends=True))


def results(program, room):
    """What it printed, how it ended, and the files it left."""
    name = program.stem
    files = sorted(path for path in (room / name).rglob("*") if path.is_file())
    read = {
        str(path.relative_to(room)): masked(path.read_text("utf-8", "backslashreplace"), room)
        for path in files
        if path.suffix != ".gz"
    }
    return masked((room / f"{name}.out").read_text(), room), (room / f"{name}.status").read_text(), read


def of_femtolog(program):
    """Does it speak of femtolog? Then it decides itself what runs it."""
    return "femtolog" in source(program)


def loads(module):
    """Is it installed, with the system's libraries it needs, and without a word of the interpreter's (that it needs a GIL, say)?"""
    command = [sys.executable, "-P", "-W", "error::RuntimeWarning", "-c", f"import {module}"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


# What a program says that needs something not everybody has: how to find out whether it is here.
NEEDS = {
    "import gevent": lambda: loads("gevent"),
    "PySide6": lambda: loads("PySide6.QtCore"),
    "openssl req": lambda: shutil.which("openssl") is not None,
}


def test_examples_do_what_they_say_on_both_sides(tmp_path):
    missing = [words for words, is_here in NEEDS.items() if not is_here()]
    programs = [path for path in PROGRAMS if not any(words in source(path) for words in missing)]
    assert len({path.stem for path in programs}) == len(programs) > 50
    rooms = {"stdlib": tmp_path / "stdlib", "femtolog": tmp_path / "femtolog"}
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    running = []
    for side, room in rooms.items():
        room.mkdir()
        chosen = [str(path) for path in programs if side == "stdlib" or not of_femtolog(path)]
        command = [sys.executable, "-P", str(RUNNER), side, str(room), *chosen]
        running.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    for process in running:
        assert process.communicate(timeout=200)[0] == ""
        assert process.returncode == 0
    wrong = []
    for program in programs:
        printed, status, files = results(program, rooms["stdlib"])
        if status != "0" or printed != masked(said(program), rooms["stdlib"]):
            wrong.append(f"{program.name} ends with {status} and prints\n{printed}")
        if not of_femtolog(program):
            if results(program, rooms["femtolog"]) != (printed, status, files):
                wrong.append(
                    f"{program.name} under femtolog: {results(program, rooms['femtolog'])}, not {(printed, status, files)}"
                )
            if int((rooms["femtolog"] / f"{program.stem}.native").read_text()) < 1:
                wrong.append(f"{program.name} runs nothing natively")
    assert wrong == []


@pytest.mark.parametrize("folder", ["", "cookbook"])
def test_the_page_of_examples_names_them_all(folder):
    page = (EXAMPLES / "README.md").read_text()
    here = {str(path.relative_to(EXAMPLES)) for path in PROGRAMS if path.parent == EXAMPLES / folder}
    linked = set(re.findall(r"\]\(([^)#\s]+)\)", page))
    assert here - {target.rstrip("/") for target in linked} == set()
    assert [target for target in linked if "://" not in target and not (EXAMPLES / target).exists()] == []
