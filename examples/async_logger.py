"""get_async_logger(): tasks that log await room in a queue; the loop goes on, and nobody's order is changed."""

import asyncio
import logging
import sys
import time

import femtolog

femtolog.install()


class Slow:
    """A sink that takes 5 ms for each line."""

    def write(self, text):
        time.sleep(0.005)
        sys.stdout.write(text)

    def flush(self):
        sys.stdout.flush()


logging.basicConfig(stream=Slow(), level=logging.INFO, format="%(levelname)s %(message)s")
log = femtolog.get_async_logger("shop", femtolog.AsyncLoggerConfig(queue_size=2, queue_timeout=10.0))


async def sell(order):
    await log.ainfo("order %d", order)


async def main():
    await asyncio.gather(*(sell(order) for order in range(5)))  # three of them wait for room
    await log.awarning("closed")
    await femtolog.shutdown_all_async_loggers()
    await log.ainfo("nobody is here")


asyncio.run(main())
stats = log.stats()
print({name: stats[name] for name in ("emitted", "written", "dropped")}, stats["dropped_by"]["closed"])

# prints:
# INFO order 0
# INFO order 1
# INFO order 2
# INFO order 3
# INFO order 4
# WARNING closed
# {'emitted': 7, 'written': 6, 'dropped': 1} 1
