"""AsyncLogger: coroutines log what the logger would have logged, nothing stops the loop, and every record is accounted for."""

import asyncio
import contextvars
import io
import logging
import logging.config
import os
import subprocess
import sys
import textwrap
import threading
import warnings

import pytest
from gate import Gate

import femtolog
from femtolog import aio
from femtolog.errors import ConfigurationError, HandlerIOError

RECORDS = int(os.environ.get("FEMTOLOG_STRESS_RECORDS", "2000"))


pytestmark = pytest.mark.usefixtures("tier")
BOTH = pytest.mark.parametrize("tier", ["installed", "stdlib"], indirect=True)


@pytest.fixture
def name(request):
    """Of loggers that nobody else uses; those asked for by it are shut down."""
    made = f"aio.{request.node.name}".replace("[", ".").rstrip("]")
    yield made
    for log in [log for known, log in aio._loggers.items() if known.startswith(made)]:
        log._shut_down()
    logging.getLogger(made).handlers.clear()


@pytest.fixture
def lines(name):
    """What handlers of that logger write: called, it gives it."""
    logger, out = logging.getLogger(name), io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(1)
    logger.propagate = False
    return lambda: out.getvalue().splitlines()


def stopped(name, **options):
    """An AsyncLogger whose worker hangs in its first record, "first"."""
    gate, logger = Gate(), logging.getLogger(name)
    logger.addHandler(logging.StreamHandler(gate))
    logger.propagate = False
    log = femtolog.get_async_logger(name, femtolog.AsyncLoggerConfig(**options))
    asyncio.run(log.awarning("first"))
    assert gate.entered.wait(30)
    return gate, log


def account(log, **expected):
    """Compares the ledger: what is not named must be 0; it must add up."""
    stats = log.stats()
    assert stats["emitted"] == stats["written"] + stats["failed"] + stats["dropped"] + stats["in_flight"]
    assert stats["dropped"] == sum(stats["dropped_by"].values())
    found = {key: stats[key] for key in ("written", "failed", "in_flight")} | stats["dropped_by"]
    assert {key: count for key, count in found.items() if count} == expected


# ---- what is logged


@BOTH
def test_each_method_logs_with_its_level(name, lines):
    async def main():
        log = femtolog.get_async_logger(name)
        await log.adebug("one %d", 1)
        await log.ainfo("two")
        await log.awarning("three %(a)s", {"a": "b"})
        await log.aerror("four")
        await log.acritical("five")
        await log.alog(35, "six")
        try:
            raise LookupError("gone")
        except LookupError:
            await log.aexception("seven")
        assert await log.aflush()
        account(log, written=7)

    asyncio.run(main())
    found = lines()
    assert found[:6] == ["DEBUG one 1", "INFO two", "WARNING three b", "ERROR four", "CRITICAL five", "Level 35 six"]
    assert found[6:8] == ["ERROR seven", "Traceback (most recent call last):"]
    assert found[-1] == "LookupError: gone"


@BOTH
def test_levels_disabled_and_filters_are_the_loggers(name, lines):
    logger = logging.getLogger(name)

    async def main():
        log = femtolog.get_async_logger(name)
        logger.setLevel(logging.WARNING)
        await log.ainfo("below the level")
        logger.disabled = True
        await log.aerror("disabled")
        logger.disabled = False
        logger.addFilter(lambda record: "secret" not in record.getMessage())
        await log.aerror("secret")
        await log.aerror("seen")
        assert await log.aflush()
        account(log, written=1)

    try:
        asyncio.run(main())
    finally:
        logger.filters.clear()
    assert lines() == ["ERROR seen"]


@BOTH
def test_records_reach_the_handlers_above_with_their_levels(name, lines):
    below = logging.getLogger(f"{name}.below")
    high = logging.StreamHandler(stream := io.StringIO())
    high.setLevel(logging.ERROR)
    below.addHandler(high)

    async def main():
        log = femtolog.get_async_logger(below.name)
        await log.ainfo("low")
        await log.aerror("high")
        assert await log.aflush()

    asyncio.run(main())
    below.handlers.clear()
    assert lines() == ["INFO low", "ERROR high"]
    assert stream.getvalue() == "high\n"


@BOTH
def test_the_record_is_that_of_the_call(name, lines):
    seen = []
    variable = contextvars.ContextVar("variable", default="nothing")

    class Keeper(logging.Handler):
        def emit(self, record):
            seen.append((record, record.getMessage(), variable.get(), threading.current_thread().name))

    logging.getLogger(name).addHandler(Keeper())

    async def main():
        log = femtolog.get_async_logger(name)
        variable.set("of the call")
        basket = ["tea"]
        await log.ainfo("basket %s", basket, extra={"order": 7}, customer="Ann"); line = sys._getframe().f_lineno  # fmt: skip # noqa: E702
        basket.append("milk")
        variable.set("later")
        await asyncio.create_task(log.ainfo("in a task")); task_line = sys._getframe().f_lineno  # fmt: skip # noqa: E702
        await log.ainfo("with the stack", stack_info=True)
        assert await log.aflush()
        return line, task_line

    line, task_line = asyncio.run(main())
    (record, message, value, thread), (in_task, *_), (stacked, *_) = seen
    assert (message, value, thread) == ("basket ['tea']", "of the call", "femtolog-queue")
    assert (record.lineno, record.funcName, record.pathname) == (line, "main", __file__)
    assert (record.order, record.customer, record.threadName) == (7, "Ann", "MainThread")
    assert (in_task.lineno, in_task.funcName) == (task_line, "main")
    assert stacked.stack_info.splitlines()[-2].endswith("in main")
    if sys.version_info >= (3, 12):
        assert record.taskName.startswith("Task-")


@BOTH
@pytest.mark.parametrize("who", ["a filter", "a factory", "a logger that makes records", "nobody"])
def test_whoever_keeps_the_record_cannot_change_what_is_queued(name, lines, who, monkeypatch):
    gate, log = stopped(name)
    logger, kept = logging.getLogger(name), []

    def keep(record):
        kept.append(record)
        return record

    if who == "a filter":
        logger.addFilter(keep)
    elif who == "a factory":
        monkeypatch.setattr(logging, "_logRecordFactory", lambda *args, **kwargs: keep(logging.LogRecord(*args, **kwargs)))
    elif who == "a logger that makes records":
        monkeypatch.setattr(logger, "makeRecord", lambda *args: keep(type(logger).makeRecord(logger, *args)), raising=False)
    basket, order = ["tea"], {"number": 7}
    asyncio.run(log.awarning("basket %s", basket))
    asyncio.run(log.awarning("order %(number)d", order))
    basket.append("milk")
    order["number"] = 8
    assert len(kept) == (0 if who == "nobody" else 2)
    for record in kept:
        record.msg, record.args = "changed", ()
    gate.opened.set()
    assert asyncio.run(log.aflush())
    assert lines() == ["WARNING first", "WARNING basket ['tea']", "WARNING order 7"]


@BOTH
def test_stacklevel_counts_from_the_call(name, lines):
    seen = []
    handler = logging.Handler()
    handler.emit = seen.append
    logging.getLogger(name).addHandler(handler)
    log = femtolog.get_async_logger(name)

    async def helper():
        await log.ainfo("helped", stacklevel=2)

    async def caller():
        await helper()

    async def main():
        await caller()
        assert await log.aflush()

    asyncio.run(main())
    assert seen[0].funcName == "caller"


def test_a_key_of_the_records_own_is_refused_at_the_call(name, lines):
    log = femtolog.get_async_logger(name)
    with pytest.raises(KeyError, match="overwrite"):
        log.ainfo("hello", lineno=1)
    with pytest.raises(TypeError, match=r"level must be an int, got 'INFO'"):
        log.alog("INFO", "hello")
    account(log)


def test_a_coroutine_that_nobody_awaits_logs_nothing(name, lines):
    log = femtolog.get_async_logger(name)
    made = log.ainfo("forgotten")
    with pytest.warns(RuntimeWarning, match="never awaited"):
        del made
    account(log)
    assert lines() == []


@BOTH
def test_a_message_that_cannot_be_made_is_told_once_and_counted(name, lines, capsys):
    log = femtolog.get_async_logger(name)

    async def main():
        await log.ainfo("%d", "no number")
        await log.ainfo("%d", ["no number"])
        await log.ainfo("after")
        assert not await log.aflush()

    asyncio.run(main())
    account(log, failed=2, written=1)
    assert capsys.readouterr().err.count("--- Logging error ---") == 2
    assert lines() == ["INFO after"]


@BOTH
def test_order_per_task_and_all_are_written_from_many_tasks(name, lines):
    log = femtolog.get_async_logger(name, femtolog.AsyncLoggerConfig(queue_size=20, queue_timeout=60))

    async def work(task):
        for number in range(RECORDS // 10):
            await log.ainfo("%d %d", task, number)

    async def main():
        await asyncio.gather(*(work(task) for task in range(10)))
        assert await log.aflush(60)

    asyncio.run(main())
    account(log, written=RECORDS // 10 * 10)
    found = [tuple(map(int, line.split()[1:])) for line in lines()]
    for task in range(10):
        assert [number for other, number in found if other == task] == list(range(RECORDS // 10))


def test_many_loops_in_many_threads(name, lines):
    log = femtolog.get_async_logger(name, femtolog.AsyncLoggerConfig(queue_size=5, queue_timeout=60))
    assert femtolog.get_async_logger(name) is log

    async def main(number):
        await asyncio.gather(*(log.ainfo("%d %d", number, task) for task in range(50)))

    threads = [threading.Thread(target=asyncio.run, args=(main(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert asyncio.run(log.aflush(60))
    account(log, written=200)
    assert sorted(lines()) == sorted(f"INFO {number} {task}" for number in range(4) for task in range(50))


# ---- a queue that is full


def test_who_waits_for_room_does_not_stop_the_loop_and_stands_in_line(name):
    gate, log = stopped(name, queue_size=2, queue_timeout=60)
    turns = []

    async def tick():
        while len(turns) < 20:
            turns.append(log.stats()["in_flight"])
            await asyncio.sleep(0)
        gate.opened.set()

    async def main():
        waiting = [asyncio.create_task(log.awarning("task %d", task)) for task in range(10)]
        await tick()
        await asyncio.gather(*waiting)
        assert await log.aflush(60)

    asyncio.run(main())
    assert turns[-1] == 2
    assert gate.lines() == ["first", *(f"task {task}" for task in range(10))]
    account(log, written=11)


def test_after_queue_timeout_the_record_is_dropped(name, capsys):
    told = threading.Event()
    errors = []

    def error_callback(error, count):
        errors.append((error, count))
        told.set()

    gate, log = stopped(name, queue_size=1, queue_timeout=0.001, error_callback=error_callback)
    asyncio.run(log.awarning("second"))
    account(log, in_flight=1, timeout=1)
    assert told.wait(30)
    [(error, count)] = errors
    assert isinstance(error, HandlerIOError)
    assert (str(error), count) == (f"1 records of '{name}' were dropped: timeout", 1)
    assert f"<AsyncLogger {name}> has dropped 1 more records" in capsys.readouterr().err
    gate.opened.set()


def test_drop_on_overflow_waits_for_nothing(name):
    gate, log = stopped(name, queue_size=2, queue_timeout=60, drop_on_overflow=True)

    async def main():
        for number in range(5):
            await log.awarning("task %d", number)
        await log.aerror("an error takes the place of a warning")
        account(log, in_flight=2, overflow=5)
        gate.opened.set()
        assert not await log.aflush()  # a warning was on the queue, and made room
        assert await log.aflush()

    asyncio.run(main())
    assert gate.lines() == ["first", "an error takes the place of a warning"]


def test_a_task_cancelled_while_it_waits_is_counted(name):
    gate, log = stopped(name, queue_size=1, queue_timeout=60)

    async def main():
        tasks = [asyncio.create_task(log.awarning("task %d", task)) for task in range(3)]
        await asyncio.sleep(0)
        for task in tasks[:2]:  # the one that looks for room, and one behind it
            task.cancel()
        assert all(
            isinstance(error, asyncio.CancelledError) for error in await asyncio.gather(*tasks[:2], return_exceptions=True)
        )
        account(log, in_flight=1, interrupted=2)
        gate.opened.set()
        await tasks[2]
        assert await log.aflush(60)

    asyncio.run(main())
    account(log, written=2, interrupted=2)
    assert gate.lines() == ["first", "task 2"]


@BOTH
def test_what_the_caller_changes_later_is_not_in_the_line(name, lines):
    gate, log = stopped(name)
    logging.getLogger(name).handlers[0].setFormatter(logging.Formatter("%(message)s %(items)s %(order)s %(body)s"))
    items, order, body = ["tea", ["cup"]], {"number": 7, "tags": {"new"}}, bytearray(b"one")
    items.append(items)
    asyncio.run(log.awarning("basket", items=items, extra={"order": order, "body": body}))
    items[1].append("saucer")
    items.append("milk")
    order["number"] = 8
    order["tags"].clear()
    body.clear()
    gate.opened.set()
    assert asyncio.run(log.aflush())
    assert lines()[1:] == ["basket ['tea', ['cup'], [...]] {'number': 7, 'tags': {'new'}} bytearray(b'one')"]


def test_max_memory_mb_bounds_the_bytes(name):
    gate, log = stopped(name, max_memory_mb=0.01, queue_timeout=0.001)
    asyncio.run(log.awarning("x" * 20_000))
    account(log, in_flight=1, timeout=1)
    gate.opened.set()


def test_batch_size_bounds_what_is_taken_at_once(name, lines):
    log = femtolog.get_async_logger(name, femtolog.AsyncLoggerConfig(batch_size=3))
    asked = []

    class Queue:
        def take(self, most):
            asked.append(most)

    log._pipeline.take(Queue())
    assert asked == [3]


# ---- shutdown


def test_shutdown_writes_what_is_queued_and_later_records_are_dropped_as_closed(name, lines):
    async def main():
        log = femtolog.get_async_logger(name)
        for number in range(100):
            await log.ainfo("%d", number)
        await asyncio.gather(femtolog.shutdown_all_async_loggers(), femtolog.shutdown_all_async_loggers())
        await femtolog.shutdown_all_async_loggers()
        await log.ainfo("too late")
        assert not await log.aflush()
        account(log, written=100, closed=1)
        again = femtolog.get_async_logger(name)
        assert again is not log
        await again.ainfo("again")
        await femtolog.shutdown_all_async_loggers()

    asyncio.run(main())
    assert lines() == [*(f"INFO {number}" for number in range(100)), "INFO again"]


def test_shutdown_of_a_sink_that_hangs_takes_shutdown_timeout(name, capsys):
    gate, log = stopped(name, queue_size=2, queue_timeout=60, shutdown_timeout=0.01)

    async def main():
        await log.awarning("queued")
        waiting = asyncio.create_task(log.awarning("waiting for room"))
        await asyncio.sleep(0)
        await log.ashutdown()
        await waiting

    asyncio.run(main())
    account(log, in_flight=1, closed=2)
    gate.opened.set()


def test_reconfiguring_logging_does_not_close_it(name, lines):
    log = femtolog.get_async_logger(name)
    logging.config.dictConfig({"version": 1, "incremental": False, "disable_existing_loggers": False})
    asyncio.run(log.ainfo("still there"))
    assert asyncio.run(log.aflush())
    assert lines() == ["INFO still there"]


def run(program):
    """Runs a program in a process of its own; gives its output."""
    command = [sys.executable, "-P", "-W", "error", "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_at_the_end_of_the_interpreter_everything_is_written():
    found = run(
        """
        import asyncio, logging, sys, femtolog
        logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
        async def main():
            for number in range(500):
                await femtolog.get_async_logger("app").ainfo("%d", number)
        asyncio.run(main())
        """
    )
    assert found == [str(number) for number in range(500)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_has_an_empty_queue_of_its_own():
    found = run(
        """
        import asyncio, logging, os, sys, femtolog
        logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
        log = femtolog.get_async_logger("app", femtolog.AsyncLoggerConfig(queue_size=3, queue_timeout=30))
        async def main(who):
            await asyncio.gather(*(log.ainfo("%s %d", who, number) for number in range(20)))
        asyncio.run(main("parent"))
        if child := os.fork():
            assert os.waitpid(child, 0)[1] == 0
            asyncio.run(main("again"))
        else:
            asyncio.run(main("child"))
            assert asyncio.run(log.aflush(30))
            assert log.stats()["written"] == 20
            os._exit(0)
        """
    )
    assert [line for line in found if line.startswith("parent")] == [f"parent {number}" for number in range(20)]
    assert sorted(found) == sorted(f"{who} {number}" for who in ("parent", "child", "again") for number in range(20))


# ---- one of each name, and its configuration


def test_one_of_each_name(name):
    config = femtolog.AsyncLoggerConfig(queue_size=7)
    log = femtolog.get_async_logger(name, config)
    assert log is femtolog.get_async_logger(name) is femtolog.get_async_logger(name, femtolog.AsyncLoggerConfig(queue_size=7))
    assert (log.name, log.logger, log.config) == (name, logging.getLogger(name), config)
    assert repr(log) == f"<AsyncLogger {name} (WARNING)>"
    with pytest.raises(ConfigurationError, match=r"must be that of its first call, .*queue_size=7.*, got .*queue_size=8"):
        femtolog.get_async_logger(name, femtolog.AsyncLoggerConfig(queue_size=8))
    with pytest.raises(TypeError, match="config must be an AsyncLoggerConfig or None, got 7"):
        femtolog.get_async_logger(name, 7)


@pytest.mark.parametrize(
    "field",
    ["queue_size", "max_workers", "batch_size", "flush_interval", "queue_timeout", "shutdown_timeout", "max_memory_mb"],
)
@pytest.mark.parametrize("value", [0, -1])
def test_what_must_be_positive(field, value):
    with pytest.raises(ValueError, match=f"^{field} must be positive, got {value}$"):
        femtolog.AsyncLoggerConfig(**{field: value})


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"queue_size": 1.5}, TypeError, "queue_size must be an int, got 1.5"),
        ({"max_workers": True}, TypeError, "max_workers must be an int, got True"),
        ({"queue_timeout": "1"}, TypeError, "queue_timeout must be a number of seconds, got '1'"),
        ({"queue_timeout": float("nan")}, ConfigurationError, "queue_timeout must be positive, got nan"),
        ({"shutdown_timeout": float("inf")}, ConfigurationError, "shutdown_timeout must be finite, got inf"),
        ({"max_memory_mb": "1"}, TypeError, "max_memory_mb must be a number or None, got '1'"),
        ({"drop_on_overflow": 1}, TypeError, "drop_on_overflow must be a bool, got 1"),
        ({"error_callback": 1}, TypeError, "error_callback must be callable or None, got 1"),
    ],
)
def test_what_a_configuration_cannot_be(options, error, text):
    with pytest.raises(error) as raised:
        femtolog.AsyncLoggerConfig(**options)
    assert str(raised.value) == text


def test_a_handler_that_raises_is_told_to_error_callback(name, capsys):
    told = threading.Event()
    errors = []

    class Broken(logging.Handler):
        def handle(self, record):
            raise OSError("broken")

    def error_callback(error, count):
        errors.append((str(error), count))
        told.set()

    logger = logging.getLogger(name)
    logger.addHandler(Broken())
    log = femtolog.get_async_logger(name, femtolog.AsyncLoggerConfig(error_callback=error_callback))
    asyncio.run(log.aerror("lost"))
    assert not asyncio.run(log.aflush())
    assert told.wait(30)
    assert errors == [("broken", 1)]
    account(log, failed=1)


def test_nothing_is_imported_before_it_is_asked_for():
    assert run("import sys, femtolog; print('asyncio' in sys.modules, 'get_async_logger' in dir(femtolog))") == ["False True"]


def test_the_methods_return_coroutines(name, lines):
    log = femtolog.get_async_logger(name)
    logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for made in (log.ainfo("below the level"), log.aerror("above")):
            assert asyncio.iscoroutine(made)
            asyncio.run(made)
