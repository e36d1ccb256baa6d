"""Where femtolog cannot run: one ImportError that names cause and remedy, or, with FEMTOLOG_FALLBACK=1, one warning and the stdlib."""

import sys
import textwrap

import pytest
from startup import broken_environment, run

NO_EXTENSION = "import sys; sys.modules['femtolog._native'] = None\n"
OTHER_VERSION = """
import sys, types
sys.modules["femtolog._native"] = other = types.ModuleType("femtolog._native")
other.__version__, other.__file__ = "0.0.1", "/old/_native.so"
"""
PYPY = "import sys; sys.implementation.name = 'pypy'\n"
OLD = "import sys; sys.version_info = (3, 10, 4, 'final', 0)\n"
REMEDY = f"{sys.executable} -m pip install --force-reinstall --no-cache-dir femtolog"
CAUSES = {
    "no extension": (NO_EXTENSION, f"femtolog has no extension module for cpython 3.{sys.version_info[1]} ", REMEDY),
    "other version": (OTHER_VERSION, "its extension module (/old/_native.so) is version 0.0.1", REMEDY),
    "PyPy": (PYPY, "femtolog needs CPython 3.11 or newer, this is pypy 3.", ""),
    "old": (OLD, "femtolog needs CPython 3.11 or newer, this is cpython 3.10", ""),
}

USE = """
    import femtolog as logging
    import femtolog
    logging.basicConfig(format="%(levelname)s %(message)s")
    femtolog.install()
    femtolog.install(picologging=True)
    import picologging, picologging.handlers, logging as real
    assert picologging.getLogger is real.getLogger and picologging.handlers.MemoryHandler.__module__ == "logging.handlers"
    with femtolog.installed():
        logging.warning("by %s", "the standard library")
    assert not femtolog.accelerated and not femtolog.is_installed()
    assert femtolog.stats() == {"native": 0, "emits": 0, "real_records": 0, "reference": {}}
    femtolog.reset_stats()
    assert femtolog.explain("x", "ERROR").logged
    assert femtolog.doctor().data["error"]
    femtolog.uninstall()
"""


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A python in whose environment femtolog's extension module does not load."""
    return broken_environment(tmp_path_factory.mktemp("broken"))


def python(program, env=None):
    return run(sys.executable, "-P", "-c", textwrap.dedent(program), env=env)


@pytest.mark.parametrize("cause", CAUSES)
def test_an_import_error_names_cause_and_remedy(cause):
    make, says, remedy = CAUSES[cause]
    done = python(make + "import femtolog")
    *_, last = done.stderr.splitlines()
    assert done.returncode == 1
    assert last.startswith("ImportError: femtolog") and says in last and remedy in last


def test_an_extension_that_does_not_load(broken):
    done = run(broken, "-c", "import femtolog")
    *_, last = done.stderr.splitlines()
    assert last.startswith(f"ImportError: femtolog's extension module does not load on cpython 3.{sys.version_info[1]}: ")
    assert f"{broken} -m pip install --force-reinstall" in last


@pytest.mark.parametrize("cause", CAUSES)
def test_with_the_fallback_there_is_one_warning_and_the_standard_library(cause):
    make, says, _ = CAUSES[cause]
    done = python(make + textwrap.dedent(USE), env={"FEMTOLOG_FALLBACK": "1"})
    assert done.returncode == 0, done.stderr
    warning, *source, logged = done.stderr.splitlines()
    assert len(source) <= 1  # 3.13 shows the line of a -c program
    assert warning.startswith("<string>:") and ": RuntimeWarning: femtolog" in warning and says in warning
    assert warning.endswith("FEMTOLOG_FALLBACK is set: logging is the standard library's")
    assert logged == "WARNING by the standard library"


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_a_fallback_that_is_off_is_none(value):
    assert python(NO_EXTENSION + "import femtolog", env={"FEMTOLOG_FALLBACK": value}).returncode == 1


def test_the_warning_can_be_made_an_error():
    done = python(
        "import warnings; warnings.simplefilter('error')\n" + NO_EXTENSION + "import femtolog", env={"FEMTOLOG_FALLBACK": "1"}
    )
    assert done.returncode == 1
    assert "RuntimeWarning: femtolog" in done.stderr


SHOW = "import logging; logging.warning('%s', 'femtolog' in repr(logging.__spec__.loader)); raise SystemExit(3)"


@pytest.mark.parametrize("command", [["-m", "femtolog", "-c", SHOW], ["-m", "femtolog_compat", "-c", SHOW], ["-c", SHOW]])
def test_every_way_to_start_a_program_falls_back(broken, command):
    done = run(broken, *command, env={"FEMTOLOG_FALLBACK": "1", "FEMTOLOG": "" if "-m" in command else "1"})
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("femtolog's extension module does not load") == 1
    assert done.stderr.splitlines()[-1] == "WARNING:root:False"


def test_without_the_fallback_start_up_says_why_in_one_line_and_the_command_ends(broken):
    done = run(broken, "-c", SHOW, env={"FEMTOLOG": "1"})
    assert done.returncode == 3
    first, last = done.stderr.splitlines()
    assert first.startswith("femtolog: not installed at start-up: femtolog's extension module does not load on")
    assert last == "WARNING:root:False"
    done = run(broken, "-m", "femtolog_compat", "-c", SHOW)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("femtolog's extension module does not load on")
