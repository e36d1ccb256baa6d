"""Exceptions below a message: the one being handled, or one that is given."""

import logging
import sys

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
log = logging.getLogger("shop")


def price(order):
    return {"tea": 3}[order]


try:
    price("coffee")
except KeyError:
    log.exception("no price")
try:
    price("milk")
except KeyError as error:
    log.warning("no price, and told later", exc_info=error)

# prints:
# ERROR no price
# Traceback (most recent call last):
#   File "exceptions.py", line 15, in <module>
#     price("coffee")
#   File "exceptions.py", line 11, in price
#     return {"tea": 3}[order]
#            ~~~~~~~~~~^^^^^^^
# KeyError: 'coffee'
# WARNING no price, and told later
# Traceback (most recent call last):
#   File "exceptions.py", line 19, in <module>
#     price("milk")
#   File "exceptions.py", line 11, in price
#     return {"tea": 3}[order]
#            ~~~~~~~~~~^^^^^^^
# KeyError: 'milk'
