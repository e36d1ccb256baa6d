"""What a format says of the place of a call is the same each time, and is told anew as soon as it is not."""

import gc
import io
import logging
import os
import sys
import threading

import pytest
from oracle import same_as_stdlib

# More often than a text has to be asked for until it is kept, and kept in another's place.
OFTEN = 40

FILES = {
    "plain": "/srv/app/views.py",
    "bare": "views.py",
    "no extension": "/srv/app/run",
    "hidden": "/srv/.app/.run",
    "standard input": "<stdin>",
    "empty": "",
    "latin": "/srv/café/vué.py",
    "wide": "/srv/" + "世" * 40 + ".py",
    "very wide": "/srv/" + "世" * 400 + "/" + "界" * 100 + ".py",
    "long": "/srv/" + "x" * 300 + "/views.py",
    "very long": "/srv/" + "x" * 9000 + "/views.py",
    "surrogate": "/srv/\udce9.py",
    "percent": "/srv/%s/{}/$x/100%.py",
}
FORMATS = [
    ("%(filename)s:%(lineno)d %(message)s", "%"),
    ("%(levelname)s [%(module)s.%(funcName)s] %(message)s", "%"),
    ("%(message)s (%(pathname)s, %(lineno)5d, %(funcName)-12s)", "%"),
    ("%(filename).3s|%(module)5s|%(lineno)s|%(lineno)x|%(lineno)+d", "%"),
    ("%(pathname)s%(lineno)d%(message)s%(filename)s%(funcName)s", "%"),
    ("→ %(filename)s:%(lineno)d ← %(message)s", "%"),
    ("%(filename)s:%(lineno)d", "%"),
    ("%(filename)r %(lineno)r %(message)s", "%"),
    ("{filename}:{lineno:04} {funcName!r:>10} {message}", "{"),
    ("$message ($module:$lineno) $filename", "$"),
]
WITH_OTHERS = [
    ("%(filename)s:%(lineno)d %(user)s %(message)s %(ip)s", "%"),
    ("%(user)s %(filename)s:%(lineno)d %(ip)s", "%"),
    ("{user} {filename}:{lineno} {message} {ip}", "{"),
    ("$user $filename:$lineno $ip $message $filename", "$"),
]


def function_in(file, line=1, name="logs"):
    """A function that logs with the logger it is given, as if it stood there."""
    source = "\n" * (line - 1) + f"def {name}(log, *args): log.info(*args)"
    names = {}
    exec(compile(source, file, "exec"), names)
    return names[name]


@same_as_stdlib
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(("fmt", "style"), FORMATS)
def test_files_and_formats(w, file, fmt, style):
    log, _, _ = w.plain(fmt, style=style)
    logs = function_in(FILES[file], line=17)
    for turn in range(OFTEN):
        logs(log, "turn %d", turn)
    logs(log, "世 %s", "é")


@same_as_stdlib
@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize(("fmt", "style"), WITH_OTHERS)
def test_other_fields_beside_the_place(w, fmt, style, seen):
    """What `extra` and `defaults` say is found by where it stands in the format."""
    log, handler, _ = w.plain()
    source = "def logs(log, *args, **extra): log.info(*args, extra=extra)"
    names = {}
    exec(compile(source, "/srv/app.py", "exec"), names)
    if seen:
        log.addFilter(lambda record: True)
    handler.setFormatter(logging.Formatter(fmt, style=style))
    for turn in range(OFTEN):
        names["logs"](log, "turn %d", turn, user="eve", ip=f"10.0.0.{turn}")
    handler.setFormatter(logging.Formatter(fmt, style=style, defaults={"user": "nobody", "ip": "-"}))
    for turn in range(OFTEN):
        names["logs"](log, "turn %d", turn, **({"ip": turn} if turn % 2 else {"user": "eve"}))


@same_as_stdlib
@pytest.mark.parametrize(
    "fmt", ["%(filename)d %(lineno)d", "%(lineno)c %(filename)s", "%(lineno)s %(filename)x", "%(lineno)d %(nothing)s"]
)
def test_formats_that_fail(w, fmt, monkeypatch):
    log, handler, _ = w.plain("%(message)s")
    monkeypatch.setattr(handler, "handleError", lambda record: w.note(sys.exc_info()[1]))
    handler.setFormatter(logging.Formatter(fmt, validate=False))
    logs = function_in("/srv/app.py")
    for turn in range(OFTEN):
        logs(log, "turn %d", turn)


@same_as_stdlib
def test_texts_of_all_short_lengths(w):
    """Up to and beyond what is copied in one block, or in two."""
    log, _, _ = w.plain("%(funcName)s%(lineno)d|%(message)s|%(funcName)s")
    for length in range(1, 40):
        logs = function_in("/srv/app.py", name="f" * length)
        for turn in range(20):
            logs(log, "%s", "x" * (length + turn))


@same_as_stdlib
def test_a_line_that_grows_beyond_its_room(w):
    log, _, _ = w.plain("%(message)s %(filename)s:%(lineno)d:%(funcName)s %(message)s")
    logs = function_in("/srv/" + "f" * 12 + ".py", 1000)
    for length in [*range(180, 260), *range(16_300, 16_420, 7)]:
        logs(log, "%s", "x" * length)


@pytest.mark.usefixtures("tier")
@pytest.mark.parametrize("tier", ["installed", "stdlib"], indirect=True)
def test_threads_that_share_places():
    """Each thread logs from the same lines with a format, a handler and a logger class of its own."""
    here, there = function_in("/srv/here.py", 3), function_in("/srv/there.py", 4)
    wrong, ready = [], threading.Barrier(4)

    class Own(logging.Logger):
        pass

    def work(number):
        fmt = ["%(filename)s:%(lineno)d ", "%(module)s %(lineno)04d ", "%(funcName)s:%(lineno)d ", "%(lineno)d%(filename)s "][
            number
        ]
        texts = [
            fmt % {"filename": f"{m}.py", "module": m, "lineno": n, "funcName": "logs"} for m, n in (("here", 3), ("there", 4))
        ]
        stream = io.StringIO()
        handler = [logging.StreamHandler, type("Handler", (logging.StreamHandler,), {})][number % 2](stream)
        handler.setFormatter(logging.Formatter(fmt + "%(message)s"))
        log = [logging.Logger, Own][number // 2]("own")
        log.addHandler(handler)
        ready.wait()
        for turn in range(3000):
            (here, there)[turn % 2](log, "%d", turn)
        lines = stream.getvalue().splitlines()
        wrong.extend(line for turn, line in enumerate(lines) if line != f"{texts[turn % 2]}{turn}")
        if len(lines) != 3000:
            wrong.append(len(lines))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@same_as_stdlib
@pytest.mark.parametrize("many", [2, 3, 5])
def test_formats_take_turns(w, many):
    log = w.logger()
    for fmt, style in FORMATS[:many]:
        log.addHandler(w.handler(fmt, style=style))
    here, there = function_in("/srv/here.py"), function_in("/srv/there.py", 200)
    for turn in range(2 * OFTEN):
        here(log, "here %d", turn)
        if turn % 3:
            there(log, "there")


@same_as_stdlib
def test_a_formatter_is_changed(w):
    log, handler, _ = w.plain("%(filename)s:%(lineno)d %(message)s")
    logs = function_in("/srv/app.py", 5)

    def often(what):
        for _ in range(OFTEN):
            logs(log, what)

    often("first")
    handler.formatter._style._fmt = "%(funcName)s:%(lineno)d %(message)s"
    often("its style")
    handler.formatter._fmt = "%(module)s:%(lineno)d %(message)s"
    often("its format, which only the style uses")
    handler.setFormatter(logging.Formatter("%(funcName)s %(module)s"))
    often("itself")
    handler.setFormatter(logging.Formatter("{lineno}{lineno}", style="{"))
    often("to another style")


@same_as_stdlib
def test_more_lines_than_are_remembered(w):
    log, _, _ = w.plain("%(filename)s:%(lineno)d|%(message)s")
    names = {}
    for file in ("one.py", "two.py", "three.py"):
        source = "\n".join(f"    log.info('{line}')" for line in range(1500))
        exec(compile("def logs(log):\n" + source, file, "exec"), names)
        for _ in range(20):
            names["logs"](log)


@same_as_stdlib
def test_code_that_comes_and_goes(w):
    """What stands at an address is another line soon."""
    log, _, _ = w.plain("%(filename)s:%(lineno)d:%(funcName)s %(message)s")
    for turn in range(200):
        logs = function_in(f"/srv/{turn % 7}.py", turn % 11 + 1, f"logs_{turn % 5}")
        for _ in range(20):
            logs(log, "%d", turn)
        del logs
        if turn % 50 == 0:
            gc.collect()


@same_as_stdlib
def test_code_with_another_file_and_line(w):
    log, _, _ = w.plain("%(filename)s:%(lineno)d:%(funcName)s %(message)s")
    logs = function_in("/srv/app.py", 5)
    first = logs.__code__
    for code in (
        first,
        first.replace(co_filename="/srv/b.py"),
        first.replace(co_firstlineno=70),
        first.replace(co_name="named"),
        first,
    ):
        logs.__code__ = code
        for _ in range(OFTEN):
            logs(log, "logged")


@same_as_stdlib
def test_a_filter_changes_what_the_record_says(w):
    log, handler, _ = w.plain("%(filename)s:%(lineno)d:%(funcName)s %(message)s")
    logs = function_in("/srv/app.py", 5)

    def change(record):
        turn = int(record.getMessage())
        if turn % 3 == 1:
            record.filename, record.lineno = "changed.py", -turn
        if turn % 5 == 1:
            del record.funcName
            record.funcName = "anew"
        return True

    for turn in range(3 * OFTEN):
        if turn == OFTEN:
            log.addFilter(change)
        if turn == 2 * OFTEN:
            log.removeFilter(change)
            handler.addFilter(change)
        logs(log, "%d", turn)


@same_as_stdlib
def test_somebody_else_says_what_a_file_is_called(w, monkeypatch):
    log, _, _ = w.plain("%(filename)s:%(lineno)d:%(module)s %(message)s")
    logs = function_in("/srv/app.py", 5)
    basename = os.path.basename
    for patch in (basename, lambda path: "patched " + basename(path), basename):
        monkeypatch.setattr(os.path, "basename", patch)
        for _ in range(OFTEN):
            logs(log, "logged")


@same_as_stdlib
def test_somebody_else_says_what_is_logging_s_own(w, monkeypatch):
    """The caller of a function in a file that is `logging`'s own is told."""
    log, _, _ = w.plain("%(filename)s:%(lineno)d:%(funcName)s %(message)s")
    logs = function_in("/srv/app.py", 5)
    for file in (logging._srcfile, "/srv/app.py", logging._srcfile, None):
        monkeypatch.setattr(logging, "_srcfile", file)
        for _ in range(OFTEN):
            logs(log, "logged")


@same_as_stdlib
def test_stacklevel_and_find_caller(w):
    log, _, _ = w.plain("%(filename)s:%(lineno)d:%(funcName)s %(message)s")
    names = {}
    source = "def logs(log, turn): log.info('level %d', turn, stacklevel=turn % 4)\ndef calls(*args):\n    logs(*args)"
    exec(compile(source, "/srv/app.py", "exec"), names)
    for turn in range(4 * OFTEN):
        names["calls"](log, turn)


class TellsPlaces(logging.Logger):
    """Says where it was called from, in its own way."""

    def findCaller(self, stack_info=False, stacklevel=1):
        """Another line for every call."""
        self.line = getattr(self, "line", 0) + 1
        return "/srv/own.py", self.line, "found", None


@same_as_stdlib
def test_a_logger_that_finds_its_caller(w):
    handler = w.handler("%(filename)s:%(lineno)d:%(funcName)s %(message)s")
    logs = function_in("/srv/app.py", 5)
    own = TellsPlaces("own")
    own.addHandler(handler)
    plain = w.logger()
    plain.addHandler(handler)
    for turn in range(2 * OFTEN):
        logs(own if turn % 3 == 0 else plain, "%d", turn)
