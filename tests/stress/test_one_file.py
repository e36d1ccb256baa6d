"""Many processes write, and rotate, one file: each line is in one of the files, once and whole."""

import gzip
import os
import re
import subprocess
import sys
import textwrap

import pytest

PROCESSES = int(os.environ.get("FEMTOLOG_FILES_PROCESSES", "3"))
LINES = int(os.environ.get("FEMTOLOG_FILES_LINES", "200"))
LIMIT = int(os.environ.get("FEMTOLOG_FILES_BYTES", "4000"))

PROGRAM = textwrap.dedent("""
    import femtolog, logging, multiprocessing, sys, time
    from femtolog.files import FileHandler, RotatingFileHandler, TimedRotatingFileHandler

    kind, method, processes, lines, limit, buffering = sys.argv[1:3] + [int(text) for text in sys.argv[3:]]
    options = {"multiprocess": True, "buffering": buffering}
    log = logging.Logger("l")

    def made():
        if kind == "packed":
            options["compression"] = "gz"
        if kind in ("size", "packed"):
            return RotatingFileHandler("a.log", maxBytes=limit, backupCount=100_000, **options)
        if kind == "time":
            return TimedRotatingFileHandler("a.log", when="S", utc=True, **options)
        return FileHandler("a.log", **options)

    def work(number):
        if method == "spawn":
            log.addHandler(made())
        for count in range(lines):
            if kind == "time":  # ten rollovers, at times of its own in each process
                now = 4_000_000_000 + 10 * count / lines + number / 10
                time.time = lambda: now
            log.info("<%d %d %s>", number, count, "x" * (count % 90))

    if __name__ == "__main__":
        femtolog.install()
        if method == "fork":
            log.addHandler(made())
        context = multiprocessing.get_context(method)
        children = [context.Process(target=work, args=(number,)) for number in range(processes)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        sys.exit(any(child.exitcode for child in children))
    """)


def text(path):
    return (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()


@pytest.mark.stress
@pytest.mark.parametrize(
    ("kind", "method", "buffering"),
    [("size", "fork", 0), ("size", "spawn", 500), ("time", "fork", 0), ("plain", "fork", 300), ("packed", "fork", 0)],
)
def test_each_line_is_there_once_and_whole(tmp_path, kind, method, buffering):
    (tmp_path / "many.py").write_text(PROGRAM)
    command = [sys.executable, "-P", "many.py", kind, method, PROCESSES, LINES, LIMIT, buffering]
    done = subprocess.run(
        [str(word) for word in command], cwd=tmp_path, capture_output=True, text=True, timeout=1500 if LINES > 10_000 else 280
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = sorted(tmp_path.glob("a.log*"))
    found = [line for path in files for line in text(path).splitlines()]
    wanted = [f"<{number} {count} {'x' * (count % 90)}>" for number in range(PROCESSES) for count in range(LINES)]
    assert sorted(found) == sorted(wanted)
    if kind == "packed":
        assert [path.name for path in files if path.suffix != ".gz"] == ["a.log"]
    if kind == "size":
        assert max(path.stat().st_size for path in files) < LIMIT
        assert len(files) > sum(map(len, wanted)) // LIMIT
    if kind == "time":
        assert len(files) > 8
    # Each file has the lines of a process in the order in which it wrote them, and files are in order, too.
    numbers = {path: int(re.search(r"(\d+)(\.gz)?$", path.name)[1]) if path.name != "a.log" else 0 for path in files}
    if kind in ("size", "packed"):
        files.sort(key=lambda path: -numbers[path])
    for number in range(PROCESSES if kind != "time" else 0):
        own = [line for path in files for line in text(path).splitlines() if line.startswith(f"<{number} ")]
        assert own == [line for line in wanted if line.startswith(f"<{number} ")]
