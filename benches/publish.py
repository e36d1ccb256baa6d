"""`python -m benches.publish 3.12.json [3.13.json ...]`: writes what was measured into the README and docs/explanation/performance.md.

Each file is what `python -m benches all --json FILE` wrote with one interpreter; the first one's numbers fill the tables, the
others add a column each. Only what stands between `<!-- numbers ... -->` and its end is written, all the rest by hand.
"""

import argparse
import json
import pathlib
import re
import sys

from benches import report
from benches.report import Found

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = pathlib.Path("README.md")
PAGE = pathlib.Path("docs", "explanation", "performance.md")

# The README's rows: what programs do most, and by rule the worst of all.
TYPICAL = (
    "disabled debug()",
    "NullHandler",
    "StreamHandler to a Python object",
    "3 arguments",
    "caller and thread in the format",
    "StreamHandler to a pipe",
    "FileHandler",
    "FileHandler, beside a thread that waits",
    "RotatingFileHandler, no rollover",
    "4 threads, one FileHandler",
    "extra",
    "filter in Python",
    "handler in Python",
    "QueueHandler",
    "exc_info",
)
WORST = 2
# How many times a ratio its limit may be and still be shown beside it.
NEAR = 3


def readme(found: Found) -> list[str]:
    rows = {row["name"]: row for row in report.call_rows(found)}
    if missing := [name for name in TYPICAL if name not in rows]:
        raise ValueError(f"not a whole run: without {'; '.join(missing)}")
    worst = sorted(rows, key=lambda name: rows[name].get("ratio", float("inf")))[:WORST]
    lines = [
        "| nanoseconds a call | stdlib | picologging | femtolog | stdlib ÷ femtolog | picologging ÷ femtolog |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in (*TYPICAL, *(name for name in worst if name not in TYPICAL)):
        row = rows[name]
        least = [f"{row[side]['least']:.0f}" if "least" in row[side] else "–" for side in report.SIDES]
        lines.append(f"| {' | '.join([name, *least, report.ratio(row), report.picologging_ratio(row)])} |")
    turns = len(rows[TYPICAL[0]]["femtolog"]["turns"])
    return [
        *lines,
        "",
        f"Typical calls, and of all {len(rows)} measured the {WORST} with the least ratio ({'; '.join(worst)}). Least of {turns} turns,",
        f"one process, what needs more threads in a second one; {report.conditions(found)}.",
        "All rows, medians and other versions: [performance](docs/explanation/performance.md).",
    ]


def versions(found: Found, others: list[Found]) -> list[str]:
    """The ratio on every other version, and what could be had there at most. The rows are the first one's."""
    if not others:
        return ["Not measured."]
    lines = [f"- {other['about']['version']}: {report.conditions(other)}" for other in others]
    lines += [
        "",
        f"| scenario | {' | '.join(other['about']['version'] for other in others)} |",
        f"| --- |{' ---: |' * len(others)}",
    ]
    rows = [{row["name"]: row for row in report.call_rows(other)} for other in others]
    for row in report.call_rows(found):
        lines.append(f"| {row['name']} | {' | '.join(_of_limit(own.get(row['name'], {})) for own in rows)} |")
    return lines


def _of_limit(row: Found) -> str:
    """The ratio, with the limit where it is near enough to say something."""
    near = row.get("limit", float("inf")) < NEAR * row.get("ratio", 0)
    return f"{report.ratio(row)} of {row['limit']:.1f}" if near else report.ratio(row)


def section(found: Found, name: str) -> list[str]:
    """A table of report.py that is not in every run."""
    table = next(table for key, _, table in report.SECTIONS if key == name)
    return table(found) if found.get(name) else ["Not measured: `python -m benches all` was not what ran."]


def scaling(founds: list[Found]) -> list[str]:
    """One table for each version that was measured with threads."""
    tables = [report.scaling(found) for found in founds if found.get("scaling")]
    return [line for table in tables for line in (*table, "")][:-1] or ["Not measured."]


def parts(founds: list[Found]) -> dict[str, list[str]]:
    """What stands on the page between the marks of each name."""
    first, *others = founds
    return {
        "conditions": [report.conditions(first) + "."],
        "calls": report.calls(first),
        "reasons": report.reasons(first) or ["- It was not installed."],
        "versions": versions(first, others),
        "scaling": scaling(founds),
        "memory": section(first, "memory_bytes"),
        "instructions": section(first, "instructions"),
        "logxide": section(first, "logxide"),
        "install": section(first, "install_ms"),
    }


def replaced(text: str, name: str, lines: list[str]) -> str:
    """`text` with `lines` between the marks of that name. Raises ValueError where the marks are not there exactly once."""
    mark = f"numbers: {name}" if name else "numbers"
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(\n<!-- /{mark} -->)", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"{mark!r} is not marked exactly once")
    return pattern.sub(lambda marks: marks[1] + "\n".join(lines) + marks[2], text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.publish", description=__doc__)
    parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="JSON", help="of `python -m benches all --json`")
    parser.add_argument("--into", type=pathlib.Path, default=ROOT, help="the tree whose pages are written (this one)")
    options = parser.parse_args()
    founds = [json.loads(path.read_text()) for path in options.runs]
    try:
        pages = {README: replaced((options.into / README).read_text(), "", readme(founds[0]))}
        text = (options.into / PAGE).read_text()
        for name, lines in parts(founds).items():
            text = replaced(text, name, lines)
        pages[PAGE] = text
    except ValueError as error:
        report.say(str(error))
        return 1
    for page, text in pages.items():  # all or none
        (options.into / page).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
