"""python-json-logger: fields, renamed and static, extra, exceptions, a message that is a dict."""
# requires: python-json-logger==4.2.0

import datetime
import logging
import sys

from pythonjsonlogger.json import JsonFormatter

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(
    JsonFormatter(
        "%(levelname)s %(name)s %(funcName)s %(message)s", rename_fields={"levelname": "level"}, static_fields={"app": "shop"}
    )
)
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(10)
pass  # late install


def work():
    log.info("paid %s", 1, extra={"order": 17, "when": datetime.date(2026, 1, 2)})
    log.warning({"message": "a dict", "more": [1, 2]})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken", stack_info=True)


work()
