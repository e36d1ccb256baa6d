"""BufferingHandler and MemoryHandler: contract 5.5, item 40."""

import logging
import logging.handlers

import pytest
from oracle import same_as_stdlib


def buffered(w, capacity=3, flush_level=logging.ERROR, target=True, **options):
    """A logger whose records wait in memory."""
    handler = logging.handlers.MemoryHandler(capacity, flush_level, w.handler("%(message)s") if target else None, **options)
    log = w.logger()
    log.handlers[:] = [handler]
    return log, handler


@same_as_stdlib
def test_flushes_when_full_or_at_the_level(w):
    log, handler = buffered(w)
    stream = handler.target.stream
    for number in range(7):
        log.info("a %d", number)
        w.note("buffer", [record.msg for record in handler.buffer], stream.getvalue())
    log.error("b")
    w.note("buffer", handler.buffer)
    log.log(logging.ERROR + 1, "c")


@same_as_stdlib
def test_flush_keeps_the_buffer_without_a_target(w):
    log, handler = buffered(w, target=False)
    for number in range(5):
        log.info("a %d", number)
    w.note("kept", len(handler.buffer))
    handler.flush()
    w.note("kept", len(handler.buffer))
    handler.setTarget(w.handler("late %(message)s"))
    handler.flush()
    w.note("kept", len(handler.buffer))
    log.info("b")
    handler.setTarget(None)
    handler.close()
    w.note("closed", handler.target, handler.buffer)


@same_as_stdlib
@pytest.mark.parametrize("flush_on_close", [True, False, 1, 0, None])
def test_close_flushes_only_if_asked_then_drops_the_target(w, flush_on_close):
    log, handler = buffered(w, flushOnClose=flush_on_close)
    log.info("a")
    handler.close()
    w.note("closed", handler.target, handler.buffer)
    log.info("b")
    handler.close()


@same_as_stdlib
def test_duck_typed_targets(w):
    """Contract 1.5: `handle` only."""

    class Target:
        def handle(self, record):
            w.note("target", record)

    log, handler = buffered(w, target=False)
    handler.setTarget(Target())
    log.info("a %s", 1)
    log.error("b")
    handler.target = type("Breaking", (), {"handle": lambda self, record: 1 / 0})()
    w.catch(log.error, "c")
    w.note("buffer", [record.msg for record in handler.buffer])
    w.note("lock", handler.lock.acquire(blocking=False))


@same_as_stdlib
def test_records_are_the_very_objects(w):
    log, handler = buffered(w, capacity=100)
    records = w.keeper(log)
    log.handlers.insert(0, w.handler("%(message)s %(asctime)s" if not w.live else "%(message)s"))
    argument = ["before"]
    log.info("a %s", argument)
    argument[0] = "after"
    w.note("same", handler.buffer[0] is records[0], handler.buffer)
    handler.buffer[0].msg = "changed %s"
    handler.flush()


@same_as_stdlib
@pytest.mark.parametrize("capacity", [0, 1, -1, 2.5, "text", None])
def test_capacities_of_any_kind(w, capacity):
    log, handler = buffered(w, capacity=capacity)
    w.catch(log.info, "a")
    w.catch(log.info, "b")
    w.catch(handler.flush)


@same_as_stdlib
@pytest.mark.parametrize("level", [0, "ERROR", None, 100, 20.5])
def test_flush_levels_of_any_kind(w, level):
    log, handler = buffered(w, flush_level=level)
    w.catch(log.info, "a")
    w.catch(log.error, "b")
    w.note("level", handler.flushLevel)


@same_as_stdlib
def test_attributes_changed_between_calls(w):
    log, handler = buffered(w, capacity=10)
    log.info("a")
    handler.capacity = 2
    log.info("b")
    handler.flushLevel = 20
    log.info("c")
    handler.buffer = []
    handler.flushLevel = 50
    log.info("d")
    handler.buffer.append(logging.makeLogRecord({"msg": "by hand", "levelno": 20}))
    log.info("e")
    handler.buffer = (1,)
    w.catch(log.info, "f")
    handler.buffer = []


@same_as_stdlib
def test_methods_overridden(w):
    class Mine(logging.handlers.MemoryHandler):
        def shouldFlush(self, record):
            w.note("should", record.msg)
            return record.msg == "now"

        def flush(self):
            w.note("flush", len(self.buffer))
            super().flush()

        def emit(self, record):
            w.note("emit")
            super().emit(record)

    log = w.logger()
    log.handlers[:] = [handler := Mine(2, target=w.handler())]
    for msg in ("a", "b", "c", "now", "d"):
        log.info(msg)
    handler.close()


@same_as_stdlib
def test_buffering_handler(w):
    class Mine(logging.handlers.BufferingHandler):
        def flush(self):
            w.note("flush", self.buffer)
            super().flush()

    log = w.logger()
    log.handlers[:] = [handler := Mine(2)]
    for number in range(5):
        log.info("a %d", number)
    w.note("buffer", handler.buffer)
    handler.close()
    plain = logging.handlers.BufferingHandler(1)
    log.handlers[:] = [plain]
    log.info("x")
    w.note("buffer", plain.buffer, vars(plain).keys() & {"buffer", "capacity"})


@same_as_stdlib
def test_memory_of_memory(w):
    inner = logging.handlers.MemoryHandler(2, logging.CRITICAL, w.handler("%(message)s"))
    log, outer = buffered(w, target=False)
    outer.setTarget(inner)
    for number in range(8):
        log.info("a %d", number)
        w.note("sizes", len(outer.buffer), len(inner.buffer))
    logging.shutdown()


@same_as_stdlib
def test_a_target_that_logs_to_the_same_logger(w):
    log, handler = buffered(w, capacity=2, target=False)
    again = []

    class Target:
        def handle(self, record):
            w.note("target", record.msg)
            if record.msg == "a" and not again:
                again.append(1)
                log.info("from the target")

    handler.setTarget(Target())
    log.info("a")
    log.info("b")
    w.note("buffer", [record.msg for record in handler.buffer])
