"""eventlet, everything monkey-patched: green threads that log and wait."""
# requires: eventlet==0.41.3

import warnings

warnings.simplefilter("ignore")
import eventlet

eventlet.monkey_patch()
import logging
import sys

logging.basicConfig(stream=sys.stdout, level=0, format="%(levelname)s %(name)s %(message)s")
log = logging.getLogger("shop")
pass  # late install


class Slow(logging.Handler):
    def emit(self, record):
        eventlet.sleep(0)
        print("slow", record.getMessage())


log.addHandler(Slow())


def work(number):
    for turn in range(3):
        log.info("green thread %d turn %d", number, turn)


pool = eventlet.GreenPool()
for number in range(3):
    pool.spawn(work, number).wait()
for _ in range(5):
    pool.spawn(log.warning, "together")
pool.waitall()
