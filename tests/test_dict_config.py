"""femtolog.dictConfig() and femtolog.configure(): asynchronous handlers of a configuration, and of loggers that are there."""

import contextlib
import io
import logging
import logging.handlers

import pytest

import femtolog

STREAM = io.StringIO()


@pytest.fixture(autouse=True)
def fresh():
    """The root logger is as it was, and so are the names of handlers."""
    STREAM.seek(0)
    STREAM.truncate()
    with femtolog.installed():
        yield
    for log in (logging.getLogger("svc"), logging.getLogger("svc.below")):
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()
        log.setLevel(logging.NOTSET)


def config(**handlers):
    """A configuration with these handlers on logger "svc"."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": handlers,
        "loggers": {"svc": {"level": "INFO", "handlers": list(handlers)}},
    }


def stream_handler(**more):
    return {"class": "logging.StreamHandler", "stream": STREAM, **more}


def test_handlers_that_are_to_be_asynchronous():
    femtolog.dictConfig(
        config(
            plain=stream_handler(),
            no=stream_handler(enqueue=False),
            yes=stream_handler(enqueue=True, level="ERROR"),
            options=stream_handler(enqueue={"capacity": 5, "overflow": "drop"}),
        )
    )
    log = logging.getLogger("svc")
    assert [hasattr(handler, "stats") for handler in log.handlers] == [False, False, True, True]
    assert [type(handler).__name__ for handler in log.handlers] == ["StreamHandler"] * 4
    assert (log.handlers[2].level, log.handlers[3]._femtolog_pipeline.limits) == (logging.ERROR, (5, 64 << 20, "drop"))
    log.error("m")
    assert all(handler.flush() for handler in log.handlers[2:])
    assert STREAM.getvalue() == "m\n" * 4


def test_target_that_is_configured_later():
    handlers = {
        "a_memory": {"class": "logging.handlers.MemoryHandler", "capacity": 1, "target": "b_stream", "enqueue": True},
        "b_stream": stream_handler(enqueue=True),
    }
    femtolog.dictConfig(config(**handlers))
    memory, stream = logging.getLogger("svc").handlers
    assert memory.target is stream
    logging.getLogger("svc").info("m")
    assert memory.flush()
    assert stream.flush()
    assert STREAM.getvalue() == "m\n" * 2


def test_configuration_is_left_as_it_was_given():
    given = config(yes=stream_handler(enqueue={"capacity": 5}))
    femtolog.dictConfig(given)
    assert given["handlers"]["yes"]["enqueue"] == {"capacity": 5}
    femtolog.dictConfig(given)


@pytest.mark.parametrize(
    ("enqueue", "cause"),
    [
        ("yes", "enqueue must be True, False or a dict of options, got 'yes'"),
        ({"capacity": 0}, "capacity must be at least 1"),
        ({"overflow": "x"}, "invalid overflow policy"),
        ({"odd": 1}, "unexpected keyword argument 'odd'"),
    ],
)
def test_options_that_cannot_be(enqueue, cause):
    with pytest.raises(ValueError, match="Unable to configure handler 'bad'") as caught:
        femtolog.dictConfig(config(bad=stream_handler(enqueue=enqueue)))
    assert cause in str(caught.value.__cause__)


def test_what_the_standard_library_says_is_said():
    with pytest.raises(ValueError, match="Unsupported version"):
        femtolog.dictConfig({"version": 2})
    with pytest.raises(ValueError, match="Unable to configure handler 'h'"):
        femtolog.dictConfig(config(h={"class": "logging.NoSuchHandler", "enqueue": True}))


class OwnHandle(logging.StreamHandler):
    def handle(self, record):
        return super().handle(record)


def test_all_stream_and_file_handlers(tmp_path):
    shared = logging.StreamHandler(STREAM)
    file = logging.handlers.RotatingFileHandler(tmp_path / "f.log")
    already = femtolog.enqueue(logging.StreamHandler(STREAM))
    other = [logging.NullHandler(), OwnHandle(STREAM)]
    log, below = logging.getLogger("svc"), logging.getLogger("svc.below")
    log.setLevel(logging.INFO)
    for handler in (shared, file, already, *other):
        log.addHandler(handler)
    below.addHandler(shared)
    root, logging.root.handlers = logging.root.handlers, []
    loggers = [log for log in logging.root.manager.loggerDict.values() if isinstance(log, logging.Logger)]
    elsewhere = [(logger, logger.handlers) for logger in loggers if logger not in (log, below)]
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, logging.root, "handlers", root)
        for logger, handlers in elsewhere:
            logger.handlers = []
            stack.callback(setattr, logger, "handlers", handlers)
        made = femtolog.configure(async_=True, capacity=7)
        assert femtolog.configure(async_=True) == []
    assert made == [shared, file]
    assert [handler._femtolog_pipeline.limits[0] for handler in (shared, file, already)] == [7, 7, 1024]
    assert not any(hasattr(handler, "stats") for handler in other)
    log.info("m")
    assert all(handler.flush() for handler in (shared, file, already))
    assert (tmp_path / "f.log").read_text() == "m\n"
    for odd in (False, None, 1):
        with pytest.raises(ValueError, match="async_ must be True, got"):
            femtolog.configure(async_=odd)
