"""What a call costs that logs, with everything programs commonly put on its way."""

import importlib
import io
import logging
from typing import Any

from benches.measure import Bench, Scenario

ALONE = 'write("INFO hello world\\n"); flush()'
HELLO = 'info("hello %s", "world")'


def null(bench: Bench) -> None:
    bench.names["info"] = bench.logger(bench.logging.NullHandler()).info


def stream(form: str = "%(levelname)s %(message)s") -> Any:
    def prepare(bench: Bench) -> None:
        bench.names["info"] = bench.logger(bench.stream_handler(form)).info

    return prepare


def with_multiprocessing(prepare: Any) -> Any:
    """In a program that has imported `multiprocessing`, which a record asks for the name of the process."""

    def prepare_there(bench: Bench) -> None:
        importlib.import_module("multiprocessing")
        prepare(bench)

    return prepare_there


def a_record() -> logging.LogRecord:
    """One that is there already, for what is measured alone."""
    return logging.makeLogRecord({"msg": "hello %s", "args": ("world",)})


def text_stream(bench: Bench) -> None:
    """A stream of the interpreter's own, whose calls run no Python code."""

    def take() -> list[str]:
        taken = stream.getvalue().splitlines(keepends=True)
        stream.seek(0)
        stream.truncate()
        return taken

    stream = io.StringIO()
    handler = bench.logging.StreamHandler(stream)
    handler.setFormatter(bench.logging.Formatter("%(levelname)s %(message)s"))
    bench.take = take
    bench.names.update(info=bench.logger(handler).info, write=stream.write, flush=stream.flush)


def python_filter(bench: Bench) -> None:
    class Everything(bench.logging.Filter):  # type: ignore[name-defined, misc]
        def filter(self, record: Any) -> bool:
            return True

    log = bench.logger(bench.stream_handler())
    everything = Everything()
    log.addFilter(everything)
    bench.names.update(info=log.info, filter=everything.filter, record=a_record())


def function_filter(bench: Bench) -> None:
    def everything(record: Any) -> bool:
        return True

    handler = bench.stream_handler()
    handler.addFilter(everything)
    log = bench.logger(handler)
    bench.names.update(info=log.info, filter=everything, record=a_record())


def python_handler(bench: Bench) -> None:
    class Keep(bench.logging.Handler):  # type: ignore[name-defined, misc]
        def emit(self, record: Any) -> None:
            texts.append(record)

    texts: list[Any] = []

    def take() -> list[str]:
        taken = [record.getMessage() for record in texts]
        texts.clear()
        return taken

    handler = Keep()
    bench.take = take
    bench.names.update(info=bench.logger(handler).info, emit=handler.emit, record=a_record())


def python_formatter(bench: Bench) -> None:
    class Marked(bench.logging.Formatter):  # type: ignore[name-defined, misc]
        def format(self, record: Any) -> str:
            return "> " + super().format(record)

    class Plain:
        def format(self, record: Any) -> str:
            return "INFO hello world"

    class MarkedPlain(Plain):
        def format(self, record: Any) -> str:
            return "> " + super().format(record)

    handler = bench.stream_handler()
    handler.setFormatter(Marked("%(levelname)s %(message)s"))
    bench.names.update(info=bench.logger(handler).info, format=MarkedPlain().format, record=a_record())


def adapter(bench: Bench) -> None:
    log = bench.logger(bench.stream_handler("%(levelname)s %(user)s %(message)s"))
    bench.names["info"] = bench.logging.LoggerAdapter(log, {"user": "eve"}).info


def propagate(below: str) -> Any:
    def prepare(bench: Bench) -> None:
        bench.logger(bench.stream_handler())
        bench.names["info"] = bench.logging.getLogger(bench.name + below).info

    return prepare


SCENARIOS = [
    Scenario("NullHandler", HELLO, null),
    Scenario("StreamHandler to a Python object", HELLO, stream(), r"INFO hello world\n", alone=ALONE),
    Scenario("StreamHandler to a StringIO", HELLO, text_stream, r"INFO hello world\n", alone=ALONE),
    Scenario("3 arguments", 'info("%s %d %.2f", "world", 42, 2.5)', stream(), r"INFO world 42 2\.50\n", alone=ALONE),
    Scenario(
        "caller and thread in the format",
        HELLO,
        stream("%(levelname)s %(filename)s:%(lineno)d %(funcName)s %(threadName)s %(message)s"),
        r"INFO <string>:3 loop MainThread hello world\n",
        alone=ALONE,
    ),
    Scenario(
        "caller, thread and process in the format",
        HELLO,
        stream("%(levelname)s %(filename)s:%(lineno)d %(funcName)s %(threadName)s %(processName)s %(message)s"),
        r"INFO <string>:3 loop MainThread MainProcess hello world\n",
        alone=ALONE,
    ),
    Scenario(
        "caller at the end of a function of 300 lines",
        HELLO,
        stream("%(levelname)s %(filename)s:%(lineno)d %(funcName)s %(message)s"),
        r"INFO <string>:303 loop hello world\n",
        alone=ALONE,
        above=300,
    ),
    Scenario(
        "asctime in the format",
        HELLO,
        stream("%(asctime)s %(levelname)s %(name)s %(message)s"),
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO benches\.\w+\.\d+ hello world\n",
        alone=ALONE,
    ),
    Scenario(
        "extra",
        'info("hello %s", "world", extra={"user": "eve"})',
        stream("%(levelname)s %(user)s %(message)s"),
        r"INFO eve hello world\n",
        alone=ALONE,
    ),
    Scenario("filter in Python", HELLO, python_filter, r"INFO hello world\n", alone=f"filter(record); {ALONE}"),
    Scenario(
        "function as filter of the handler", HELLO, function_filter, r"INFO hello world\n", alone=f"filter(record); {ALONE}"
    ),
    Scenario("handler in Python", HELLO, python_handler, r"hello world", alone="emit(record)"),
    Scenario("formatter in Python", HELLO, python_formatter, r"> INFO hello world\n", alone=f"format(record); {ALONE}"),
    Scenario("adapter", HELLO, adapter, r"INFO eve hello world\n", alone=ALONE, picologging="has no LoggerAdapter"),
    Scenario("four loggers below the handler's", HELLO, propagate(".a.b.c.d"), r"INFO hello world\n", alone=ALONE),
    Scenario("six loggers below the handler's", HELLO, propagate(".a.b.c.d.e.f"), r"INFO hello world\n", alone=ALONE),
    Scenario(
        "process in the format, multiprocessing imported",
        HELLO,
        with_multiprocessing(stream("%(levelname)s %(processName)s %(message)s")),
        r"INFO MainProcess hello world\n",
        apart=True,
    ),
    Scenario(
        "filter in Python, multiprocessing imported",
        HELLO,
        with_multiprocessing(python_filter),
        r"INFO hello world\n",
        apart=True,
    ),
]
