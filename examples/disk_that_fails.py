"""femtolog.files: while a log's directory is gone its records go elsewhere, and nobody who logs notices."""

import logging
import os
import sys

from femtolog.files import FileHandler

screen = logging.StreamHandler(sys.stdout)
screen.setFormatter(logging.Formatter("instead of the file: %(message)s"))
os.mkdir("logs")
handler = FileHandler("logs/app.log", fallback=screen)
log = logging.getLogger("shop")
log.addHandler(handler)

log.warning("order 1 paid")
os.rename("logs", "elsewhere")
logging.raiseExceptions = False  # nothing on sys.stderr of what is wrong, as everywhere in logging
log.warning("order 2 paid")
print({name: count for name, count in handler.stats().items() if count})

# prints:
# instead of the file: order 2 paid
# {'emitted': 2, 'written': 1, 'failed': 1, 'fallback': 1, 'failed_by': {'ENOENT': 1}}
