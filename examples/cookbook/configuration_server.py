"""A running program takes a new configuration over a socket, on this machine only."""

import json
import logging.config
import socket
import struct
import sys

logging.basicConfig(stream=sys.stdout, format="%(message)s")
log = logging.getLogger("shop")
log.info("not seen yet")

server = logging.config.listen(0, verify=lambda text: text if text.startswith(b"{") else None)
server.start()
server.ready.wait()
config = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"new": {"format": "%(levelname)s %(message)s"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "new"}},
    "root": {"level": "INFO", "handlers": ["out"]},
}
text = json.dumps(config).encode()
with socket.create_connection(("localhost", server.port)) as client:
    client.sendall(struct.pack(">L", len(text)) + text)
    client.shutdown(socket.SHUT_WR)
    client.recv(1)  # nothing: the server has closed, and configured before that
logging.config.stopListening()
server.join()
log.info("seen from now on")

# prints:
# INFO seen from now on
