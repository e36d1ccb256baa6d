"""What a line in a file costs: one write for each record, as the stdlib makes it."""

import os
from typing import Any

from benches.measure import Bench, Scenario

HELLO = 'info("hello %s", "world")'
LINE = r"INFO hello world\n"
FORM = "%(levelname)s %(message)s"


def written(make: Any) -> Any:
    def prepare(bench: Bench) -> None:
        path = bench.file()
        handler = make(bench, path)
        handler.setFormatter(bench.logging.Formatter(FORM))
        bench.names["info"] = bench.logger(handler).info
        bench.names.update(write=os.write, fd=os.open(path, os.O_WRONLY | os.O_APPEND), access=os.access, path=path)

    return prepare


def plain(bench: Bench, path: str) -> Any:
    return bench.logging.FileHandler(path)


def rotating(bench: Bench, path: str) -> Any:
    return bench.handlers.RotatingFileHandler(path, maxBytes=1 << 30, backupCount=1)


def timed(bench: Bench, path: str) -> Any:
    return bench.handlers.TimedRotatingFileHandler(path, when="D", backupCount=1)


def watched(bench: Bench, path: str) -> Any:
    return bench.handlers.WatchedFileHandler(path)


ALONE = 'write(fd, b"INFO hello world\\n")'

SCENARIOS = [
    Scenario("FileHandler", HELLO, written(plain), LINE, alone=ALONE),
    Scenario("RotatingFileHandler, no rollover", HELLO, written(rotating), LINE, alone=ALONE),
    Scenario("TimedRotatingFileHandler, no rollover", HELLO, written(timed), LINE, alone=ALONE),
    Scenario("WatchedFileHandler", HELLO, written(watched), LINE, alone=f"access(path, 0); {ALONE}"),
]
