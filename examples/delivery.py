"""Numbering and verify(): a line that is lost on its way is found where the lines arrive, by their numbers alone."""

import io
import logging

from femtolog.delivery import Numbering, verify

log, stream = logging.getLogger("shop"), io.StringIO()
handler = logging.StreamHandler(stream)
handler.setFormatter(logging.Formatter("boot_id=%(boot_id)s seq=%(seq)d %(message)s"))
numbering = Numbering()
handler.addFilter(numbering)  # after all others
log.addHandler(handler)
for number in range(1, 14):
    log.warning("order %d", number)

arrived = stream.getvalue().splitlines()
del arrived[6:8]
for delivery in verify(arrived):
    print(delivery.records, "of", numbering.last, "missing:", delivery.missing)

# prints:
# 11 of 13 missing: [(7, 8)]
