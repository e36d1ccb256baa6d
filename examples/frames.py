"""exception_payload() and filter_frames(): an exception as data, without the frames that are not the program's."""

from femtolog.femto import exception_payload, filter_frames


def retry(function, order):
    """Stands for a framework."""
    return function(order)


def pay(order):
    try:
        retry(charge, order)
    except LookupError as error:
        raise RuntimeError(f"order {order} not paid") from error


def charge(order):
    raise LookupError(f"no card for order {order}")


def functions(payload):
    return [frame["function"] for frame in payload["frames"]]


try:
    retry(pay, 17)
except RuntimeError as error:
    payload = exception_payload(error)
print(payload["type_name"], functions(payload), "of", payload["cause"]["type_name"], functions(payload["cause"]))

own = filter_frames(payload, exclude_functions=["retry"])
print(functions(own), functions(own["cause"]))
last = filter_frames(payload, exclude_functions=["retry"], max_depth=1)
print(functions(last), functions(last["cause"]))
nothing = filter_frames(payload, exclude_filenames=["frames.py"])
print(functions(nothing), nothing["message"], "of", nothing["cause"]["message"])
print("the payload is as it was:", len(payload["frames"]))

# prints:
# RuntimeError ['<module>', 'retry', 'pay'] of LookupError ['pay', 'retry', 'charge']
# ['<module>', 'pay'] ['pay', 'charge']
# ['pay'] ['charge']
# [] order 17 not paid of no card for order 17
# the payload is as it was: 3
