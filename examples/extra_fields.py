"""extra=: fields of one's own on a record, for formats, filters and handlers; the record's own names are taken."""

import logging
import sys

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(levelname)s [%(user)s] %(message)s", defaults={"user": "-"}))
log = logging.getLogger("shop")
log.addHandler(handler)

log.warning("stock is low")
log.warning("order %d refused", 17, extra={"user": "ada"})
try:
    log.warning("x", extra={"name": "taken"})
except KeyError as error:
    print(error)

# prints:
# WARNING [-] stock is low
# WARNING [ada] order 17 refused
# "Attempt to overwrite 'name' in LogRecord"
