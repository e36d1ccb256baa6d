"""QueueHandler and QueueListener: the thread that logs does not wait for a slow handler."""

import logging.handlers
import queue
import sys

waiting = queue.Queue()
screen = logging.StreamHandler(sys.stdout)
screen.setFormatter(logging.Formatter("%(threadName)s logged: %(message)s"))

listener = logging.handlers.QueueListener(waiting, screen, respect_handler_level=True)
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.addHandler(logging.handlers.QueueHandler(waiting))

listener.start()
for order in range(3):
    log.info("order %d", order)
listener.stop()  # after what is in the queue has been written

# prints:
# MainThread logged: order 0
# MainThread logged: order 1
# MainThread logged: order 2
