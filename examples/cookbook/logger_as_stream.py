"""A logger where a file is expected: what is printed becomes lines of the log."""

import contextlib
import logging
import sys


class Lines:
    """Collects what is written and logs whole lines."""

    def __init__(self, logger, level):
        self.logger, self.level, self.rest = logger, level, ""

    def write(self, text):
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.logger.log(self.level, line.rstrip())
        return len(text)

    def flush(self):
        """There is nothing to do."""


logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(levelname)s:%(name)s:%(message)s")
with contextlib.redirect_stdout(Lines(logging.getLogger("printed"), logging.DEBUG)):
    print("one")
    print("two", end=" ")
    print("and three")

# prints:
# DEBUG:printed:one
# DEBUG:printed:two and three
