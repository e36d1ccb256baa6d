"""FemtoRotatingFileHandler: a thread writes, counts bytes and rotates; the caller does neither."""

import pathlib

from femtolog.femto import FemtoRotatingFileHandler, HandlerOptions, get_logger

options = HandlerOptions(policy="block", rotation=(60, 2))  # two backups, no file above 60 bytes
handler = FemtoRotatingFileHandler("orders.log", options)
log = get_logger("shop")
log.add_handler(handler)
for number in range(1, 9):
    log.info(f"order {number} paid")
handler.close()

for path in sorted(pathlib.Path().glob("orders.log*")):
    print(path.name, path.stat().st_size, path.read_text().split("\n")[:-1])
stats = handler.stats()
print(stats["emitted"], stats["written"], stats["dropped"])

# prints:
# orders.log 50 ['shop [INFO] order 7 paid', 'shop [INFO] order 8 paid']
# orders.log.1 50 ['shop [INFO] order 5 paid', 'shop [INFO] order 6 paid']
# orders.log.2 50 ['shop [INFO] order 3 paid', 'shop [INFO] order 4 paid']
# 8 8 0
