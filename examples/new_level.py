"""A level of one's own, with its methods: add_level()."""

import logging
import sys

import femtolog

femtolog.install()
femtolog.add_level("NOTICE", 25)
logging.basicConfig(stream=sys.stdout, level="NOTICE", format="%(levelname)s %(funcName)s: %(message)s")


def open_shop():
    logging.getLogger("shop").info("not seen")
    logging.getLogger("shop").notice("open until %d", 18)


open_shop()

# prints:
# NOTICE open_shop: open until 18
