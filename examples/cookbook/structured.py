"""Structured lines: text and fields as JSON, by a message object; only what is wanted is encoded."""

import json
import logging
import sys


class Event:
    """A text and its fields."""

    def __init__(self, text, /, **fields):
        self.text, self.fields = text, fields

    def __str__(self):
        return json.dumps({"event": self.text, **self.fields}, default=sorted, ensure_ascii=False)


logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
log = logging.getLogger("shop")
log.info(Event("order", number=17, things={"tea", "cake"}, to="Zoë"))
log.debug(Event("never encoded", what=object()))

# prints:
# INFO {"event": "order", "number": 17, "things": ["cake", "tea"], "to": "Zoë"}
