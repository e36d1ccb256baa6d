"""How tests/cpython_logging_suite judges two runs: what counts as a difference, and what a second run excuses."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

SUITE = Path(__file__).with_name("cpython_logging_suite")
FILE = SimpleNamespace(name="test_logging", modules=["test.test_logging"])


@pytest.fixture
def compared(monkeypatch):
    """Compares runs of one class: the first two given, then from each side's list of further ones."""
    monkeypatch.syspath_prepend(str(SUITE))
    for name in ("compare", "run"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    compare = importlib.import_module("compare")

    def judge(stdlib, ours, **stats):
        runs = {"stdlib": iter(stdlib), "hook": iter(ours)}

        def run(modules, mode, timeout, only=()):
            outcomes = next(runs[mode])
            return compare.run.Result(
                outcomes={f"C.{test}": outcome for test, outcome in outcomes.items()},
                classes={f"C.{test}": "C" for test in outcomes},
                stats=[{"native": 1, "emits": 0, "real_records": 0, "reference": {}, **stats}] if mode == "hook" else [],
            )

        monkeypatch.setattr(compare.run, "run", run)
        report = compare.compare(FILE, run([], "stdlib", 1), run([], "hook", 1), "hook", 1)
        return report.passed, report.failed, report.text

    yield judge
    for name in ("compare", "run"):
        sys.modules.pop(name, None)


def test_equal_outcomes_pass(compared):
    passed, failed, text = compared(
        [{"a": "passed", "b": "skipped", "c": "failed"}], [{"a": "passed", "b": "skipped", "c": "failed"}]
    )
    assert (passed, failed) == (3, 0)
    assert "fails on the stdlib too: C.c" in text


def test_a_difference_that_stays_fails(compared):
    passed, failed, text = compared([{"a": "passed", "b": "passed"}] * 3, [{"a": "passed", "b": "failed"}] * 3)
    assert (passed, failed) == (1, 1)
    assert "C.b: passed on the stdlib, failed on femtolog" in text


def test_a_difference_that_goes_away_is_told(compared):
    passed, failed, text = compared([{"a": "passed"}] * 2, [{"a": "failed"}, {"a": "passed"}])
    assert (passed, failed) == (1, 0)
    assert "differed once, not again: C.a" in text


@pytest.mark.parametrize("grave", ["crash", "timeout"])
def test_a_crash_or_timeout_is_never_excused(compared, grave):
    passed, failed, text = compared([{"a": "passed"}] * 3, [{"a": grave}, {"a": "passed"}, {"a": "passed"}])
    assert (passed, failed) == (0, 1)
    assert f"C.a: passed on the stdlib, {grave} on femtolog" in text


def test_running_the_class_again_for_another_id_excuses_no_crash(compared):
    runs = [{"a": "crash"}, {"a": "passed", "b": "passed"}]
    _, failed, text = compared([{"a": "passed", "b": "passed"}] * 2, runs)
    assert failed == 1
    assert "C.a: passed on the stdlib, crash on femtolog" in text


def test_an_id_that_is_missing_is_a_difference(compared):
    assert compared([{"a": "passed", "b": "passed"}] * 3, [{"a": "passed"}] * 3)[1] == 1


def test_too_small_a_native_share_fails(compared):
    _, failed, text = compared([{"a": "passed"}], [{"a": "passed"}], native=90, reference={"a rollover": 10})
    assert failed == 1
    assert "less than 95% ran natively" in text
