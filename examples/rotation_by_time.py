"""TimedRotatingFileHandler: a new file each midnight; here the clock of the records is moved on by hand."""

import logging.handlers
import pathlib
import time

handler = logging.handlers.TimedRotatingFileHandler("shop.log", when="midnight", backupCount=3, utc=True)
log = logging.getLogger("shop")
log.addHandler(handler)

today = time.time()
for day in range(6):
    time.time = lambda day=day: today + day * 86400
    log.warning("day %d", day)

for path in sorted(pathlib.Path().glob("shop.log*"), key=lambda path: path.read_text()):
    print(path.name[:9], path.read_text().split())

# prints:
# shop.log. ['day', '2']
# shop.log. ['day', '3']
# shop.log. ['day', '4']
# shop.log ['day', '5']
