"""Recursion without end is a RecursionError, as Python's is: never a crash, and the exit status is 1."""

import os
import textwrap

import pytest

START = """
    import io, logging, logging.handlers, sys
    logging.raiseExceptions = False
    log = logging.getLogger("l")
    log.propagate = False
    log.setLevel(10)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log.addHandler(handler)
"""

CASES = {
    "function": """
        def again():
            log.info("again")
            again()
        again()
    """,
    "__str__ of the message": """
        class Text:
            def __str__(self):
                log.info(Text())
                return "text"
        log.info(Text())
    """,
    "__str__ of an argument": """
        class Text:
            def __str__(self):
                log.info("%s", Text())
                return "text"
        log.info("%s", Text())
    """,
    "__repr__ of an argument to a file": """
        class Text:
            def __repr__(self):
                log.info("%r", Text())
                return "text"
        log.removeHandler(handler)
        log.addHandler(logging.FileHandler("app.log"))
        log.info("%r", Text())
    """,
    "filter of the logger": """
        def again(record):
            log.info("again")
            return True
        log.addFilter(again)
        log.info("first")
    """,
    "filter of the handler": """
        def again(record):
            log.info("again")
            return True
        handler.addFilter(again)
        log.info("first")
    """,
    "emit": """
        class Again(logging.Handler):
            def emit(self, record):
                log.info("again")
        log.addHandler(Again())
        log.info("first")
    """,
    "formatter": """
        class Again(logging.Formatter):
            def format(self, record):
                log.info("again")
                return super().format(record)
        handler.setFormatter(Again())
        log.info("first")
    """,
    "write of the stream": """
        class Stream:
            def write(self, text):
                log.info("again")
            def flush(self):
                pass
        handler.setStream(Stream())
        log.info("first")
    """,
    "record factory": """
        def factory(*args, **kwargs):
            log.info("again")
            return logging.LogRecord(*args, **kwargs)
        logging.setLogRecordFactory(factory)
        log.info("first")
    """,
    "memory handler that is its own target's logger": """
        class Target(logging.Handler):
            def emit(self, record):
                log.info("again")
        log.addHandler(logging.handlers.MemoryHandler(1, target=Target()))
        log.info("first")
    """,
    "memory handler that is its own target": """
        memory = logging.handlers.MemoryHandler(1)
        memory.setTarget(memory)
        log.addHandler(memory)
        log.info("first")
    """,
    "adapter": """
        class Again(logging.LoggerAdapter):
            def process(self, msg, kwargs):
                self.info("again")
                return msg, kwargs
        Again(log, {}).info("first")
    """,
    "adapter that wraps itself": """
        adapter = logging.LoggerAdapter(log, {})
        adapter.logger = adapter
        adapter.info("first")
    """,
    "logger that is its own parent": """
        log.propagate = True
        log.parent = log
        log.setLevel(0)
        class Stop(Exception):
            pass
        seen = []
        class Count(logging.Handler):
            def emit(self, record):
                seen.append(1)
                if len(seen) > 2000:
                    raise KeyboardInterrupt("an endless chain can be interrupted")
        log.addHandler(Count())
        logging.Logger.getEffectiveLevel = lambda self: 10
        log.info("first")
    """,
}


@pytest.mark.parametrize("case", CASES)
def test_recursion_without_end_by(run, case):
    """Exit status 1 and a Python exception as the last word."""
    status = -2 if "own parent" in case else 1
    outcome = run(textwrap.dedent(START) + textwrap.dedent(CASES[case]), status=status, compare=False, native=None, timeout=120)
    last = outcome.stderr.strip().splitlines()[-1]
    wanted = "KeyboardInterrupt" if "own parent" in case else "RecursionError"
    assert last.startswith(wanted), outcome.report()
    assert "Fatal" not in outcome.stderr and "panicked" not in outcome.stderr, outcome.report()


RAISED = {
    "str": "log.info(Deep())",
    "args": "log.info('%s', Deep())",
    "filter": "log.addFilter(lambda record: deep()); log.info('x')",
    "handler filter": "handler.addFilter(lambda record: deep()); log.info('x')",
    "format": "handler.setFormatter(Formatter()); log.info('x')",
    "emit": "log.addHandler(Emit()); log.info('x')",
    "stream": "handler.setStream(Stream()); log.info('x')",
    "exc_info": "log.info('x', exc_info=DeepError())",
}


@pytest.mark.parametrize("where", RAISED)
def test_recursion_error_from_within_is_raised_to_the_caller_and_frees_the_lock(run, where):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import threading
        def deep():
            return deep()
        class Deep:
            def __str__(self):
                return deep()
        class DeepError(Exception):
            def __str__(self):
                return deep()
        class Formatter(logging.Formatter):
            def format(self, record):
                return deep()
        class Emit(logging.StreamHandler):
            def emit(self, record):
                deep()
        class Stream:
            def write(self, text):
                deep()
            def flush(self):
                pass
        logging.raiseExceptions = True
        logging.Handler.handleError = lambda self, record: print("handleError", sys.exc_info()[0])
        try:
            %s
        except RecursionError as exc:
            print("raised", str(exc)[:34])
        else:
            print("not raised")
        answers = []
        def ask():
            for h in log.handlers:
                answers.append(h.lock.acquire(blocking=False))
                if answers[-1]:
                    h.lock.release()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        print(answers, stream.getvalue())
        """)
        % RAISED[where],
        native=None,
    )


def test_deep_native_nesting_is_a_recursion_error(run):
    """Native calls that call Python calls that call native ones count against the limit: no stack overflow."""
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import threading
        threading.stack_size(1 << 20)   # as small as Windows has it: what does not count against the limit would overflow it
        class Text:
            def __init__(self, n):
                self.n = n
            def __str__(self):
                log.info("%s", Text(self.n + 1))
                return "text"
        class Nested(logging.Formatter):
            def format(self, record):
                log.info("nested")
                return ""
        def work():
            for what in ("args", "format"):
                try:
                    if what == "format":
                        handler.setFormatter(Nested())
                    log.info("%s", Text(0) if what == "args" else 0)
                except RecursionError:
                    print(what, "RecursionError")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """),
        native=None,
    )


def test_exceptions_with_deep_chains_and_cycles_are_formatted(run):
    run(
        """
        import io, logging
        stream = io.StringIO()
        log = logging.getLogger("l")
        log.addHandler(logging.StreamHandler(stream))
        first = exc = ValueError(0)
        for i in range(1, 60):
            new = ValueError(i)
            new.__cause__ = exc
            exc = new
        log.error("chain", exc_info=exc)
        first.__context__ = exc
        log.error("cycle", exc_info=exc)
        group = ValueError("leaf")
        for i in range(20):
            group = ExceptionGroup(f"g{i}", [group])
        log.error("group", exc_info=group)
        try:
            def deep(n):
                if n == 0:
                    raise KeyError("bottom")
                deep(n - 1)
            deep(500)
        except KeyError:
            log.exception("deep traceback")
        print(stream.getvalue())
        """
    )


def test_after_a_recursion_error_logging_goes_on(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        def again():
            log.info("again")
            again()
        for _ in range(3):
            stream.truncate(0)
            try:
                again()
            except RecursionError:
                log.info("caught")
                print(stream.getvalue().splitlines()[-1])
        """)
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
def test_no_thread_overflows_its_stack_whoever_has_logged_before(run):
    """The main thread's stack is known to the process, each other one's to its thread; after a fork the first thread may have been any."""
    if run.way == "stdlib":
        pytest.skip(
            "the standard library's own nesting overflows the C stack and kills the process (3.11, 3.13): nothing to compare with"
        )
    outcome = run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import os, threading, warnings
        warnings.simplefilter("ignore")
        threading.stack_size(1 << 20)
        sys.setrecursionlimit(1_000_000)
        class Text:
            def __str__(self):
                log.info("%s", Text())
                return "text"
        def nest(where):
            log.info("first")
            try:
                log.info("%s", Text())
            except RecursionError:
                os.write(1, f"{where}: RecursionError\\n".encode())
        def in_thread(work, *args):
            thread = threading.Thread(target=work, args=args)
            thread.start()
            thread.join()
        def fork(where):
            child = os.fork()
            if child == 0:
                nest(f"{where}, its child")
                in_thread(nest, f"{where}, its child's thread")
                os._exit(0)
            os.write(1, f"{where}, its child ended with {os.waitpid(child, 0)[1]}\\n".encode())
        in_thread(fork, "thread before main")
        in_thread(nest, "thread before main")
        nest("main")
        in_thread(nest, "thread after main")
        in_thread(fork, "thread after main")
        fork("main")
        """),
        compare=False,
        native=None,
        timeout=120,
    )
    places = ["thread before main", "main", "thread after main"]
    said = [f"{place}: RecursionError" for place in places]
    for place in places:
        said += [
            f"{place}, its child: RecursionError",
            f"{place}, its child's thread: RecursionError",
            f"{place}, its child ended with 0",
        ]
    assert sorted(outcome.stdout.splitlines()) == sorted(said), outcome.report()
