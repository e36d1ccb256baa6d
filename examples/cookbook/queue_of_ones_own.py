"""QueueHandler and QueueListener over something that is no queue: a pair of sockets, JSON between them."""

import json
import logging
import logging.handlers
import socket
import sys


class JSONHandler(logging.handlers.QueueHandler):
    """Sends each record as a line of JSON."""

    def enqueue(self, record):
        fields = {name: value for name, value in vars(record).items() if isinstance(value, str | int | float | None)}
        self.queue.write(json.dumps(fields) + "\n")
        self.queue.flush()


class JSONListener(logging.handlers.QueueListener):
    """Receives them."""

    def dequeue(self, block):
        return logging.makeLogRecord(json.loads(line)) if (line := self.queue.readline()) else self._sentinel

    def enqueue_sentinel(self):
        there.close()


here, there = socket.socketpair()
screen = logging.StreamHandler(sys.stdout)
screen.setFormatter(logging.Formatter("%(name)s %(levelname)s %(lineno)d %(message)s"))
with here, there.makefile("w") as writing, here.makefile() as reading:
    handler = JSONHandler(writing)
    listener = JSONListener(reading, screen)
    listener.start()
    log = logging.getLogger("shop")
    log.addHandler(handler)
    log.warning("order %d: %s", 17, ["tea"])
    log.removeHandler(handler)
    writing.close()
    listener.stop()

# prints:
# shop WARNING 38 order 17: ['tea']
