"""enqueue() under gevent: the worker is a greenlet, and a log call that waits for room lets the other greenlets go on."""

import gevent.monkey

gevent.monkey.patch_all()  # before anything else is imported

import logging
import time

import gevent

import femtolog

femtolog.install()


class Slow:
    """A sink that takes 1 ms for each line."""

    lines = 0

    def write(self, text):
        time.sleep(0.001)
        self.lines += 1

    def flush(self):
        pass


ticks = 0


def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.001)


handler = femtolog.enqueue(logging.StreamHandler(Slow()), capacity=10)
log = logging.getLogger("shop")
log.addHandler(handler)


def sell(till):
    for order in range(20):
        log.warning("order %d of till %d", order, till)


ticking = gevent.spawn(tick)
gevent.joinall([gevent.spawn(sell, till) for till in range(5)])
print(handler.flush(timeout=10), handler.stream.lines, "the others went on:", ticks > 10)
ticking.kill()
handler.close()
stats = handler.stats()
print({name: stats[name] for name in ("emitted", "written", "failed", "dropped", "in_flight")})

# prints:
# True 100 the others went on: True
# {'emitted': 100, 'written': 100, 'failed': 0, 'dropped': 0, 'in_flight': 0}
