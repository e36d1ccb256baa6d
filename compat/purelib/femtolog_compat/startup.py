"""What `femtolog.pth` imports when FEMTOLOG is set: installs at start-up, before the program's first line.

FEMTOLOG=shadow and FEMTOLOG=doctor begin a shadow run and a doctor's report instead. Whatever goes wrong here, the interpreter
starts: without femtolog, and with one line on stderr that says why.
"""

import os
import sys

from femtolog_compat import OFF, install_at_start_up

_mode = os.environ.get("FEMTOLOG", "").lower()

if _mode not in OFF:
    try:
        if _mode == "shadow":
            # Not `from`, which asks the package for the name first, and that one asks `logging`.
            import femtolog._shadow as _shadow  # noqa: PLR0402

            _shadow.start()
        elif _mode == "doctor":
            import femtolog._doctor as _doctor  # noqa: PLR0402

            _doctor.start()
        else:
            install_at_start_up(f"FEMTOLOG={os.environ['FEMTOLOG']} at start-up")
    except Exception as error:  # noqa: BLE001 - any of them would end the interpreter's start
        if sys.stderr is not None:
            sys.stderr.write(f"femtolog: not installed at start-up: {error}\n")
