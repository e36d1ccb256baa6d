"""What a call costs on objects that a program has changed: other classes, attributes of their own, replaced methods."""

import contextlib
from collections.abc import Iterator
from typing import Any

from benches.enabled import ALONE, HELLO
from benches.measure import Bench, Scenario

LINE = r"INFO hello world\n"


@contextlib.contextmanager
def root_with(bench: Bench, handler: Any) -> Iterator[None]:
    """The root logger is the same one on the stdlib's side and on femtolog's: it has this handler only as long as it must."""
    root = bench.logging.getLogger()
    level, others = root.level, list(root.handlers)
    for other in others:
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(10)
    try:
        yield
    finally:
        root.removeHandler(handler)
        for other in others:
            root.addHandler(other)
        root.setLevel(level)


def root(bench: Bench) -> None:
    handler = bench.stream_handler()
    bench.during = lambda: root_with(bench, handler)
    bench.names["info"] = bench.logging.getLogger().info


def module(bench: Bench) -> None:
    handler = bench.stream_handler()
    bench.during = lambda: root_with(bench, handler)
    bench.names["logging"] = bench.logging


def subclass(bench: Bench) -> None:
    class Own(bench.logging.Logger):  # type: ignore[name-defined, misc]
        pass

    log = Own(bench.name, 10)
    log.addHandler(bench.stream_handler())
    bench.names["info"] = log.info


def looked_at(bench: Bench) -> None:
    log = bench.logger(bench.stream_handler())
    vars(log)  # from now on the attributes lie in a dict
    bench.names["info"] = log.info


def handler_attribute(bench: Bench) -> None:
    handler = bench.stream_handler()
    handler.own = 1
    bench.names["info"] = bench.logger(handler).info


def handle_error(bench: Bench) -> None:
    def ignore(record: Any) -> None:
        pass

    handler = bench.stream_handler()
    handler.handleError = ignore
    bench.names["info"] = bench.logger(handler).info


def call_handlers(bench: Bench) -> None:
    """As sentry-sdk does it: sentry_sdk/integrations/logging.py, 2.75."""
    cls = bench.logging.Logger
    ignored = {"sentry_sdk.errors"}
    seen = 0

    @contextlib.contextmanager
    def replaced() -> Iterator[None]:
        original = cls.callHandlers

        def call_handlers(self: Any, record: Any) -> Any:
            nonlocal seen
            try:
                return original(self, record)
            finally:
                if record.name.strip() not in ignored:
                    seen += 1

        cls.callHandlers = call_handlers  # type: ignore[method-assign]
        try:
            yield
        finally:
            cls.callHandlers = original  # type: ignore[method-assign]

    with replaced():  # shows at once where it cannot be done
        bench.during = replaced
    bench.names["info"] = bench.logger(bench.stream_handler()).info


def factory(bench: Bench) -> None:
    """As packages that add something to each record do it."""
    logging = bench.logging

    @contextlib.contextmanager
    def replaced() -> Iterator[None]:
        original = logging.getLogRecordFactory()

        def make(*args: Any, **kwargs: Any) -> Any:
            record = original(*args, **kwargs)
            record.trace_id = "0"
            return record

        logging.setLogRecordFactory(make)
        try:
            yield
        finally:
            logging.setLogRecordFactory(original)

    bench.during = replaced
    bench.names["info"] = bench.logger(bench.stream_handler()).info


# Those that change what all loggers share come last: the others' code shall be specialised before it happens first.
SCENARIOS = [
    Scenario("subclass of Logger", HELLO, subclass, LINE, alone=ALONE),
    Scenario("logger after vars(logger)", HELLO, looked_at, LINE, alone=ALONE),
    Scenario("handler with an attribute of its own", HELLO, handler_attribute, LINE, alone=ALONE),
    Scenario("handler with a handleError of its own", HELLO, handle_error, LINE, alone=ALONE),
    Scenario("setLogRecordFactory()", HELLO, factory, LINE, alone=ALONE, picologging="calls no factory"),
    Scenario("root logger", HELLO, root, LINE, alone=ALONE),
    Scenario("logging.info()", 'logging.info("hello %s", "world")', module, LINE, alone=ALONE),
    Scenario("Logger.callHandlers replaced", HELLO, call_handlers, LINE, alone=ALONE),
]
