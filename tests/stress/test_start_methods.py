"""multiprocessing: fork, spawn, forkserver; children log, and with FEMTOLOG=1 they log natively."""

import pathlib

import pytest

METHODS = ("fork", "spawn", "forkserver")
FLAGS = ("-W", "ignore::DeprecationWarning")


@pytest.mark.parametrize("method", METHODS)
def test_processes_and_pool_log_to_one_file(run, method):
    run(
        """
        import logging, multiprocessing, os, sys

        def configure():
            log = logging.getLogger("l")
            if not log.handlers:
                handler = logging.FileHandler("app.log")
                handler.setFormatter(logging.Formatter("%(processName)s %(message)s %(funcName)s"))
                log.addHandler(handler)
                log.setLevel(10)
            return log

        def child(number):
            log = configure()
            assert logging.getLogger("l").handlers[0].baseFilename == os.path.abspath("app.log")
            for i in range(50):
                log.info("%d-%d", number, i)

        def in_pool(number):
            configure().info("pool %d", number)
            return number, os.getpid() != os.getppid()

        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[1])
            configure().info("parent")
            processes = [context.Process(target=child, args=(n,), name=f"child{n}") for n in range(4)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
            print([process.exitcode for process in processes])
            with context.Pool(2) as pool:
                print(pool.map(in_pool, range(20)))
            lines = open("app.log").read().splitlines()
            print(sorted(line for line in lines if line.startswith("child")))
            print(sorted(line.split(None, 1)[1] for line in lines if not line.startswith("child")))
        """,
        args=(method,),
        flags=FLAGS,
    )


@pytest.mark.parametrize("method", METHODS)
def test_records_cross_a_queue(run, method):
    """The QueueHandler recipe of the logging cookbook: children send, the parent's listener writes."""
    run(
        """
        import logging, logging.handlers, multiprocessing, sys

        def child(channel, number):
            root = logging.getLogger()
            root.handlers[:] = [logging.handlers.QueueHandler(channel)]
            root.setLevel(10)
            log = logging.getLogger(f"child.{number}")
            for i in range(20):
                log.info("record %d of %s", i, "child", extra={"number": number})
            try:
                1 / 0
            except ZeroDivisionError:
                log.exception("failed in %d", number)

        class Keep(logging.Handler):
            def emit(self, record):
                text = record.getMessage().splitlines()
                lines.append((record.name, text[0], text[-1], record.processName, record.funcName,
                              getattr(record, "number", None), type(record).__name__, record.args, record.exc_info))

        if __name__ == "__main__":
            lines = []
            context = multiprocessing.get_context(sys.argv[1])
            channel = context.Queue()
            listener = logging.handlers.QueueListener(channel, Keep())
            listener.start()
            processes = [context.Process(target=child, args=(channel, n), name=f"p{n}") for n in range(3)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
            listener.stop()
            for line in sorted(lines, key=lambda line: line[0]):
                print(line)
            logging.getLogger("parent").warning("end")
        """,
        args=(method,),
        flags=FLAGS,
    )


@pytest.mark.parametrize("method", METHODS)
def test_loggers_handlers_and_records_pickle_to_children(run, method):
    run(
        """
        import logging, multiprocessing, sys

        def child(pipe, logger, record, adapter):
            assert logger is logging.getLogger("a.b")
            pipe.send((type(record).__module__, record.getMessage(), sorted(record.__dict__) , logger))
            pipe.send(adapter.process("m", {}))

        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[1])
            logger = logging.getLogger("a.b")
            logger.warning("on stderr")
            record = logger.makeRecord("a.b", 30, "f.py", 3, "x %s", ("y",), None, "f", {"k": 1})
            ours, theirs = context.Pipe()
            adapter = logging.LoggerAdapter(logger, {"k": 2})
            process = context.Process(target=child, args=(theirs, logger, record, adapter))
            process.start()
            print(ours.recv())
            print(ours.recv())
            process.join()
            print(process.exitcode)
        """,
        args=(method,),
        flags=FLAGS,
    )


@pytest.mark.parametrize("method", METHODS)
def test_multiprocessings_own_logger(run, method):
    run(
        """
        import logging, multiprocessing, multiprocessing.util, sys

        def child():
            multiprocessing.get_logger().info("from %s", "child")
            logger = multiprocessing.get_logger()
            print(logger, logger.handlers, logger.level, logger.propagate, flush=True)

        if __name__ == "__main__":
            logger = multiprocessing.log_to_stderr(logging.INFO)
            logger.handlers[0].setFormatter(logging.Formatter("[%(levelname)s/%(processName)s] %(message)s %(filename)s"))
            context = multiprocessing.get_context(sys.argv[1])
            process = context.Process(target=child, name="one")
            process.start()
            process.join()
            print(process.exitcode, multiprocessing.util.SUBDEBUG, multiprocessing.util.SUBWARNING)
        """,
        args=(method,),
        flags=FLAGS,
        # The manager and resource tracker log at moments of their own choosing.
        masks=[(r"pid=\d+", "pid=?"), (r"pymp-\w+", "pymp-?"), (r"listener-\w+", "listener-?")],
    )


def test_concurrent_futures_workers_log(run):
    run(
        """
        import concurrent.futures, logging, multiprocessing, os

        def start():
            logging.basicConfig(filename="app.log", format="%(name)s %(message)s", level=10)

        def work(n):
            logging.getLogger("worker").debug("work %d", n)
            return n

        if __name__ == "__main__":
            context = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(2, initializer=start, mp_context=context) as pool:
                print(list(pool.map(work, range(10))))
            with concurrent.futures.ThreadPoolExecutor(4, initializer=start) as pool:
                print(list(pool.map(work, range(10, 20))))
            print(sorted(open("app.log")))
        """
    )


def pth_folder():
    """Where the inert .pth of the source tree stands; None when femtolog is installed (site reads it then)."""
    import importlib.metadata

    try:
        importlib.metadata.distribution("femtolog")
    except importlib.metadata.PackageNotFoundError:
        return pathlib.Path(__file__).resolve().parents[2] / "compat" / "purelib"


@pytest.mark.parametrize("how", [*METHODS, "-c"])
def test_children_with_femtolog_1_are_native(run_plain, how):
    environment = {"FEMTOLOG": "1"}
    if folder := pth_folder():
        environment["FEMTOLOG_TEST_PTH"] = str(folder)
    outcome = run_plain(
        """
        import logging, multiprocessing, subprocess, sys

        CODE = '''
        import logging, femtolog
        def tell():
            femtolog.reset_stats()
            logging.getLogger("child").warning("hello")
            counters = femtolog.stats()
            return femtolog.is_installed(), counters["native"], sum(counters["reference"].values())
        '''
        exec(CODE)

        def child(pipe):
            pipe.send(tell())

        if __name__ == "__main__":
            print(tell())
            if sys.argv[1] == "-c":
                subprocess.run([sys.executable, "-c", CODE + "print(tell())"], check=True)
            else:
                context = multiprocessing.get_context(sys.argv[1])
                ours, theirs = context.Pipe()
                process = context.Process(target=child, args=(theirs,))
                process.start()
                print(ours.recv())
                process.join()
        """,
        env=environment,
        args=(how,),
        flags=FLAGS,
    )
    assert outcome.stdout.splitlines() == ["(True, 1, 0)"] * 2, outcome.report()
    assert outcome.stderr.splitlines() == ["hello"] * 2, outcome.report()
