"""Syslog lines by RFC 5424, with structured data from extra=."""

import datetime
import logging
import logging.handlers
import socket


class RFC5424Handler(logging.handlers.SysLogHandler):
    """Builds the whole line itself."""

    append_nul = False

    def format(self, record):
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        data = " ".join(f'{name}="{value}"' for name, value in getattr(record, "data", {}).items())
        structured = f"[shop@32473 {data}]" if data else "-"
        return f"1 {when.replace('+00:00', 'Z')} - {record.name} {record.processName} - {structured} {super().format(record)}"


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("localhost", 0))
    handler = RFC5424Handler(server.getsockname())
    logging.getLogger("shop").addHandler(handler)
    for extra in ({}, {"data": {"order": 17, "user": "ada"}}):
        logging.getLogger("shop").warning("paid", extra=extra)
        print(server.recv(1000).decode())
    logging.getLogger("shop").removeHandler(handler)
    handler.close()

# prints:
# <12>1 2026-11-26T22:29:21.460Z - shop MainProcess - - paid
# <12>1 2026-11-26T22:29:21.460Z - shop MainProcess - [shop@32473 order="17" user="ada"] paid
