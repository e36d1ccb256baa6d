"""What a program does before it logs, and when it changes its mind: handlers, formatters, loggers, levels. Nothing is logged.

A handler that goes is searched for among all that there are, and a level that changes is told to all loggers: there are none but these.
"""

from benches.measure import Bench, Scenario


def prepare(bench: Bench) -> None:
    logging, handlers = bench.logging, bench.handlers
    log, handler = logging.getLogger("app"), logging.NullHandler()
    bench.names.update(
        log=log,
        handler=handler,
        stream=logging.StreamHandler().stream,
        add=log.addHandler,
        remove=log.removeHandler,
        NullHandler=logging.NullHandler,
        StreamHandler=logging.StreamHandler,
        Formatter=logging.Formatter,
        Logger=logging.Logger,
        QueueHandler=handlers.QueueHandler,
    )


SCENARIOS = [
    Scenario("addHandler() and removeHandler()", "add(handler); remove(handler)", prepare, apart=True),
    Scenario("NullHandler(), given up", "NullHandler()", prepare, apart=True),
    Scenario("StreamHandler(), closed", "StreamHandler(stream).close()", prepare, apart=True),
    Scenario("QueueHandler(), given up", "QueueHandler(None)", prepare, apart=True),
    Scenario("handler.setLevel()", "handler.setLevel(20)", prepare, apart=True),
    Scenario("Formatter()", "Formatter('%(message)s')", prepare, apart=True),
    Scenario("Logger()", "Logger('app')", prepare, apart=True),
    Scenario("logger.setLevel()", "log.setLevel(20)", prepare, apart=True),
    Scenario("repr() of a logger", "repr(log)", prepare, apart=True),
]
