"""What of this program's logging does not run natively, and why? doctor() tells."""

import io
import logging

import femtolog


class Shouting(logging.StreamHandler):
    def emit(self, record):
        record.msg = str(record.msg).upper()
        super().emit(record)


femtolog.install()
logging.getLogger("shop").addHandler(Shouting(io.StringIO()))
logging.getLogger("shop").warning("stock is low")
print(*(line for line in femtolog.doctor() if "Shouting" in line), sep="\n")

# prints:
# Handler <Shouting (NOTSET)> of logger 'shop' takes the general path: __main__.Shouting overrides emit().
