"""How late an event loop comes to its timers while its tasks log to a sink that takes 50 ms for a write. Wants a machine that does
nothing else: what the loop waits for processors counts as well."""

import asyncio
import gc
import logging
import statistics
import time

RATE = 10_000  # records a second
SECONDS = 3.0
TICK = 0.001
SLOW = 0.05


class Sink:
    """A stream that is slow."""

    def write(self, text: str) -> None:
        time.sleep(SLOW)

    def flush(self) -> None:
        pass


def measure() -> dict[str, dict[str, float]]:
    """Milliseconds that a timer of 1 ms is late, median, 99th percentile and most, without logging and beside it."""
    import femtolog

    found = {}
    for name, rate in (("nothing is logged", 0), (f"{RATE} records a second, enqueue(overflow='drop')", RATE)):
        handler = femtolog.enqueue(logging.StreamHandler(Sink()), overflow="drop", timeout=1.0)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        log = logging.Logger("loop")
        log.addHandler(handler)
        gc.collect()
        raise_exceptions, logging.raiseExceptions = logging.raiseExceptions, False  # drops are told on stderr otherwise
        try:
            with femtolog.installed():
                late, logged = asyncio.run(lateness(log, rate))
            handler.close()
        finally:
            logging.raiseExceptions = raise_exceptions
        late.sort()
        found[name] = {
            "median": statistics.median(late) * 1e3,
            "p99": late[int(len(late) * 0.99)] * 1e3,
            "most": late[-1] * 1e3,
            "logged": logged,
            "dropped": handler.stats()["dropped"],
        }
    return found


async def lateness(log: logging.Logger, rate: int) -> tuple[list[float], int]:
    """How late each timer is, and how many records were logged beside it."""
    late, logged = [], 0
    began = time.perf_counter()
    while (now := time.perf_counter()) - began < SECONDS:
        while logged < (now - began) * rate:
            log.info("order %d of %s", logged, "somebody")
            logged += 1
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        late.append(max(0.0, time.perf_counter() - due))
    return late, logged
