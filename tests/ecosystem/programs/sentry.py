"""sentry-sdk: breadcrumbs and events from logging, with a transport of our own."""
# requires: sentry-sdk==2.75.0

import logging
import sys

import sentry_sdk
from sentry_sdk.transport import Transport


class Kept(Transport):
    events = []

    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event is not None:
            self.events.append(event)


logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
sentry_sdk.init(dsn="http://k@127.0.0.1:1/1", transport=Kept, auto_enabling_integrations=False)
log = logging.getLogger("shop")
pass  # late install
log.info("a breadcrumb %s", 1)
log.warning("another", extra={"order": 17})
log.error("an event %(a)s", {"a": 2}, extra={"order": 18})
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken")
for event in Kept.events:
    crumbs = [(crumb["category"], crumb["level"], crumb["message"]) for crumb in event["breadcrumbs"]["values"]]
    print(event["level"], event["logger"], event.get("logentry"), event["extra"].get("order"), crumbs)
    print(
        [
            (error["type"], error["value"], len(error["stacktrace"]["frames"]))
            for error in event.get("exception", {}).get("values", [])
        ]
    )
