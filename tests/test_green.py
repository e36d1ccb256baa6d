"""Asynchronous handlers where threads have been replaced, as gevent and eventlet do it: nothing waits as a thread of the system does.

Without these packages here: functions that stand in their place and start threads all the same. Greenlets themselves run in
tests/ecosystem/programs (gevent, eventlet, gunicorn) and tests/stress/test_gevent.py.
"""

import os
import subprocess
import sys
import textwrap

import pytest

from femtolog import _green

REPLACED = """
import logging, os, threading, time, _thread
import femtolog
from femtolog import _enqueue, _timetable
femtolog.install()
started = []

def replace():
    start, ident = _thread.start_new_thread, threading.get_ident
    def start_new_thread(function, args):
        started.append(function.__name__)
        return start(function, args)
    def get_ident():
        return ident()
    _thread.start_new_thread = start_new_thread
    threading.get_ident = get_ident

def until(happened):
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)

log = logging.Logger("green")
"""


def run(program):
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore::DeprecationWarning", "-c", REPLACED + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_worker_ends_when_all_is_written_and_the_next_record_starts_another(tmp_path):
    path = tmp_path / "log"
    run(
        f"""
        replace()
        handler = femtolog.enqueue(logging.FileHandler({str(path)!r}))
        log.addHandler(handler)
        pipeline = handler._femtolog_pipeline
        for turn in range(3):
            log.info("%d", turn)
            until(lambda: pipeline.worker is None)
        assert started == ["_work_green"] * 3, started
        assert handler.stats()["written"] == 3
        """
    )
    assert path.read_text() == "0\n1\n2\n"


@pytest.mark.parametrize("overflow", ["block", "timeout:30000"])
def test_who_finds_no_room_writes(overflow, tmp_path):
    path = tmp_path / "log"
    run(
        f"""
        replace()
        _thread.start_new_thread = lambda function, args: 1  # a greenlet, whose turn does not come
        handler = femtolog.enqueue(logging.FileHandler({str(path)!r}), capacity=8, overflow={overflow!r})
        log.addHandler(handler)
        for number in range(1000):
            log.info("%d", number)
        assert handler.flush(30)
        assert handler.stats()["written"] == 1000
        log.info("last")
        handler.close()
        handler.close()
        assert handler.stats()["written"] == 1001
        """
    )
    assert path.read_text() == "".join(f"{number}\n" for number in range(1000)) + "last\n"


def test_a_worker_of_the_system_retires_when_threads_are_replaced(tmp_path):
    path = tmp_path / "log"
    run(
        f"""
        handler = femtolog.enqueue(logging.FileHandler({str(path)!r}))
        log.addHandler(handler)
        pipeline = handler._femtolog_pipeline
        log.info("before")
        worker = pipeline.worker
        assert handler.flush(30)
        replace()
        log.info("woke it")
        until(lambda: pipeline.worker is None)
        log.info("after")
        until(lambda: handler.stats()["in_flight"] == 0)
        assert started == ["_work_green"], started
        assert worker.is_alive()  # threading could not end it: it waits for nothing
        """
    )
    assert path.read_text() == "before\nwoke it\nafter\n"


def test_another_thread_of_the_system_writes_its_own(tmp_path):
    path = tmp_path / "log"
    run(
        f"""
        start = _thread.start_new_thread
        replace()
        handler = femtolog.enqueue(logging.FileHandler({str(path)!r}))
        log.addHandler(handler)
        def work():
            log.info("there")
            done.append(handler.stats()["written"])
        done = []
        start(work, ())
        until(lambda: done)
        assert done == [1] and not started, (done, started)
        """
    )
    assert path.read_text() == "there\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
def test_a_forked_child_has_a_worker_of_its_own(tmp_path):
    path = tmp_path / "log"
    run(
        f"""
        replace()
        handler = femtolog.enqueue(logging.FileHandler({str(path)!r}))
        log.addHandler(handler)
        log.info("parent")
        child = os.fork()
        if child == 0:
            del started[:]
            log.info("child")
            until(lambda: handler.stats()["in_flight"] == 0)
            os._exit(started != ["_work_green"])
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """
    )
    assert sorted(path.read_text().splitlines()) == ["child", "parent"]


def test_what_is_to_be_done_later_is_done():
    run(
        """
        table, called = _timetable.Timetable("later"), []
        table.call(lambda: called.append("first"))
        until(lambda: called)
        replace()
        table.call(lambda: called.append("woke it"))
        until(lambda: not table.works)
        table.call(lambda: called.append("last"), time.monotonic() + 0.01)
        until(lambda: len(called) == 3 and not table.works)
        assert called == ["first", "woke it", "last"], called
        assert started == ["_work_green"], started
        """
    )


def test_a_thread_that_starts_no_greenlets_is_told_that_nobody_will_do_it():
    run(
        """
        start = _thread.start_new_thread
        replace()
        table, called, answers = _timetable.Timetable("later"), [], []
        start(lambda: answers.append(table.call(lambda: called.append("there"))), ())
        until(lambda: answers)
        assert table.call(lambda: called.append("here"))
        until(lambda: called and not table.works)
        assert (answers, called) == ([False], ["here"]), (answers, called)
        """
    )


def test_a_peer_may_be_a_greenlet_of_the_one_who_waits():
    """Here it reads in the sleep of whoever waits for room, flushes or closes; nobody else would read."""
    run(
        """
        import socket
        from femtolog.femto import FemtoSocketHandler
        replace()
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        peers, arrived = [], 0
        def sleep(seconds, sleep=time.sleep):
            global arrived
            try:
                for peer in peers:
                    arrived += len(peer.recv(1 << 20))
                if not peers:
                    peers.append(listener.accept()[0])
                    peers[0].setblocking(False)
            except BlockingIOError:
                sleep(seconds)
        time.sleep = sleep
        handler = FemtoSocketHandler(*listener.getsockname(), capacity=2, policy="block", write_timeout_ms=30_000)
        log.addHandler(handler)
        for number in range(400):
            log.info("x" * 100_000)
        assert handler.flush(30)
        log.info("last")
        handler.close()
        assert handler.stats()["written"] == 401, handler.stats()
        assert arrived
        """
    )


def test_a_fallback_is_refused(monkeypatch):
    def get_ident():
        return 1

    get_ident.__module__ = "gevent.thread"
    assert not _green.threads_are_green()
    monkeypatch.setattr(_green.threading, "get_ident", get_ident)
    with pytest.raises(RuntimeError, match=r"^fallback= does not work with threads that gevent has replaced$"):
        _green.refuse("fallback=")
