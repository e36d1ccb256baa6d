"""Exceptions on one line each, for tools that read lines."""

import logging
import sys


class OneLine(logging.Formatter):
    """Shows an exception as its repr, and a message of several lines as one."""

    def formatException(self, exc_info):
        return repr(exc_info[1])

    def format(self, record):
        return super().format(record).replace("\n", " | ")


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(OneLine("%(levelname)s %(message)s"))
log = logging.getLogger("shop")
log.addHandler(handler)
try:
    int("many")
except ValueError:
    log.exception("not a number")
log.warning("two\nlines")

# prints:
# ERROR not a number | ValueError("invalid literal for int() with base 10: 'many'")
# WARNING two | lines
