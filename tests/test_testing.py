"""femtolog.testing.capture_logs(): what a block logs, in this thread or task, and nothing is changed after it."""

import asyncio
import io
import logging
import sys
import threading

import pytest

import femtolog
from femtolog.testing import capture_logs


@pytest.fixture(autouse=True, params=["installed", "stdlib"])
def tier(request):
    if request.param == "installed":
        with femtolog.installed():
            yield
    else:
        yield


def test_what_is_captured_and_how_it_is_read():
    log = logging.getLogger("shop.orders")
    with capture_logs() as logs:
        basket = ["tea"]
        log.debug("basket %s", basket)
        basket.append("milk")
        try:
            raise LookupError("empty")
        except LookupError:
            log.exception("failed", extra={"shelf": 4})
    log.error("after it")
    assert logs.messages == ["basket ['tea']", "failed"]
    assert logs.record_tuples == [("shop.orders", 10, "basket ['tea']"), ("shop.orders", 40, "failed")]
    assert logs.events[1] == {"logger": "shop.orders", "level": "ERROR", "message": "failed", "shelf": 4}
    assert [type(record) for record in logs.records] == [logging.LogRecord] * 2
    assert logs.text.startswith("DEBUG:shop.orders:basket ['tea']\nERROR:shop.orders:failed\nTraceback")
    assert logs.text.endswith("LookupError: empty\n")
    logs.clear()
    assert (logs.records, logs.messages, logs.text, logs.events) == ([], [], "", [])


def test_nothing_is_changed_after_it():
    top, alone = logging.getLogger("top"), logging.getLogger("top.alone")
    alone.propagate = False
    try:
        for level, logger in ((logging.NOTSET, "top"), (logging.ERROR, "top"), (logging.NOTSET, None)):
            top.setLevel(level)
            before = [(log.level, list(log.handlers)) for log in (logging.root, top, alone)]
            with pytest.raises(ZeroDivisionError), capture_logs(logger=logger):
                raise ZeroDivisionError
            assert [(log.level, list(log.handlers)) for log in (logging.root, top, alone)] == before
    finally:
        top.setLevel(logging.NOTSET)
        alone.propagate = True


def test_levels_and_loggers():
    shop, orders, other = (logging.getLogger(name) for name in ("shop", "shop.orders", "other"))
    orders.setLevel(logging.ERROR)
    try:
        with capture_logs("INFO", "shop") as logs:
            for log in (shop, orders, other):
                for level in ("debug", "info", "error"):
                    getattr(log, level)("%s", level)
        assert logs.record_tuples == [("shop", 20, "info"), ("shop", 40, "error"), ("shop.orders", 40, "error")]
    finally:
        orders.setLevel(logging.NOTSET)


def test_loggers_that_do_not_propagate_are_captured_once():
    one, two = logging.getLogger("np"), logging.getLogger("np.below")
    one.propagate = two.propagate = False
    try:
        with capture_logs() as logs:
            one.info("1")
            two.info("2")
        assert logs.messages == ["1", "2"]
    finally:
        one.propagate = two.propagate = True


def test_blocks_nest():
    log = logging.getLogger("shop")
    with capture_logs() as outer:
        log.info("1")
        with capture_logs("WARNING") as inner:
            log.info("2")
            log.warning("3")
        log.info("4")
    assert (outer.messages, inner.messages) == (["1", "2", "3", "4"], ["3"])


def test_other_threads_are_captured_only_if_that_is_wanted():
    log = logging.getLogger("shop")
    with capture_logs() as mine, capture_logs(everywhere=True) as all_of_them:
        log.info("here")
        thread = threading.Thread(target=log.info, args=("there",))
        thread.start()
        thread.join()
    if not getattr(sys.flags, "thread_inherit_context", False):
        assert mine.messages == ["here"]
    assert all_of_them.messages == ["here", "there"]


def test_tasks_capture_for_themselves():
    log = logging.getLogger("shop")

    async def one(name, turns):
        with capture_logs() as logs:
            for turn in range(3):
                log.info("%s %d", name, turn)
                await turns.wait()
            await asyncio.create_task(asyncio.to_thread(log.info, f"{name} below"))
        return logs.messages

    async def main():
        turns = asyncio.Barrier(2)
        return await asyncio.gather(one("a", turns), one("b", turns))

    assert asyncio.run(main()) == [[*(f"{name} {turn}" for turn in range(3)), f"{name} below"] for name in "ab"]


def test_reading_waits_for_asynchronous_handlers():
    opened = threading.Event()

    class Gate(io.StringIO):
        def write(self, text):
            assert opened.wait(10)
            return super().write(text)

    stream = Gate()
    log = logging.getLogger("shop")
    log.addHandler(handler := femtolog.enqueue(logging.StreamHandler(stream)))
    try:
        with capture_logs() as logs:
            log.info("m")
            assert stream.getvalue() == ""
            opened.set()
            assert logs.messages == ["m"]
            assert stream.getvalue() == "m\n"
    finally:
        log.removeHandler(handler)
        handler.close()
