"""configure(async_=True): all stream and file handlers that loggers have become asynchronous, and a coroutine waits for them by aflush()."""

import asyncio
import logging
import sys

import femtolog

femtolog.install()
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level=logging.INFO)
log = logging.getLogger("shop")
log.addHandler(logging.FileHandler("shop.log"))
log.addHandler(logging.NullHandler())  # neither a stream's nor a file's: it stays as it is

handlers = femtolog.configure(async_=True, overflow="drop_oldest")
print([type(handler).__name__ for handler in handlers], flush=True)


async def main():
    for order in range(3):
        log.info("order %d", order)
    written = await asyncio.gather(*(handler.aflush(timeout=10) for handler in handlers))
    print(written, flush=True)


asyncio.run(main())
print([handler.stats()["written"] for handler in handlers])
with open("shop.log") as file:
    print(file.read(), end="")

# prints:
# ['StreamHandler', 'FileHandler']
# INFO order 0
# INFO order 1
# INFO order 2
# [True, True]
# [3, 3]
# order 0
# order 1
# order 2
