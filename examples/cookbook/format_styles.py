"""Formats in the three styles: %, { and $."""

import logging
import sys

log = logging.getLogger("shop")
log.propagate = False
record = logging.makeLogRecord(
    {"name": "shop", "levelname": "INFO", "msg": "%d orders", "args": (3,), "created": 0.25, "msecs": 250}
)
for style, text in [
    ("%", "%(asctime)s %(name)-6s|%(levelname)6s|%(message)s"),
    ("{", "{asctime} {name:<6}|{levelname:^6}|{message!r}"),
    ("$", "${asctime} $name|$levelname|$message $$"),
]:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(text, "%Y", style=style))
    handler.handle(record)

# prints:
# 1970 shop  |  INFO|3 orders
# 1970 shop  | INFO |'3 orders'
# 1970 shop|INFO|3 orders $
