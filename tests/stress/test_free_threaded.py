"""Threads that run side by side: what the GIL kept apart is changed while records are on their way, and every one is accounted for.

Only on free-threaded builds: elsewhere `test_threads.py` asks the same of threads that take turns.
"""

import sysconfig
import textwrap

import pytest

pytestmark = pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"),
    reason="needs an interpreter without a GIL; with one, test_threads.py tries threads",
)

START = """
    import io, logging, logging.handlers, sys, threading

    assert not sys._is_gil_enabled()
    WORKERS, RECORDS = 4, 1500
    log = logging.getLogger("stress.side.by.side")
    log.propagate = False
    log.setLevel(logging.INFO)
    stop, errors = threading.Event(), []
    threading.excepthook = lambda info: errors.append(info.exc_value)
    logging.Handler.handleError = lambda self, record: errors.append(sys.exc_info()[1])

    class Keep(logging.Handler):
        def __init__(self):
            super().__init__()
            self.seen = []
        def emit(self, record):
            self.seen.append(record.getMessage())

    def work(number):
        for i in range(RECORDS):
            log.error("%d %d", number, i)

    def run(*disturb, work=work):
        def again(step):
            while not stop.is_set():
                step()
        others = [threading.Thread(target=again, args=(step,)) for step in disturb]
        workers = [threading.Thread(target=work, args=(n,)) for n in range(WORKERS)]
        for thread in others + workers:
            thread.start()
        for thread in workers:
            thread.join()
        stop.set()
        for thread in others:
            thread.join()
        assert not errors, errors

    def check(messages):
        wanted = {n: 0 for n in range(WORKERS)}
        for message in messages:
            number, i = map(int, message.split())
            assert wanted[number] == i, ("order", message, wanted)
            wanted[number] += 1
        assert set(wanted.values()) == {RECORDS}, wanted
        print("every record once")
"""

CHANGES = {
    "levels": """
        def change():
            for level in (10, 20, 30, 40):
                log.setLevel(level)
            logging.disable(10)
            logging.disable(0)
    """,
    "other handlers": """
        def change():
            handler = logging.StreamHandler(io.StringIO())
            log.addHandler(handler)
            handler.close()
            log.removeHandler(handler)
    """,
    "filters": """
        class Pass(logging.Filter):
            pass
        def change():
            passes = Pass()
            log.addFilter(passes)
            target.addFilter(passes)
            target.removeFilter(passes)
            log.removeFilter(passes)
    """,
    "methods of classes and of instances": """
        original = logging.StreamHandler.format
        def change():
            logging.StreamHandler.format = lambda self, record: record.getMessage()
            del logging.StreamHandler.format
            logging.Handler.added = 1
            target.format = lambda record: record.getMessage()
            del target.format
            log.isEnabledFor = lambda level: True
            del log.isEnabledFor
    """,
    "the instance's dict": """
        def change():
            vars(target)["other"] = object()
            target.__dict__ = dict(vars(target))
            log.__dict__ = dict(vars(log))
    """,
    "globals": """
        names = dict(logging._levelToName)
        class Record(logging.LogRecord):
            pass
        def change():
            logging.setLogRecordFactory(Record)
            logging.setLogRecordFactory(logging.LogRecord)
            logging._levelToName = dict(names)
            logging.added = object()
            logging.raiseExceptions = 1
            logging.raiseExceptions = True
    """,
    "loggers in the tree": """
        count = iter(range(10**9))
        def change():
            logging.getLogger(f"stress.side.{next(count) % 200}.deep").debug("not said")
    """,
}


def test_the_extension_leaves_the_gil_off_and_reads_instances_in_place(run_plain):
    run_plain(
        """
        import sys
        import femtolog
        femtolog.install()
        assert not sys._is_gil_enabled()
        assert femtolog._native.raw_layout() == "parallel"
    """,
        compare=False,
    )


@pytest.mark.parametrize("change", CHANGES)
def test_every_record_is_handled_once_while_something_changes(run, change):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        stream = io.StringIO()
        target = logging.StreamHandler(stream)
        keep = Keep()
        log.addHandler(target)
        log.addHandler(keep)
    """)
        + textwrap.dedent(CHANGES[change])
        + textwrap.dedent("""
        run(change)
        check(stream.getvalue().splitlines())
        check(keep.seen)
    """)
    )


def test_formatters_change_and_no_line_is_a_mixture(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import re
        stream = io.StringIO()
        target = logging.StreamHandler(stream)
        log.addHandler(target)
        kinds = [logging.Formatter(f) for f in ("A %(message)s", "B %(levelname)s %(message)s", "C %(name)s %(asctime)s %(message)s")]
        kinds += [logging.Formatter("D {message}", style="{"), logging.Formatter("E $message", style="$")]
        target.setFormatter(kinds[0])
        def formatters():
            for kind in kinds:
                target.setFormatter(kind)
                target.formatter = logging.Formatter("F %(threadName)s %(message)s", datefmt="%H")
        run(formatters)
        line = re.compile(r"(A|B ERROR|C stress.side.by.side [0-9-]+ [0-9:,]+|D|E|F Thread-\\d+ \\(work\\)) (\\d+ \\d+)")
        check([line.fullmatch(text)[2] for text in stream.getvalue().splitlines()])
    """)
    )


def test_every_handler_of_a_changing_list_is_offered_whole_records(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        always, extra = Keep(), [Keep() for _ in range(3)]
        log.addHandler(always)
        def exchange():
            log.handlers = [always, *extra]
            log.handlers = [always]
            for handler in extra:
                log.handlers.append(handler)
            log.handlers = [always]
        run(exchange)
        check(always.seen)
        known = set(always.seen)
        assert all(message in known for handler in extra for message in handler.seen)
    """)
    )


def test_each_thread_with_a_file_of_its_own_writes_all_of_it(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        loggers = []
        for n in range(WORKERS):
            own = logging.getLogger(f"own.{n}")
            own.propagate = False
            handler = logging.FileHandler(f"{n}.log")
            handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(funcName)s %(message)s"))
            own.addHandler(handler)
            own.setLevel(20)
            loggers.append(own)
        def own_file(number):
            for i in range(RECORDS):
                loggers[number].info("%d %d", number, i)
                loggers[number].debug("not said")
        run(work=own_file)
        lines = [line for n in range(WORKERS) for line in open(f"{n}.log").read().splitlines()]
        assert all(line.split()[-3] == "own_file" for line in lines)
        check([" ".join(line.split()[-2:]) for line in lines])
    """)
    )


def test_one_logger_asked_by_all_threads_at_once(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        answers = [None] * WORKERS
        def ask(number):
            here = []
            for i in range(RECORDS):
                log.debug("not said")
                here.append((log.isEnabledFor(10), log.isEnabledFor(20), log.getEffectiveLevel()))
                log.error("%d %d", number, i)
            answers[number] = here
        run(log.manager._clear_cache, work=ask)
        assert {answer for here in answers for answer in here} == {(False, True, 20)}
        check(stream.getvalue().splitlines())
    """)
    )


def test_installing_and_uninstalling_while_threads_log(run_plain):
    run_plain(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import femtolog
        stream = io.StringIO()
        keep = Keep()
        log.addHandler(logging.StreamHandler(stream))
        log.addHandler(keep)
        def change():
            femtolog.install()
            femtolog.uninstall()
        run(change)
        check(stream.getvalue().splitlines())
        check(keep.seen)
        assert not sys._is_gil_enabled()
    """),
        compare=False,
    )


def test_the_code_of_a_native_function_is_exchanged_while_threads_log(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        def other(self, record):
            return record.getMessage()
        own = logging.Formatter.format.__code__
        def exchange():
            logging.Formatter.format.__code__ = other.__code__
            logging.Formatter.format.__code__ = own
        run(exchange)
        check(stream.getvalue().splitlines())
    """)
    )


def test_a_thread_that_ends_leaves_nothing_behind_that_another_stumbles_over(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        def many(number):
            for i in range(60):
                def say(i=i):
                    for j in range(RECORDS // 60):
                        log.error("%d %d", number, i * (RECORDS // 60) + j)
                thread = threading.Thread(target=say)
                thread.start()
                thread.join()
        run(work=many)
        check(stream.getvalue().splitlines())
    """)
    )


def test_forking_while_other_threads_log(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork with threads
        log.addHandler(logging.FileHandler("app.log"))
        def fork():
            child = os.fork()
            if child == 0:
                for i in range(3):
                    logging.getLogger(f"child.{i}").debug("not said")
                    log.debug("not said")
                logging.getLogger("child").isEnabledFor(10)
                os._exit(0)
            if os.waitpid(child, 0)[1] != 0:
                errors.append("a child failed")
        run(fork)
        check(open("app.log").read().splitlines())
    """)
    )


TRACEBACKS = """
    import linecache, re, textwrap, traceback, types

    RECORDS = 50  # of each worker, four texts each; half of them show code that nobody has seen before
    FIRST = ["def run(x):\\n", "    return one(x) + two(\\n", "        x) + x[0]\\n", "def say(x):\\n", "    log.error(x, stack_info=True)\\n"]
    OTHER = [line.upper() for line in FIRST]
    PATCHED = ["patched line\\n"] * 5
    NOTHING = [""] * 5

    def one(x):
        return 1

    def two(x):
        raise ValueError("plain", x)

    class Keep(logging.Handler):
        def emit(self, record):
            seen.append(self.format(record))

    seen = []
    log.addHandler(Keep())
    log.handlers[0].setFormatter(logging.Formatter("%(message)s"))

    def show(lines):
        linecache.cache["made.py"] = (1, None, lines, "made.py")

    def made():
        space = {"one": one, "two": two, "log": log}
        exec(compile("".join(FIRST), "made.py", "exec"), space)
        return space

    def fail(space):
        try:
            space["run"](5)
        except ValueError as error:
            return error

    def entries(space):
        return traceback.format_list(traceback.extract_tb(fail(space).__traceback__)), traceback.format_list(
            traceback.StackSummary.extract([(fail(space).__traceback__.tb_frame, 5)])
        )

    class Changed:
        \"""What is changed and changed back, by each step as many times.\"""

        def __init__(self, thing, name, value):
            self.thing, self.name, self.value = thing, name, value
            self.before = getattr(thing, name)

        def __call__(self):
            setattr(self.thing, self.name, self.value)
            setattr(self.thing, self.name, self.before)

        def during(self, function):
            setattr(self.thing, self.name, self.value)
            try:
                return function()
            finally:
                setattr(self.thing, self.name, self.before)

    def patched_entry(self, frame_summary, **kwargs):
        return "  patched entry\\n"

    def no_parse(*args):
        raise SyntaxError

    def all_entries(*patches):
        \"""Every text that an entry may have: whichever lines the cache has at the moment, whatever is patched at the moment.\"""
        space, known = made(), set()
        choices = [FIRST, OTHER, NOTHING, PATCHED]
        for second in choices:
            for third in choices:
                show([FIRST[0], second[1], third[2], FIRST[3], second[4]])
                for patch in (lambda function: function(), *(patch.during for patch in patches)):
                    for texts in patch(lambda: entries(space)):
                        known.update(texts)
        show(FIRST)
        return known

    def pattern(known, last="ValueError: \\\\('plain', 5\\\\)", between="", any_part="never"):
        entry = "(?:" + "|".join(map(re.escape, sorted(known))) + f"|{any_part}\\n)"
        of_say = 'File ".*made.py", line 5, in say\\n(?:    (?:(?:log.error|LOG.ERROR)\\\\(.*\\\\)|patched line|indented)\\n+)?'
        of_program = 'File "[^"]*(?<!made.py)", line \\\\d+, in .*\\n(?:    .*\\n+)*'
        entry = f"(?:{entry}|  {of_say}|  {of_program}|  patched entry\\n)"
        one = f"(?:(?:Traceback \\\\(most recent call last\\\\):|{any_part})\\n{entry}*)?(?:{last}|{any_part})"
        chain = f"{one}\\n(?:(?:{between}){one}\\n)*" if between else one + "\\n"
        return re.compile(f"failed\\n{chain}|stack\\nStack \\\\(most recent call last\\\\):\\n{entry}*")

    def check_texts(known):
        assert len(seen) == WORKERS * RECORDS * 4, len(seen)
        for text in seen:
            assert known.fullmatch(text + "\\n"), text

    old = made()
    kept = []

    def work(number):
        for i in range(RECORDS):
            space = made() if i % 2 else old
            error = fail(space)
            kept[-20:] = [*kept[-19:], (space, error)]
            log.error("failed", exc_info=error)
            log.error("failed", exc_info=error)
            space["say"]("stack")
            space["say"]("stack")

    def nothing_wrong_was_kept():
        \"""When all is quiet again every text is the interpreter's.\"""
        for lines in (FIRST, OTHER, list(FIRST)):
            show(lines)
            for space, error in [*kept, (old, fail(old))]:
                for _ in range(3):
                    seen.clear()
                    log.error("failed", exc_info=error)
                    space["say"]("stack")
                    theirs = "".join(traceback.format_exception(error))
                    assert seen[0] + "\\n" == "failed\\n" + theirs, (seen[0], theirs)
                    assert f'in say\\n    {lines[4].strip()}' in seen[1], seen[1]
        print("every text right")
"""

SOURCES = {
    "other lists in the cache": """
        def change():
            show(OTHER)
            show(list(FIRST))
            linecache.cache.clear()
            show(FIRST)
        changes = [change]
    """,
    "another cache": """
        def change():
            known = linecache.cache
            linecache.cache = {}
            linecache.cache = {"made.py": (1, None, OTHER, "made.py")}
            linecache.cache = known
        changes = [change]
    """,
    "lines in the list": """
        lines = list(FIRST)
        show(lines)
        def change():
            for index in (1, 2, 4):
                lines[index] = OTHER[index]
            lines[:] = FIRST
            lines.extend(OTHER)
            lines[1:3] = [OTHER[1], "".join(OTHER[2])]
            lines[:5] = FIRST
            del lines[5:]
        changes = [change, change]
    """,
}


@pytest.mark.parametrize("change", SOURCES)
def test_tracebacks_while_the_lines_of_source_change(run, change):
    run(
        textwrap.dedent(START)
        + textwrap.dedent(TRACEBACKS)
        + "known = pattern(all_entries())\n"
        + textwrap.dedent(SOURCES[change])
        + textwrap.dedent("""
        run(*changes, work=work)
        check_texts(known)
        nothing_wrong_was_kept()
    """)
    )


MACHINERY = {
    "methods": """
        patches = [Changed(traceback.StackSummary, "format_frame_summary", patched_entry)]
    """,
    "code": """
        patches = [Changed(traceback.StackSummary.format_frame_summary, "__code__", patched_entry.__code__)]
    """,
    "linecache": """
        patches = [Changed(linecache, "getline", lambda *args: "patched line\\n")]
    """,
    "modules it uses": """
        patches = [Changed(textwrap, "indent", lambda *args: "    indented\\n")]
    """,
    "sys.modules": """
        import ast
        class Modules:
            def __setattr__(self, name, value):
                sys.modules[name] = value
            ast = ast
        patches = [Changed(Modules(), "ast", types.SimpleNamespace(parse=no_parse))]
    """,
    "built-in functions": """
        import builtins
        patches = [Changed(builtins, "sorted", lambda *args: [0]), Changed(builtins, "sum", sum)]
    """,
    "everything by turns": """
        each = iter(range(10**9))
        texts = [Changed(traceback, "_cause_message", "because"), Changed(traceback, "StackSummary", type("Other", (traceback.StackSummary,), {}))]
        texts += [Changed(traceback.TracebackException.__init__, "__kwdefaults__", {**traceback.TracebackException.__init__.__kwdefaults__})]
        defaults = traceback.TracebackException.__init__.__kwdefaults__
        def change_defaults():
            defaults["lookup_lines"] = False
            defaults["lookup_lines"] = True
        patches = [Changed(traceback.FrameSummary, "line", "patched line"), Changed(traceback.StackSummary, "format_frame_summary", patched_entry)]
        more = [*texts, change_defaults]
    """,
}


@pytest.mark.parametrize("change", MACHINERY)
def test_tracebacks_while_the_machinery_is_patched(run, change):
    run(
        textwrap.dedent(START)
        + textwrap.dedent(TRACEBACKS)
        + "more = []\n"
        + textwrap.dedent(MACHINERY[change])
        + textwrap.dedent("""
        known = pattern(all_entries(*patches), any_part="    indented")
        lines = list(FIRST)
        show(lines)
        def flip():
            lines[1] = OTHER[1]
            lines[1] = FIRST[1]
        def patch():
            for one in (*patches, *more):
                one()
        run(patch, flip, work=work)
        check_texts(known)
        nothing_wrong_was_kept()
    """)
    )


def test_tracebacks_of_exceptions_that_change(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent(TRACEBACKS)
        + textwrap.dedent("""
        class Error(Exception):
            pass

        class Other(Exception):
            def __str__(self):
                return "of Python's"

        class Repr:
            def __repr__(self):
                return "<repr>"

        show(FIRST)
        known = pattern(
            all_entries(),
            # The standard library asks for `__cause__` three times: for its class, its text, its traceback.
            r"(?:Error|Other|ValueError|FileNotFoundError)(?:: (?:first|5|<repr>|\\('a', 5, None\\)|of Python's|\\('plain', 5\\)"
            r"|\\[Errno [23]\\] (?:no|yes)(?:: '[fg]'(?: -> (?:'h'|None))?)?))?(?:\\nnote)*",
            r"\\nThe above exception was the direct cause of the following exception:\\n\\n"
            r"|\\nDuring handling of the above exception, another exception occurred:\\n\\n",
        )
        error, cause, context, disk = Error("first"), Error("first"), fail(old), OSError(2, "no", "f")
        traces = [fail(old).__traceback__, fail(made()).__traceback__]
        whole = traces[0].tb_next

        # Never None, at which the standard library would stumble.
        error.__cause__, error.__context__, cause.__context__ = cause, context, context

        def links():
            error.__cause__ = disk
            error.__suppress_context__ = False
            error.__context__ = cause
            cause.__context__ = disk
            error.__cause__ = cause
            cause.__context__ = context
            error.__context__ = context

        def parts():
            for args in (("first",), (5,), ("a", 5, None), (Repr(),), ()):
                error.args = args
            error.__traceback__ = traces[0]
            traces[0].tb_next = None
            error.__traceback__ = None
            traces[0].tb_next = whole
            error.__traceback__ = traces[1]
            error.add_note("note")
            error.__notes__ = []
            del error.__notes__
            vars(error).clear()
            error.__dict__ = {}

        def kinds():
            cause.__class__ = Other
            cause.__class__ = Error
            Error.__str__ = Other.__str__
            del Error.__str__
            Error.added = 1
            disk.errno, disk.strerror, disk.filename2 = 3, "yes", "h"
            disk.filename = "g"
            disk.errno, disk.strerror, disk.filename2, disk.filename = 2, "no", None, "f"

        def shared(number):
            for i in range(RECORDS):
                for this in (error, cause, disk, error):
                    log.error("failed", exc_info=(type(this), this, this.__traceback__))

        run(links, parts, kinds, work=shared)
        check_texts(known)
        error.__cause__ = error.__context__ = cause.__context__ = None
        error.args, error.__traceback__ = ("first",), traces[0]
        seen.clear()
        for _ in range(3):
            log.error("failed", exc_info=error)
        assert set(seen) == {"failed\\n" + "".join(traceback.format_exception(error))[:-1]}, seen
        print("every text right")
    """)
    )
