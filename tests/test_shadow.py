"""Shadow mode: the program runs on the standard library and does not notice; what differs is found, and what cannot be compared is told."""

import json
import re
import textwrap

import pytest
from startup import make_environment, run

from femtolog._shadow.found import nothing, report


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return make_environment(tmp_path_factory.mktemp("environment"))


PROGRAM = """
import io, logging, logging.handlers, queue, sys, threading

class Shown:
    count = 0
    def __str__(self):
        Shown.count += 1
        return "shown"

class Upper(logging.Formatter):
    def format(self, record):
        record.levelname = record.levelname.lower()
        return super().format(record).upper()

class Listed(logging.Handler):
    records = []
    def emit(self, record):
        self.records.append(record)

class Named(logging.Filter):
    def filter(self, record):
        record.user = "u"
        return record.getMessage() != "unwanted"

class Failed(ValueError):
    count = 0
    def __str__(self):
        Failed.count += 1
        return "failed"

def frames():
    frame, found = sys._getframe(1), []
    while frame:
        found.append((frame.f_code.co_filename, frame.f_code.co_name))
        frame = frame.f_back
    return found

class Frames(logging.Handler):
    def emit(self, record):
        print(*frames(), sep="\\n")

logging.basicConfig(stream=sys.stdout, format="%(levelname)-8s %(name)s %(filename)s:%(lineno)d %(funcName)s %(message)s")
log = logging.getLogger("app")
log.setLevel("DEBUG")
db = logging.getLogger("app.db")
file = logging.handlers.RotatingFileHandler("app.log", maxBytes=2000, backupCount=1)
file.setFormatter(logging.Formatter("{levelname} {threadName} {message} {taskName}" if sys.version_info >= (3, 12) else "{message}", style="{"))
log.addHandler(file)
upper = logging.StreamHandler(sys.stdout)
upper.setFormatter(Upper("%(levelname)s %(message)s"))
http = logging.getLogger("http")
http.addHandler(upper)
http.addHandler(Listed())
http.addFilter(Named())
http.setLevel(10)
queued = logging.getLogger("queued")
queued.propagate = False
waiting = queue.SimpleQueue()
queued.addHandler(logging.handlers.QueueHandler(waiting))
memory = logging.handlers.MemoryHandler(100, target=file)
logging.getLogger("memory").addHandler(memory)
nowhere = logging.getLogger("nowhere")
nowhere.propagate = False

def work(number):
    log.debug("%d of %s", number, ["a", 1.5])
    db.info("%(a)s", {"a": "b"})
    log.warning("it is %s", Shown())
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken", stack_info=True)
    try:
        raise Failed
    except Failed:
        log.error("failed", exc_info=True)
    http.info("get %s", "/", extra={"status": 200})
    http.info("unwanted")
    queued.error("later %s", number)
    logging.getLogger("memory").critical("kept")
    nowhere.warning("by the last resort")
    log.info("%d", "no number")
    logging.LoggerAdapter(log, {"who": "me"}).info("adapted", stacklevel=1)
    logging.getLogger("root.quiet").debug("below the level")

for number in range(5):
    work(number)
thread = threading.Thread(target=work, args=(9,), name="other")
thread.start()
thread.join()
memory.flush()
while not waiting.empty():
    file.handle(waiting.get())
log.handle(logging.makeLogRecord({"name": "app", "msg": "from elsewhere", "levelno": 30, "levelname": "WARNING"}))
log.addHandler(Frames())
log.info("who is on the stack?")
print("counts", Shown.count, Failed.count, len(Listed.records), sorted(vars(Listed.records[0])))
print(type(vars(logging.Logger)["_log"]) is type(work) or sys.version_info < (3, 12))
raise SystemExit(7)
"""


def mask(text):
    return re.sub(r"0x[0-9a-f]{6,}", "0x?", text)


def ran(done):
    return done.returncode, mask(done.stdout), mask(done.stderr.partition("femtolog shadow:")[0])


@pytest.fixture(scope="module")
def both(python, tmp_path_factory):
    """(run without, run in shadow mode, its report as data)"""
    folder = tmp_path_factory.mktemp("program")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    found = []
    for command in (["program.py"], ["-m", "femtolog", "shadow", "--json", "--output", "report.json", "program.py"]):
        done = run(python, *command, cwd=folder)
        log = (folder / "app.log").read_text()
        for file in folder.glob("app.log*"):
            file.unlink()
        found.append((ran(done), mask(log)))
    return *found, json.loads((folder / "report.json").read_text())


def test_the_program_does_not_notice(both):
    without, shadowed, _ = both
    assert shadowed == without


def test_nothing_differs_and_every_record_is_counted(both):
    report = both[2]
    assert (report["differences"], report["first"]) == (0, None)
    # 12 records a turn, in six; four that are kept or waiting come again only through Handler.handle; two by the main module.
    assert report["records"] == 12 * 6 + 2
    assert report["whole_calls"] >= 6 * 5
    assert report["texts"] > 100
    assert report["taken_over"] > 6
    assert report["call_ns"][0] > 0 < report["call_ns"][1]
    left = report["left_out"]
    assert left["__main__.Listed has an emit() of its own, which does not call Formatter.format()"] == 6
    assert left["logging.handlers.MemoryHandler keeps the record; what its target makes of it is compared there"] == 6
    assert not [why for why in left if "mistake" in why]


BROKEN = """
import logging, sys
import femtolog._shadow.found as shadow

class Broken:
    def __getattr__(self, name):
        return getattr(real, name)
    def call_native(self, name, *arguments):
        result = real.call_native(name, *arguments)
        return result.replace("two", "2") if name == "Formatter.format" else result

real = shadow.Found.native
if "femtolog" in repr(logging.__spec__.loader):
    shadow.Found.native = Broken()
logging.basicConfig(stream=sys.stdout, format="%(message)s")
for word in ("one", "two", "three", "two"):
    logging.warning("%s", word)
"""


@pytest.mark.parametrize("way", ["command", "variable"])
def test_the_first_difference_is_shown_with_its_place(python, tmp_path, way):
    program = tmp_path / "program.py"
    program.write_text(BROKEN)
    if way == "command":
        done = run(python, "-m", "femtolog", "shadow", program)
    else:
        done = run(python, program, env={"FEMTOLOG": "shadow"})
    assert done.returncode == 1
    assert done.stdout == "one\ntwo\nthree\ntwo\n"
    assert done.stderr.startswith(
        "femtolog shadow: 2 differences in 4 records\n"
        "  first difference: <StreamHandler <stdout> (NOTSET)>, "
        f"{program}:17 in <module>, logger 'root'\n"
        "    stdlib:   'two'\n"
        "    femtolog: '2'\n"
    )


def test_a_whole_call_that_differs_is_found(python):
    program = """
        import io, logging, sys
        import femtolog._shadow.again as shadow
        copy = shadow.handler_copy
        def louder(handler, streams):
            made = copy(handler, streams)
            made.terminator = "!\\n"
            return made
        shadow.handler_copy = louder
        logging.basicConfig(stream=sys.stdout, format="%(message)s")
        logging.warning("one")
    """
    done = run(python, "-m", "femtolog", "shadow", "-c", textwrap.dedent(program))
    assert done.returncode == 1
    assert "a whole call, <string>:11 in <module>" in done.stderr
    assert "    stdlib:   'one\\n'\n    femtolog: 'one!\\n'\n" in done.stderr


CHILDREN = """
import logging, multiprocessing, os, subprocess, sys
logging.basicConfig(stream=sys.stdout, format="%(message)s")

def child(number):
    logging.warning("in a child: %d", number)

if __name__ == "__main__":
    logging.warning("before")
    sys.stdout.flush()
    process = multiprocessing.get_context("fork").Process(target=child, args=(1,))
    process.start()
    process.join()
    if not os.fork():
        child(2)
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    subprocess.run([sys.executable, "-c", "import logging; logging.error('in a program')"], check=True)
"""


@pytest.mark.parametrize("way", ["command", "variable"])
def test_children_are_compared_as_well(python, tmp_path, way):
    program = tmp_path / "program.py"
    program.write_text(CHILDREN)
    if way == "command":
        done = run(python, "-m", "femtolog_compat", "shadow", program)
    else:
        done = run(python, program, env={"FEMTOLOG": "shadow"})
    assert done.returncode == 0
    assert done.stdout == "before\nin a child: 1\nin a child: 2\n"
    assert "femtolog shadow: 0 differences in 4 records\n" in done.stderr
    assert ", in 4 processes\n" in done.stderr


def test_install_and_uninstall_of_the_program_are_remembered_and_not_done(python):
    program = """
        import femtolog, logging
        logging.basicConfig(format="%(message)s")
        assert not femtolog.is_installed()
        femtolog.install()
        assert femtolog.is_installed() and not femtolog._native.is_bound()
        logging.warning("one")
        femtolog.uninstall()
        assert not femtolog.is_installed()
        with femtolog.installed():
            assert femtolog.is_installed()
            logging.warning("two")
        assert not femtolog.is_installed()
    """
    done = run(python, "-m", "femtolog", "shadow", "-c", textwrap.dedent(program))
    assert done.returncode == 0
    assert done.stderr.startswith("one\ntwo\nfemtolog shadow: 0 differences in 2 records\n")


def test_a_program_that_dies_leaves_its_counts(python):
    done = run(
        python, "-m", "femtolog", "shadow", "-c", "import logging, os; logging.warning('last words'); os.kill(os.getpid(), 9)"
    )
    assert done.returncode == 128 + 9
    assert "0 differences in 1 record\n" in done.stderr


def test_where_the_start_up_file_does_not_work(python, tmp_path):
    [site] = python.parent.parent.glob("lib/python3.*/site-packages")
    program = tmp_path / "program.py"
    program.write_text("import logging, sys; logging.warning('one %s', sys.argv); raise SystemExit(4)")
    done = run(python, "-S", "-m", "femtolog", "shadow", program, "--json", env={"PYTHONPATH": str(site)})
    assert done.returncode == 4
    assert done.stderr.startswith(f"WARNING:root:one ['{program}', '--json']\nfemtolog shadow: 0 differences in 1 record\n")


def test_a_speed_is_told_of_enough_calls_only():
    few, enough = (
        nothing() | {"records": number, "timed_calls": number, "call_ns": [2000 * number, 500 * number]} for number in (19, 20)
    )
    assert report(few).splitlines()[-1] == "  fewer than 20 calls or texts were timed: too few to tell a speed"
    told = "  a log call, all but the writing: 2.0 µs by the standard library, 0.5 µs by femtolog, 4.0 times as fast"
    assert report(enough).splitlines()[-1] == told


def test_the_command_alone_says_how_it_is_used(python):
    done = run(python, "-m", "femtolog", "shadow")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python -m femtolog shadow ")
    done = run(python, "-m", "femtolog", "shadow", "--help")
    assert (done.returncode, done.stderr) == (0, "")
