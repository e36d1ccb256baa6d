"""Tracebacks are the stdlib's to the byte: the entries of logging's own functions, with source line and carets.

Each scenario fails somewhere inside a log call. Compared are what `handleError` writes to `sys.stderr` and the formatted
traceback of what reaches the caller.
"""

import gc
import inspect
import io
import itertools
import logging
import logging.handlers
import pdb  # noqa: T100 - it is what is tested
import queue
import re
import sys
import traceback
import types
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from oracle.sides import SIDES, on

from femtolog import _native

Scenario = Callable[[logging.Logger], object]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


class Boom(Exception):
    pass


def boom(*args: object, **kwargs: object) -> Any:
    raise Boom("here")


class BadText:
    def __str__(self) -> str:
        raise Boom("no text")

    __repr__ = __str__


class BadTruth:
    def __bool__(self) -> bool:
        raise Boom("neither true nor false")


class BadStream(io.StringIO):
    def __init__(self, **methods: Any) -> None:
        super().__init__()
        vars(self).update(methods)


def to(logger: logging.Logger, handler: logging.Handler, fmt: str | None = None, **style: Any) -> logging.Handler:
    if fmt is not None:
        handler.setFormatter(logging.Formatter(fmt, **style))
    logger.addHandler(handler)
    return handler


def memory(logger: logging.Logger, fmt: str | None = None, **style: Any) -> logging.Handler:
    return to(logger, logging.StreamHandler(io.StringIO()), fmt, **style)


# ---- the message


@scenario
def percent_with_the_wrong_type(logger: logging.Logger) -> None:
    memory(logger)
    logger.info("%d", "x")


@scenario
def percent_with_too_many(logger: logging.Logger) -> None:
    memory(logger, "%(asctime)s %(message)s")
    logger.warning("%s", 1, 2)  # noqa: PLE1205 - on purpose


@scenario
def percent_with_too_few(logger: logging.Logger) -> None:
    memory(logger)
    logger.error("%s %s", 1)  # noqa: PLE1206 - on purpose


@scenario
def percent_with_a_missing_key(logger: logging.Logger) -> None:
    memory(logger)
    logger.critical("%(a)s", {"b": 1})


@scenario
def a_message_without_text(logger: logging.Logger) -> None:
    memory(logger)
    logger.info(BadText())


@scenario
def an_argument_without_text(logger: logging.Logger) -> None:
    memory(logger)
    logger.info("%s", BadText())


@scenario
def arguments_without_truth(logger: logging.Logger) -> None:
    memory(logger)
    record = logging.makeLogRecord({"msg": "m"})
    record.args = BadTruth()  # type: ignore[assignment]
    logger.handle(record)


@scenario
def a_record_without_a_message(logger: logging.Logger) -> None:
    memory(logger)
    record = logging.makeLogRecord({})
    del record.msg
    logger.handle(record)


@scenario
def get_message_alone(logger: logging.Logger) -> None:
    logging.makeLogRecord({"msg": "%d", "args": ("x",)}).getMessage()


@scenario
def get_message_of_a_subclass(logger: logging.Logger) -> None:
    class Record(logging.LogRecord):
        def getMessage(self) -> str:
            return super().getMessage() + boom()

    memory(logger)
    logger.handle(Record("n", 20, "p", 1, "m", (), None))
    logger.handle(Record("n", 20, "p", 1, "%d", ("x",), None))


# ---- the format


@scenario
def a_field_nobody_set(logger: logging.Logger) -> None:
    memory(logger, "%(nothing)s")
    logger.info("m")


@scenario
def a_field_of_the_wrong_type(logger: logging.Logger) -> None:
    memory(logger, "%(name)d", validate=False)
    logger.info("m")


@scenario
def a_brace_field_nobody_set(logger: logging.Logger) -> None:
    memory(logger, "{nothing}", style="{")
    logger.info("m")


@scenario
def a_brace_spec_that_does_not_fit(logger: logging.Logger) -> None:
    memory(logger, "{name:d}", style="{")
    logger.info("m")


@scenario
def a_dollar_field_nobody_set(logger: logging.Logger) -> None:
    memory(logger, "$nothing", style="$")
    logger.info("m")


@scenario
def defaults_that_do_not_add_up(logger: logging.Logger) -> None:
    handler = memory(logger, "%(a)s", defaults={"a": 1})
    handler.formatter._style._defaults = 7  # type: ignore[union-attr]
    logger.info("m")


@scenario
def a_formatter_that_was_never_made(logger: logging.Logger) -> None:
    class Formatter(logging.Formatter):
        def __init__(self) -> None:
            pass

    memory(logger).setFormatter(Formatter())
    logger.info("m")


@scenario
def a_formatter_that_is_none_at_all(logger: logging.Logger) -> None:
    memory(logger).setFormatter("no formatter")  # type: ignore[arg-type]
    logger.info("m")


@scenario
def a_formatter_that_goes_on_to_super(logger: logging.Logger) -> None:
    class Formatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return "> " + super().format(record)

    memory(logger).setFormatter(Formatter("%(message)s"))
    logger.info("%d", "x")


def overriding(method: str, function: Callable[..., Any] = boom) -> Scenario:
    def run(logger: logging.Logger) -> None:
        formatter = type("Formatter", (logging.Formatter,), {method: function})("%(asctime)s %(message)s")
        memory(logger).setFormatter(formatter)
        try:
            raise ValueError("to be shown")
        except ValueError:
            logger.exception("m", stack_info=True)

    return run


for method in ("format", "formatTime", "formatMessage", "usesTime", "formatException", "formatStack", "converter"):
    SCENARIOS[f"formatter_with_failing_{method}"] = overriding(method)
for method in ("formatMessage", "formatException", "formatStack"):
    SCENARIOS[f"formatter_with_number_from_{method}"] = overriding(method, lambda *args: 7)
SCENARIOS["formatter_with_truthless_usesTime"] = overriding("usesTime", lambda self: BadTruth())


@scenario
def dates_of_the_wrong_type(logger: logging.Logger) -> None:
    memory(logger, "%(asctime)s").formatter.datefmt = 5  # type: ignore[union-attr, assignment]
    logger.info("m")


@scenario
def milliseconds_of_the_wrong_type(logger: logging.Logger) -> None:
    memory(logger, "%(asctime)s").formatter.default_msec_format = "%d"  # type: ignore[union-attr]
    logger.info("m")


@scenario
def a_time_format_of_the_wrong_type(logger: logging.Logger) -> None:
    memory(logger, "%(asctime)s").formatter.default_time_format = 5  # type: ignore[union-attr, assignment]
    logger.info("m")


@scenario
def exception_information_that_is_none(logger: logging.Logger) -> None:
    memory(logger)
    logger.info("m", exc_info=(1, 2))  # type: ignore[arg-type]
    logger.info("m", exc_info=(1, 2, 3))  # type: ignore[arg-type]


# ---- the stream


for method, error in (
    ("write", Boom("full")),
    ("write", OSError(28, "full")),
    ("write", KeyboardInterrupt()),
    ("write", SystemExit(3)),
    ("write", RecursionError("deep")),
    ("flush", Boom("stuck")),
    ("flush", GeneratorExit()),
):

    def stream_scenario(logger: logging.Logger, method: str = method, error: BaseException = error) -> None:
        def fail(*args: object) -> None:
            raise type(error)(*error.args)

        to(logger, logging.StreamHandler(BadStream(**{method: fail})))
        logger.info("m")

    SCENARIOS[f"stream_{method}_raising_{type(error).__name__}"] = stream_scenario


@scenario
def a_stream_that_is_none_at_all(logger: logging.Logger) -> None:
    memory(logger).stream = 5  # type: ignore[attr-defined]
    logger.info("m")


@scenario
def a_handler_without_a_stream(logger: logging.Logger) -> None:
    del memory(logger).stream  # type: ignore[attr-defined]
    logger.info("m")


@scenario
def a_terminator_of_the_wrong_type(logger: logging.Logger) -> None:
    memory(logger).terminator = None  # type: ignore[attr-defined]
    logger.info("m")


@scenario
def an_encoding_that_cannot(logger: logging.Logger) -> None:
    to(logger, logging.StreamHandler(io.TextIOWrapper(io.BytesIO(), encoding="ascii")))
    logger.info("\u20ac")


@scenario
def a_flush_of_a_subclass(logger: logging.Logger) -> None:
    class Handler(logging.StreamHandler):  # type: ignore[type-arg]
        def flush(self) -> None:
            super().flush()

    to(logger, Handler(BadStream(flush=boom)))
    logger.info("m")


@scenario
def a_delayed_file_in_no_folder(logger: logging.Logger) -> None:
    to(logger, logging.FileHandler("/nowhere/at/all.log", delay=True))
    logger.info("m")


@scenario
def a_file_in_no_folder(logger: logging.Logger) -> None:
    logging.FileHandler("/nowhere/at/all.log")


@scenario
def a_full_disk(logger: logging.Logger) -> None:
    handler = to(logger, logging.FileHandler("/dev/full"))
    logger.info("m")
    try:
        handler.close()
    except OSError:
        pass


# ---- filters, levels, dispatch


class FailingFilter:
    def filter(self, record: logging.LogRecord) -> bool:
        return bool(boom())


@scenario
def a_function_filter_of_a_logger(logger: logging.Logger) -> None:
    logger.addFilter(boom)
    logger.info("m")


@scenario
def an_object_filter_of_a_logger(logger: logging.Logger) -> None:
    logger.addFilter(FailingFilter())
    logger.error("m")


@scenario
def a_function_filter_of_a_handler(logger: logging.Logger) -> None:
    memory(logger).addFilter(boom)
    logger.info("m")


@scenario
def an_object_filter_of_a_handler(logger: logging.Logger) -> None:
    memory(logger).addFilter(FailingFilter())
    logger.info("m")


@scenario
def a_filter_answering_no_truth(logger: logging.Logger) -> None:
    memory(logger).addFilter(lambda record: BadTruth())  # type: ignore[arg-type, return-value]
    logger.info("m")


@scenario
def a_filter_that_is_none_at_all(logger: logging.Logger) -> None:
    logger.filters.append(5)  # type: ignore[arg-type]
    logger.info("m")


@scenario
def filters_that_are_no_list(logger: logging.Logger) -> None:
    memory(logger).filters = 5  # type: ignore[assignment]
    logger.info("m")


@scenario
def filters_that_stop_in_the_middle(logger: logging.Logger) -> None:
    logger.filters = (boom() for _ in range(2))  # type: ignore[assignment]
    logger.info("m")


@scenario
def a_filter_by_name_of_a_nameless_record(logger: logging.Logger) -> None:
    logger.addFilter(logging.Filter("a.b"))
    record = logging.makeLogRecord({})
    record.name = 5  # type: ignore[assignment]
    logger.handle(record)


@scenario
def an_overridden_filter(logger: logging.Logger) -> None:
    class Handler(logging.StreamHandler):  # type: ignore[type-arg]
        def filter(self, record: logging.LogRecord) -> Any:
            return boom()

    to(logger, Handler(io.StringIO()))
    logger.info("m")


@scenario
def an_overridden_filter_answering_no_truth(logger: logging.Logger) -> None:
    class Handler(logging.StreamHandler):  # type: ignore[type-arg]
        def filter(self, record: logging.LogRecord) -> Any:
            return BadTruth()

    to(logger, Handler(io.StringIO()))
    logger.info("m")


@scenario
def a_handler_with_a_word_for_a_level(logger: logging.Logger) -> None:
    memory(logger).level = "high"  # type: ignore[assignment]
    logger.info("m")


@scenario
def a_handler_that_is_none_at_all(logger: logging.Logger) -> None:
    logger.handlers.append(5)  # type: ignore[arg-type]
    logger.info("m")


@scenario
def handlers_that_are_no_list(logger: logging.Logger) -> None:
    logger.handlers = 5  # type: ignore[assignment]
    logger.info("m")


@scenario
def a_handler_without_emit(logger: logging.Logger) -> None:
    to(logger, logging.Handler())
    logger.info("m")


@scenario
def a_python_emit(logger: logging.Logger) -> None:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            boom(self.format(record))

    to(logger, Handler())
    logger.info("m")


@scenario
def a_python_emit_whose_format_fails(logger: logging.Logger) -> None:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            self.format(record)

    to(logger, Handler())
    logger.info("%d", "x")


@scenario
def a_python_emit_over_the_native_one(logger: logging.Logger) -> None:
    class Handler(logging.StreamHandler):  # type: ignore[type-arg]
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)

    to(logger, Handler(BadStream(write=RecursionErrorRaiser())))
    logger.info("m")


class RecursionErrorRaiser:
    def __call__(self, text: str) -> None:
        raise RecursionError("deep")


@scenario
def a_python_handle(logger: logging.Logger) -> None:
    class Handler(logging.StreamHandler):  # type: ignore[type-arg]
        def handle(self, record: logging.LogRecord) -> bool:
            return bool(boom())

    to(logger, Handler(io.StringIO()))
    logger.info("m")


@scenario
def a_handler_that_handles_errors_by_raising(logger: logging.Logger) -> None:
    class Handler(logging.StreamHandler):  # type: ignore[type-arg]
        def handleError(self, record: logging.LogRecord) -> None:
            raise  # noqa: PLE0704 - it is called by one

    to(logger, Handler(io.StringIO()))
    logger.info("%d", "x")


@scenario
def a_handler_that_handles_errors_by_failing(logger: logging.Logger) -> None:
    handler = memory(logger)
    handler.handleError = boom  # type: ignore[method-assign]
    logger.info("%d", "x")


@scenario
def a_handler_that_asks_super_about_errors(logger: logging.Logger) -> None:
    class Handler(logging.StreamHandler):  # type: ignore[type-arg]
        def handleError(self, record: logging.LogRecord) -> None:
            super().handleError(record)

    to(logger, Handler(io.StringIO()))
    logger.info("%d", "x")


@scenario
def an_error_below_a_parent(logger: logging.Logger) -> None:
    memory(logger)
    child = logging.Logger("child")
    child.parent = logger
    child.critical("%d", "x")


@scenario
def a_lock_that_is_none_at_all(logger: logging.Logger) -> None:
    memory(logger).lock = 5  # type: ignore[assignment]
    logger.info("m")


# ---- the logger


@scenario
def a_level_that_is_no_number(logger: logging.Logger) -> None:
    logger.log("high", "m")  # type: ignore[arg-type]


@scenario
def asking_for_a_level_that_is_no_number(logger: logging.Logger) -> None:
    logger.isEnabledFor("INFO")  # type: ignore[arg-type]


@scenario
def asking_for_a_level_that_has_no_hash(logger: logging.Logger) -> None:
    logger.isEnabledFor([])  # type: ignore[arg-type]


@scenario
def setting_an_unknown_level(logger: logging.Logger) -> None:
    logger.setLevel("UNKNOWN")


@scenario
def setting_a_level_that_is_none(logger: logging.Logger) -> None:
    logger.setLevel(None)  # type: ignore[arg-type]


@scenario
def setting_an_unknown_level_of_a_handler(logger: logging.Logger) -> None:
    memory(logger).setLevel("UNKNOWN")


@scenario
def extra_that_clashes(logger: logging.Logger) -> None:
    logger.info("m", extra={"message": 1})


@scenario
def extra_that_is_no_mapping(logger: logging.Logger) -> None:
    logger.info("m", extra=5)  # type: ignore[arg-type]


@scenario
def a_keyword_nobody_knows(logger: logging.Logger) -> None:
    logger.info("m", colour="red")  # type: ignore[call-arg]


@scenario
def a_call_without_a_message(logger: logging.Logger) -> None:
    logger.info()  # type: ignore[call-arg]


def level_method(name: str, *args: object) -> Scenario:
    def run(logger: logging.Logger) -> None:
        logger.addFilter(boom)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(logger, name)(*args)

    return run


for name in ("warning", "error", "critical", "exception", "fatal", "warn"):
    SCENARIOS[f"a_failing_call_of_{name}"] = level_method(name, "m")
SCENARIOS["a_failing_call_of_log"] = level_method("log", 30, "m")


@scenario
def a_deprecation_that_is_an_error(logger: logging.Logger) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logger.warn("m")


def logger_overriding(method: str) -> Scenario:
    def run(logger: logging.Logger) -> None:
        other = type("Logger", (logging.Logger,), {method: boom})("other", 10)
        memory(other)
        other.info("m")

    return run


for method in ("isEnabledFor", "_log", "findCaller", "makeRecord", "handle", "callHandlers", "filter"):
    SCENARIOS[f"a_logger_with_failing_{method}"] = logger_overriding(method)


@scenario
def a_failing_record_factory(logger: logging.Logger) -> None:
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(boom)
    try:
        logger.info("m")
    finally:
        logging.setLogRecordFactory(before)


@scenario
def effective_level_of_a_failing_parent(logger: logging.Logger) -> None:
    other = logging.Logger("other")
    other.parent = 5  # type: ignore[assignment]
    other.getEffectiveLevel()


# ---- adapters and the module's functions


@scenario
def an_adapter(logger: logging.Logger) -> None:
    logger.addFilter(boom)
    logging.LoggerAdapter(logger, {}).info("m")


@scenario
def an_adapter_of_an_adapter(logger: logging.Logger) -> None:
    logger.addFilter(boom)
    logging.LoggerAdapter(logging.LoggerAdapter(logger, {}), {}).error("m")


@scenario
def an_adapter_with_failing_process(logger: logging.Logger) -> None:
    class Adapter(logging.LoggerAdapter):  # type: ignore[type-arg]
        def process(self, msg: Any, kwargs: Any) -> Any:
            return boom()

    Adapter(logger, {}).warning("m")


@scenario
def an_adapter_without_a_logger(logger: logging.Logger) -> None:
    adapter = logging.LoggerAdapter(logger, {})
    del adapter.logger
    adapter.info("m")


def module_function(name: str, *args: object) -> Scenario:
    def run(logger: logging.Logger) -> None:
        logging.root.addHandler(logging.StreamHandler(io.StringIO()))
        logging.root.addFilter(boom)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(logging, name)(*args)

    return run


for name in ("warning", "error", "critical", "exception", "fatal"):
    SCENARIOS[f"a_failing_call_of_logging_{name}"] = module_function(name, "m")
SCENARIOS["a_failing_call_of_logging_log"] = module_function("log", 30, "m")


# ---- logging.handlers


@scenario
def a_memory_handler_with_a_failing_target(logger: logging.Logger) -> None:
    target = types.SimpleNamespace(handle=boom)
    handler = logging.handlers.MemoryHandler(1, target=target)  # type: ignore[arg-type]
    to(logger, handler)
    logger.info("m")
    handler.setTarget(None)  # type: ignore[arg-type]


@scenario
def a_memory_handler_without_a_capacity(logger: logging.Logger) -> None:
    handler = logging.handlers.MemoryHandler("many")  # type: ignore[arg-type]
    to(logger, handler)
    logger.info("m")


@scenario
def a_full_queue(logger: logging.Logger) -> None:
    full: queue.Queue[Any] = queue.Queue(1)
    full.put(1)
    to(logger, logging.handlers.QueueHandler(full))
    logger.info("m")


@scenario
def a_queue_and_a_bad_message(logger: logging.Logger) -> None:
    to(logger, logging.handlers.QueueHandler(queue.Queue()))
    logger.info("%d", "x")


@scenario
def a_rotating_file_and_a_bad_message(logger: logging.Logger, tmp: str = "/dev/null") -> None:
    handler = to(logger, logging.handlers.RotatingFileHandler(tmp))
    logger.info("%d", "x")
    handler.close()


@scenario
def a_rotating_file_with_failing_test(logger: logging.Logger) -> None:
    handler = to(logger, logging.handlers.RotatingFileHandler("/dev/null"))
    handler.shouldRollover = boom  # type: ignore[attr-defined]
    logger.info("m")
    handler.close()


@scenario
def a_watched_file_that_cannot_be_opened_again(logger: logging.Logger) -> None:
    handler = to(logger, logging.handlers.WatchedFileHandler("/dev/null"))
    handler.baseFilename = "/nowhere/at/all.log"  # type: ignore[attr-defined]
    logger.info("m")
    handler.close()


# ---- handleError itself


@scenario
def no_stderr(logger: logging.Logger) -> None:
    memory(logger)
    sys.stderr = None  # type: ignore[assignment]
    logger.info("%d", "x")


@scenario
def a_failing_stderr(logger: logging.Logger) -> None:
    memory(logger)
    sys.stderr = BadStream(write=boom)
    logger.info("%d", "x")


@scenario
def a_stderr_on_a_full_disk(logger: logging.Logger) -> None:
    def fail(text: str) -> int:
        raise OSError(28, "full")

    memory(logger)
    sys.stderr = BadStream(write=fail)
    logger.info("%d", "x")


@scenario
def a_stderr_without_truth(logger: logging.Logger) -> None:
    memory(logger)
    sys.stderr = BadTruth()  # type: ignore[assignment]
    logger.info("%d", "x")


@scenario
def handle_error_without_an_error(logger: logging.Logger) -> None:
    logging.Handler().handleError(logging.makeLogRecord({}))


@scenario
def handle_error_by_hand(logger: logging.Logger) -> None:
    try:
        boom()
    except Boom:
        logging.Handler().handleError(logging.makeLogRecord({"msg": "m", "args": (1,)}))


@scenario
def errors_of_no_interest(logger: logging.Logger) -> None:
    memory(logger)
    logging.raiseExceptions = False
    logger.info("%d", "x")


@scenario
def an_error_while_handling_another(logger: logging.Logger) -> None:
    memory(logger)
    try:
        boom()
    except Boom:
        logger.exception("%d", "x")


@scenario
def an_error_inside_nested_functions(logger: logging.Logger) -> None:
    memory(logger, "%(funcName)s %(message)s")

    def inner() -> None:
        logger.info("%d", BadText())

    [inner() for _ in range(1)]


# ---- calls of places that have logged before


def fails_at_last(logger: logging.Logger, call: Callable[[], object]) -> None:
    memory(logger)
    call()
    call()
    to(logger, BadHandler())
    call()


class BadHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        boom()


@scenario
def a_level_method_at_last(logger: logging.Logger) -> None:
    fails_at_last(logger, lambda: logger.warning("m %s", 1))


@scenario
def a_level_method_with_extra_at_last(logger: logging.Logger) -> None:
    fails_at_last(logger, lambda: logger.error("m", extra={"k": 1}))


@scenario
def log_at_last(logger: logging.Logger) -> None:
    fails_at_last(logger, lambda: logger.log(20, "m"))


@scenario
def log_with_extra_at_last(logger: logging.Logger) -> None:
    fails_at_last(logger, lambda: logger.log(20, "m", extra={"k": 1}))


@scenario
def an_adapter_at_last(logger: logging.Logger) -> None:
    adapter = logging.LoggerAdapter(logger, {"k": 1})
    fails_at_last(logger, lambda: adapter.critical("m"))


@scenario
def an_adapter_with_bad_extra_at_last(logger: logging.Logger) -> None:
    adapter = logging.LoggerAdapter(logger, {"k": 1})
    memory(logger)
    for extra in ({"k": 1}, {"k": 2}, {"asctime": 3}):
        adapter.extra = extra
        adapter.info("m")


@scenario
def the_modules_function_at_last(_: logging.Logger) -> None:
    fails_at_last(logging.root, lambda: logging.error("m"))


@scenario
def the_modules_function_with_bad_extra_at_last(_: logging.Logger) -> None:
    memory(logging.root)
    for name in ("a", "b", "module"):
        logging.warning("m", extra={name: 1})


# ---- the comparison


def outcome(side: str, run: Scenario) -> str:
    """What reaches stderr, and the traceback of what reaches the caller."""
    logger = logging.Logger("traceback.text", 1)
    stderr, interest = sys.stderr, logging.raiseExceptions
    root = logging.root.handlers[:], logging.root.filters[:]
    sys.stderr = caught = io.StringIO()
    error = ""
    with on(side):
        try:
            run(logger)
        except BaseException as exception:
            error = "".join(traceback.format_exception(exception))
        finally:
            sys.stderr, logging.raiseExceptions = stderr, interest
            logging.root.handlers[:], logging.root.filters[:] = root
    return re.sub("0x[0-9a-f]+", "0x…", f"{caught.getvalue()}\n{error}")


LINKED = pytest.mark.skipif(
    _native._raw_probe("layout")[0] != "raw",
    reason="without raw reads a frame of logging's has no caller (docs/reference/differences.md)",
)


@pytest.mark.parametrize("name", [pytest.param(name, marks=LINKED) if "asks_super" in name else name for name in SCENARIOS])
def test_tracebacks_are_the_stdlibs(name: str) -> None:
    texts = {}
    for side in SIDES:
        texts[side] = outcome(side, SCENARIOS[name])
    first, second = texts.values()
    assert second == first


# ---- the entries as objects


def failed_call() -> Boom:
    """An exception that came through `info`, `_log`, `handle` and `filter`."""
    logger = logging.Logger("failing", 1)
    logger.addFilter(boom)
    with on(SIDES[-1]):
        try:
            logger.info("m %s", 1)
        except Boom as error:
            return error
    raise AssertionError("nothing was raised")


def entries(error: BaseException) -> list[types.TracebackType]:
    found = []
    trace = error.__traceback__
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


@LINKED
def test_each_frame_was_called_by_the_one_before() -> None:
    trace = entries(failed_call())
    assert [entry.tb_frame.f_code.co_name for entry in trace] == ["failed_call", "info", "_log", "handle", "filter", "boom"]
    for caller, called in itertools.pairwise(trace):
        assert called.tb_frame.f_back is caller.tb_frame


@LINKED
def test_frames_stand_where_the_traceback_says() -> None:
    for entry in entries(failed_call())[1:]:
        assert (entry.tb_frame.f_lasti, entry.tb_frame.f_lineno) == (entry.tb_lasti, entry.tb_lineno)


def test_frames_are_of_the_real_functions() -> None:
    info = entries(failed_call())[1].tb_frame
    assert info.f_code.co_filename == logging.__file__
    assert info.f_globals is vars(logging)
    assert inspect.getframeinfo(info).function == "info"


def test_tools_can_look_into_the_frames() -> None:
    error = failed_call()
    for entry in entries(error):
        inspect.formatargvalues(*inspect.getargvalues(entry.tb_frame))
        traceback.format_stack(entry.tb_frame)
        repr(entry.tb_frame)
    assert inspect.getinnerframes(error.__traceback__)  # type: ignore[arg-type]
    assert "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_a_debugger_can_walk_the_frames() -> None:
    out = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO("where\nup\nup\nargs\nlist\np dir()\nquit\n"), stdout=out, nosigint=True, readrc=False)
    debugger.reset()
    debugger.interaction(None, failed_call().__traceback__)  # type: ignore[arg-type]
    assert "self._log(INFO, msg, args, **kwargs)" in out.getvalue()


def test_frames_can_be_cleared() -> None:
    error = failed_call()
    traceback.clear_frames(error.__traceback__)
    assert all(not entry.tb_frame.f_locals for entry in entries(error)[1:])
    assert "in _log" in "".join(traceback.format_exception(error))


def test_entries_are_collected_with_their_exception() -> None:
    error = failed_call()
    error.itself = error  # type: ignore[attr-defined]
    for entry in entries(error)[1:-1]:
        entry.tb_frame.f_locals["self"] = error
    last = weakref.ref(error)
    del error, entry
    gc.collect()
    assert last() is None


def test_failing_calls_leave_nothing_behind() -> None:
    def sizes(calls: int) -> int:
        for _ in range(calls):
            failed_call()
        gc.collect()
        return len(gc.get_objects())

    with on(SIDES[-1]):
        sizes(5)
        before = sizes(5)
        assert sizes(300) - before < 20
