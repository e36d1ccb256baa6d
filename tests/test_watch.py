"""femtolog.asyncio_guard() and femtolog.watch_handlers(): handlers that take long are named, and counted."""

import asyncio
import io
import logging
import sys
import threading
import time
import warnings

import pytest

import femtolog


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

    handler = femtolog.enqueue(logging.StreamHandler(Gate()), capacity=1, overflow="timeout:30")
    log = logger_with(handler)

    async def main():
        log.error("first")
        assert entered.wait(10)
        log.error("second")

    with femtolog.asyncio_guard(threshold_ms=20) as guard, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(main())
        opened.set()
        handler.close()
    assert guard.count == len(caught) == 1
    assert "took" in str(caught[0].message)
    assert caught[0].lineno == main.__code__.co_firstlineno + 3
    assert sys.modules["femtolog._enqueue"]._Pipeline.submit_to_full.__name__ == "submit_to_full"


def test_asynchronous_handler_keeps_a_loop_running():
    """A sink that takes 50 ms for each write, 200 records: nothing waits for it."""
    stream = io.StringIO()
    write, stream.write = stream.write, lambda text: time.sleep(0.05) or write(text)
    handler = femtolog.enqueue(logging.StreamHandler(stream), overflow="drop", timeout=0.2)
    log = logger_with(handler)

    async def main():
        for number in range(200):
            log.info("%d", number)
            await asyncio.sleep(0)

    with femtolog.asyncio_guard(threshold_ms=20) as guard:
        asyncio.run(main())
    assert guard.count == 0
    stream.write = write
    handler.close()
    stats = handler.stats()
    assert stats["emitted"] == stats["written"] + stats["dropped"] == 200
