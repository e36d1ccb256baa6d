"""FemtoSocketHandler(numbered=True) and femtolog verify: records that were dropped are missing at the other end, and are named."""

import logging
import socket
import subprocess
import sys

from femtolog import LogServer
from femtolog.femto import FemtoSocketHandler

with socket.create_server(("127.0.0.1", 0)) as taken:
    port = taken.getsockname()[1]  # nobody listens there from here on

logging.raiseExceptions = False  # else the standard error tells of drops
handler = FemtoSocketHandler("127.0.0.1", port, capacity=3, numbered=True, backoff={"base_ms": 10, "cap_ms": 20})
log = logging.getLogger("orders")
log.addHandler(handler)
for number in range(1, 6):
    log.warning("order %d", number)  # there is room for three

received = logging.FileHandler("received.log")
received.setFormatter(logging.Formatter("boot_id=%(boot_id)s seq=%(seq)d %(message)s"))
with LogServer(received, tcp=("127.0.0.1", port)) as server:
    server.wait_for(3)
    handler.flush(10)
    log.warning("order 6")
    server.wait_for(4)
log.removeHandler(handler)
handler.close()
received.close()

boot_id, last = handler.numbers()
verify = [sys.executable, "-m", "femtolog", "verify", "--in-order", "--last", f"{boot_id}={last}", "received.log"]
done = subprocess.run(verify, capture_output=True, text=True, check=False)
print(done.returncode, done.stdout.removeprefix(boot_id), end="")

# prints:
# 1 : 4 records, 1 to 6, 2 missing: 4 to 5
