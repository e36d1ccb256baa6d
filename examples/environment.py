"""FEMTOLOG=1 installs femtolog under a program that does not know it; femtolog-run does the same."""

import os
import subprocess
import sys

PROGRAM = "import logging; print('who loaded it:', type(logging.__spec__.loader).__module__)"

for value in ("", "1"):
    environment = {**os.environ, "FEMTOLOG": value}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)

# prints:
# who loaded it: _frozen_importlib_external
# who loaded it: femtolog_compat
