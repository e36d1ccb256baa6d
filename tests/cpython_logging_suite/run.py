"""Runs one file on one logging in processes of its own, and collects what came out, crashes and timeouts included."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field

WAYS = {"early": "hook", "late": "in place"}
"""The ways to install femtolog, as tests name them and as this suite does."""
CHILD = str(pathlib.Path(__file__).with_name("child.py"))


@dataclass
class Result:
    """What one file's tests did on one logging."""

    outcomes: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    stats: list[dict] = field(default_factory=list)
    # Trouble that belongs to no test: a child that died between tests, an import that failed.
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run(modules, mode, timeout, only=()):
    """All tests of `modules` (or of the classes `only`) on `mode`. `timeout`: seconds that one class may take."""
    result = Result()
    finished: set[str] = set()
    began = time.monotonic()
    while True:
        stuck = _one_process(modules, mode, timeout, only, finished, result)
        if stuck is None:
            result.seconds = time.monotonic() - began
            return result
        finished |= {result.classes[test] for test in result.outcomes} | {stuck}


def _one_process(modules, mode, timeout, only, finished, result):
    """Run what is left. Returns None when it ran to its end, or the class in which the process was killed or died."""
    with tempfile.TemporaryDirectory(prefix="cpython-suite-") as folder:
        events, output = os.path.join(folder, "events"), os.path.join(folder, "output")
        pathlib.Path(events).touch()
        command = [sys.executable, CHILD, "--mode", mode, "--events", events]
        for option, values in (("--module", modules), ("--only", only), ("--without", sorted(finished))):
            for value in values:
                command += [option, value]
        environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
        work = os.path.join(folder, "work")
        os.mkdir(work)
        with open(output, "wb") as log:
            child = subprocess.Popen(
                command,
                cwd=work,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            timed_out = _wait(child, events, timeout)
        lines = [json.loads(line) for line in pathlib.Path(events).read_text().splitlines()]
        text = pathlib.Path(output).read_text(errors="replace")
    running = _collect(lines, result)
    if lines and lines[-1]["kind"] == "end":
        return None
    why = f"no end of class after {timeout:.0f} s" if timed_out else f"the process ended with {child.returncode}"
    if running is None:
        result.broken.append(f"{why}, outside any test:\n{text[-4000:]}")
        return None
    result.outcomes[running["id"]] = "timeout" if timed_out else "crash"
    result.details[running["id"]] = f"{why}\n{text[-4000:]}"
    return running["class"]


def _wait(child, events, timeout):
    """Wait for the child's end; kill it, and all it started, when one class takes too long. Whether that was needed."""
    ended = threading.Event()
    threading.Thread(target=lambda: (child.wait(), ended.set()), daemon=True).start()
    current, since, timed_out = None, time.monotonic(), False
    while not ended.wait(0.2):
        now = _current_class(events)
        if now != current:
            current, since = now, time.monotonic()
        elif time.monotonic() - since > timeout:
            timed_out = True
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # also what a finished run has left behind
    child.wait()
    return timed_out


def _current_class(events):
    with open(events, "rb") as file:
        file.seek(max(0, os.path.getsize(events) - 65536))
        lines = file.read().splitlines()
    for line in reversed(lines):
        try:
            return json.loads(line).get("class")
        except ValueError:
            continue
    return None


def _collect(lines, result):
    """Take the events over into `result`; the test that was running at the end, if one was."""
    running = None
    for line in lines:
        if line["kind"] == "start":
            running = line
            result.classes[line["id"]] = line["class"]
        elif line["kind"] == "outcome":
            result.classes[line["id"]] = line["class"]
            # The worst outcome of a test stays: a failed subtest is not undone by the test's end.
            if result.outcomes.get(line["id"]) not in ("failed", "error"):
                result.outcomes[line["id"]] = line["outcome"]
                result.details[line["id"]] = line["detail"]
        elif line["kind"] == "stop":
            running = None
        elif line["kind"] == "end" and line["stats"] is not None:
            result.stats.append(line["stats"])
    return running


def fresh_interpreter():
    """Who executes logging in an isolated interpreter under FEMTOLOG=1; the suite starts several."""
    program = "import logging; print('femtolog' if 'femtolog' in repr(logging.__spec__.loader) else 'the stdlib')"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        env={**os.environ, "FEMTOLOG": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    note = "" if done.stdout.strip() == "femtolog" else " (femtolog.pth is not installed here, so they prove nothing)"
    return done.stdout.strip() + note
