"""What a record costs until the system has taken it for a peer on this machine, which reads what arrives in a process of its own."""

import atexit
import logging
import pathlib
import pickle
import subprocess
import sys
import time
from typing import Any

from benches.asynchronous import HELLO, LINE
from benches.measure import Bench, Scenario

# Keeps what arrives on one connection.
PEER = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server, open(sys.argv[1], "ab", buffering=0) as kept:
    print(server.getsockname()[1], flush=True)
    connection, _ = server.accept()
    while data := connection.recv(1 << 20):
        kept.write(data)
"""
END = "this is all"


def sent(bench: Bench) -> None:
    """The stdlib's SocketHandler, and femtolog's, whose queue is empty at the end of a turn."""
    path = bench.folder / "arrived"
    path.touch()
    peer = subprocess.Popen([sys.executable, "-P", "-c", PEER, str(path)], stdout=subprocess.PIPE, text=True)
    atexit.register(peer.kill)
    assert peer.stdout is not None
    port = int(peer.stdout.readline())
    handler: Any
    if bench.side == "femtolog":
        from femtolog import _native, femto  # not before: the stdlib is timed before femtolog is imported

        def text(payload: bytes) -> str:
            record = _native.decode_payload(payload, "msgpack")
            return f"{record['level']} {record['message']}\n"

        handler = femto.FemtoSocketHandler("127.0.0.1", port, capacity=1 << 30, policy="block")
        bench.finish = lambda: handler.flush(60)
    else:

        def text(payload: bytes) -> str:
            record = pickle.loads(payload)  # of this process's own
            return f"{record['levelname']} {record['msg']}\n"

        handler = bench.handlers.SocketHandler("127.0.0.1", port)
    bench.names["info"] = bench.logger(handler).info

    def take() -> list[str]:
        handler.handle(logging.makeLogRecord({"msg": END, "levelname": "END"}))
        while not (payloads := _payloads(path)) or text(payloads[-1]) != f"END {END}\n":
            time.sleep(0.001)
        with path.open("r+b") as emptied:
            emptied.truncate()
        return [text(payload) for payload in payloads[:-1]]

    bench.take = take


def _payloads(path: pathlib.Path) -> list[bytes]:
    """All frames that have arrived whole."""
    data, at, found = path.read_bytes(), 0, []
    while len(data) >= at + 4 and len(data) >= (end := at + 4 + int.from_bytes(data[at : at + 4])):
        found.append(data[at + 4 : end])
        at = end
    return found


SCENARIOS = [
    Scenario("SocketHandler; femtolog: FemtoSocketHandler", HELLO, sent, LINE, picologging="it has no FemtoSocketHandler"),
]
