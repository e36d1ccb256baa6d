"""What the styles cost, long texts, tracebacks and stacks."""

from typing import Any

from benches.measure import Bench, Scenario

HELLO = 'info("hello %s", "world")'


def styled(form: str, style: str) -> Any:
    def prepare(bench: Bench) -> None:
        bench.names["info"] = bench.logger(bench.stream_handler(form, style=style)).info

    return prepare


def date(bench: Bench) -> None:
    bench.names["info"] = bench.logger(bench.stream_handler("%(asctime)s %(message)s", datefmt="%d.%m. %H:%M")).info


def defaults(bench: Bench) -> None:
    handler = bench.stream_handler("%(user)s %(message)s", defaults={"user": "nobody"})
    bench.names["info"] = bench.logger(handler).info


def text(character: str, length: int) -> Any:
    def prepare(bench: Bench) -> None:
        bench.names["text"] = character * length
        bench.names["info"] = bench.logger(bench.stream_handler()).info

    return prepare


def failed(bench: Bench) -> None:
    def divide(by: int) -> float:
        return 1 / by

    try:
        divide(0)
    except ZeroDivisionError as error:
        bench.names["error"] = error
    bench.names["info"] = bench.logger(bench.stream_handler()).info


SCENARIOS = [
    Scenario("{ style", HELLO, styled("{levelname} {message}", "{"), r"INFO hello world\n"),
    Scenario("$ style", HELLO, styled("$levelname ${message}", "$"), r"INFO hello world\n", picologging="has no $ style"),
    Scenario("datefmt", HELLO, date, r"\d\d\.\d\d\. \d\d:\d\d hello world\n"),
    Scenario("defaults", HELLO, defaults, r"nobody hello world\n", picologging="has no defaults"),
    Scenario("100 Chinese characters", "info(text)", text("世", 100), r"INFO 世{100}\n"),
    # Longer ones would time the memory of the sink, which keeps them.
    Scenario("1000 Chinese characters", "info(text)", text("世", 1000), r"INFO 世{1000}\n"),
    Scenario("10 000 characters of ASCII", "info(text)", text("x", 10_000), r"INFO x{10000}\n"),
    Scenario(
        "exc_info", 'info("failed", exc_info=error)', failed, r"INFO failed\nTraceback.*ZeroDivisionError: division by zero\n"
    ),
    Scenario(
        "stack_info",
        'info("here", stack_info=True)',
        failed,
        r"INFO here\nStack \(most recent call last\):\n.*\n",
        picologging="writes no heading above the stack",
    ),
]
