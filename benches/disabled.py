"""What a call costs that logs nothing: most calls of most programs."""

from benches.measure import Bench, Scenario


def info_level(bench: Bench) -> None:
    log = bench.logger(bench.stream_handler(), level=20)
    bench.names.update(log=log, debug=log.debug, getLogger=bench.logging.getLogger, name=bench.name)


def subclass(bench: Bench) -> None:
    class Own(bench.logging.Logger):  # type: ignore[name-defined, misc]
        pass

    log = Own(bench.name, 20)
    log.addHandler(bench.stream_handler())
    bench.names.update(log=log)


def adapter(bench: Bench) -> None:
    log = bench.logger(bench.stream_handler(), level=20)
    bench.names.update(log=bench.logging.LoggerAdapter(log, {"user": "eve"}))


def module(bench: Bench) -> None:
    bench.logging.getLogger().addHandler(bench.logging.NullHandler())  # with none, the function would call basicConfig()
    bench.names.update(logging=bench.logging)


SCENARIOS = [
    Scenario("disabled debug()", 'log.debug("hello %s", "world")', info_level),
    Scenario("disabled debug(), with a keyword", 'log.debug("hello %s", "world", exc_info=None)', info_level),
    Scenario("disabled debug(), subclass of Logger", 'log.debug("hello %s", "world")', subclass),
    Scenario("disabled debug(), adapter", 'log.debug("hello %s", "world")', adapter, picologging="has no LoggerAdapter"),
    Scenario("disabled logging.debug()", 'logging.debug("hello %s", "world")', module),
    Scenario("isEnabledFor(), no", "log.isEnabledFor(10)", info_level),
    Scenario("isEnabledFor(), yes", "log.isEnabledFor(20)", info_level),
    Scenario("getLogger() of a known name", "getLogger(name)", info_level),
]
