"""A module that logs and configures nothing."""

import logging

log = logging.getLogger("shop.warehouse")


class Shelf:
    """Holds one kind of thing."""

    def __init__(self, kind):
        self.log = logging.getLogger(f"shop.warehouse.{kind}")
        self.kind = kind
        log.debug("a shelf of %s", kind)

    def take(self, count):
        self.log.warning("%d taken, %d left", count, 5 - count)
        return [self.kind] * count
