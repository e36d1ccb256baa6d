"""`python -m femtolog serve`: a LogServer that writes what it gets to the standard output or to a file."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import signal
import sys

from femtolog.femto.formatting import extra_of
from femtolog.server import LogServer

FORMAT = "%(asctime)s %(name)s [%(levelname)s] %(message)s"


class JSONFormatter(logging.Formatter):
    """An object in each line, with the names that FemtoHTTPHandler gives the fields of a record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = {
            "name": record.name,
            "levelname": record.levelname,
            "msg": record.getMessage(),
            "created": record.created,
            "filename": record.pathname,
            "lineno": record.lineno,
            "module": record.module,
            "thread": record.thread,
            "threadName": record.threadName,
        }
        for name in ("exc_text", "stack_info"):
            if text := getattr(record, name):
                fields[name] = text
        for name, value in extra_of(record).items():
            fields[f"extra_{name}" if name in fields else name] = value
        return json.dumps(fields, default=str)


def main(arguments: list[str]) -> None:
    """Serve until SIGINT or SIGTERM, then say on sys.stderr what came."""
    parser = argparse.ArgumentParser(
        prog="python -m femtolog serve",
        description="Take records from other processes and write them. HOST is 127.0.0.1 unless given.",
    )
    parser.add_argument("--tcp", metavar="[HOST:]PORT", type=_address, help="for FemtoSocketHandler and SocketHandler (9020)")
    parser.add_argument("--unix", metavar="PATH", help="a socket in the file system, for this user")
    parser.add_argument(
        "--udp", metavar="[HOST:]PORT", type=_address, help="a frame in each datagram, as DatagramHandler sends them"
    )
    parser.add_argument("--output", metavar="FILE", help="append to this file instead of writing to the standard output")
    parser.add_argument("--format", default=FORMAT, help="of a line, as logging.Formatter takes it")
    parser.add_argument("--json", action="store_true", help="write an object of JSON in each line, for femtolog verify")
    parser.add_argument("--max-frame-size", metavar="BYTES", type=_size, default=1 << 20, help="of a payload, at most")
    parser.add_argument(
        "--allow-pickle", action="store_true", help="take SocketHandler's pickles: whoever connects can run anything here"
    )
    options = parser.parse_args(arguments)
    tcp = options.tcp if options.tcp or options.unix or options.udp else ("127.0.0.1", 9020)
    handler = logging.FileHandler(options.output, encoding="utf-8") if options.output else logging.StreamHandler(sys.stdout)
    handler.setFormatter(JSONFormatter() if options.json else logging.Formatter(options.format))
    try:
        server = LogServer(
            handler,
            tcp=tcp,
            unix=options.unix,
            udp=options.udp,
            allow_pickle=options.allow_pickle,
            max_frame_size=options.max_frame_size,
        )
    except OSError as error:
        sys.exit(f"femtolog serve: {error}")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    with server, contextlib.suppress(KeyboardInterrupt):
        sys.stderr.write(f"{server!r}\n")
        server.join()
    sys.stderr.write(" ".join(f"{name}={count}" for name, count in server.stats().items()) + "\n")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 0xFFFF:
        raise argparse.ArgumentTypeError(f"a port is a number up to 65535, got {port!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def _size(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a number of bytes, 1 or more, got {text!r}")
    return int(text)
