"""enqueue(overflow="timeout:N", protect_level=…, on_drop=…): who has to go when a sink hangs, and who is told."""

import collections
import logging
import sys
import threading

import femtolog

femtolog.install()
logging.raiseExceptions = False  # nothing on sys.stderr of what is dropped


class Hanging:
    """A sink that hangs in its first line, until told to go on."""

    reached, goes_on = threading.Event(), threading.Event()

    def write(self, text):
        self.reached.set()
        self.goes_on.wait(30)
        sys.stdout.write(text)

    def flush(self):
        pass


lost = collections.Counter()
handler = femtolog.enqueue(
    logging.StreamHandler(Hanging()),
    capacity=4,
    overflow="timeout:20",  # milliseconds
    protect_level=logging.ERROR,
    on_drop=lambda reason, n: lost.update({reason: n}),
)
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
log = logging.getLogger("shop")
log.addHandler(handler)

log.warning("order 1")
Hanging.reached.wait(30)  # the worker has this one, and will not come back
for order in range(2, 5):
    log.warning("order %d", order)
log.error("no paper")  # waits for room; then order 4 has to go, the last one below ERROR
log.warning("order 5")  # waits for room; then it has to go itself
print(handler.stats()["dropped_by"]["timeout"], "dropped", flush=True)
Hanging.goes_on.set()
handler.close()
print(dict(lost), flush=True)

# prints:
# 2 dropped
# WARNING order 1
# WARNING order 2
# WARNING order 3
# ERROR no paper
# {'timeout': 2}
