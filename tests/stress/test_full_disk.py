"""No space: the error goes to handleError, and a line that got only half-way never joins the next one.

What the stdlib leaves behind after a partial write differs (its TextIOWrapper keeps the unwritten rest and
sends it later), so the programs check the promise itself: every line of the file is a whole line that was
logged, save at most the piece at each moment of failure.
"""

import os
import textwrap
import time

import pytest


def test_dev_full(run):
    run(
        """
        import logging, sys
        log = logging.getLogger("l")
        log.propagate = False
        def error(self, record):
            print("handleError", type(sys.exc_info()[1]).__name__, sys.exc_info()[1], record.getMessage())
        logging.Handler.handleError = error
        full = logging.FileHandler("/dev/full", delay=True)
        log.addHandler(full)
        log.addHandler(logging.FileHandler("app.log"))
        for i in range(5):
            log.warning("line %d", i)
        log.removeHandler(full)
        try:
            full.close()
        except OSError as exc:
            print("close", exc)
        """,
        files=("app.log",),
    )


def test_dev_full_prints_the_stdlibs_error_text(run):
    run(
        """
        import logging
        log = logging.getLogger("l")
        log.addHandler(logging.FileHandler("/dev/full"))
        def work():
            log.warning("line %d", 3)
        work()
        logging.raiseExceptions = False
        log.warning("silent")
        """
    )


# A file system of 256 KiB, or a limit on the size of a file; in both a write may be cut short before it fails.
CHECK = """
    import errno, glob, logging, logging.handlers, os, re, resource, signal, sys

    log = logging.getLogger("l")
    log.setLevel(10)
    log.propagate = False
    errors = []
    def error(self, record):
        exc = sys.exc_info()[1]
        errors.append((type(exc).__name__, getattr(exc, "errno", None), record.args[0]))
    logging.Handler.handleError = error

    def line(i):
        return f"<{i} {'x' * (37 + i % 211)}>"

    def check(text, count):
        whole = {line(i): i for i in range(count)}
        pieces = []
        last = -1
        for got in text.split("\\n"):
            if got in whole:
                assert whole[got] > last, "order"
                last = whole[got]
            elif got:
                pieces.append(got)
        # A piece is the beginning of a line and nothing more: no other line hangs on to it.
        for piece in pieces:
            assert piece.count("<") == 1 and piece.count(">") == 0, ("joined", piece)
        failed = {i for _, _, i in errors}
        for i in range(count):
            assert i in failed or line(i) in text.split("\\n"), ("lost without a word", i)
        assert errors and {name for name, _, _ in errors} == {"OSError"}, errors[:3]
        return pieces
"""

FILLED = """
    handler = {handler}
    log.addHandler(handler)
    for i in range(1200):
        log.info("<%d %s>", i, "x" * (37 + i % 211))
        if i == 900:
            {make_room}
    assert {{number for _, number, _ in errors}} == {{errno.{code}}}, errors[:3]
    log.removeHandler(handler)
    try:
        handler.close()
    except OSError:
        pass
    with open(path) as file:
        text = file.read()
    pieces = check(text, 1200)
    assert line(1199) in text.split("\\n"), "no line arrived after room was made"
    print("ok", len(pieces) <= 2)
"""

HANDLERS = {
    "file": 'logging.FileHandler(path, encoding="utf-8")',
    "watched": "logging.handlers.WatchedFileHandler(path)",
    "rotating that never rolls over": "logging.handlers.RotatingFileHandler(path)",
    "stream to a text file": 'logging.StreamHandler(open(path, "a"))',
}


def fill(run, start, handler, **names):
    run(
        textwrap.dedent(CHECK) + textwrap.dedent(start) + textwrap.dedent(FILLED.format(handler=handler, **names)),
        compare=False,
    )


@pytest.mark.parametrize("handler", list(HANDLERS)[:3])
def test_limited_file_size(run, handler):
    fill(
        run,
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        path = "app.log"
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        """,
        HANDLERS[handler],
        code="EFBIG",
        make_room="resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))",
    )


@pytest.mark.parametrize("handler", list(HANDLERS)[:3])
def test_full_file_system(run, handler, tmpfs):
    fill(
        run,
        f"""
        path = "{tmpfs}/app.log"
        with open("{tmpfs}/ballast", "wb") as ballast:
            ballast.write(bytes(150 * 1024))
        """,
        HANDLERS[handler],
        code="ENOSPC",
        make_room=f'os.unlink("{tmpfs}/ballast")',
    )


@pytest.fixture
def tmpfs(tmp_path):
    import subprocess

    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_size_limit_and_the_lines_before_it(run):
    """Up to the limit the file is the stdlib's, byte for byte; the errors start at the same record."""
    run(
        textwrap.dedent(CHECK)
        + textwrap.dedent("""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
        handler = logging.FileHandler("app.log")
        log.addHandler(handler)
        for i in range(200):
            log.info("<%d %s>", i, "x" * (37 + i % 211))
        print(errors[0], {error[:2] for error in errors}, len(errors))
        """),
        files=("app.log",),
        # At exit the stdlib tries once more to write what its text layer kept, and says so.
        masks=[(r"(?s)\AException ignored.*\Z", "")],
    )


def test_a_failing_file_does_not_starve_other_handlers_nor_the_memory(run):
    """Thousands of failed lines are not kept."""
    outcome = run(
        """
        import gc, io, logging, sys
        log = logging.getLogger("l")
        log.propagate = False
        logging.raiseExceptions = False
        log.addHandler(logging.FileHandler("/dev/full"))
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        for i in range(300):
            log.warning("line %d %s", i, "x" * 50)
        before = sys.getallocatedblocks()
        def rss():
            return int(open("/proc/self/statm").read().split()[1]) * 4
        start = rss()
        for i in range(300, 20_000):
            stream.seek(0)
            stream.truncate(0)
            log.warning("line %d %s", i, "x" * 50)
        gc.collect()
        print(stream.getvalue(), end="")
        with open("growth", "w") as file:
            print(sys.getallocatedblocks() - before, rss() - start, file=file)
        """
    )
    blocks, rss = map(int, (outcome.directory / "growth").read_text().split())
    # The stdlib does keep them, in the TextIOWrapper.
    assert run.way == "stdlib" or (blocks < 300 and rss < 3000), (blocks, rss)


def test_with_a_fallback_every_line_is_in_one_place(tmp_path, tmpfs):
    """femtolog.files: no piece of a line is left, and writing goes on when there is room."""
    import logging

    from femtolog.files import FileHandler

    class Kept(logging.Handler):
        def emit(self, record):
            got.append(record.getMessage())

    wanted = [f"<{number} {'x' * (37 + number % 211)}>" for number in range(1200)]
    for options in ({}, {"buffering": 5000}, {"enqueue": True}, {"multiprocess": True}):
        got = []
        (tmpfs / "ballast").write_bytes(bytes(150 * 1024))
        handler = FileHandler(tmpfs / "a.log", fallback=Kept(), backoff={"base_ms": 1, "cap_ms": 1}, **options)
        log = logging.Logger("l")
        log.addHandler(handler)
        for number, text in enumerate(wanted):
            log.info("%s", text)
            if number == 1000:
                handler.flush()
                (tmpfs / "ballast").unlink()
                deadline = time.monotonic() + 60
                while not handler._backoff.may_try() and time.monotonic() < deadline:
                    os.sched_yield()
        handler.close()
        found = (tmpfs / "a.log").read_text().splitlines()
        assert sorted(found + got) == sorted(wanted)
        assert wanted[-1] in found
        stats = handler.stats()
        assert (stats["written"], stats["failed"], stats["fallback"]) == (len(found), len(got), len(got))
        assert stats["failed_by"] == {"ENOSPC": len(got)}
        assert got
        (tmpfs / "a.log").unlink()
