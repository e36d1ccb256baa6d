"""Handlers and loggers that exist already are covered as well, and uninstall() puts everything back."""

import logging
import sys

import femtolog

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
log = logging.getLogger("shop")
log.info("the standard library wrote this")

with femtolog.installed():
    log.info("femtolog wrote this, by the same logger and the same handler")
    print(femtolog.stats()["native"], "record ran natively")

log.info("and the standard library this")
print(femtolog.is_installed())

# prints:
# the standard library wrote this
# femtolog wrote this, by the same logger and the same handler
# 1 record ran natively
# and the standard library this
# False
