"""Sinks: any object with handle() or handle_record() is one; StdlibHandlerAdapter makes one of a handler of logging."""

import logging
import sys

from femtolog.femto import StdlibHandlerAdapter, get_logger


class Shelves:
    """Gets records as dicts, by a thread of its own: it has a handle_record()."""

    def __init__(self):
        self.seen = []

    def handle(self, logger, level, message):
        raise AssertionError("never called, as there is a handle_record()")

    def handle_record(self, record):
        self.seen.append((record["level"], record["message"], record["metadata"]["key_values"]))


log = get_logger("shop")
shelves = Shelves()
log.add_handler(shelves)
log.warning("low", extra={"shelf": 4})
log.info("open")
print(log.flush_handlers(), shelves.seen)

# Records that come from elsewhere, a file or another language, for the handlers of logging.
screen = logging.StreamHandler(sys.stdout)
screen.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s, line %(lineno)d, shelf %(shelf)s"))
screen.setLevel("INFO")
adapter = StdlibHandlerAdapter(screen)
metadata = {"line_number": 12, "key_values": {"shelf": "4"}}
adapter.handle_record({"logger": "stock", "level": "WARN", "message": "low", "metadata": metadata})
adapter.handle_record({"logger": "stock", "level": "TRACE", "message": "counted", "metadata": metadata})

# prints:
# True [('WARN', 'low', {'shelf': 4}), ('INFO', 'open', {})]
# WARNING stock low, line 12, shelf 4
