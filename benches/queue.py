"""What it costs to put a record aside: in a queue, in memory."""

from __future__ import annotations

import collections
import queue

from benches.enabled import ALONE, a_record
from benches.measure import Bench, Scenario

HELLO = 'info("hello %s", "world")'


def queued(bench: Bench) -> None:
    waiting: queue.SimpleQueue[object] = queue.SimpleQueue()

    def take() -> list[str]:
        return [waiting.get_nowait().getMessage() for _ in range(waiting.qsize())]  # type: ignore[attr-defined]

    bench.take = take
    bench.names.update(info=bench.logger(bench.handlers.QueueHandler(waiting)).info, put=waiting.put_nowait, record=a_record())


def in_memory(bench: Bench) -> None:
    target = bench.stream_handler()
    handler = bench.handlers.MemoryHandler(100, target=target)
    written = bench.take
    assert written is not None

    def take() -> list[str]:
        handler.flush()
        return written()

    bench.take = take
    bench.names.update(info=bench.logger(handler).info, append=collections.deque[object](maxlen=100).append, record=a_record())


SCENARIOS = [
    Scenario("QueueHandler", HELLO, queued, r"hello world", alone="put(record)"),
    Scenario(
        "MemoryHandler of 100 before a StreamHandler", HELLO, in_memory, r"INFO hello world\n", alone=f"append(record); {ALONE}"
    ),
]
