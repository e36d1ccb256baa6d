"""Worker processes that log through the parent's handlers by way of a queue, in the order of their work."""

import logging
import logging.handlers
import multiprocessing
import sys


def start(waiting):
    """In each worker, first: everything goes into the queue."""
    logging.basicConfig(handlers=[logging.handlers.QueueHandler(waiting)], format="%(message)s", level=logging.INFO, force=True)


def square(number):
    logging.getLogger("work").info("%d squared", number)
    return number * number


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    waiting = context.Queue()
    screen = logging.StreamHandler(sys.stdout)
    screen.setFormatter(logging.Formatter("%(processName).9s... %(message)s"))
    listener = logging.handlers.QueueListener(waiting, screen)
    with context.Pool(1, start, (waiting,)) as pool:
        listener.start()
        squares = pool.map(square, range(4))
        pool.close()
        pool.join()
    listener.stop()
    print(squares)

# prints:
# ForkPoolW... 0 squared
# ForkPoolW... 1 squared
# ForkPoolW... 2 squared
# ForkPoolW... 3 squared
# [0, 1, 4, 9]
