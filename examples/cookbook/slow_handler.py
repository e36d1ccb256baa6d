"""A handler that takes its time works in a thread of its own; the caller goes on."""

import logging
import logging.handlers
import queue
import sys
import threading

bank = threading.Event()


class Slow(logging.StreamHandler):
    """Stands for mail, a database, a web service."""

    def emit(self, record):
        bank.wait()
        super().emit(record)


waiting = queue.SimpleQueue()
listener = logging.handlers.QueueListener(waiting, Slow(sys.stdout))
log = logging.getLogger("shop")
log.addHandler(logging.handlers.QueueHandler(waiting))
listener.start()
try:
    1 / 0
except ZeroDivisionError:
    log.exception("order %d not paid", 17)
print("the program goes on")
bank.set()
listener.stop()

# prints:
# the program goes on
# order 17 not paid
# Traceback (most recent call last):
#   File "cookbook/slow_handler.py", line 26, in <module>
#     1 / 0
#     ~~^~~
# ZeroDivisionError: division by zero
