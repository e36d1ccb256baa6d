"""femtolog.metrics: what logging does, in numbers, and as Prometheus asks for them."""

import logging

import femtolog
from femtolog import metrics

femtolog.install()
metrics.enable()

handler = femtolog.enqueue(logging.FileHandler("shop.log"))
handler.name = "shop file"
logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(levelname)s %(message)s")
log = logging.getLogger("shop")
for number in range(3):
    log.info("order %d", number)
log.error("out of stock")
handler.flush()

now = metrics.read()
print(now.records)
mine = now.handlers["shop file"]
print(mine.bytes_written, "bytes,", mine.errors, "errors,", mine.queue_length, "queued,", sum(mine.dropped.values()), "dropped")
print(mine.emit_seconds.count, "records in", "less" if mine.emit_seconds.seconds < 1 else "more", "than a second")

# prints:
# {('shop', 'INFO'): 3, ('shop', 'ERROR'): 1}
# 58 bytes, 0 errors, 0 queued, 0 dropped
# 4 records in less than a second
