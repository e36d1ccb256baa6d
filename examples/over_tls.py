"""FemtoSocketHandler(tls=…): records over TLS, with certificates of both sides. What the peer decrypts, a LogServer takes."""

import logging
import socket
import ssl
import subprocess
import sys
import threading

from femtolog.femto import SocketHandlerBuilder, get_logger
from femtolog.server import LogServer

# One certificate for both sides, signed by itself; programs in earnest have an authority's.
new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
new += " -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -out cert.pem -keyout key.pem"
subprocess.run(new.split(), check=True, capture_output=True)

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile="cert.pem")
context.load_cert_chain("cert.pem", "key.pem")
context.verify_mode = ssl.CERT_REQUIRED  # who has no certificate is nobody


def decrypt(listening, address):
    """What proxies do that are put before a server: one connection after the other."""
    while True:
        try:
            accepted, _ = listening.accept()
        except OSError:
            return
        with accepted:
            try:
                encrypted = context.wrap_socket(accepted, server_side=True)
            except OSError:
                continue
            with encrypted, socket.create_connection(address) as plain:
                while data := encrypted.recv(65536):
                    plain.sendall(data)


console = logging.StreamHandler(sys.stdout)
console.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
log = get_logger("shop")

with LogServer(console, tcp=("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as listening:
    proxy = threading.Thread(target=decrypt, args=(listening, server.addresses["tcp"]))
    proxy.start()
    to = SocketHandlerBuilder().with_tcp(*listening.getsockname()).with_overflow_policy("block")
    handler = to.with_tls("localhost", ca_file="cert.pem", cert_file="cert.pem", key_file="key.pem").build()
    log.add_handler(handler)
    for number in range(1, 4):
        log.warning(f"order {number} unpaid")
    handler.close()
    server.wait_for(3)
    print(handler.stats()["written"], server.stats()["records"], flush=True)
    log.remove_handler(handler)

    # A name that is not the certificate's: nothing is sent.
    stranger = to.with_tls("example.org", ca_file="cert.pem", cert_file="cert.pem", key_file="key.pem")
    stranger = stranger.with_backoff({"base_ms": 10, "cap_ms": 20, "deadline_ms": 100}).build()
    logging.raiseExceptions = False  # nothing on sys.stderr of what is dropped
    stranger.handle(logging.makeLogRecord({"name": "shop", "levelname": "ERROR", "msg": "secret"}))
    print(
        stranger.flush(timeout=10), stranger.stats()["dropped_by"]["deadline"], "not valid for name" in stranger.stats()["error"]
    )
    stranger.close()
    listening.shutdown(socket.SHUT_RDWR)
    proxy.join()

# prints:
# shop WARNING order 1 unpaid
# shop WARNING order 2 unpaid
# shop WARNING order 3 unpaid
# 3 3
# False 1 True
