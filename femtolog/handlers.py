"""`logging.handlers`, executed natively: every name of it, live, in both directions."""

import sys as _sys

from femtolog import _forward

_forward(_sys.modules[__name__], "logging.handlers")
