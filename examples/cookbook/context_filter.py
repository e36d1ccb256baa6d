"""A filter that lets everything pass and puts context on the record."""

import logging
import sys

current = {"user": "nobody", "ip": "-"}


class Context(logging.Filter):
    """Adds who is being served."""

    def filter(self, record):
        record.user, record.ip = current["user"], current["ip"]
        return True


logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(levelname)-7s %(ip)-12s %(user)-6s %(message)s")
log = logging.getLogger("shop.web")
log.addFilter(Context())

for user, ip in [("ada", "192.0.2.1"), ("bob", "192.0.2.77")]:
    current.update(user=user, ip=ip)
    log.debug("asks for %s", "tea")
    log.warning("pays %d", 3)

# prints:
# DEBUG   192.0.2.1    ada    asks for tea
# WARNING 192.0.2.1    ada    pays 3
# DEBUG   192.0.2.77   bob    asks for tea
# WARNING 192.0.2.77   bob    pays 3
