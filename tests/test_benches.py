"""The benchmarks run, check what was written, and publish what they found. Nothing here says how fast anything is."""

import importlib
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/explanation/performance.md")


def run(*arguments):
    """`python -m ARGUMENTS` beside the sources, as the documentation says it."""
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )


@pytest.fixture
def publish(monkeypatch):
    """The module, as it is in the sources. Its package takes the sources off the path again, where they hide the installed one."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benches.publish")


@pytest.fixture
def tree(tmp_path):
    """A copy of the pages with numbers."""
    for page in PAGES:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    return tmp_path


TURNS = ("disabled", "enabled", "format", "file", "queue", "changed", "objects", "threads", "asynchronous", "network", "scaling")


def test_each_scenario_runs_on_both_sides_and_its_sink_is_checked(publish, tmp_path):
    done = run("benches", *TURNS, "--repeats", "1", "--stretch", "0.0001", "--json", str(tmp_path / "found.json"))
    assert done.returncode in (0, 1), done.stdout  # 1: slower somewhere, which turns as short as these cannot tell
    found = json.loads((tmp_path / "found.json").read_text())
    rows = found["scenarios"]
    assert len({row["name"] for row in rows}) == len(rows) > 50
    without_sink = set()
    for row in rows:
        for side in ("stdlib", "femtolog"):
            # Less than nothing is possible where so short an empty loop was interrupted: it is subtracted.
            assert row[side]["least"] <= row[side]["median"]
            assert row[side]["turns"] and (row["threads"] or row["loop"]["least"] > 0)
            checked = row[side]["checked"]
            if not checked["times"]:
                without_sink.add(row["name"])
            elif not row["name"].startswith(("disabled ", "isEnabledFor", "getLogger")):
                assert checked["lines"] > checked["times"]
            else:
                assert checked["lines"] == 0
    assert without_sink == {
        "disabled logging.debug()",
        "NullHandler",
        *(scenario.name for scenario in importlib.import_module("benches.objects").SCENARIOS),
        *(row["name"] for row in rows if "own NullHandler" in row["name"] or "does nothing" in row["name"]),
    }
    assert {row["name"] for row in rows if row["group"]} == {
        f"{name}, {threads}" for name in found["scaling"] for threads in ("1 thread", "2 threads")
    }
    for sides in found["scaling"].values():
        assert sides["femtolog"]["two_to_one"] == pytest.approx(sides["femtolog"]["2"] / sides["femtolog"]["1"])


def test_benches_in_fresh_processes_answer_for_every_side(tmp_path):
    run("benches", "memory", "install", "--repeats", "1", "--stretch", "0.0001", "--json", str(tmp_path / "found.json"))
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["scenarios"] == []
    for sizes in found["memory_bytes"].values():
        assert sizes["stdlib"]["least"] > 0 < sizes["femtolog"]["least"]
    assert all(ms["least"] > 0 for ms in found["install_ms"].values())


def test_the_bench_beside_logxide_says_where_it_is_not_installed_or_answers_for_every_side(tmp_path):
    run("benches", "logxide", "--repeats", "1", "--stretch", "0.00001", "--json", str(tmp_path / "found.json"))
    beside = json.loads((tmp_path / "found.json").read_text())["logxide"]
    if importlib.util.find_spec("logxide") is None:
        assert beside == {"reason": "logxide is not installed"}
        return
    assert beside["version"]
    for name, row in beside["scenarios"].items():
        assert row["stdlib"]["least"] is not None and row["femtolog"]["least"] is not None, name
        assert row["logxide"].keys() in ({"least"}, {"reason"}), name


def test_each_side_beside_logxide_is_timed_and_checked(publish, monkeypatch):
    beside = importlib.import_module("benches.logxide")
    program = "from benches.logxide import run; run('femtolog', 0.00001)"  # which ends its process
    found = json.loads(subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    assert found["version"] == ""
    assert found["scenarios"].keys() == {scenario.name for scenario in beside.scenarios()}
    assert all(numbers.keys() == {"least"} for numbers in found["scenarios"].values()), found

    answers = iter([{"a": {"least": 3.0}, "b": {"least": 2.0}}, {"a": {"reason": "wrong"}, "b": {"least": 1.0}}])

    def answered(*_, **__):
        told = json.dumps({"version": "0.3.0", "scenarios": next(answers)})
        return types.SimpleNamespace(returncode=0, stdout=told)

    monkeypatch.setattr(beside, "SIDES", ("logxide",))
    monkeypatch.setattr(beside, "scenarios", lambda: [types.SimpleNamespace(name="a"), types.SimpleNamespace(name="b")])
    monkeypatch.setattr(beside.importlib.util, "find_spec", lambda _: True)
    monkeypatch.setattr(beside.apart.subprocess, "run", answered)
    numbers = {"a": {"logxide": {"reason": "wrong"}}, "b": {"logxide": {"least": 1.0}}}
    assert beside.measure(2) == {"version": "0.3.0", "scenarios": numbers}


def test_a_turn_apart_is_on_the_side_it_is_asked_for(publish, monkeypatch):
    """Whatever the environment says."""
    apart = importlib.import_module("benches.apart")
    objects = importlib.import_module("benches.objects")
    monkeypatch.setenv("FEMTOLOG", "1")
    assert apart.answer("import json, sys; print(json.dumps('femtolog' in sys.modules))") is False
    for side in ("stdlib", "femtolog"):
        told = apart.turn(side, objects.SCENARIOS[:2], 0.00001)
        assert told.keys() == {scenario.name for scenario in objects.SCENARIOS[:2]}
        assert all(len(numbers["raw"]) == len(numbers["empties"]) == 1 for numbers in told.values())
    with pytest.raises(RuntimeError, match="ValueError: no"):
        apart.answer("raise ValueError('no')")


def test_an_unknown_bench_is_named():
    done = run("benches", "disabeld")
    assert done.returncode == 2
    assert "no bench called disabeld" in done.stdout


def test_callgrind_calls_are_added_up_per_allocator(publish, monkeypatch):
    instructions = importlib.import_module("benches.instructions")
    text = (
        "events: Ir\n"
        "ob=/bin/python\nfn=loop\n1 5\ncfn=_PyObject_Malloc\ncalls=3 0\n1 40\ncfn=malloc\ncalls=2 0\n1 9\n"
        "ob=/lib/femtolog/_native.abi.so\nfn=ours\n1 20\n+1 3\ncob=/bin/python\ncfn=tuple\ncalls=1 0\n* 50\n-2 4\n"
        "ob=/bin/python\nfn=other\n1 6\ncfn=_PyObject_Malloc\ncalls=4 0\n1 40\ncfn=_PyObject_Malloc.part.0\ncalls=9 0\n1 1\nsummary: 123\n"
    )

    def written(prefix, *_):
        pathlib.Path(prefix[-1].partition("=")[2]).write_text(text)

    monkeypatch.setattr(instructions, "_process", written)
    counted = instructions._counted("valgrind", "stdlib", "NullHandler", 1)
    assert counted == {"instructions": 123, "own_instructions": 27, "python_allocations": 7, "libc_allocations": 2}


# ---- publish


def numbers(least):
    return {"least": least, "median": least * 2, "turns": [least, least * 3]}


def row(name, stdlib, femtolog, picologging=None, group="", threads=0):
    made = {"name": name, "group": group, "threads": threads, "stdlib": numbers(stdlib), "femtolog": numbers(femtolog)}
    made["ratio"] = stdlib / femtolog
    made["picologging"] = numbers(picologging) if picologging else {"reason": "returned <nothing>"}
    if picologging:
        made["picologging_ratio"] = picologging / femtolog
    return made | ({} if threads else {"loop": numbers(3)})


def found(names, version="3.12", **sections):
    """A run in which every call takes 1000 ns, 500 with picologging, 250 with femtolog, but for the three worst."""
    rows = [row(name, 1000, 250, 500) for name in names]
    rows += [row("worst", 1000, 1250), row("second worst", 1100, 1000), row("third worst", 1200, 1000)]
    rows += [row("own, 1 thread", 100, 50, group="own", threads=1), row("own, 2 threads", 100, 25, group="own", threads=2)]
    about = {
        "machine": f"a machine for {version}",
        "load": "0.0 0.0 0.0",
        "python": f"CPython {version}.0",
        "version": version,
        "date": "2026-11-25",
        "femtolog": "0.1.0",
        "command": "python -m benches all",
    }
    scaling = {"own": {"stdlib": {"1": 1e7, "2": 1e7, "two_to_one": 1.0}, "femtolog": {"1": 2e7, "2": 4e7, "two_to_one": 2.0}}}
    return {"about": about, "unit": "ns", "scenarios": rows, "scaling": scaling} | sections


SECTIONS = {
    "logxide": {
        "version": "0.3.0",
        "scenarios": {
            "NullHandler": {"stdlib": {"least": 6000}, "logxide": {"least": 7000}, "femtolog": {"least": 100}},
            "extra": {"stdlib": {"least": 9000}, "logxide": {"reason": "wrote <nothing>"}, "femtolog": {"least": 500}},
        },
    },
    "memory_bytes": {"a logger": {"stdlib": {"least": 376, "median": 377}, "femtolog": {"least": 378, "median": 379}}},
    "install_ms": {"import femtolog": {"least": 3.5, "median": 4.25}},
    "instructions": {
        "calls": 5000,
        "empty loop": {"instructions": 78, "python_allocations": 0, "libc_allocations": 0},
        "scenarios": {
            "NullHandler": {
                "stdlib": {"instructions": 45078, "python_allocations": 14.7, "libc_allocations": 0},
                "femtolog": {"instructions": 4078, "own_instructions": 900, "python_allocations": 0, "libc_allocations": 1},
            }
        },
    },
}


def published(publish, monkeypatch, tree, *founds):
    """The exit status of the command."""
    paths = []
    for number, run in enumerate(founds):
        paths.append(tree / f"{number}.json")
        paths[-1].write_text(json.dumps(run))
    monkeypatch.setattr(sys, "argv", ["publish", *map(str, paths), "--into", str(tree)])
    return publish.main()


def outside(text):
    """What was written by hand, line by line."""
    lines, within = [], False
    for line in text.splitlines():
        within = within and not line.startswith("<!-- /numbers")
        if not within:
            lines.append(line)
        within = within or line.startswith("<!-- numbers")
    return lines


def test_publish_writes_between_the_marks_only(publish, monkeypatch, tree):
    run = found(publish.TYPICAL, **SECTIONS)
    assert published(publish, monkeypatch, tree, run) == 0
    for page in PAGES:
        before, after = (ROOT / page).read_text(), (tree / page).read_text()
        assert before != after
        assert outside(before) == outside(after)
    first = [(tree / page).read_text() for page in PAGES]
    assert published(publish, monkeypatch, tree, run) == 0
    assert [(tree / page).read_text() for page in PAGES] == first


def test_readme_shows_the_typical_rows_and_the_two_worst(publish, monkeypatch, tree):
    published(publish, monkeypatch, tree, found(("another", *publish.TYPICAL)))
    text = (tree / "README.md").read_text()
    table = text[text.index("<!-- numbers -->") : text.index("<!-- /numbers -->")]
    shown = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]
    assert shown[2:] == [*publish.TYPICAL, "worst", "second worst"]
    assert "| NullHandler | 1000 | 500 | 250 | 4.0 | 2.0 |" in table
    assert "| worst | 1000 | – | 1250 | 0.8 | – |" in table
    assert "a machine for 3.12" in table
    assert "Least of 2 turns" in table


def test_page_shows_every_section_and_a_column_for_each_other_version(publish, monkeypatch, tree):
    run = found(publish.TYPICAL, **SECTIONS)
    assert published(publish, monkeypatch, tree, run, found(publish.TYPICAL[1:], "3.11"), found(publish.TYPICAL, "3.14t")) == 0
    text = (tree / PAGES[1]).read_text()
    for line in (
        "| NullHandler | 1000 (2000) | 500 (1000) | 250 (500) |  | 4.0 |  | 2.0 |",
        "| scenario | 3.11 | 3.14t |",
        "| NullHandler | 4.0 | 4.0 |",
        f"| {publish.TYPICAL[0]} | – | 4.0 |",
        "| 3.14t | stdlib | femtolog |",
        "| own | 10.00 → 10.00 (1.00) | 20.00 → 40.00 (2.00) |",
        "| a logger | 376 (377) | 378 (379) |",
        "| NullHandler | 45000 / 14.7 / 0.0 | 4000 / 0.0 / 1.0 | 900 | 11.2 | 14.5 |",
        "| import femtolog | 3.500 (4.250) |",
        "| NullHandler | 6000 | 7000 | 100 | 70.0 |",
        "| extra | 9000 | – | 500 | – |",
        r"- extra: wrote \<nothing>",
        r"- worst: returned \<nothing>",
    ):
        assert line in text.splitlines(), line
    assert "| own, 1 thread |" not in text


def test_a_column_tells_the_limit_where_it_is_near(publish, monkeypatch, tree):
    run, other = found(publish.TYPICAL), found(publish.TYPICAL, "3.14")
    for row in other["scenarios"]:
        row.update({"NullHandler": {"limit": 6.25}, "extra": {"limit": 12.0}}.get(row["name"], {}))
    assert published(publish, monkeypatch, tree, run, other) == 0
    lines = (tree / PAGES[1]).read_text().splitlines()
    assert "| NullHandler | 4.0 of 6.2 |" in lines
    assert "| extra | 4.0 |" in lines


def test_publish_leaves_both_pages_alone_when_a_row_or_a_mark_is_missing(publish, monkeypatch, tree, capsys):
    before = (tree / "README.md").read_text()
    assert published(publish, monkeypatch, tree, found(publish.TYPICAL[:-1])) == 1
    assert f"without {publish.TYPICAL[-1]}" in capsys.readouterr().err
    page = tree / PAGES[1]
    page.write_text(page.read_text().replace("<!-- /numbers: calls -->", ""))
    assert published(publish, monkeypatch, tree, found(publish.TYPICAL)) == 1
    assert "'numbers: calls' is not marked exactly once" in capsys.readouterr().err
    assert (tree / "README.md").read_text() == before


def test_readmes_rows_are_scenarios_there_are(publish):
    known = set()
    for name in TURNS:
        known |= {scenario.name for scenario in importlib.import_module(f"benches.{name}").SCENARIOS}
    instructions = importlib.import_module("benches.instructions")
    assert known >= {*publish.TYPICAL, *instructions.SCENARIOS}
    assert all(instructions._scenario(name).name == name for name in instructions.SCENARIOS)


# ---- regression


def compared(monkeypatch, capsys, folder, *founds):
    """The exit status of the command, and what it says."""
    monkeypatch.syspath_prepend(str(ROOT))
    regression = importlib.import_module("benches.regression")
    paths = [folder / f"{number}.json" for number, _ in enumerate(founds)]
    for path, run in zip(paths, founds, strict=True):
        path.write_text(json.dumps(run))
    monkeypatch.setattr(sys, "argv", ["regression", *map(str, paths)])
    return regression.main(), capsys.readouterr().out.splitlines()


def test_a_lead_that_is_a_tenth_smaller_is_told(monkeypatch, capsys, tmp_path):
    def run(a_call):
        return {"scenarios": [row("call", 1000, a_call), row("other", 1000, 250), row("2 threads", 9, a_call, threads=2)]}

    assert compared(monkeypatch, capsys, tmp_path, run(109), run(100)) == (0, ["0 of 2 scenarios lost more than 10%"])
    told = ["call: 10.00 times the stdlib's speed before, 8.93 now", "1 of 2 scenarios lost more than 10%"]
    assert compared(monkeypatch, capsys, tmp_path, run(112), run(100)) == (1, told)


def test_without_an_earlier_run_the_published_table_is_compared_with(monkeypatch, capsys, tmp_path):
    status, [*told, count] = compared(monkeypatch, capsys, tmp_path, {"scenarios": [row("NullHandler", 1000, 999)]})
    assert (status, count) == (1, "1 of 1 scenarios lost more than 10%")
    assert told[0].startswith("NullHandler: ") and told[0].endswith("before, 1.00 now")
