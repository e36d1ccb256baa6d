"""A user's program: what type checkers must accept, checked with `mypy --strict` and never run."""

import femtolog
import femtolog as logging
import femtolog.blackbox
import femtolog.config
import femtolog.control
import femtolog.files
import femtolog.formatters
import femtolog.handlers
from femtolog import Formatter, Handler, LoggerAdapter, LogRecord, getLogger, install, is_installed, uninstall
from femtolog.femto import (
    ConfigBuilder,
    FemtoFileHandler,
    FemtoLogger,
    FemtoSocketHandler,
    FileHandlerBuilder,
    HandlerOptions,
    LoggerConfigBuilder,
    LoggerMutationBuilder,
    OverflowPolicy,
    RuntimeConfigBuilder,
    exception_payload,
    filter_frames,
)
from femtolog.handlers import QueueHandler, RotatingFileHandler
from femtolog.testing import capture_logs


class Collect(Handler):
    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.records: list[LogRecord] = []

    def emit(self, record: LogRecord) -> None:
        self.records.append(record)


install()
with femtolog.installed():
    installed: bool = is_installed()
uninstall()
natively: int = femtolog.stats()["native"]
why_not: dict[str, int] = femtolog.stats()["reference"]
femtolog.reset_stats()
version: str = femtolog.__version__
femtolog.add_level("NOTICE", 25)
why: list[str] = femtolog.explain("app.db", logging.DEBUG)
logged: bool | None = femtolog.explain(getLogger(), "INFO").logged
reasons: list[str] = [step.reason for step in femtolog.explain("app", 10, logging.makeLogRecord({})).steps]
femtolog.fileConfig("logging.ini", safe=True)
femtolog.extra_policy = "rename"
safe: Formatter = femtolog.formatters.Formatter("%(message)s", escape="controls", cache_exc=False)
with femtolog.control.serve(unix="app.sock") as server, femtolog.control.signals("app"):
    address: str | tuple[str, int] = server.address

log: logging.Logger = getLogger(__name__)
log.addHandler(Collect())
log.setLevel("INFO")
log.info("%s of %d", "one", 3, extra={"a": 1}, stacklevel=2)
log.error("failed", exc_info=ValueError("x"))
adapter: LoggerAdapter[logging.Logger] = LoggerAdapter(log, {"request": 7})
adapter.warning("careful")
logging.raiseExceptions = False
logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
logging.captureWarnings(True)
level: int = logging.getLevelNamesMapping()["INFO"]
formatter = Formatter("{message}", style="{", defaults={"user": "-"})
rotating: RotatingFileHandler = RotatingFileHandler("app.log", maxBytes=1_000_000, backupCount=3, delay=True)
rotating.setFormatter(formatter)
femtolog.config.dictConfig({"version": 1})
port: int = femtolog.handlers.DEFAULT_TCP_LOGGING_PORT
buffered: RotatingFileHandler = femtolog.files.RotatingFileHandler(
    "app.log",
    maxBytes=1_000_000,
    backupCount=3,
    buffering=65536,
    fallback=Collect(),
    multiprocess=True,
    compression="gz",
    retention="10 days",
    enqueue={"capacity": 100},
)
last_words: list[str] = femtolog.blackbox.recover("app.ring").texts
files_written: int = femtolog.files.FileHandler("app.log", fsync=True).stats()["written"]
asynchronous: RotatingFileHandler = femtolog.enqueue(
    rotating, capacity=10_000, overflow="timeout:20", protect_level=logging.ERROR
)
spilling: RotatingFileHandler = femtolog.enqueue(rotating, overflow="spill", spill_dir="spool", spill_max="100 MB")
queue_handler: type[QueueHandler] = femtolog.handlers.QueueHandler
root: logging.RootLogger = logging.root
names: dict[int, str] = logging._levelToName
femtolog.handlers.os.remove("app.log")  # a name of the stdlib's module, too
femtolog.config.dictConfig({"version": 1, "incremental": True})


class Sink:
    def handle(self, logger: str, level: str, message: str) -> None:
        print(logger, level, message)


femto_log: FemtoLogger = femtolog.get_logger("svc")


async def awaited() -> bool:
    log: femtolog.AsyncLogger = femtolog.get_async_logger("svc", femtolog.AsyncLoggerConfig(queue_size=10))
    await log.ainfo("order %d", 7, customer="Ann")
    await log.alog(25, "order", exc_info=True)
    await femtolog.shutdown_all_async_loggers()
    return await log.aflush(1.0)


line: str | None = femto_log.log("INFO", "ready", exc_info=ValueError("x"), extra={"k": 1})
femto_log.add_handler(Sink())
file = FemtoFileHandler("femto.log", policy=OverflowPolicy.timeout(20), capacity_bytes=1 << 20)
written: bool = file.flush(timeout=2.0)
dropped: int = file.stats()["dropped"]
file.handle("core", "INFO", "by hand")


def on_drop(reason: str, count: int) -> None:
    pass


peer = FemtoSocketHandler(on_error=lambda error, count: print(error, count + 1), on_drop=on_drop)
peer.handle("core", "INFO", "by hand")
raised: int = peer.stats().get("callbacks_raised", 0)
options = HandlerOptions(rotation=(1024, 3))
frames: object = filter_frames(exception_payload(ValueError()), exclude_logging=True)["frames"]
(
    ConfigBuilder()
    .with_handler("file", FileHandlerBuilder("femto.log").with_capacity(5).with_on_drop(on_drop).with_level("INFO"))
    .with_root_logger(LoggerConfigBuilder().with_handlers(["file"]))
    .build_and_init()
)
RuntimeConfigBuilder().with_logger("svc", LoggerMutationBuilder().clear_handlers()).apply()
with capture_logs("INFO") as captured, femtolog.asyncio_guard(threshold_ms=5) as guard:
    texts: list[str] = captured.messages
    slow: int = guard.count
made: list[Handler] = femtolog.configure(async_=True, overflow="drop")
femtolog.dictConfig({"version": 1})
