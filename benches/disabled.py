"""What a call costs that logs nothing: most calls of most programs."""

from typing import Any

from benches.measure import Bench, Scenario

# What is left of the call of a method written in C that does next to nothing, with the same arguments: a look into an empty dict.
CALL_ALONE = 'nothing.get("hello %s", "world")'
# The same, finding what was asked for: the answer as a logger keeps it.
LOOK_ALONE = "answers.get({level})"


def info_level(bench: Bench) -> None:
    log = bench.logger(bench.stream_handler(), level=20)
    bench.names.update(log=log, debug=log.debug, getLogger=bench.logging.getLogger, name=bench.name)
    bench.names.update(nothing={}, answers={10: False, 20: True})


def subclass(bench: Bench) -> None:
    class Own(bench.logging.Logger):  # type: ignore[name-defined, misc]
        pass

    log = Own(bench.name, 20)
    log.addHandler(bench.stream_handler())
    bench.names.update(log=log, nothing={})


def overriding(bench: Bench) -> None:
    class Own(bench.logging.Logger):  # type: ignore[name-defined, misc]
        def isEnabledFor(self, level: Any) -> Any:
            return super().isEnabledFor(level)

    log = Own(bench.name, 20)
    log.addHandler(bench.stream_handler())
    bench.names.update(log=log, nothing={})


def looked_at(bench: Bench) -> None:
    info_level(bench)
    vars(bench.names["log"])  # from now on the attributes lie in a dict


def adapter(bench: Bench) -> None:
    log = bench.logger(bench.stream_handler(), level=20)
    bench.names.update(log=bench.logging.LoggerAdapter(log, {"user": "eve"}), nothing={})


def module(bench: Bench) -> None:
    bench.logging.getLogger().addHandler(bench.logging.NullHandler())  # with none, the function would call basicConfig()
    bench.names.update(logging=bench.logging, nothing={})


SCENARIOS = [
    Scenario("disabled debug()", 'log.debug("hello %s", "world")', info_level, alone=CALL_ALONE),
    Scenario("disabled debug(), with a keyword", 'log.debug("hello %s", "world", exc_info=None)', info_level),
    Scenario("disabled debug(), subclass of Logger", 'log.debug("hello %s", "world")', subclass, alone=CALL_ALONE),
    Scenario("disabled debug(), isEnabledFor() overridden", 'log.debug("hello %s", "world")', overriding),
    Scenario("disabled debug(), logger after vars(logger)", 'log.debug("hello %s", "world")', looked_at, alone=CALL_ALONE),
    Scenario(
        "disabled debug(), adapter",
        'log.debug("hello %s", "world")',
        adapter,
        alone=CALL_ALONE,
        picologging="has no LoggerAdapter",
    ),
    Scenario("disabled logging.debug()", 'logging.debug("hello %s", "world")', module, alone=CALL_ALONE),
    Scenario("isEnabledFor(), no", "log.isEnabledFor(10)", info_level, alone=LOOK_ALONE.format(level=10)),
    Scenario("isEnabledFor(), yes", "log.isEnabledFor(20)", info_level, alone=LOOK_ALONE.format(level=20)),
    Scenario("getLogger() of a known name", "getLogger(name)", info_level),
]
