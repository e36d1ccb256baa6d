"""`import femtolog as logging`: the first use of a name installs."""

import sys

import femtolog as logging
import femtolog.handlers

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
logging.getLogger("shop").warning("stock is low")
print(logging.getLogger("shop"))
print(femtolog.handlers.RotatingFileHandler)

# prints:
# WARNING stock is low
# <Logger shop (WARNING)>
# <class 'logging.handlers.RotatingFileHandler'>
