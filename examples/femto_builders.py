"""femtolog.femto's builders: a configuration as a whole, and a change to it that is made as a whole or not at all."""

from femtolog.femto import (
    ConfigBuilder,
    FileHandlerBuilder,
    LoggerConfigBuilder,
    LoggerMutationBuilder,
    OverflowPolicy,
    PythonCallbackFilterBuilder,
    RuntimeConfigBuilder,
    UnknownIdError,
    get_logger,
)


def with_order(record):
    record.order = 17
    return "secret" not in record.getMessage()


def line(record):
    return f"{record['level']} {record['message']} {record['metadata']['key_values']}"


(
    ConfigBuilder()
    .with_filter("orders", PythonCallbackFilterBuilder(with_order))
    .with_formatter("line", line)
    .with_handler("file", FileHandlerBuilder("a.log").with_overflow_policy(OverflowPolicy.block()).with_formatter("line"))
    .with_logger("shop", LoggerConfigBuilder().with_level("INFO").with_handlers(["file"]).with_filters(["orders"]))
    .build_and_init()
)
log = get_logger("shop")
log.info("paid")
log.info("secret")

try:
    RuntimeConfigBuilder().with_logger("shop", LoggerMutationBuilder().clear_filters().append_handlers(["fil"])).apply()
except UnknownIdError as error:
    print(error)
log.info("secret")  # nothing has changed

# What is queued for a.log is written before it is closed; what comes later is in b.log.
RuntimeConfigBuilder().with_handler("file", FileHandlerBuilder("b.log")).apply()
log.warning("sent")
log.flush_handlers()
for name in ("a.log", "b.log"):
    with open(name) as file:
        print(name, file.read(), end="")

# prints:
# unknown handler id 'fil'; there are 'file'
# a.log INFO paid {'order': 17}
# b.log shop [WARN] sent
