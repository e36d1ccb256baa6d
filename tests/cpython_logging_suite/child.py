"""One run of one of CPython's test modules in this process, on one logging; outcomes go to a file, line by line.

Started by the runner in a fresh process. Nothing of CPython's test module is copied or changed: it is imported from the
running interpreter and run by `unittest`, as `python -m unittest` does it.
"""

import argparse
import json
import os
import sys
import unittest

# What the tests may use of the machine, in the terms of test.support: all but the outside network and a display.
RESOURCES = ["audio", "cpu", "curses", "decimal", "largefile", "subprocess", "tzdata", "walltime"]


class Outcomes(unittest.TextTestResult):
    """Writes each outcome as it comes: after a crash or a timeout the file still says how far the run got."""

    events = -1

    def _write(self, kind, test, outcome=None, detail=""):
        line = {"kind": kind, "id": test.id(), "class": class_of(test), "outcome": outcome, "detail": detail}
        os.write(self.events, (json.dumps(line) + "\n").encode())

    def startTest(self, test):
        super().startTest(test)
        self._write("start", test)

    def stopTest(self, test):
        self._write("stop", test)
        super().stopTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._write("outcome", test, "passed")

    def addError(self, test, err):
        super().addError(test, err)
        self._write("outcome", test, "error", self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._write("outcome", test, "failed", self.failures[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._write("outcome", test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._write("outcome", test, "expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._write("outcome", test, "unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            log = self.failures if issubclass(err[0], test.failureException) else self.errors
            self._write("outcome", subtest, "failed", log[-1][1])


def class_of(test):
    """`module.Class` of a test, of a subtest, or of the stand-in that unittest makes for a failed or skipped class."""
    test = getattr(test, "test_case", test)
    kind = type(test)
    if kind.__module__ == "unittest.suite":
        return test.id().partition("(")[2].rstrip(")")
    return f"{kind.__module__}.{kind.__qualname__}"


def tests_in(suite):
    """Every test of a suite, in the order in which unittest runs them."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_in(item)
        else:
            yield item


def without(suite, classes):
    """The suite without the classes that an earlier process has finished or been killed in."""
    kept = unittest.TestSuite()
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            kept.addTest(without(item, classes))
        elif class_of(item) not in classes:
            kept.addTest(item)
    return kept


def put_femtolog_in_place(mode):
    """Let femtolog execute `logging`: before it is imported ("hook"), or after ("in place"). The children start with it."""
    if mode == "stdlib":
        assert "femtolog_compat" not in sys.modules, "the run to compare with must be the plain stdlib's"
        return
    os.environ["FEMTOLOG"] = "1"
    if mode == "hook":
        import femtolog_compat

        femtolog_compat.install()
        import logging
        import logging.config
        import logging.handlers

        for module in (logging, logging.handlers, logging.config):
            assert "femtolog" in repr(module.__spec__.loader), f"{module.__name__} did not come through the import hook"
    else:
        import logging
        import logging.config
        import logging.handlers

        assert "femtolog_compat" not in sys.modules, "in place means: logging was there first"
        logging.getLogger("made.before.binding")
        import femtolog

        femtolog.install()
        assert "femtolog" not in repr(logging.__spec__.loader)
    from femtolog import _native

    assert _native.is_bound(), "femtolog is installed and nothing is bound"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=("stdlib", "hook", "in place"), required=True)
    parser.add_argument("--module", action="append", required=True)
    parser.add_argument("--only", action="append", default=[], help="module.Class to run, all others left out")
    parser.add_argument("--without", action="append", default=[], help="module.Class to leave out")
    parser.add_argument("--events", required=True)
    options = parser.parse_args()
    put_femtolog_in_place(options.mode)

    from test import support

    support.use_resources = list(RESOURCES)
    suite = unittest.defaultTestLoader.loadTestsFromNames(options.module)
    out = set(options.without)
    if options.only:
        out |= {class_of(test) for test in tests_in(suite)} - set(options.only)
    suite = without(suite, out)
    Outcomes.events = os.open(options.events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    unittest.TextTestRunner(resultclass=Outcomes, verbosity=2).run(suite)
    stats = None
    if options.mode != "stdlib":
        import femtolog

        stats = femtolog.stats()
    os.write(Outcomes.events, (json.dumps({"kind": "end", "stats": stats}) + "\n").encode())


if __name__ == "__main__":
    main()
