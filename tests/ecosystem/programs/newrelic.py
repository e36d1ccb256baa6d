"""New Relic's agent: its wrapper of Logger.callHandlers, and its formatter."""
# requires: newrelic==14.1.0
# mask: "timestamp": ?\d+ => "timestamp": 0
# mask: "(thread|process)\.id": ?\d+ => "\1.id": 0
# mask: "(entity\.guid|hostname|trace\.id|span\.id)": ?"[^"]*" => "\1": "?"

import logging
import os
import sys

os.environ.update(
    NEW_RELIC_MONITOR_MODE="false", NEW_RELIC_LICENSE_KEY="x" * 40, NEW_RELIC_APP_NAME="shop", NEW_RELIC_LOG="stderr"
)
os.environ.update(NEW_RELIC_LOG_LEVEL="critical")
import newrelic.agent

newrelic.agent.initialize()
from newrelic.api.log import NewRelicContextFormatter

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(NewRelicContextFormatter())
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(10)
plain = logging.getLogger("plain")
plain.addHandler(logging.StreamHandler(sys.stdout))
pass  # late install


@newrelic.agent.background_task(name="work")
def work():
    log.info("inside %s", 1, extra={"order": 17})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken")
    plain.warning("plain %d", 2)


work()
log.debug("outside")
print(
    logging.Logger.callHandlers.__name__,
    type(logging.Logger.callHandlers).__name__ in ("FunctionWrapper", "function", "method_descriptor"),
)
