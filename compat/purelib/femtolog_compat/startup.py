"""What `femtolog.pth` imports when FEMTOLOG is set: installs at start-up, before the program's first line.

Whatever goes wrong here, the interpreter starts: without femtolog, and with one line on stderr that says why.
"""

import os
import sys

_OFF = frozenset({"", "0", "false", "no", "off"})

if os.environ.get("FEMTOLOG", "").lower() not in _OFF:
    try:
        from femtolog_compat import install

        install()
    except Exception as error:  # noqa: BLE001 - any of them would end the interpreter's start
        if sys.stderr is not None:
            sys.stderr.write(f"femtolog: not installed at start-up: {error}\n")
