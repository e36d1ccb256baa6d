"""Messages in { style, formatted only when the line is wanted: a message object, and an adapter."""

import logging
import sys


class Braces:
    """Formats by str.format() when asked for its text."""

    def __init__(self, text, *args, **named):
        self.text, self.args, self.named = text, args, named

    def __str__(self):
        return self.text.format(*self.args, **self.named)


class BraceAdapter(logging.LoggerAdapter):
    """Lets log calls have { style without saying so each time."""

    def log(self, level, msg, /, *args, stacklevel=1, **named):
        if self.isEnabledFor(level):
            self.logger.log(level, Braces(msg, *args, **named), stacklevel=stacklevel + 1)


logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(funcName)s %(message)s")
log = logging.getLogger("shop")


def pay():
    log.info(Braces("{0} pays {1:.2f}", "ada", 9.5))
    log.debug(Braces("{nobody} asks"))
    BraceAdapter(log).info("{} pays {price:>6.1f}", "bob", price=3)


pay()

# prints:
# pay ada pays 9.50
# pay bob pays    3.0
