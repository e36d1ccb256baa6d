"""Under uvloop's event loop: what coroutines log is written, all of it and in order."""

import asyncio
import io
import logging

import pytest

import femtolog

uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed: it has no wheel for this system")
pytestmark = pytest.mark.usefixtures("tier")
BOTH = pytest.mark.parametrize("tier", ["installed", "stdlib"], indirect=True)

RECORDS, TASKS = 10_000, 10
EACH = RECORDS // TASKS


def account(stats):
    return {name: stats[name] for name in ("emitted", "written", "failed", "dropped", "in_flight")}


ALL = {"emitted": RECORDS, "written": RECORDS, "failed": 0, "dropped": 0, "in_flight": 0}


def in_order(text):
    """All lines of all tasks, those of each task in order."""
    found = [tuple(map(int, line.split())) for line in text.splitlines()]
    assert sorted(found) == [(task, number) for task in range(TASKS) for number in range(EACH)]
    assert all([number for other, number in found if other == task] == list(range(EACH)) for task in range(TASKS))


def is_uvloop():
    return type(asyncio.get_running_loop()).__module__ == "uvloop"


@BOTH
@pytest.mark.parametrize("capacity", [100, 2 * RECORDS])
def test_an_async_logger_writes_all_in_order(request, capacity):
    """With room for all of them, and where tasks have to wait for it."""
    name = f"uvloop.{request.node.name}"
    logger, out = logging.getLogger(name), io.StringIO()
    logger.addHandler(logging.StreamHandler(out))
    logger.setLevel(logging.INFO)
    logger.propagate = False

    async def work(log, task):
        for number in range(EACH):
            await log.ainfo("%d %d", task, number)

    async def main():
        assert is_uvloop()
        log = femtolog.get_async_logger(name, femtolog.AsyncLoggerConfig(queue_size=capacity, queue_timeout=60))
        await asyncio.gather(*(work(log, task) for task in range(TASKS)))
        assert await log.aflush(timeout=60)
        stats = log.stats()
        await femtolog.shutdown_all_async_loggers()
        return stats

    stats = uvloop.run(main())
    in_order(out.getvalue())
    assert account(stats) == ALL


@BOTH
@pytest.mark.parametrize("capacity", [100, 2 * RECORDS])
def test_an_asynchronous_handler_writes_all_in_order(capacity):
    out = io.StringIO()
    handler = femtolog.enqueue(logging.StreamHandler(out), capacity=capacity)
    logger = logging.Logger("uvloop")
    logger.addHandler(handler)

    async def work(task):
        for number in range(EACH):
            logger.info("%d %d", task, number)
            if number % 50 == 0:
                await asyncio.sleep(0)

    async def main():
        assert is_uvloop()
        await asyncio.gather(*(work(task) for task in range(TASKS)))
        assert await handler.aflush(timeout=60)

    uvloop.run(main())
    handler.close()
    in_order(out.getvalue())
    assert account(handler.stats()) == ALL
