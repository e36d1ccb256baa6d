"""When info() has returned the record is in the kernel: no exit, however rough, loses it."""

import pytest

ENDS = {
    "kill -9": ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    "os._exit": ("os._exit(7)", 7),
    "abort": ("os.abort()", -6),
    "segfault": ("ctypes.string_at(0)", -11),
    "exec": ("os.execv(sys.executable, [sys.executable, '-c', ''])", 0),
}

HANDLERS = {
    "file": "logging.FileHandler('app.log')",
    "file, delayed": "logging.FileHandler('app.log', delay=True, encoding='utf-8')",
    "rotating": "logging.handlers.RotatingFileHandler('app.log', maxBytes=100_000, backupCount=3)",
    "timed": "logging.handlers.TimedRotatingFileHandler('app.log')",
    "watched": "logging.handlers.WatchedFileHandler('app.log')",
    "stream to a text file": "logging.StreamHandler(open('app.log', 'w'))",
    "memory, flushed by an error": "logging.handlers.MemoryHandler(1000, target=logging.FileHandler('app.log'))",
}


def program(handler, end):
    return f"""
        import ctypes, faulthandler, logging, logging.handlers, os, resource, signal, sys
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        log = logging.getLogger("l")
        log.setLevel(10)
        log.addHandler({handler})
        for i in range(int(sys.argv[1])):
            log.info("line %d %s", i, "x" * (i % 200))
        log.error("last")
        {end}
    """


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("handler", HANDLERS)
def test_every_line_is_in_the_file_after(run, handler, end):
    code, status = ENDS[end]
    outcome = run(program(HANDLERS[handler], code), status=status, files=("app.log",), args=("300",), native=None)
    assert outcome.files["app.log"] == "".join(f"line {i} {'x' * (i % 200)}\n" for i in range(300)) + "last\n"


def test_killed_from_outside_at_any_moment(run):
    """A child that tells how far it got; after SIGKILL at least that much is there, and no line is torn or twice.

    But for one: Linux copies a write page by page and looks for a fatal signal between two pages (mm/filemap.c,
    generic_perform_write), so the last line of a killed process may end at the border of a page, on the stdlib too.
    """
    run(
        """
        import mmap, os, subprocess, sys, textwrap
        CODE = '''
        import logging, os, sys
        log = logging.getLogger("l")
        log.setLevel(10)
        log.addHandler(logging.FileHandler(sys.argv[1]))
        i = 0
        while True:
            log.info("line %d %s", i, "x" * (i % 100))
            os.write(1, b"%d\\\\n" % i)
            i += 1
        '''
        for n in range(8):
            child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(CODE), f"{n}.log"], stdout=subprocess.PIPE)
            for _ in range(200 * (n + 1)):
                child.stdout.readline()
            child.kill()
            told = child.stdout.read().decode().splitlines()
            child.wait()
            *lines, rest = open(f"{n}.log").read().split("\\n")
            if os.stat(f"{n}.log").st_size % mmap.PAGESIZE:
                assert rest == "", "torn at the end"
            *whole, unfinished = [f"line {i} {'x' * (i % 100)}" for i in range(len(lines) + 1)]
            assert lines == whole
            assert unfinished.startswith(rest)
            if told and told[-1].isdigit():
                assert len(lines) > int(told[-1]) - 1
        print("whole")
        """,
        native=None,
    )


def test_two_processes_append_whole_lines_to_one_file(run):
    run(
        """
        import subprocess, sys, textwrap
        CODE = '''
        import logging, sys
        log = logging.getLogger("l")
        log.setLevel(10)
        log.addHandler(logging.FileHandler("app.log"))
        for i in range(2000):
            log.info("<%s %d %s>", sys.argv[1], i, "x" * (i % 300))
        '''
        children = [subprocess.Popen([sys.executable, "-c", textwrap.dedent(CODE), str(n)]) for n in range(4)]
        print([child.wait() for child in children])
        lines = open("app.log").read().splitlines()
        assert sorted(lines) == sorted(f"<{n} {i} {'x' * (i % 300)}>" for n in range(4) for i in range(2000))
        """,
        native=None,
    )
