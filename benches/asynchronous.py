"""What asynchronous logging to a file costs its caller, and what a record costs until it is in the file."""

import logging
import queue
from typing import Any

from benches.measure import Bench, Scenario

HELLO = 'info("hello %s", "world")'
LINE = r"INFO hello world\n"
BURST = 1000
"""Records that come while the worker is elsewhere. A queue has room for 1024; in one of a hundred thousand the cost of fresh memory would be
measured, 15 % of a call."""


def file_handler(bench: Bench) -> Any:
    handler = bench.logging.FileHandler(bench.file())
    handler.setFormatter(bench.logging.Formatter("%(levelname)s %(message)s"))
    return handler


def asynchronous(handler: logging.Handler, **options: Any) -> Any:
    import femtolog  # not before: the stdlib is timed before femtolog is imported

    return femtolog.enqueue(handler, **options)


def callers_part(bench: Bench) -> None:
    """The stdlib's FileHandler writes itself."""
    handler = file_handler(bench)
    bench.names["info"] = bench.logger(handler).info
    bench.burst = BURST
    if bench.side == "femtolog":
        asynchronous(handler)
        handler.acquire()  # so that the worker waits, and flush() writes in this thread
        bench.between = handler.flush


def callers_part_of_a_queue(bench: Bench) -> None:
    """The stdlib's QueueHandler, whose QueueListener writes when the sink is looked at."""
    if bench.side == "femtolog":
        callers_part(bench)
        return
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    listener = bench.handlers.QueueListener(waiting, file_handler(bench))
    bench.names["info"] = bench.logger(bench.handlers.QueueHandler(waiting)).info

    def write() -> None:
        listener.start()
        listener.stop()

    bench.burst, bench.between = BURST, write


def until_written(bench: Bench) -> None:
    handler = file_handler(bench)
    bench.names["info"] = bench.logger(handler).info
    if bench.side == "femtolog":
        bench.finish = asynchronous(handler).flush


WITHOUT = "enqueue() is for handlers of logging"

SCENARIOS = [
    Scenario("asynchronous file, the caller's part", HELLO, callers_part, LINE, picologging=WITHOUT),
    Scenario(
        "asynchronous file, the caller's part; stdlib: of QueueHandler",
        HELLO,
        callers_part_of_a_queue,
        LINE,
        picologging=WITHOUT,
    ),
    Scenario("asynchronous file, until all is written", HELLO, until_written, LINE, picologging=WITHOUT),
    Scenario("asynchronous file, 1 thread, until all is written", HELLO, until_written, LINE, threads=1, picologging=WITHOUT),
    Scenario("asynchronous file, 4 threads, until all is written", HELLO, until_written, LINE, threads=4, picologging=WITHOUT),
]
