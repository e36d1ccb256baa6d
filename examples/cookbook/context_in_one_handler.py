"""One handler shows a record otherwise than the others: it formats a changed copy."""

import copy
import logging
import sys


class Anonymous(logging.Formatter):
    """Hides the user, in a copy, so that the other handler still sees them."""

    def format(self, record):
        record = copy.copy(record)
        record.user = "***"
        return super().format(record)


log = logging.getLogger("shop")
for formatter in (Anonymous("public:  %(user)s %(message)s"), logging.Formatter("private: %(user)s %(message)s")):
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    log.addHandler(handler)
log.warning("pays %d", 3, extra={"user": "ada"})

# prints:
# public:  *** pays 3
# private: ada pays 3
