"""RotatingFileHandler: a new file whenever the next line would make it too long."""

import logging.handlers
import pathlib

handler = logging.handlers.RotatingFileHandler("shop.log", maxBytes=120, backupCount=2)
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
log = logging.getLogger("shop")
log.addHandler(handler)

for order in range(1, 21):
    log.warning("order %d: no answer", order)

for path in sorted(pathlib.Path().glob("shop.log*")):
    print(path, [line.split()[2] for line in path.read_text().splitlines()])

# prints:
# shop.log ['17:', '18:', '19:', '20:']
# shop.log.1 ['13:', '14:', '15:', '16:']
# shop.log.2 ['9:', '10:', '11:', '12:']
