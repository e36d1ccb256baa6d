"""For each kind of logging object, one use of everything it can do: what guard tests run before, during and after a change."""

import io
import logging
import logging.handlers
import queue
import sys
import warnings
from collections.abc import Callable
from typing import Any

from oracle.world import World

RICH = "%(asctime)s %(levelname)s %(name)s %(funcName)s:%(lineno)d %(message)s"


def use_logger(w: World, log: logging.Logger) -> None:
    """Every method of Logger and Filterer."""
    for call in (log.debug, log.info, log.warning, log.error, log.critical, log.fatal):
        call("level %s", call.__name__)
    log.log(35, "by number")
    log.info("extra", extra={"k": 1})
    log.info("one up", stacklevel=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.warn("old name")
    try:
        raise LookupError("shown")
    except LookupError:
        log.exception("with traceback")
        log.info("also", exc_info=True)
    record = log.makeRecord("made", 20, "/a/b.py", 7, "by hand %d", (3,), None, "func", {"x": 1}, "sinfo")
    w.note("made", record)
    w.note("passed", log.filter(record))
    log.handle(record)
    log.callHandlers(record)
    w.note("caller", log.findCaller(), log.findCaller(False, 2))
    w.note("asked", log.isEnabledFor(10), log.isEnabledFor(5), log.getEffectiveLevel(), log.hasHandlers())
    w.note("child", log.getChild("child"), repr(log), log.__reduce__())
    if sys.version_info >= (3, 12):
        w.note("children", log.getChildren())
    passing = logging.Filter("")
    log.addFilter(passing)
    log.info("filtered")
    log.removeFilter(passing)
    extra = logging.NullHandler()
    log.addHandler(extra)
    log.info("two handlers")
    log.removeHandler(extra)
    level = log.level
    log.setLevel("ERROR")
    log.info("not enabled")
    log.setLevel(level)


def use_handler(w: World, handler: Any) -> None:
    """Every method of Handler and its stream subclasses."""
    log = logging.getLogger("use")
    log.propagate = False
    log.handlers[:] = [handler]
    log.setLevel(1)
    w.catch(log.info, "through a logger %s", 1)
    record = logging.makeLogRecord({"msg": "direct %d", "args": (2,), "levelno": 20, "levelname": "INFO", "name": "made"})
    w.catch(handler.handle, record)
    handler.acquire()
    try:
        w.catch(handler.emit, record)
    finally:
        handler.release()
    w.note("formatted", handler.format(record), "passes", handler.filter(record))
    handler.flush()
    level = handler.level
    handler.setLevel(40)
    w.catch(log.info, "too low")
    w.catch(log.error, "high enough")
    handler.setLevel(level)
    name = handler.get_name()
    handler.set_name("named")
    w.note("named", handler.name, logging._handlers.get("named") is handler, repr(handler).replace(str(w.dir), "<dir>"))
    handler.name = name
    formatter = handler.formatter
    handler.setFormatter(logging.Formatter("again %(message)s"))
    w.catch(log.info, "formatter changed")
    handler.setFormatter(formatter)
    passing = logging.Filter("nobody")
    handler.addFilter(passing)
    w.catch(log.info, "filtered away")
    handler.removeFilter(passing)
    w.catch(log.info, "wrong %d", "arguments")
    handler.createLock()
    w.catch(log.info, "new lock")
    if hasattr(handler, "setStream") and not isinstance(handler, logging.FileHandler):
        old = handler.setStream(other := io.StringIO())
        w.catch(log.info, "to another stream")
        handler.setStream(old)
        w.note("other stream", other.getvalue())
    handler.close()
    w.catch(log.info, "after close")


def use_formatter(w: World, formatter: Any) -> None:
    """Every method of Formatter."""
    try:
        raise LookupError("shown")
    except LookupError:
        info = sys.exc_info()
    for fields in ({}, {"exc_info": info}, {"stack_info": "stack\n  line"}, {"exc_text": "cached"}, {"msg": "%d", "args": (1,)}):
        record = logging.makeLogRecord({"name": "n", "levelname": "INFO", "msg": "m", "created": 1e9, "msecs": 123.0, **fields})
        w.note("formatted", w.catch(formatter.format, record), record)
    record.asctime = "now"
    w.note("parts", formatter.formatTime(record), formatter.formatTime(record, "%H"), formatter.usesTime())
    w.note("message", w.catch(formatter.formatMessage, record))
    w.note("texts", formatter.formatException(info), formatter.formatStack("s"))
    handler = logging.StreamHandler(w.stream())
    handler.setFormatter(formatter)
    log = w.logger("use")
    log.handlers[:] = [handler]
    log.info("through a handler")
    log.error("with error", exc_info=info)


def use_style(w: World, formatter: Any) -> None:
    """Every method of a style, reached through its formatter."""
    style = formatter._style
    record = logging.makeLogRecord({"name": "n", "msg": "m", "message": "done", "asctime": "now", "levelname": "INFO"})
    w.note("style", style.usesTime(), w.catch(style.validate), w.catch(style.format, record))
    use_formatter(w, formatter)


def use_filter(w: World, passing: Any) -> None:
    """A filter called by itself, by a logger and by a handler."""
    for name in ("app", "app.sub", "apple", "other"):
        w.note(name, passing.filter(logging.makeLogRecord({"name": name})))
        log = logging.getLogger(name)
        log.propagate = False
        log.setLevel(1)
        handler = w.handler()
        log.handlers[:] = [handler]
        log.addFilter(passing)
        log.info("by the logger")
        log.removeFilter(passing)
        handler.addFilter(passing)
        log.info("by the handler")


def use_record(w: World, _: Any) -> None:
    """Records made by hand, by a logger, and formatted."""
    record = logging.LogRecord("n", 20, "/p/q.py", 3, "m %s", (1,), None, "f", "s")
    w.note("record", record, repr(record), str(record), record.getMessage())
    w.note("made", logging.makeLogRecord({"msg": "x", "k": 1}))
    log, _, _ = w.plain(RICH)
    log.info("native %s", "handlers only")
    w.keeper(log)
    log.info("seen by python %d", 2, extra={"e": 1})
    log.info("mapping %(a)s", {"a": 1})


def use_adapter(w: World, adapter: Any) -> None:
    """Every method of LoggerAdapter."""
    for call in (adapter.debug, adapter.info, adapter.warning, adapter.error, adapter.critical):
        call("level %s", call.__name__)
    adapter.log(35, "by number")
    adapter.info("extra", extra={"k": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapter.warn("old name")
    try:
        raise LookupError("shown")
    except LookupError:
        adapter.exception("with traceback")
    w.note("process", adapter.process("m", {}), adapter.name, repr(adapter))
    w.note("asked", adapter.isEnabledFor(10), adapter.getEffectiveLevel(), adapter.hasHandlers())
    adapter.setLevel(40)
    adapter.info("not enabled")
    adapter.setLevel(10)
    adapter._log(20, "private", ())


def logger(w: World) -> logging.Logger:
    """A logger with a handler."""
    log, _, _ = w.plain(RICH)
    log.addFilter(logging.Filter())
    return log


def stream_handler(w: World) -> logging.Handler:
    """A stream handler with a format."""
    return w.handler(RICH)


def base_handler(w: World) -> logging.Handler:
    """A handler without emit."""
    return logging.Handler()


def null_handler(w: World) -> logging.Handler:
    """One that does nothing."""
    return logging.NullHandler()


def file_handler(w: World) -> logging.Handler:
    """A file in the world's folder."""
    handler = logging.FileHandler(w.dir / "f.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter(RICH))
    return handler


def rotating_handler(w: World) -> logging.Handler:
    """A file that rolls over every few records."""
    handler = logging.handlers.RotatingFileHandler(w.dir / "r.log", maxBytes=150, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    return handler


def timed_handler(w: World) -> logging.Handler:
    """A file that rolls over with time."""
    handler = logging.handlers.TimedRotatingFileHandler(w.dir / "t.log", when="D", backupCount=2, encoding="utf-8", utc=True)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    return handler


def watched_handler(w: World) -> logging.Handler:
    """A file that is looked at before each write."""
    return logging.handlers.WatchedFileHandler(w.dir / "w.log", encoding="utf-8")


def queue_handler(w: World) -> logging.Handler:
    """A queue nobody reads."""
    return logging.handlers.QueueHandler(queue.SimpleQueue())


def memory_handler(w: World) -> logging.Handler:
    """A buffer of three records before a stream."""
    handler = logging.handlers.MemoryHandler(3, logging.ERROR, w.handler())
    w.kept_target = handler.target  # handlers are held weakly
    return handler


def formatter(w: World) -> logging.Formatter:
    """The usual style."""
    return logging.Formatter("%(asctime)s %(name)s %(message)s")


def brace_formatter(w: World) -> logging.Formatter:
    """Braces."""
    return logging.Formatter("{asctime} {name:>4} {message}", style="{")


def dollar_formatter(w: World) -> logging.Formatter:
    """Dollars."""
    return logging.Formatter("$asctime ${name} $message", style="$", defaults={"name": "none"})


def passing(w: World) -> logging.Filter:
    """Lets app and its children pass."""
    return logging.Filter("app")


def record(w: World) -> logging.LogRecord:
    """Any record."""
    return logging.makeLogRecord({})


def adapter(w: World) -> Any:
    """An adapter of a logger with a handler."""
    log, _, _ = w.plain(RICH)
    return logging.LoggerAdapter(log, {"who": "me"})


Maker = Callable[[World], Any]
Use = Callable[[World, Any], None]
KINDS: dict[str, tuple[Maker, Use]] = {
    "Logger": (logger, use_logger),
    "Handler": (base_handler, use_handler),
    "StreamHandler": (stream_handler, use_handler),
    "FileHandler": (file_handler, use_handler),
    "NullHandler": (null_handler, use_handler),
    "RotatingFileHandler": (rotating_handler, use_handler),
    "TimedRotatingFileHandler": (timed_handler, use_handler),
    "WatchedFileHandler": (watched_handler, use_handler),
    "QueueHandler": (queue_handler, use_handler),
    "MemoryHandler": (memory_handler, use_handler),
    "Formatter": (formatter, use_formatter),
    "PercentStyle": (formatter, use_style),
    "StrFormatStyle": (brace_formatter, use_style),
    "StringTemplateStyle": (dollar_formatter, use_style),
    "Filter": (passing, use_filter),
    "LogRecord": (record, use_record),
    "LoggerAdapter": (adapter, use_adapter),
}
"""By class: how to make an object of it, and how to use it."""


def methods(cls: type) -> list[str]:
    """The names of a class's own and inherited methods, special ones included; not `object`'s, and no built-in such as `converter`."""
    found: dict[str, None] = {}
    for base in cls.__mro__[:-1]:
        found.update(dict.fromkeys(name for name, value in vars(base).items() if callable(value) and name != "converter"))
    return [name for name in found if not name.startswith("__") or name in ("__init__", "__repr__", "__str__", "__reduce__")]
