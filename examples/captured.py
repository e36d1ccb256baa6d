"""femtolog.testing.capture_logs(): what a piece of code logs, for a test that needs no framework."""

import contextvars
import logging
import threading

from femtolog.testing import capture_logs

log = logging.getLogger("shop")


def pay(order):
    log.debug("paying %d", order)
    log.warning("order %d: no answer", order, extra={"attempt": 1})


with capture_logs() as logs:
    other = threading.Thread(target=contextvars.Context().run, args=(pay, 18))  # of another context: not captured
    pay(17)
    other.start()
    other.join()
print(logs.record_tuples)
print(logs.events[-1])

with capture_logs("WARNING", "shop") as logs:
    pay(19)
    print(logs.messages)
    logs.clear()
    print(logs.text == "")

# prints:
# [('shop', 10, 'paying 17'), ('shop', 30, 'order 17: no answer')]
# {'logger': 'shop', 'level': 'WARNING', 'message': 'order 17: no answer', 'attempt': 1}
# ['order 19: no answer']
# True
