"""FemtoSocketHandler: a record whose frame is made without Python code makes the frame that Python code would have made."""

import contextlib
import logging
import socket
import threading

import msgpack
import pytest

import femtolog
from femtolog import femto


class Odd:
    def __str__(self):
        return "odd"


CALLS = {
    "text": (logging.INFO, "ready", (), {}),
    "arguments": (logging.WARNING, "%s of %d, %.2f %r", ("a", 3, 0.5, None), {}),
    "a large integer": (logging.INFO, "%d", (10**30,), {}),
    "a level without a name": (13, "m", (), {}),
    "an error": (logging.ERROR, "é \U0001f40d %s", ("ü",), {}),
    "extra": (logging.INFO, "m", (), {"extra": {"a": 1, "b": "é", "c": 0.1, "d": None, "e": True, "message_id": -(10**20)}}),
    "one mapping": (logging.INFO, "%(a)s", ({"a": 1},), {}),
    "an object in extra": (logging.INFO, "m", (), {"extra": {"o": Odd(), "list": [1]}}),
    "an object among the arguments": (logging.INFO, "%s", (Odd(),), {}),
    "an object as message": (logging.INFO, Odd(), (), {}),
    "a lone surrogate": (logging.INFO, "\udc80", (), {"extra": {"s": "\udc81"}}),
    "an exception": (logging.ERROR, "m", (), {"exc_info": ValueError("v")}),
    "a stack": (logging.ERROR, "m", (), {"stack_info": True}),
}
FORMATTERS = {
    "none": None,
    "plain": logging.Formatter("%(levelname)s %(name)s %(message)s"),
    "time": logging.Formatter("{asctime} {message}", "%Y", style="{"),
}
NATIVE = {"text", "arguments", "a level without a name", "an error", "extra", "an exception", "a stack"}


@pytest.fixture(autouse=True)
def installed():
    with femtolog.installed():
        yield


@pytest.fixture
def frames():
    """A handler, and what reads the next map that arrives from it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        handler = femto.FemtoSocketHandler(*server.getsockname(), policy="block")
        connections = []

        def read():
            if not connections:
                connection = server.accept()[0]
                connections.append(connection.makefile("rb"))
                connection.close()
            return msgpack.unpackb(connections[0].read(int.from_bytes(connections[0].read(4))))

        yield handler, read
        handler.close()
        for connection in connections:
            connection.close()


def logger_of(handler):
    log = logging.Logger("shop.orders")
    log.addHandler(handler)
    return log


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_both_ways_make_the_same_frame(frames, formatter):
    handler, read = frames
    handler.setFormatter(FORMATTERS[formatter])
    log = logger_of(handler)
    for level, message, args, keywords in CALLS.values():
        made = []
        for way in (contextlib.nullcontext, filtered):
            with way(handler):
                log.log(level, message, *args, **keywords)
            made.append(read())
            del made[-1]["timestamp_ns"]
        # The stack goes through this loop on the same line both times.
        assert made[0] == made[1]


@contextlib.contextmanager
def filtered(handler):
    """Python code sees the record."""

    def see(record):
        return True

    handler.addFilter(see)
    yield
    handler.removeFilter(see)


@pytest.mark.parametrize("name", CALLS)
def test_no_record_is_made_where_none_is_needed(frames, name, emits_natively):
    handler, read = frames
    log = logger_of(handler)
    level, message, args, keywords = CALLS[name]
    log.log(level, message, *args, **keywords)
    read()
    femtolog.reset_stats()
    log.log(level, message, *args, **keywords)
    read()
    stats = femtolog.stats()
    assert (stats["emits"], stats["real_records"]) == ((1, 0) if name in NATIVE and emits_natively else (0, 1))


@pytest.fixture
def emits_natively():
    """Is this an interpreter whose structures are read? On any other Python code sees each record."""
    return femtolog._native.raw_layout() in ("raw", "parallel")


def test_what_is_overridden_is_asked(frames, monkeypatch):
    handler, read = frames
    log = logger_of(handler)
    log.info("as it was")
    assert read()["message"] == "as it was"
    monkeypatch.setattr(handler, "format", lambda record: "never asked without a formatter", raising=False)
    log.info("still")
    assert read()["message"] == "still"
    handler.setFormatter(logging.Formatter())
    log.info("replaced")
    assert read()["message"] == "never asked without a formatter"
    own = femto.FemtoSocketHandler._items

    def louder(self, record):
        [fields] = own(self, record)
        return [(fields[0].upper(), *fields[1:])]

    monkeypatch.setattr(femto.FemtoSocketHandler, "_items", louder)
    log.info("in capitals")
    assert read()["logger"] == "SHOP.ORDERS"
    monkeypatch.undo()
    handler.setFormatter(None)
    monkeypatch.setattr(logging.LogRecord, "getMessage", lambda record: f"<{record.msg}>")
    log.info("in brackets")
    assert read()["message"] == "<in brackets>"


def test_a_subclass_is_asked(frames):
    class Louder(femto.FemtoSocketHandler):
        def emit(self, record):
            record.msg = record.msg.upper()
            super().emit(record)

    _, read = frames
    handler = Louder(*frames[0].target, policy="block")
    logger_of(handler).info("quiet")
    assert read()["message"] == "QUIET"
    handler.close()


def test_drops_are_said_and_counted(capsys):
    handler = femto.FemtoSocketHandler("127.0.0.1", 9, max_frame_size=400)
    log = logger_of(handler)
    log.info("x" * 400)
    stats = handler.stats()
    assert (stats["emitted"], stats["dropped_by"]["oversize"]) == (1, 1)
    assert "has dropped 1 more records (in all: oversize 1)" in capsys.readouterr().err
    handler.close()
    log.info("late")
    assert handler.stats()["dropped_by"]["closed"] == 1


def test_a_full_queue_waits_in_order(frames):
    """Threads that log more than a queue of one record holds: none lost, each thread's in order."""
    handler = femto.FemtoSocketHandler(*frames[0].target, capacity=1, policy="block")
    _, read = frames
    log = logger_of(handler)

    def say(name):
        for number in range(200):
            log.info("%s %d", name, number)

    threads = [threading.Thread(target=say, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    said = [read()["message"].split() for _ in range(400)]
    for thread in threads:
        thread.join()
    for name in "ab":
        assert [number for by, number in said if by == name] == [str(number) for number in range(200)]
    handler.close()
    assert handler.stats()["written"] == 400
