"""A log call with wrong arguments does not stop the program: handleError() tells on stderr, and the next line is written."""

import contextlib
import io
import logging
import sys

logging.basicConfig(stream=sys.stdout, format="%(message)s")
log = logging.getLogger("shop")

with contextlib.redirect_stderr(io.StringIO()) as told:
    log.warning("%d orders", "many")
    log.warning("%d orders", 3)
    logging.raiseExceptions = False
    log.warning("%d orders", "many, and nobody is told")
lines = told.getvalue().splitlines()
print(lines[0], *lines[-2:], sep="\n")

# prints:
# 3 orders
# --- Logging error ---
# Message: '%d orders'
# Arguments: ('many',)
