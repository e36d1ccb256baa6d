"""Every record has one more field: a record factory around the one that was there."""

import logging
import sys

before = logging.getLogRecordFactory()


def factory(*args, **kwargs):
    record = before(*args, **kwargs)
    record.short = record.name.rpartition(".")[2]
    return record


logging.setLogRecordFactory(factory)
logging.basicConfig(stream=sys.stdout, format="%(short)s: %(message)s")
logging.getLogger("shop.web.orders").warning("%(count)d orders", {"count": 3})
logging.setLogRecordFactory(before)

# prints:
# orders: 3 orders
