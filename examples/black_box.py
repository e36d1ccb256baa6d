"""BlackBoxHandler: what a process has logged before it was killed."""

import os
import subprocess
import sys

from femtolog.blackbox import recover

PROGRAM = """
import logging, os, signal
from femtolog.blackbox import BlackBoxHandler

logging.basicConfig(handlers=[BlackBoxHandler("shop.ring", size=4096)], format="%(levelname)s %(message)s", level=logging.DEBUG)
for order in range(1000):
    logging.debug("order %d paid", order)
os.kill(os.getpid(), signal.SIGKILL)
"""

done = subprocess.run([sys.executable, "-c", PROGRAM], check=False)
found = recover("shop.ring")
print(done.returncode, found.texts[-2:], found.torn)
print(found.texts == [f"DEBUG order {number} paid" for number in range(found.first - 1, 1000)])
os.remove("shop.ring")

# prints:
# -9 ['DEBUG order 998 paid', 'DEBUG order 999 paid'] 0
# True
