"""coloredlogs.install: its handler, its copy of a record by __class__ assignment."""
# requires: coloredlogs==15.0.1
# mask: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d => time

import logging
import sys

import coloredlogs

log = logging.getLogger("shop")
coloredlogs.install(level="DEBUG", stream=sys.stdout, isatty=True, fmt="%(asctime)s %(name)s %(levelname)s %(message)s")
pass  # late install
log.info("paid %s", 1)
log.debug("detail")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken")
coloredlogs.decrease_verbosity()
log.debug("hidden")
