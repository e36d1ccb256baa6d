"""watch_handlers(): which handler keeps its callers waiting, in whatever thread? asyncio_guard() sees event loops only."""

import logging
import time
import warnings

import femtolog

femtolog.install()


class Mail(logging.Handler):
    """Takes 0.3 s for each record, in the thread that logs."""

    def emit(self, record):
        time.sleep(0.3)


def sell(order):
    log.warning("order %d is late", order)


log = logging.getLogger("shop")
log.addHandler(Mail())
with (
    femtolog.watch_handlers(slow_ms=200) as watch,
    femtolog.asyncio_guard(threshold_ms=200) as guard,
    warnings.catch_warnings(record=True) as caught,
):
    warnings.simplefilter("always")
    sell(17)
    sell(18)
print(watch.count, guard.count, "warned of:", len(caught))
text = str(caught[0].message)
print(text.partition(" took ")[0], "in sell" in text)

log.handlers[:] = [femtolog.enqueue(Mail())]
with femtolog.watch_handlers(slow_ms=200) as watch:
    sell(19)
print(watch.count)

# prints:
# 2 0 warned of: 1
# handler <Mail (NOTSET)> True
# 0
