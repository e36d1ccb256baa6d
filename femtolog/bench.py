"""`python -m femtolog.bench`: what one log call costs its caller and how many records get written, on the stdlib and on femtolog.

Three questions, each with a table of its own: how long a caller waits for a call (percentiles of single calls), how many records a second
are written from one thread, and from several at once. "Written" means drained: the clock stops when listeners and handlers
have been closed. Each run is a fresh process, sides by turns, and counts afterwards what is in its file: a run whose lines are not all
there, whole, once and in each thread's order, ends the bench.
"""

import argparse
import datetime
import json
import logging
import logging.handlers
import os
import pathlib
import platform
import queue
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Sequence

from femtolog_compat import VERSION

SIDES = ("stdlib", "femtolog")
WARM = 200  # records before the clock runs: files are open and call sites known then
PERCENTILES = (50, 99, 99.9)

Opened = tuple[logging.Handler, Callable[[], None]]


def _file(path: str) -> Opened:
    handler = logging.FileHandler(path)
    return handler, handler.close


def _rotating(path: str) -> Opened:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=1 << 40, backupCount=1)
    return handler, handler.close


def _queue(path: str) -> Opened:
    records: queue.SimpleQueue[object] = queue.SimpleQueue()
    target = logging.FileHandler(path)
    listener = logging.handlers.QueueListener(records, target)
    listener.start()

    def drain() -> None:
        listener.stop()
        target.close()

    return logging.handlers.QueueHandler(records), drain


HANDLERS: dict[str, Callable[[str], Opened]] = {
    "FileHandler": _file,
    "RotatingFileHandler, no rollover": _rotating,
    "QueueHandler, QueueListener, FileHandler": _queue,
}


def machine() -> dict[str, str]:
    """What a number means nothing without."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    # Looked at after the run: an extension that was imported on the way may have switched it on.
    gil = f", free-threaded, GIL {'on' if vars(sys)['_is_gil_enabled']() else 'off'}" if free_threaded else ""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "machine": f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.release().partition('-')[0]}",
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown",
        "python": f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()}{gil})",
        "version": f"{sys.version_info[0]}.{sys.version_info[1]}{'t' * free_threaded}",
    }


def _run(side: str, kind: str, question: str, records: int, threads: int) -> dict[str, object]:
    """In a fresh process: one run, and what it found."""
    if side == "femtolog":
        import femtolog

        femtolog.install()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bench.log")
        handler, drain = HANDLERS[kind](path)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(threadName)s %(message)s"))
        log = logging.getLogger("bench")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.addHandler(handler)
        for number in range(WARM):
            log.info("order %d of %s", number, "ada")
        found = _latency(log, records, drain) if question == "latency" else _throughput(log, records, threads, drain)
        return {**found, "lines": _verified(path, records, threads if question == "throughput" else 1)}


def _latency(log: logging.Logger, records: int, drain: Callable[[], None]) -> dict[str, object]:
    clock = time.perf_counter_ns
    spent = [0] * records
    for number in range(records):
        began = clock()
        log.info("order %d of %s", number, "ada")
        spent[number] = clock() - began
    drain()
    return {"nanoseconds": spent}


def _throughput(log: logging.Logger, records: int, threads: int, drain: Callable[[], None]) -> dict[str, object]:
    together = threading.Barrier(threads + 1)

    def work() -> None:
        together.wait()
        for number in range(records):
            log.info("order %d of %s", number, "ada")

    workers = [threading.Thread(target=work, name=f"thread-{index}") for index in range(threads)]
    for worker in workers:
        worker.start()
    began = time.perf_counter()
    together.wait()
    for worker in workers:
        worker.join()
    drain()
    return {"seconds": time.perf_counter() - began}


def _verified(path: str, records: int, threads: int) -> int:
    """How many lines are there beside those to get warm; SystemExit unless they are the ones that were logged."""
    numbers: dict[str, list[int]] = {}
    with open(path) as lines:
        for line in list(lines)[WARM:]:
            words = line.split()
            if len(words) != 9 or words[2:4] != ["INFO", "bench"] or words[5] != "order" or words[7:] != ["of", "ada"]:
                raise SystemExit(f"a line that was not logged: {line!r}")
            numbers.setdefault(words[4], []).append(int(words[6]))
    if len(numbers) != threads or any(seen != list(range(records)) for seen in numbers.values()):
        counts = {name: len(seen) for name, seen in numbers.items()}
        raise SystemExit(f"{records} records from each of {threads} threads, but lines: {counts}, or not in order")
    return records * threads


def _asked(side: str, kind: str, question: str, records: int, threads: int) -> dict[str, object]:
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    command = [sys.executable, "-P", "-m", "femtolog.bench", "--one", side, kind, question, str(records), str(threads)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    return dict(json.loads(done.stdout))


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = [*("---" for _ in head[:2]), *("---:" for _ in head[2:])]
    lines = [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]
    return f"{title}\n\n" + "\n".join(lines) + "\n"


def measure(records: int, repeats: int, threads: int) -> dict[str, object]:
    """All numbers: nanoseconds of calls for each percentile, records a second, and how many lines were found."""
    spent: dict[tuple[str, str], list[int]] = {}
    rates: dict[tuple[str, int, str], list[float]] = {}
    lines: dict[tuple[str, int, str], int] = {}
    for _ in range(repeats):
        for kind in HANDLERS:
            for side in SIDES:
                found = _asked(side, kind, "latency", records, 1)
                spent.setdefault((kind, side), []).extend(found["nanoseconds"])  # type: ignore[arg-type]
                for number in (1, threads):
                    found = _asked(side, kind, "throughput", records, number)
                    count = int(str(found["lines"]))
                    rates.setdefault((kind, number, side), []).append(count / float(str(found["seconds"])))
                    lines[kind, number, side] = lines.get((kind, number, side), 0) + count
    latency = {}
    for (kind, side), calls in spent.items():
        calls.sort()
        latency[f"{kind}, {side}"] = {
            **{f"p{share:g}": calls[min(len(calls) - 1, int(len(calls) * share / 100))] for share in PERCENTILES},
            "lines": len(calls),
        }
    throughput = {
        f"{kind}, {number} threads, {side}": {"most": max(found), "least": min(found), "lines": lines[kind, number, side]}
        for (kind, number, side), found in rates.items()
    }
    return {"about": machine(), "latency": latency, "throughput": throughput}


def report(found: dict[str, object], records: int, repeats: int, threads: int) -> str:
    """The numbers of measure() as tables."""
    latency: dict[str, dict[str, float]] = found["latency"]  # type: ignore[assignment]
    throughput: dict[str, dict[str, float]] = found["throughput"]  # type: ignore[assignment]
    names = [f"p{share:g}" for share in PERCENTILES]
    waits, writes = [], {1: [], threads: []}  # type: tuple[list[list[str]], dict[int, list[list[str]]]]
    for kind in HANDLERS:
        for side in SIDES:
            row = latency[f"{kind}, {side}"]
            waits.append([kind, side, *(f"{row[name]:.0f}" for name in names), f"{row['lines']:.0f}"])
            for number, rows in writes.items():
                row = throughput[f"{kind}, {number} threads, {side}"]
                rows.append([kind, side, f"{row['most']:,.0f}", f"{row['least']:,.0f}", f"{row['lines']:.0f}"])
    about: dict[str, str] = found["about"]  # type: ignore[assignment]
    head = ["", "", "most", "least", "lines found"]
    machine_line = (
        f"Fresh processes, {repeats} for each number, {records} records from each thread; every line was found, once and in order. "
        f"{about['machine']}; load average {about['load']}; {about['python']}; femtolog {VERSION}; {about['date']}."
    )
    return "\n".join(
        [
            _table(
                "What a caller waits for one call, nanoseconds (the clock is read in it)", ["", "", *names, "lines found"], waits
            ),
            _table("Records a second from one thread, all written", head, writes[1]),
            _table(f"Records a second from {threads} threads at once, all written", head, writes[threads]),
            machine_line,
        ]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m femtolog.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=20_000, help="records from each thread in each run (20000)")
    parser.add_argument("--repeats", type=int, default=3, help="runs for each number (3)")
    parser.add_argument("--threads", type=int, default=4, help="threads of the third table (4)")
    parser.add_argument("--json", type=pathlib.Path, help="write all numbers into this file, too")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        side, kind, question, records, threads = options.one
        print(json.dumps(_run(side, kind, question, int(records), int(threads))))
        return
    if min(options.records, options.repeats) < 1 or options.threads < 2:
        parser.error("at least one record, one run and two threads")
    found = measure(options.records, options.repeats, options.threads)
    print(report(found, options.records, options.repeats, options.threads))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
