"""ecs-logging's formatter."""
# requires: ecs-logging==2.3.0
# mask: "@timestamp":"[^"]*" => "@timestamp":"?"
# mask: "(id|pid)":\d+ => "\1":0

import logging
import sys

import ecs_logging

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(ecs_logging.StdlibFormatter(exclude_fields=["log.origin.file.line"], extra={"app": "shop"}))
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(10)
pass  # late install


def work():
    log.info("paid %s", 1, extra={"http.request.method": "get", "order": 17})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken")


work()
