"""`python -m femtolog.demo`: a small shop's order processing, on the standard library's logging and on femtolog.

The program is an ordinary user of `logging`: dictConfig, four threads, a filter and an adapter in Python, exceptions with
tracebacks, a file per purpose. It runs in fresh processes, by turns without logging, on the stdlib and on femtolog; what
it wrote is compared line by line, and what logging cost is the time beyond the run without.
"""

import argparse
import collections
import json
import logging
import logging.config
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

ORDERS = 4000
ROUNDS = 3
WAYS = ("without logging", "logging", "femtolog")

CONFIGURATION = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "full": {
            "format": "%(asctime)s %(levelname)-8s %(shop)s %(name)s %(filename)s:%(lineno)d %(funcName)s [%(threadName)s] %(message)s"
        },
        "short": {"format": "{asctime} {levelname:<7} {message}", "style": "{", "datefmt": "%H:%M:%S"},
    },
    "filters": {"shop": {"()": "femtolog.demo.ShopName", "shop": "corner"}},
    "handlers": {
        "all": {"class": "logging.FileHandler", "filename": "shop.log", "formatter": "full", "filters": ["shop"]},
        "errors": {"class": "logging.FileHandler", "filename": "errors.log", "formatter": "short", "level": "ERROR"},
    },
    "loggers": {"shop": {"level": "INFO"}, "shop.stock": {"level": "WARNING"}},
    "root": {"level": "WARNING", "handlers": ["all", "errors"]},
}


class ShopName(logging.Filter):
    """Puts the shop's name on each record."""

    def __init__(self, shop: str) -> None:
        super().__init__()
        self.shop = shop

    def filter(self, record: logging.LogRecord) -> bool:
        record.shop = self.shop
        return True


class OrderNumber(logging.LoggerAdapter[logging.Logger]):
    """Writes the order's number before each message."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        assert self.extra is not None
        return f"order {self.extra['order']}: {msg}", kwargs


def pay(order: int, amount: float) -> None:
    """Fails for every hundredth order, as banks do."""
    if order % 100 == 99:
        raise ConnectionError(f"the bank did not answer, {amount:.2f} not paid")


def process(order: int) -> None:
    """What the shop does with one order, and the records it writes about it."""
    log = OrderNumber(logging.getLogger("shop.orders"), {"order": order})
    amount = order * 1.17 % 90
    log.info("received, %d items, %.2f to pay", order % 7 + 1, amount)
    stock = logging.getLogger("shop.stock")
    stock.debug("looking for %r", order)
    stock.info("found on shelf %d", order % 40)
    if order % 20 == 0:
        stock.warning("%(item)s: %(left)d left", {"item": f"item {order % 13}", "left": order % 3})
    try:
        pay(order, amount)
    except ConnectionError:
        logging.getLogger("shop.payments").exception("order %d not paid", order)
    else:
        logging.getLogger("shop.payments").info("order %d paid", order, extra={"amount": amount})
    log.info("done")


def run_program(way: str) -> None:
    """The program itself, in a process of its own; prints the seconds its work took."""
    if way == "femtolog":
        import femtolog

        femtolog.install()
    if way == "without logging":
        logging.disable()
    logging.config.dictConfig(CONFIGURATION)
    began = time.perf_counter()
    with ThreadPoolExecutor(4, thread_name_prefix="worker") as pool:
        for _ in pool.map(process, range(ORDERS)):
            pass
    seconds = time.perf_counter() - began
    stats: object = None
    if way == "femtolog":
        stats = femtolog.stats()
    print(json.dumps({"seconds": seconds, "stats": stats}))


def lines_of(folder: pathlib.Path) -> Iterator[str]:
    """All that was written, without what differs between any two runs: the time, and which thread took the order."""
    for name in ("shop.log", "errors.log"):
        for line in (folder / name).read_text().splitlines():
            yield name + ": " + re.sub(r"^[-\d]*[ \d:,]{8,}|\[worker_\d\]", "", line)


def compare() -> int:
    """Run, compare, tell. 1 if the outputs differ."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    written: dict[str, collections.Counter[str]] = {}
    sample: list[str] = []
    stats: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        for number in range(ROUNDS * len(WAYS)):
            way = WAYS[number % len(WAYS)]
            folder = pathlib.Path(place, str(number))
            folder.mkdir()
            command = [sys.executable, "-m", "femtolog.demo", "--program", way]
            environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
            done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            answer = json.loads(done.stdout)
            seconds[way].append(answer["seconds"])
            written[way] = collections.Counter(lines_of(folder))
            if way == "femtolog":
                stats = answer["stats"]
                sample = (folder / "shop.log").read_text().splitlines()
    first = next(index for index, line in enumerate(sample) if "Traceback" in line) - 2
    print(f"What femtolog wrote ({ORDERS} orders, some of the lines):\n")
    print(*(f"  {line}" for line in [*sample[:4], "...", *sample[first : first + 9]]), sep="\n")
    same = written["logging"] == written["femtolog"]
    lines = written["femtolog"].total()
    print(f"\nThe stdlib wrote {'the same' if same else 'DIFFERENT'} {lines} lines.")
    base = min(seconds["without logging"])
    records = ORDERS * 3 + ORDERS // 20
    print(f"\nTime logging took, best of {ROUNDS} ({records} records):\n")
    costs = {way: min(seconds[way]) - base for way in WAYS[1:]}
    for way, cost in costs.items():
        print(f"  {way:<10}{cost:7.3f} s {cost / records * 1e6:7.2f} µs a record")
    if costs["femtolog"] > 0:
        print(f"\n  {costs['logging'] / costs['femtolog']:.1f} times as fast.")
    print(f"\nfemtolog.stats(): {stats}")
    return 0 if same else 1


def main() -> None:
    """Without an argument, the comparison; with one, which it passes to itself, one run of the program."""
    parser = argparse.ArgumentParser(prog="python -m femtolog.demo", description=__doc__)
    parser.add_argument("--program", choices=WAYS, help=argparse.SUPPRESS)
    way = parser.parse_args().program
    if way is None:
        sys.exit(compare())
    run_program(way)


if __name__ == "__main__":
    main()
