"""ddtrace: trace ids injected into records by its patch of logging."""
# requires: ddtrace==4.16.0
# mask: \b[0-9a-f]{32}\b|\b\d{15,20}\b => id

import os

os.environ.update(DD_LOGS_INJECTION="true", DD_TRACE_AGENT_URL="http://127.0.0.1:1", DD_INSTRUMENTATION_TELEMETRY_ENABLED="false")
os.environ.update(
    DD_REMOTE_CONFIGURATION_ENABLED="false", DD_TRACE_STARTUP_LOGS="false", DD_SERVICE="shop", DD_VERSION="1", DD_ENV="test"
)
os.environ.update(DD_TRACE_ENABLED="true", DD_CRASHTRACKING_ENABLED="false")
import logging
import sys

from ddtrace import patch
from ddtrace.trace import tracer

logging.getLogger("ddtrace").setLevel(logging.CRITICAL)
tracer.configure(
    trace_processors=[type("Drop", (__import__("ddtrace").trace.TraceFilter,), {"process_trace": lambda self, spans: None})()]
)
patch(logging=True)
fields = "[dd.service=%(dd.service)s dd.env=%(dd.env)s dd.version=%(dd.version)s dd.trace_id=%(dd.trace_id)s dd.span_id=%(dd.span_id)s]"
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format=f"%(levelname)s %(name)s {fields} %(message)s")
log = logging.getLogger("shop")
pass  # late install
log.info("outside")
with tracer.trace("pay"):
    log.warning("inside %s", 1)
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken")
log.info("outside again")
