"""femtolog.metrics: every number of it compared with what was logged, written and lost."""

import gc
import io
import logging
import logging.handlers
import math
import os
import random
import subprocess
import sys
import threading
import weakref
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

import femtolog
from femtolog import metrics
from femtolog.errors import ConfigurationError
from femtolog.femto import FemtoSocketHandler
from femtolog.server import LogServer

pytestmark = pytest.mark.usefixtures("tier", "counting")


@pytest.fixture
def counting():
    """Everything is counted, and every emission timed."""
    metrics.disable()
    metrics.enable(time_one_in=1)
    yield
    metrics.disable()


@pytest.fixture
def log():
    """A logger that nobody else finds, and so without the handlers of pytest."""
    log = logging.Logger("metrics", 1)
    yield log
    for handler in log.handlers[:]:
        log.removeHandler(handler)
        handler.close()


class Sink:
    def __init__(self):
        self.lines = []

    def write(self, text):
        self.lines.append(text)

    def flush(self):
        pass


class Broken(Sink):
    def write(self, text):
        raise OSError("no space left")


class Collecting(logging.Handler):
    def __init__(self):
        super().__init__()
        self.seen = []

    def emit(self, record):
        self.seen.append(record.getMessage())


def of(handler):
    """The numbers of a handler, which gets a name for that."""
    handler.name = handler.name or f"handler {id(handler)}"
    return metrics.read().handlers[handler.name]


def records_of(log):
    return {level: count for (name, level), count in metrics.read().records.items() if name == log.name}


# ---- records


def test_records_by_logger_and_level():
    chance, expected = random.Random(7), Counter()
    root = logging.Logger("tree")
    root.addHandler(Collecting())
    manager = logging.Manager(root)
    logging.addLevelName(15, "NOTICE")
    try:
        for _ in range(2000):
            log = manager.getLogger(chance.choice(["a", "a.b", "a.b.c", "ä", "e.e"]))
            log.setLevel(chance.choice([0, 10, 30]))
            log.disabled = chance.random() < 0.1
            level = chance.choice([5, 10, 15, 20, 30, 40, 50])
            say = logging.LoggerAdapter(log, {}) if chance.random() < 0.3 else log
            say.log(level, "text %d", level, extra={"key": 1} if chance.random() < 0.2 else None)
            if log.isEnabledFor(level) and not log.disabled:
                expected[log.name, logging.getLevelName(level)] += 1
        counts = {key: count for key, count in metrics.read().records.items() if key[0] in {"a", "a.b", "a.b.c", "ä", "e.e"}}
    finally:
        del logging._levelToName[15], logging._nameToLevel["NOTICE"]
    assert counts == expected


def test_records_of_any_make(log):
    class Level(int):
        pass

    class Named(logging.LogRecord):
        name = property(lambda self: 1 / 0, lambda self, value: vars(self).update(name=value))

    log.addHandler(logging.NullHandler())
    log.handle(logging.makeLogRecord({"name": "elsewhere.metrics", "levelno": 30}))
    log.handle(Named("hidden", 40, "", 1, "", (), None))
    log.callHandlers(logging.makeLogRecord({"name": 7, "levelno": 50}))
    log.log(Level(20), "a level of its own kind")
    logging.Logger("lone \udc80 surrogate", 1).error("no handler")
    records = metrics.read().records
    assert records["elsewhere.metrics", "WARNING"] == 1
    assert records["*", "ERROR"] == 2  # neither name can be read
    assert records["*", "CRITICAL"] == 1
    assert sum(records_of(log).values()) == 1


def test_only_so_many_loggers_and_levels_are_told_apart():
    for number in range(1500):
        logging.Logger(f"metrics.many.{number}").handle(logging.makeLogRecord({"name": f"many.{number}", "levelno": 20}))
    counts = {name: count for (name, _), count in metrics.read().records.items()}
    assert len(counts) <= 1001
    assert counts["*"] >= 500
    assert sum(count for name, count in counts.items() if name == "*" or name.startswith("many.")) == 1500
    log = logging.Logger("metrics.levels")
    for number in range(9000):
        log.handle(logging.makeLogRecord({"name": "many.1", "levelno": number}))
    records = metrics.read().records
    assert len(records) <= 8010
    assert sum(records.values()) >= 10_500


def test_threads_count_exactly(log):
    handler = logging.StreamHandler(io.StringIO())
    log.addHandler(handler)
    levels = [logging.INFO, logging.ERROR]

    def work(level):
        for number in range(2500):
            log.log(level, "%d", number)

    threads = [threading.Thread(target=work, args=[level]) for level in levels * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records_of(log) == {"INFO": 5000, "ERROR": 5000}
    numbers = of(handler)
    assert numbers.bytes_written == len(handler.stream.getvalue())
    assert numbers.emit_seconds.count == 10_000


# ---- bytes, errors, times


@pytest.mark.parametrize(
    "make",
    [
        logging.FileHandler,
        lambda path: logging.FileHandler(path, delay=True),
        lambda path: logging.FileHandler(path, encoding="utf-8"),
        logging.handlers.WatchedFileHandler,
        logging.handlers.TimedRotatingFileHandler,
        lambda path: logging.handlers.RotatingFileHandler(path, maxBytes=400, backupCount=1000),
        lambda path: femtolog.enqueue(logging.FileHandler(path)),
        lambda path: femtolog.enqueue(logging.handlers.RotatingFileHandler(path, maxBytes=400, backupCount=1000)),
        lambda path: logging.handlers.MemoryHandler(7, target=logging.FileHandler(path)),
    ],
    ids=["file", "delay", "utf-8", "watched", "timed", "rotating", "enqueued", "enqueued rotating", "memory"],
)
@pytest.mark.parametrize("formatter", [None, "seen by Python"])
def test_bytes_are_those_in_the_files(log, tmp_path, make, formatter):
    class Formatter(logging.Formatter):
        def format(self, record):
            return f"<{super().format(record)}>"

    handler = make(tmp_path / "out.log")
    writing = getattr(handler, "target", None) or handler
    if formatter:
        writing.setFormatter(Formatter("%(levelname)s %(message)s"))
    log.addHandler(handler)
    for number in range(50):
        log.info("number %d %s", number, "" if os.name == "nt" else "ä€" * (number % 3))
    handler.flush()
    written = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert of(writing).bytes_written == written > 500
    assert of(writing).emit_seconds.count == 50
    writing.close()


def test_bytes_of_what_does_not_go_through_handle(log):
    class Prefixed(logging.StreamHandler):
        def emit(self, record):
            self.stream.write("> ")  # nobody can know of these
            super().emit(record)

    direct, prefixed = logging.StreamHandler(Sink()), Prefixed(Sink())
    for handler in (direct, prefixed):
        log.addHandler(handler)
        handler.emit(logging.makeLogRecord({"msg": "by hand"}))
    assert [of(handler).bytes_written for handler in (direct, prefixed)] == [8, 8]
    assert [of(handler).emit_seconds for handler in (direct, prefixed)] == [None, None]
    log.warning("by a logger")
    assert [of(handler).bytes_written for handler in (direct, prefixed)] == [20, 20]
    assert [of(handler).emit_seconds.count for handler in (direct, prefixed)] == [1, 1]


def test_errors_are_counted_once(log, capsys):
    class Silent(logging.StreamHandler):
        def handleError(self, record):
            pass

    class Loud(logging.StreamHandler):
        def handleError(self, record):
            super().handleError(record)

    class OfPython(logging.Handler):
        def emit(self, record):
            try:
                raise OSError
            except OSError:
                self.handleError(record)

    handlers = [Silent(Broken()), Loud(Broken()), logging.StreamHandler(Broken()), OfPython()]
    for handler in handlers:
        log.addHandler(handler)
    for _ in range(3):
        log.error("lost")
    assert [of(handler).errors for handler in handlers] == [3] * 4
    assert [of(handler).bytes_written for handler in handlers] == [0] * 4
    assert [of(handler).emit_seconds.count for handler in handlers] == [3] * 4
    assert capsys.readouterr().err.count("Logging error") == 9


def test_times_stand_in_their_buckets(log):
    class Slow(Collecting):
        def emit(self, record):
            threading.Event().wait(0.002)

    slow, fast = Slow(), Collecting()
    log.addHandler(slow)
    log.addHandler(fast)
    for _ in range(5):
        log.info("x")
    times = of(slow).emit_seconds
    bounds, counts = zip(*times.buckets, strict=True)
    assert list(bounds) == sorted(bounds)
    assert bounds[0] == 1e-6
    assert bounds[-1] == math.inf
    assert list(counts) == sorted(counts)
    assert (counts[bounds.index(0.001)], counts[-1], times.count) == (0, 5, 5)
    assert times.seconds >= 0.01
    assert of(fast).emit_seconds.seconds < times.seconds


def test_some_emissions_stand_for_all(log):
    metrics.enable(time_one_in=10)
    handler = Collecting()
    log.addHandler(handler)
    for _ in range(5000):
        log.info("x")
    count = of(handler).emit_seconds.count
    assert count % 10 == 0
    assert 3500 < count < 6500  # seven standard deviations
    assert records_of(log) == {"INFO": 5000}


# ---- handlers with an account of their own


def test_asynchronous_handlers_tell_their_account(log, capsys):
    entered, may_go = threading.Event(), threading.Event()

    class Slow(Sink):
        def write(self, text):
            entered.set()
            may_go.wait(30)
            super().write(text)

    handler = femtolog.enqueue(logging.StreamHandler(Slow()), capacity=4, overflow="drop")
    log.addHandler(handler)
    log.info("first")
    assert entered.wait(30)
    for number in range(10):
        log.info("%d", number)
    numbers, account = of(handler), handler.stats()
    assert numbers.queue_length == account["queue_len"]
    assert numbers.dropped == account["dropped_by"]
    assert numbers.dropped["overflow"] == account["dropped"] > 0
    may_go.set()
    assert handler.flush(30)
    numbers = of(handler)
    assert (numbers.queue_length, numbers.emit_seconds.count) == (0, handler.stats()["written"])
    assert numbers.bytes_written == sum(map(len, handler.stream.lines))


def test_asynchronous_handlers_in_python_are_timed_and_their_failures_counted(log, capsys):
    class Every(logging.Handler):
        def emit(self, record):
            if record.levelno >= logging.ERROR:
                raise ValueError("no")

    handler = femtolog.enqueue(Every())
    log.addHandler(handler)
    log.info("goes well")
    log.error("goes wrong")
    handler.flush(30)
    assert (of(handler).errors, of(handler).emit_seconds.count) == (1, 2)


def test_network_handlers(log):
    handler = FemtoSocketHandler("127.0.0.1", 1)
    assert of(handler).queue_length == 0  # known before there is anything to know
    handler.close()
    received = Collecting()
    with LogServer(received, tcp=("127.0.0.1", 0)) as server:
        handler = FemtoSocketHandler("127.0.0.1", server.addresses["tcp"][1])
        log.addHandler(handler)
        log.info("by the network")
        server.wait_for(1)
        assert handler.flush(30)
        assert of(handler).bytes_written == handler.stats()["bytes_written"] > 100
        assert (of(handler).errors, of(handler).dropped["refused"]) == (0, 0)
    assert received.seen == ["by the network"]


# ---- handlers come and go


def test_no_handler_is_kept_and_none_inherits(log):
    before = set(metrics.read().handlers)
    for _ in range(8):
        handler = logging.StreamHandler(io.StringIO())
        log.addHandler(handler)
        log.info("x")
        assert of(handler).bytes_written == 2
        reference = weakref.ref(handler)
        log.removeHandler(handler)
        del handler
        gc.collect()
        assert reference() is None
    assert set(metrics.read().handlers) == before


def test_labels(log):
    first, second, third = (logging.StreamHandler(Sink()) for _ in range(3))
    for handler in (first, second, third):
        log.addHandler(handler)
    second._name = third._name = "screen"  # set_name() would let only one have it
    log.info("x")
    labels = [label for label in metrics.read().handlers if "screen" in label]
    assert sorted(labels) == ["screen", "screen-1"]
    first.name = "later"
    assert "later" in metrics.read().handlers


# ---- beginning and ending


def test_counting_goes_on_until_it_is_told_otherwise(log):
    log.addHandler(logging.NullHandler())
    log.info("one")
    metrics.enable(time_one_in=1)
    assert records_of(log) == {"INFO": 1}
    metrics.enable()
    assert records_of(log) == {}
    log.info("two")
    assert metrics.is_enabled()
    metrics.disable()
    metrics.disable()
    log.info("three")
    assert not metrics.is_enabled()
    assert metrics.read().records == {}
    for wrong in (0, -1, 1_000_001, 1.5, True, "1"):
        with pytest.raises(ConfigurationError, match="time_one_in must be a number from 1 to 1000000, got"):
            metrics.enable(time_one_in=wrong)


def test_stats_has_them(log):
    log.addHandler(logging.NullHandler())
    log.info("one")
    assert femtolog.stats()["records"][log.name, "INFO"] == 1
    assert femtolog.stats()["handlers"] == metrics.read().handlers
    metrics.disable()
    assert set(femtolog.stats()) == {"native", "emits", "real_records", "reference"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_begins_anew():
    program = """
import io, logging, os, sys
import femtolog
from femtolog import metrics

femtolog.install()
metrics.enable(time_one_in=1)
log = logging.getLogger("shop")
log.addHandler(logging.StreamHandler(io.StringIO()))
log.error("before")
child = os.fork()
if not child:
    begin = metrics.read()
    log.error("in the child")
    end = metrics.read()
    good = not begin.records and end.records == {("shop", "ERROR"): 1} and end.handlers["StreamHandler-1"].bytes_written == 13
    os._exit(0 if good else 1)
assert os.waitpid(child, 0)[1] == 0
log.error("after")
assert metrics.read().records == {("shop", "ERROR"): 2}
"""
    done = subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# ---- Prometheus


def test_prometheus_reads_the_same(log, tmp_path):
    handler = femtolog.enqueue(logging.FileHandler(tmp_path / "out.log"))
    handler.name = 'a "quoted" \\ name'
    log.addHandler(handler)
    for number in range(20):
        log.warning("%d", number)
    assert handler.flush(30)
    numbers = metrics.read()
    label = {"handler": handler.name}
    samples = {}
    for family in text_string_to_metric_families(metrics.text()):
        for sample in family.samples:
            samples[sample.name, frozenset(sample.labels.items())] = sample.value

    def value(name, **labels):
        return samples["femtolog_" + name, frozenset({**labels}.items())]

    assert value("records_total", logger=log.name, level="WARNING") == 20
    mine = numbers.handlers[handler.name]
    assert value("bytes_written_total", **label) == mine.bytes_written == (tmp_path / "out.log").stat().st_size
    assert value("handler_errors_total", **label) == 0
    assert value("dropped_total", reason="overflow", **label) == 0
    assert value("queue_length", **label) == 0
    assert value("emit_seconds_count", **label) == 20
    assert value("emit_seconds_sum", **label) == mine.emit_seconds.seconds
    for bound, count in mine.emit_seconds.buckets:
        assert value("emit_seconds_bucket", le="+Inf" if bound == math.inf else repr(bound), **label) == count


def test_without_prometheus_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client.core", None)
    for ask in (metrics.text, lambda: list(metrics.Collector().collect())):
        with pytest.raises(ImportError, match="pip install prometheus-client"):
            ask()
