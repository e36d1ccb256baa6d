"""`python -m femtolog`, `femtolog-run`: a program started by them cannot tell them from `python`.

The oracle is `python` itself: the same command line, and what the program prints about itself has to be the same.
"""

import pathlib
import signal
import sys
import zipfile

import pytest
from startup import make_environment, run

import femtolog
import femtolog_compat
from femtolog_compat.run import interpreter_options

PROGRAM = """
import __main__, os, sys
spec = __main__.__spec__
print(sys.argv, sys.path[0], __name__, __main__.__dict__ is globals())
print(__main__.__dict__.get("__file__"), __package__, type(__main__.__dict__.get("__loader__")).__name__)
print(spec and (spec.name, spec.origin, spec.parent), sys.flags, sys.warnoptions, sorted(globals()))
print(sys._getframe().f_code.co_filename, __doc__, sys.modules["__main__"] is __main__)
"""
FAILING = (
    PROGRAM
    + """
def fail():
    1 / 0
fail()
"""
)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return make_environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture
def place(tmp_path):
    """A folder with programs of every kind."""
    (tmp_path / "script.py").write_text(f'"""A program."""\n{PROGRAM}')
    (tmp_path / "failing.py").write_text(FAILING)
    (tmp_path / "wrong.py").write_text("print('never')\n)\n")
    (tmp_path / "interrupted.py").write_text("raise KeyboardInterrupt\n")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(sys.argv[1] if len(sys.argv) > 1 else 3)\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text(PROGRAM)
    (tmp_path / "package" / "module.py").write_text(FAILING)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__main__.py").write_text(PROGRAM)
    (tmp_path / "link.py").symlink_to("folder/__main__.py")
    with zipfile.ZipFile(tmp_path / "archive.pyz", "w") as archive:
        archive.writestr("__main__.py", PROGRAM)
    return tmp_path


COMMANDS = [
    ["script.py"],
    ["script.py", "--option", "-m", "x", "-h"],
    ["./folder/../script.py"],
    ["link.py"],
    ["failing.py"],
    ["wrong.py"],
    ["interrupted.py"],
    ["exits.py"],
    ["exits.py", "text"],
    ["missing.py"],
    ["-m", "package", "an", "argument"],
    ["-m", "package.module"],
    ["-m", "script", "-x"],
    ["-m", "no.such.module"],
    ["-m", "timeit", "-n1", "-r1", "pass"],
    ["folder", "a"],
    ["archive.pyz", "b"],
    ["-c", "import sys; print(sys.argv, repr(sys.path[0]), __name__, sorted(globals()))", "a", "-b"],
    ["-c", "1/0"],
]


def outcome(done):
    """What a program printed and how it ended; but not a time that was measured."""
    stdout = "\n".join(line for line in done.stdout.splitlines() if " loop" not in line)
    return done.returncode, stdout, done.stderr


@pytest.mark.parametrize("way", [["-m", "femtolog"], ["-m", "femtolog_compat"], ["femtolog-run"]], ids=" ".join)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_program_runs_as_under_python(python, place, way, command):
    starter = [python, *way] if way[0] == "-m" else [python.parent / way[0]]
    expected = outcome(run(python, *command, cwd=place))
    assert outcome(run(*starter, *command, cwd=place)) == expected


# Without the start-up file the program runs in the process that was started; then its flags are that process's.
IN_PROCESS = [command for command in COMMANDS if command[0] != "missing.py"]


@pytest.mark.parametrize("command", IN_PROCESS, ids=" ".join)
def test_a_program_runs_as_under_python_without_the_start_up_file(python, place, command):
    [site] = python.parent.parent.glob("lib/python3.*/site-packages")
    env = {"PYTHONPATH": str(site)}
    expected = outcome(run(python, "-S", *command, cwd=place, env=env))
    assert outcome(run(python, "-S", "-m", "femtolog", *command, cwd=place, env=env)) == expected


FEW = [["script.py", "a"], ["failing.py"], ["exits.py", "text"], ["-m", "package"], ["archive.pyz"], ["-c", "1/0"]]


@pytest.mark.parametrize("command", FEW, ids=" ".join)
def test_a_program_runs_as_under_python_where_femtolog_is_on_pythonpath(place, tmp_path_factory, command):
    folder = tmp_path_factory.mktemp("path")  # no start-up file is read there
    for package in (femtolog, femtolog_compat):
        source = pathlib.Path(package.__file__).parent
        (folder / source.name).symlink_to(source)
    env = {"PYTHONPATH": str(folder)}
    expected = outcome(run(sys.executable, *command, cwd=place, env=env))
    assert outcome(run(sys.executable, "-m", "femtolog", *command, cwd=place, env=env)) == expected


@pytest.mark.parametrize("options", [[], ["-S"]], ids=["start-up file", "in process"])
@pytest.mark.parametrize("command", [["-c"], ["-m", "shows"], ["shows.py"]], ids=" ".join)
def test_the_program_and_its_children_are_native(python, tmp_path, options, command):
    program = (
        "import logging, os, femtolog\nprint(femtolog.is_installed(), femtolog._native.is_bound(), os.environ['FEMTOLOG'])\n"
    )
    (tmp_path / "shows.py").write_text(program)
    [site] = python.parent.parent.glob("lib/python3.*/site-packages")
    command = [*command, program] if command == ["-c"] else command
    done = run(python, *options, "-m", "femtolog", *command, cwd=tmp_path, env={"PYTHONPATH": str(site)} if options else {})
    assert (done.stdout, done.stderr) == ("True True 1\n", "")


def test_no_frame_of_ours_is_under_the_program(python, tmp_path):
    (tmp_path / "script.py").write_text("import traceback\nprint(len(traceback.extract_stack()))\n")
    assert run(python, "-m", "femtolog", "script.py", cwd=tmp_path).stdout == "1\n"


def test_options_of_python_are_kept_and_may_be_given_to_us(python, place):
    expected = outcome(run(python, "-X", "dev", "-W", "error", "-O", "script.py", cwd=place))
    assert outcome(run(python, "-X", "dev", "-W", "error", "-O", "-m", "femtolog", "script.py", cwd=place)) == expected
    assert outcome(run(python, "-X", "dev", "-m", "femtolog", "-W", "error", "-O", "script.py", cwd=place)) == expected


def test_a_signal_ends_the_program_as_under_python(python, tmp_path):
    (tmp_path / "killed.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    assert run(python, "-m", "femtolog", "killed.py", cwd=tmp_path).returncode == -signal.SIGTERM


def test_the_process_stays_the_same(python, tmp_path):
    (tmp_path / "parent.py").write_text(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'femtolog', '-c', 'import os; print(os.getpid())'], stdout=-1)\n"
        "print(int(child.communicate()[0]) == child.pid)\n"
    )
    assert run(python, "parent.py", cwd=tmp_path).stdout == "True\n"


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["-h"], 0), (["--help"], 0)])
def test_usage(python, arguments, code):
    done = run(python, "-m", "femtolog", *arguments)
    assert done.returncode == code
    assert (done.stdout if code == 0 else done.stderr).startswith("usage: python -m femtolog")


@pytest.mark.parametrize(
    ("command_line", "options"),
    [
        ("python -m femtolog a b", []),
        ("python -mfemtolog a b", []),
        ("python -Im femtolog a b", ["-I"]),
        ("python -Imfemtolog a b", ["-I"]),
        ("python -I -X dev -W error -m femtolog a b", ["-I", "-X", "dev", "-W", "error"]),
        ("python -I bin/femtolog-run a b", ["-I"]),
        ("python bin/femtolog-run a b", []),
        ("python -X dev -m femtolog_compat a b", ["-X", "dev"]),
    ],
)
def test_options_before_femtolog_are_found(command_line, options):
    assert interpreter_options(command_line.split(), ["a", "b"]) == options


def test_a_file_that_cannot_be_opened_is_told_as_python_tells_it(python, tmp_path):
    expected = run(python, "missing.py", cwd=tmp_path)
    [site] = python.parent.parent.glob("lib/python3.*/site-packages")
    done = run(python, "-S", "-m", "femtolog", "missing.py", cwd=tmp_path, env={"PYTHONPATH": str(site)})
    assert (done.returncode, done.stderr) == (expected.returncode, expected.stderr)
