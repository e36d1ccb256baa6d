"""Compares two runs of a file id by id and puts the result into words."""

import collections
from dataclasses import dataclass

import run

BAD = ("failed", "error", "crash", "timeout", "unexpected success")
# How often both sides may run a class again in which they differed. A difference counts unless it goes away; one that
# goes away is printed. Some of CPython's tests depend on the machine's load, on the stdlib as well.
RERUNS = 2
# What no later run excuses: a race or a deadlock is seldom there twice.
GRAVE = ("crash", "timeout")
# The least part of what a file logs that has to run natively, where it logs enough for a part to mean something.
NATIVE_SHARE = 0.95
ENOUGH = 100


@dataclass
class Report:
    passed: int
    failed: int
    text: str


def compare(file, base, ours, mode, timeout):
    """`passed`: ids with the same outcome as on the stdlib; `failed`: all others, and whatever broke outside of a test."""
    differing = _differing(base, ours)
    grave = {test: outcome for test in differing if (outcome := ours.outcomes.get(test)) in GRAVE}
    differing -= grave.keys()
    unstable = []
    for _ in range(RERUNS if not ours.broken and not base.broken else 0):
        if not differing:
            break
        classes = sorted({(ours.classes.get(test) or base.classes[test]) for test in differing})
        again_base = run.run(file.modules, "stdlib", timeout, classes)
        again_ours = run.run(file.modules, mode, timeout, classes)
        still = _differing(again_base, again_ours)
        unstable += [test for test in differing if test not in still]
        base, ours = _merged(base, again_base), _merged(ours, again_ours)
        differing = still
    ours.outcomes |= grave  # whatever running their class again said
    differing |= grave.keys()
    broken = base.broken + ours.broken + [text for stats in ours.stats if (text := _too_little(stats))]
    failed = len(differing) + len(broken)
    counts = collections.Counter(ours.outcomes.values())
    bad_on_both = sorted(test for test, outcome in ours.outcomes.items() if outcome in BAD and test not in differing)
    lines = [
        f"{file.name} [{mode}]: {len(ours.outcomes)} ids, "
        + ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
        + f"; {ours.seconds:.0f} s (stdlib {base.seconds:.0f} s); "
        + ("as on the stdlib" if not failed else f"{failed} NOT as on the stdlib")
    ]
    lines += [f"  ran natively: {_share(stats)}" for stats in ours.stats]
    lines += [f"  fails on the stdlib too: {test}" for test in bad_on_both]
    lines += [f"  differed once, not again: {test}" for test in unstable]
    for test in sorted(differing):
        was, now = base.outcomes.get(test, "absent"), ours.outcomes.get(test, "absent")
        lines.append(f"  {test}: {was} on the stdlib, {now} on femtolog")
        lines += [f"      {line}" for line in ours.details.get(test, "").splitlines()[-40:]]
    for text in broken:
        lines += ["  broken run:", *(f"      {line}" for line in text.splitlines())]
    return Report(len(ours.outcomes) - len([test for test in differing if test in ours.outcomes]), failed, "\n".join(lines))


def _differing(base, ours):
    return {test for test in base.outcomes.keys() | ours.outcomes.keys() if base.outcomes.get(test) != ours.outcomes.get(test)}


def _merged(first, again):
    first.outcomes |= again.outcomes
    first.details |= again.details
    return first


def _counts(stats):
    """(steps run natively, steps left to the interpreter's own code)"""
    return stats["native"] + stats["emits"], sum(stats["reference"].values())


def _too_little(stats):
    """What to say when too small a part ran natively: the right outcome through the slow tier is how a broken fast one hides."""
    native, other = _counts(stats)
    if native + other < ENOUGH or native / (native + other) >= NATIVE_SHARE:
        return None
    return f"less than {NATIVE_SHARE:.0%} ran natively"


def _share(stats):
    """What femtolog.stats() said at the end of the run, as a sentence."""
    native, other = _counts(stats)
    if not native + other:
        return "nothing was counted"
    reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(stats["reference"].items(), key=lambda item: -item[1]))
    return (
        f"{native / (native + other):.2%}: {stats['native']} records and {stats['emits']} emissions, "
        f"{stats['real_records']} records shown to Python code; left to the interpreter: {reasons or 'nothing'}"
    )
