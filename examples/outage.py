"""FemtoSocketHandler(replay=True): nobody listens, and what is logged waits on disk; it is sent in order when somebody does.

Where there is a fallback, and no replay, it has the records instead.
"""

import logging
import socket
import sys

from femtolog.femto import FemtoSocketHandler
from femtolog.server import LogServer

console = logging.StreamHandler(sys.stdout)
console.setFormatter(logging.Formatter("%(name)s: %(message)s"))

with socket.create_server(("127.0.0.1", 0)) as taken:
    port = taken.getsockname()[1]  # nobody listens there from here on

quick = {"base_ms": 5, "cap_ms": 20, "deadline_ms": 50}
handler = FemtoSocketHandler("127.0.0.1", port, capacity=10, backoff=quick, replay=True, spool_dir="spool")
log = logging.getLogger("orders")
log.addHandler(handler)
for number in range(1000):
    log.warning("order %d", number)
print("sent", handler.stats()["written"], "dropped", handler.stats()["dropped"], flush=True)

seen = []
collect = logging.Handler()
collect.emit = lambda record: seen.append(record.getMessage())
with LogServer(collect, tcp=("127.0.0.1", port)) as server:
    server.wait_for(1000)
print("in order:", seen == [f"order {number}" for number in range(1000)])
handler.close()

beside = FemtoSocketHandler("127.0.0.1", port, backoff=quick, fallback=console)
log.removeHandler(handler)
log.addHandler(beside)
log.warning("nobody listens any more")
beside.flush(10)
stats = beside.stats()
print({name: stats[name] for name in ("emitted", "written", "failed", "fallback", "dropped")})
log.removeHandler(beside)
beside.close()

# prints:
# sent 0 dropped 0
# in order: True
# orders: nobody listens any more
# {'emitted': 1, 'written': 0, 'failed': 1, 'fallback': 1, 'dropped': 0}
