"""What a line in a file, or in a pipe, costs: one write for each record, as the stdlib makes it."""

import os
import pathlib
import subprocess
import time
import weakref
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


class Pipe:
    """A pipe that `cat` empties into a file, as what runs a service collects its stderr."""

    def __init__(self, path: str) -> None:
        self.path = pathlib.Path(path)
        with open(path, "ab") as file:
            cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file)
        assert cat.stdin is not None
        self.fd = os.dup(cat.stdin.fileno())
        cat.stdin.close()
        weakref.finalize(self, _end, cat, self.fd)

    def take(self) -> list[str]:
        os.write(self.fd, b"end\n")
        while not self.path.read_bytes().endswith(b"end\n"):
            time.sleep(0.001)
        lines = self.path.read_text().splitlines(keepends=True)
        os.truncate(self.path, 0)
        return lines[:-1]


def _end(cat: Any, fd: int) -> None:
    os.close(fd)
    cat.wait()


def piped(bench: Bench) -> None:
    pipe = Pipe(bench.file())
    bench.take = pipe.take
    stream = open(pipe.fd, "w", closefd=False)  # noqa: SIM115 - kept by the handler
    handler = bench.logging.StreamHandler(stream)
    handler.setFormatter(bench.logging.Formatter(FORM))
    bench.names.update(info=bench.logger(handler).info, write=os.write, fd=pipe.fd)


ALONE = 'write(fd, b"INFO hello world\\n")'

SCENARIOS = [
    Scenario("FileHandler", HELLO, written(plain), LINE, alone=ALONE),
    Scenario("RotatingFileHandler, no rollover", HELLO, written(rotating), LINE, alone=ALONE),
    Scenario("TimedRotatingFileHandler, no rollover", HELLO, written(timed), LINE, alone=ALONE),
    Scenario("StreamHandler to a pipe", HELLO, piped, LINE, alone=ALONE),
    Scenario("WatchedFileHandler", HELLO, written(watched), LINE, alone=f"access(path, 0); {ALONE}"),
]
