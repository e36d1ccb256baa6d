"""`python -m femtolog.bench` counts what it says was written, and keeps its three questions apart."""

import json
import subprocess
import sys

import pytest

from femtolog import bench


def test_each_side_is_asked_each_question_and_every_line_is_found(monkeypatch, tmp_path, capsys):
    kind = "QueueHandler, QueueListener, FileHandler"
    monkeypatch.setattr(bench, "HANDLERS", {kind: bench.HANDLERS[kind]})
    bench.main(["--records", "50", "--repeats", "1", "--threads", "2", "--json", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert {name: row["lines"] for name, row in found["latency"].items()} == {f"{kind}, stdlib": 50, f"{kind}, femtolog": 50}
    assert all(0 < row["p50"] <= row["p99"] <= row["p99.9"] for row in found["latency"].values())
    assert {name: row["lines"] for name, row in found["throughput"].items()} == {
        f"{kind}, {threads} threads, {side}": 50 * threads for threads in (1, 2) for side in bench.SIDES
    }
    printed = capsys.readouterr().out
    assert printed.count(f"| {kind} | femtolog |") == 3
    assert found["about"]["machine"] in printed


LINE = "2026-11-26 12:00:00,000 INFO bench {} order {} of ada\n"


@pytest.mark.parametrize(
    "lines",
    [
        [LINE.format("t", 0)],
        [LINE.format("t", 0), LINE.format("t", 0)],
        [LINE.format("t", 1), LINE.format("t", 0)],
        [LINE.format("t", 0), LINE.format("u", 1)],
        [LINE.format("t", 0), LINE.format("t", 1)[:-9] + "\n"],
    ],
    ids=["one missing", "one twice", "out of order", "another thread's", "torn"],
)
def test_a_run_with_wrong_lines_is_no_number(tmp_path, lines):
    path = tmp_path / "bench.log"
    warm = [LINE.format("MainThread", number) for number in range(bench.WARM)]
    path.write_text("".join([*warm, LINE.format("t", 0), LINE.format("t", 1)]))
    assert bench._verified(str(path), 2, 1) == 2
    path.write_text("".join([*warm, *lines]))
    with pytest.raises(SystemExit):
        bench._verified(str(path), 2, 1)


def test_numbers_that_measure_nothing_are_refused():
    done = subprocess.run([sys.executable, "-P", "-m", "femtolog.bench", "--records", "0"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "at least one record" in done.stderr
