"""`python -m femtolog serve` and `verify`: a process of its own takes the records of others, and a command says whether any is missing."""

import itertools
import re
import signal
import subprocess
import sys

PROGRAM = """
import logging, sys
from femtolog.femto import FemtoSocketHandler

port, name = sys.argv[1:]
log = logging.getLogger(name)
log.addHandler(FemtoSocketHandler("127.0.0.1", int(port), numbered=True, policy="block"))
for number in range(1, 101):
    log.warning("order %d", number)
"""
FEMTOLOG = [sys.executable, "-m", "femtolog"]

# Port 0 is any that is free; the first line on the standard error says which. Without --output records go to the standard output.
serve = [*FEMTOLOG, "serve", "--tcp", "0", "--json"]
with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
    port = re.search(r"(\d+)\)", server.stderr.readline())[1]
    senders = [subprocess.Popen([sys.executable, "-c", PROGRAM, port, name]) for name in ("shop", "till")]
    lines = list(itertools.islice(server.stdout, 200))
    print([sender.wait() for sender in senders])
    server.send_signal(signal.SIGTERM)
    print(server.stderr.read(), end="")


def verify(lines):
    with open("all.jsonl", "w") as file:
        file.writelines(lines)
    done = subprocess.run([*FEMTOLOG, "verify", "all.jsonl"], stdout=subprocess.PIPE, text=True, check=False)
    print(done.returncode)
    print(re.sub(r"[0-9a-f]{32}", "<boot_id>", done.stdout), end="")


verify(lines)
verify(line for line in lines if '"msg": "order 7"' not in line)

# prints:
# [0, 0]
# records=200 refused=0 garbage=0 oversize=0 half=0 connections=2
# 0
# <boot_id>: 100 records, 1 to 100, none missing
# <boot_id>: 100 records, 1 to 100, none missing
# 1
# <boot_id>: 99 records, 1 to 100, 1 missing: 7
# <boot_id>: 99 records, 1 to 100, 1 missing: 7
