"""How many write calls it takes to write what was logged: counted by the kernel, for a process of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

import femtolog

RECORDS = 20_000
COUNTED = "/proc/self/io"

PROGRAM = textwrap.dedent("""
    import logging, os, sys
    import femtolog

    def writes():
        with open("/proc/self/io") as file:
            return int(next(line.split()[1] for line in file if line.startswith("syscw")))

    how, records = sys.argv[1], int(sys.argv[2])
    before = writes()
    for _ in range(3):
        os.write(1, b".")
    if writes() - before != 3:
        sys.exit("the kernel counts no calls here")
    femtolog.install()
    # With room for a twentieth of them, callers write themselves; without the lock the worker writes all at the end.
    handler = logging.FileHandler("a.log")
    handler = femtolog.enqueue(handler, capacity=records // 20 if how == "free" else records)
    log = logging.Logger("l")
    log.addHandler(handler)
    before = writes()
    if how == "held":
        handler.acquire()
    for number in range(records):
        log.info("record %d", number)
    if how == "held":
        handler.release()
    if not handler.flush(60):
        sys.exit("not all was written")
    print(writes() - before)
    """)


@pytest.mark.skipif(not os.path.exists(COUNTED), reason=f"this system does not count calls in {COUNTED}")
@pytest.mark.skipif(
    femtolog._native.raw_layout() != "raw", reason="without raw reads the worker's part is Python code, record by record"
)
@pytest.mark.parametrize("how", ["held", "free"])
def test_a_hundred_records_take_at_most_one_write(tmp_path, how):
    if how == "free" and not getattr(sys, "_is_gil_enabled", lambda: True)():
        pytest.skip("without a GIL the worker writes what there is, while others log: ends where there is one")
    command = [sys.executable, "-P", "-c", PROGRAM, how, str(RECORDS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    if "the kernel counts no calls here" in done.stderr:
        pytest.skip(f"{COUNTED} counts no calls on this system")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "a.log").read_text().splitlines() == [f"record {number}" for number in range(RECORDS)]
    writes = int(done.stdout.lstrip("."))
    assert 1 <= writes <= RECORDS // (1000 if how == "held" else 100)
