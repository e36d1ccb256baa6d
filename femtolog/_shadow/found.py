"""What a shadow run found: the counts of each process, their sum, and the report in words."""

from __future__ import annotations

import json
import os
import sys
import time
from _thread import RLock

from femtolog_compat import load_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "FEMTOLOG_SHADOW_DIR"
"""The environment variable that names the folder to which the processes of one run write what they found."""

ENOUGH_TO_TIME = 20
"""A speed is told of so many calls or texts: the first ones pay for what is made once in a process."""

# The time this thread was at work, where that is told finely: other threads that run meanwhile do not count.
clock = time.thread_time_ns if sys.platform in ("linux", "darwin") else time.perf_counter_ns


def clock_cost() -> int:
    """Nanoseconds between two readings of the clock one after the other."""
    return min(-(clock() - clock()) for _ in range(20))


class Found:
    """This process's counts, kept in a file of the run's folder too: a process may end without telling anybody."""

    counts: dict[str, Any]
    lock = RLock()
    file: int | None = None
    native: Any = None
    clock_cost = 0

    @classmethod
    def begin(cls) -> None:
        cls.lock = RLock()
        cls.file = None
        cls.native = load_native()
        cls.counts = nothing()
        cls.clock_cost = clock_cost()

    @classmethod
    def time(cls, total: list[int], stdlib: int, femtolog: int) -> None:
        """Add what one and the same thing took on either."""
        with cls.lock:
            total[0] += max(stdlib - cls.clock_cost, 0)
            total[1] += max(femtolog - cls.clock_cost, 0)

    @classmethod
    def add(cls, **counts: int) -> None:
        with cls.lock:
            for name, number in counts.items():
                cls.counts[name] += number

    @classmethod
    def leave_out(cls, why: str) -> None:
        with cls.lock:
            left = cls.counts["left_out"]
            left[why] = left.get(why, 0) + 1

    @classmethod
    def differ(cls, **what: str) -> None:
        with cls.lock:
            cls.counts["differences"] += 1
            if cls.counts["first"] is None:
                cls.counts["first"] = what

    @classmethod
    def fail(cls, error: Exception) -> None:
        cls.leave_out(f"femtolog's own mistake, please report: {type(error).__name__}: {error}")

    @classmethod
    def save(cls) -> None:
        with cls.lock:
            if cls.file is None:
                folder = os.environ.get(FOLDER)
                if not folder or not os.path.isdir(folder):
                    return
                name = os.path.join(folder, f"{os.getpid()}-{time.time_ns()}")
                cls.file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o600)
            text = json.dumps(cls.counts) + "\n"
            try:
                os.lseek(cls.file, 0, os.SEEK_SET)
                os.write(cls.file, text.encode())
            except OSError:
                cls.file = None  # closed by the program (daemons close all they find): a new one next time


def nothing() -> dict[str, Any]:
    """The counts of a run in which nothing was logged."""
    return {
        "records": 0,
        "texts": 0,
        "whole_calls": 0,
        "taken_over": 0,
        "differences": 0,
        "first": None,
        "left_out": {},
        "call_ns": [0, 0],
        "timed_calls": 0,
        "text_ns": [0, 0],
        "timed_texts": 0,
        "processes": 0,
    }


def collect(folder: str) -> dict[str, Any]:
    """The sums of all processes that wrote into `folder`, in the order in which they began to."""
    total = nothing()
    for name in sorted(os.listdir(folder), key=lambda name: int(name.rpartition("-")[2])):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            line = file.readline()
        if not line.endswith("\n"):
            continue  # killed in the middle of its first line
        counts = json.loads(line)
        total["processes"] += 1
        for key, value in counts.items():
            if key == "first":
                total["first"] = total["first"] or value
            elif key == "left_out":
                for why, number in value.items():
                    total["left_out"][why] = total["left_out"].get(why, 0) + number
            elif isinstance(value, list):
                total[key] = [ours + theirs for ours, theirs in zip(total[key], value, strict=True)]
            else:
                total[key] += value
    return total


def report(total: dict[str, Any]) -> str:
    """The counts in words, lines with their ends."""
    records, differences = total["records"], total["differences"]
    lines = [f"femtolog shadow: {differences} difference{'' if differences == 1 else 's'} in {_many(records, 'record')}"]
    first = total["first"]
    if first is not None:
        lines += [
            f"  first difference: {first['what']}, {first['where']}",
            f"    stdlib:   {first['stdlib']}",
            f"    femtolog: {first['femtolog']}",
        ]
    compared = (
        f"  compared: {_many(total['texts'], 'text')} of handlers and formatters, {_many(total['whole_calls'], 'whole log call')}"
    )
    if total["processes"] > 1:
        compared += f", in {total['processes']} processes"
    lines.append(compared)
    if total["taken_over"]:
        lines.append(
            f"  message or exception taken over, not made again, because it takes code of the program: {total['taken_over']}"
        )
    lines += [f"  not compared: {number} × {why}" for why, number in sorted(total["left_out"].items(), key=lambda item: -item[1])]
    speeds = _speed("a log call, all but the writing", total["timed_calls"], *total["call_ns"])
    speeds += _speed("a text, where the call could not be compared as a whole", total["timed_texts"], *total["text_ns"])
    lines += speeds or [f"  fewer than {ENOUGH_TO_TIME} calls or texts were timed: too few to tell a speed"]
    return "\n".join(lines) + "\n"


def _many(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _speed(what: str, number: int, stdlib: int, femtolog: int) -> list[str]:
    if number < ENOUGH_TO_TIME or not femtolog:
        return []
    times = f"{stdlib / number / 1000:.1f} µs by the standard library, {femtolog / number / 1000:.1f} µs by femtolog"
    return [f"  {what}: {times}, {stdlib / femtolog:.1f} times as fast"]


def report_at_exit(owner: int, folder: str) -> None:
    if os.getpid() != owner:  # a forked child that runs the functions of its parent
        return
    total = collect(folder)
    remove(folder)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if sys.stderr is not None:
        sys.stderr.write(report(total))
        sys.stderr.flush()
    if total["differences"]:
        os._exit(1)  # there is no other way to change the status from here


def remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
