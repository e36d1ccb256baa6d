"""Debug lines are kept in memory and written only if the function fails: MemoryHandler in a decorator."""

import functools
import logging
import logging.handlers
import sys

log = logging.getLogger("shop")
log.setLevel(logging.DEBUG)
log.propagate = False
screen = logging.StreamHandler(sys.stdout)


def told_when_failing(function):
    @functools.wraps(function)
    def inner(*args):
        memory = logging.handlers.MemoryHandler(100, flushLevel=logging.ERROR, target=screen, flushOnClose=False)
        log.addHandler(memory)
        try:
            return function(*args)
        except Exception as error:
            log.error("%s failed: %r", function.__name__, error)
        finally:
            log.removeHandler(memory)
            memory.close()

    return inner


@told_when_failing
def divide(a, b):
    log.debug("a is %r", a)
    log.debug("b is %r", b)
    return a / b


print(divide(6, 3))
print(divide(6, 0))

# prints:
# 2.0
# a is 6
# b is 0
# divide failed: ZeroDivisionError('division by zero')
# None
