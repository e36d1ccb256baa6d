"""Random programs of log calls and changes between and within them, on the standard library and on femtolog, compared byte for byte.

What a guard has to notice, somebody may change at any moment: levels, filters, handlers, patched methods, swapped streams, replaced
globals. Each test of `test_guards*.py` changes one thing; here they meet. Compared after every step: what streams got and standard error,
what Python code on the way was called with, results and errors; at times files, queues and records; in the end the state of every object.

`FEMTOLOG_FUZZ_SEED` runs the program of one seed, `FEMTOLOG_FUZZ_STEPS` more steps than the usual 100 000, `FEMTOLOG_FUZZ_FIRST` other
programs than those that every run repeats: its seeds begin there.
"""

import difflib
import os
import queue
import threading
import time
import traceback
import warnings

import pytest
from oracle import generated
from oracle.describe import describe
from oracle.harness import ChildError, counted, in_child
from oracle.keeping import class_contents
from oracle.mutations import program
from oracle.playground import Playground
from oracle.sides import SIDES, counts, on
from oracle.world import fresh

PARTS = 10
LENGTH = 400
"""Steps of a program: few enough that no class runs out of version tags."""
STEPS = int(os.environ.get("FEMTOLOG_FUZZ_STEPS", "100000"))
PROGRAMS = -(-STEPS // (PARTS * LENGTH))
"""In each part."""
FIRST = int(os.environ.get("FEMTOLOG_FUZZ_FIRST", "0"))
FOUND = [7024646542]
"""Seeds of programs that have differed."""
SHRINKING = 60
"""Seconds to make a failing program smaller, at most."""
PATIENCE = 20
"""Seconds for one program, at most; usually it takes a third of one."""
DEEPER = 25
"""After so many steps files, queues and kept records are looked at."""


def told(error: BaseException) -> list[str]:
    """An error and what it came from; frames are the other tests' business."""
    lines = []
    while error is not None and len(lines) < 5:
        try:
            text = describe(str(error))
        except Exception as failure:
            text = f"<str raised {type(failure).__name__}>"
        lines.append(f"raised {type(error).__name__} {text} {getattr(error, '__notes__', '')}")
        error = error.__cause__ or error.__context__
    return lines


def run(codes, side):
    """One run: for each step the lines it left, and what was left in the end."""
    with on(side), counts(side, counted), fresh(live=False, lives=False) as w:
        warnings.simplefilter("ignore")
        playground = Playground(w)
        steps = []
        for number, code in enumerate(codes, 1):
            before = len(w.lines)
            try:
                exec(code, playground.names)
            except BaseException as error:
                w.lines.extend(told(error))
            playground.look()
            if number % DEEPER == 0:
                playground.look_deeper()
            steps.append(playground.masked(w.lines[before:]))
        del w.lines[:]
        playground.look_deeper()
        w.lines.extend(playground.states())
        playground.restore()
        playground.close()
    return [*steps, playground.masked(w.lines)]


def first_difference(source):
    """Number of the step, its lines on each side; or None. In this process."""
    before = class_contents()
    codes = [compile(step, "<step>", "exec") for step in source]
    one, other = (run(codes, side) for side in SIDES)
    after = class_contents()
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) is not after.get(key))
    if changed:
        return len(source), ["classes as they were"], [f"left behind in classes: {changed}"]
    return next(((n, a, b) for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), None)


def difference(source):
    """The same in a process of its own, which may crash; its stack is short, since each error that is handled lists all of it."""

    def work():
        result = queue.SimpleQueue()

        def in_thread():
            try:
                result.put(first_difference(source))
            except BaseException:
                result.put((len(source), ["a run"], [traceback.format_exc()]))

        threading.Thread(target=in_thread, name="MainThread").start()
        return result.get()  # a join() asks who it is, and a program may have replaced the answer

    try:
        return in_child(work, PATIENCE)
    except ChildError as error:
        return len(source), ["a run that ends"], [str(error)]


def shrunk(source, found):
    """Drop steps while there is a difference left."""
    until = time.monotonic() + SHRINKING
    shorter = source[: found[0] + 1]  # not enough where a later step left something behind for the second run
    if again := difference(shorter):
        source, found = shorter, again
    size = max(1, len(source) // 2)
    while time.monotonic() < until:
        start = len(source)
        while start > 0 and time.monotonic() < until:
            start = max(0, start - size)
            shorter = source[:start] + source[start + size :]
            again = difference(shorter)
            if again:
                source, found = shorter[: again[0] + 1], again
                start = min(start, len(source))
        if size == 1:
            break
        size = max(1, size // 2)
    return source, found


def check(seed):
    """Compare one program."""
    source = program(seed, LENGTH)
    assert len(source) == LENGTH
    generated.cases += LENGTH
    found = difference(source)
    if found is None:
        return
    at = found[0] + 1
    source, (number, one, other) = shrunk(source, found)
    lines = [
        f"the program of seed {seed} differs at step {at} (FEMTOLOG_FUZZ_SEED={seed} runs it again); what is left of it:",
        *(f"    {line}" for step in source for line in step.split("\n")),
        f"step {number + 1} of these:" if number < len(source) else "in the end:",
        *difflib.unified_diff(one, other, *SIDES, lineterm="", n=1),
    ]
    pytest.fail("\n".join(lines), pytrace=False)


@pytest.mark.timeout(300 + STEPS // 100)
@pytest.mark.parametrize("part", range(PARTS))
def test_programs(part):
    for seed in range(FIRST + part * PROGRAMS, FIRST + (part + 1) * PROGRAMS):
        check(seed)


@pytest.mark.parametrize("seed", [int(os.environ["FEMTOLOG_FUZZ_SEED"])] if "FEMTOLOG_FUZZ_SEED" in os.environ else FOUND)
def test_program_of_one_seed(seed):
    check(seed)


def test_the_parts_have_enough_steps():
    assert PARTS * PROGRAMS * LENGTH >= STEPS
    assert "FEMTOLOG_FUZZ_STEPS" in os.environ or STEPS >= 100_000


def test_a_program_depends_on_its_seed_alone():
    assert program(5, LENGTH) == program(5, LENGTH) != program(6, LENGTH)
