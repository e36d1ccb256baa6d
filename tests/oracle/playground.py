"""What a generated program plays with: loggers, handlers, formatters, filters, streams and values by name, and ways to change anything.

Everything is made when a program first names it, so that a program of three steps has only what these three name. `Playground.names` is
the namespace the steps are executed in, `Playground.look` notes what the last step left in streams and on standard error.
"""

import _thread
import collections
import contextlib
import copy
import datetime
import decimal
import functools
import io
import logging
import logging.handlers
import os
import queue
import re
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

from oracle import values
from oracle.describe import describe, text
from oracle.uses import methods
from oracle.world import Keeper, World

MISSING = object()
UNSTABLE = ("dev", "ino", "statstream")
"""What a WatchedFileHandler knows of its file: another file on each side."""
_CLASSES = (logging.Filterer, logging.Formatter, logging.Filter, logging.LoggerAdapter)
_LAST_RESORT = logging.lastResort
_THREAD = re.compile(r"\bthread=\d{6,}")


# -- streams ---------------------------------------------------------------------------------------------------------------------------
class PyStream:
    """A stream in Python: each call is written down."""

    def __init__(self, w: World, label: str) -> None:
        self.w, self.label = w, label

    def write(self, value: str) -> int:
        """Tell what is written."""
        self.w.note(f"{self.label} write", value)
        return len(value)

    def flush(self) -> None:
        """Tell that it is flushed."""
        self.w.note(f"{self.label} flush")


class NoFlush:
    """Writes, and cannot flush."""

    def __init__(self, w: World) -> None:
        self.w = w

    def write(self, value: str) -> None:
        """Tell what is written."""
        self.w.note("no flush write", value)


class Full(io.StringIO):
    """Takes nothing."""

    def write(self, value: str) -> int:
        """Refuse."""
        raise OSError(28, "No space left on device")


class Falsy(io.StringIO):
    """A stream that is false."""

    def __bool__(self) -> bool:
        return False


class Marked(io.StringIO):
    """A subclass that changes what is written."""

    def write(self, value: str) -> int:
        """With a mark before it."""
        return super().write(f">{value}")


# -- handlers --------------------------------------------------------------------------------------------------------------------------
class Upper(logging.StreamHandler):
    """Overrides format."""

    def format(self, record: Any) -> str:
        """With a mark; a text in capitals would hide addresses and frames from the masks."""
        return f"UPPER {super().format(record)}"


class Emits(logging.Handler):
    """Overrides emit."""

    def __init__(self, w: World) -> None:
        super().__init__()
        self.w = w

    def emit(self, record: Any) -> None:
        """As an author would write it."""
        try:
            self.w.note("emits", self.format(record))
        except Exception:
            self.handleError(record)


class Handles(logging.StreamHandler):
    """Overrides handle: no filters, no lock."""

    def handle(self, record: Any) -> bool:
        """Straight to emit."""
        self.emit(record)
        return True


class Filters(logging.StreamHandler):
    """Overrides filter: every other record."""

    count = 0

    def filter(self, record: Any) -> Any:
        """Every other one, and what the base says."""
        self.count += 1
        return self.count % 2 and super().filter(record)


class Flushes(logging.StreamHandler):
    """Overrides flush."""

    flushed = 0

    def flush(self) -> None:
        """Counted."""
        self.flushed += 1
        super().flush()


class Errors(logging.StreamHandler):
    """Overrides handleError."""

    def __init__(self, w: World) -> None:
        super().__init__(w.stream("errors"))
        self.w = w

    def handleError(self, record: Any) -> None:
        """Tell which, and nothing on stderr."""
        self.w.note("handleError", sys.exc_info()[0], str(sys.exc_info()[1]), record.name)


class Locks(logging.StreamHandler):
    """Overrides acquire and release."""

    held = 0
    most = 0

    def acquire(self) -> None:
        """Counted."""
        super().acquire()
        self.held += 1
        self.most = max(self.most, self.held)

    def release(self) -> None:
        """Counted."""
        self.held -= 1
        super().release()


class Breaking(logging.Handler):
    """Its error is nobody's."""

    def emit(self, record: Any) -> None:
        """Raise."""
        raise LookupError("from emit")


class Leaves(logging.StreamHandler):
    """Takes itself out of the list that is walked."""

    def emit(self, record: Any) -> None:
        """Write, then leave the record's logger."""
        super().emit(record)
        logging.getLogger(record.name).removeHandler(self)


class Slotted(logging.StreamHandler):
    """Keeps some of its state in slots."""

    __slots__ = ("formatter", "level")


class Computed(logging.StreamHandler):
    """Computes its level and its end of line."""

    lowest = 0
    level = property(lambda self: self.lowest, lambda self, value: None)  # type: ignore[assignment]
    terminator = property(lambda self: "~\n")  # type: ignore[assignment]


class Duck:
    """Handles without being a handler."""

    level = 20

    def __init__(self, w: World) -> None:
        self.w = w

    def handle(self, record: Any) -> None:
        """Tell the message."""
        self.w.note("duck", record.name, record.msg)


class PyQueue:
    """A queue in Python."""

    def __init__(self, w: World) -> None:
        self.w = w

    def put_nowait(self, record: Any) -> None:
        """Tell what came."""
        self.w.note("queue", record)


class PyLock:
    """A lock in Python."""

    def __init__(self, w: World) -> None:
        self.w = w
        self.depth = 0

    def acquire(self, *args: Any) -> bool:
        """Counted."""
        self.depth += 1
        return True

    def release(self) -> None:
        """Counted."""
        self.depth -= 1
        self.w.note("lock released to", self.depth)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *args: object) -> None:
        self.release()


class SubHandler(logging.StreamHandler):
    """Overrides nothing."""


HANDLERS: dict[str, Callable[["Playground"], Any]] = {
    "stream": lambda p: logging.StreamHandler(p.w.stream("stream")),
    "second": lambda p: logging.StreamHandler(p.w.stream("second")),
    "third": lambda p: logging.StreamHandler(p.w.stream("third")),
    "stderr": lambda p: logging.StreamHandler(),
    "python": lambda p: logging.StreamHandler(p.streams["python"]),
    "wrapper": lambda p: logging.StreamHandler(p.streams["wrapper"]),
    "file": lambda p: logging.FileHandler(p.w.dir / "f.log", encoding="utf-8"),
    "ascii": lambda p: logging.FileHandler(p.w.dir / "ascii.log", encoding="ascii", delay=True),
    "rotating": lambda p: logging.handlers.RotatingFileHandler(p.w.dir / "r.log", maxBytes=200, backupCount=2, encoding="utf-8"),
    # A file that exists has the live clock's time.
    "timed": lambda p: logging.handlers.TimedRotatingFileHandler(
        p.w.dir / "t.log", when="S", interval=5, backupCount=2, utc=True, delay=True, encoding="utf-8"
    ),
    "watched": lambda p: logging.handlers.WatchedFileHandler(p.w.dir / "w.log", encoding="utf-8"),
    "memory": lambda p: logging.handlers.MemoryHandler(3, logging.ERROR, p.handlers["third"]),
    "memory to python": lambda p: logging.handlers.MemoryHandler(2, logging.CRITICAL, p.handlers["emits"], False),
    "memory to nobody": lambda p: logging.handlers.MemoryHandler(4),
    "buffering": lambda p: logging.handlers.BufferingHandler(3),
    "queue": lambda p: logging.handlers.QueueHandler(p.queue),
    "python queue": lambda p: logging.handlers.QueueHandler(PyQueue(p.w)),
    "null": lambda p: logging.NullHandler(),
    "base": lambda p: logging.Handler(),
    "keeper": lambda p: Keeper(),
    "upper": lambda p: Upper(p.w.stream("upper")),
    "emits": lambda p: Emits(p.w),
    "handles": lambda p: Handles(p.w.stream("handles")),
    "filters": lambda p: Filters(p.w.stream("filters")),
    "flushes": lambda p: Flushes(p.w.stream("flushes")),
    "errors": lambda p: Errors(p.w),
    "locks": lambda p: Locks(p.w.stream("locks")),
    "breaking": lambda p: Breaking(),
    "leaves": lambda p: Leaves(p.w.stream("leaves")),
    "slotted": lambda p: Slotted(p.w.stream("slotted")),
    "computed": lambda p: Computed(p.w.stream("computed")),
    "duck": lambda p: Duck(p.w),
    "sub": lambda p: SubHandler(p.w.stream("sub")),
}
STREAMS: dict[str, Callable[["Playground"], Any]] = {
    "one": lambda p: p.w.stream("one"),
    "two": lambda p: p.w.stream("two"),
    "python": lambda p: PyStream(p.w, "python"),
    "other python": lambda p: PyStream(p.w, "other python"),
    "wrapper": lambda p: p.wrapped(io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")),
    "ascii wrapper": lambda p: p.wrapped(io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\r\n")),
    "no flush": lambda p: NoFlush(p.w),
    "full": lambda p: Full(),
    "falsy": lambda p: p.kept(Falsy(), "falsy"),
    "marked": lambda p: p.kept(Marked(), "marked"),
    "none": lambda p: None,
    "object": lambda p: object(),
}


# -- formatters ------------------------------------------------------------------------------------------------------------------------
class OwnFormat(logging.Formatter):
    """Overrides format."""

    def format(self, record: Any) -> str:
        """In brackets."""
        return f"[{super().format(record)}]"


class OwnTime(logging.Formatter):
    """Overrides formatTime."""

    def formatTime(self, record: Any, datefmt: Any = None) -> str:
        """No clock at all."""
        return f"at {datefmt}"


class OwnException(logging.Formatter):
    """Overrides formatException."""

    def formatException(self, ei: Any) -> str:
        """One line."""
        return f"{ei[0].__name__ if ei[0] else None}: {ei[1]}"


class OwnMessage(logging.Formatter):
    """Overrides formatMessage."""

    def formatMessage(self, record: Any) -> str:
        """Between marks."""
        return f"<{super().formatMessage(record)}>"


class OwnUse(logging.Formatter):
    """Overrides usesTime."""

    def usesTime(self) -> bool:
        """Always."""
        return True


class OwnStack(logging.Formatter):
    """Overrides formatStack."""

    def formatStack(self, stack_info: Any) -> str:
        """How many lines."""
        return f"a stack of {type(stack_info).__name__}"


class SubFormatter(logging.Formatter):
    """Overrides nothing."""


class DuckFormatter:
    """Formats without being a formatter."""

    def format(self, record: Any) -> str:
        """The bare message."""
        return f"duck {record.getMessage()}"


class FiveFormatter:
    """Formats to something that is no text."""

    def format(self, record: Any) -> Any:
        """A number."""
        return 5


SHORT = "%(levelname)s %(name)s %(message)s"
RICH = "%(asctime)s %(levelname)s %(name)s %(funcName)s:%(lineno)d %(message)s"
FORMATTERS: dict[str, Callable[[], Any]] = {
    "bare": logging.Formatter,
    "short": lambda: logging.Formatter(SHORT),
    "rich": lambda: logging.Formatter(RICH),
    "clock": lambda: logging.Formatter("%(created)f %(msecs)d %(relativeCreated)d %(message)s"),
    "where": lambda: logging.Formatter(
        "%(pathname)s|%(filename)s|%(module)s|%(process)d|%(processName)s|%(threadName)s|%(message)s"
    ),
    "padded": lambda: logging.Formatter("%(levelname)-8s|%(name)10.3s|%(lineno)05d|%(levelno)x|%(message)r"),
    "extra": lambda: logging.Formatter("%(k)s %(message)s", defaults={"k": "-"}),
    "no key": lambda: logging.Formatter("%(k)s %(message)s"),
    "dated": lambda: logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S %j"),
    "brace": lambda: logging.Formatter("{asctime} {levelname:>8} {name!r} {message}", style="{"),
    "brace extra": lambda: logging.Formatter("{k} {message}", style="{", defaults={"k": "-"}),
    "dollar": lambda: logging.Formatter("$asctime ${levelname} $$ $message", style="$"),
    "own format": lambda: OwnFormat(SHORT),
    "own time": lambda: OwnTime(RICH, "%H"),
    "own exception": lambda: OwnException(SHORT),
    "own message": lambda: OwnMessage(SHORT),
    "own use": lambda: OwnUse(SHORT),
    "own stack": lambda: OwnStack("%(message)s"),
    "sub": lambda: SubFormatter(RICH),
    "duck": DuckFormatter,
    "five": FiveFormatter,
}


# -- filters ---------------------------------------------------------------------------------------------------------------------------
class Changes(logging.Filter):
    """Changes the record in place."""

    def filter(self, record: Any) -> bool:
        """Another message, one more attribute."""
        record.msg = f"changed {record.msg}"
        record.k = getattr(record, "k", 0)
        return True


class Replaces(logging.Filter):
    """Hands on a copy (from 3.12)."""

    def filter(self, record: Any) -> Any:
        """A copy with another message."""
        other = copy.copy(record)
        other.msg = f"replaced {other.msg}"
        return other


class RaisingFilter(logging.Filter):
    """Refuses by an error."""

    def filter(self, record: Any) -> bool:
        """Raise."""
        raise LookupError("in a filter")


class NoisyFilter(logging.Filter):
    """Logs on its own while filtering."""

    busy = False

    def filter(self, record: Any) -> bool:
        """Log once per record."""
        if not self.busy:
            self.busy = True
            try:
                logging.getLogger("app.db").warning("from a filter about %s", record.name)
            finally:
                self.busy = False
        return True


class SubFilter(logging.Filter):
    """Overrides nothing."""


FILTERS: dict[str, Callable[["Playground"], Any]] = {
    "app": lambda p: logging.Filter("app"),
    "app.db": lambda p: logging.Filter("app.db"),
    "all": lambda p: logging.Filter(),
    "sub": lambda p: SubFilter("app"),
    "yes": lambda p: lambda record: True,
    "no": lambda p: lambda record: False,
    "none": lambda p: lambda record: None,
    "text": lambda p: lambda record: "true",
    "another": lambda p: (
        lambda record: logging.makeLogRecord({"msg": "another", "levelno": 40, "levelname": "OTHER", "name": "app"})
    ),
    "tells": lambda p: lambda record: p.w.note("filter", record.name, record.levelno, record.msg) or True,
    "changes": lambda p: Changes(),
    "replaces": lambda p: Replaces(),
    "raises": lambda p: RaisingFilter(),
    "logs": lambda p: NoisyFilter(),
    "duck": lambda p: types.SimpleNamespace(filter=lambda record: record.levelno > 10),
    "acts": lambda p: lambda record: p.act() or True,
    "five": lambda p: 5,
}


# -- loggers and adapters --------------------------------------------------------------------------------------------------------------
class Makes(logging.Logger):
    """Overrides makeRecord."""

    def makeRecord(self, *args: Any, **kwargs: Any) -> Any:
        """With one attribute more."""
        record = super().makeRecord(*args, **kwargs)
        record.made = True
        return record


class Hands(logging.Logger):
    """Overrides handle."""

    def handle(self, record: Any) -> None:
        """With another message."""
        record.msg = f"handed {record.msg}"
        super().handle(record)


class Calls(logging.Logger):
    """Overrides callHandlers."""

    def callHandlers(self, record: Any) -> None:
        """As it was."""
        super().callHandlers(record)


class Asks(logging.Logger):
    """Overrides isEnabledFor."""

    def isEnabledFor(self, level: Any) -> Any:
        """Never for 20."""
        return level != 20 and super().isEnabledFor(level)


class Logs(logging.Logger):
    """Overrides _log and info."""

    def _log(self, level: Any, msg: Any, *args: Any, **kwargs: Any) -> None:
        super()._log(level, msg, *args, **kwargs)

    def info(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """With one frame more."""
        super().info(msg, *args, **kwargs)


class Finds(logging.Logger):
    """Overrides findCaller."""

    def findCaller(self, stack_info: bool = False, stacklevel: int = 1) -> Any:
        """Always the same place."""
        super().findCaller(stack_info, stacklevel)
        return "/there/they.py", 5, "they", None


class Effective(logging.Logger):
    """Overrides getEffectiveLevel."""

    def getEffectiveLevel(self) -> int:
        """Warnings."""
        return 30


class SubLogger(logging.Logger):
    """Overrides nothing."""


CLASSES: dict[str, type] = {
    c.__name__: c
    for c in (Makes, Hands, Calls, Asks, Logs, Finds, Effective, SubLogger, Upper, Handles, Filters, Flushes, Locks, SubHandler)
} | {c.__name__: c for c in (OwnFormat, OwnTime, OwnException, OwnMessage, OwnUse, SubFormatter, Changes, Replaces, SubFilter)}
LOGGERS = ["", "app", "app.db", "app.db.pool", "app.web", "app.makes", "app.logs", "lone", "lone.low", "own.tree"]
"""The last one belongs to a manager of its own."""


class OwnAdapter(logging.LoggerAdapter):
    """Overrides process."""

    def process(self, msg: Any, kwargs: Any) -> Any:
        """Another message."""
        return f"adapted {msg}", kwargs


class SubAdapter(logging.LoggerAdapter):
    """Overrides nothing."""


ADAPTERS: dict[str, Callable[["Playground"], Any]] = {
    "plain": lambda p: logging.LoggerAdapter(p.loggers["app"], {"k": "of the adapter"}),
    "bare": lambda p: logging.LoggerAdapter(p.loggers["app.db"]),
    "nested": lambda p: logging.LoggerAdapter(p.adapters["own"], {"k": 2}),
    "own": lambda p: OwnAdapter(p.loggers["app.web"], {"k": 1}),
    "sub": lambda p: SubAdapter(p.loggers["app.logs"], {"k": 3}),
}
if sys.version_info >= (3, 13):
    ADAPTERS["merging"] = lambda p: logging.LoggerAdapter(p.loggers["lone"], {"k": 4}, merge_extra=True)


# -- records ---------------------------------------------------------------------------------------------------------------------------
class OwnRecord(logging.LogRecord):
    """Overrides getMessage."""

    def getMessage(self) -> str:
        """With a mark."""
        return "own " + super().getMessage()


class DuckRecord:
    """A record that is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__.update(vars(logging.LogRecord(*args, **kwargs)))

    def getMessage(self) -> str:
        """Always the same."""
        return "duck"


# -- call sites: their code is warm, so that the interpreter has specialized what it calls ------------------------------------------------
def site_none(log: Any) -> None:
    """A call without arguments."""
    log.info("from a site")


def site_one(log: Any, value: Any) -> None:
    """One argument."""
    log.info("one %s", value)


def site_two(log: Any, one: Any, two: Any) -> None:
    """Two arguments."""
    log.warning("two %s and %s", one, two)


def site_debug(log: Any) -> None:
    """Mostly not enabled."""
    log.debug("debug site")


def site_extra(log: Any, value: Any) -> None:
    """A keyword."""
    log.error("extra", extra={"k": value})


def site_loop(log: Any) -> None:
    """The same place three times."""
    for count in range(3):
        log.info("loop %d", count)


def site_error(log: Any) -> None:
    """With a traceback."""
    try:
        raise LookupError("at a site")
    except LookupError:
        log.exception("failed")


def site_guarded(log: Any, value: Any) -> None:
    """As careful programs do."""
    if log.isEnabledFor(logging.INFO):
        log.log(logging.INFO, "guarded %r", value)


def site_root(value: Any) -> None:
    """By a function of the module."""
    logging.warning("root %s", value)


def site_handler(handler: Any, record: Any) -> None:
    """Without a logger."""
    handler.handle(record)


SITES = {f.__name__: f for f in list(globals().values()) if getattr(f, "__name__", "").startswith("site_")}


# -- ways to call ----------------------------------------------------------------------------------------------------------------------
def deep(call: Callable[[], Any], depth: int = 3) -> Any:
    """Some frames more."""
    return deep(call, depth - 1) if depth else call()


def by_method(call: Callable[[], Any]) -> Any:
    """From a method of a class."""

    class Caller:
        def method(self) -> Any:
            return call()

    return Caller().method()


def by_thread(call: Callable[[], Any]) -> Any:
    """From another thread, unless it would not know itself."""
    if threading.get_ident is not _thread.get_ident:
        return call()
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(call())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run, name="other thread")
    thread.start()
    thread.join()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def failed(text: str = "chained") -> BaseException:
    """An error that was raised from another."""
    try:
        try:
            raise ValueError("inner \xe9")
        except ValueError as inner:
            raise LookupError(text) from inner
    except LookupError as error:
        return error


class Acts:
    """Does something while it is shown. Not while something else does: what is shown again by that would never end."""

    busy = False

    def __init__(self, action: Callable[[], Any]) -> None:
        self.action: Callable[[], Any] | None = action

    def __str__(self) -> str:
        action = self.action
        if action and not Acts.busy:
            Acts.busy = True
            try:
                action()
            finally:
                Acts.busy = False
        return "acted"

    def __repr__(self) -> str:
        return "Acts()"


# -- changing anything -----------------------------------------------------------------------------------------------------------------
class CallableObject:
    """Not a descriptor: is called without the instance."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


FIXED: dict[str, Any] = {
    "isEnabledFor": True,
    "getEffectiveLevel": 20,
    "hasHandlers": True,
    "findCaller": ("there.py", 5, "they", None),
    "filter": True,
    "format": "fixed text",
    "formatTime": "fixed time",
    "formatMessage": "fixed message",
    "formatException": "fixed exception",
    "formatStack": "fixed stack",
    "usesTime": False,
    "getMessage": "fixed get message",
    "process": ("fixed process", {}),
    "shouldRollover": False,
    "shouldFlush": True,
}
"""What a replacement gives that does not call what it stands for; other names give None."""


class Playground:
    """The objects of one run, by name, and what has been replaced in it."""

    def __init__(self, w: World) -> None:
        self.w = w
        self.queue: Any = queue.SimpleQueue()
        self.pending: list[str] = []
        self.replaced: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self.taken: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self.seen: dict[int, int] = {}
        self.wrappers: list[io.TextIOWrapper] = []
        self.loggers = _Made(self._logger)
        self.handlers = _Made(lambda name: HANDLERS[name](self))
        self.formatters = _Made(lambda name: FORMATTERS[name]())
        self.filters = _Made(lambda name: FILTERS[name](self))
        self.streams = _Made(lambda name: STREAMS[name](self))
        self.adapters = _Made(lambda name: ADAPTERS[name](self))
        self.bound: dict[tuple[int, str], Any] = {}
        self.root = logging.root
        self.stderr: Any = sys.stderr
        threading._active[99] = threading.current_thread()  # type: ignore[attr-defined]  # for a replaced get_ident
        self.names: dict[str, Any] = {
            **{m.__name__: m for m in (collections, copy, io, logging, os, sys, threading, time, types, functools, queue)},
            **CLASSES,
            **SITES,
            "__name__": "fuzz",
            "w": w,
            "L": self.loggers,
            "H": self.handlers,
            "F": self.formatters,
            "P": self.filters,
            "S": self.streams,
            "A": self.adapters,
            "put": self.put,
            "put_back": self.put_back,
            "patch": self.patch,
            "take": self.take,
            "give": self.give,
            "later": self.pending.append,
            "method": self.method,
            "record": self.record,
            "note": w.note,
            "Acts": Acts,
            "PyLock": functools.partial(PyLock, w),
            "OwnRecord": OwnRecord,
            "DuckRecord": DuckRecord,
            "Shown": functools.partial(values.Shown, w),
            **{
                n: getattr(values, n) for n in ("Raises", "NoText", "Indexed", "OwnStr", "OwnInt", "OwnDict", "OwnTuple", "Asked")
            },
            "Colour": values.Colour,
            "Decimal": decimal.Decimal,
            "datetime": datetime.datetime,
            "deep": deep,
            "by_method": by_method,
            "by_thread": by_thread,
            "failed": failed,
            "factory": self.factory,
            "advance": self.advance,
        }

    # -- the objects
    def _logger(self, name: str) -> logging.Logger:
        if name == "own.tree":
            manager = logging.Manager(logging.RootLogger(logging.WARNING))
            manager.root.addHandler(self.handlers["second"])
            return manager.getLogger(name)
        logger = logging.getLogger(name or None)
        cls = {"app.makes": Makes, "app.logs": Logs}.get(name)
        if cls:
            logger.__class__ = cls
        if name == "lone":
            logger.propagate = False
        return logger

    def kept(self, stream: Any, label: str) -> Any:
        """A text sink that is compared."""
        self.w._streams.append((label, stream))
        return stream

    def wrapped(self, stream: io.TextIOWrapper) -> io.TextIOWrapper:
        """A stream of bytes that is compared."""
        self.wrappers.append(stream)
        return stream

    def record(self, message: str = "by hand %s", *args: Any, **attributes: Any) -> logging.LogRecord:
        """A record made by hand."""
        return logging.makeLogRecord(
            {"name": "app.hand", "levelno": 30, "levelname": "HAND", "msg": message, "args": args, **attributes}
        )

    def method(self, thing: Any, name: str) -> Any:
        """A bound method that is kept from its first use on."""
        return self.bound.setdefault((id(thing), name), getattr(thing, name))

    def factory(self, *args: Any, **kwargs: Any) -> Any:
        """A record factory in Python."""
        self.w.note("factory", len(args), sorted(kwargs))
        record = logging.LogRecord(*args, **kwargs)
        record.k = "of the factory"
        return record

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.w.clock.now += int(seconds * 1e9)

    def act(self) -> None:
        """Do what is pending: a change in the middle of a call."""
        if self.pending:
            exec(self.pending.pop(), self.names)

    # -- changes that can be undone
    def put(self, thing: Any, name: str, value: Any) -> None:
        """Set an attribute. Of an instance only such as it has none of its own: asking would change its dict's form."""
        if (id(thing), name) not in self.replaced:
            kept = vars(thing).get(name, MISSING) if isinstance(thing, (type, types.ModuleType)) else MISSING
            self.replaced[id(thing), name] = (thing, name, kept)
        setattr(thing, name, value)

    def put_back(self, thing: Any, name: str) -> None:
        """Undo `put` and `patch`."""
        thing, name, value = self.replaced.pop((id(thing), name), (None, name, MISSING))
        if thing is None:
            return
        if value is MISSING:
            with contextlib.suppress(AttributeError):
                delattr(thing, name)
        else:
            setattr(thing, name, value)

    def patch(self, thing: Any, name: str, how: str) -> None:
        """Put a Python function in the place of a method."""
        kept = self.replaced.get((id(thing), name))
        if kept and kept[2] is MISSING:
            self.put_back(thing, name)
            kept = None
        original = kept[2] if kept else getattr(thing, name)
        self.put(thing, name, getattr(self, f"_{how}")(name, original))

    def _wrap(self, name: str, original: Any) -> Any:
        def patched(*args: Any, **kwargs: Any) -> Any:
            self.w.note(name, len(args), sorted(kwargs))
            result = original(*args, **kwargs)
            self.w.note(name, type(result))
            return result

        return patched

    def _quiet(self, name: str, original: Any) -> Any:
        return lambda *args, **kwargs: original(*args, **kwargs)

    def _partial(self, name: str, original: Any) -> Any:
        return functools.partial(original)

    def _raising(self, name: str, original: Any) -> Any:
        def raising(*args: Any, **kwargs: Any) -> Any:
            raise LookupError(f"in {name}")

        return raising

    def _fixed(self, name: str, original: Any) -> Any:
        value = FIXED.get(name)
        return lambda *args, **kwargs: value

    def _object(self, name: str, original: Any) -> Any:
        return CallableObject(self._fixed(name, original))

    def _static(self, name: str, original: Any) -> Any:
        return staticmethod(self._fixed(name, original))

    def _acting(self, name: str, original: Any) -> Any:
        def acting(*args: Any, **kwargs: Any) -> Any:
            self.act()
            return original(*args, **kwargs)

        return acting

    def take(self, thing: Any, name: str) -> None:
        """Delete an attribute of an instance."""
        value = getattr(thing, name)
        delattr(thing, name)
        self.taken.setdefault((id(thing), name), (thing, name, value))

    def give(self, thing: Any, name: str) -> None:
        """Set it again."""
        thing, name, value = self.taken.pop((id(thing), name), (None, name, None))
        if thing is not None:
            setattr(thing, name, value)

    # -- what is compared
    def look(self) -> None:
        """Note what was written since the last look."""
        w = self.w
        for label, stream in w._streams:
            if stream.closed:
                continue
            value = stream.getvalue()
            before = self.seen.get(id(stream), 0)
            if len(value) != before:
                w.lines.append(f"{label} has {text(value[before:] if len(value) > before else value)!a}")
                self.seen[id(stream)] = len(value)
        for stream in self.wrappers:
            if not stream.closed and (value := stream.buffer.getvalue()):
                w.lines.append(f"{stream.encoding} bytes {text(value.decode('latin-1'))!a}")
                stream.buffer.seek(0)
                stream.buffer.truncate()
        if value := self.stderr.getvalue():
            self.stderr.seek(0)
            self.stderr.truncate()
            w.lines.append(f"stderr has {text(value)}")

    @staticmethod
    def masked(lines: list[str]) -> list[str]:
        """Without the numbers the system gives to threads."""
        return [_THREAD.sub("thread=\N{HORIZONTAL ELLIPSIS}", line) for line in lines]

    def look_deeper(self) -> None:
        """Note what has been queued and kept, and what the files hold."""
        while not self.queue.empty():
            self.w.note("queued", self.queue.get_nowait())
        keeper = self.handlers.get("keeper")
        if keeper:
            for record in keeper.records:
                self.w.note("kept", record)
            keeper.records.clear()
        if self.w._dir:
            for path in sorted(self.w.dir.iterdir()):
                self.w.note("file", path.name, path.read_text("utf-8", "backslashreplace"))

    def close(self) -> None:
        """Close the handlers: some write what they have kept, which may fail in every way."""
        for logger in self.loggers.values():
            logger.handlers, logger.filters = (x if isinstance(x, list) else [] for x in (logger.handlers, logger.filters))
        for name, handler in list(self.handlers.items()):
            try:
                handler.close()
            except BaseException as error:
                self.w.note(f"closing {name}", type(error))
                with contextlib.suppress(AttributeError):
                    handler.buffer.clear()
        self.look()

    def states(self) -> Iterator[str]:
        """Each object in the end, with the order of its attributes."""
        for group in (self.loggers, self.handlers, self.formatters, self.filters, self.adapters):
            for name, thing in group.items():
                if thing is self.root:
                    continue  # the same object on both sides; the world tells its state
                if isinstance(thing, _CLASSES):
                    state = {k: "…" if k in UNSTABLE else v for k, v in vars(thing).items() if k not in ("w", "records")}
                    yield f"{name}: {type(thing).__name__} {describe(state, depth=4)}"
                style = getattr(thing, "_style", None) if isinstance(thing, _CLASSES) else None
                if isinstance(style, logging.PercentStyle):
                    yield f"{name} style: {type(style).__name__} {describe(vars(style), depth=3)}"

    def restore(self) -> None:
        """Undo every `put` and `take`, the latest first."""
        for thing, name, _ in reversed(list(self.replaced.values())):
            self.put_back(thing, name)
        for thing, name, _ in reversed(list(self.taken.values())):
            self.give(thing, name)
        if _LAST_RESORT is not None:
            _LAST_RESORT.setLevel(logging.WARNING)
            _LAST_RESORT.setFormatter(None)
            _LAST_RESORT.filters.clear()
        threading._active.pop(99, None)  # type: ignore[attr-defined]


class _Made(dict[str, Any]):
    """Makes what is asked for."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, name: str) -> Any:
        self[name] = thing = self.make(name)
        return thing


ANY_METHOD = {
    cls.__name__: methods(cls)
    for cls in (
        logging.Logger,
        logging.StreamHandler,
        logging.FileHandler,
        logging.handlers.RotatingFileHandler,
        logging.handlers.TimedRotatingFileHandler,
        logging.handlers.WatchedFileHandler,
        logging.handlers.MemoryHandler,
        logging.handlers.QueueHandler,
        logging.Formatter,
        logging.PercentStyle,
        logging.StrFormatStyle,
        logging.StringTemplateStyle,
        logging.Filter,
        logging.LogRecord,
        logging.LoggerAdapter,
    )
}
"""By class: the names that a step may replace in it."""
