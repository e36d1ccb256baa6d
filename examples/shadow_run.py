"""A shadow run: the program logs through the standard library, femtolog does every record again and compares."""

import pathlib
import subprocess
import sys

pathlib.Path("shop.py").write_text(
    """\
import logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(funcName)s %(message)s")
def pay(order):
    logging.getLogger("shop").info("order %d paid", order)
pay(17)
pay(18)
"""
)
done = subprocess.run([sys.executable, "-m", "femtolog", "shadow", "shop.py"], text=True, capture_output=True, check=True)
print(done.stdout, end="")
print(done.stderr.splitlines()[0])

# prints:
# INFO pay order 17 paid
# INFO pay order 18 paid
# femtolog shadow: 0 differences in 2 records
