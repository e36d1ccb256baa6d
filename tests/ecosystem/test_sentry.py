"""sentry-sdk's logging integration: events and breadcrumbs over a transport that only keeps them."""

import importlib.util

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("sentry_sdk") is None, reason="pip install .[ecosystem]")

START = """
    import json, logging, sys, time
    import sentry_sdk
    from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger, BreadcrumbHandler, EventHandler, SentryHandler
    from sentry_sdk.transport import Transport

    envelopes = []
    class Keep(Transport):
        def capture_envelope(self, envelope):
            envelopes.append(envelope)
    def start(**options):
        sentry_sdk.init(dsn="http://key@localhost/1", transport=Keep, default_integrations=False, auto_enabling_integrations=False,
                        integrations=[LoggingIntegration(**options.pop("integration", {}))],
                        server_name="server", release="1", environment="test", send_default_pii=True, **options)
    VOLATILE = {"event_id", "timestamp", "trace_id", "span_id", "contexts", "sdk", "modules", "thread", "process", "created", "msecs",
                "relativeCreated", "abs_path", "process.pid", "thread.id", "sentry.timestamp.sequence"}
    def clean(value):
        if isinstance(value, dict):
            return {k: clean(v) for k, v in sorted(value.items()) if k not in VOLATILE}
        if isinstance(value, (list, tuple)):
            # A stack that sentry takes by itself shows logging's Python frames, which native calls have not.
            return [clean(v) for v in value if not (isinstance(v, dict) and v.get("module") == "logging" and "function" in v)]
        return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
    def show():
        sentry_sdk.flush()
        for envelope in envelopes:
            for item in envelope.items:
                payload = item.payload.json
                if payload is None:
                    payload = json.loads(item.payload.get_bytes())
                print(item.headers.get("type"), json.dumps(clean(payload), indent=1))
        envelopes.clear()
"""


def program(text):
    import textwrap

    return textwrap.dedent(START) + textwrap.dedent(text)


MASKS = [(r"\b0x[0-9a-f]+\b", "0x?"), (r'"sentry.sdk.version": .*', "")]


@pytest.mark.parametrize("installed", ["after init", "before init"])
def test_events_and_breadcrumbs(run, installed):
    first, second = ("", "pass  # late install") if installed == "after init" else ("pass  # late install", "")
    run(
        program(f"""
        log = logging.getLogger("app.module")
        log.setLevel(10)
        log.addHandler(logging.StreamHandler(sys.stdout))
        {first}
        start()
        {second}
        def work(secret):
            log.debug("too low for a breadcrumb")
            log.info("crumb %s", "one", extra={{"user": "u"}})
            log.warning("crumb two %(a)s", {{"a": 1}})
            log.error("event %s %d", "text", 2, extra={{"k": [1, {{"deep": object}}]}})
            try:
                1 / 0
            except ZeroDivisionError:
                log.exception("failed with %s", secret)
            log.critical("stack", stack_info=True)
            try:
                raise KeyError("inner")
            except KeyError as exc:
                log.error("as instance", exc_info=exc)
            log.log(45, "between")
            logging.LoggerAdapter(log, {{"adapted": True}}).error("adapter")
            log.error("%d", "bad args")
            logging.error("on the root logger")
        work("secret")
        show()
        """),
        masks=MASKS,
    )


def test_patch_of_call_handlers_stays_effective(run):
    """The integration replaces Logger.callHandlers on the class: every way to log goes through what it put there."""
    run(
        program("""
        pass  # late install
        before = logging.Logger.callHandlers
        start()
        print(logging.Logger.callHandlers is not before, logging.Logger.callHandlers.__module__)
        class Sub(logging.Logger):
            pass
        logging.setLoggerClass(Sub)
        sub = logging.getLogger("sub")
        sub.addHandler(logging.NullHandler())
        plain = logging.Logger("free")
        plain.addHandler(logging.NullHandler())
        for log in (sub, plain, logging.getLogger(), sub.getChild("child")):
            log.error("from %s", log.name)
            log.handle(log.makeRecord(log.name, 40, "f.py", 1, "handled", (), None))
        instance = logging.getLogger("instance")
        instance.callHandlers = lambda record: print("instance's own", record.getMessage())
        instance.error("not for sentry")
        show()
        after = logging.Logger.callHandlers
        def mine(self, record):
            print("patched over:", record.getMessage())
            return after(self, record)
        logging.Logger.callHandlers = mine
        sub.error("through both")
        logging.Logger.callHandlers = after
        sub.error("through one")
        show()
        """),
        masks=MASKS,
    )


def test_ignored_loggers_levels_and_handlers(run):
    run(
        program("""
        start(integration={"level": logging.DEBUG, "event_level": logging.WARNING}, enable_logs=True)
        ignore_logger("ignored")
        ignore_logger("wild.*")
        pass  # late install
        log = logging.getLogger("app")
        log.setLevel(10)
        log.debug("crumb at debug")
        log.warning("event at warning")
        logging.getLogger("ignored").error("ignored")
        logging.getLogger("wild.card").error("ignored too")
        log.propagate = False
        log.addHandler(BreadcrumbHandler(level=20))
        log.addHandler(EventHandler(level=40))
        log.error("twice: by the patch and by the handler")
        log.removeHandler(log.handlers[1])
        logging.captureWarnings(True)
        import warnings
        warnings.simplefilter("always")
        logging.getLogger("py.warnings").propagate = False
        warnings.warn_explicit("captured", UserWarning, "file.py", 3)
        show()
        """),
        masks=MASKS,
    )


def test_initialised_twice_and_closed(run):
    run(
        program("""
        start()
        pass  # late install
        logging.error("one")
        start()
        logging.error("two")
        sentry_sdk.get_client().close()
        logging.error("after close")
        with sentry_sdk.new_scope() as scope:
            scope.set_tag("t", 1)
            logging.error("in a scope")
        show()
        """),
        masks=MASKS,
    )
