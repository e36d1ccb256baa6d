"""Several modules, one log: each has the logger of its name, one place configures."""

import logging
import sys

import warehouse

log = logging.getLogger("shop.main")
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(name)-14s %(levelname)-7s %(message)s")
log.info("opening")
print(warehouse.Shelf("tea").take(2))
log.info("closing")

# prints:
# shop.main      INFO    opening
# shop.warehouse DEBUG   a shelf of tea
# shop.warehouse.tea WARNING 2 taken, 3 left
# ['tea', 'tea']
# shop.main      INFO    closing
