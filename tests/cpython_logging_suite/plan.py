"""Which of the running interpreter's test files are run, and what to install where there are none.

`test_logging` is run whole. Of the other files that check logging on their way, the parts that do are run by default and
the whole files with --extended: they take minutes, most of which has nothing to do with logging.
"""

import importlib.util
import sys
import unittest
from dataclasses import dataclass

VERSION = "{}.{}".format(*sys.version_info[:2])


@dataclass
class File:
    """One run: some modules that one process runs one after the other."""

    name: str
    modules: list[str]


def _exists(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _first(*candidates):
    """The first name under which this version has the module, or none."""
    return [name for name in candidates if _exists(name)][:1]


def _asyncio():
    parts = ("base_events", "futures", "proactor_events", "selector_events", "unix_events")  # these look at asyncio's logger
    return [f"test.test_asyncio.test_{part}" for part in parts if _exists(f"test.test_asyncio.test_{part}")]


def keep_logging_tests(namespace):
    """Take out of a module of test_multiprocessing's classes all that do not test logging."""
    for name, value in list(namespace.items()):
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and "Log" not in name:
            del namespace[name]


def files(extended):
    """The runs, longest first, and the names of what this interpreter does not ship."""
    unittest_case = _first("test.test_unittest.test_case", "unittest.test.test_case")
    unittest_all = _first("test.test_unittest.test_case", "unittest.test") and _first("test.test_unittest", "unittest.test")
    futures = [f"test.test_concurrent_futures.test_{part}" for part in ("future", "init")]
    plan = [
        File("test_logging", _first("test.test_logging")),
        File("test_asyncio", _first("test.test_asyncio") if extended else _asyncio()),
        File(
            "test_concurrent_futures",
            _first("test.test_concurrent_futures") if extended or not _exists(futures[0]) else futures,
        ),
        File("test_unittest", unittest_all if extended else unittest_case),
        File("test_warnings", _first("test.test_warnings")),
    ]
    if _exists("test._test_multiprocessing"):
        plan += [File(f"multiprocessing ({way})", [f"multiprocessing_{way}"]) for way in ("fork", "spawn", "forkserver")]
    else:
        plan.append(File("multiprocessing", []))
    return [file for file in plan if file.modules], [file.name for file in plan if not file.modules]


def what_to_install():
    """What to say where the interpreter has no `test.test_logging`."""
    return (
        f"{sys.executable} ships no test.test_logging, which this suite runs. On Debian and Ubuntu install "
        f"libpython{VERSION}-testsuite (Fedora: python3-test); pyenv, python.org and source builds have it."
    )
