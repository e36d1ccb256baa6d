"""Errors and changes in the middle of a dispatch: who gets the record, what is raised, which locks stay taken."""

import textwrap

import pytest

FREE = """
    import io, logging, logging.handlers, sys, threading

    def free(*locks):
        # Asked from another thread: is every lock free?
        answers = []
        def ask():
            for lock in locks:
                answers.append(lock.acquire(blocking=False))
                if answers[-1]:
                    lock.release()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return answers
    log = logging.getLogger("a.b")
    log.setLevel(10)
    root = logging.getLogger()
"""


def program(text):
    return textwrap.dedent(FREE) + textwrap.dedent(text)


def test_handlers_remove_and_add_themselves_during_dispatch(run):
    """The stdlib iterates over the live list: a handler that removes itself makes the next one be skipped."""
    run(
        program("""
        class Once(logging.Handler):
            def __init__(self, name, how):
                super().__init__()
                self.name, self.how = name, how
            def emit(self, record):
                print(self.name, record.getMessage())
                self.how(self)
        def remove(handler):
            log.removeHandler(handler)
        def clear(handler):
            log.handlers.clear()
        def replace(handler):
            log.handlers = [plain]
        def add(handler):
            if len(log.handlers) < 6:
                log.addHandler(Once(f"added {len(log.handlers)}", add))
        def insert(handler):
            if len(log.handlers) < 6:
                log.handlers.insert(0, Once(f"inserted {len(log.handlers)}", lambda h: None))
        def drop_parent(handler):
            log.parent = None
        def stop(handler):
            log.propagate = False
        def close(handler):
            handler.close()
        plain = Once("plain", lambda handler: None)
        for how in (remove, clear, replace, add, insert, drop_parent, stop, close):
            print("--", how.__name__)
            log.handlers = [Once("first", lambda h: None), Once("second", how), Once("third", how), Once("fourth", lambda h: None)]
            root.handlers = [Once("root", lambda h: None)]
            log.parent, log.propagate = root, True
            log.info("one")
            log.info("two")
            root.handlers = []
        """),
        native=None,
    )


def test_a_self_removing_handler_without_python_in_between(run):
    """The native way of the same: the filter of a plain StreamHandler changes the list it is in."""
    run(
        program("""
        streams = [io.StringIO() for _ in range(4)]
        log.propagate = False
        handlers = [logging.StreamHandler(stream) for stream in streams]
        for handler in handlers:
            log.addHandler(handler)
        def remove(record):
            log.removeHandler(handlers[1])
            return True
        handlers[1].addFilter(remove)
        log.info("one")
        log.info("two")
        weak = __import__("weakref").ref(handlers.pop(1))
        def drop(record):
            handlers.clear()
            log.handlers.clear()
            return True
        handlers[1].addFilter(drop)
        log.info("three")
        log.info("four")
        __import__("gc").collect()
        print(weak(), [stream.getvalue() for stream in streams])
        """)
    )


def test_filters_change_the_list_of_filters(run):
    run(
        program("""
        calls = []
        def first(record):
            calls.append("first")
            log.removeFilter(first)
            return True
        def second(record):
            calls.append("second")
            if len(log.filters) < 5:
                log.filters.insert(0, third)
            return True
        def third(record):
            calls.append("third")
            log.filters.clear()
            return True
        log.filters = [first, second, third]
        log.addHandler(logging.StreamHandler(sys.stdout))
        log.info("one")
        print(calls, len(log.filters))
        log.info("two")
        """)
    )


def test_one_failing_handler_never_starves_the_next(run):
    run(
        program("""
        class Bad(logging.Handler):
            def emit(self, record):
                raise ValueError("bad")    # as the stdlib: emit's own business to call handleError
        class Handled(logging.StreamHandler):
            def format(self, record):
                raise ValueError("bad format")
        class BadStream:
            def write(self, text):
                raise OSError(5, "bad write")
            def flush(self):
                raise OSError(5, "bad flush")
        good = [io.StringIO() for _ in range(4)]
        log.propagate = False
        for i, bad in enumerate((Handled(sys.stderr), logging.StreamHandler(BadStream()),
                                 logging.handlers.MemoryHandler(1, target=logging.StreamHandler(BadStream())))):
            log.addHandler(logging.StreamHandler(good[i]))
            log.addHandler(bad)
        log.addHandler(logging.StreamHandler(good[3]))
        for i in range(2):
            log.error("line %d", i)
        log.error("too few %s %s", 1)
        print([stream.getvalue() for stream in good])
        """)
    )


def test_handle_error_has_the_live_exception_and_the_raw_message(run):
    run(
        program("""
        class Handler(logging.StreamHandler):
            def handleError(self, record):
                kind, exc, tb = sys.exc_info()
                print(kind, exc, tb is exc.__traceback__, type(record).__name__)
                print(repr(record.msg), record.args, hasattr(record, "message"), self.lock._is_owned())
                names = []
                while tb:
                    names.append(tb.tb_frame.f_code.co_name)
                    tb = tb.tb_next
                print(names)
                print(exc.__context__)
        class Stream:
            def write(self, text):
                raise OSError("from write")
            def flush(self):
                pass
        class Text:
            def __str__(self):
                raise KeyError("from str")
            __repr__ = lambda self: "Text()"
        log.propagate = False
        handler = Handler(Stream())
        log.addHandler(handler)
        def work():
            log.info("a %s", "b")
            log.info("%d", "not a number")
            log.info("%s %s", 1)
            log.info("no arguments", 1)
            log.info("%(missing)s", {"a": 1})
            log.info(Text())
            log.info("%s", Text())
            try:
                raise LookupError("outer")
            except LookupError:
                log.info("%d", "inside", exc_info=True)
            handler.setFormatter(logging.Formatter("%(nosuch)s"))
            log.info("x")
            handler.formatter.format = lambda record: 3
            log.info("y")
            handler.setFormatter(None)
            handler.terminator = 3
            log.info("z")
        work()
        print(free(handler.lock), sys.exc_info())
        """)
    )


def test_handle_error_prints_what_the_stdlib_prints(run):
    run(
        program("""
        logging.basicConfig(stream=sys.stderr, level=10, format="%(message)s")
        class Text:
            def __repr__(self):
                raise ValueError("bad repr")
            __str__ = __repr__
        class Stream:
            def write(self, text):
                raise OSError("from write")
            def flush(self):
                pass
        def inner():
            logging.info("%d", "x")
            logging.getLogger("c.d").warning("%s %s", 1)
            logging.info("%s", Text())
            logging.info(Text())
            logging.log(35, "%d %d", (1, 2), [3])
            try:
                1 / 0
            except ZeroDivisionError:
                logging.exception("no place for %s", "a", "b")
        def outer():
            inner()
        outer()
        logging.getLogger("s").addHandler(logging.StreamHandler(Stream()))
        logging.getLogger("s").warning("to a bad stream")
        logging.LoggerAdapter(logging.getLogger("s"), {}).warning("%d", "adapter")
        """)
    )


CASES = {
    "emit": ("class H(logging.Handler):\n    def emit(self, record): raise {error}\nadd(H())"),
    "filter of the handler": "h = logging.StreamHandler(sys.stdout)\nh.addFilter(fail)\nadd(h)",
    "filter of the logger": "log.addFilter(fail)\nadd(logging.StreamHandler(sys.stdout))",
    "filter object": (
        "class F(logging.Filter):\n    def filter(self, record): fail()\n"
        "h = logging.StreamHandler(sys.stdout)\nh.addFilter(F())\nadd(h)"
    ),
    "format": (
        "class F(logging.Formatter):\n    def format(self, record): fail()\n"
        "h = logging.StreamHandler(sys.stdout)\nh.setFormatter(F())\nadd(h)"
    ),
    "__str__": "args = (Fails(),)\nadd(logging.StreamHandler(sys.stdout))",
    "__str__ to a file": "args = (Fails(),)\nadd(logging.FileHandler('app.log'))",
    "write": "class S:\n    def write(self, t): fail()\n    def flush(self): pass\nadd(logging.StreamHandler(S()))",
    "flush": "class S:\n    def write(self, t): pass\n    def flush(self): fail()\nadd(logging.StreamHandler(S()))",
    "delayed open": "h = logging.FileHandler('x.log', delay=True)\nh._builtin_open = lambda *a, **k: fail()\nadd(h)",
    "rollover": (
        "h = logging.handlers.RotatingFileHandler('r.log', maxBytes=1, backupCount=1)\n"
        "h.stream.write('full'); h.flush()\nh.rotator = lambda *a: fail()\nadd(h)"
    ),
    "shouldRollover": (
        "class H(logging.handlers.RotatingFileHandler):\n    def shouldRollover(self, record): fail()\nadd(H('r.log'))"
    ),
    "queue": "class Q:\n    def put_nowait(self, item): fail()\nadd(logging.handlers.QueueHandler(Q()))",
    "target of a memory handler": (
        "class T:\n    def handle(self, record): fail()\nadd(logging.handlers.MemoryHandler(1, target=T()))"
    ),
    "handle": "class H(logging.Handler):\n    def handle(self, record): fail()\nadd(H())",
    "handleError": (
        "class H(logging.StreamHandler):\n    def handleError(self, record): fail()\nargs = (1, 2)\nadd(H(sys.stdout))"
    ),
    "acquire": "class H(logging.StreamHandler):\n    def acquire(self): fail()\nadd(H(sys.stdout))",
    "release": ("class H(logging.StreamHandler):\n    def release(self): super().release(); fail()\nadd(H(sys.stdout))"),
    "record factory": "logging.setLogRecordFactory(lambda *a, **k: fail())\nadd(logging.StreamHandler(sys.stdout))",
    "makeRecord": "log.makeRecord = lambda *a, **k: fail()\nadd(logging.StreamHandler(sys.stdout))",
    "findCaller": "log.findCaller = lambda *a, **k: fail()\nadd(logging.StreamHandler(sys.stdout))",
    "callHandlers": "log.callHandlers = lambda *a, **k: fail()\nadd(logging.StreamHandler(sys.stdout))",
    "isEnabledFor": "log.isEnabledFor = lambda *a, **k: fail()\nadd(logging.StreamHandler(sys.stdout))",
    "getMessage": (
        "class R(logging.LogRecord):\n    def getMessage(self): fail()\nlogging.setLogRecordFactory(R)\n"
        "add(logging.StreamHandler(sys.stdout))"
    ),
    "level comparison": (
        "class L(int):\n    def __gt__(self, other): fail()\n    __lt__ = __ge__ = __le__ = __gt__\n"
        "h = logging.StreamHandler(sys.stdout)\nh.level = L(10)\nadd(h)"
    ),
    "current_thread": "threading_fail()\nadd(logging.StreamHandler(sys.stdout))",
    "parent property": (
        "class P:\n    @property\n    def handlers(self): fail()\nlog.parent = P()\nadd(logging.StreamHandler(sys.stdout))"
    ),
}

ERRORS = ("ValueError('e')", "KeyboardInterrupt('k')", "SystemExit(5)", "RecursionError('r')", "MemoryError()")


@pytest.mark.parametrize("where", CASES)
def test_what_is_raised_goes_where_it_goes_on_the_stdlib(run, where):
    """Each kind of error from each step: raised or handled as here, the next handler served as here, locks free."""
    run(
        program("""
        import logging.handlers
        def scenario(error):
            for name in ("makeRecord", "findCaller", "callHandlers", "isEnabledFor"):
                log.__dict__.pop(name, None)
            logging.setLogRecordFactory(logging.LogRecord)
            log.filters[:] = []
            log.handlers[:] = []
            log.parent, log.propagate = root, False
            args = (1,)
            def fail(*a, **k):
                raise error
            class Fails:
                def __str__(self):
                    raise error
                __repr__ = lambda self: "Fails()"
            def add(handler):
                log.addHandler(handler)
                last = logging.StreamHandler(sys.stdout)
                last.setFormatter(logging.Formatter("next handler: %(levelname)s"))
                log.addHandler(last)
            real = logging.threading.current_thread
            def threading_fail():
                logging.threading.current_thread = fail
            space = dict(globals(), **locals())
            try:
                exec(CASE.replace("{error}", "error"), space)
                try:
                    log.warning("message %s", *space["args"])
                finally:
                    logging.threading.current_thread = real
            except BaseException as exc:
                print("raised", repr(exc), exc is error)
            else:
                print("not raised")
            print(free(logging._lock, *[handler.lock for handler in log.handlers]))
        def show(self, record):
            print("handleError", repr(sys.exc_info()[1]), repr(record.msg), record.args)
        logging.Handler.handleError = show
        CASE = <case>
        for error in (<errors>):
            scenario(error)
        logging.raiseExceptions = False     # for shutdown, which meets the same handlers again
        """)
        .replace("<case>", repr(CASES[where]))
        .replace("<errors>", ", ".join(ERRORS)),
        native=None,
    )


def test_locks_are_free_after_errors_in_configuration_calls(run):
    run(
        program("""
        import logging.config
        for call in (lambda: log.setLevel("NO SUCH"), lambda: logging.getLogger(3), lambda: logging.disable("NO SUCH"),
                     lambda: logging.addLevelName([], []), lambda: log.addHandler(3), lambda: log.log("x", "y"),
                     lambda: logging.config.dictConfig({"version": 1, "handlers": {"h": {"class": "no.such"}}}),
                     lambda: logging.basicConfig(nonsense=1), lambda: logging.FileHandler("missing/x"),
                     lambda: logging.StreamHandler(sys.stdout).setStream(3), lambda: log.manager.setLoggerClass(int),
                     lambda: logging.basicConfig(stream=1, filename="x"), lambda: logging.getHandlerByName([])):
            try:
                call()
            except Exception as exc:
                print(type(exc).__name__, str(exc)[:60])
            print(free(logging._lock))
        log.handlers.clear()
        log.warning("end")
        """)
    )


def test_odd_things_in_the_lists(run):
    """Duck-typed and broken handlers, filters and parents: the stdlib's exception, not a crash."""
    run(
        program("""
        class Level:
            level = 10
            def handle(self, record):
                print("duck", record.getMessage())
        log.propagate = False
        for odd in (3, None, object(), Level(), Level, "text", type("NoHandle", (), {"level": 0})(),
                    type("OddLevel", (), {"level": "high", "handle": print})()):
            log.handlers = [odd, logging.StreamHandler(sys.stdout)]
            try:
                log.info("handler %s", type(odd).__name__)
            except Exception as exc:
                print(type(exc).__name__, exc)
        log.handlers = [logging.StreamHandler(sys.stdout)]
        for odd in (3, None, "text", Level(), lambda: True, lambda record: 1 / 0, type("F", (), {"filter": 3})()):
            log.filters = [odd]
            try:
                log.info("filter")
            except Exception as exc:
                print(type(exc).__name__, exc)
        log.filters = []
        for name, values in (("handlers", (None, 3, (), {1: 2}, iter([]))), ("filters", (None, 3, ())),
                             ("parent", (3, None)), ("level", ("x", None, 2.5)), ("disabled", (None, [], [1], "x")),
                             ("name", (None, 3)), ("_cache", (None, 3, {10: 1}, {20: None})), ("manager", (None, 3)),
                             ("propagate", (0, [1]))):
            for value in values:
                saved = getattr(log, name)
                setattr(log, name, value)
                try:
                    log.info("%s", name)
                except Exception as exc:
                    print(name, repr(value)[:12], type(exc).__name__, exc)
                setattr(log, name, saved)
        handler = log.handlers[0]
        for name, values in (("level", ("x", None)), ("filters", (None, 3)), ("lock", (None, 3)), ("stream", (None, 3)),
                             ("formatter", (3, None, object(), logging.Formatter)), ("terminator", (None, 3, b"x"))):
            for value in values:
                saved = getattr(handler, name)
                setattr(handler, name, value)
                try:
                    log.info("%s", name)
                except Exception as exc:
                    print("handler", name, repr(value)[:12], type(exc).__name__, exc)
                setattr(handler, name, saved)
        for name in ("handlers", "filters", "parent", "level", "disabled", "_cache", "propagate", "name"):
            saved = log.__dict__.pop(name)
            try:
                log.info("without %s", name)
            except Exception as exc:
                print("without", name, type(exc).__name__, exc)
            setattr(log, name, saved)
        for name in ("level", "filters", "lock", "stream", "formatter"):
            saved = handler.__dict__.pop(name)
            try:
                log.info("handler without %s", name)
            except Exception as exc:
                print("handler without", name, type(exc).__name__, exc)
            setattr(handler, name, saved)
        """)
    )


def test_objects_whose_init_never_ran(run):
    run(
        program("""
        logging.raiseExceptions = False
        for kind in (logging.Handler, logging.StreamHandler, logging.FileHandler, logging.Formatter, logging.LogRecord,
                     logging.Logger, logging.LoggerAdapter, logging.Filter, logging.PercentStyle, logging.StrFormatStyle,
                     logging.StringTemplateStyle, logging.BufferingFormatter, logging.handlers.MemoryHandler,
                     logging.handlers.RotatingFileHandler, logging.handlers.QueueHandler, logging.Manager):
            thing = kind.__new__(kind)
            record = logging.makeLogRecord({"msg": "m", "levelno": 30})
            for name in sorted(name for name in dir(kind) if not name.startswith("__")):
                method = getattr(thing, name, None)
                if not callable(method) or name in ("getChild", "root", "rotate", "_open"):
                    continue
                for args in ((), (record,), ("text",)):
                    try:
                        method(*args)
                    except Exception as exc:
                        print(kind.__name__, name, len(args), type(exc).__name__)
            try:
                repr(thing)
            except Exception as exc:
                print(kind.__name__, "repr", type(exc).__name__)
        """),
        native=None,
    )
