"""The names of picologging.config over Python's own logging, which femtolog executes from the first use of a name on."""

import sys as _sys

from femtolog_compat._picologging import stand_in as _stand_in

_stand_in(_sys.modules[__name__])
