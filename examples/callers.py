"""Where was it called? %(funcName)s and %(lineno)d; stacklevel= for functions that log on behalf of others."""

import logging
import sys

logging.basicConfig(stream=sys.stdout, format="%(module)s.%(funcName)s:%(lineno)d %(message)s")
log = logging.getLogger("shop")


def warn_about(order):
    log.warning("order %d", order, stacklevel=2)


def pay():
    log.warning("here")
    warn_about(17)


pay()

# prints:
# callers.pay:15 here
# callers.pay:16 order 17
