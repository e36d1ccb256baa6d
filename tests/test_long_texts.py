"""Texts of all lengths and kinds, which are copied or stand apart, are written as the standard library writes them."""

import logging
import logging.handlers
import queue
import sys

import pytest
from oracle import same_as_stdlib

LENGTHS = [1, 63, 64, 65, 1023, 1025, 8191, 8192, 8193, 100_000]
KINDS = {
    "ascii": "x",
    "latin": "é",
    "wide": "世",
    "astral": "\U0001f600",
    "mixed": "x\U0001f600é世\n",
    "surrogate": "\ud800",
}
FORMATS = [
    ("%(message)s", "%"),
    ("%(levelname)s %(message)s", "%"),
    ("%(levelname)s %(message)s é%(name)s", "%"),
    ("%(message)s%(message)s", "%"),
    ("%(message)-70s|%(message).5s", "%"),
    ("{levelname} {message}!", "{"),
    ("$levelname $message", "$"),
]


class Texts:
    """A stream that keeps each text, or what is to be known of it."""

    def __init__(self, w):
        self.w = w

    def write(self, text):
        if len(text) < 300:
            self.w.note(type(text), text)
        else:
            self.w.note(type(text), len(text), hash(text), text[:50], text[-50:])

    def flush(self):
        self.w.note("flush")


def logging_to_texts(w, fmt="%(levelname)s %(message)s", **kw):
    """A logger that writes to `Texts`: (logger, handler)."""
    handler = logging.StreamHandler(Texts(w))
    handler.setFormatter(logging.Formatter(fmt, **kw))
    logger = w.logger()
    logger.addHandler(handler)
    return logger, handler


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fmt", "style"), FORMATS)
def test_messages_and_arguments(w, kind, fmt, style):
    logger, _ = logging_to_texts(w, fmt, style=style)
    for length in LENGTHS:
        text = KINDS[kind] * length
        logger.info(text)
        logger.info("%s", text)
        logger.info("<%s> and %s.", text, length)
        logger.info("%s%s", text, text)
        logger.info("é %s %s", "x", text)
        logger.info("%.7s %-70s %r", text, text, text)
        logger.info(text + " %s", text)
        logger.info("%(text)s", {"text": text})


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("terminator", ["", "\n", " end\n", "é", "世" * 100, "\ud800"])
def test_terminators(w, kind, terminator):
    logger, handler = logging_to_texts(w, "%(message)s")
    handler.terminator = terminator
    for length in LENGTHS:
        logger.info(KINDS[kind] * length)
        logger.info("%s", KINDS[kind] * length)


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
def test_behind_filters_and_before_other_handlers(w, kind):
    logger, handler = logging_to_texts(w)
    handler.addFilter(lambda record: True)
    keeper = w.keeper(logger)
    second = logging.StreamHandler(Texts(w))
    second.setFormatter(logging.Formatter("%(name)s %(message)s"))
    logger.addHandler(second)
    for length in LENGTHS:
        text = KINDS[kind] * length
        logger.info(text)
        logger.info("%s", text)
        logger.info("%s %s", text, length)
    w.note([(hash(record.message), len(record.message), record.message == record.getMessage()) for record in keeper])


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
def test_extra_and_defaults(w, kind):
    logger, _ = logging_to_texts(w, "%(own)s %(message)s %(other)s", defaults={"other": KINDS[kind] * 70})
    for length in LENGTHS:
        logger.info("%d", length, extra={"own": KINDS[kind] * length})


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last", ["", "\n"])
def test_exceptions_and_stacks_behind_them(w, kind, last):
    logger, _ = logging_to_texts(w, "%(message)s")
    for length in LENGTHS:
        text = KINDS[kind] * length
        try:
            raise ValueError(text)
        except ValueError:
            logger.exception(text + last)
        logger.info(text + last, stack_info=True)


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "utf-16", "cp1252"])
@pytest.mark.parametrize("errors", [None, "backslashreplace"])
def test_files(w, kind, encoding, errors):
    handler = logging.FileHandler(w.dir / "log", encoding=encoding, errors=errors)
    logger = w.logger()
    logger.addHandler(handler)
    for fmt in ("%(message)s", "%(levelname)s %(message)s é"):
        handler.setFormatter(logging.Formatter(fmt))
        for length in LENGTHS:
            w.catch(logger.info, KINDS[kind] * length)
            w.catch(logger.info, "%s %s", KINDS[kind] * length, length)
    handler.close()
    w.note((w.dir / "log").read_bytes())


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
def test_rotating_files_count_characters(w, kind):
    handler = logging.handlers.RotatingFileHandler(w.dir / "log", maxBytes=10_000, backupCount=50, encoding="utf-8")
    logger = w.logger()
    logger.addHandler(handler)
    for length in [*LENGTHS, *LENGTHS[::-1]]:
        w.catch(logger.info, KINDS[kind] * length)
    handler.close()
    w.note([(path.name, path.read_bytes()) for path in sorted(w.dir.iterdir())])


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fmt", [None, "%(message)s", "%(levelname)s %(message)s"])
def test_queues_and_memory(w, kind, fmt):
    records = queue.SimpleQueue()
    queued = logging.handlers.QueueHandler(records)
    stored = logging.handlers.MemoryHandler(3, target=logging.StreamHandler(Texts(w)))
    logger = w.logger()
    for handler in (queued, stored):
        if fmt:
            handler.setFormatter(logging.Formatter(fmt))
        logger.addHandler(handler)
    for length in LENGTHS:
        text = KINDS[kind] * length
        logger.info(text)
        logger.info("%s: %s", length, text)
        for _ in range(2):
            record = records.get()
            w.note(hash(record.msg), len(record.msg), record.args, hash(record.message))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "surrogate"])
def test_asynchronous_files(tmp_path, kind):
    import femtolog

    wanted = []
    with femtolog.installed():
        handler = femtolog.enqueue(logging.FileHandler(tmp_path / "log", encoding="utf-8"))
        logger = logging.getLogger("a.long.text")
        logger.propagate = False
        logger.setLevel("INFO")
        logger.addHandler(handler)
        for length in LENGTHS:
            text = KINDS[kind] * length
            logger.info("%s %s", length, text)
            wanted.append(f"{length} {text}\n")
        assert handler.flush(30)
        logger.removeHandler(handler)
        handler.close()
    assert (tmp_path / "log").read_text("utf-8") == "".join(wanted)


def test_a_queued_message_is_not_copied():
    """Which would take time that grows with it: the standard library hands on the object itself."""
    import femtolog

    records = queue.SimpleQueue()
    logger = logging.getLogger("a.queue")
    logger.propagate = False
    logger.setLevel("INFO")
    handler = logging.handlers.QueueHandler(records)
    logger.addHandler(handler)
    text = "世" * 100_000
    try:
        with femtolog.installed():
            logger.info(text)
            logger.info("%s", text)
    finally:
        logger.removeHandler(handler)
    own = sys.getrefcount(text)
    assert records.get().msg is text
    assert records.get().msg is text
    assert sys.getrefcount(text) <= own
