"""Many threads, one handler: every line once, none torn, in order per thread."""

import textwrap

import pytest

START = """
    import collections, io, logging, logging.handlers, os, queue, sys, threading

    sys.setswitchinterval(1e-5)
    THREADS, RECORDS = 8, 1500
    FORMAT = logging.Formatter("<%(threadName)s|%(message)s|%(funcName)s>")
    log = logging.getLogger("stress")
    log.setLevel(logging.INFO)
    log.propagate = False
    ready = threading.Barrier(THREADS)

    def work(number, log=log):
        ready.wait()
        for i in range(RECORDS):
            log.info("%d %s", i, "x" * (i % 97))

    def run(handler, work=work):
        handler.setFormatter(FORMAT)
        log.addHandler(handler)
        threads = [threading.Thread(target=work, args=(n,), name=f"t{n}") for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.removeHandler(handler)
        handler.close()

    def check(text, exact=True):
        nexts = collections.Counter()
        for line in text.splitlines():
            assert line[0] == "<" and line[-1] == ">", ("torn", line)
            name, message, function = line[1:-1].split("|")
            number, _, tail = message.partition(" ")
            assert int(number) == nexts[name], ("order", line)
            assert tail == "x" * (int(number) % 97), ("torn", line)
            assert function == "work", line
            nexts[name] += 1
        assert dict(nexts) == {f"t{n}": RECORDS for n in range(THREADS)}, nexts
        print("every line once")
"""

TARGETS = {
    "file": """
        run(logging.FileHandler("app.log"))
        check(open("app.log").read())
    """,
    "file, delay and utf-8": """
        run(logging.FileHandler("app.log", delay=True, encoding="utf-8"))
        check(open("app.log", encoding="utf-8").read())
    """,
    "file, two handlers on it": """
        second = logging.FileHandler("app.log")
        second.setFormatter(FORMAT)
        first = logging.FileHandler("app.log")
        def work_both(number):
            ready.wait()
            record = logging.makeLogRecord(dict(msg="", levelno=20))
            for i in range(RECORDS):
                (first if i % 2 else second).handle(logging.makeLogRecord(dict(
                    msg="%d %s", args=(i, "x" * (i % 97)), levelno=20, funcName="work",
                    threadName=threading.current_thread().name)))
        run(first, work_both)
        second.close()
        check(open("app.log").read())
    """,
    "stream to a text file": """
        with open("app.log", "w") as file:
            run(logging.StreamHandler(file))
        check(open("app.log").read())
    """,
    "stream to StringIO": """
        stream = io.StringIO()
        run(logging.StreamHandler(stream))
        check(stream.getvalue())
    """,
    "stream to a Python object": """
        class Stream:
            def __init__(self):
                self.parts, self.inside = [], False
            def write(self, text):
                assert not self.inside  # the handler's lock is held
                self.inside = True
                for _ in range(20):
                    pass
                self.parts.append(text)
                self.inside = False
            def flush(self):
                assert not self.inside
        stream = Stream()
        run(logging.StreamHandler(stream))
        check("".join(stream.parts))
    """,
    "stream to a pipe": """
        reader, writer = os.pipe()
        parts = []
        def drain():
            while chunk := os.read(reader, 4096):
                parts.append(chunk)
        drainer = threading.Thread(target=drain)
        drainer.start()
        with open(writer, "w") as pipe:
            run(logging.StreamHandler(pipe))
        drainer.join()
        check(b"".join(parts).decode())
    """,
    "watched file": """
        run(logging.handlers.WatchedFileHandler("app.log"))
        check(open("app.log").read())
    """,
    "queue and listener": """
        stream = io.StringIO()
        target = logging.StreamHandler(stream)
        target.setFormatter(logging.Formatter("%(message)s"))
        channel = queue.Queue()
        listener = logging.handlers.QueueListener(channel, target)
        listener.start()
        run(logging.handlers.QueueHandler(channel))
        listener.stop()
        check(stream.getvalue())
    """,
    "memory handler": """
        target = logging.FileHandler("app.log")
        target.setFormatter(FORMAT)
        run(logging.handlers.MemoryHandler(50, target=target))
        target.close()
        check(open("app.log").read())
    """,
    "python handler": """
        class Keep(logging.Handler):
            def emit(self, record):
                lines.append(self.format(record))
        lines = []
        run(Keep())
        check("\\n".join(lines))
    """,
    "adapter and child loggers": """
        def work_children(number):
            child = logging.LoggerAdapter(logging.getLogger(f"stress.n{number}.deep"), {"a": 1})
            ready.wait()
            def work():
                for i in range(RECORDS):
                    child.info("%d %s", i, "x" * (i % 97))
            work()
        run(logging.FileHandler("app.log"), work_children)
        check(open("app.log").read())
    """,
}


@pytest.mark.parametrize("target", TARGETS)
def test_every_line_once_none_torn_in_order(run, target):
    run(textwrap.dedent(START) + textwrap.dedent(TARGETS[target]))


def test_rotation_by_eight_threads_loses_nothing(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import glob
        run(logging.handlers.RotatingFileHandler("app.log", maxBytes=20_000, backupCount=500))
        names = sorted(glob.glob("app.log.*"), key=lambda n: -int(n.rpartition(".")[2])) + ["app.log"]
        assert len(names) > 10, names
        assert all(os.path.getsize(name) <= 20_000 for name in names)
        check("".join(open(name).read() for name in names))
    """)
    )


def test_loggers_handlers_and_levels_change_while_others_log(run):
    run("""
        import io, logging, sys, threading

        sys.setswitchinterval(1e-5)
        log = logging.getLogger("a.b")
        log.setLevel(10)
        root = logging.getLogger()
        stop = threading.Event()
        errors = []
        threading.excepthook = lambda info: errors.append(info.exc_value)
        logging.Handler.handleError = lambda self, record: errors.append(sys.exc_info()[1])

        class Nothing(logging.Handler):
            def emit(self, record):
                pass

        def add_and_remove():
            while not stop.is_set():
                handler = logging.StreamHandler(io.StringIO())
                log.addHandler(handler)
                root.addHandler(handler)
                root.removeHandler(handler)
                log.removeHandler(handler)
                handler.close()

        def set_levels():
            while not stop.is_set():
                for level in (10, 20, 30, 0):
                    log.setLevel(level)
                    root.setLevel(level)
                logging.disable(50)
                logging.disable(0)

        def new_loggers():
            n = 0
            while not stop.is_set():
                logging.getLogger(f"a.b.c{n % 300}.d").info("new")
                n += 1

        def formatters():
            while not stop.is_set():
                for fmt in ("%(message)s", "%(levelname)s %(asctime)s", "%(name)s"):
                    always.setFormatter(logging.Formatter(fmt))

        always = logging.StreamHandler(io.StringIO())
        root.addHandler(always)
        root.addHandler(Nothing())
        threads = [threading.Thread(target=f) for f in (add_and_remove, set_levels, new_loggers, formatters)]
        def work():
            for i in range(4000):
                log.error("message %d", i)
        workers = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads + workers:
            thread.start()
        for thread in workers:
            thread.join()
        stop.set()
        for thread in threads:
            thread.join()
        # Everything may have been disabled for as long as the others logged.
        logging.disable(0)
        log.setLevel(10)
        log.error("after all")
        print(errors)
    """)


def test_getlogger_gives_all_threads_the_same_objects(run):
    run("""
        import logging, sys, threading

        sys.setswitchinterval(1e-6)
        names = [f"r{i % 40}.s{i % 7}.t{i}" for i in range(1500)]
        found = [None] * 8
        ready = threading.Barrier(8)
        def work(n):
            ready.wait()
            found[n] = [logging.getLogger(name) for name in names]
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(a is b for other in found[1:] for a, b in zip(found[0], other))
        for logger in found[0]:
            head = logger.name.rpartition(".")[0]
            parent = logger.parent
            assert parent is logging.root or logger.name.startswith(parent.name + "."), logger
        logging.getLogger("r3").setLevel(44)
        print({logger.getEffectiveLevel() for logger in found[0] if logger.name.startswith("r3.")})
        logging.getLogger("x").warning("done")
    """)


def test_a_thread_waiting_for_the_handler_lock_lets_others_run(run):
    """The lock is awaited without the GIL: whoever holds it can go on and release it."""
    run("""
        import io, logging, threading

        log = logging.getLogger("l")
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        log.addHandler(handler)
        handler.acquire()
        about = threading.Semaphore(0)
        def work(n):
            about.release()
            log.warning("from the other side")
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            about.acquire()
        sum(range(2_000_000))  # the others wait meanwhile
        assert stream.getvalue() == ""
        log.warning("mine")  # re-entrant for the holder
        handler.release()
        for thread in threads:
            thread.join()
        print(stream.getvalue())
    """)


def test_threads_replace_the_stream_of_a_handler(run):
    run("""
        import io, logging, sys, threading

        sys.setswitchinterval(1e-5)
        log = logging.getLogger("l")
        streams = [io.StringIO() for _ in range(5)]
        handler = logging.StreamHandler(streams[0])
        log.addHandler(handler)
        done = threading.Event()
        def swap():
            n = 0
            while not done.is_set():
                handler.setStream(streams[n % 5])
                n += 1
        swapper = threading.Thread(target=swap)
        swapper.start()
        def work(n):
            for i in range(2000):
                log.warning("%d-%d", n, i)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        swapper.join()
        lines = "".join(stream.getvalue() for stream in streams).splitlines()
        print(sorted(lines) == sorted(f"{n}-{i}" for n in range(4) for i in range(2000)))
    """)
