"""Nothing outlives the call that should not: records, arguments, frames, exceptions, handlers, loggers, types."""

import sys
import textwrap

import pytest

START = """
    import gc, io, logging, logging.handlers, queue, sys, weakref

    log = logging.getLogger("l")
    log.setLevel(10)
    log.propagate = False
    gc.disable()     # what must go, goes by its count alone

    class Thing:
        def __str__(self):
            return "thing"
    class Text(str):
        pass

    refs = {}
    def thing(name, kind=Thing):
        made = kind(name) if kind is not Thing else Thing()
        refs[name] = weakref.ref(made)
        return made
    def alive():
        return [name for name, ref in refs.items() if ref() is not None]
"""

HANDLERS = {
    "stream": "logging.StreamHandler(io.StringIO())",
    "file": "logging.FileHandler('app.log')",
    "null": "logging.NullHandler()",
    "python": "type('H', (logging.Handler,), {'emit': lambda self, record: self.format(record)})()",
    "queue": "logging.handlers.QueueHandler(type('Q', (), {'put_nowait': lambda self, item: None})())",
    "memory": "logging.handlers.MemoryHandler(1, target=logging.StreamHandler(io.StringIO()))",
    "rotating": "logging.handlers.RotatingFileHandler('app.log', maxBytes=1000, backupCount=1)",
}


@pytest.mark.parametrize("handler", HANDLERS)
def test_no_argument_outlives_the_call(run, handler):
    run(
        textwrap.dedent(START)
        + f"log.addHandler({HANDLERS[handler]})\n"
        + textwrap.dedent("""
        log.handlers[0].setFormatter(logging.Formatter("%(message)s %(lineno)d"))
        def calls():
            log.info(thing("message"))
            log.info(thing("str message", Text))
            log.info("%s %s", thing("first"), thing("second"))
            log.info("%(a)s", {"a": thing("mapping")})
            log.info("x", extra={"user": thing("extra")})
            log.info("x", exc_info=(None, None, None), extra={"b": thing("extra 2")})
            log.log(5, "%s", thing("disabled"))
            try:
                log.info("%d", thing("wrong"), extra={"c": thing("extra 3")})
            except TypeError:     # from the handler in Python, which does not catch it
                pass
            logging.LoggerAdapter(log, {"d": thing("adapter")}).info("%s", thing("adapter arg"))
        logging.raiseExceptions = False
        calls()
        print(alive())
        """)
    )


def test_no_exception_frame_or_traceback_outlives_the_call(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        log.addHandler(logging.StreamHandler(io.StringIO()))
        log.addHandler(logging.FileHandler("app.log"))
        class Wrong(Exception):
            pass
        def fails():
            local = thing("local of the frame")
            raise thing("exception", Wrong)
        def calls():
            try:
                fails()
            except Wrong:
                log.exception("failed %s", thing("arg"))
            try:
                fails()
            except Wrong as exc:
                log.info("as instance", exc_info=exc)
            try:
                fails()
            except Wrong:
                log.info("as triple", exc_info=sys.exc_info())
            try:
                fails()
            except Wrong:
                log.info("with the stack", exc_info=True, stack_info=True)
        calls()
        print(alive(), sys.exc_info())

        class Handler(logging.StreamHandler):
            def format(self, record):
                local = thing("local of format")
                raise thing("raised in format", Wrong)
        logging.raiseExceptions = False
        log.addHandler(Handler(io.StringIO()))
        log.info("error handled %s", thing("arg"))
        print(alive(), sys.exc_info())

        def raising(record):
            local = thing("local of the filter")
            raise thing("raised in a filter", Wrong)
        log.addFilter(raising)
        def call():
            try:
                log.info("error raised %s", thing("arg"))
            except Wrong:
                pass
        call()
        print(alive(), sys.exc_info(), getattr(sys, "last_exc", None))
        """)
    )


def test_no_record_outlives_the_call(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        class Record(logging.LogRecord):
            pass
        def keep(record):
            refs[f"record {len(refs)}"] = weakref.ref(record)
            return True
        for factory in (logging.LogRecord, Record):
            logging.setLogRecordFactory(factory)
            for handler in (logging.StreamHandler(io.StringIO()), logging.FileHandler("app.log")):
                handler.addFilter(keep)
                log.addHandler(handler)
            log.addFilter(keep)
            log.info("%s", 1)
            log.info("x", extra={"a": 1})
            log.filters.clear()
        print(len(refs), alive())
        memory = logging.handlers.MemoryHandler(3, target=logging.NullHandler())
        memory.addFilter(keep)
        log.handlers[:] = [memory]
        log.info("one")
        log.info("two")
        print(len(alive()))
        log.info("three")
        print(alive())
        """)
    )


# What a filter does with a record that dies after the call; the records after it must not notice.
DONE_TO_A_RECORD = {
    "nothing": "pass",
    "dict": "vars(record)",
    "dict kept": "kept.append(vars(record))",
    "kept": "kept.append(record)",
    "method kept": "kept.append(record.getMessage)",
    "weak reference": "weak.append(weakref.ref(record, lambda ref: print('gone')))",
    "attributes": "record.more, record.of, record.its = thing('more'), [record.msg], record.name",
    "many attributes": "vars(record).update({f'a{i}': i for i in range(40)})",
    "deleted": "del record.threadName, record.args; record.again = 1; record.args = ()",
    "all deleted": "kept.append([delattr(record, name) for name in list(vars(record)) if name not in NEEDED])",
    "another class": "record.__class__ = Own",
    "another dict": "record.__dict__ = dict(vars(record))",
    "cycle": "record.itself = record",
    "class patched": "logging.LogRecord.mark = len(weak)",
    "finalizer": "logging.LogRecord.__del__ = lambda self: print('dies', self.getMessage())",
    "finalizer once": "patch_once()",
    "copied": "kept.append(copy.copy(record))",
    "pickled": "kept.append(pickle.loads(pickle.dumps(record)).msg)",
    "logs while it dies": "record.last = Last()",
    "logs and keeps while it dies": "record.last = Last(keep=True)",
    "error": "raise ValueError('from the filter')",
    "rejected": "return False",
    "replaced": "return copy.copy(record)",
    "handled again": "log.handlers[0].handle(record)",
    "arguments kept": "kept.append(record.args)",
    "arguments hashed": "kept.append(hash(record.args) == hash(tuple(list(record.args))))",
    "arguments twice": "record.again = record.args",
    "arguments collected": "gc.collect()",
    "arguments of others": "record.args = (record.args[0], record.args, 1.5)",
    "times kept": "kept.append((record.created, record.msecs, record.relativeCreated))",
    "times twice": "record.again = [record.created, record.msecs]; record.msecs = record.created",
    "times of others": "record.created = record.msecs = record.relativeCreated = 1.5",
    "more times": "record.more, record.of, record.them = record.created + 1, record.created + 2, record.created + 3",
}


@pytest.mark.parametrize("done", DONE_TO_A_RECORD)
def test_a_record_starts_as_any_other_whatever_was_done_to_the_one_before(run, done):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import copy, pickle
        NEEDED = {"name", "msg", "args", "levelno", "levelname", "exc_info", "exc_text", "stack_info"}
        kept, weak, told = [], [], []
        class Own(logging.LogRecord):
            pass
        class Last:
            def __init__(self, keep=False):
                self.keep = keep
            def __del__(self):
                log.warning("last")
                if self.keep:
                    kept.append(self)
        def patch_once():
            if weak:
                if "__del__" in vars(logging.LogRecord):
                    del logging.LogRecord.__del__
            else:
                logging.LogRecord.__del__ = lambda self: print("dies", self.getMessage())
                weak.append(None)
        def look(record):
            if record.msg != "last":
                told.append([list(vars(record)) if record.msg == "look" else len(told), record.msg, str(record.args), gc.is_tracked(record)])
            return True
        def do(record):
            if record.msg != "last" and record.args and str(record.args[0]) != "0":
                DONE
            return True
        log.addHandler(logging.StreamHandler(sys.stdout))
        log.handlers[0].setFormatter(logging.Formatter("%(message)s %(funcName)s %(lineno)d"))
        log.addFilter(look)
        log.addFilter(do)
        def calls():
            for i in range(4):
                try:
                    log.info("%s %s", i, thing(f"argument {i}"), extra={"e": thing(f"extra {i}")} if i == 2 else None)
                except ValueError as error:
                    print(error)
                print(i, alive(), [ref() is not None for ref in weak if ref])
                log.info("look")
                log.info("look", extra={"more": 1})
        calls()
        for line in told:
            print(line)
        print([str(vars(record).get("msg")) if isinstance(record, logging.LogRecord) else callable(record) for record in kept])
        log.filters.clear()
        print(sum(isinstance(each, logging.LogRecord) for each in gc.get_objects()), alive())
        """).replace("DONE", DONE_TO_A_RECORD[done])
    )


def test_times_and_arguments_that_somebody_keeps_stay_as_they_were(run):
    """Those that nobody keeps become the next record's."""
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        kept = []
        def look(record):
            number = record.args[0]
            named = [record.created, record.msecs, record.relativeCreated, record.args]
            for each in named[:number % 5] if number % 3 else named[number % 5:]:
                kept.append((each, repr(each), hash(each)))
            if number % 7 == 0:
                gc.collect()
            if number % 4 == 0:
                kept.append((gc.is_tracked(record.args), True, None))
            return True
        log.addFilter(look)
        log.addHandler(logging.NullHandler())
        for number in range(400):
            log.info("%d %s", number, "x", *["more"] * (number // 30 % 10))
        for each, shown, value in kept:
            if value is not None and (repr(each), hash(each)) != (shown, value):
                print("became", each, "was", shown)
        print(len(kept), [each for each, _, _ in kept if not isinstance(each, float)])
        """)
    )


def test_the_collector_knows_the_arguments_that_it_has_to(run):
    """From 3.14 on a tuple only if there is something in it that the collector has to know."""
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        known = []
        log.addFilter(lambda record: known.append(gc.is_tracked(record.args)) or True)
        log.addHandler(logging.NullHandler())
        gc.disable()
        for _ in range(3):
            for more in 1, "x", 1.5, None, [1], {}, {"a": []}, (), (1,), ([1],), thing("x"), int, log.info:
                log.info("%s %s", 1, more)
                log.info("%s", more)
        print(known)
        """)
    )


def test_a_records_values_are_released_in_their_order(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        class Last(str):
            def __del__(self):
                print("end of", self)
        def change(record):
            for name in ("zeta", "msg", "alpha", "module", "levelname", "name"):
                setattr(record, name, Last(name))
            return True
        log.addFilter(change)
        log.addHandler(logging.NullHandler())
        for i in range(3):
            log.info("x", extra={"first": Last("extra")})
            print(i)
        """)
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="CPython 3.11 looks for the trace of such an object at another address")
def test_the_allocation_of_a_record_is_traced_to_its_own_call(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import tracemalloc
        lines = []
        def look(record):
            lines.append([frame.lineno for frame in tracemalloc.get_object_traceback(record) if frame.filename == __file__][-1])
            return True
        log.addFilter(look)
        log.addHandler(logging.NullHandler())
        log.filters.remove(look)
        log.addFilter(lambda record: True)
        log.info("before it is traced")
        tracemalloc.start(20)
        log.addFilter(look)
        log.info("first")
        log.info("second")
        print([line - lines[0] for line in lines])
        """)
    )


def test_frames_and_their_locals_are_released(run):
    """No caller's frame is kept for its line number: locals die when the function returns, generators too."""
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        log.addHandler(logging.StreamHandler(io.StringIO()))
        log.handlers[0].setFormatter(logging.Formatter("%(lineno)d %(funcName)s %(pathname)s"))
        def work():
            local = thing("local")
            log.info("x")
            log.info("x", stack_info=True)
            log.info("x", stacklevel=2)
        work()
        print(alive())
        def generator():
            local = thing("generator local")
            log.info("x")
            yield
        g = generator()
        next(g)
        print(alive())
        del g
        print(alive())
        code = compile("log.info('x')", "exec'ed", "exec")
        refs["code"] = weakref.ref(code)
        exec(code)
        del code
        def closure():
            made = thing("closure")
            return lambda: (made, log.info("x"))
        closure()()
        print([name for name in alive() if name != "code"])
        """)
    )


def test_code_objects_may_be_kept_only_in_bounded_number(run):
    """A call-site cache that keeps code alive must let it go, or be small."""
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        log.addHandler(logging.StreamHandler(io.StringIO()))
        log.handlers[0].setFormatter(logging.Formatter("%(lineno)d %(funcName)s %(pathname)s"))
        class Sink:
            write = flush = lambda *args: None
        log.handlers[0].stream = Sink()
        for i in range(20_000):
            code = compile(f"log.info('x {i}')", f"file {i}", "exec")
            refs[i] = weakref.ref(code)
            exec(code)
        del code
        gc.collect()
        with open("kept", "w") as file:
            print(len(alive()), file=file)
        assert len(alive()) < 5000, len(alive())
        """)
    )


def test_a_call_site_reused_by_another_code_object(run):
    """Code dies and a new one takes its address: the line and the file must be the new one's."""
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        log.handlers[0].setFormatter(logging.Formatter("%(pathname)s %(lineno)d %(funcName)s %(module)s"))
        for i in range(3000):
            lines = i % 7
            code = compile("\\n" * lines + f"def f{i}():\\n  log.info('x')\\nf{i}()", f"/dir/file{i}.py", "exec")
            exec(code, {"log": log})
            del code
            if i % 50 == 0:
                gc.collect()
        expected = "".join(f"/dir/file{i}.py {i % 7 + 2} f{i} file{i}\\n" for i in range(3000))
        print(stream.getvalue() == expected)
        """)
    )


def test_code_replaced_in_a_function(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        log.addHandler(logging.StreamHandler(sys.stdout))
        log.handlers[0].setFormatter(logging.Formatter("%(filename)s %(lineno)d %(funcName)s"))
        def one():
            log.info("x")
        def two():

            log.info("x")
        one(); two()
        one.__code__ = two.__code__
        one()
        one.__code__ = one.__code__.replace(co_name="renamed", co_filename="/else/where.py", co_firstlineno=1000)
        one()
        """)
    )


def test_handlers_loggers_formatters_and_their_cycles_are_collected(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        def make():
            stream = io.StringIO()
            stream_holder = Thing()
            handler = thing("handler", lambda name: logging.StreamHandler(stream))
            handler.itself = handler
            formatter = thing("formatter", lambda name: logging.Formatter("%(message)s"))
            formatter.handler = handler
            handler.setFormatter(formatter)
            one = thing("logger", logging.Logger)
            one.addHandler(handler)
            handler.logger = one
            filter = thing("filter", lambda name: logging.Filter(""))
            filter.owner = one
            one.addFilter(filter)
            adapter = thing("adapter", lambda name: logging.LoggerAdapter(one, {}))
            one.adapter = adapter
            record = thing("record", lambda name: logging.makeLogRecord({"msg": "m", "levelno": 20, "logger": one}))
            record.itself = record
            one.handle(record)
            adapter.info("x")
            file = thing("file", lambda name: logging.FileHandler("app.log"))
            file.itself = file
            one.addHandler(file)
            one.info("y")
            file.close()
            memory = thing("memory", lambda name: logging.handlers.MemoryHandler(100, target=handler))
            memory.setTarget(memory)
            one.addHandler(memory)
            one.info("z")
            memory.buffer.append(memory)
            class Handler(logging.StreamHandler):
                def emit(self, record):
                    super().emit(record)
            refs["class"] = weakref.ref(Handler)
            own = thing("own", lambda name: Handler(stream))
            own.kind = Handler
            one.addHandler(own)
            one.info("own")
        for _ in range(3):
            make()
            gc.collect()
            print(alive())
        print(len(logging._handlerList), len(logging._handlers))
        """),
        native=None,
    )


def test_a_dropped_handler_dies_at_once_and_leaves_the_lists(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        before = len(logging._handlerList)
        handler = thing("handler", lambda name: logging.StreamHandler(io.StringIO()))
        handler.name = "named"
        log.addHandler(handler)
        log.info("x")
        print(len(logging._handlerList) - before, "named" in logging._handlers)
        log.removeHandler(handler)
        del handler
        print(alive(), len(logging._handlerList) - before, "named" in logging._handlers)
        """)
    )


def test_extra_is_neither_changed_nor_kept(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        records = []
        class Keep(logging.Handler):
            def emit(self, record):
                record.added = 1
                record.user = "changed"
                records.append(record)
        log.addHandler(Keep())
        log.addHandler(logging.StreamHandler(sys.stdout))
        log.handlers[1].setFormatter(logging.Formatter("%(message)s %(user)s"))
        extra = {"user": "u", "items": [1]}
        count = sys.getrefcount(extra)
        log.info("x", extra=extra)
        print(extra, sys.getrefcount(extra) - count)
        extra["user"] = "later"
        print(records[0].user, records[0].items is extra["items"], "later" in vars(records[0]).values())
        del records[0].user
        print(extra)
        adapter = logging.LoggerAdapter(log, extra)
        adapter.info("adapter")
        adapter.info("adapter", extra={"lost": 1})
        print(extra, adapter.extra is extra)
        class Mapping:
            def __iter__(self):
                return iter(["user", "k"])
            def __getitem__(self, key):
                return key.upper()
            def keys(self):
                return ["user", "k"]
        log.info("mapping", extra=Mapping())
        args = {"a": 1}
        log.info("%(a)s", args, extra={"user": 2})
        print(records[-1].args is args, args)
        for name in ("message", "asctime", "name", "levelno", "args"):
            try:
                log.info("x", extra={name: 1})
            except KeyError as exc:
                print(exc)
        for odd in (3, "text", [("user", 1)], [1], ()):
            try:
                log.info("odd", extra=odd)
            except Exception as exc:
                print(repr(odd), type(exc).__name__, exc)
        """)
    )


def test_args_and_mutable_messages_are_read_when_the_stdlib_reads_them(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        channel = queue.SimpleQueue()
        memory = logging.handlers.MemoryHandler(100, target=logging.StreamHandler(sys.stdout))
        log.addHandler(memory)
        log.addHandler(logging.handlers.QueueHandler(channel))
        items = [1]
        log.info("%s", items)
        log.info("%(a)s", {"a": items})
        log.info("x", extra={"items": items})
        items.append(2)
        memory.flush()
        while not channel.empty():
            record = channel.get()
            print(record.msg, record.args, getattr(record, "items", None))
        """)
    )


def test_trace_and_profile_functions_are_left_alone(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        log.addHandler(logging.StreamHandler(io.StringIO()))
        calls = []
        def trace(frame, event, arg):
            if frame.f_code.co_filename == __file__:
                calls.append((event, frame.f_code.co_name, frame.f_lineno))
            return trace
        def work():
            log.info("one")
            log.info("two", exc_info=ValueError(1))
        sys.settrace(trace)
        work()
        print(sys.gettrace() is trace)
        sys.settrace(None)
        sys.setprofile(trace)
        work()
        print(sys.getprofile() is trace)
        sys.setprofile(None)
        print([call for call in calls if call[1] == "work" and call[0] in ("line", "call", "return")])
        """)
    )
