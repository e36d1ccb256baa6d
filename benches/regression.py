"""`python -m benches.regression NOW.json [BEFORE.json]`: 1 if femtolog's lead over the stdlib is a tenth smaller than before, in any scenario.

Both are what `python -m benches --json FILE` wrote. Compared are ratios, stdlib ÷ femtolog, both sides measured in one process: a busy or slow
machine changes them less than times. They still differ from one kind of processor to another, so measure both on one machine; without
BEFORE, NOW is compared with the published table. Left out is what several threads do: how they share processors, no two runs agree on.
"""

import argparse
import json
import pathlib
import re
import sys

from benches.publish import PAGE, ROOT

TOLERANCE = 0.10

Ratios = dict[str, float]


def of_run(path: pathlib.Path) -> Ratios:
    """{scenario: ratio} of a run."""
    rows = json.loads(path.read_text())["scenarios"]
    return {row["name"]: row["ratio"] for row in rows if "ratio" in row and row["threads"] < 2}


def published(page: pathlib.Path = ROOT / PAGE) -> Ratios:
    """{scenario: ratio} of the table of calls, from its times, which are given with more digits than its ratios."""
    [table] = re.findall(r"<!-- numbers: calls -->\n(.*?)<!-- /numbers: calls -->", page.read_text(), re.DOTALL)
    rows = re.findall(r"^\| (.+?) \| (\d+) \(.*?\) \| .+? \| (\d+) \(", table, re.MULTILINE)
    return {name: int(stdlib) / int(femtolog) for name, stdlib, femtolog in rows}


def lost(before: Ratios, now: Ratios) -> list[str]:
    """What is said of each scenario that has lost more than is allowed."""
    return [
        f"{name}: {before[name]:.2f} times the stdlib's speed before, {now[name]:.2f} now"
        for name in before.keys() & now.keys()
        if now[name] < before[name] * (1 - TOLERANCE)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.regression", description=__doc__)
    parser.add_argument("now", type=pathlib.Path, metavar="NOW.json")
    parser.add_argument("before", type=pathlib.Path, nargs="?", metavar="BEFORE.json")
    options = parser.parse_args()
    before, now = of_run(options.before) if options.before else published(), of_run(options.now)
    found = sorted(lost(before, now))
    print(*found, f"{len(found)} of {len(before.keys() & now.keys())} scenarios lost more than {TOLERANCE:.0%}", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
