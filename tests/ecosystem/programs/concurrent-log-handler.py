"""concurrent-log-handler: rotation with locks between two processes."""
# requires: concurrent-log-handler==0.9.31
# files: all.log

import logging
import multiprocessing
import pathlib

from concurrent_log_handler import ConcurrentRotatingFileHandler


def work(name):
    handler = ConcurrentRotatingFileHandler("app.log", maxBytes=2000, backupCount=50)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    log = logging.getLogger(name)
    log.addHandler(handler)
    log.setLevel(10)
    for number in range(100):
        log.info("%s line %d", name, number)
    handler.close()


if __name__ == "__main__":
    pass  # late install
    processes = [multiprocessing.get_context("fork").Process(target=work, args=(name,)) for name in ("one", "two")]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    lines = [line for file in pathlib.Path().glob("app.log*") for line in file.read_text().splitlines()]
    print(len(lines), len(set(lines)))
    pathlib.Path("all.log").write_text("\n".join(sorted(lines)))
    work("three")
