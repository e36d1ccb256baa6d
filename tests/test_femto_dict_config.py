"""femtolog.femto.dictConfig(): femtologging's names of classes, arguments as text, declared filters; all else as the standard library."""

import datetime
import io
import logging
import logging.handlers

import pytest

import femtolog
from femtolog import femto

STREAM = io.StringIO()


@pytest.fixture(autouse=True)
def fresh():
    STREAM.seek(0)
    STREAM.truncate()
    with femtolog.installed():
        yield
    for handler in list(logging.getLogger("svc").handlers):
        logging.getLogger("svc").removeHandler(handler)
        handler.close()
    femto.reset_manager()


def configure(handlers, filters=()):
    femto.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": dict(filters),
            "handlers": handlers,
            "loggers": {"svc": {"level": "INFO", "handlers": list(handlers), "filters": list(filters)}},
        }
    )
    return logging.getLogger("svc").handlers


@pytest.mark.parametrize("package", ["femtologging", "femtolog"])
@pytest.mark.parametrize("prefix", ["", "Femto"])
def test_names_of_femto_handlers(package, prefix, tmp_path):
    name = f"{package}.{prefix}"
    stream, file, rotating, timed = configure(
        {
            "a": {"class": f"{name}StreamHandler", "stream": STREAM, "level": "ERROR", "capacity": 5, "policy": "block"},
            "b": {"class": f"{name}FileHandler", "args": f"({str(tmp_path / 'f.log')!r},)", "kwargs": "{'flush_interval': 2}"},
            "c": {"class": f"{name}RotatingFileHandler", "filename": str(tmp_path / "r.log"), "maxBytes": 100, "backup_count": 2},
            "d": {
                "class": f"{name}TimedRotatingFileHandler",
                "args": [str(tmp_path / "t.log"), "midnight"],
                "atTime": datetime.time(3),
            },
        }
    )
    assert isinstance(stream, femto.FemtoStreamHandler)
    assert isinstance(file, femto.FemtoFileHandler)
    assert isinstance(rotating, femto.FemtoRotatingFileHandler)
    assert isinstance(timed, femto.FemtoTimedRotatingFileHandler)
    assert repr(file) == f"<FemtoFileHandler {tmp_path / 'f.log'} (NOTSET)>"
    assert (stream.level, stream._femtolog_pipeline.limits[::2], file.flush_interval) == (logging.ERROR, (5, "block"), 2)
    assert (rotating.max_bytes, rotating.backup_count, timed.when, timed.atTime) == (100, 2, "MIDNIGHT", datetime.time(3))
    logging.getLogger("svc").error("m")
    assert femtolog.get_logger("svc").flush_handlers()
    assert STREAM.getvalue() == (tmp_path / "f.log").read_text() == (tmp_path / "r.log").read_text() == "svc [ERROR] m\n"


def test_handlers_of_logging_formatters_and_levels(tmp_path):
    [plain, made] = configure(
        {
            "plain": {
                "class": "logging.FileHandler",
                "args": [str(tmp_path / "f.log")],
                "kwargs": {"mode": "w"},
                "enqueue": True,
            },
            "made": {"()": logging.StreamHandler, "stream": STREAM},
        }
    )
    assert (type(plain).__name__, plain.mode, hasattr(plain, "stats"), made.stream) == ("FileHandler", "w", True, STREAM)


def test_target_that_is_configured_later():
    memory, stream = configure(
        {
            "a": {"class": "logging.handlers.MemoryHandler", "args": "(1,)", "kwargs": "{'flushLevel': 10}", "target": "b"},
            "b": {"class": "femtologging.StreamHandler", "args": (STREAM,)},
        }
    )
    assert (memory.target, memory.capacity, memory.flushLevel) == (stream, 1, 10)


def test_filters_by_level_name_and_factory():
    class Own(logging.Filter):
        def __init__(self, word):
            super().__init__()
            self.word = word

        def filter(self, record):
            return self.word not in record.msg

    configure(
        {"a": {"class": "femtologging.StreamHandler", "stream": STREAM}},
        {"calm": {"level": "WARN"}, "own": {"()": Own, "word": "no"}, "name": {"name": "svc"}},
    )
    log = femtolog.get_logger("svc")
    assert [log.info("yes"), log.error("above"), log.info("no")] == ["svc [INFO] yes", None, None]
    assert log.flush_handlers()
    assert STREAM.getvalue() == "svc [INFO] yes\n"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "a filter has exactly one of level, name and '()', got none"),
        ({"level": "INFO", "name": "a"}, "got 'level', 'name'"),
        ({"level": "INFO", "()": "logging.Filter"}, "got 'level', '()'"),
        ({"name": "a", "()": "logging.Filter"}, "got 'name', '()'"),
        ({"level": "LOUD"}, "level must be a number or one of"),
    ],
)
def test_filters_that_cannot_be(given, text):
    with pytest.raises(ValueError, match="Unable to configure filter 'f'") as caught:
        configure({}, {"f": given})
    assert text in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"class": "femtologging.FileHandler", "args": "open('x')"}, ValueError, "malformed node"),
        (
            {"class": "femtologging.FileHandler", "args": "5"},
            TypeError,
            "args must be a tuple or a list and kwargs a dict, got 5",
        ),
        ({"class": "femtologging.FileHandler", "kwargs": []}, TypeError, "kwargs a dict, got"),
        ({"class": "femtologging.FileHandler", "path": "f", "capacity": 0}, ValueError, "capacity must be greater than zero"),
        ({"class": "femtologging.RotatingFileHandler", "path": "f", "maxBytes": 1}, ValueError, femto.ROTATION_VALIDATION_MSG),
        ({"class": "femtologging.StreamHandler", "odd": 1}, TypeError, "odd"),
        ({"class": "femtologging.StreamHandler", "enqueue": True}, ValueError, "asynchronous already"),
        ({"()": logging.StreamHandler, "args": [STREAM]}, TypeError, "args are for a handler with a class"),
    ],
)
def test_handlers_that_cannot_be(given, error, text):
    with pytest.raises(ValueError, match="Unable to configure handler 'h'") as caught:
        configure({"h": given})
    assert isinstance(caught.value.__cause__, error)
    assert text in str(caught.value.__cause__)
