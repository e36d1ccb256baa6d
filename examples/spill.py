"""enqueue(overflow="spill"): a sink that hangs and a process that is killed; the next process writes what was on disk."""

import logging
import subprocess
import sys

import femtolog

PROGRAM = """
import logging, os, signal, sys, threading, femtolog

class Hanging:
    def write(self, text):
        threading.Event().wait()
    def flush(self):
        pass

log = logging.getLogger("orders")
log.addHandler(femtolog.enqueue(logging.StreamHandler(Hanging()), capacity=2, overflow="spill", spill_dir="spool"))
for number in range(5):
    log.warning("order %d", number)
os.kill(os.getpid(), signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
"""

killed = subprocess.run([sys.executable, "-c", PROGRAM], check=False)
print("killed:", killed.returncode != 0, flush=True)

femtolog.install()
handler = femtolog.enqueue(logging.StreamHandler(sys.stdout), overflow="spill", spill_dir="spool", spill_max="100 MB")
log = logging.getLogger("orders")
log.addHandler(handler)
log.warning("order 5")
handler.close()
stats = handler.stats()
print({name: stats[name] for name in ("emitted", "written", "recovered", "on_disk")})

# prints:
# killed: True
# order 2
# order 3
# order 4
# order 5
# {'emitted': 4, 'written': 4, 'recovered': 3, 'on_disk': 0}
