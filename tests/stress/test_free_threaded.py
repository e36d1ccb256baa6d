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
