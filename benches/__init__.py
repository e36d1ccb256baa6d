"""What logging costs: the stdlib, picologging and femtolog side by side in one process. `python -m benches [name ...]`.

One file per question; `measure.py` says how a number comes about, `report.py` how it is shown.
"""

import pathlib
import sys

_ROOT = pathlib.Path(__file__).resolve().parent.parent

# `python -m` puts the source tree first on the path. Where no extension was built into it, the installed package is meant.
if not any(_ROOT.glob("femtolog/_native*.so")):
    sys.path[:] = [entry for entry in sys.path if pathlib.Path(entry).resolve() != _ROOT]
