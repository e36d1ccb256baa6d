"""enqueue(on_error=…): a sink breaks, and the program is told how many records it has cost."""

import logging

import femtolog

femtolog.install()
logging.raiseExceptions = False  # no tracebacks of failing handlers


class Broken:
    """A sink that cannot write."""

    def write(self, text):
        raise OSError("no route to the collector")

    def flush(self):
        pass


failed = []
handler = femtolog.enqueue(logging.StreamHandler(Broken()), on_error=lambda error, n: failed.append((error, n)))
log = logging.getLogger("shop")
log.addHandler(handler)
for number in range(20):
    log.warning("order %d", number)
handler.close()
print(failed[0][0], sum(n for error, n in failed))

# prints:
# no route to the collector 20
