"""One line before anything else: what is imported and configured afterwards runs natively."""

import femtolog

femtolog.install()

import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
logging.getLogger("shop").info("order %d received", 17)
print("installed:", femtolog.is_installed(), "- left to Python:", femtolog.stats()["reference"])

# prints:
# INFO shop: order 17 received
# installed: True - left to Python: {}
