"""captureWarnings(): what the warnings module shows goes to the logger py.warnings."""

import logging
import sys
import warnings

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
logging.captureWarnings(True)
warnings.warn("old_price() is going away", FutureWarning, stacklevel=1)
logging.captureWarnings(False)

# prints:
# WARNING py.warnings: capture_warnings.py:9: FutureWarning: old_price() is going away
#   warnings.warn("old_price() is going away", FutureWarning, stacklevel=1)
#
