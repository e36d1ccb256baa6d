"""SysLogHandler with a mark that the message is UTF-8, as RFC 5424 wants it."""

import logging
import logging.handlers
import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("localhost", 0))
    handler = logging.handlers.SysLogHandler(server.getsockname(), logging.handlers.SysLogHandler.LOG_LOCAL3)
    handler.setFormatter(logging.Formatter("shop:\ufeff%(message)s"))
    log = logging.getLogger("shop")
    log.addHandler(handler)
    log.warning("no tea, only ☕")
    print(server.recv(1000))
    handler.ident = "front "
    log.error("no ☕ either")
    print(server.recv(1000))
    log.removeHandler(handler)
    handler.close()

# prints:
# b'<156>shop:\xef\xbb\xbfno tea, only \xe2\x98\x95\x00'
# b'<155>front shop:\xef\xbb\xbfno \xe2\x98\x95 either\x00'
