"""What several threads pay that log at the same time: to one file, each to its own; and one, where there are others."""

import threading
from typing import Any

from benches import file
from benches.measure import Bench, Scenario

HELLO = 'info("hello %s", "world")'
FORM = "%(levelname)s %(threadName)s %(message)s"
LINE = r"INFO Thread-\d+ \(run\) hello world\n"


def one_file(bench: Bench) -> None:
    handler = bench.logging.FileHandler(bench.file())
    handler.setFormatter(bench.logging.Formatter(FORM))
    bench.names["info"] = bench.logger(handler).info


def own_file(number: int) -> Any:
    def prepare(bench: Bench) -> None:
        for index, path in enumerate(bench.files(number)):
            handler = bench.logging.FileHandler(path)
            handler.setFormatter(bench.logging.Formatter("%(levelname)s %(name)s %(message)s"))
            bench.each.append({"info": bench.logger(handler, below=f".{index}").info})

    return prepare


def beside(prepare: Any) -> Any:
    """The main thread logs, another one waits for something all the while."""

    def prepared(bench: Bench) -> None:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        prepare(bench)

    return prepared


STUCK = "deadlocks as soon as two threads log to one handler"

SCENARIOS = [
    Scenario("FileHandler, beside a thread that waits", HELLO, beside(file.written(file.plain)), file.LINE, alone=file.ALONE),
    Scenario("StreamHandler to a pipe, beside a thread that waits", HELLO, beside(file.piped), file.LINE, alone=file.ALONE),
    Scenario("1 thread, one FileHandler", HELLO, one_file, LINE, threads=1),
    Scenario("2 threads, one FileHandler", HELLO, one_file, LINE, threads=2, picologging=STUCK),
    Scenario("4 threads, one FileHandler", HELLO, one_file, LINE, threads=4, picologging=STUCK),
    Scenario("8 threads, one FileHandler", HELLO, one_file, LINE, threads=8, picologging=STUCK),
    Scenario("4 threads, 4 FileHandlers", HELLO, own_file(4), r"INFO benches\.\w+\.\d+\.\d hello world\n", threads=4),
]
