"""LoggerAdapter: the same context with every call."""

import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(customer)s %(message)s (%(funcName)s)")


class Numbered(logging.LoggerAdapter):
    """Puts the order's number before the message."""

    def process(self, msg, kwargs):
        return f"#{self.extra['order']} {msg}", {**kwargs, "extra": self.extra}


def pay(log):
    log.info("paid %.2f", 9.5)


plain = logging.LoggerAdapter(logging.getLogger("shop"), {"customer": "ada"})
pay(plain)
pay(Numbered(logging.getLogger("shop"), {"customer": "bob", "order": 18}))

# prints:
# INFO ada paid 9.50 (pay)
# INFO bob #18 paid 9.50 (pay)
