"""enqueue(): a slow sink is written by a thread; nothing waits for it, and every record is accounted for."""

import logging
import sys
import time

import femtolog

femtolog.install()


class Slow:
    """A sink that takes 20 ms for each line."""

    def write(self, text):
        time.sleep(0.02)
        sys.stdout.write(text)

    def flush(self):
        sys.stdout.flush()


handler = femtolog.enqueue(logging.StreamHandler(Slow()), capacity=100)
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
log = logging.getLogger("shop")
log.addHandler(handler)

basket = ["tea"]
for number in range(3):
    log.warning("order %d: %s", number, basket)
    basket.append("milk")  # after the call: not in its line
print(handler.flush(timeout=10), flush=True)
stats = handler.stats()
print({name: stats[name] for name in ("emitted", "written", "failed", "dropped", "in_flight")})

# prints:
# WARNING order 0: ['tea']
# WARNING order 1: ['tea', 'milk']
# WARNING order 2: ['tea', 'milk', 'milk']
# True
# {'emitted': 3, 'written': 3, 'failed': 0, 'dropped': 0, 'in_flight': 0}
