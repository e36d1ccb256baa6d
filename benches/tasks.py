"""How many records ten tasks log a second with an AsyncLogger, to a file. Wants a machine that does nothing else."""

import asyncio
import gc
import logging
import pathlib
import tempfile
import time

TASKS = 10
RECORDS = 2_000  # of each task
REPEATS = 5


def measure() -> dict[str, dict[str, float]]:
    """Thousands of records a second until all tasks have come back, and until all is in the file; the most of some turns."""
    import femtolog

    found = {}
    for name, options in (("as it comes", {}), ("with room for all", {"queue_size": TASKS * RECORDS, "max_memory_mb": 1024})):
        turns = []
        for _ in range(REPEATS):
            with tempfile.TemporaryDirectory() as folder, femtolog.installed():
                path = pathlib.Path(folder, "log")
                handler = logging.FileHandler(path)
                handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
                logger = logging.getLogger("benches.tasks")
                logger.addHandler(handler)
                logger.setLevel(logging.INFO)
                gc.collect()
                turns.append(asyncio.run(turn(femtolog.AsyncLoggerConfig(queue_timeout=60, **options))))
                logger.removeHandler(handler)
                handler.close()
                with path.open() as lines:
                    assert sum(1 for _ in lines) == TASKS * RECORDS
        logged, written = (max(rates) for rates in zip(*turns, strict=True))
        found[name] = {"logged": logged, "written": written}
    return found


async def turn(config: "femtolog.AsyncLoggerConfig") -> tuple[float, float]:  # type: ignore[name-defined] # noqa: F821
    import femtolog

    log = femtolog.get_async_logger("benches.tasks", config)

    async def work(task: int) -> None:
        for number in range(RECORDS):
            await log.ainfo("order %d of %d", number, task)

    began = time.perf_counter()
    await asyncio.gather(*(work(task) for task in range(TASKS)))
    logged = time.perf_counter() - began
    assert await log.aflush(60)
    written = time.perf_counter() - began
    await femtolog.shutdown_all_async_loggers()
    return TASKS * RECORDS / logged / 1e3, TASKS * RECORDS / written / 1e3
