"""An allocation that fails becomes MemoryError (raised, or shown by handleError): never an abort or a lost lock."""

import textwrap

import pytest

START = """
    import faulthandler, io, logging, logging.handlers, os, queue, sys, threading
    try:
        import _testcapi
    except ImportError:
        _testcapi = None
    log = logging.getLogger("l")
    log.setLevel(10)
    log.propagate = False
    logging.raiseExceptions = False
    handled = raised = passed = 0
    def error(self, record):
        global handled
        handled += 1
    logging.Handler.handleError = error

    def inject(call, steps=180):
        # The nth allocation of the call fails, and that one alone; then the same with all that follow it.
        global raised, passed
        call()
        for stop in (1, 0):
            for n in range(steps):
                try:
                    if stop:
                        _testcapi.set_nomemory(n, n + 1)
                    else:
                        _testcapi.set_nomemory(n, n + 8)
                    try:
                        call()
                    finally:
                        _testcapi.remove_mem_hooks()
                    passed += 1
                except MemoryError:
                    raised += 1
                except (SystemError, AssertionError):
                    # CPython's own code is not free of faults here ("returned NULL without setting an exception").
                    raised += 1
                except Exception:
                    raised += 1
"""

END = """
    answers = []
    def ask():
        for lock in [logging._lock] + [handler.lock for handler in log.handlers]:
            answers.append(lock.acquire(blocking=False))
            if answers[-1]:
                lock.release()
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    print("after", set(answers))
    log.info("last")
    with open("counts", "w") as file:
        print(raised, handled, passed, file=file)
"""

CALLS = {
    "disabled": "call = lambda: log.log(5, 'x')",
    "stream": "log.addHandler(logging.StreamHandler(io.StringIO()))\ncall = lambda: log.info('x')",
    "args": "log.addHandler(logging.StreamHandler(io.StringIO()))\ncall = lambda: log.info('%s %d %.2f %r', 'x', 12345, 1.5, [1])",
    "file": "log.addHandler(logging.FileHandler('app.log'))\ncall = lambda: log.info('x %d', 123456)",
    "format": (
        "log.addHandler(logging.StreamHandler(io.StringIO()))\nlog.handlers[0].setFormatter(logging.Formatter("
        "'%(asctime)s %(levelname)-8s %(name)s %(pathname)s:%(lineno)d %(funcName)s %(threadName)s %(message)s'))\n"
        "call = lambda: log.info('x')"
    ),
    "brace": (
        "log.addHandler(logging.StreamHandler(io.StringIO()))\nlog.handlers[0].setFormatter(logging.Formatter("
        "'{asctime} {levelname:<8} {message!r}', style='{'))\ncall = lambda: log.info('x')"
    ),
    "extra": "log.addHandler(logging.StreamHandler(io.StringIO()))\ncall = lambda: log.info('x', extra={'a': 1, 'b': [2]})",
    "exc_info": (
        # Rendered without the traceback module, in which set_nomemory brings the interpreter itself down.
        "class F(logging.Formatter):\n    def formatException(self, info): return 'trace'\n"
        "log.addHandler(logging.StreamHandler(io.StringIO()))\nlog.handlers[0].setFormatter(F())\nexc = ValueError('v')\n"
        "call = lambda: log.info('x', exc_info=exc)"
    ),
    "python handler": (
        "class H(logging.Handler):\n    def emit(self, record): self.format(record)\n"
        "log.addHandler(H())\ncall = lambda: log.info('x %d', 1)"
    ),
    "python filter": (
        "log.addFilter(lambda record: True)\nlog.addHandler(logging.StreamHandler(io.StringIO()))\n"
        "call = lambda: log.info('x %d', 1)"
    ),
    "queue": ("q = queue.SimpleQueue()\nlog.addHandler(logging.handlers.QueueHandler(q))\ncall = lambda: log.info('x %d', 1)"),
    "memory": (
        "log.addHandler(logging.handlers.MemoryHandler(3, target=logging.StreamHandler(io.StringIO())))\n"
        "call = lambda: log.info('x %d', 1)"
    ),
    "rotating": (
        "log.addHandler(logging.handlers.RotatingFileHandler('app.log', maxBytes=200, backupCount=1))\n"
        "call = lambda: log.info('x %d', 1)"
    ),
    "adapter": (
        "log.addHandler(logging.StreamHandler(io.StringIO()))\nadapter = logging.LoggerAdapter(log, {'a': 1})\n"
        "call = lambda: adapter.info('x %d', 1)"
    ),
    "record and formatter": (
        "f = logging.Formatter('%(asctime)s %(message)s')\n"
        "call = lambda: f.format(logging.makeLogRecord({'msg': 'x %s', 'args': (1,)}))"
    ),
    "making things": (
        "def call():\n    h = logging.StreamHandler(io.StringIO())\n    h.setFormatter(logging.Formatter('%(message)s'))\n"
        "    h.setLevel(10)\n    log.addHandler(h)\n    log.removeHandler(h)\n    log.isEnabledFor(33)\n"
        "    logging.getLogger('l.m').getChild('n')"
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_each_allocation_of_a_call_may_fail(run, what):
    """Only crashes and what stays behind are compared: which allocation fails where differs by nature."""
    outcome = run(
        textwrap.dedent(START)
        + "if _testcapi is None:\n    print('no _testcapi')\n    sys.exit()\n"
        + CALLS[what]
        + "\ninject(call)\n"
        + textwrap.dedent(END),
        compare=False,
        native=None,
    )
    if outcome.stdout == "no _testcapi\n":
        pytest.skip("this interpreter ships no _testcapi")
    assert "panicked" not in outcome.stderr and "Fatal" not in outcome.stderr, outcome.report()
    # The stdlib's own Python bodies may lose a lock to a MemoryError between acquire() and try (<= 3.12).
    assert outcome.stdout == "after {True}\n" or run.way == "stdlib", outcome.report()


@pytest.mark.parametrize("filters", ["", "log.addFilter(lambda record: True)", "log.addFilter(records.append)"])
def test_a_message_too_large_for_memory(run, filters):
    """A real limit, not an injected one: the address space ends while a line is formatted."""
    run(
        """
        import io, logging, resource, sys
        log = logging.getLogger("l")
        log.propagate = False
        def error(self, record):
            print("handleError", type(sys.exc_info()[1]).__name__)
        logging.Handler.handleError = error
        log.addHandler(logging.FileHandler("/dev/null"))
        records = []
        FILTERS
        log.addHandler(logging.StreamHandler(io.StringIO()))
        text = "x" * 300_000_000
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + 400_000_000, -1))
        for call in (lambda: log.warning("%s%s", text, text), lambda: log.warning("%900000000d", 1)):
            try:
                call()
            except MemoryError:
                print("MemoryError")
        log.handlers[1].stream.truncate(0)
        log.warning("after")
        """.replace("FILTERS", filters),
        native=None,
    )
