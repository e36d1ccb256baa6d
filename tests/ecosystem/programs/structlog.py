"""structlog over the standard library: ProcessorFormatter for its own and for foreign records."""
# requires: structlog==26.1.0

import logging
import sys

import structlog

shared = [structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder()]
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(
    structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )
)
logging.basicConfig(handlers=[handler], level=logging.INFO)
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *shared[:2],
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.CallsiteParameterAdder([structlog.processors.CallsiteParameter.FUNC_NAME]),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)
log = structlog.get_logger("shop")
pass  # late install


def work():
    log.info("paid %s", 1, order=17)
    log.bind(user="u").warning("bound")
    logging.getLogger("foreign").error("foreign %d", 2, extra={"a": 1})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken")
    log.debug("below")


work()
