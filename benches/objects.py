"""What a program does before it logs, and when it changes its mind: handlers, formatters, loggers, levels. Nothing is logged."""

from benches.measure import Bench, Scenario


def prepare(bench: Bench) -> None:
    logging, handlers = bench.logging, bench.handlers
    log, handler = bench.logger(below=".objects"), logging.NullHandler()
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
    Scenario("addHandler() and removeHandler()", "add(handler); remove(handler)", prepare),
    Scenario("NullHandler(), given up", "NullHandler()", prepare),
    Scenario("StreamHandler(), closed", "StreamHandler(stream).close()", prepare),
    Scenario("QueueHandler(), given up", "QueueHandler(None)", prepare),
    Scenario("handler.setLevel()", "handler.setLevel(20)", prepare),
    Scenario("Formatter()", "Formatter('%(message)s')", prepare),
    Scenario("Logger()", "Logger('app')", prepare),
    Scenario("logger.setLevel()", "log.setLevel(20)", prepare),
    Scenario("repr() of a logger", "repr(log)", prepare),
]
