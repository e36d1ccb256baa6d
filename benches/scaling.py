"""Whether a second thread adds calls where each has a logger and a handler of its own: on a free-threaded build it should."""

from collections.abc import Callable
from functools import partial
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


def nothing(number: int) -> Callable[[Bench], None]:
    """What two threads can have here at most: each calls a function of its own, which does nothing."""

    def prepare(bench: Bench) -> None:
        for _ in range(number):
            names: dict[str, Any] = {}
            exec("def call(message, argument): pass", names)  # with code of its own
            bench.each.append({"call": names["call"]})

    return prepare


NOTHING = "a function of the thread's own that does nothing"

CALLS = {
    NOTHING: ('call("hello %s", "world")', nothing, ""),
    "disabled debug(), own NullHandler": ('log.debug("hello %s", "world")', partial(own, null), ""),
    "info(), own NullHandler": ('log.info("hello %s", "world")', partial(own, null), ""),
    "info(), own FileHandler": ('log.info("hello %s", "world")', partial(own, file), r"INFO benches\.\w+\.\d+\.\d hello world\n"),
}

SCENARIOS = [
    Scenario(
        f"{name}, {number} thread{'s' * (number > 1)}",
        statement,
        prepare(number),
        expect,
        threads=number,
        group=name,
        control=name == NOTHING,
    )
    for name, (statement, prepare, expect) in CALLS.items()
    for number in (1, 2)
]
