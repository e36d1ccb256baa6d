"""verboselogs: a Logger class with levels of its own, installed by setLoggerClass."""
# requires: verboselogs==1.7

import logging
import sys

import verboselogs

verboselogs.install()
logging.basicConfig(stream=sys.stdout, level="SPAM", format="%(levelname)s %(name)s %(funcName)s:%(lineno)d %(message)s")
log = logging.getLogger("shop")
pass  # late install


def work():
    log.spam("spam %s", 1)
    log.verbose("verbose")
    log.notice("notice", extra={"a": 1})
    log.success("success")
    log.warning("warning")


work()
print(type(log).__name__, logging.getLevelName("NOTICE"))
