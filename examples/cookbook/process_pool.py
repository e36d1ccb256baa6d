"""The same with concurrent.futures: the pool's initializer sets up each worker, which is a fresh interpreter."""

import concurrent.futures
import logging
import logging.handlers
import multiprocessing
import sys


def start(waiting):
    logging.basicConfig(handlers=[logging.handlers.QueueHandler(waiting)], format="%(message)s", level=logging.INFO)


def cube(number):
    logging.getLogger("pool").info("cube of %d", number)
    return number**3


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    screen = logging.StreamHandler(sys.stdout)
    screen.setFormatter(logging.Formatter("%(processName).5s... %(message)s"))
    with context.Manager() as manager:
        waiting = manager.Queue()
        listener = logging.handlers.QueueListener(waiting, screen)
        listener.start()
        with concurrent.futures.ProcessPoolExecutor(1, context, start, (waiting,)) as pool:
            cubes = list(pool.map(cube, (2, 3)))
        listener.stop()
    print(cubes)

# prints:
# Spawn... cube of 2
# Spawn... cube of 3
# [8, 27]
