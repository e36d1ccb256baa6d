"""FemtoSocketHandler and LogServer: records over TCP, by threads; each is accounted for on both sides."""

import logging
import sys

from femtolog.femto import FemtoSocketHandler, get_logger
from femtolog.server import LogServer

console = logging.StreamHandler(sys.stdout)
console.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

with LogServer(console, tcp=("127.0.0.1", 0)) as server:
    handler = FemtoSocketHandler(*server.addresses["tcp"], policy="block")
    log = get_logger("shop")
    log.add_handler(handler)
    for number in range(1, 4):
        log.warning(f"order {number} unpaid")
    handler.close()
    server.wait_for(3)
    stats = handler.stats()
    print({name: stats[name] for name in ("emitted", "written", "dropped")}, server.stats()["records"])

# prints:
# shop WARNING order 1 unpaid
# shop WARNING order 2 unpaid
# shop WARNING order 3 unpaid
# {'emitted': 3, 'written': 3, 'dropped': 0} 3
