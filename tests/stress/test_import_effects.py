"""Importing and installing makes no thread, no descriptor, no lock, no signal handler and no output."""

import pytest

PROBE = """
    import os, sys

    def tasks():
        return len(os.listdir("/proc/self/task"))
    def descriptors():
        return sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
    def signals():
        return [line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
    import atexit, gc, threading
    def state():
        return dict(tasks=tasks(), descriptors=descriptors(), signals=signals(), threads=threading.active_count(),
                    locale=__import__("locale").setlocale(0), cwd=os.getcwd(), umask=[os.umask(0o22), os.umask(0o22)][1],
                    threshold=gc.get_threshold(), callbacks=len(gc.callbacks), trace=sys.gettrace(),
                    switch=sys.getswitchinterval(), recursion=sys.getrecursionlimit(), hooks=len(sys.path_hooks),
                    environment=sorted(os.environ), excepthook=sys.excepthook is sys.__excepthook__,
                    unraisable=sys.unraisablehook is sys.__unraisablehook__, path=list(sys.path),
                    argv=sys.argv, stdout=sys.stdout is sys.__stdout__)
"""


@pytest.mark.parametrize("order", ["early", "late"])
def test_import_and_install_leave_the_process_as_it_was(run_plain, order):
    outcome = run_plain(
        PROBE
        + f"""
    if {order == "late"}:
        import logging.handlers, logging.config
    state()
    before = state()
    import femtolog
    imported = state()
    assert imported == before, [(k, before[k], imported[k]) for k in before if before[k] != imported[k]]
    assert ("logging" in sys.modules) == {order == "late"}, "import femtolog alone imported logging"
    femtolog.install()
    installed = state()
    installed.pop("path"), before.pop("path")
    assert installed == before, [(k, before[k], installed[k]) for k in before if before[k] != installed[k]]
    import logging, logging.handlers, logging.config
    log = logging.getLogger("l")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    for i in range(100):
        log.warning("x %d", i)
    used = state()
    used.pop("path")
    assert used == before, [(k, before[k], used[k]) for k in before if before[k] != used[k]]
    femtolog.uninstall()
    after = state()
    after.pop("path")
    assert after == before
    print("as it was")
    """
    )
    assert (outcome.stdout, outcome.stderr) == ("as it was\n", ""), outcome.report()


def test_logging_itself_makes_no_thread_or_descriptor(run):
    run(
        PROBE
        + """
    import logging, logging.handlers, logging.config
    state()
    before = state()
    log = logging.getLogger("l")
    log.propagate = False
    for i in range(200):
        handler = logging.FileHandler("app.log")
        log.addHandler(handler)
        log.addHandler(logging.StreamHandler(sys.stdout))
        log.warning("x %d", i) if i < 3 else None
        log.handlers.clear()
        handler.close()
    after = state()
    assert after == before, [(k, before[k], after[k]) for k in before if before[k] != after[k]]
    """
    )


def test_import_in_a_thread_and_from_many_threads_at_once(run_plain):
    outcome = run_plain(
        """
        import sys, threading
        sys.setswitchinterval(1e-6)
        go = threading.Barrier(8)
        problems = []
        def work():
            go.wait()
            try:
                import femtolog
                femtolog.install()
                import logging
                logging.getLogger("l").debug("x")
                assert femtolog.is_installed()
            except BaseException as exc:
                problems.append(repr(exc))
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(problems)
        import femtolog, logging
        logging.warning("end")
        print(femtolog.stats()["native"] >= 1)
        """
    )
    assert outcome.stdout == "[]\nTrue\n", outcome.report()
    assert outcome.stderr == "WARNING:root:end\n", outcome.report()


def test_install_while_other_threads_log(run_plain):
    """Binding and unbinding under fire: every line arrives, whichever tier wrote it."""
    outcome = run_plain(
        """
        import collections, io, itertools, logging, sys, threading
        import femtolog
        sys.setswitchinterval(1e-5)
        log = logging.getLogger("l")
        log.setLevel(10)
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        log.handlers[0].setFormatter(logging.Formatter("%(threadName)s %(message)s %(funcName)s"))
        enough = threading.Event()
        logged = {}
        def work():
            for i in itertools.count():
                if i >= 2000 and enough.is_set():
                    break
                log.info("%d", i)
            logged[threading.current_thread().name] = i
        threads = [threading.Thread(target=work, name=f"t{n}") for n in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(20):
            femtolog.install()
            femtolog.uninstall()
        enough.set()
        for thread in threads:
            thread.join()
        nexts = collections.Counter()
        for line in stream.getvalue().splitlines():
            name, number, function = line.split()
            assert int(number) == nexts[name] and function == "work", line
            nexts[name] += 1
        print(nexts == logged, sorted(logged))
        """
    )
    assert outcome.stdout == "True ['t0', 't1', 't2', 't3']\n", outcome.report()
