"""Logging from inside a log call: from `__str__`, filters, formatters, handlers, streams, factories."""

import textwrap

import pytest

START = """
    import io, logging, logging.handlers, sys

    log = logging.getLogger("l")
    log.setLevel(10)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(funcName)s %(message)s"))
    file = logging.FileHandler("app.log")
    log.addHandler(handler)
    log.addHandler(file)

    class Quiet:
        # Logs once for each time it is asked, not for ever.
        depth = 0
        def once(self, *args):
            if Quiet.depth < 2:
                Quiet.depth += 1
                try:
                    log.info(*args)
                finally:
                    Quiet.depth -= 1
"""

CASES = {
    "__str__ of the message": """
        class Text(Quiet):
            def __str__(self):
                self.once("from str: %s", self)
                return "text"
        log.info(Text())
    """,
    "__str__ of an argument": """
        class Text(Quiet):
            def __str__(self):
                self.once("from str: %s", "inner")
                return "text"
        log.info("%s and %s", Text(), Text())
    """,
    "__repr__, __int__, __float__, __index__, __format__": """
        class Text(Quiet):
            def __repr__(self):
                self.once("from repr")
                return "text"
            def __int__(self):
                self.once("from int")
                return 3
            def __index__(self):
                self.once("from index")
                return 4
            def __float__(self):
                self.once("from float")
                return 5.5
            def __format__(self, spec):
                self.once("from format")
                return "formatted " + spec
        log.info("%r %a %d %x %f", Text(), Text(), Text(), Text(), Text())
        handler.setFormatter(logging.Formatter("{levelname} {message} {text:>5}", style="{"))
        log.info("brace", extra={"text": Text()})
        handler.setFormatter(logging.Formatter("$levelname $message $text", style="$"))
        log.info("dollar", extra={"text": Text()})
    """,
    "a mapping argument": """
        import collections.abc
        class Map(collections.abc.Mapping, Quiet):
            def __getitem__(self, key):
                self.once("getitem %s", key)
                return key.upper()
            def __len__(self):
                self.once("len")
                return 1
            def __iter__(self):
                return iter(["a"])
        log.info("%(a)s %(b)s", Map())
    """,
    "logger filter, handler filter, filter object": """
        class Filter(Quiet, logging.Filter):
            def filter(self, record):
                self.once("from filter, record %s", record.getMessage())
                return True
        log.addFilter(Filter())
        handler.addFilter(lambda record: Quiet().once("from callable") or True)
        file.addFilter(Filter("l"))
        log.info("outer")
    """,
    "formatter": """
        class Formatter(Quiet, logging.Formatter):
            def format(self, record):
                self.once("from format")
                return super().format(record)
            def formatTime(self, record, datefmt=None):
                self.once("from formatTime")
                return "now"
            def formatException(self, info):
                self.once("from formatException")
                return "exception"
            def formatMessage(self, record):
                self.once("from formatMessage")
                return super().formatMessage(record)
        handler.setFormatter(Formatter("%(asctime)s %(message)s"))
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("outer")
    """,
    "converter of a formatter": """
        import time
        class Formatter(Quiet, logging.Formatter):
            def converter(self, seconds):
                self.once("from converter")
                return time.gmtime(0)
        handler.setFormatter(Formatter("%(asctime)s %(message)s"))
        log.info("outer")
    """,
    "emit, handle, format of a handler": """
        class Handler(Quiet, logging.StreamHandler):
            def emit(self, record):
                self.once("from emit")
                super().emit(record)
                self.once("after emit")
            def handle(self, record):
                self.once("from handle")
                return super().handle(record)
            def format(self, record):
                self.once("from format")
                return super().format(record)
            def flush(self):
                self.once("from flush")
                super().flush()
        log.addHandler(Handler(stream))
        log.info("outer")
    """,
    "handleError": """
        class Handler(Quiet, logging.StreamHandler):
            def handleError(self, record):
                log.info("error: %r args %r", sys.exc_info()[1], record.args) if len(record.args) == 1 else None
        log.addHandler(Handler(stream))
        logging.raiseExceptions = False
        log.info("%s %s", 1)
    """,
    "write and flush of a stream": """
        class Stream(Quiet):
            parts = []
            def write(self, text):
                self.parts.append(text)
                self.once("from write")
            def flush(self):
                self.once("from flush")
        log.addHandler(logging.StreamHandler(Stream()))
        log.info("outer")
        print(Stream.parts)
    """,
    "stdout made a logger": """
        class Out:
            def write(self, text):
                if text.strip():
                    log.info("stdout: %s", text.rstrip())
            def flush(self):
                pass
        real, sys.stdout = sys.stdout, Out()
        class Printing(logging.Handler):
            busy = False
            def emit(self, record):
                if not self.busy:
                    self.busy = True
                    print("printed", record.getMessage())
                    self.busy = False
        log.addHandler(Printing())
        log.info("outer")
        sys.stdout = real
    """,
    "record factory and makeRecord": """
        def factory(*args, **kwargs):
            Quiet().once("from factory")
            return logging.LogRecord(*args, **kwargs)
        logging.setLogRecordFactory(factory)
        class Logger(logging.Logger, Quiet):
            def makeRecord(self, *args, **kwargs):
                self.once("from makeRecord")
                return super().makeRecord(*args, **kwargs)
            def isEnabledFor(self, level):
                self.once("from isEnabledFor")
                return super().isEnabledFor(level)
        logging.setLoggerClass(Logger)
        logging.getLogger("l.sub").info("outer")
    """,
    "memory handler's target": """
        class Target(logging.Handler, Quiet):
            def emit(self, record):
                self.once("from target %s", record.getMessage())
        memory = logging.handlers.MemoryHandler(3, target=Target())
        log.addHandler(memory)
        for i in range(7):
            log.info("message %d", i)
        log.removeHandler(memory)
        memory.close()
    """,
    "a property of extra and of the logger": """
        class Logger(logging.Logger, Quiet):
            @property
            def disabled(self):
                if "ready" in self.__dict__:
                    self.once("from disabled")
                return False
            @disabled.setter
            def disabled(self, value):
                pass
        logging.setLoggerClass(Logger)
        sub = logging.getLogger("l.property")
        sub.ready = True
        sub.info("outer")
    """,
    "time.time": """
        import time
        real, real_ns = time.time, time.time_ns
        def fake():
            Quiet().once("from time")
            return 1.5
        time.time, time.time_ns = fake, lambda: int(fake() * 1e9)
        handler.setFormatter(logging.Formatter("%(created)s %(msecs)s %(message)s"))
        log.info("outer")
        time.time, time.time_ns = real, real_ns
    """,
    "warnings captured while a record is formatted": """
        import warnings
        logging.captureWarnings(True)
        logging.getLogger("py.warnings").addHandler(handler)
        class Text:
            def __str__(self):
                warnings.warn("from str")
                return "text"
        warnings.simplefilter("always")
        log.info("%s", Text())
    """,
    "sys.audit hook and trace function": """
        busy = []
        def hook(event, args):
            if event == "open" and not busy:
                busy.append(1)
                log.info("opened")
                busy.clear()
        sys.addaudithook(hook)
        other = logging.FileHandler("other.log")
        log.addHandler(other)
        def trace(frame, event, arg):
            if frame.f_code.co_name == "work" and event == "line" and not busy:
                busy.append(1)
                log.info("traced")
                busy.clear()
            return trace
        def work():
            log.info("one")
            log.info("two")
        sys.settrace(trace)
        work()
        sys.settrace(None)
        busy.append(1)
    """,
}


@pytest.mark.parametrize("case", CASES)
def test_logging_from(run, case):
    run(
        textwrap.dedent(START) + textwrap.dedent(CASES[case]) + "\nprint(stream.getvalue())\n",
        files=("app.log", "other.log"),
        masks=[(r"00,\d\d\d ", "00,xxx ")],
    )


def test_lock_is_held_in_emit_and_re_entrant_there(run):
    run(
        """
        import logging, threading

        class Handler(logging.Handler):
            def emit(self, record):
                owned = self.lock._is_owned()
                self.acquire()
                again = self.lock._is_owned()
                self.release()
                print(owned, again, self.lock._is_owned(), record.getMessage())
        handler = Handler()
        log = logging.getLogger("l")
        log.addHandler(handler)
        log.warning("one")
        print(handler.lock._is_owned())
        with handler.lock:
            log.warning("two")
            print(handler.lock._is_owned())
        print(handler.lock._is_owned())
        """
    )


def test_two_handlers_that_log_to_each_other_in_two_threads(run):
    """A classic for native mutexes; with the stdlib's locks only a true lock-order inversion would hang."""
    run(
        """
        import io, logging, sys, threading

        sys.setswitchinterval(1e-5)
        a, b = logging.getLogger("a"), logging.getLogger("b")
        for log in (a, b):
            log.propagate = False
        out = io.StringIO()
        class Text:
            def __init__(self, other):
                self.other = other
            def __str__(self):
                self.other.info("disabled from str")   # below the level: must take no lock at all
                return "text"
        for log in (a, b):
            log.setLevel(30)
            log.addHandler(logging.StreamHandler(out))
        def work(one, other):
            for _ in range(3000):
                one.warning("%s", Text(other))
        threads = [threading.Thread(target=work, args=pair) for pair in ((a, b), (b, a)) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(out.getvalue().count("text"))
        """
    )
