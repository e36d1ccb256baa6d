"""Whether a second thread adds calls where each has a logger and a handler of its own: on a free-threaded build it should."""

from collections.abc import Callable
from typing import Any

from benches.measure import Bench, Scenario


def null(bench: Bench, number: int) -> list[Any]:
    return [bench.logging.NullHandler() for _ in range(number)]


def file(bench: Bench, number: int) -> list[Any]:
    handlers = [bench.logging.FileHandler(path) for path in bench.files(number)]
    for handler in handlers:
        handler.setFormatter(bench.logging.Formatter("%(levelname)s %(name)s %(message)s"))
    return handlers


def own(make: Callable[[Bench, int], list[Any]], number: int) -> Callable[[Bench], None]:
    def prepare(bench: Bench) -> None:
        for index, handler in enumerate(make(bench, number)):
            bench.each.append({"log": bench.logger(handler, level=20, below=f".{index}")})

    return prepare


CALLS = {
    "disabled debug(), own NullHandler": ('log.debug("hello %s", "world")', null, ""),
    "info(), own NullHandler": ('log.info("hello %s", "world")', null, ""),
    "info(), own FileHandler": ('log.info("hello %s", "world")', file, r"INFO benches\.\w+\.\d+\.\d hello world\n"),
}

SCENARIOS = [
    Scenario(f"{name}, {number} thread{'s' * (number > 1)}", statement, own(make, number), expect, threads=number, group=name)
    for name, (statement, make, expect) in CALLS.items()
    for number in (1, 2)
]
