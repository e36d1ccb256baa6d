"""gevent: greenlets as threads, with locks and thread names as gevent's patch makes them. pip install .[ecosystem]"""

import importlib.util

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="pip install .[ecosystem]")


def test_installed_after_everything_is_patched(run):
    """gevent's Thread is a subclass of threading's, without a `name` of its own."""
    run(
        """
        from gevent import monkey
        monkey.patch_all()
        import gevent, logging, sys, threading
        logging.basicConfig(stream=sys.stdout, level=0, format="%(levelname)s %(threadName)s %(message)s")
        pass  # late install
        logging.info("main")
        gevent.spawn(logging.info, "greenlet %d", 1).join()
        thread = threading.Thread(target=logging.warning, args=("thread",), name="named")
        thread.start()
        thread.join()
        """,
        masks=[(r"(Dummy-|Greenlet-)\d+", r"\1?")],
        native=3,
    )


@pytest.mark.parametrize("order", ["patch first", "logging first"])
def test_greenlets_log_with_their_names_and_no_deadlock(run, order):
    patch = "from gevent import monkey; monkey.patch_all()"
    first, second = (patch, "") if order == "patch first" else ("import logging, logging.handlers", patch)
    run(
        f"""
        {first}
        {second}
        import gevent, io, logging, logging.handlers, os, sys, threading
        log = logging.getLogger("l")
        log.setLevel(10)
        log.propagate = False
        log.addHandler(logging.FileHandler("app.log"))
        log.handlers[0].setFormatter(logging.Formatter("%(threadName)s %(message)s %(funcName)s"))
        class Stream(io.StringIO):
            def write(self, text):
                gevent.sleep(0)      # another greenlet runs while the handler's lock is held
                return super().write(text)
        stream = Stream()
        log.addHandler(logging.StreamHandler(stream))
        def work(n):
            for i in range(50):
                log.info("%d %d", n, i)
                gevent.sleep(0)
        threads = [threading.Thread(target=work, args=(n,), name=f"t{{n}}") for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = sorted(open("app.log").read().splitlines())
        assert lines == sorted(f"t{{n}} {{n}} {{i}} work" for n in range(8) for i in range(50)), lines[:5]
        assert sorted(stream.getvalue().splitlines()) == sorted(f"{{n}} {{i}}" for n in range(8) for i in range(50))
        jobs = [gevent.spawn(work, n) for n in range(20)]
        gevent.joinall(jobs, timeout=20)
        print(all(job.ready() for job in jobs))
        names = {{line.split()[0] for line in open("app.log")}}
        print(len([name for name in names if name.startswith("t")]), all(name.startswith(("t", "Dummy-")) for name in names))
        """,
        timeout=40,
    )


def test_patched_after_the_first_records(run):
    run(
        """
        import logging, sys
        log = logging.getLogger("l")
        log.addHandler(logging.StreamHandler(sys.stdout))
        log.handlers[0].setFormatter(logging.Formatter("%(threadName)s %(message)s"))
        log.warning("before")
        import warnings
        warnings.simplefilter("ignore")
        from gevent import monkey
        monkey.patch_all()
        import gevent, threading
        log.warning("after")
        thread = threading.Thread(target=lambda: log.warning("in a greenlet"), name="green")
        thread.start()
        thread.join()
        threading.current_thread().name = "renamed"
        log.warning("renamed")
        log.addHandler(logging.StreamHandler(sys.stdout))   # with gevent's lock
        def hold():
            with log.handlers[1].lock:
                gevent.sleep(0.05)
                log.warning("holder")
        job = gevent.spawn(hold)
        gevent.sleep(0)
        log.warning("waits for the greenlet")
        job.join()
        """
    )


def test_gevent_fork_and_subprocess(run):
    run(
        """
        from gevent import monkey; monkey.patch_all()
        import gevent, logging, os, sys
        waitpid = monkey.get_original("os", "waitpid")
        log = logging.getLogger("l")
        log.addHandler(logging.FileHandler("app.log"))
        log.warning("parent")
        for i in range(20):
            pid = os.fork()
            if pid == 0:
                log.warning("child %d", i)
                os._exit(0)
            print(waitpid(pid, 0)[1])
        log.warning("end")
        """,
        files=("app.log",),
        flags=("-W", "ignore::DeprecationWarning"),
    )


def test_asynchronous_handlers_and_the_hub(run):
    """The hub goes on while a queue is full and a sink is slow; order and account are as with threads of the system."""
    run(
        """
        from gevent import monkey; monkey.patch_all()
        import gevent, logging, os, threading
        import femtolog
        out, turns = [], []
        class Slow(logging.StreamHandler):
            def emit(self, record):
                gevent.sleep(0.001)
                out.append(record.getMessage())
        log = logging.getLogger("l")
        log.setLevel(10)
        log.propagate = False
        slow, quick = femtolog.enqueue(Slow(), capacity=4), femtolog.enqueue(logging.FileHandler("app.log"), capacity=50)
        log.addHandler(quick)
        log.addHandler(slow)
        def tick():
            while True:
                turns.append(len(out))
                gevent.sleep(0.001)
        ticking = gevent.spawn(tick)
        def work(n):
            for i in range(50):
                log.info("%d %d", n, i)
        gevent.joinall([gevent.spawn(work, n) for n in range(5)])
        print(slow.flush(30), quick.flush(30), len(set(turns)) > 50)
        gevent.get_hub().threadpool.spawn(log.info, "9 0").get()
        gevent.get_hub().loop.run_callback(log.info, "9 1")
        gevent.sleep(0.05)
        ticking.kill()
        for handler in slow, quick:
            handler.close()
            account = handler.stats()
            print(account["emitted"], account["written"], account["in_flight"])
        for lines in out, open("app.log").read().splitlines():
            numbers = {}
            for line in lines:
                n, i = line.split()
                numbers.setdefault(n, []).append(int(i))
            print(all(one == list(range(len(one))) for one in numbers.values()), len(lines))
        """,
        timeout=60,
        native=None,
    )


def test_a_peer_is_a_greenlet_of_the_same_hub(run):
    """It reads only while the hub goes on, and so do those who wait for room, flush and close."""
    run(
        """
        from gevent import monkey; monkey.patch_all()
        import gevent, logging, socket
        import femtolog
        from femtolog.femto import FemtoSocketHandler
        listener = socket.create_server(("127.0.0.1", 0))
        sizes = []
        def serve():
            peer = listener.accept()[0]
            while data := peer.recv(1 << 16):
                sizes.append(len(data))
        served = gevent.spawn(serve)
        handler = FemtoSocketHandler(*listener.getsockname(), capacity=2, policy="block", write_timeout_ms=30_000)
        log = logging.getLogger("l")
        log.setLevel(10)
        log.propagate = False
        log.addHandler(handler)
        def work(n):
            for i in range(100):
                log.info("x" * 100_000)
        gevent.joinall([gevent.spawn(work, n) for n in range(3)])
        print(handler.flush(30), handler.stats()["written"])
        gevent.get_hub().loop.run_callback(log.info, "from the hub")
        gevent.sleep(0)
        handler.close()
        served.join()
        print(handler.stats()["written"], sum(sizes) > 30_000_000)
        """,
        timeout=60,
        native=None,
    )
