"""femtolog.files: lines wait for each other in a buffer, but not behind an error."""

import logging
import pathlib

from femtolog.files import FileHandler

handler = FileHandler("app.log", buffering=65536, flush_interval_ms=60_000)
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(logging.INFO)

log.info("order 1 paid")
log.info("order 2 paid")
print(pathlib.Path("app.log").read_text().splitlines())
log.error("order 3 refused")
print(pathlib.Path("app.log").read_text().splitlines())
print(handler.stats()["written"])

# prints:
# []
# ['INFO order 1 paid', 'INFO order 2 paid', 'ERROR order 3 refused']
# 3
