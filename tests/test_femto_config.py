"""Builders of femto: handlers, filters, whole configurations, and changes that are made as a whole or not at all."""

import contextlib
import datetime
import io
import itertools
import logging
import logging.handlers
import sys
import threading

import pytest

import femtolog
from femtolog import femto
from femtolog.femto import registry


@pytest.fixture(autouse=True)
def fresh():
    with femtolog.installed():
        yield
        for handler in {*registry.names.handlers.values()}:
            handler.close()
        femto.reset_manager()


def stream_builder(stream=None):
    return femto.StreamHandlerBuilder().stream_target(io.StringIO() if stream is None else stream)


def state():
    """What configurations can change of the loggers "a", "b" and "a.c"."""
    return [
        (log.level, log.propagate, list(log.handlers), list(log.filters)) for log in map(logging.getLogger, ("a", "b", "a.c"))
    ] + [dict(registry.names.handlers), dict(registry.names.filters), dict(registry.names.formatters)]


# ---- builders of handlers


def test_stream_builder(capsys):
    builder = femto.StreamHandlerBuilder.stdout().with_capacity(5).with_flush_after_ms(20).with_level("warn")
    assert builder.as_dict() == {
        "target": "stdout",
        "flush_after_ms": 20,
        "capacity": 5,
        "overflow_policy": "drop",
        "level": "warn",
    }
    assert femto.StreamHandlerBuilder().with_flush_timeout_ms(7).as_dict()["flush_after_ms"] == 7
    handler = builder.build()
    assert type(handler) is femto.FemtoStreamHandler
    assert handler.stream is sys.stdout
    handler.handle("core", "INFO", "below")
    handler.handle("core", "WARN", "m")
    handler.close()
    assert femto.StreamHandlerBuilder.stderr().build().stream is sys.stderr
    assert capsys.readouterr().out == "core [WARN] m\n"


@pytest.mark.parametrize(
    ("method", "zero", "negative"),
    [
        ("with_capacity", "capacity must be greater than zero, got 0", OverflowError),
        ("with_flush_after_ms", "flush_after_ms must be greater than zero, got 0", OverflowError),
        ("with_flush_timeout_ms", "flush_after_ms must be greater than zero, got 0", OverflowError),
    ],
)
def test_numbers_of_a_stream_builder(method, zero, negative):
    with pytest.raises(ValueError, match=zero):
        getattr(femto.StreamHandlerBuilder(), method)(0)
    with pytest.raises(negative, match="must not be negative, got -1"):
        getattr(femto.StreamHandlerBuilder(), method)(-1)


def test_file_builders(tmp_path):
    file = (
        femto.FileHandlerBuilder(tmp_path / "f.log").with_flush_after_records(3).with_overflow_policy("timeout", timeout_ms=500)
    )
    assert file.as_dict() == {
        "path": str(tmp_path / "f.log"),
        "encoding": "utf-8",
        "flush_after_records": 3,
        "capacity": 1024,
        "overflow_policy": "timeout",
        "timeout_ms": 500,
    }
    (tmp_path / "f.log").write_text("old\n")
    handler = file.mode("w").encoding("latin-1").build()
    handler.handle("c", "INFO", "é")
    handler.close()
    assert (tmp_path / "f.log").read_bytes() == b"c [INFO] \xe9\n"

    rotating = femto.RotatingFileHandlerBuilder(tmp_path / "r.log").with_max_bytes(20)
    with pytest.raises(femto.HandlerConfigError, match=femto.ROTATION_VALIDATION_MSG):
        rotating.build()
    handler = rotating.with_backup_count(2).with_overflow_policy(femto.OverflowPolicy.block()).build()
    assert (handler.max_bytes, handler.backup_count) == (20, 2)
    handler.close()
    timed = femto.TimedRotatingFileHandlerBuilder(tmp_path / "t.log").with_when("w2").with_interval(2).with_backup_count(4)
    handler = timed.with_utc(True).with_at_time(datetime.time(1)).build()
    assert (handler.when, handler.backup_count, handler.utc, handler.atTime) == ("W2", 4, True, datetime.time(1))
    handler.close()
    with pytest.raises(femto.HandlerConfigError, match="at_time is only for"):
        timed.with_when("H").build()
    with pytest.raises(femto.HandlerConfigError, match="mode must be 'a', or 'w' for a file that does not rotate, got 'w'"):
        rotating.mode("w")
    with pytest.raises(femto.HandlerConfigError, match="got 'x'"):
        femto.FileHandlerBuilder("f").mode("x")
    with pytest.raises(femto.HandlerConfigError, match="stream_target must be"):
        femto.StreamHandlerBuilder().stream_target("stdin")


def test_the_older_name_of_flush_after_records(tmp_path):
    for make in (femto.FileHandlerBuilder, femto.RotatingFileHandlerBuilder, femto.TimedRotatingFileHandlerBuilder):
        builder = make(tmp_path / "f.log")
        assert builder.with_flush_record_interval(3) is builder
        assert builder.as_dict()["flush_after_records"] == 3
        handler = builder.build()
        assert handler.flush_interval == 3
        handler.close()
        assert builder.with_flush_record_interval(-1).as_dict()["flush_after_records"] == 1
        with pytest.raises(femto.HandlerConfigError, match="flush_interval must be greater than zero, got 0"):
            builder.with_flush_record_interval(0)


def test_bytes_and_callbacks_of_builders(tmp_path):
    def told(*what):
        pass

    for builder in (
        femto.StreamHandlerBuilder(),
        femto.FileHandlerBuilder(tmp_path / "f.log"),
        femto.RotatingFileHandlerBuilder(tmp_path / "f.log"),
        femto.TimedRotatingFileHandlerBuilder(tmp_path / "f.log"),
        femto.SocketHandlerBuilder(),
        femto.HTTPHandlerBuilder().with_url("http://127.0.0.1:1/"),
    ):
        assert not {"capacity_bytes", "on_error", "on_drop"} & set(builder.as_dict())
        assert builder.with_capacity_bytes(1000).with_on_error(told).with_on_drop(print) is builder
        named = {"capacity_bytes": 1000, "on_error": told, "on_drop": print}
        assert {name: builder.as_dict()[name] for name in named} == named
        for wrong in (0, -1):
            with pytest.raises(femto.HandlerConfigError, match=f"capacity_bytes must be at least 1, got {wrong}"):
                builder.with_capacity_bytes(wrong)
        with pytest.raises(TypeError, match="capacity_bytes must be an int, got True"):
            builder.with_capacity_bytes(True)
        with pytest.raises(TypeError, match="on_error must be callable, not NoneType"):
            builder.with_on_error(None)
        with pytest.raises(TypeError, match="on_drop must be callable, not int"):
            builder.with_on_drop(7)
        handler = builder.build()
        handler.close()
        assert handler.stats()["callbacks_raised"] == 0


def test_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(femto.HandlerIOError) as caught:
        femto.FileHandlerBuilder(tmp_path / "none" / "f.log").build()
    assert (caught.value.errno, caught.value.filename) == (2, str(tmp_path / "none" / "f.log"))
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize(
    ("formatter", "line"),
    [
        (None, "svc [WARN] m\n"),
        ("default", "svc [WARN] m\n"),
        (lambda record: f"{record['level']}:{record['message']}:{record['metadata']['key_values']}", "WARN:m:{'k': 1}\n"),
        (logging.Formatter("%(levelname)s/%(message)s"), "WARNING/m\n"),
        (type("Object", (), {"format": lambda self, record: record["logger"]})(), "svc\n"),
    ],
)
def test_formatters_of_a_builder(formatter, line):
    stream = io.StringIO()
    builder = stream_builder(stream)
    if formatter is not None:
        builder.with_formatter(formatter)
    log = femtolog.get_logger("svc")
    log.add_handler(handler := builder.build())
    log.warning("m", extra={"k": 1})
    handler.close()
    assert stream.getvalue() == line


def test_formatter_that_gives_no_str_and_those_that_are_none(capsys):
    log = femtolog.get_logger("svc")
    log.add_handler(handler := stream_builder().with_formatter(lambda record: 5).build())
    log.info("m")
    assert log.handler_errors == 1
    handler.close()
    assert "a formatter must return a str" in capsys.readouterr().err
    with pytest.raises(femto.HandlerConfigError, match="unknown formatter id 'json'"):
        stream_builder().with_formatter("json").build()
    with pytest.raises(femto.HandlerConfigError, match="a formatter must be an id, callable or"):
        stream_builder().with_formatter(5)


# ---- filters


def test_filters():
    stream = io.StringIO()
    handler = (
        stream_builder(stream)
        .with_filters(
            [
                femto.LevelFilterBuilder().with_max_level("WARN"),
                femto.NameFilterBuilder().with_prefix("ap"),
                femto.PythonCallbackFilterBuilder(lambda record: setattr(record, "order", 7) or "no" not in record.msg),
                femto.PythonCallbackFilterBuilder(logging.Filter("app")),
            ]
        )
        .with_formatter(lambda record: f"{record['message']} {record['metadata']['key_values']}")
        .build()
    )
    for name, level, message in (
        ("app.a", "INFO", "yes"),
        ("app", "ERROR", "e"),
        ("b", "INFO", "b"),
        ("app", "INFO", "no"),
        ("apple", "INFO", "x"),
    ):
        handler.handle(name, level, message)
    handler.close()
    assert stream.getvalue() == "yes {'order': 7}\n"


def test_what_builders_were_told(tmp_path):
    def callback(record):
        return True

    filters = [
        femto.LevelFilterBuilder().with_max_level("WARN"),
        femto.NameFilterBuilder().with_prefix("shop."),
        femto.PythonCallbackFilterBuilder(callback),
    ]
    dicts = [{"max_level": "WARN"}, {"prefix": "shop."}, {"callback": callback}]
    assert [builder.as_dict() for builder in filters] == dicts
    assert femto.LevelFilterBuilder().as_dict() == {"max_level": None}
    assert femto.NameFilterBuilder().as_dict() == {"prefix": None}
    rotating = femto.RotatingFileHandlerBuilder(tmp_path / "r.log")
    told = {
        "path": str(tmp_path / "r.log"),
        "encoding": "utf-8",
        "flush_after_records": 1,
        "max_bytes": 0,
        "backup_count": 0,
        "capacity": 1024,
        "overflow_policy": "drop",
    }
    assert rotating.as_dict() == told
    rotating.with_max_bytes(20).with_backup_count(3).with_filters([*filters, "id"]).with_level("INFO").with_formatter("default")
    assert rotating.as_dict() == told | {
        "max_bytes": 20,
        "backup_count": 3,
        "filters": [*dicts, "id"],
        "level": "INFO",
        "formatter": "default",
    }
    formatter = femto.FormatterBuilder().with_format("%(asctime)s").with_datefmt("%Y")
    assert formatter.as_dict() == {"format": "%(asctime)s", "datefmt": "%Y", "style": "%"}
    assert formatter.build().format(logging.makeLogRecord({"created": 1_000_000_000.0})) == "2001"


def test_filters_that_cannot_be():
    for make, text in (
        (lambda: femto.LevelFilterBuilder().build(), "max_level must be set"),
        (lambda: femto.NameFilterBuilder().build(), "prefix must be set"),
        (lambda: femto.NameFilterBuilder().with_prefix(""), "prefix must be a str that is not empty, got ''"),
        (lambda: femto.PythonCallbackFilterBuilder(5), "a filter must be callable or have a callable 'filter' method, got 5"),
        (lambda: stream_builder().with_filters([5]), "a filter must be an id"),
    ):
        with pytest.raises(femto.FilterBuildError, match=text) as caught:
            make()
        assert isinstance(caught.value, ValueError)
    with pytest.raises(ValueError, match="level must be"):
        femto.LevelFilterBuilder().with_max_level("LOUD")


# ---- ConfigBuilder


def test_a_whole_configuration():
    screen, audit = io.StringIO(), io.StringIO()
    builder = (
        femto.ConfigBuilder()
        .with_version(1)
        .with_default_level("DEBUG")
        .with_formatter("brief", femto.FormatterBuilder().with_format("{levelname} {message}").with_style("{"))
        .with_filter("polite", femto.PythonCallbackFilterBuilder(lambda record: "damn" not in record.msg))
        .with_handler("screen", stream_builder(screen).with_formatter("brief").with_filters(["polite"]))
        .with_handler("audit", stream_builder().with_level("INFO"))
        .with_handler("audit", stream_builder(audit).with_level("ERROR"))
        .with_logger("a", femto.LoggerConfigBuilder().with_handlers(["screen"]).with_propagate(False))
        .with_logger("a.c", femto.LoggerConfigBuilder().with_level("ERROR").with_handlers(["audit"]).with_filters(["polite"]))
    )
    as_dict = builder.as_dict()
    assert list(as_dict) == [
        "version",
        "disable_existing_loggers",
        "default_level",
        "formatters",
        "filters",
        "handlers",
        "loggers",
    ]
    assert as_dict["loggers"]["a.c"] == {"level": "ERROR", "propagate": None, "filters": ["polite"], "handlers": ["audit"]}
    assert as_dict["formatters"] == {"brief": {"format": "{levelname} {message}", "datefmt": None, "style": "{"}}
    builder.build_and_init()
    a, below = femtolog.get_logger("a"), logging.getLogger("a.c")
    assert (a.level, a.propagate, below.level) == ("DEBUG", False, logging.ERROR)
    a.debug("one")
    a.debug("damn")
    below.warning("below the level")
    below.error("damn")
    below.error("%s", "two")
    assert a.flush_handlers()
    assert femtolog.get_logger("a.c").flush_handlers()
    assert screen.getvalue() == "DEBUG one\nERROR two\n"
    assert audit.getvalue() == "a.c [ERROR] two\n"
    handler = stream_builder(late := io.StringIO()).with_formatter("brief").build()
    handler.handle("x", "INFO", "a registered id")
    handler.close()
    assert late.getvalue() == "INFO a registered id\n"


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (
            lambda b: b.with_logger("a", femto.LoggerConfigBuilder().with_handlers(["h", "none"])),
            KeyError,
            "unknown handler id 'none'; there are 'h'",
        ),
        (
            lambda b: b.with_logger("a", femto.LoggerConfigBuilder().with_filters(["none"])),
            ValueError,
            "unknown filter id 'none'; there are none",
        ),
        (
            lambda b: b.with_handler("i", stream_builder().with_formatter("none")),
            femto.ConfigurationError,
            "unknown formatter id 'none'",
        ),
        (
            lambda b: b.with_handler("i", stream_builder().with_filters(["none"])),
            femto.UnknownIdError,
            "unknown filter id 'none'",
        ),
        (
            lambda b: b.with_handler("i", femto.FileHandlerBuilder("/none/f.log")),
            femto.HandlerIOError,
            "No such file or directory",
        ),
        (lambda b: b.with_formatter("f", femto.FormatterBuilder().with_format("%(")), ValueError, "Invalid format"),
        (lambda b: b.with_filter("f", femto.LevelFilterBuilder()), femto.FilterBuildError, "max_level must be set"),
    ],
)
def test_configuration_that_cannot_be_changes_nothing(spoil, error, text):
    femto.ConfigBuilder().with_handler("old", stream_builder()).with_logger(
        "a", femto.LoggerConfigBuilder().with_level("ERROR").with_handlers(["old"])
    ).build_and_init()
    before = state()
    opened = []
    kept = stream_builder()
    make = kept._make
    kept._make = lambda: opened.append(make()) or opened[-1]
    builder = femto.ConfigBuilder().with_handler("h", kept).with_logger("b", femto.LoggerConfigBuilder().with_handlers(["h"]))
    builder = spoil(builder.with_disable_existing_loggers(True))
    with pytest.raises(error) as caught:
        builder.build_and_init()
    assert text in str(caught.value)
    assert state() == before
    for handler in opened:
        assert handler._femtolog_pipeline.queue.is_closed()


def test_what_builders_refuse_at_once():
    for call, text in (
        (lambda: femto.ConfigBuilder().with_version(2), "version must be 1, got 2"),
        (lambda: femto.LoggerConfigBuilder().with_handlers(["a", "b", "a", "b", "a"]), "duplicate handler ids: 'a', 'b'$"),
        (lambda: femto.LoggerConfigBuilder().with_filters(["a", "a"]), "duplicate filter ids: 'a'$"),
        (
            lambda: femto.ConfigBuilder().with_logger("a..b", femto.LoggerConfigBuilder()),
            "name must be a str without an empty part",
        ),
        (lambda: femto.ConfigBuilder().with_logger("a", 5), "logger 'a' must be a LoggerConfigBuilder, got 5"),
        (lambda: femto.ConfigBuilder().with_handler("a", 5), "handler 'a' must be a builder or a logging.Handler, got 5"),
        (lambda: femto.ConfigBuilder().with_filter("a", 5), "filter 'a' must be a builder"),
        (lambda: femto.ConfigBuilder().with_formatter("a", 5), "formatter 'a' must be a builder"),
        (lambda: femto.ConfigBuilder().with_default_level("LOUD"), "level must be"),
        (lambda: femto.LoggerConfigBuilder().with_level("LOUD"), "level must be"),
    ):
        with pytest.raises(femto.ConfigurationError, match=text):
            call()
    runtime = femto.RuntimeConfigBuilder()
    for call in (lambda: runtime.with_logger("a", 5), lambda: runtime.with_root_logger(5)):
        with pytest.raises(TypeError, match="changes to a logger must be a LoggerMutationBuilder, got 5"):
            call()
    assert runtime.as_dict() == {"formatters": {}, "filters": {}, "handlers": {}, "loggers": {}, "root": None}
    with pytest.raises(TypeError, match="handler ids must be several str, got one: 'abc'"):
        femto.LoggerConfigBuilder().with_handlers("abc")


def test_loggers_that_are_not_named():
    for name in ("a", "a.c", "b"):
        femtolog.get_logger(name).add_handler(logging.NullHandler())
    femtolog.get_logger("b").logger.addFilter(lambda record: True)
    builder = femto.ConfigBuilder().with_logger("a.c", femto.LoggerConfigBuilder())
    builder.build_and_init()
    assert [len(handlers) for _, _, handlers, _ in state()[:3]] == [1, 1, 0]
    builder.with_disable_existing_loggers(True).build_and_init()
    assert [(len(handlers), len(filters)) for _, _, handlers, filters in state()[:3]] == [(1, 0), (0, 0), (0, 0)]


def test_handlers_of_the_configuration_before_are_closed():
    kept, gone = stream_builder().build(), stream_builder(stream := io.StringIO()).build()
    femto.ConfigBuilder().with_handler("kept", kept).with_handler("gone", gone).with_logger(
        "a", femto.LoggerConfigBuilder().with_handlers(["kept", "gone"])
    ).build_and_init()
    femtolog.get_logger("a").info("queued")
    femto.ConfigBuilder().with_handler("kept", kept).with_logger(
        "a", femto.LoggerConfigBuilder().with_handlers(["kept"])
    ).build_and_init()
    assert stream.getvalue() == "a [INFO] queued\n"
    assert gone._femtolog_pipeline.queue.is_closed()
    assert not kept._femtolog_pipeline.queue.is_closed()
    assert registry.names.handlers == {"kept": kept}


# ---- RuntimeConfigBuilder


@pytest.fixture
def configured():
    """Logger "a" with handlers "one" and "two" and filter "f", logger "b" with "one"."""
    femto.ConfigBuilder().with_handler("one", stream_builder()).with_handler("two", stream_builder()).with_filter(
        "f", femto.LevelFilterBuilder().with_max_level("ERROR")
    ).with_logger("a", femto.LoggerConfigBuilder().with_handlers(["one", "two"]).with_filters(["f"])).with_logger(
        "b", femto.LoggerConfigBuilder().with_handlers(["one"])
    ).build_and_init()
    return registry.names


@pytest.mark.parametrize(
    ("change", "handlers", "filters"),
    [
        (lambda m: m, ["one", "two"], ["f"]),
        (lambda m: m.replace_handlers(["three"]).replace_filters(["g"]), ["three"], ["g"]),
        (lambda m: m.append_handlers(["three", "one"]).append_filters(["g"]), ["one", "two", "three"], ["f", "g"]),
        (lambda m: m.remove_handlers(["one"]).remove_filters(["f"]), ["two"], []),
        (lambda m: m.clear_handlers().clear_filters(), [], []),
    ],
)
def test_modes_of_change(configured, change, handlers, filters):
    runtime = (
        femto.RuntimeConfigBuilder()
        .with_handler("three", stream_builder())
        .with_filter("g", femto.NameFilterBuilder().with_prefix("a"))
        .with_logger("a", change(femto.LoggerMutationBuilder().with_level("ERROR").with_propagate(False)))
    )
    mode = runtime.as_dict()["loggers"]["a"]["handlers"]["mode"]
    assert mode in ("unchanged", "replace", "append", "remove", "clear")
    runtime.apply()
    log = logging.getLogger("a")
    assert (log.level, log.propagate) == (logging.ERROR, False)
    assert log.handlers == [configured.handlers[name] for name in handlers]
    assert log.filters == [configured.filters[name] for name in filters]
    assert logging.getLogger("b").handlers == [configured.handlers["one"]]


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (lambda: femto.LoggerMutationBuilder().append_handlers(["none"]), KeyError, "unknown handler id 'none'"),
        (lambda: femto.LoggerMutationBuilder().remove_handlers(["new"]), KeyError, "unknown handler id 'new'"),
        (lambda: femto.LoggerMutationBuilder().replace_filters(["none"]), KeyError, "unknown filter id 'none'"),
    ],
)
def test_change_that_cannot_be_changes_nothing(configured, spoil, error, text):
    before = state()
    runtime = (
        femto.RuntimeConfigBuilder()
        .with_handler("one", stream_builder())
        .with_handler("new", stream_builder())
        .with_logger("a", femto.LoggerMutationBuilder().with_level("CRITICAL").clear_handlers())
        .with_logger("a.c", spoil())
    )
    with pytest.raises(error) as caught:
        runtime.apply()
    assert text in str(caught.value)
    assert state() == before
    assert not configured.handlers["one"]._femtolog_pipeline.queue.is_closed()


def test_changes_that_exclude_each_other():
    with pytest.raises(ValueError, match="multiple handlers mutation modes: append, then replace"):
        femto.LoggerMutationBuilder().append_handlers(["a"]).replace_handlers(["b"])
    with pytest.raises(ValueError, match="multiple filters mutation modes: clear, then remove"):
        femto.LoggerMutationBuilder().clear_filters().remove_filters(["b"])
    root = femto.LoggerMutationBuilder()
    with pytest.raises(ValueError, match=r'with_root_logger\(\) and with_logger\("root", ...\)'):
        femto.RuntimeConfigBuilder().with_root_logger(root).with_logger("root", root).apply()


def test_root_logger():
    before = logging.root.level
    femto.RuntimeConfigBuilder().with_root_logger(femto.LoggerMutationBuilder().with_level("CRITICAL")).apply()
    assert logging.root.level == logging.CRITICAL
    femto.reset_manager()
    assert logging.root.level == before


def test_no_record_is_lost_while_handlers_are_swapped(configured):
    """Four threads log while the handler behind an id is replaced again and again: every record is written, once."""
    streams = [configured.handlers["one"].stream]
    configured.handlers["one"]._femtolog_pipeline.queue  # noqa: B018 - fails if it is not asynchronous
    log, done = logging.getLogger("b"), threading.Event()
    log.propagate = False

    def work(name):
        for number in range(300):
            log.info("%s %d", name, number)

    def replace():
        while not done.is_set() and len(streams) < 60:
            streams.append(io.StringIO())
            builder = stream_builder(streams[-1]).with_overflow_policy("block")
            femto.RuntimeConfigBuilder().with_handler("one", builder).apply()

    femto.RuntimeConfigBuilder().with_handler("one", stream_builder(streams[0]).with_overflow_policy("block")).apply()
    replacing = threading.Thread(target=replace)
    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in (replacing, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    replacing.join()
    assert configured.handlers["one"].flush(10)
    assert logging.getLogger("a").handlers[0] is log.handlers[0] is configured.handlers["one"]
    lines = list(itertools.chain.from_iterable(stream.getvalue().splitlines() for stream in streams))
    assert sorted(lines) == sorted(f"b [INFO] t{n} {number}" for n in range(4) for number in range(300))


def test_reset_forgets_ids(configured):
    handlers = list(configured.handlers.values())
    femto.reset_manager()
    assert state()[3:] == [{}, {}, {}]
    assert [(handlers, filters) for _, _, handlers, filters in state()[:3]] == [([], [])] * 3
    for handler in handlers:
        handler.close()


# ---- basicConfig


@contextlib.contextmanager
def bare_root():
    """The root logger without pytest's handlers, which come anew for each phase of a test."""
    handlers, level = list(logging.root.handlers), logging.root.level
    logging.root.handlers = []
    yield logging.root
    for handler in logging.root.handlers:
        handler.close()
    logging.root.handlers = handlers
    logging.root.setLevel(level)


def test_basic_config(tmp_path):
    with bare_root() as root:
        check_basic_config(root, tmp_path)


def check_basic_config(bare_root, tmp_path):
    femto.basicConfig(level="INFO", stream=sys.stdout)
    [first] = bare_root.handlers
    assert (type(first), first.stream, bare_root.level) == (femto.FemtoStreamHandler, sys.stdout, logging.INFO)
    femto.basicConfig(filename=tmp_path / "f.log", level="ERROR")
    assert bare_root.handlers == [first]
    assert bare_root.level == logging.INFO
    config = femto.BasicConfig(filename=tmp_path / "f.log", force=True)
    femto.basicConfig(config, level="ERROR", force=False)
    assert first._femtolog_pipeline.queue.is_closed()
    logging.error("m")
    assert femtolog.get_logger("root").flush_handlers()
    assert (tmp_path / "f.log").read_text() == "root [ERROR] m\n"
    with pytest.raises(AttributeError):
        config.filenam = "x"
    for options in (
        {"filename": "f", "stream": sys.stdout},
        {"stream": sys.stdout, "handlers": []},
        {"filename": "f", "handlers": []},
    ):
        with pytest.raises(ValueError, match="only one of filename, stream and handlers can be given, got "):
            femto.basicConfig(**options)
    with pytest.raises(ValueError, match="only one of"):
        femto.basicConfig(femto.BasicConfig(filename="f"), stream=sys.stdout)


def test_basic_config_with_handlers_and_without():
    with bare_root() as root:
        check_handlers_and_none(root)


def check_handlers_and_none(bare_root):
    handler = logging.NullHandler()
    femto.basicConfig(handlers=[handler])
    assert bare_root.handlers == [handler]
    femto.basicConfig(femto.BasicConfig(level="TRACE"), level="ERROR", force=True)
    assert bare_root.handlers[0].stream is sys.stderr
    assert bare_root.level == 5


# ---- StdlibHandlerAdapter


def test_adapter_gives_a_handler_its_records():
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    handler.addFilter(lambda record: "no" not in record.msg)
    log = femtolog.get_logger("svc")
    log.set_level("TRACE")
    log.add_handler(femto.StdlibHandlerAdapter(handler))
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second") from None
    except ValueError:
        text = log.log("trace", "m", exc_info=True, stack_info=True, extra={"order": 7})
    log.info("no")
    for level in ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"):
        log.log(level, "m")
    assert log.flush_handlers()
    assert [record.levelno for record in records] == [5, 10, 20, 30, 40, 50]
    record = records[0]
    assert (record.name, record.levelname, record.getMessage(), record.order) == ("svc", "TRACE", "m", 7)
    assert (record.pathname, record.filename, record.threadName, record.thread) == (
        __file__,
        "test_femto_config.py",
        "MainThread",
        threading.get_ident(),
    )
    marks = [line for line in text.splitlines() if not set(line) <= set(" ~^")]
    assert logging.Formatter("%(name)s [%(levelname)s] %(message)s").format(record).splitlines() == marks


def test_adapter_forwards_the_line_that_logged():
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    log = femtolog.get_logger("svc")
    log.add_handler(femto.StdlibHandlerAdapter(handler))
    log.info("m")
    line = sys._getframe().f_lineno - 1
    assert log.flush_handlers(10)
    femto.StdlibHandlerAdapter(handler).handle("near", "INFO", "m")
    assert [record.lineno for record in records] == [line, 0]


def test_adapter_takes_what_comes_from_elsewhere():
    records = []
    handler = logging.Handler(logging.INFO)
    handler.emit = records.append
    adapter = femto.StdlibHandlerAdapter(handler)
    adapter.handle_record(
        {
            "logger": "far",
            "level": "INFO",
            "message": "100 %",
            "metadata": {"timestamp": 1.5, "thread_id": "ThreadId(7)", "key_values": {"name": "not this", "k": 1}},
            "exc_info": {"type_name": "E", "module": "m", "message": "x", "context": {"type_name": "C"}, "notes": ["n"]},
        }
    )
    adapter.handle("near", "ERROR", "m")
    adapter.handle("near", "DEBUG", "below")
    assert [(record.name, record.levelno, record.getMessage()) for record in records] == [("far", 20, "100 %"), ("near", 40, "m")]
    assert (records[0].created, records[0].msecs, records[0].k) == (1.5, 500.0, 1)
    assert records[0].exc_text == "C\n\nDuring handling of the above exception, another exception occurred:\n\nm.E: x\nn"
    adapter.flush()
    adapter.close()
    with pytest.raises(TypeError, match=r"expected a logging.Handler, got int"):
        femto.StdlibHandlerAdapter(5)


def test_adapter_says_what_led_to_an_exception():
    """As `traceback` does, but for the marks below its lines."""
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error
    except ValueError as error:
        expected = logging.Formatter().formatException((type(error), error, error.__traceback__))
        payload = femto.exception_payload(error)
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    femto.StdlibHandlerAdapter(handler).handle_record({"exc_info": payload})
    lines = [line for line in expected.splitlines() if not line.strip() or not set(line) <= set(" ~^")]
    assert records[0].exc_text.splitlines() == lines
