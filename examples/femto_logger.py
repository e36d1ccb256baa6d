"""femtolog.femto: loggers and handlers as femtologging has them, over those of logging."""

import logging

from femtolog.femto import FemtoStreamHandler, get_logger

log = get_logger("shop.orders")
log.add_handler(FemtoStreamHandler.stdout())

line = log.log("info", "order 17 paid")
nothing = log.debug("below the level")
logging.getLogger("shop.orders").warning("%d left: it is the same logger", 3)


class Collector:
    """A sink: anything with a handle()."""

    def __init__(self):
        self.seen = []

    def handle(self, logger, level, message):
        self.seen.append((level, message))


collector = Collector()
log.add_handler(collector)
log.error("shelf empty")
print(log.flush_handlers(), flush=True)
print(repr(line), nothing, log.get_dropped(), collector.seen)

# prints:
# shop.orders [INFO] order 17 paid
# shop.orders [WARN] 3 left: it is the same logger
# shop.orders [ERROR] shelf empty
# True
# 'shop.orders [INFO] order 17 paid' None 0 [('ERROR', 'shelf empty')]
