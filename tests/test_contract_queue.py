"""QueueHandler and QueueListener: contract 5.5, item 38."""

import asyncio
import copy
import logging
import logging.handlers
import multiprocessing
import pickle
import queue
import sys

import pytest
from oracle import same_as_stdlib


def queued(w, q=None, cls=logging.handlers.QueueHandler):
    """A logger whose records go into a queue."""
    q = queue.Queue() if q is None else q
    handler = cls(q)
    log = w.logger()
    log.handlers[:] = [handler]
    return log, handler, q


def raised():
    try:
        raise LookupError("shown")
    except LookupError:
        return sys.exc_info()


@same_as_stdlib
@pytest.mark.parametrize("fmt", [None, "%(levelname)s %(message)s", "%(message)s %(asctime)s"])
def test_prepared_records(w, fmt):
    log, handler, q = queued(w)
    if fmt:
        handler.setFormatter(logging.Formatter(fmt))
    records = w.keeper(log)
    log.info("a %s", [1])
    log.info("b", exc_info=raised())
    log.info("c", stack_info=True, extra={"k": 1})
    log.info({"a": 1})
    log.info("%(a)s", {"a": 1})
    while not q.empty():
        record = q.get()
        w.note("queued", record)
        w.note("pickled", pickle.loads(pickle.dumps(record)).getMessage())
    w.note("originals", records)


@same_as_stdlib
def test_the_original_record_is_untouched(w):
    log, handler, q = queued(w)
    log.handlers.insert(0, first := w.handler("%(message)s"))
    log.addHandler(w.handler("%(message)s %(args)s"))
    records = w.keeper(log)
    log.info("a %s", 1, exc_info=raised())
    one = q.get()
    w.note("same", one is records[0], records[0].args, records[0].exc_text, one.exc_text, first.formatter)


@same_as_stdlib
def test_errors_while_preparing_and_enqueueing(w):
    log, handler, q = queued(w, queue.Queue(1))
    log.info("%d", "x")
    log.info("fits")
    log.info("the queue is full")

    class Odd:
        def put_nowait(self, record):
            raise LookupError("not today")

    for wrong in (Odd(), None, 5):
        handler.queue = wrong
        w.catch(log.info, "y")


@same_as_stdlib
@pytest.mark.parametrize(
    "kind", ["Queue", "SimpleQueue", "LifoQueue", "PriorityQueue", "asyncio.Queue", "deque-like", "multiprocessing.SimpleQueue"]
)
def test_queues_of_every_kind(w, kind):
    class Deque(list):
        put_nowait = list.append

    made = {
        "Queue": queue.Queue,
        "SimpleQueue": queue.SimpleQueue,
        "LifoQueue": queue.LifoQueue,
        "PriorityQueue": queue.PriorityQueue,
        "asyncio.Queue": asyncio.Queue,
        "deque-like": Deque,
        "multiprocessing.SimpleQueue": multiprocessing.SimpleQueue,
    }[kind]()
    log, _, q = queued(w, made)
    w.catch(log.info, "a %s", 1)
    while isinstance(q, Deque) and q:
        w.note("queued", q.pop(0))
    if not isinstance(q, (Deque, asyncio.Queue)):
        while not q.empty():
            w.note("queued", q.get())


@same_as_stdlib
def test_methods_overridden(w):
    class Mine(logging.handlers.QueueHandler):
        def prepare(self, record):
            w.note("prepare", record)
            return copy.copy(record)

        def enqueue(self, record):
            w.note("enqueue", record.msg)
            super().enqueue(record)

    log, handler, q = queued(w, cls=Mine)
    log.info("a %s", 1)
    w.note("queued", q.get())
    handler.enqueue = lambda record: w.note("instance", record.msg)
    log.info("b")
    handler.prepare = lambda record: "anything"
    del handler.enqueue
    handler.queue = type("Q", (), {"put_nowait": lambda self, x: w.note("put", x)})()
    Mine.enqueue = logging.handlers.QueueHandler.enqueue
    log.info("c")


@same_as_stdlib
def test_copy_protocol_of_the_record_is_used(w):
    class Record(logging.LogRecord):
        def __copy__(self):
            w.note("copied")
            return logging.makeLogRecord({**vars(self), "copied": True})

    logging.setLogRecordFactory(Record)
    log, _, q = queued(w)
    log.info("a %s", 1)
    w.note("queued", q.get())
    saved = copy.copy
    copy.copy = lambda record: w.note("patched copy") or saved(record)
    log.info("b")
    copy.copy = saved
    w.note("queued", q.get())


@same_as_stdlib
def test_listener_hands_to_handlers_by_level_and_stops_on_the_sentinel(w):
    for respect in (False, True):
        log, handler, q = queued(w)
        low, high = w.handler("low %(message)s"), w.handler("high %(message)s")
        high.setLevel(logging.ERROR)
        listener = logging.handlers.QueueListener(q, low, high, respect_handler_level=respect)
        listener.start()
        w.note("thread", listener._thread.daemon)
        for number in range(5):
            log.info("info %d", number)
            log.error("error %d", number)
        listener.stop()
        w.note("stopped", listener._thread, q.unfinished_tasks, logging.handlers.QueueListener._sentinel)
        w.catch(listener.stop)


@same_as_stdlib
def test_listener_by_hand(w):
    log, handler, q = queued(w)
    listener = logging.handlers.QueueListener(q, w.handler("%(message)s"))
    log.info("a %s", 1)
    record = listener.dequeue(False)
    w.note("handled", listener.handle(record), listener.prepare(record) is record)
    listener.enqueue_sentinel()
    w.note("sentinel", q.get())


@same_as_stdlib
def test_adapters_names_and_tasks_survive_the_queue(w):
    log, _, q = queued(w)
    logging.LoggerAdapter(log, {"who": 1}).info("a")
    logging.getLogger("app.below").warning("b")
    while not q.empty():
        w.note("queued", q.get())


@same_as_stdlib
def test_formatter_of_the_handler_runs_in_the_callers_thread(w):
    import threading

    log, handler, q = queued(w)

    class Argument:
        def __str__(self):
            return threading.current_thread().name

    handler.setFormatter(logging.Formatter("%(threadName)s %(message)s"))
    log.info("%s", Argument())
    w.note("queued", q.get())
    w.note("listener", getattr(handler, "listener", None))


@same_as_stdlib
def test_levels_filters_and_disabled_queues(w):
    log, handler, q = queued(w)
    handler.setLevel(30)
    log.info("too low")
    log.error("high %s", 1)
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    log.error("a secret")
    w.note("size", q.qsize(), q.get())
