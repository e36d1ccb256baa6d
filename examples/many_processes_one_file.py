"""femtolog.files: several processes write one file and rotate it; every line is in one of the files, once."""

import logging
import multiprocessing
import pathlib

from femtolog.files import RotatingFileHandler

handler = RotatingFileHandler("shop.log", maxBytes=2000, backupCount=100, multiprocess=True)
handler.setFormatter(logging.Formatter("%(processName)s %(message)s"))
log = logging.getLogger("shop")
log.addHandler(handler)


def work():
    for order in range(100):
        log.warning("order %d paid", order)


context = multiprocessing.get_context("fork")
processes = [context.Process(target=work, name=f"worker-{number}") for number in range(3)]
for process in processes:
    process.start()
for process in processes:
    process.join()

files = list(pathlib.Path().glob("shop.log*"))
lines = [line for path in files for line in path.read_text().splitlines()]
wanted = {f"worker-{number} order {order} paid" for number in range(3) for order in range(100)}
print(len(lines), set(lines) == wanted, all(path.stat().st_size < 2000 for path in files))
for path in files:
    path.unlink()  # who wrote which line is another one each time

# prints:
# 300 True True
