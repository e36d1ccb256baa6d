"""`python -m femtolog recover`: what a program has logged before a segfault, which its file does not have."""

import pathlib
import re
import subprocess
import sys

PROGRAM = """
import ctypes, logging, resource
from femtolog.blackbox import BlackBoxHandler

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no core dump
file = logging.FileHandler("shop.log")
file.setLevel(logging.INFO)
logging.basicConfig(handlers=[file, BlackBoxHandler("shop.ring")], format="%(levelname)s %(message)s", level=logging.DEBUG)
logging.info("open")
logging.debug("asking the printer")
ctypes.string_at(0)
"""

done = subprocess.run([sys.executable, "-c", PROGRAM], check=False)
print("ended well:", done.returncode == 0)
print(pathlib.Path("shop.log").read_text(), end="")

done = subprocess.run([sys.executable, "-m", "femtolog", "recover", "shop.ring"], capture_output=True, text=True, check=True)
print(re.sub(r"process \d+", "process <pid>", done.stderr), end="")
print(done.stdout, end="")

nothing = subprocess.run([sys.executable, "-m", "femtolog", "recover", "shop.log"], capture_output=True, text=True, check=False)
print(nothing.returncode, nothing.stderr, end="")
pathlib.Path("shop.ring").unlink()

# prints:
# ended well: False
# INFO open
# shop.ring: 2 records of process <pid>, the first of them its 1. Torn entries that were skipped: 0
# INFO open
# DEBUG asking the printer
# 1 femtolog recover: shop.log is no black box of femtolog
