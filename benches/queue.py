"""What it costs to put a record aside: in a queue, in memory."""

from __future__ import annotations

import queue

from benches.measure import Bench, Scenario

HELLO = 'info("hello %s", "world")'


def queued(bench: Bench) -> None:
    waiting: queue.SimpleQueue[object] = queue.SimpleQueue()

    def take() -> list[str]:
        return [waiting.get_nowait().getMessage() for _ in range(waiting.qsize())]  # type: ignore[attr-defined]

    bench.take = take
    bench.names["info"] = bench.logger(bench.handlers.QueueHandler(waiting)).info


def in_memory(bench: Bench) -> None:
    target = bench.stream_handler()
    handler = bench.handlers.MemoryHandler(100, target=target)
    written = bench.take
    assert written is not None

    def take() -> list[str]:
        handler.flush()
        return written()

    bench.take = take
    bench.names["info"] = bench.logger(handler).info


SCENARIOS = [
    Scenario("QueueHandler", HELLO, queued, r"hello world"),
    Scenario("MemoryHandler of 100 before a StreamHandler", HELLO, in_memory, r"INFO hello world\n"),
]
