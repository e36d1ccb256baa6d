"""A program written against typeshed's `logging`, of which only the imports were changed: checked by mypy and pyright, never run."""

import asyncio
import multiprocessing
import queue
import socket
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import femtolog as logging
import femtolog.config
import femtolog.handlers
from femtolog import CRITICAL, DEBUG, ERROR, FATAL, INFO, NOTSET, WARN, WARNING
from femtolog.config import dictConfig, fileConfig

LEVELS: list[int] = [CRITICAL, DEBUG, ERROR, FATAL, INFO, NOTSET, WARN, WARNING]
log: logging.Logger = logging.getLogger(__name__)
assert isinstance(log.parent, logging.Logger | None)


class Audited(logging.Logger):
    def makeRecord(
        self,
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        extra: Mapping[str, object] | None = None,
        sinfo: str | None = None,
    ) -> logging.LogRecord:
        return super().makeRecord(name, level, fn, lno, msg, args, exc_info, func, extra, sinfo)


class Request(logging.LoggerAdapter[Audited]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return f"[{(self.extra or {})['request']}] {msg}", kwargs


class OnlyErrors(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return super().filter(record) is True and record.levelno >= ERROR


class Upper(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).upper()

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return super().formatTime(record, datefmt)


class Sink(logging.StreamHandler[TextIO]):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + self.terminator)
        except Exception:
            self.handleError(record)


def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **kwargs)
    record.request = 17
    return record


logging.setLogRecordFactory(factory)
logging.setLoggerClass(Audited)
klass: type[logging.Logger] = logging.getLoggerClass()
logging.addLevelName(25, "NOTICE")
name: str = logging.getLevelName(25)
logging.disable(logging.DEBUG)
logging.basicConfig(
    level="INFO",
    stream=sys.stderr,
    format="{asctime} {message}",
    datefmt="%H:%M:%S",
    style="{",
    force=True,
)
logging.basicConfig(filename="app.log", filemode="a", encoding="utf-8", errors="backslashreplace")
logging.basicConfig(handlers=[logging.NullHandler(), logging.FileHandler("b.log", delay=True)])
logging.debug("%s", 1)
logging.info("%(a)s", {"a": 1}, extra={"b": 2}, stack_info=True, stacklevel=3)
logging.warning("", exc_info=True)
logging.error("", exc_info=ValueError())
logging.exception("", exc_info=sys.exc_info())
logging.critical("")
logging.log(25, "")
logging.captureWarnings(capture=False)
logging.shutdown()

handler: logging.Handler = Sink(sys.stdout)
handler.setFormatter(Upper("%(message)s", validate=False, defaults={"request": "-"}))
handler.addFilter(OnlyErrors("app"))
handler.addFilter(lambda record: record.name != "noisy")
handler.set_name("sink")
log.addHandler(handler)
log.setLevel(logging.INFO)
log.propagate = False
enabled: bool = log.isEnabledFor(10) and log.hasHandlers()
child: logging.Logger = log.getChild("db")
effective: int = child.getEffectiveLevel()
Request(Audited("a"), {"request": 7}).info("paid", extra={"k": 1})
for existing in list(logging.root.manager.loggerDict.values()):
    if isinstance(existing, logging.Logger):
        existing.handlers.clear()
last: logging.Handler | None = logging.lastResort
text: str = logging.BufferingFormatter(logging.Formatter()).format([logging.makeLogRecord({"msg": "x"})])
old: str = logging.Formatter(None, None, "$").formatException((ValueError, ValueError(), None))

femtolog.handlers.RotatingFileHandler("r.log", maxBytes=1, backupCount=2, encoding="utf-8").doRollover()
timed = femtolog.handlers.TimedRotatingFileHandler("t.log", when="midnight", utc=True, atTime=None)
timed.namer = lambda default: default + ".gz"
femtolog.handlers.WatchedFileHandler("w.log").reopenIfNeeded()
femtolog.handlers.SysLogHandler(("localhost", 514), femtolog.handlers.SysLogHandler.LOG_USER, socket.SOCK_DGRAM)
femtolog.handlers.SocketHandler("localhost", femtolog.handlers.DEFAULT_TCP_LOGGING_PORT)
femtolog.handlers.DatagramHandler("localhost", 9)
femtolog.handlers.SMTPHandler("localhost", "a@b", ["c@d"], "subject", credentials=("u", "p"), secure=())
femtolog.handlers.HTTPHandler("localhost", "/log", "POST")
femtolog.handlers.MemoryHandler(10, flushLevel=logging.ERROR, target=handler)
things: queue.Queue[Any] = queue.Queue()
femtolog.handlers.QueueHandler(things)
femtolog.handlers.QueueHandler(multiprocessing.Queue())
listener = femtolog.handlers.QueueListener(things, handler, respect_handler_level=True)
listener.start()
listener.stop()
dictConfig({"version": 1, "root": {"level": "INFO", "handlers": []}})
fileConfig("logging.ini", defaults={"a": "b"}, disable_existing_loggers=False, encoding="utf-8")
femtolog.config.listen(0).start()


async def main() -> None:
    await asyncio.to_thread(log.warning, "from a thread")
