"""on_error and on_drop of femto's handlers: who is told of what, how often, and by whom."""

import functools
import gc
import http.server
import io
import logging
import os
import queue
import socket
import subprocess
import sys
import threading
import time
import weakref

import pytest

import femtolog
from femtolog import _callbacks, femto

QUICK = {"base_ms": 10, "cap_ms": 20}
TELLER = "femtolog-callbacks"


class Told(queue.Queue):
    """What a callback was called with; `by` names the threads."""

    def __init__(self):
        super().__init__()
        self.by = []

    def __call__(self, what, count):
        self.by.append(threading.current_thread().name)
        self.put((what, count))

    def next(self):
        return self.get(timeout=30)

    def rest(self):
        found = []
        while not self.empty():
            found.append(self.get())
        return found


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def nobody():
    """What nobody listens at, as the arguments of handlers."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        yield made.getsockname()[1]


def by_socket(port, **options):
    return femto.FemtoSocketHandler("127.0.0.1", port, **{"backoff": QUICK} | options)


def by_http(port, **options):
    return femto.FemtoHTTPHandler(f"http://127.0.0.1:{port}/", **{"backoff": QUICK} | options)


BOTH = pytest.mark.parametrize("make", [by_socket, by_http])


@pytest.fixture
def logger():
    made = logging.Logger("callbacks")
    yield made
    for handler in made.handlers:
        handler.close()


def wait_for(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


# ---- streams and files


def handlers_of(path):
    """Makes a handler by its class, or by its builder: with the capacity, and the callbacks by name."""

    def stream(capacity, **callbacks):
        return femto.FemtoStreamHandler(io.StringIO(), capacity, **callbacks)

    def file(capacity, **callbacks):
        return femto.FemtoFileHandler(path, capacity, **callbacks)

    def rotating(capacity, **callbacks):
        return femto.FemtoRotatingFileHandler(path, femto.HandlerOptions(capacity), **callbacks)

    def timed(capacity, **callbacks):
        return femto.FemtoTimedRotatingFileHandler(path, femto.TimedHandlerOptions(capacity), **callbacks)

    def built(builder, capacity, **callbacks):
        builder = builder(path).with_capacity(capacity)
        for name, callback in callbacks.items():
            getattr(builder, f"with_{name}")(callback)
        return builder.build()

    builders = (
        lambda _: femto.StreamHandlerBuilder().stream_target(io.StringIO()),
        femto.FileHandlerBuilder,
        femto.RotatingFileHandlerBuilder,
        femto.TimedRotatingFileHandlerBuilder,
    )
    return [stream, file, rotating, timed, *(functools.partial(built, builder) for builder in builders)]


@pytest.mark.parametrize("kind", range(8))
def test_drops_of_a_file_are_told(logger, told, kind, tmp_path):
    handler = handlers_of(tmp_path / "f.log")[kind](1, on_drop=told)
    logger.addHandler(handler)
    with handler.lock:  # nothing is taken from the queue
        for _ in range(6):
            logger.info("m")
        reason, first = told.next()
    handler.close()
    assert reason == "overflow"
    assert first + sum(count for _, count in told.rest()) == 5
    assert told.by[0] == TELLER
    assert handler.stats()["callbacks_raised"] == 0


@pytest.mark.parametrize("kind", range(8))
def test_failures_of_a_file_are_told(logger, told, kind, monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError("No space left on device")

    def failing(error, count):
        told(str(error), count)
        raise LookupError("of the callback")

    monkeypatch.setattr(logging, "raiseExceptions", False)
    if kind % 4 and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    handler = handlers_of("/dev/full")[kind](100, on_error=failing)
    if kind % 4 == 0:
        handler.setStream(Full())
    logger.addHandler(handler)
    for _ in range(5):
        logger.info("m")
    calls = [told.next()]
    handler.close()
    calls += told.rest()
    assert [reason for reason, _ in calls if "No space left on device" not in reason] == []
    assert sum(count for _, count in calls) == 5
    wait_for(lambda: handler.stats()["callbacks_raised"] == len(calls))  # one may be about to raise


def test_by_dict_config(tmp_path, told):
    options = {"capacity": 1, "on_error": told, "on_drop": told, "capacity_bytes": 5}
    for name in ("RotatingFileHandler", "TimedRotatingFileHandler", "FileHandler"):
        given = {"class": f"femtologging.{name}", "path": str(tmp_path / "f.log"), **options}
        loggers = {"configured": {"handlers": ["file"], "propagate": False}}
        femto.dictConfig({"version": 1, "disable_existing_loggers": False, "handlers": {"file": given}, "loggers": loggers})
        handler = logging.getLogger("configured").handlers.pop()
        handler.close()
        assert handler.stats()["callbacks_raised"] == 0


def test_callbacks_that_are_none(tmp_path):
    for make in (*handlers_of(tmp_path / "f.log")[:4], lambda _, **options: by_socket(1, **options)):
        for name in ("on_error", "on_drop"):
            with pytest.raises(TypeError, match=f"{name} must be callable or None, not str"):
                make(1, **{name: "no"})
    assert not (tmp_path / "f.log").exists()


# ---- peers


@BOTH
def test_what_the_sending_thread_drops_is_told_though_nothing_more_is_logged(make, nobody, told, capsys):
    handler = make(nobody, backoff=QUICK | {"deadline_ms": 50}, on_drop=told)
    handler.handle("a", "INFO", "m")
    assert told.next() == ("deadline", 1)
    wait_for(lambda: not handler._callbacks.waiting)  # nobody looks any more
    handler.handle("a", "INFO", "m")
    handler.handle("a", "INFO", "m")
    count = 0
    while count < 2:
        reason, more = told.next()
        assert reason == "deadline"
        count += more
    assert count == 2
    handler.close()
    assert told.empty()
    assert set(told.by) == {TELLER}
    assert handler.stats()["callbacks_raised"] == 0


@BOTH
def test_what_is_sent_without_python_code_is_watched_too(make, nobody, told, logger, capsys):
    handler = make(nobody, backoff=QUICK | {"deadline_ms": 50}, on_drop=told)
    logger.addHandler(handler)
    with femtolog.installed():
        for _ in range(2):  # the second time nobody looks any more
            logger.info("%d", 1)
            assert told.next() == ("deadline", 1)
            wait_for(lambda: not handler._callbacks.waiting)


@BOTH
def test_what_the_caller_drops_is_told(make, nobody, told, capsys):
    size = {"max_frame_size": 300} if make is by_socket else {"batch": {"max_bytes": 300}}
    handler = make(nobody, capacity=1, backoff={"base_ms": 10_000}, on_drop=told, **size)
    with pytest.raises(RuntimeError):
        handler.handle("a", "INFO", "x" * 300)
    assert told.next() == ("oversize", 1)
    handler.handle("a", "INFO", "waits")
    for _ in range(3):
        handler.handle(logging.makeLogRecord({"levelno": 20}))
    calls = [told.next()]
    handler.close()
    calls += told.rest()
    assert sum(count for reason, count in calls if reason == "overflow") == 3
    assert calls[-1] == ("closed", 1)
    handler.close()
    handler.handle(logging.makeLogRecord({}))
    assert told.next() == ("closed", 1)
    assert handler.stats()["dropped_by"] | {"oversize": 0, "overflow": 0, "closed": 0} == dict.fromkeys(
        handler.stats()["dropped_by"], 0
    )


def test_what_the_server_refuses_is_told(told, capsys):
    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(400)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            handler = by_http(server.server_port, on_drop=told, on_error=told)
            handler.handle("a", "INFO", "m")
            assert told.next() == ("refused", 1)
            handler.close()
        finally:
            server.shutdown()
            serving.join(30)
    assert told.empty()


@BOTH
def test_records_that_cannot_be_made_are_told(make, nobody, told, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = make(nobody, backoff={"base_ms": 60_000, "cap_ms": 60_000}, on_error=told)
    handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("x",)}))
    error, count = told.next()
    assert (type(error), count) == (TypeError, 1)
    assert told.by == [TELLER]
    handler.close()
    assert told.empty()
    assert handler.stats()["failed"] == 1


@BOTH
def test_what_the_fallback_has_is_told(make, nobody, told):
    fallback = logging.NullHandler()
    handler = make(nobody, backoff=QUICK | {"deadline_ms": 50}, fallback=fallback, on_error=told)
    for _ in range(5):
        handler.handle("a", "INFO", "m")
    calls = [told.next()]
    handler.close()
    calls += told.rest()
    assert {type(error) for error, _ in calls} == {OSError}
    assert "refused" in str(calls[0][0])
    assert sum(count for _, count in calls) == handler.stats()["failed"] == 5


@BOTH
def test_a_peer_that_is_away_is_told_once(make, nobody, told, monkeypatch, capsys):
    monkeypatch.setattr(_callbacks, "EVERY", 0.02)
    handler = make(nobody, on_error=told)
    handler.handle("a", "INFO", "m")
    error, count = told.next()
    assert (type(error), count) == (OSError, 0)
    assert "refused" in str(error)
    looks = handler._callbacks.absences
    wait_for(lambda: handler._callbacks.absences > looks + 2)
    handler.close()
    assert told.empty()


@BOTH
def test_they_are_called_seldom_and_not_by_the_caller(make, nobody, told, monkeypatch, capsys):
    every = 0.2
    monkeypatch.setattr(_callbacks, "EVERY", every)
    handler = make(nobody, capacity=1, backoff={"base_ms": 60_000, "cap_ms": 60_000}, on_drop=told)
    begin = time.monotonic()
    dropped = -1  # the first one waits
    while told.qsize() < 3 and time.monotonic() < begin + 30:
        handler.handle(logging.makeLogRecord({"levelno": 20}))
        dropped += 1
    calls = told.qsize()
    assert 3 <= calls <= (time.monotonic() - begin) / every + 1
    assert set(told.by) == {TELLER}
    handler.close()
    counts = {"overflow": 0, "closed": 0}
    for reason, count in told.rest():
        counts[reason] += count
    assert counts == {"overflow": dropped, "closed": 1}


@BOTH
def test_what_callbacks_raise_is_counted(make, nobody, told, capsys):
    def failing(reason, count):
        told(reason, count)
        raise LookupError("of the callback")

    handler = make(nobody, backoff=QUICK | {"deadline_ms": 50}, on_drop=failing)
    handler.handle("a", "INFO", "m")
    assert told.next() == ("deadline", 1)
    handler.close()
    assert handler.stats()["callbacks_raised"] == 1
    assert "of the callback" not in capsys.readouterr().err
    assert "callbacks_raised" not in make(nobody).stats()


@BOTH
def test_a_handler_that_nobody_keeps_goes(make, nobody, told):
    handler = make(nobody, backoff={"base_ms": 60_000, "cap_ms": 60_000}, on_drop=told)
    handler.handle("a", "INFO", "m")
    known = weakref.ref(handler)
    del handler
    wait_for(lambda: gc.collect() is None or known() is None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_child_is_told_of_its_own(nobody):
    program = f"""
import logging, os
from femtolog import femto
logging.raiseExceptions = False
told = []
settings = {{"capacity": 1, "backoff": {{"base_ms": 60_000, "cap_ms": 60_000}}}}
def on_drop(reason, count):
    told.append((os.getpid(), reason, count))
    raise LookupError
handlers = [
    femto.FemtoSocketHandler("127.0.0.1", {nobody}, on_drop=on_drop, **settings),
    femto.FemtoHTTPHandler("http://127.0.0.1:{nobody}/", on_drop=on_drop, **settings),
]
for handler in handlers:
    handler.handle("a", "INFO", "parent")
child = os.fork()
if not child:
    for handler in handlers:
        handler.handle("a", "INFO", "child")
        handler.handle(logging.makeLogRecord({{"levelno": 20}}))
        handler.close()
        counted = {{reason: sum(n for pid, r, n in told if r == reason) for pid, reason, n in told if pid == os.getpid()}}
        assert counted == {{"overflow": 1, "closed": 1}}, told
        assert handler.stats()["callbacks_raised"] == len(told)
        told.clear()
    os._exit(0)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert not told
for handler in handlers:
    handler.close()
assert told == [(os.getpid(), "closed", 1)] * 2, told
print(status)
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr
