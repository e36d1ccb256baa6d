"""A library logs and configures nothing; a NullHandler keeps it silent where the program has no logging."""

import logging
import sys

library = logging.getLogger("library")
library.addHandler(logging.NullHandler())
sys.stderr = sys.stdout

library.warning("nobody hears this")
logging.getLogger("program").warning("the last resort shows this")
logging.basicConfig(stream=sys.stdout, format="%(name)s: %(message)s")
library.warning("now it is heard")

# prints:
# the last resort shows this
# library: now it is heard
