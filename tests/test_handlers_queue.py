"""Queue handlers and listeners: what is put on the queue, and what the listener's handlers get, is the stdlib's."""

import copy
import copyreg
import logging
import logging.handlers
import multiprocessing
import pickle
import queue
import sys

import pytest
from oracle import World, same_as_stdlib


def queued(w: World, cls=logging.handlers.QueueHandler, q=None):
    """A logger over a queue handler: (logger, handler, queue)."""
    q = queue.SimpleQueue() if q is None else q
    handler = cls(q)
    logger = w.logger()
    logger.addHandler(handler)
    return logger, handler, q


def drain(q) -> list:
    """Everything on the queue."""
    items = []
    while not q.empty():
        items.append(q.get())
    return items


@same_as_stdlib(live=False)
@pytest.mark.parametrize("fmt", [None, "%(levelname)s %(message)s", "%(asctime)s %(message)s", "%(threadName)s"])
def test_what_is_put(w, fmt):
    logger, handler, q = queued(w)
    if fmt:
        handler.setFormatter(logging.Formatter(fmt))
    before = w.keeper(logger)
    logger.info("plain")
    logger.info("with %s", "args", extra={"key": [1]})
    logger.info("mapping %(a)s", {"a": 1})
    logger.info("stack", stack_info=True)
    try:
        raise LookupError("gone")
    except LookupError:
        logger.exception("failed")
    for record, original in zip(drain(q), before, strict=True):
        w.note("put", record)
        w.note("same", record is original, type(record), list(vars(record)) == list(vars(original)))
        w.note("original", original)
        pickle.dumps(record)


@same_as_stdlib(live=False)
def test_the_original_goes_on_unchanged(w):
    logger, _, q = queued(w)
    after = w.handler("%(message)s %(args)s")
    logger.addHandler(after)
    records = w.keeper(logger)
    try:
        raise LookupError("gone")
    except LookupError:
        logger.exception("with %s", "args")
    w.note("args", records[0].args, records[0].msg, records[0].exc_info is None)
    w.note("put", drain(q))


@same_as_stdlib
def test_a_full_queue_is_reported(w):
    logger, handler, q = queued(w, q=queue.Queue(1))
    logger.info("one")
    logger.info("two %s", "args")
    handler.handleError = lambda record: w.note("error", repr(sys.exc_info()[1]), record.args)
    logger.info("three %s", "args")
    w.note("kept", [r.msg for r in drain(q)])


@same_as_stdlib
@pytest.mark.parametrize("error", [KeyError, RecursionError, OSError, SystemExit])
def test_errors_of_the_queue(w, error):
    class Queue:
        def put_nowait(self, item):
            raise error("put")

    logger, handler, _ = queued(w, q=Queue())
    handler.handleError = lambda record: w.note("error", repr(sys.exc_info()[1]))
    w.catch(logger.info, "x")
    handler.queue = None
    w.catch(logger.info, "x")
    del handler.queue
    w.catch(logger.info, "x")


@same_as_stdlib
def test_a_failing_format_is_reported(w):
    logger, _, q = queued(w)
    logger.info("%d", "text")
    logger.info("good")
    w.note("kept", [r.msg for r in drain(q)])


@same_as_stdlib(live=False)
def test_steps_overridden(w):
    class Handler(logging.handlers.QueueHandler):
        def prepare(self, record):
            prepared = super().prepare(record)
            w.note("prepare", prepared.msg)
            return (record.levelname, prepared.msg)

        def enqueue(self, record):
            w.note("enqueue", record)
            super().enqueue(record)

    logger, handler, q = queued(w, Handler)
    logger.info("one")
    w.note("put", drain(q))
    handler.enqueue = lambda item: w.note("instance", item)
    logger.info("two")
    del handler.enqueue
    handler.prepare = lambda record: record.msg
    logger.info("three")
    w.note("put", drain(q))
    for method in (handler.prepare, handler.enqueue, handler.emit):
        w.catch(method)


@same_as_stdlib
def test_prepare_that_replaces_enqueue(w):
    class Handler(logging.handlers.QueueHandler):
        def prepare(self, record):
            self.enqueue = lambda item: w.note("late", item.msg)
            return record

    logger, _, q = queued(w, Handler)
    logger.info("one")
    w.note("put", len(drain(q)))
    logger.info("two")


class Own(logging.LogRecord):
    """A record class with a copy of its own."""

    def __copy__(self):
        other = logging.makeLogRecord(vars(self))
        other.copied = True
        return other


class Reduced(logging.LogRecord):
    """A record class that says how it is taken apart."""

    def __reduce_ex__(self, protocol):
        return logging.makeLogRecord, ({**vars(self), "reduced": protocol},)


class Stateful(logging.LogRecord):
    """A record class that hides an attribute when copied."""

    def __getstate__(self):
        return {k: v for k, v in vars(self).items() if k != "lineno"}


class Restored(logging.LogRecord):
    """A record class that is put together by itself."""

    def __setstate__(self, state):
        vars(self).update(state, restored=True)


class Slotted(logging.LogRecord):
    """A record class with a slot."""

    __slots__ = ("slot",)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.slot = "in a slot"


class Guarded(logging.LogRecord):
    """A record class that watches its attributes."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name in ("message", "msg", "args", "exc_info", "exc_text", "stack_info"):
            super().__setattr__("sets", (*getattr(self, "sets", ()), name))


@same_as_stdlib(live=False)
@pytest.mark.parametrize("cls", [Own, Reduced, Stateful, Restored, Slotted, Guarded, logging.LogRecord], ids=lambda c: c.__name__)
def test_records_of_other_classes(w, cls):
    logging.setLogRecordFactory(cls)
    logger, _, q = queued(w)
    logger.info("one %s", 1, extra={"key": 1})
    for record in drain(q):
        w.note("put", record, type(record).__name__, getattr(record, "slot", None))


@same_as_stdlib(live=False)
@pytest.mark.parametrize("where", ["module", "function", "dispatch table", "copyreg", "class copy", "class reduce"])
def test_copying_replaced(w, where):
    if where == "dispatch table" and not hasattr(copy, "_copy_dispatch"):
        pytest.skip("copy has no table of its own from 3.15 on")
    logger, _, q = queued(w)
    module = logging.handlers

    def other(record):
        w.note("copy")
        result = logging.makeLogRecord(vars(record))
        result.copied = True
        return result

    if where == "module":
        real, module.copy = module.copy, type("copy", (), {"copy": staticmethod(other)})
    elif where == "function":
        real, copy.copy = copy.copy, other
    elif where == "dispatch table":
        copy._copy_dispatch[logging.LogRecord] = other
    elif where == "copyreg":
        copyreg.pickle(logging.LogRecord, lambda record: (other, (record,)))
    elif where == "class copy":
        logging.LogRecord.__copy__ = other
    else:
        logging.LogRecord.__reduce_ex__ = lambda self, protocol: (other, (self,))
    try:
        logger.info("one %s", 1)
    finally:
        if where == "module":
            module.copy = real
        elif where == "function":
            copy.copy = real
        elif where == "dispatch table":
            del copy._copy_dispatch[logging.LogRecord]
        elif where == "copyreg":
            del copyreg.dispatch_table[logging.LogRecord]
        elif where == "class copy":
            del logging.LogRecord.__copy__
        else:
            del logging.LogRecord.__reduce_ex__
    logger.info("two")
    w.note("put", drain(q))


@same_as_stdlib(live=False)
def test_values_are_shared_not_copied(w):
    logger, _, q = queued(w)
    records = w.keeper(logger)
    key = [1, 2]
    logger.info("x", extra={"key": key})
    (put,) = drain(q)
    w.note("same", put.key is key, vars(put) is vars(records[0]))
    put.new = 1
    w.note("apart", hasattr(records[0], "new"))


# ---- QueueListener


def listening(w, *handlers, **kw):
    """A logger, its queue's listener and what was noted: records pass through a thread."""
    q = queue.Queue()
    logger, handler, _ = queued(w, q=q)
    return logger, logging.handlers.QueueListener(q, *handlers, **kw)


@same_as_stdlib
@pytest.mark.parametrize("respect", [False, True])
def test_listener(w, respect):
    first, second = w.handler(), w.handler("%(message)s")
    second.setLevel(logging.WARNING)
    logger, listener = listening(w, first, second, respect_handler_level=respect)
    listener.start()
    logger.info("one %s", 1)
    logger.warning("two")
    listener.stop()


@same_as_stdlib
def test_listener_by_hand(w):
    handler = w.handler()
    logger, listener = listening(w, handler)
    logger.info("one")
    record = listener.dequeue(False)
    w.note("prepared", listener.prepare(record) is record)
    listener.handle(record)
    w.catch(listener.dequeue, False)
    w.catch(listener.dequeue, block=False)
    w.note("sentinel", listener.enqueue_sentinel(), listener.dequeue(True))
    listener._sentinel = "end"
    listener.enqueue_sentinel()
    w.note("sentinel", listener.dequeue(block=True))
    for method in (listener.dequeue, listener.prepare, listener.handle):
        w.catch(method)
    w.catch(listener.enqueue_sentinel, 1)


@same_as_stdlib
def test_listener_steps_overridden(w):
    class Listener(logging.handlers.QueueListener):
        def prepare(self, record):
            w.note("prepare", record.msg)
            record.msg = record.msg.upper()
            return record

        def handle(self, record):
            w.note("handle", record.msg)
            super().handle(record)

        def dequeue(self, block):
            record = super().dequeue(block)
            w.note("dequeue", block, record is None)
            return record

    logger, plain = listening(w)
    listener = Listener(plain.queue, w.handler())
    listener.start()
    logger.info("one")
    listener.stop()


@same_as_stdlib
def test_listener_with_other_handlers(w):
    class Duck:
        level = 0

        def handle(self, record):
            w.note("duck", record.msg)

    failing = w.handler()
    failing.emit = lambda record: {}["emit"]
    logger, listener = listening(w, Duck(), logging.NullHandler(), respect_handler_level=True)
    record = logging.makeLogRecord({"msg": "x", "levelno": 20})
    listener.handle(record)
    listener.handlers = (Duck(), failing, Duck())
    w.catch(listener.handle, record)
    listener.handlers = iter([Duck()])
    listener.handle(record)
    listener.handle(record)
    listener.handlers = None
    w.catch(listener.handle, record)
    del record.levelno
    listener.handlers = [Duck()]
    w.catch(listener.handle, record)


@same_as_stdlib
def test_a_queue_of_multiprocessing(w):
    q = multiprocessing.get_context("fork").SimpleQueue()
    q.put_nowait = q.put
    logger, _, _ = queued(w, q=q)
    logger.info("over a pipe %s", 1)
    record = q.get()
    w.note("put", record.getMessage(), record.args)
    q.close()


# ---- where the copy is made directly


@same_as_stdlib(live=False)
def test_the_copy_of_a_record_nobody_has_seen(w):
    logger, handler, q = queued(w)
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(message)s %(key)s", defaults={"key": "none"}))
    after = w.handler("%(message)s %(key)s")
    extra = {"key": [1], "other": 2}
    logger.info("only handler %s", 1, extra=extra)
    logger.addHandler(after)
    logger.info("one of two %s", 2, extra=extra)
    extra["key"] = "changed"
    logger.info("mapping %(a)s", {"a": 1}, extra=extra)
    for record in drain(q):
        w.note("put", record)
        w.note("keys", list(vars(record)))


@same_as_stdlib(live=False)
@pytest.mark.parametrize("hook", ["__copy__", "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__", "__getnewargs__"])
def test_a_hook_among_the_extra_attributes(w, hook):
    logger, handler, q = queued(w)
    handler.handleError = lambda record: w.note("error", repr(sys.exc_info()[1]))
    logger.info("one", extra={hook: lambda *args: w.note("hook", args)})
    logger.info("two", extra={hook: None})
    w.note("put", [record.msg for record in drain(q)])


@same_as_stdlib(live=False)
def test_a_failing_put_reports_the_original(w):
    logger, handler, _ = queued(w, q=queue.Queue(1))
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    handler.handleError = lambda record: w.note("error", record)
    after = w.keeper(logger)
    try:
        raise LookupError("gone")
    except LookupError:
        logger.exception("one %s", 1)
        logger.exception("two %s", 2)
    w.note("seen after", after)


@same_as_stdlib(live=False)
def test_a_put_that_changes_extra(w):
    extra = {"key": 1}

    class Queue:
        def put_nowait(self, item):
            w.note("put", item.key)
            extra["key"] += 1

    logger, _, _ = queued(w, q=Queue())
    logger.addHandler(w.handler("%(message)s %(key)s"))
    logger.info("x", extra=extra)
    logger.info("y", extra=extra)
