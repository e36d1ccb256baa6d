"""How the numbers are shown: Markdown tables for people, JSON for programs. Each table is made from what the JSON holds."""

from __future__ import annotations

import statistics
import sys
from typing import Any

from benches.instructions import LOOP
from benches.measure import SIDES, Measurement

Found = dict[str, Any]


def machine(versions: dict[str, str], command: str) -> dict[str, str]:
    """What a number means nothing without."""
    from femtolog import bench  # not before: the stdlib is timed before femtolog is imported

    return {**bench.machine(), "command": command, **versions}


APART = "what makes and changes handlers, and where multiprocessing is imported, in processes of each side's own"


def collect(measurement: Measurement, about: dict[str, str], others: dict[str, Any]) -> Found:
    """Everything, as JSON can hold it; `others` are the results of benches that do not take turns in this process."""
    scenarios = []
    for scenario in measurement.scenarios:
        row: dict[str, Any] = {
            "name": scenario.name,
            "statement": scenario.statement,
            "threads": scenario.threads,
            "group": scenario.group,
        }
        for side in SIDES:
            lane = measurement.lanes.get((scenario.name, side))
            if lane is None:
                row[side] = {"reason": measurement.reasons.get((scenario.name, side), "")}
                continue
            row[side] = _numbers(lane.turns)
            row[side]["checked"] = {"times": lane.checks, "lines": lane.lines}
            if side == "stdlib" and not scenario.threads:
                row["loop"] = _numbers(lane.empties)
        if scenario.name in measurement.alone:
            row["alone"] = _numbers(measurement.alone[scenario.name].turns)
            if "least" in row["stdlib"]:
                row["limit"] = row["stdlib"]["least"] / max(row["alone"]["least"], 0.1)
        for side, name in (("stdlib", "ratio"), ("picologging", "picologging_ratio")):
            if "least" in row[side] and "least" in row["femtolog"]:
                row[name] = row[side]["least"] / row["femtolog"]["least"]
                row[name + "_of_medians"] = row[side]["median"] / row["femtolog"]["median"]
        scenarios.append(row)
    found = {"about": about, "unit": "ns", "scenarios": scenarios, **others}
    return found | {"scaling": _scaling(scenarios)}


def _numbers(turns: list[float]) -> dict[str, Any]:
    return {"least": min(turns), "median": statistics.median(turns), "turns": turns}


def _scaling(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """For each group and side the calls a second for each number of threads, and how many times one thread's two make."""
    groups: dict[str, Any] = {}
    for row in rows:
        if row["group"]:
            for side in SIDES:
                if "least" in row[side]:
                    rates = groups.setdefault(row["group"], {}).setdefault(side, {})
                    rates[str(row["threads"])] = 1e9 / row[side]["least"]
    for sides in groups.values():
        for rates in sides.values():
            if "1" in rates and "2" in rates:
                rates["two_to_one"] = rates["2"] / rates["1"]
    return groups


def conditions(found: Found) -> str:
    about = found["about"]
    return (
        f"{about['machine']}; load average {about['load']}; {about['python']}; "
        + ", ".join(f"{name} {about[name]}" for name in ("femtolog", "picologging") if name in about)
        + f"; {about['date']}; `{about['command']}`"
    )


def call_rows(found: Found) -> list[dict[str, Any]]:
    """The rows that are shown as nanoseconds a call."""
    return [row for row in found["scenarios"] if not row["group"]]


def calls(found: Found) -> list[str]:
    rows = call_rows(found)
    numbers = [len(row["femtolog"]["turns"]) for row in rows]
    turns = f"{min(numbers)} turns" + (
        f" (up to {max(numbers)} where femtolog seemed slower)" if max(numbers) > min(numbers) else ""
    )
    loops = [row["loop"]["least"] for row in rows if "loop" in row]
    loop = f", the empty loop ({min(loops):.0f} to {max(loops):.0f} ns) subtracted where one thread runs" if loops else ""
    lines = [
        f"Nanoseconds a call: least (median) of {turns} by turns in one process{loop}, what needs more threads in a second one; {APART}.",
        "",
        "| scenario | stdlib | picologging | femtolog | what stays | stdlib ÷ femtolog | stdlib ÷ what stays | picologging ÷ femtolog |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = [row["name"], *(_cell(row[side]) for side in SIDES)]
        cells.append(f"{row['alone']['least']:.0f}" if "alone" in row else "")
        cells += [ratio(row), f"{row['limit']:.1f}" if "limit" in row else "", picologging_ratio(row)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def ratio(row: dict[str, Any]) -> str:
    return f"{row['ratio']:.1f}" if "ratio" in row else "–"


def picologging_ratio(row: dict[str, Any]) -> str:
    return f"{row['picologging_ratio']:.1f}" if "picologging_ratio" in row else "–"


def _cell(numbers: dict[str, Any]) -> str:
    return f"{numbers['least']:.0f} ({numbers['median']:.0f})" if "least" in numbers else "–"


def reasons(found: Found) -> list[str]:
    """Why picologging has no number; nothing where it took no part at all."""
    rows = found["scenarios"]
    given = {row["name"]: row["picologging"].get("reason", "") for row in rows}
    return sorted(f"- {name}: {reason}".replace("<", r"\<") for name, reason in given.items() if reason)


def scaling(found: Found) -> list[str]:
    sides = [side for side in SIDES if any(side in rates for rates in found["scaling"].values())]
    lines = [f"| {found['about']['version']} | {' | '.join(sides)} |", f"| --- |{' ---: |' * len(sides)}"]
    for name, rates in found["scaling"].items():
        cells = []
        for side in sides:
            rate = rates.get(side, {})
            both = "1" in rate and "2" in rate
            cells.append(f"{rate['1'] / 1e6:.2f} → {rate['2'] / 1e6:.2f} ({rate['two_to_one']:.2f})" if both else "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def memory(found: Found) -> list[str]:
    sides = [side for side in SIDES if any(side in sizes for sizes in found["memory_bytes"].values())]
    lines = [f"| bytes | {' | '.join(sides)} |", f"| --- |{' ---: |' * len(sides)}"]
    for name, sizes in found["memory_bytes"].items():
        cells = [f"{sizes[side]['least']:.0f} ({sizes[side]['median']:.0f})" if side in sizes else "–" for side in sides]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def instructions(found: Found) -> list[str]:
    counted = found["instructions"]
    if "reason" in counted:
        return [f"Not counted: {counted['reason']}."]
    loop = counted[LOOP]["instructions"]
    lines = [
        f"{counted['calls']} calls; the empty loop's {loop:.0f} instructions are subtracted.",
        "",
        "| a call: instructions / blocks from Python's allocator / from libc's | stdlib | femtolog | of these its own | ratio | without its own |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, sides in counted["scenarios"].items():
        cells = [
            f"{one['instructions'] - loop:.0f} / {one['python_allocations']:.1f} / {one['libc_allocations']:.1f}"
            for one in (sides["stdlib"], sides["femtolog"])
        ]
        stdlib, femtolog = (sides[side]["instructions"] - loop for side in ("stdlib", "femtolog"))
        own = sides["femtolog"]["own_instructions"]
        cells += [f"{own:.0f}", f"{stdlib / femtolog:.1f}", f"{stdlib / max(femtolog - own, 1):.1f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def logxide(found: Found) -> list[str]:
    beside = found["logxide"]
    if "reason" in beside:
        return [f"Not measured: {beside['reason']}."]
    lines = [
        f"| nanoseconds a call | stdlib | LogXide {beside['version']} | femtolog | LogXide ÷ femtolog |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, row in beside["scenarios"].items():
        cells = [f"{row[side]['least']:.0f}" if "least" in row[side] else "–" for side in ("stdlib", "logxide", "femtolog")]
        known = "least" in row["logxide"] and "least" in row["femtolog"]
        cells.append(f"{row['logxide']['least'] / row['femtolog']['least']:.1f}" if known else "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    why = {name: row["logxide"]["reason"] for name, row in beside["scenarios"].items() if "reason" in row["logxide"]}
    if why:
        lines += ["", *sorted(f"- {name}: {reason}".replace("<", r"\<") for name, reason in why.items())]
    return lines


def install(found: Found) -> list[str]:
    lines = ["| having femtolog | ms |", "| --- | ---: |"]
    return lines + [f"| {name} | {ms['least']:.3f} ({ms['median']:.3f}) |" for name, ms in found["install_ms"].items()]


def loop(found: Found) -> list[str]:
    lines = ["| a timer of 1 ms is late by, in ms | median | p99 | most | logged | dropped |", "| --- |" + " ---: |" * 5]
    return lines + [
        f"| {name} | {ms['median']:.2f} | {ms['p99']:.2f} | {ms['most']:.2f} | {ms['logged']} | {ms['dropped']} |"
        for name, ms in found["loop_ms"].items()
    ]


def tasks(found: Found) -> list[str]:
    lines = [
        "| thousands of records a second | until the tasks have come back | until all is in the file |",
        "| --- | ---: | ---: |",
    ]
    return lines + [f"| {name} | {rates['logged']:.1f} | {rates['written']:.1f} |" for name, rates in found["tasks"].items()]


SECTIONS = (
    # what the JSON calls it, what stands above the table, the table
    ("scaling", "Millions of calls a second by 1 thread → by 2 threads (times as many); least of the turns:", scaling),
    ("memory_bytes", "Bytes of resident memory, least (median), fresh interpreters:", memory),
    ("instructions", "Counted by callgrind:", instructions),
    ("logxide", "Beside LogXide, each side in processes of its own, by turns; least of all turns:", logxide),
    ("loop_ms", "An event loop beside a sink that takes 50 ms for a write:", loop),
    ("tasks", "Ten tasks with an AsyncLogger:", tasks),
    ("install_ms", "Milliseconds, least (median), fresh interpreters:", install),
)


def markdown(found: Found) -> str:
    """All tables of a run, with what a number means nothing without."""
    lines = [conditions(found)]
    if call_rows(found):
        lines += ["", *calls(found)]
    for name, heading, table in SECTIONS:
        if found.get(name):
            lines += ["", heading, "", *table(found)]
    if why := reasons(found):
        lines += ["", "picologging takes no part in:", "", *why]
    return "\n".join(lines) + "\n"


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
