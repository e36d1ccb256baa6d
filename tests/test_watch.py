"""femtolog.asyncio_guard() and femtolog.watch_handlers(): handlers that take long are named, and counted."""

import asyncio
import io
import logging
import logging.handlers
import socket
import sys
import threading
import time
import warnings

import pytest

import femtolog
from femtolog import _watch, femto
from femtolog_compat import load_native


def handles():
    """What each class of handlers defines itself, and what is replaced beside it while there is a watch."""
    found = {cls: vars(cls).get("handle") for cls in _watch._all_below(logging.Handler, {}).values()}
    pipeline = sys.modules["femtolog._enqueue"]._Pipeline
    beside = (
        pipeline.submit_to_full,
        pipeline.make_room,
        load_native().know_framed,
        vars(logging.Handler).get("__init_subclass__"),
    )
    return found, beside


@pytest.fixture(autouse=True, params=["installed", "stdlib"])
def tier(request):
    before = logging.Handler.handle
    if request.param == "installed":
        with femtolog.installed():
            yield
    else:
        yield
    assert logging.Handler.handle is before


@pytest.fixture
def clock(monkeypatch):
    """perf_counter() of the watch; what a Slow handler takes is added to it."""
    now = [0.0]
    monkeypatch.setattr("femtolog._watch.time", type("Clock", (), {"perf_counter": lambda: now[0], "monotonic": time.monotonic}))
    return now


class Slow(logging.Handler):
    def __init__(self, clock, seconds):
        super().__init__()
        self.clock, self.seconds = clock, seconds

    def emit(self, record):
        self.clock[0] += self.seconds


def logger_with(*handlers):
    log = logging.Logger("shop")
    for handler in handlers:
        log.addHandler(handler)
    return log


def test_guard_names_the_handler_and_the_call_that_blocked_a_loop(clock):
    slow, fast = Slow(clock, 0.05), Slow(clock, 0.01)
    slow.set_name("mail")
    log = logger_with(slow, fast)

    async def main():
        log.error("m")
        log.error("again")

    with femtolog.asyncio_guard(threshold_ms=20) as guard, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        log.error("no loop runs")
        assert guard.count == 0
        asyncio.run(main())
    assert guard.count == 2
    [warning] = caught
    assert str(warning.message) == "handler 'mail' <Slow (NOTSET)> took 50 ms for a record of 'shop', while the event loop waited"
    assert (warning.filename, warning.lineno, warning.category) == (__file__, main.__code__.co_firstlineno + 1, RuntimeWarning)


def test_watch_shows_the_stack(clock):
    log = logger_with(Slow(clock, 0.2), Slow(clock, 0.05), Slow(clock, 0.3))

    def deep():
        log.warning("m")

    with femtolog.watch_handlers(slow_ms=100) as watch, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        deep()
    deep()  # after it
    assert watch.count == len(caught) == 2
    for warning, milliseconds in zip(caught, (200, 300), strict=True):
        text = str(warning.message)
        assert text.startswith(f"handler <Slow (NOTSET)> took {milliseconds} ms for a record of 'shop', called from\n")
        assert f'File "{__file__}", line {deep.__code__.co_firstlineno + 1}, in deep\n    log.warning("m")\n' in text


def test_watches_overlap_and_end_by_themselves(clock):
    log = logger_with(Slow(clock, 0.05))
    before = logging.Handler.handle
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first, second = femtolog.watch_handlers(slow_ms=10), femtolog.watch_handlers(slow_ms=100)
        log.error("m")
        first.close()
        first.close()
        assert logging.Handler.handle is not before
        log.error("m")
        second.close()
    assert logging.Handler.handle is before
    assert (first.count, second.count, len(caught)) == (1, 0, 1)
    with pytest.raises(ValueError, match="a threshold must not be negative, got -1 ms"):
        femtolog.asyncio_guard(-1)
    assert logging.Handler.handle is before


def test_what_a_handler_raises_passes_through(clock):
    class Raising(Slow):
        def handle(self, record):
            return super().handle(record)

        def emit(self, record):
            super().emit(record)
            raise KeyboardInterrupt

    log = logger_with(Raising(clock, 1.0))
    with femtolog.watch_handlers() as watch, warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        with pytest.raises(KeyboardInterrupt):
            log.error("m")
    assert watch.count == 1


def test_a_patch_over_ours_stays(clock):
    log = logger_with(Slow(clock, 0.0))
    before = logging.Handler.handle
    watch = femtolog.watch_handlers()
    measuring = logging.Handler.handle
    seen = []
    patch = lambda self, record: seen.append(record) or measuring(self, record)  # noqa: E731
    logging.Handler.handle = patch
    watch.close()
    assert logging.Handler.handle is patch
    log.error("m")
    assert len(seen) == 1
    logging.Handler.handle = before


def test_waiting_for_room_in_a_queue_is_measured():
    entered, opened = threading.Event(), threading.Event()

    class Gate(io.StringIO):
        def write(self, text):
            entered.set()
            assert opened.wait(10)
            return super().write(text)

    handler = femtolog.enqueue(logging.StreamHandler(Gate()), capacity=1, overflow="timeout:1000")
    log = logger_with(handler)

    async def main():
        log.error("first")
        assert entered.wait(10)
        log.error("second")

    with femtolog.asyncio_guard(threshold_ms=900) as guard, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(main())
        opened.set()
        handler.close()
    assert guard.count == len(caught) == 1
    assert "took" in str(caught[0].message)
    assert caught[0].lineno == main.__code__.co_firstlineno + 3
    assert sys.modules["femtolog._enqueue"]._Pipeline.submit_to_full.__name__ == "submit_to_full"


def test_asynchronous_handler_keeps_a_loop_running(monkeypatch):
    """A sink that takes 50 ms for each write, 200 records: nothing waits for it. Each thread has a clock of its own."""
    now = threading.local()
    clock = {"perf_counter": lambda: getattr(now, "time", 0.0), "monotonic": time.monotonic}
    monkeypatch.setattr("femtolog._watch.time", type("Clock", (), clock))
    writers = set()

    class Slow(io.StringIO):
        def write(self, text):
            writers.add(threading.get_ident())
            now.time = getattr(now, "time", 0.0) + 0.05
            return super().write(text)

    handler = femtolog.enqueue(logging.StreamHandler(Slow()), overflow="drop")
    log = logger_with(handler)

    async def main():
        for number in range(200):
            log.info("%d", number)
            await asyncio.sleep(0)

    with femtolog.asyncio_guard(threshold_ms=20) as guard:
        asyncio.run(main())
        assert handler.flush(30)
    assert guard.count == 0
    assert threading.get_ident() not in writers
    handler.close()
    stats = handler.stats()
    assert stats["emitted"] == stats["written"] + stats["dropped"] == 200


# ---- handlers whose class handles records in its own way


def test_a_class_with_a_handle_of_its_own_is_measured_once(clock):
    class Own(Slow):
        def handle(self, record):
            self.emit(record)
            return True

    class Nested(Own):
        """Two below one another, and a copy of the record."""

        def handle(self, record):
            return super().handle(logging.makeLogRecord(vars(record)))

    class Usual(Nested):
        def handle(self, record):
            return logging.Handler.handle(self, record)

    class Below(Usual):
        pass

    log = logger_with(Own(clock, 0.2), Nested(clock, 0.3), Usual(clock, 0.4), Below(clock, 0.5), Own(clock, 0.05))
    log.handlers[1].set_name("nested")
    quiet = Own(clock, 1.0)
    quiet.setLevel(logging.ERROR)
    log.addHandler(quiet)
    with femtolog.watch_handlers(slow_ms=100) as watch, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        log.warning("m")
        line = sys._getframe().f_lineno - 1
    assert watch.count == 4
    texts = [str(warning.message) for warning in caught]
    assert [text.partition(" for a record")[0] for text in texts] == [
        "handler <Own (NOTSET)> took 200 ms",
        "handler 'nested' <Nested (NOTSET)> took 300 ms",
        "handler <Usual (NOTSET)> took 400 ms",
        "handler <Below (NOTSET)> took 500 ms",
    ]
    for warning, text in zip(caught, texts, strict=True):
        assert (warning.filename, warning.lineno) == (__file__, line)
        assert f'File "{__file__}", line {line}, in test_a_class_with' in text


def test_a_class_defined_while_the_watch_is_on(clock):
    before = handles()
    called = []

    class Counting:
        def __init_subclass__(cls, *, word, **options):
            super().__init_subclass__(**options)
            called.append((cls.__name__, word))

    with femtolog.watch_handlers(slow_ms=100) as watch, warnings.catch_warnings(record=True):
        warnings.simplefilter("always")

        class Own(Counting, Slow, word="w"):
            def handle(self, record):
                self.emit(record)

        class Alias(Slow):
            handle = logging.Handler.handle

        class Inherits(Slow):
            pass

        class Mixin:
            def handle(self, record):
                self.emit(record)

        class Mixed(Mixin, Slow):
            pass

        class Other(Mixin):
            def emit(self, record):
                clock[0] += 0.2

        log = logger_with(Own(clock, 0.2), Alias(clock, 0.2), Inherits(clock, 0.2), Mixed(clock, 0.2))
        log.warning("m")
        log.handlers[0].handle(logging.makeLogRecord({}))  # as a QueueListener does
        assert watch.count == 5
        Other().handle("something that is no handler")
    assert called == [("Own", "w")]
    log.warning("after it")
    assert watch.count == 5
    found, beside = handles()
    assert vars(Alias)["handle"] is logging.Handler.handle
    assert not any(hasattr(vars(cls)["handle"], "__wrapped__") for cls in (Own, Alias, Mixin))
    assert ({cls: found[cls] for cls in before[0]}, beside) == before


def test_everything_is_as_it_was_after_watches_that_overlapped():
    before = handles()
    first = femtolog.watch_handlers()
    during = handles()
    with femtolog.asyncio_guard():
        first.close()
        assert handles() == during
        replaced = [cls for cls, handle in before[0].items() if handle is not None]
        assert logging.NullHandler in replaced
        assert all(during[0][cls] is not before[0][cls] for cls in replaced)
        assert during[0].keys() == before[0].keys()
    assert handles() == before
    assert not (_watch._originals or _watch._changed or _watch._inside)


def test_a_handler_that_gives_records_to_another_one(clock):
    """Both are calls."""
    target = Slow(clock, 0.2)
    memory = logging.handlers.MemoryHandler(10, flushLevel=logging.ERROR, target=target)
    with femtolog.watch_handlers(slow_ms=100) as watch, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        logger_with(memory).error("m")
    assert [str(warning.message).split(" took")[0] for warning in caught] == [
        "handler <Slow (NOTSET)>",
        "handler <MemoryHandler (NOTSET)>",
    ]
    assert watch.count == 2


def test_a_handler_that_logs_to_itself(clock):
    class Chatty(Slow):
        def handle(self, record):
            if record.msg == "outer":
                log.warning("inner")
            return super().handle(record)

    log = logger_with(Chatty(clock, 0.2))
    with femtolog.watch_handlers(slow_ms=100) as watch, warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        log.warning("outer")
    assert watch.count == 1  # the inner record's time is the outer one's
    assert clock == [0.4]


@pytest.mark.parametrize(
    ("kind", "own"),
    [(femto.FemtoSocketHandler, {"port": None}), (femto.FemtoHTTPHandler, {"url": None, "batch": None})],
)
def test_a_handler_with_a_peer_that_waits_for_room(kind, own):
    """Nobody listens: when the queue is full each call waits for a tenth of a second. A made one is no way round, then or later."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        where = {"host": "127.0.0.1", "port": port} if "port" in own else own | {"url": f"http://127.0.0.1:{port}/"}
        options = {
            "capacity": 1,
            "policy": "timeout:100",
            "backoff": {"base_ms": 60_000, "cap_ms": 60_000, "deadline_ms": 120_000},
        }
        with femtolog.watch_handlers(slow_ms=50) as watch, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            handler = kind(**where, **options)
            handler.set_name("peer")
            log = logger_with(handler)
            for number in range(5):
                log.warning("%d", number)
                line = sys._getframe().f_lineno - 1
        handler.close()
    timeouts = handler.stats()["dropped_by"]["timeout"]
    assert timeouts >= 3
    assert watch.count >= timeouts
    assert str(caught[0].message).startswith(f"handler 'peer' <{kind.__name__}")
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)


@pytest.mark.parametrize("tier", ["installed"], indirect=True)
@pytest.mark.parametrize(("kind", "emits"), [("socket", 10), ("stream", 20)])  # by the worker, too
def test_a_handler_made_meanwhile_runs_natively_later(kind, emits):
    with femtolog.LogServer(logging.NullHandler(), tcp=("127.0.0.1", 0)) as server:
        with femtolog.watch_handlers(slow_ms=60_000):
            if kind == "socket":
                handler = femto.FemtoSocketHandler(*server.addresses["tcp"])
            else:
                handler = femtolog.enqueue(logging.StreamHandler(io.StringIO()))
            log = logger_with(handler)
            log.warning("measured")
            assert handler.flush(30)
        before = femtolog.stats()["emits"]
        for _ in range(10):
            log.warning("native")
        assert handler.flush(30)
        natively = femtolog.stats()["emits"] - before
        handler.close()
        assert handler.stats()["written"] == 11
    if sys.version_info[:2] < (3, 13) or sys._is_gil_enabled():
        assert natively == emits


def test_a_record_by_hand(clock):
    def slow(record):
        clock[0] += 0.2
        return True

    handler = femto.FemtoStreamHandler(io.StringIO())
    handler.addFilter(slow)
    with femtolog.watch_handlers(slow_ms=100) as watch, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        handler.handle("shop", "INFO", "by hand")
        line = sys._getframe().f_lineno - 1
    handler.close()
    [warning] = caught
    assert watch.count == 1
    assert " took 200 ms for a record of 'shop', called from\n" in str(warning.message)
    assert (warning.filename, warning.lineno) == (__file__, line)
