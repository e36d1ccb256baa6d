"""Filters: a function, a class, a name; on a logger for its own calls, on a handler for whatever reaches it."""

import logging
import sys


class OneIn:
    """Lets one record of `n` pass."""

    def __init__(self, n):
        self.n, self.seen = n, 0

    def filter(self, record):
        self.seen += 1
        return self.seen % self.n == 1


handler = logging.StreamHandler(sys.stdout)
handler.addFilter(logging.Filter("shop"))  # `shop` and what is below it
logging.basicConfig(handlers=[handler], format="%(name)s %(message)s")

web = logging.getLogger("shop.web")
web.addFilter(OneIn(3))
logging.getLogger("shop.db").addFilter(lambda record: "password" not in record.getMessage())

for number in range(1, 7):
    web.warning("request %d", number)
logging.getLogger("shop.db").warning("password is %s", "secret")
logging.getLogger("shop.db").warning("connected")
logging.getLogger("shopping").warning("not below `shop`")

# prints:
# shop.web request 1
# shop.web request 4
# shop.db connected
