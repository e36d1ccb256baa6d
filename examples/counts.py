"""stats(): how much ran natively, and what was left to the interpreter's own code."""

import io
import logging
import logging.handlers

import femtolog

femtolog.install()
femtolog.reset_stats()
log = logging.getLogger("shop")
log.addHandler(logging.StreamHandler(io.StringIO()))
log.addFilter(lambda record: "secret" not in record.getMessage())
log.warning("stock is low")
log.warning("a secret")
print(femtolog.stats())

# prints:
# {'native': 2, 'emits': 1, 'real_records': 2, 'reference': {}}
