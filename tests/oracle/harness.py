"""Runs a scenario on both sides, with a frozen and with the live clock, and compares the lines the runs leave behind."""

import collections
import difflib
import functools
import gc
import inspect
import os
import pickle
import select
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from oracle.describe import text
from oracle.keeping import class_contents
from oracle.sides import SIDES, counts, on
from oracle.world import World, fresh

FORKED = os.environ.get("ORACLE_FORK", "1") != "0"
PATIENCE = 60  # seconds
counted: collections.Counter[str] = collections.Counter()
"""What `femtolog.stats()` counted in all native runs: "native", and the reasons of the reference tier."""
Scenario = Callable[..., Any]


class DifferError(AssertionError):
    """The two sides tell different stories."""


class ChildError(Exception):
    """The process of a scenario died or did not end."""


def same_as_stdlib(scenario: Scenario | None = None, /, *, live: bool = True, fork: bool = True) -> Any:
    """Make a test of a scenario `def test_x(w, ...)`: whatever it notes, writes, raises and leaves behind is the same on both sides.

    Each test has a process of its own (a fork), so it may change classes, modules and the time zone as it likes. `live=False` is for
    scenarios whose notes contain clock values in a form of their own.
    """
    if scenario is None:
        return functools.partial(same_as_stdlib, live=live, fork=fork)
    given = scenario
    signature = inspect.signature(given)
    others = [p for name, p in signature.parameters.items() if name != "w"]

    def test(**arguments: Any) -> None:
        def check() -> None:
            compare(lambda w: given(w, **arguments), live=live)

        if fork and FORKED:
            _in_child(check)
        else:
            check()

    functools.update_wrapper(test, given)
    del test.__wrapped__
    test.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
    return test


def compare(scenario: Scenario, *, live: bool = True, frozen: bool = True, lives: bool = True) -> None:
    """Run the scenario on both sides, in this process, and fail with the difference."""
    for clock_is_live in (False, True):
        if (clock_is_live and not live) or (not clock_is_live and not frozen):
            continue
        told = []
        for side in SIDES:
            before = class_contents()
            told.append(_tell(scenario, side, clock_is_live, lives))
            after = class_contents()
            assert before.keys() == after.keys(), f"unbinding leaves other names: {sorted(before.keys() ^ after.keys())}"
            changed = [key for key, value in before.items() if after[key] is not value]
            assert not changed, f"unbinding leaves other objects: {changed}"
        assert_same(*told, "live clock" if clock_is_live else "frozen clock")


def _tell(scenario: Scenario, side: str, live: bool, lives: bool) -> list[str]:
    """One run: the lines it leaves behind. The call stands in one place, so that stacks are the same on both sides."""
    with on(side), counts(side, counted), fresh(live=live, lives=lives) as w:
        try:
            scenario(w)
        except BaseException as error:
            if side == SIDES[0]:
                raise  # the scenario itself is wrong
            w.note("scenario raised", error)
            w.lines.append(text("".join(traceback.format_exception(error))))
        assert _says_something(w), "the scenario notes nothing: it would compare nothing"
    return w.lines


def _says_something(w: World) -> bool:
    return bool(w.lines or w._streams or w._dir or getattr(sys.stderr, "getvalue", str)())


def assert_same(expected: list[str], actual: list[str], title: str = "") -> None:
    """Equal lines, or a failure that shows the difference."""
    if expected == actual:
        return
    old = [line for entry in expected for line in entry.split("\n")]
    new = [line for entry in actual for line in entry.split("\n")]
    diff = "\n".join(difflib.unified_diff(old, new, *SIDES, lineterm="", n=2))
    raise DifferError(f"{title}: {SIDES[0]} and {SIDES[1]} differ\n{diff}")


def _in_child(check: Callable[[], None]) -> None:
    """Run in a forked child: what it changes in classes and modules ends with it."""

    def work() -> tuple[bool, str] | None:
        try:
            check()
        except BaseException as error:
            told = isinstance(error, (DifferError, pytest.fail.Exception, pytest.skip.Exception))
            return isinstance(error, pytest.skip.Exception), str(error) if told else traceback.format_exc()
        return None

    try:
        failure = in_child(work)
    except ChildError as error:
        pytest.fail(str(error), pytrace=False)
    if failure:
        skipped, message = failure
        (pytest.skip if skipped else functools.partial(pytest.fail, pytrace=False))(message)


def in_child(work: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """What `work` returns in a forked child; it may not raise. What the native tier counted there is counted here."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        counted.clear()
        status = 1
        try:
            os.close(reader)
            gc.disable()
            gc.freeze()  # what the parent made is not walked again
            result = work()
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump((result, counted), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    if not select.select([reader], [], [], patience)[0]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        raise ChildError(f"the scenario did not end within {patience} s: a deadlock?")
    with os.fdopen(reader, "rb") as pipe:
        sent = pipe.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if not sent or code:
        raise ChildError(f"the scenario's process ended with status {code}")
    result, by_child = pickle.loads(sent)
    counted.update(by_child)
    return result
