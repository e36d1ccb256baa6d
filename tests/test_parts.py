"""Loggers, handlers, formatters, streams, filters and adapters of several classes take turns; each is what its own class says."""

import gc
import io
import itertools
import logging
import logging.handlers

import pytest
from oracle import same_as_stdlib


class Named(logging.Logger):
    """A class without anything of its own."""


class Louder(logging.Logger):
    """Makes its own records."""

    def makeRecord(self, *args, **kwargs):
        """The stdlib's, with a mark."""
        record = super().makeRecord(*args, **kwargs)
        record.msg = f"{record.msg}!"
        return record


class Plain(logging.StreamHandler):
    """A class without anything of its own."""


class Counting(logging.StreamHandler):
    """Counts what it writes."""

    count = 0

    def emit(self, record):
        """The stdlib's, counted."""
        self.count += 1
        super().emit(record)


class Same(logging.Formatter):
    """A class without anything of its own."""


class Marking(logging.Formatter):
    """Marks each line."""

    def format(self, record):
        """The stdlib's, marked."""
        return f"> {super().format(record)}"


class Kept:
    """A stream in Python."""

    def __init__(self):
        self.texts = []

    def write(self, text):
        """Keep it."""
        self.texts.append(text)

    def flush(self):
        """Nothing to do."""

    def getvalue(self):
        """All of it."""
        return "".join(self.texts)


class Other(Kept):
    """Another stream in Python, that is not like it."""

    def write(self, text):
        """Keep it in capitals."""
        self.texts.append(text.upper())


class Letting:
    """No `logging.Filter`."""

    def filter(self, record):
        """Let every other one pass."""
        self.turn = not getattr(self, "turn", False)
        return self.turn


LOGGERS = [logging.Logger, Named, Louder]
HANDLERS = [logging.StreamHandler, Plain, Counting]
FORMATTERS = [logging.Formatter, Same, Marking]
STREAMS = [io.StringIO, Kept, Other]
FORMATS = ["%(message)s", "%(filename)s %(funcName)s %(threadName)s %(name)s %(message)s"]


@same_as_stdlib
@pytest.mark.parametrize("fmt", FORMATS)
def test_all_kinds_take_turns(w, fmt):
    streams, loggers = [], []
    for logger, handler, formatter, stream in itertools.product(LOGGERS, HANDLERS, FORMATTERS, STREAMS):
        streams.append(stream())
        sink = handler(streams[-1])
        sink.setFormatter(formatter(fmt))
        loggers.append(logger("own"))
        loggers[-1].addHandler(sink)
    for turn in range(6):
        for logger in loggers if turn % 2 else reversed(loggers):
            logger.info("turn %d", turn)
            logger.debug("turn")
            w.note(logger.isEnabledFor(turn * 10))
    for stream in streams:
        w.note(stream.getvalue())


@same_as_stdlib
def test_handlers_of_one_logger(w):
    log = w.logger()
    streams = [stream() for stream in STREAMS * 3]
    for place, stream in enumerate(streams):
        handler = HANDLERS[place % 3](stream)
        handler.setFormatter(FORMATTERS[place // 3 % 3](FORMATS[place % 2]))
        log.addHandler(handler)
    for turn in range(20):
        log.info("turn %d", turn)
        log.handlers.append(log.handlers.pop(0))
    w.note([stream.getvalue() for stream in streams])


@same_as_stdlib
def test_loggers_above_of_several_classes(w):
    """A tree whose levels are of several classes."""
    manager = logging.Manager(logging.RootLogger(logging.INFO))
    names = []
    for depth in range(12):
        names.append("abcdefghijkl"[depth])
        manager.loggerClass = LOGGERS[depth % 3]
        logger = manager.getLogger(".".join(names))
        if depth % 4 == 0:
            logger.addHandler(w.handler(f"{depth} %(name)s %(message)s"))
    manager.root.addHandler(w.handler("root %(name)s %(message)s"))
    for turn in range(10):
        for depth in range(1, 13):
            manager.getLogger(".".join(names[:depth])).warning("turn %d", turn)
        middle = manager.getLogger(".".join(names[: turn + 1]))
        middle.propagate = not middle.propagate


@same_as_stdlib
def test_a_class_is_changed_between_two_calls(w, monkeypatch):
    stream = Kept()
    handler = Plain(stream)
    handler.setFormatter(Same(FORMATS[0]))
    log = Named("own")
    log.addHandler(handler)
    log.addFilter(Letting())

    def twice(what):
        log.info("%s", what)
        log.info("%s once more", what)
        log.debug("%s quietly", what)

    def patched(cls, name, wrapped):
        monkeypatch.setattr(cls, name, wrapped)
        twice(f"{cls.__name__}.{name}")

    for _ in range(3):
        twice("as it was")
        patched(Kept, "write", lambda self, text: self.texts.append(f"[{text}]"))
        patched(Kept, "flush", lambda self: self.texts.append("."))
        patched(Same, "formatMessage", lambda self, record: record.getMessage().title())
        patched(Same, "usesTime", lambda self: True)
        patched(Plain, "terminator", " ;\n")
        patched(Plain, "format", lambda self, record: logging.StreamHandler.format(self, record) + " formatted")
        patched(Letting, "filter", lambda self, record: record)
        patched(Named, "isEnabledFor", lambda self, level: True)
        patched(Named, "callHandlers", lambda self, record: logging.Logger.callHandlers(self, record))
        monkeypatch.undo()
    w.note(stream.getvalue())


@same_as_stdlib
def test_classes_come_and_go(w):
    """What stands at an address is an object of another class soon."""
    stream = Kept()
    for turn in range(120):
        marked = {"format": lambda self, record: f"{type(self).__name__} {record.getMessage()}"} if turn % 2 else {}
        formatter = type(f"Formatter{turn % 5}", (logging.Formatter,), marked)
        handler = type(f"Handler{turn % 7}", (logging.StreamHandler,), {"terminator": f" {turn % 3}\n"})(stream)
        handler.setFormatter(formatter("%(message)s"))
        log = type("Logger", (logging.Logger,), {})("own")
        log.addHandler(handler)
        for count in range(3):
            log.info("turn %d, %d", turn, count)
        if turn % 3 == 0:
            handler.emit = lambda record: stream.write(f"own {record.msg}\n")
            log.info("hidden")
            log.disabled = True
            log.info("disabled")
        # Cycles that hold the classes.
        del formatter, handler, log
        if turn % 10 == 0:
            gc.collect()
    w.note(stream.getvalue())


@same_as_stdlib
def test_objects_change_their_class(w):
    stream = Kept()
    handler = Plain(stream)
    handler.setFormatter(Same("%(message)s"))
    log = Named("own")
    log.addHandler(handler)
    objects = [(log, [Named, logging.Logger, Louder]), (handler, HANDLERS), (stream, [Kept, Other])]
    objects.append((handler.formatter, FORMATTERS))
    for turn in range(24):
        thing, classes = objects[turn % 4]
        thing.__class__ = classes[turn // 4 % len(classes)]
        log.info("turn %d", turn)
        log.debug("turn")
    w.note(stream.getvalue())


@same_as_stdlib
def test_instances_get_more_attributes(w):
    """The keys that the instances of a class share grow, and some are names of methods."""
    names = ["zero", "one", "two", "format", "three", "flush", "four", "handle", "five"]
    for part in range(3):
        log, handler, stream = Named(f"own{part}"), Plain(Kept()), None
        formatter = Same("%(message)s")
        handler.setFormatter(formatter)
        log.addHandler(handler)
        stream = handler.stream
        for name in names:
            log.info("before %s", name)
            thing = (log, handler, formatter)[part]
            value = getattr(thing, name, None)
            setattr(thing, name, value if value is not None else name)
            log.info("after %s", name)
        w.note(stream.getvalue())


@same_as_stdlib
def test_more_classes_than_are_remembered(w):
    stream = Kept()
    made = []
    for turn in range(400):
        bases = [(logging.Logger,), (logging.StreamHandler,), (logging.Formatter,)]
        made.append([type(f"Own{turn}", base, {}) for base in bases])
        logger, handler, formatter = made[-1]
        sink = handler(stream)
        sink.setFormatter(formatter("%(name)s %(message)s"))
        log = logger(f"own{turn}")
        log.addHandler(sink)
        log.info("new")
        if turn % 7 == 0:
            for old in made[:: max(1, turn // 5)]:
                log = old[0]("old")
                log.addHandler(old[1](stream))
                log.handlers[0].setFormatter(old[2]("%(name)s %(message)s"))
                log.info("old %d", turn)
    w.note(stream.getvalue())


@same_as_stdlib
def test_adapters_and_filters(w):
    class Upper(logging.LoggerAdapter):
        def process(self, msg, kwargs):
            return msg.upper(), kwargs

    log, _, _ = w.plain()
    adapters = [logging.LoggerAdapter(log, {"user": "eve"}), Upper(log, {}), logging.LoggerAdapter(Named("own"), None)]
    adapters[2].logger.addHandler(w.handler("%(message)s"))
    filters = [Letting(), logging.Filter("app"), logging.Filter("elsewhere"), lambda record: "turn" in record.msg]
    for turn in range(24):
        if turn % 4 == 0:
            log.filters[:] = [filters[turn // 4 % len(filters)], filters[turn // 8 % len(filters)]]
        for adapter in adapters:
            adapter.info("turn %d", turn)
            adapter.debug("debug")
            w.note(adapter.isEnabledFor(logging.DEBUG))
            adapter.setLevel(logging.INFO if turn % 2 else logging.DEBUG)


@same_as_stdlib
def test_handlers_that_pass_records_on(w):
    target, other = w.handler("%(message)s"), w.handler("%(levelname)s", cls=Counting)
    memory = logging.handlers.MemoryHandler(3, target=target)
    log = w.logger()
    log.addHandler(memory)
    log.addHandler(other)
    for turn in range(12):
        log.info("turn %d", turn)
        memory.setTarget(other if turn % 5 == 0 else target)
    memory.close()
