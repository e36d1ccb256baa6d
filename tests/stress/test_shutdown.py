"""The end of the interpreter, in any order: atexit, threads, `__del__`, module globals already gone."""

import textwrap

import pytest


def test_atexit_callbacks_before_and_after_loggings_own(run):
    run(
        """
        import atexit
        atexit.register(lambda: logging.getLogger("l").info("registered before logging was imported"))
        import logging, logging.handlers
        pass  # late install
        atexit.register(lambda: log.info("registered after"))
        log = logging.getLogger("l")
        log.setLevel(10)
        log.addHandler(logging.FileHandler("app.log"))
        log.addHandler(logging.handlers.MemoryHandler(100, target=logging.FileHandler("memory.log")))
        log.addHandler(logging.handlers.RotatingFileHandler("rotating.log", maxBytes=10_000, backupCount=1))
        log.info("main")
        """,
        files=("app.log", "memory.log", "rotating.log"),
    )


def test_shutdown_twice_and_logging_after_it(run):
    run(
        """
        import io, logging, logging.handlers
        log = logging.getLogger("l")
        log.addHandler(logging.FileHandler("app.log"))
        log.addHandler(logging.FileHandler("write.log", "w"))
        log.addHandler(logging.StreamHandler(io.StringIO()))
        log.warning("one")
        logging.shutdown()
        log.warning("two")
        logging.shutdown()
        log.warning("three")
        print(log.handlers[0].stream, log.handlers[1].stream)
        print(log.handlers[2].stream.getvalue())
        """,
        files=("app.log", "write.log"),
    )


def test_del_logs_at_finalization(run):
    run(
        """
        import builtins, logging
        logging.basicConfig(filename="app.log", level=10, format="%(levelname)s %(message)s")
        class Loud:
            def __init__(self, name, log=logging.getLogger("l")):
                self.name, self.log, self.itself = name, log, self
            def __del__(self):
                try:
                    self.log.info("del %s", self.name)
                    self.log.error("with args %d", 3, extra={"a": 1})
                    self.log.debug("exc", exc_info=ValueError("x"))
                except BaseException as exc:
                    with self.log.opened("errors", "a") as file:
                        print(type(exc).__name__, exc, file=file)
        logging.getLogger("l").opened = open
        in_module = Loud("module global")
        builtins.in_builtins = Loud("builtins")
        logging.in_logging = Loud("logging")
        import sys
        sys.in_sys = Loud("sys")
        logging.getLogger("l").on_logger = Loud("logger")
        logging.root.handlers[0].on_handler = Loud("handler")
        logging.getLogger("l").info("end of the program")
        """,
        files=("app.log", "errors"),
    )


def test_file_handler_reopens_at_finalization_although_open_is_gone(run):
    """The case of CPython's test_logging_at_shutdown_open."""
    run(
        """
        import builtins, logging
        class A:
            def __del__(self):
                logging.getLogger("l").error("log in __del__")
        a = A()
        logging.basicConfig(filename="app.log", format="%(message)s")
        logging.getLogger("l").error("before")
        logging.shutdown()
        del builtins.open
        """,
        files=("app.log",),
    )


def test_module_globals_of_logging_set_to_none(run):
    """What interpreters did at exit for long: every name of the module is None, and nothing crashes."""
    outcome = run(
        """
        import io, logging, sys
        log = logging.getLogger("l")
        log.setLevel(10)
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        log.addHandler(logging.FileHandler("app.log"))
        log.addHandler(logging.NullHandler())
        log.info("one")
        child = logging.getLogger("l.child")
        kept = {name: value for name, value in vars(logging).items() if not name.startswith("__")}
        calls = [lambda: log.info("x"), lambda: log.info("%s", 1), lambda: log.error("x", exc_info=True),
                 lambda: child.debug("x"), lambda: log.log(10, "x"), lambda: log.isEnabledFor(15),
                 lambda: log.setLevel(20), lambda: log.handlers[0].handleError(None), lambda: log.handlers[1].close(),
                 lambda: log.addFilter(print) or log.removeFilter(print), lambda: log.callHandlers(object()),
                 lambda: log.getChild("z"), lambda: log.manager.getLogger("y"), lambda: log.findCaller()]
        for name in kept:
            setattr(logging, name, None)
        for call in calls:
            try:
                call()
            except Exception as exc:
                pass
        for name, value in kept.items():
            setattr(logging, name, value)
        log.setLevel(10)
        log.info("last")
        sys.stdout.write(stream.getvalue().splitlines()[-1])
        """,
        compare=False,
        native=None,
    )
    assert outcome.stdout == "last"


@pytest.mark.parametrize("name", ["sys", "os", "io", "time", "threading", "traceback", "weakref", "warnings", "re"])
def test_one_module_global_of_logging_is_none(run, name):
    run(
        f"""
        import io, logging
        stream = io.StringIO()
        log = logging.getLogger("l")
        log.addHandler(logging.StreamHandler(stream))
        log.handlers[0].setFormatter(logging.Formatter("%(message)s"))
        logging.raiseExceptions = False
        logging.{name} = None
        for call in (lambda: log.warning("plain"), lambda: log.warning("%d", 3), lambda: log.warning("%d", "x"),
                     lambda: log.exception("exc"), lambda: log.handlers[0].flush()):
            try:
                call()
            except Exception as exc:
                print(type(exc).__name__)
        print(stream.getvalue())
        """,
        native=None,
        # Which of the module's imports a step reaches for is the interpreter's own business: only no crash.
        compare=False,
    )


def test_globals_of_the_program_deleted_before_exit(run):
    run(
        """
        import logging, sys
        logging.basicConfig(stream=sys.stdout, level=10)
        log = logging.getLogger("l")
        class Loud:
            def __del__(self, log=log):
                log.info("del")
        loud = Loud()
        for name in list(sys.modules):
            if name.startswith("logging"):
                del sys.modules[name]
        del logging
        log.info("without the module")
        """
    )


def test_daemon_threads_log_until_the_end(run):
    outcome = run(
        """
        import io, logging, os, sys, threading, time
        log = logging.getLogger("l")
        log.setLevel(10)
        log.addHandler(logging.FileHandler("app.log"))
        log.addHandler(logging.StreamHandler(io.StringIO()))
        started = threading.Barrier(7)
        def work(n):
            i = 0
            while True:
                log.info("thread %d line %d.", n, i)
                i += 1
                if i == 5:
                    started.wait()
                time.sleep(0.0001)
        for n in range(6):
            threading.Thread(target=work, args=(n,), daemon=True).start()
        started.wait()
        log.info("main ends.")
        """,
        compare=False,
        native=None,
        timeout=30,
    )
    lines = (outcome.directory / "app.log").read_text().splitlines()
    assert "main ends." in lines
    assert all(line.endswith(".") for line in lines)
    for n in range(6):
        assert [line for line in lines if line.startswith(f"thread {n} ")][:5] == [f"thread {n} line {i}." for i in range(5)]
    assert "Fatal" not in outcome.stderr and "panicked" not in outcome.stderr, outcome.report()


def test_many_exits_with_daemon_threads(run):
    """Finalization is a race: thirty processes end while four daemon threads each are in a log call."""
    outcome = run(
        """
        import logging, os, subprocess, sys
        CODE = '''
        import logging, sys, threading
        sys.setswitchinterval(1e-5)
        logging.basicConfig(filename=sys.argv[1], level=10, format="%(asctime)s %(threadName)s %(message)s")
        go = threading.Barrier(5)
        class Text:
            def __str__(self):
                return "text"
        def work():
            go.wait()
            while True:
                logging.info("line %s %d", Text(), 3, extra={"a": 1})
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        go.wait()
        logging.info("main")
        '''
        import textwrap
        codes = []
        processes = []
        for i in range(30):
            processes.append(subprocess.Popen([sys.executable, "-c", textwrap.dedent(CODE), f"{i}.log"]))
            if len(processes) == 3:
                codes += [process.wait() for process in processes]
                processes.clear()
        print(set(codes))
        for i in range(30):
            lines = open(f"{i}.log").read().splitlines()
            assert any(line.endswith(" main") for line in lines)
        """,
        native=None,
        timeout=120,
        compare=False,
    )
    assert outcome.stdout == "{0}\n", outcome.report()


def test_non_daemon_threads_log_after_the_main_thread_ended(run):
    run(
        """
        import logging, threading
        log = logging.getLogger("l")
        log.setLevel(10)
        log.addHandler(logging.FileHandler("app.log"))
        main = threading.main_thread()
        def work():
            main.join()
            for i in range(100):
                log.info("%d %s", i, main.is_alive())
        threading.Thread(target=work).start()
        log.info("main")
        """,
        files=("app.log",),
    )


def test_threading_atexit_and_executor_shutdown_log(run):
    run(
        """
        import concurrent.futures, logging, threading
        log = logging.getLogger("l")
        log.setLevel(10)
        log.addHandler(logging.FileHandler("app.log"))
        threading._register_atexit(log.info, "threading atexit %d", 1)
        pool = concurrent.futures.ThreadPoolExecutor(1)
        pool.submit(log.info, "in pool")
        import atexit
        atexit.register(log.info, "atexit")
        pool.shutdown()
        """,
        files=("app.log",),
    )


def test_queue_listener_left_running_at_exit(run):
    run(
        """
        import atexit, logging, logging.handlers, queue
        channel = queue.Queue()
        listener = logging.handlers.QueueListener(channel, logging.FileHandler("app.log"))
        listener.start()
        atexit.register(listener.stop)
        log = logging.getLogger("l")
        log.addHandler(logging.handlers.QueueHandler(channel))
        for i in range(200):
            log.warning("%d", i)
        """,
        files=("app.log",),
    )


FOREIGN = """
    import ctypes, logging, os, sys, threading, time
    libc = ctypes.CDLL(None, use_errno=True)
    BODY = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    libc.pthread_create.argtypes = [ctypes.c_void_p, ctypes.c_void_p, BODY, ctypes.c_void_p]
    libc.pthread_join.argtypes = [ctypes.c_ulong, ctypes.c_void_p]
    kept = []
    def start(function):
        body = BODY(lambda _: (function(), 0)[1])
        kept.append(body)
        thread = ctypes.c_ulong()
        assert libc.pthread_create(ctypes.byref(thread), None, body, None) == 0
        return thread
    def join(thread):
        assert libc.pthread_join(thread, None) == 0
"""


def test_foreign_threads_log(run):
    """Threads made by C: Python knows them only while they call into it, under a name Dummy-n."""
    run(
        FOREIGN
        + """
    log = logging.getLogger("l")
    log.setLevel(10)
    log.addHandler(logging.FileHandler("app.log"))
    log.handlers[0].setFormatter(logging.Formatter("%(threadName)s %(message)s %(thread)d"))
    same = []
    def work():
        for i in range(50):
            log.info("foreign %d", i)
        same.append(threading.get_ident())
    for _ in range(5):
        join(start(work))
    threads = [start(lambda: [log.info("together") for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        join(thread)
    lines = [line.split() for line in open("app.log")]
    assert all(line[0].startswith("Dummy-") for line in lines)
    assert {int(line[-1]) for line in lines if line[1] == "foreign"} == set(same)
    print(len(lines))
    """
    )


def test_foreign_threads_log_during_finalization(run):
    """They do not know that the interpreter ends. Ten processes; each must end by itself and without a crash."""
    outcome = run(
        """
        import subprocess, sys
        START = sys.argv[1]
        CODE = '''
        log = logging.getLogger("l")
        log.setLevel(10)
        log.addHandler(logging.FileHandler(sys.argv[1]))
        log.addHandler(logging.NullHandler())
        counts = [0, 0, 0]
        def work(n):
            while True:
                log.info("line %d", counts[n], extra={"a": 1})
                counts[n] += 1
        for n in range(3):
            start(lambda n=n: work(n))
        # A thread that enters Python for the first time while it ends is fatal on the interpreter's own account.
        while min(counts) < 5:
            time.sleep(0.001)
        log.info("main")
        '''
        import textwrap
        codes = set()
        for i in range(10):
            codes.add(subprocess.run([sys.executable, "-c", START + textwrap.dedent(CODE), f"{i}.log"], timeout=30).returncode)
            assert "main" in open(f"{i}.log").read()
        print(codes)
        """,
        args=(textwrap.dedent(FOREIGN),),
        native=None,
        compare=False,
        timeout=120,
    )
    assert outcome.stdout == "{0}\n", outcome.report()


def test_exit_inside_a_log_call(run):
    run(
        """
        import logging, sys
        logging.basicConfig(filename="app.log", format="%(message)s")
        class Leave:
            def __str__(self):
                sys.exit(3)
        logging.warning("before")
        logging.warning("%s", Leave())
        logging.warning("never")
        """,
        status=3,
        files=("app.log",),
    )


def test_stderr_is_none_at_exit(run):
    run(
        """
        import logging, sys
        class Loud:
            def __del__(self, log=logging.getLogger("l")):
                log.error("with lastResort")
                log.error("%d", "x")
        loud = Loud()
        loud.me = loud
        logging.error("on stderr")
        logging.getLogger("l").propagate = False
        sys.stderr = None
        """
    )
