"""Another level, and one handler more, for a block."""

import contextlib
import logging
import sys


@contextlib.contextmanager
def logging_to(logger, level=None, handler=None):
    before = logger.level
    if level is not None:
        logger.setLevel(level)
    if handler is not None:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(before)
        if handler is not None:
            logger.removeHandler(handler)
            handler.close()


log = logging.getLogger("shop")
log.addHandler(logging.StreamHandler(sys.stdout))
log.setLevel(logging.INFO)
log.debug("1: not seen")
with logging_to(log, logging.DEBUG):
    log.debug("2: seen")
with logging_to(log, handler=logging.StreamHandler(sys.stdout)):
    log.info("3: seen twice")
log.info("4: seen once")
log.debug("5: not seen")

# prints:
# 2: seen
# 3: seen twice
# 3: seen twice
# 4: seen once
