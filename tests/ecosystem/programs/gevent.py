"""gevent, everything monkey-patched: greenlets that log and wait, names of greenlets, a handler's lock."""
# requires: gevent==26.9.0

from gevent import monkey

monkey.patch_all()
import logging
import sys
import threading
import time

import gevent

logging.basicConfig(stream=sys.stdout, level=0, format="%(levelname)s %(name)s %(message)s")
log = logging.getLogger("shop")
pass  # late install


class Slow(logging.Handler):
    def emit(self, record):
        gevent.sleep(0.001)
        print("slow", record.getMessage())


log.addHandler(Slow())


def work(number):
    for turn in range(3):
        log.info("greenlet %d turn %d", number, turn)
        time.sleep(0)


for number in range(3):
    gevent.spawn(work, number).join()
gevent.joinall([gevent.spawn(log.warning, "together") for _ in range(5)])
thread = threading.Thread(target=log.error, args=("in a thread that is a greenlet",))
thread.start()
thread.join()
