"""Generated logger trees: levels, propagation, filters and handlers of every kind at several heights, changed while logging goes on."""

import copy
import gc
import logging
import logging.config
import logging.handlers
import queue
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.generated import compare_generated, examples
from oracle.values import build, leaves, words

NAMES = ["", "a", "a.b", "a.b.c", "a.b.c.d", "b", "b.c", "a.x", "ab", "a..b", "root", ".a", "\xe9.\u20ac"]
LEVELS = st.sampled_from([0, 0, 10, 20, 30, 40, 50, 25])
FORMATS = st.sampled_from(
    [
        None,
        "%(message)s",
        "%(levelname)s:%(name)s:%(message)s",
        "%(name)s %(funcName)s %(lineno)d %(message)s",
        "%(asctime)s %(message)s",
    ]
)


class Changes(logging.Filter):
    """Changes the record in place."""

    def filter(self, record):
        record.msg, record.args = f"changed {record.msg}", record.args
        record.changed = getattr(record, "changed", 0) + 1
        return True


class Replaces(logging.Filter):
    """Hands on a copy (from 3.12)."""

    def filter(self, record):
        other = copy.copy(record)
        other.msg = f"replaced {other.msg}"
        return other


class Raising(logging.Filter):
    """Refuses by an error."""

    def filter(self, record):
        raise LookupError("in a filter")


class Noisy(logging.Filter):
    """Logs on its own while filtering."""

    busy = False

    def filter(self, record):
        if not Noisy.busy:
            Noisy.busy = True
            try:
                logging.getLogger("a.b").warning("from a filter about %s", record.name)
            finally:
                Noisy.busy = False
        return True


def returning(value):
    """A filter that is a function."""
    return lambda record: value


FILTERS = {
    "a": lambda: logging.Filter("a"),
    "a.b": lambda: logging.Filter("a.b"),
    "all": lambda: logging.Filter(),
    "yes": lambda: returning(True),
    "no": lambda: returning(False),
    "none": lambda: returning(None),
    "text": lambda: returning("true"),
    "another record": lambda: returning(
        logging.makeLogRecord({"msg": "another", "levelno": 40, "levelname": "OTHER", "name": "a"})
    ),
    "changes": Changes,
    "replaces": Replaces,
    "raises": Raising,
    "logs": Noisy,
    "duck": lambda: type("Duck", (), {"filter": staticmethod(returning(1))})(),
    "not callable": lambda: 5,
}


class Duck:
    """Handles without being a handler."""

    def __init__(self, w):
        self.w, self.level = w, 20

    def handle(self, record):
        self.w.note("duck", record.name, record.getMessage())


class Upper(logging.StreamHandler):
    """Changes the text and goes on by super()."""

    def format(self, record):
        return super().format(record).upper()


class Failing(logging.StreamHandler):
    """Cannot write."""

    def emit(self, record):
        try:
            raise OSError("cannot write")
        except OSError:
            self.handleError(record)


class Breaking(logging.Handler):
    """Its error is nobody's."""

    def emit(self, record):
        raise LookupError("from emit")


class Formatter(logging.Formatter):
    """Shows exceptions in one line."""

    def formatException(self, ei):
        return repr(ei[1])


def queued(w):
    q = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(q)
    w.queues.append(q)
    return handler


HANDLERS = {
    "stream": lambda w: logging.StreamHandler(w.stream()),
    "stream 2": lambda w: logging.StreamHandler(w.stream()),
    "upper": lambda w: Upper(w.stream()),
    "failing": lambda w: Failing(w.stream()),
    "breaking": lambda w: Breaking(),
    "null": lambda w: logging.NullHandler(),
    "file": lambda w: logging.FileHandler(w.dir / "f.log", encoding="utf-8"),
    "ascii file": lambda w: logging.FileHandler(w.dir / "ascii.log", encoding="ascii", delay=True),
    "rotating": lambda w: logging.handlers.RotatingFileHandler(w.dir / "r.log", maxBytes=120, backupCount=2, encoding="utf-8"),
    "timed": lambda w: logging.handlers.TimedRotatingFileHandler(w.dir / "t.log", when="H", utc=True, encoding="utf-8"),
    "watched": lambda w: logging.handlers.WatchedFileHandler(w.dir / "w.log", encoding="utf-8"),
    "memory": lambda w: logging.handlers.MemoryHandler(3, logging.ERROR, logging.StreamHandler(w.stream())),
    "memory without target": lambda w: logging.handlers.MemoryHandler(2),
    "queue": queued,
    "duck": Duck,
}

filters = st.sampled_from(sorted(FILTERS))
handlers = st.fixed_dictionaries(
    {"kind": st.sampled_from(sorted(HANDLERS)), "level": LEVELS, "fmt": FORMATS, "own": st.booleans()},
    optional={"filters": st.lists(filters, max_size=2)},
)
nodes = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES), "level": LEVELS},
    optional={
        "propagate": st.booleans(),
        "disabled": st.sampled_from([False, False, True]),
        "handlers": st.lists(handlers, max_size=3),
        "filters": st.lists(filters, max_size=2),
    },
)
names = st.sampled_from(NAMES)
steps = st.one_of(
    *[st.tuples(st.just("log"), names, st.sampled_from([10, 20, 25, 30, 40, 50]), words)] * 6,
    st.tuples(st.just("args"), names, leaves),
    st.tuples(st.just("exception"), names),
    st.tuples(st.just("level"), names, LEVELS),
    st.tuples(st.just("propagate"), names, st.booleans()),
    st.tuples(st.just("disabled"), names, st.booleans()),
    st.tuples(st.just("disable"), LEVELS),
    st.tuples(st.just("add handler"), names, handlers),
    st.tuples(st.just("remove handler"), names),
    st.tuples(st.just("add filter"), names, filters),
    st.tuples(st.just("remove filter"), names),
    st.tuples(st.just("child"), names, st.sampled_from(["c", "b.c", "", "new"])),
    st.tuples(st.just("ask"), names),
    st.tuples(st.just("by hand"), names, words),
    st.tuples(st.just("flush")),
    st.tuples(st.just("close")),
    st.tuples(st.just("shutdown")),
)


def add_handler(w, logger, plan):
    """Make a handler of the plan and add it."""
    handler = HANDLERS[plan["kind"]](w)
    w.everything.append(handler)
    if isinstance(handler, logging.Handler):
        handler.setLevel(plan["level"])
        if plan["fmt"]:
            handler.setFormatter((Formatter if plan["own"] else logging.Formatter)(plan["fmt"]))
        for name in plan.get("filters", ()):
            handler.addFilter(FILTERS[name]())
    logger.addHandler(handler)


def step(w, what, *more):
    """One change or one record."""
    if what == "disable":
        logging.disable(*more)
        return
    if what in ("flush", "close", "shutdown"):
        if what == "shutdown":
            logging.shutdown()
        for handler in w.everything:
            if isinstance(handler, logging.Handler) and what != "shutdown":
                getattr(handler, what)()
        return
    logger = logging.getLogger(more[0])
    if what == "log":
        logger.log(more[1], more[2])
    elif what == "args":
        logger.warning("%s", build(more[1], w))
    elif what == "exception":
        try:
            raise ValueError("to be shown")
        except ValueError:
            logger.exception("failed")
    elif what in ("level", "propagate", "disabled"):
        logger.setLevel(more[1]) if what == "level" else setattr(logger, what, more[1])
    elif what == "add handler":
        add_handler(w, logger, more[1])
    elif what == "remove handler" and logger.handlers:
        logger.removeHandler(logger.handlers[0])
    elif what == "add filter":
        logger.addFilter(FILTERS[more[1]]())
    elif what == "remove filter" and logger.filters:
        logger.removeFilter(logger.filters[0])
    elif what == "child":
        w.note("child", logger.getChild(more[1]).name)
    elif what == "ask":
        w.note("asked", logger.getEffectiveLevel(), logger.isEnabledFor(20), logger.hasHandlers(), logger)
        if sys.version_info >= (3, 12):
            w.note("children", sorted(child.name for child in logger.getChildren()))
    elif what == "by hand":
        record = logger.makeRecord(logger.name, 30, "/x/y.py", 1, more[1], (), None)
        w.note("passed", logger.handle(record))


@examples(600)
@given(plan=st.lists(nodes, min_size=1, max_size=5), made=st.lists(steps, min_size=3, max_size=35), live=st.booleans())
def test_trees_of_loggers(plan, made, live):
    def scenario(w):
        w.everything, w.queues = [], []
        Noisy.busy = False
        for node in plan:
            logger = logging.getLogger(node["name"])
            logger.setLevel(node["level"])
            logger.propagate = node.get("propagate", True)
            logger.disabled = node.get("disabled", False)
            for name in node.get("filters", ()):
                logger.addFilter(FILTERS[name]())
            for handler in node.get("handlers", ()):
                add_handler(w, logger, handler)
        for one in made:
            try:
                step(w, *one)
            except BaseException as error:
                w.note("raised", error)
        for q in w.queues:
            while not q.empty():
                w.note("queued", q.get())
        w.note("handlers", w.everything)

    compare_generated(scenario, len(made), live=live)


# A configuration that fails half way leaves the files it has opened to the collector, in the stdlib.
LEAKING = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


# -- configurations ----------------------------------------------------------------------------------------------------
formatter_plans = st.fixed_dictionaries(
    {},
    optional={
        "format": FORMATS | st.sampled_from(["{message}", "$message", "%(nothing)s"]),
        "style": st.sampled_from(["%", "{", "$", "x"]),
        "datefmt": st.sampled_from(["%H", None]),
        "validate": st.booleans(),
        "()": st.sampled_from(["logging.Formatter", "no.such", "test_generated_trees.Formatter"]),
        "class": st.sampled_from(["logging.Formatter", "no.such.thing"]),
        "defaults": st.just({"k": 1}),
    },
)
handler_plans = st.fixed_dictionaries(
    {
        "class": st.sampled_from(
            ["logging.StreamHandler", "logging.NullHandler", "logging.FileHandler", "logging.handlers.MemoryHandler", "no.such"]
        )
    },
    optional={
        "level": st.sampled_from(["INFO", "ERROR", 10, "nonsense", None]),
        "formatter": st.sampled_from(["f", "g", "missing"]),
        "filters": st.lists(st.sampled_from(["p", "missing"]), max_size=2),
        "stream": st.sampled_from(["ext://sys.stderr", "ext://no.such", "cfg://nothing", "ext://oracle.world.SHORT"]),
        "filename": st.just("<file>"),
        "capacity": st.integers(1, 3),
        "target": st.sampled_from(["h", "i", "missing"]),
        "odd": st.integers(),
        ".": st.just({"terminator": "|\n"}),
    },
)
logger_plans = st.fixed_dictionaries(
    {},
    optional={
        "level": st.sampled_from(["INFO", "DEBUG", 30, "nonsense"]),
        "handlers": st.lists(st.sampled_from(["h", "i", "missing"] * 2), max_size=2),
        "propagate": st.booleans() | st.none(),
        "filters": st.lists(st.sampled_from(["p", "missing"]), max_size=1),
    },
)
configurations = st.fixed_dictionaries(
    {"version": st.sampled_from([1, 1, 1, 1, 1, 1, 2, None])},
    optional={
        "formatters": st.dictionaries(st.sampled_from("fg"), formatter_plans, max_size=2),
        "filters": st.dictionaries(st.just("p"), st.fixed_dictionaries({}, optional={"name": st.sampled_from(["a", ""])})),
        "handlers": st.dictionaries(st.sampled_from("hi"), handler_plans, max_size=2),
        "loggers": st.dictionaries(st.sampled_from(["a", "a.b", "b"]), logger_plans, max_size=3),
        "root": logger_plans,
        "incremental": st.sampled_from([False, False, True]),
        "disable_existing_loggers": st.booleans(),
    },
)


def with_files(w, value):
    """The configuration with real file names."""
    if isinstance(value, dict):
        return {key: with_files(w, item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_files(w, item) for item in value]
    return str(w.dir / "f.log") if value == "<file>" else value


@LEAKING
@examples(300)
@given(plan=st.lists(configurations, min_size=1, max_size=3), live=st.booleans())
def test_dict_configurations(plan, live):
    def scenario(w):
        # A handler that no logger has lives in a cycle with its configuration until the next collection, and is found by its name.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for config in plan:
                given_config = with_files(w, copy.deepcopy(config))
                w.catch(logging.config.dictConfig, given_config)
                w.note("unchanged", given_config == with_files(w, config))
                for name in ("", "a", "a.b", "a.b.c", "b", "c"):
                    w.catch(logging.getLogger(name).warning, "to %s", name or "root")
                    w.note("logger", logging.getLogger(name).handlers, logging.getLogger(name).disabled)
        finally:
            if collecting:
                gc.enable()

    compare_generated(scenario, 6 * len(plan), live=live)


@LEAKING
@examples(150)
@given(
    plan=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "format": FORMATS | st.sampled_from(["{message}", "$message"]),
                "style": st.sampled_from(["%", "{", "$", "x"]),
                "datefmt": st.sampled_from(["%H:%M", None]),
                "level": st.sampled_from(["INFO", 10, 40, "nonsense", None]),
                "stream": st.sampled_from([True, None]),
                "filename": st.sampled_from([True, None]),
                "filemode": st.sampled_from(["a", "w"]),
                "encoding": st.sampled_from(["utf-8", "ascii", None]),
                "errors": st.sampled_from([None, "ignore"]),
                "force": st.booleans(),
                "handlers": st.lists(st.sampled_from(["stream", "null", "upper"]), max_size=2),
                "odd": st.just(1),
            },
        ),
        min_size=1,
        max_size=3,
    ),
    live=st.booleans(),
)
def test_basic_configurations(plan, live):
    def scenario(w):
        w.everything = []
        for config in plan:
            options = dict(config)
            if options.get("stream"):
                options["stream"] = w.stream()
            if options.get("filename"):
                options["filename"] = w.dir / "b.log"
            if "handlers" in options:
                options["handlers"] = [HANDLERS[kind](w) for kind in options["handlers"]]
                w.everything.extend(options["handlers"])
            w.catch(logging.basicConfig, **options)
            for name in ("debug", "info", "warning", "error"):
                w.catch(getattr(logging, name), "by %s \xe9", name)
            w.note("root", logging.root.level, [str(h).replace(str(w.dir), "") for h in logging.root.handlers])
        logging.shutdown()

    compare_generated(scenario, 4 * len(plan), live=live)
