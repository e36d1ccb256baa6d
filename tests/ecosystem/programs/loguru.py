"""loguru's recipes in both directions: InterceptHandler takes logging's records, PropagateHandler gives loguru's."""
# requires: loguru==0.7.3

import inspect
import logging
import sys

from loguru import logger


class InterceptHandler(logging.Handler):
    def emit(self, record):
        try:
            level = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        frame, depth = inspect.currentframe(), 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame = frame.f_back
            depth += 1
        logger.opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())


class PropagateHandler(logging.Handler):
    def emit(self, record):
        logging.getLogger(record.name).handle(record)


def work():
    log = logging.getLogger("shop")
    log.info("paid %s", 1)
    log.log(25, "between")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken")


logging.basicConfig(handlers=[InterceptHandler()], level=0, force=True)
logger.remove()
logger.add(sys.stdout, format="{level} {name}:{function}:{line} {message}", backtrace=False, diagnose=False)
pass  # late install
work()
logger.remove()
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(funcName)s %(message)s"))
logging.basicConfig(handlers=[handler], level=0, force=True)
logger.add(PropagateHandler(), format="{message}")
logger.info("from loguru {}", 1)
logger.bind(a=1).error("bound")
