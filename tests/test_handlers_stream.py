"""Handler, StreamHandler, NullHandler and errors while handling."""

import io
import logging
import sys
import threading

import pytest
from oracle import same_as_stdlib

NEWER = sys.version_info >= (3, 13)


class Stream:
    """Writes down each call."""

    def __init__(self, w, **errors):
        self.w, self.errors = w, errors

    def write(self, text):
        self.w.note("write", text)
        if "write" in self.errors:
            raise self.errors["write"]("from write")
        return len(text)

    def flush(self):
        self.w.note("flush")
        if "flush" in self.errors:
            raise self.errors["flush"]("from flush")


@same_as_stdlib
def test_one_write_then_one_flush(w):
    """Contract 5.5, item 33."""
    log, handler, _ = w.plain()
    handler.stream = Stream(w)
    log.info("a")
    log.info("b\nc")
    log.info("\xe9\u20ac\U0001f600")
    log.info("")
    handler.terminator = ""
    log.info("d")


@same_as_stdlib
@pytest.mark.parametrize(
    "error", [ValueError, OSError, RecursionError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, StopIteration]
)
@pytest.mark.parametrize("where", ["write", "flush", "format", "str"])
def test_errors_while_emitting(w, error, where):
    """Contract 5.5, item 33: RecursionError and BaseException pass, every other Exception goes to handleError."""
    log, handler, _ = w.plain()
    second = w.handler("second %(message)s")
    log.addHandler(second)
    handler.stream = Stream(w, **{where: error})

    class Argument:
        def __str__(self):
            if where == "str":
                raise error("from str")
            return "argument"

    if where == "format":

        def failing(record):
            raise error("from format")

        handler.format = failing
    w.catch(log.info, "x %s", Argument())
    w.catch(log.info, Argument())
    w.note("lock", handler.lock.acquire(blocking=False))
    w.note("context", sys.exc_info())


@same_as_stdlib
def test_verdict_of_handle(w):
    """Contract 5.5, item 31: even if emit failed."""
    handler = w.handler("%(message)d")
    record = logging.makeLogRecord({"msg": "x", "levelno": 20})
    w.note("verdict", handler.handle(record))
    handler.addFilter(lambda record: 0)
    w.note("verdict", handler.handle(record))
    w.note("verdict", logging.NullHandler().handle(record), logging.NullHandler().emit(record))


@same_as_stdlib
def test_lock_is_held_during_emit_and_is_the_very_object(w):
    """Contract 5.5, item 32."""
    log, handler, _ = w.plain()
    if not hasattr(handler.lock, "_is_owned"):
        pytest.skip("this interpreter's RLock does not tell its owner")
    seen = []
    handler.format = lambda record: seen.append(handler.lock._is_owned()) or "text"
    log.info("x")
    with handler.lock:
        log.info("re-entrant")
    handler.acquire()
    log.info("from outside")
    handler.release()
    w.note("owned", seen, handler.lock._is_owned())


@same_as_stdlib
def test_another_thread_waits_for_the_lock(w):
    """Contract 5.5, item 32."""
    log, handler, stream = w.plain()
    handler.acquire()
    started = threading.Event()

    def work():
        started.set()
        log.info("from the thread")

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    w.note("written", stream.getvalue())
    handler.release()
    thread.join()
    w.note("written", stream.getvalue())


@same_as_stdlib
def test_acquire_and_release_overridden(w):
    """Contract 2.2: called up to 3.12, not from 3.13 on."""

    class Mine(logging.StreamHandler):
        def acquire(self):
            w.note("acquire")
            super().acquire()

        def release(self):
            w.note("release")
            super().release()

    log, handler, _ = w.plain(cls=Mine)
    log.info("x")
    handler.flush()
    handler.setStream(w.stream())
    handler.close()


@same_as_stdlib
def test_create_lock_overridden(w):
    class Mine(logging.StreamHandler):
        def createLock(self):
            w.note("createLock")
            self.lock = None

    log, handler, _ = w.plain(cls=Mine)
    w.catch(log.info, "x")
    w.catch(handler.acquire)
    w.catch(handler.release)
    w.catch(handler.flush)
    w.note("null", logging.NullHandler().lock)


@same_as_stdlib
@pytest.mark.parametrize("stream", ["none", "no flush", "falsy", "flush is none", "write is none", "text", "number"])
def test_streams_of_odd_kinds(w, stream):
    """Contract 5.5, item 33: flush only if the stream is truthy and has `flush`."""
    kinds = {
        "no flush": type("S", (), {"write": lambda self, text: w.note("write", text)})(),
        "falsy": type("S", (Stream,), {"__len__": lambda self: 0})(w),
        "flush is none": type("S", (Stream,), {"flush": None})(w),
        "write is none": type("S", (Stream,), {"write": None})(w),
        "text": "text",
        "number": 5,
    }
    log, handler, _ = w.plain()
    handler.stream = kinds.get(stream)
    log.info("x")
    w.catch(handler.flush)
    w.catch(handler.setStream, io.StringIO())
    w.catch(repr, handler)


@same_as_stdlib
@pytest.mark.parametrize("when", ["stream", "write"])
def test_a_terminator_that_changes_when_the_stream_is_looked_up(w, when):
    """The terminator is read after `stream.write`, whoever made the text."""

    class Told(logging.StreamHandler):
        @property
        def stream(self):
            if when == "stream":
                self.__dict__ = {**vars(self), "terminator": "!\n"}
            return Looked()

        @stream.setter
        def stream(self, stream):
            pass

    class Looked:
        @property
        def write(self):
            if when == "write":
                handler.terminator = "?\n"
            return lambda text: w.note("write", text)

    class Shouting(logging.Formatter):
        def format(self, record):
            return super().format(record).upper()

    log, old, _ = w.plain()
    log.removeHandler(old)
    handler = Told()
    handler.setFormatter(Shouting("%(message)s"))
    log.addHandler(handler)
    log.info("x")
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.info("y")


@same_as_stdlib
@pytest.mark.parametrize("text", ["", "x", "\xe9", "\u20ac", "\U0001f600", "long" * 100])
@pytest.mark.parametrize("end", ["", "\n", "\xe9", "\u20ac", "end" * 100])
def test_texts_and_terminators_of_any_kind(w, text, end):
    """Of a formatter in Python, so that it is not put together natively."""
    log, handler, _ = w.plain()
    handler.setFormatter(type("F", (logging.Formatter,), {"format": lambda self, record: text})())
    handler.terminator = end
    handler.stream = Stream(w)
    log.info("x")
    handler.terminator = type("Text", (str,), {"__radd__": lambda self, other: other + "radd"})(end)
    log.info("x")


@same_as_stdlib
def test_emit_in_python_that_changes_while_it_is_reached(w):
    """What runs is what the handler has when its lock has been taken."""

    def later(self, record):
        w.note("later", record.getMessage())

    class Lock:
        def __init__(self, change):
            self.change = change

        def __bool__(self):
            return True

        def acquire(self):
            self.change()

        def release(self):
            w.note("release")

        def __enter__(self):
            self.change()

        def __exit__(self, *_):
            w.note("release")

    class Own(logging.Handler):
        def emit(self, record):
            w.note("first", record.getMessage())

    log, old, _ = w.plain()
    log.removeHandler(old)
    handler = Own()
    log.addHandler(handler)
    log.info("a")
    handler.lock = Lock(lambda: setattr(Own, "emit", later))
    log.info("b")
    handler.lock = Lock(lambda: setattr(handler, "emit", lambda record: w.note("own", record.msg)))
    log.info("c")
    handler.lock = Lock(lambda: vars(handler).pop("emit", None))
    log.info("d")
    handler.lock = threading.RLock()
    log.info("e")


@same_as_stdlib
def test_stream_defaults_to_the_stderr_of_the_moment(w):
    handler = logging.StreamHandler()
    w.note("stderr", handler.stream is sys.stderr)
    w.note(
        "given", logging.StreamHandler(None).stream is sys.stderr, logging.StreamHandler(stream=sys.stdout).stream is sys.stdout
    )
    falsy = type("S", (io.StringIO,), {"__bool__": lambda self: False})()
    w.note("falsy", logging.StreamHandler(falsy).stream is falsy)


@same_as_stdlib
def test_set_stream(w):
    log, handler, stream = w.plain()
    other = w.stream()
    w.note("old", handler.setStream(other) is stream, handler.setStream(other), handler.setStream(None) is other)
    handler.setStream(Stream(w))
    log.info("x")
    handler.setStream(stream)
    log.info("y")


@same_as_stdlib
def test_handle_error(w):
    """Contract 5.5, item 34."""
    log, handler, _ = w.plain()
    for msg, args in (("%d", ("x",)), ("%s %s", (1,)), ("x", (1,)), ("%(a)s", ({"b": 1},)), (b"%s", (1,)), ("%", (1,))):
        log.info(msg, *args)
    logging.raiseExceptions = False
    log.info("%d", "silent")
    logging.raiseExceptions = True
    saved, sys.stderr = sys.stderr, None
    w.catch(log.info, "%d", "no stderr")
    sys.stderr = saved
    w.catch(handler.handleError, logging.makeLogRecord({"msg": "nothing raised"}))
    try:
        raise LookupError("by hand")
    except LookupError:
        w.catch(handler.handleError, logging.makeLogRecord({"msg": "by hand", "args": (1,)}))
        w.catch(handler.handleError, None)
        w.catch(handler.handleError, object())


@same_as_stdlib
def test_arguments_that_cannot_be_shown_in_an_error(w):
    """Contract 5.5, item 34: guarded."""

    class Bad:
        def __str__(self):
            raise LookupError("no text")

        __repr__ = __str__

    class Worse:
        def __repr__(self):
            raise RecursionError("no text")

    log, _, _ = w.plain()
    log.info("%d", Bad())
    log.info(Bad(), 1)
    w.catch(log.info, "%d", Worse())
    log.info("%s %s", {"a": Bad()})  # noqa: PLE1206


@same_as_stdlib
def test_call_stack_in_an_error_starts_outside_logging(w):
    log, handler, _ = w.plain()

    def inner():
        log.info("%d", "x")

    class Mine(logging.StreamHandler):
        def emit(self, record):
            super().emit(record)

    inner()
    handler.__class__ = Mine
    inner()
    logging.LoggerAdapter(log, None).info("%d", "y")


@same_as_stdlib
def test_handle_error_overridden_sees_the_error_and_the_very_record(w):
    """Contract 1.6 and design 6: a live sys.exc_info(), the raw msg and args."""
    seen = []

    class Mine(logging.StreamHandler):
        def handleError(self, record):
            kind, error, trace = sys.exc_info()
            w.note("error", kind, str(error), trace is not None, record.msg, record.args)
            seen.append(record)
            if record.msg == "%d reraise":
                raise  # noqa: PLE0704 - the error being handled

    log, handler, _ = w.plain(cls=Mine)
    records = w.keeper(log)
    log.info("%d", "x")
    with pytest.raises(TypeError, match="%d"):
        log.info("%d reraise", "y")
    w.note("same", seen[0] is records[0], len(records))
    w.note("after", sys.exc_info())


@same_as_stdlib
def test_one_failing_handler_does_not_starve_the_next(w):
    log, handler, _ = w.plain("%(message)d")
    log.addHandler(w.handler("second %(message)s"))
    log.info("x")

    class Breaking(logging.Handler):
        def emit(self, record):
            raise LookupError("nobody's")

    log.handlers.insert(0, Breaking())
    w.catch(log.info, "y")


@same_as_stdlib
def test_names_of_handlers(w):
    """Contract 5.5, item 36."""
    one, two = w.handler(), w.handler()
    one.name = "a"
    w.note("named", one.name, one.get_name(), sorted(logging._handlers))
    two.set_name("a")
    w.note("taken over", logging._handlers["a"] is two, one.name)
    one.name = "b"
    w.note("removed", sorted(logging._handlers))
    two.name = None
    w.note("none", sorted(logging._handlers, key=str))
    one.name = ""
    w.note("empty", sorted(logging._handlers, key=str))
    one.name = 5
    w.note("number", list(logging._handlers), one.name)
    w.catch(one.set_name, [])
    one._name = None
    one.name = "c"
    if sys.version_info >= (3, 12):
        w.note(
            "found",
            logging.getHandlerByName("c") is one,
            logging.getHandlerByName("zz"),
            sorted(logging.getHandlerNames()),
            type(logging.getHandlerNames()),
        )


@same_as_stdlib
def test_close_removes_the_name_only(w):
    """Contract 5.5, item 36: the weak list entry stays until the object dies."""
    handler = w.handler()
    handler.name = "a"
    before = len(logging._handlerList)
    handler.close()
    w.note(
        "closed", sorted(logging._handlers), len(logging._handlerList) == before, handler.name, getattr(handler, "_closed", None)
    )
    handler.close()
    log = w.logger()
    log.addHandler(handler)
    log.info("still writes")
    log.removeHandler(handler)
    del handler
    w.note("died", len(logging._handlerList) == before - 1)


@same_as_stdlib
def test_base_handler(w):
    handler = logging.Handler("ERROR")
    w.note("vars", list(vars(handler)), handler.level, repr(handler))
    record = logging.makeLogRecord({"msg": "m", "levelno": 20})
    w.catch(handler.emit, record)
    w.catch(handler.handle, record)
    w.catch(handler.format, record)
    w.note("flush", handler.flush(), handler.close())
    w.catch(logging.Handler, "nothing")
    log = w.logger()
    log.addHandler(logging.Handler())
    w.catch(log.info, "not implemented")
    log.handlers[:] = []


@same_as_stdlib
def test_null_handler(w):
    handler = logging.NullHandler()
    record = logging.makeLogRecord({"msg": "%d", "args": ("x",), "levelno": 20})
    w.note(
        "nothing",
        handler.handle(record),
        handler.emit(record),
        handler.createLock(),
        handler.lock,
        handler.acquire(),
        handler.release(),
    )
    w.note("more", handler._at_fork_reinit(), handler.flush() if not NEWER else None)

    class Mine(logging.NullHandler):
        def handle(self, record):
            w.note("handle", record.msg)

    log = w.logger()
    log.addHandler(Mine())
    log.info("x")


@same_as_stdlib
def test_default_formatter(w):
    handler = logging.StreamHandler(w.stream())
    record = logging.makeLogRecord({"msg": "m %s", "args": (1,), "levelno": 20})
    w.note("text", handler.format(record))
    handler.handle(record)
    handler.setFormatter(None)
    handler.handle(record)


@same_as_stdlib
def test_class_getitem_and_subclass_with_own_init(w):
    """Contract 5.1, item 1: any `__init__`."""

    class Mine(logging.StreamHandler):
        def __new__(cls, *args, **kwargs):
            return super().__new__(cls)

        def __init__(self, first, *, stream):
            super().__init__(stream)
            self.first = first

    log, _, _ = w.plain()
    log.handlers[:] = [mine := Mine("f", stream=w.stream())]
    log.info("x")
    w.note("first", mine.first, repr(logging.StreamHandler[str]))


@same_as_stdlib
def test_text_that_the_stream_cannot_encode(w):
    raw = io.BytesIO()
    log, handler, _ = w.plain("%(message)s")
    handler.stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    for text in ("plain", "\xe9", "\ud800", "after"):
        log.info(text)
    w.note("bytes", raw.getvalue())


@same_as_stdlib
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"newline": "\r\n"},
        {"newline": ""},
        {"line_buffering": True},
        {"write_through": True},
        {"encoding": "utf-16"},
        {"errors": "replace", "encoding": "latin-1"},
    ],
)
def test_text_wrappers_of_every_kind(w, options):
    raw = io.BytesIO()
    log, handler, _ = w.plain("%(message)s")
    handler.stream = io.TextIOWrapper(raw, **{"encoding": "utf-8", **options})
    log.info("a\xe9\u20ac")
    handler.stream.write("mine\n")
    log.info("b\nc")
    w.note("bytes", raw.getvalue())
    handler.stream.detach()
