"""formatters.Formatter(capture_locals=True): variables below each frame of a traceback, but for those whose names say that they are secret."""

import logging
import sys

import femtolog
from femtolog.femto import exception_payload
from femtolog.formatters import REDACTED, Formatter

femtolog.install()
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(Formatter("%(message)s", capture_locals=True, redact=[*REDACTED, "iban"]))
log = logging.getLogger("shop")
log.addHandler(handler)


def pay(order, headers, user_iban):
    return order["total"] / order["parts"], headers["Host"], user_iban


try:
    pay({"total": 12, "parts": 0}, {"Host": "example.org", "Authorization": "Bearer 1234"}, "DE02")
except ZeroDivisionError as error:
    log.error("not paid", exc_info=(type(error), error, error.__traceback__.tb_next))
    print(exception_payload(error, capture_locals=True)["frames"][-1]["locals"]["headers"])

# prints:
# not paid
# Traceback (most recent call last):
#   File "variables.py", line 18, in pay
#     return order["total"] / order["parts"], headers["Host"], user_iban
#     headers = {'Host': 'example.org', 'Authorization': ***}
#     order = {'total': 12, 'parts': 0}
#     user_iban = ***
# ZeroDivisionError: division by zero
# {'Host': 'example.org', 'Authorization': ***}
