"""Context that follows a request through asyncio: a contextvar, put on each record by a filter."""

import asyncio
import contextvars
import logging
import sys

request = contextvars.ContextVar("request", default="-")


def number(record):
    record.request = request.get()
    return True


screen = logging.StreamHandler(sys.stdout)
screen.addFilter(number)
logging.basicConfig(handlers=[screen], level=logging.INFO, format="[%(request)s] %(name)s %(message)s")


async def serve(name, turn, following):
    request.set(name)
    logging.getLogger("web").info("begins")
    await turn.wait()
    logging.getLogger("library").info("works for it, knowing nothing of requests")
    following.set()


async def main():
    first, second, end = asyncio.Event(), asyncio.Event(), asyncio.Event()
    tasks = [asyncio.create_task(serve("a", second, end)), asyncio.create_task(serve("b", first, second))]
    first.set()
    await asyncio.gather(*tasks)
    logging.getLogger("web").info("done")


asyncio.run(main())

# prints:
# [a] web begins
# [b] web begins
# [b] library works for it, knowing nothing of requests
# [a] library works for it, knowing nothing of requests
# [-] web done
