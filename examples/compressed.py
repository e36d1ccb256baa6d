"""femtolog.files: what is rotated is compressed by a thread, and removed when it is too old or too much."""

import gzip
import logging
import pathlib

from femtolog.files import RotatingFileHandler

handler = RotatingFileHandler("shop.log", maxBytes=100, backupCount=9, compression="gz", retention=2)
log = logging.getLogger("shop")
log.addHandler(handler)
for order in range(20):
    log.warning("order %2d is paid", order)
handler.close()  # waits for the thread

for path in sorted(pathlib.Path().glob("shop.log*")):
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    print(path.name, text.splitlines()[0], "...", text.splitlines()[-1])

# prints:
# shop.log order 15 is paid ... order 19 is paid
# shop.log.1.gz order 10 is paid ... order 14 is paid
# shop.log.2.gz order  5 is paid ... order  9 is paid
