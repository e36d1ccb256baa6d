"""A program written for picologging, unchanged, once femtolog is installed for it."""

import femtolog

femtolog.install(picologging=True)

import sys

import picologging as logging

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG)
logging.getLogger("shop").debug("order %d received", 17)

# prints:
# DEBUG:shop:order 17 received
