"""FemtoSocketHandler(unix_path=…, wire_format="cbor"): records as CBOR over a socket in the file system, where only this user may connect."""

import logging
import os
import stat
import sys
import tempfile

from femtolog.femto import SocketHandlerBuilder, get_logger
from femtolog.server import LogServer

console = logging.StreamHandler(sys.stdout)
console.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s, shelf %(shelf)s"))

# The path of a socket has about 100 bytes at most, wherever the program runs.
with tempfile.TemporaryDirectory() as folder, LogServer(console, unix=os.path.join(folder, "log.sock")) as server:
    path = server.addresses["unix"]
    print(stat.filemode(os.stat(path).st_mode), flush=True)
    handler = SocketHandlerBuilder().with_unix_path(path).with_format("cbor").with_overflow_policy("block").build()
    log = get_logger("shop")
    log.add_handler(handler)
    for shelf in range(1, 4):
        log.warning("low", extra={"shelf": shelf})
    handler.close()
    server.wait_for(3)
    print(handler.stats()["written"], server.stats()["records"])

# prints:
# srw-------
# shop WARNING low, shelf 1
# shop WARNING low, shelf 2
# shop WARNING low, shelf 3
# 3 3
