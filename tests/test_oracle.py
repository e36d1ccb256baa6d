"""The oracle itself: what it must notice, what it must not, and that it leaves nothing behind."""

import logging
import sys

import pytest
from oracle import World, assert_same, compare, same_as_stdlib, same_program
from oracle.describe import describe, text
from oracle.harness import DifferError
from oracle.world import fresh


def test_a_scenario_that_notes_nothing_is_refused():
    with pytest.raises(AssertionError, match="notes nothing"):
        compare(lambda w: None)


def test_a_difference_fails_with_the_differing_lines():
    with pytest.raises(DifferError, match=r"(?s)\+b"):
        assert_same(["same", "a"], ["same", "b"])


def test_a_scenario_that_differs_between_runs_fails():
    runs = []

    def scenario(w: World) -> None:
        runs.append(1)
        w.note("run", len(runs))

    with pytest.raises(DifferError, match="differ"):
        compare(scenario)


def test_records_are_described_in_the_order_of_their_dict():
    one = logging.makeLogRecord({"a": 1, "b": 2})
    two = logging.makeLogRecord({"b": 2, "a": 1})
    assert describe(one, live=True) != describe(two, live=True)


def test_types_and_text_are_told_apart():
    assert describe(1) != describe(True) != describe(1.0) != describe("1")


def test_addresses_are_not_compared():
    assert describe(object()) == describe(object())


def test_frames_of_logging_are_left_out_of_a_traceback():
    try:
        logging.getLogger("x").setLevel("no such level")
    except ValueError as error:
        shown = describe(error)
    assert "setLevel" not in shown and "test_frames_of_logging" in shown
    with_frames = f'Traceback (most recent call last):\n  File "{logging.__file__}", line 1, in emit\n    code\n    ^^^^\nE: x\n'
    assert text(with_frames) == "Traceback (most recent call last):\nE: x\n"


def test_a_world_leaves_nothing_behind():
    before = (dict(logging.root.manager.loggerDict), logging.root.handlers[:], dict(logging._levelToName), sys.stderr)
    with fresh(live=False) as w:
        w.plain()[0].info("x")
        logging.addLevelName(7, "SEVEN")
        logging.Logger.extra_name = 1
        logging.Formatter.default_msec_format = None
        logging.raiseExceptions = False
        logging.root.addHandler(logging.NullHandler())
    assert before == (dict(logging.root.manager.loggerDict), logging.root.handlers, dict(logging._levelToName), sys.stderr)
    assert not hasattr(logging.Logger, "extra_name")
    assert logging.Formatter.default_msec_format == "%s,%03d"
    assert logging.raiseExceptions


@same_as_stdlib
def test_the_clock_moves_by_one_step_per_record(w):
    log, _, _ = w.plain("%(created)f" if not w.live else "%(message)s")
    for _ in range(3):
        log.info("x")
    assert w.live or w.clock.readings == 3


@same_as_stdlib
@pytest.mark.parametrize("value", [1, 2])
def test_scenarios_take_parameters(w, value):
    w.plain()[0].info("%d", value)


def test_programs_run_alike():
    shown = same_program(
        """
        import logging, sys
        logging.basicConfig(format="%(levelname)s %(funcName)s %(lineno)d %(message)s", stream=sys.stdout)
        def main():
            logging.warning("hello %s", sys.argv[1:])
        main()
        """,
        "one",
    )
    assert shown == "WARNING main 5 hello ['one']\n"
