"""Buffering and memory handlers: what is kept, when it leaves and for whom is the stdlib's."""

import collections
import logging
import logging.handlers
import threading

import pytest
from oracle import World, same_as_stdlib


class Names(logging.Handler):
    """A target that notes what it is given."""

    def __init__(self, w: World) -> None:
        super().__init__()
        self.w = w

    def emit(self, record: logging.LogRecord) -> None:
        """Note the message."""
        self.w.note("target got", record.getMessage())


def memory(w: World, capacity=3, cls=logging.handlers.MemoryHandler, **kw):
    """A logger over a memory handler with a noting target: (logger, handler, target)."""
    target = Names(w)
    handler = cls(capacity, **({"target": target} | kw))
    logger = w.logger()
    logger.addHandler(handler)
    return logger, handler, target


@same_as_stdlib
@pytest.mark.parametrize("capacity", [0, 1, 3, -1, 2.5, True])
def test_full(w, capacity):
    logger, handler, _ = memory(w, capacity)
    for i in range(7):
        logger.info("%d", i)
        w.note("kept", len(handler.buffer))


@same_as_stdlib
@pytest.mark.parametrize("level", [0, logging.INFO, logging.ERROR, 100, 25.5])
def test_flush_level(w, level):
    logger, handler, _ = memory(w, 10, flushLevel=level)
    for severity in (10, 20, 30, 40, 50):
        logger.log(severity, "severity %d", severity)
        w.note("kept", len(handler.buffer))


@same_as_stdlib
@pytest.mark.parametrize(
    "odd", [{"capacity": "many"}, {"flushLevel": "ERROR"}, {"capacity": None}, {"buffer": None}, {"buffer": ()}], ids=repr
)
def test_errors_reach_the_caller(w, odd):
    logger, handler, _ = memory(w)
    vars(handler).update(odd)
    w.catch(logger.info, "x")
    handler.buffer = []


@same_as_stdlib(live=False)
def test_the_records_kept_are_the_records(w):
    logger, handler, _ = memory(w, 10, target=None)
    records = w.keeper(logger)
    logger.info("one %s", "arg", extra={"key": 1})
    w.note("same", handler.buffer[0] is records[0], type(handler.buffer) is list)
    w.note("record", handler.buffer[0])


@same_as_stdlib
def test_no_target_keeps_everything(w):
    logger, handler, target = memory(w, 2, target=None)
    for i in range(5):
        logger.info("%d", i)
    w.note("kept", len(handler.buffer))
    w.note("set", handler.setTarget(target), handler.setTarget(target=target))
    handler.flush()
    w.note("kept", len(handler.buffer))
    w.catch(handler.setTarget)


@same_as_stdlib
@pytest.mark.parametrize("flush", [True, False, "yes", 0])
@pytest.mark.parametrize("target", [True, False])
def test_close(w, flush, target):
    logger, handler, _ = memory(w, 10, flushOnClose=flush)
    if not target:
        handler.setTarget(None)
    handler.name = "memory"
    logger.info("x")
    w.note("closed", handler.close())
    w.note("kept", len(handler.buffer), handler.target, logging._handlers.get("memory"))
    logger.info("after")
    handler.close()


@same_as_stdlib
@pytest.mark.parametrize("where", ["flush", "handle", "both"])
def test_close_when_flushing_fails(w, where):
    class Handler(logging.handlers.MemoryHandler):
        def flush(self):
            if where != "handle":
                raise KeyError("flush")
            super().flush()

    logger, handler, target = memory(w, 10, Handler)
    target.handle = lambda record: {}["handle"]
    handler.name = "memory"
    logger.info("x")
    w.catch(handler.close)
    w.note("after", handler.target, len(handler.buffer), "memory" in logging._handlers)
    w.note("lock is free", handler.lock.acquire(blocking=False))
    handler.buffer.clear()
    handler.lock.release()


@same_as_stdlib
def test_buffering_close_when_flushing_fails(w):
    class Handler(logging.handlers.BufferingHandler):
        def flush(self):
            raise KeyError("flush")

    handler = Handler(3)
    handler.name = "buffering"
    w.catch(handler.close)
    w.note("after", "buffering" in logging._handlers)
    original = logging.Handler.close
    logging.Handler.close = lambda self: {}["close"]
    try:
        w.catch(handler.close)
    finally:
        logging.Handler.close = original


@same_as_stdlib
def test_should_flush_overridden(w):
    class Handler(logging.handlers.MemoryHandler):
        def shouldFlush(self, record):
            w.note("asked", record.getMessage(), super().shouldFlush(record))
            return "even" if len(self.buffer) % 2 == 0 else ""

    logger, handler, _ = memory(w, 3, Handler)
    for i in range(5):
        logger.info("%d", i)
    handler.shouldFlush = lambda record: True
    logger.info("instance")
    w.catch(handler.shouldFlush)


@same_as_stdlib
def test_should_flush_gives_what_the_comparison_gives(w):
    class Odd(int):
        def __le__(self, other):
            return "le %d" % other

    _, handler, _ = memory(w)
    record = logging.makeLogRecord({"levelno": 30})
    handler.flushLevel = Odd(5)
    w.note("level", handler.shouldFlush(record))
    handler.capacity = Odd(5)
    w.note("capacity", handler.shouldFlush(record=record))
    w.note("buffering", logging.handlers.BufferingHandler.shouldFlush(handler, None))


@same_as_stdlib
def test_a_target_that_logs_to_the_same_logger(w):
    logger, handler, target = memory(w, 2)

    class Again(Names):
        def emit(self, record):
            super().emit(record)
            if record.levelno < logging.WARNING and len(handler.buffer) < 6:
                handler.buffer.append(logging.makeLogRecord({"msg": "again", "levelno": 30}))

    handler.setTarget(Again(w))
    for i in range(4):
        logger.info("%d", i)
    w.note("kept", len(handler.buffer))


@same_as_stdlib
def test_a_target_that_changes_the_target(w):
    logger, handler, target = memory(w, 3)

    class First(Names):
        def emit(self, record):
            handler.target = target
            w.note("first got", record.getMessage())

    handler.target = First(w)
    for i in range(4):
        logger.info("%d", i)


@same_as_stdlib
def test_a_target_with_filter_level_and_duck_types(w):
    logger, handler, target = memory(w, 1)
    target.setLevel(logging.ERROR)
    target.addFilter(lambda record: "2" not in record.getMessage())
    for i in range(3):
        logger.info("%d", i)

    class Duck:
        def handle(self, record):
            w.note("duck got", record.getMessage())
            if record.levelno >= 50:
                raise KeyError("too much")

        def __bool__(self):
            w.note("bool")
            return True

    handler.target = Duck()
    logger.info("three")
    w.catch(logger.critical, "four")
    w.note("kept", len(handler.buffer))
    handler.target = logging.NullHandler()
    logger.info("five")
    w.note("kept", len(handler.buffer))
    handler.target = []
    logger.info("six")
    w.note("kept", len(handler.buffer))


@same_as_stdlib
def test_a_buffer_of_another_kind(w):
    class Buffer(list):
        def append(self, item):
            w.note("append", item.getMessage())
            super().append(item)

        def clear(self):
            w.note("clear")
            super().clear()

        def __len__(self):
            w.note("len")
            return super().__len__()

    logger, handler, _ = memory(w, 2)
    handler.buffer = Buffer()
    for i in range(5):
        logger.info("%d", i)


@same_as_stdlib(live=False)
def test_the_lock_is_taken_as_often(w):
    class Lock:
        def acquire(self, *args):
            w.note("acquire")
            return True

        def release(self):
            w.note("release")

        def __enter__(self):
            w.note("enter")

        def __exit__(self, *args):
            w.note("exit", args[1] is None)

    logger, handler, target = memory(w, 2)
    handler.lock = Lock()
    logger.info("one")
    logger.info("two")
    handler.setTarget(None)
    handler.flush()
    handler.close()
    handler.createLock()


@same_as_stdlib
def test_changed_between_two_records(w):
    logger, handler, target = memory(w, 10)
    logger.info("one")
    vars(handler).update(capacity=2.0)
    logger.info("two")
    handler.capacity = 10
    handler.shouldFlush = lambda record: w.note("asked", record.getMessage())
    logger.info("three")
    del handler.shouldFlush
    handler.buffer = collections.deque(handler.buffer)
    logger.info("four")
    handler.buffer = list(handler.buffer)
    handler.emit = target.emit
    logger.info("five")
    del handler.emit
    handler.addFilter(lambda record: setattr(record, "levelno", "grave"))
    w.catch(logger.info, "six")
    handler.filters.clear()
    logger.addFilter(lambda record: setattr(record, "levelno", 1000) or True)
    logger.info("seven")
    w.note("kept", [record.getMessage() for record in handler.buffer])
    handler.buffer.clear()


def test_a_record_waits_while_the_lock_is_held():
    logger = logging.Logger("waits")
    handler = logging.handlers.MemoryHandler(10)
    logger.addHandler(handler)
    thread = threading.Thread(target=logger.info, args=("late",))
    with handler.lock:
        thread.start()
        thread.join(0.2)
        assert handler.buffer == []
        logger.info("mine")
    thread.join()
    assert [record.msg for record in handler.buffer] == ["mine", "late"]
    handler.buffer.clear()
    handler.close()


@same_as_stdlib
def test_buffering_handler(w):
    handler = logging.handlers.BufferingHandler(2)
    logger = w.logger()
    logger.addHandler(handler)
    for i in range(5):
        logger.info("%d", i)
        w.note("kept", len(handler.buffer))
    w.note("flush", handler.flush(), len(handler.buffer))
    for method in (handler.flush, handler.close, handler.shouldFlush, handler.emit):
        w.catch(method, 1, 2)


@same_as_stdlib
def test_a_chain_of_memory_handlers(w):
    target = w.handler("%(levelname)s %(message)s %(key)s")
    inner = logging.handlers.MemoryHandler(2, target=target)
    outer = logging.handlers.MemoryHandler(3, target=inner)
    logger = w.logger()
    logger.addHandler(outer)
    for i in range(7):
        logger.info("%d", i, extra={"key": i})
    logger.error("grave", extra={"key": "k"})
    outer.close()
    inner.close()


@same_as_stdlib
def test_base_close_replaced(w):
    _, handler, _ = memory(w)
    base = logging.handlers.BufferingHandler
    original = base.close

    def close(self):
        w.note("close")
        original(self)

    base.close = close
    try:
        handler.close()
    finally:
        base.close = original


@same_as_stdlib
def test_buffer_by_a_property(w):
    class Own(logging.handlers.MemoryHandler):
        @property
        def buffer(self):
            w.note("asked")
            vars(self).update({f"more {i}": i for i in range(100)})
            return vars(self).setdefault("kept", [])

        @buffer.setter
        def buffer(self, value):
            vars(self)["kept"] = value

    logger, handler, _ = memory(w, 3, Own)
    for i in range(4):
        logger.info("%d", i)
        w.note("kept", len(vars(handler)["kept"]))


@same_as_stdlib
def test_buffer_by_a_property_is_another_one_each_time(w):
    class Own(logging.handlers.MemoryHandler):
        @property
        def buffer(self):
            self.turn = not vars(self).get("turn")
            return self.lists[self.turn]

        @buffer.setter
        def buffer(self, value):
            self.lists = ([*range(5)], value)

    logger, handler, _ = memory(w, 4, Own, target=None)
    for i in range(2):
        logger.info("%d", i)
        w.note("kept", [len(kept) for kept in handler.lists])
