"""OpenTelemetry: the logging instrumentation's fields, and the SDK's handler with an exporter in memory."""
# requires: opentelemetry-sdk==1.45.2 opentelemetry-instrumentation-logging==0.66b2
# mask: [0-9a-f]{32} => trace
# mask: [0-9a-f]{16} => span

import logging
import sys
import warnings

warnings.simplefilter("ignore")
from opentelemetry import trace
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs import export
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
LoggingInstrumentor().instrument(set_logging_format=False, enable_log_auto_instrumentation=False)
kept = (getattr(export, "InMemoryLogRecordExporter", None) or export.InMemoryLogExporter)()
provider = LoggerProvider()
provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
fields = "%(otelTraceID)s %(otelSpanID)s %(otelServiceName)s %(otelTraceSampled)s"
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format=f"%(levelname)s %(name)s {fields} %(message)s")
logging.root.addHandler(LoggingHandler(logger_provider=provider))
log = logging.getLogger("shop")
pass  # late install
log.warning("outside")
with trace.get_tracer("shop").start_as_current_span("pay"):
    log.info("inside %s", 1, extra={"order": 17})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken")
for one in kept.get_finished_logs():
    record = one.log_record
    names = sorted(name for name in record.attributes if not name.startswith("code."))
    print(record.severity_text, record.body, names, record.attributes.get("order"), record.attributes.get("exception.type"))
LoggingInstrumentor().uninstrument()
logging.root.removeHandler(logging.root.handlers[-1])
provider.shutdown()
log.warning("without: %s", "otelTraceID" in vars(logging.makeLogRecord({})))
