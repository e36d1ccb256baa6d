"""asyncio_guard(): which handler keeps the event loop waiting, and for what call?"""

import asyncio
import logging
import time
import warnings

import femtolog

femtolog.install()


class Mail(logging.Handler):
    """Takes 0.3 s for each record, in the thread that logs."""

    def emit(self, record):
        time.sleep(0.3)


log = logging.getLogger("shop")
log.addHandler(Mail())


async def main():
    log.warning("order 17 is late")
    log.warning("order 18 is late")


with femtolog.asyncio_guard(threshold_ms=200) as guard, warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    asyncio.run(main())
print(guard.count, "calls took too long; warned of:", len(caught))
print(caught[0].category.__name__, str(caught[0].message).partition(" took ")[0])

log.handlers[:] = [femtolog.enqueue(Mail())]
with femtolog.asyncio_guard(threshold_ms=200) as guard:
    asyncio.run(main())
print(guard.count)

# prints:
# 2 calls took too long; warned of: 1
# RuntimeWarning handler <Mail (NOTSET)>
# 0
