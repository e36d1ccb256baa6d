"""Django: django.setup() with LOGGING, mail to admins, debug filters, the log of requests by the test client."""

import importlib.util
import textwrap

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("django") is None, reason="pip install .[ecosystem]")

MASKS = [
    (r"\d\d/\w+/\d{4} \d\d:\d\d:\d\d", "<time>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(,\d+)?", "<time>"),
    (r"(Message-ID|Date|boundary|Content-Type: multipart)\S* .*", r"\1"),
    (r"={5,}\d+==", "=="),
    (r"Python (Path|Executable)[\s\S]*?Server time[^\n]*", "Python"),
    (r"\(\d+\.\d+\) ", "(0) "),
    (r"'wsgi\.\S+'?[^\n]*\n", ""),
]

START = """
    import logging, os, sys
    import django
    from django.conf import settings
    settings.configure(
        DEBUG=DEBUG, SECRET_KEY="x" * 50, ALLOWED_HOSTS=["testserver"], ROOT_URLCONF="__main__", USE_TZ=False,
        ADMINS=[("Admin", "admin@example.com")], EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, MIDDLEWARE=[], SERVER_EMAIL="s@example.com",
        LOGGING=LOGGING)
    django.setup()
    from django.core import mail
    from django.core.exceptions import PermissionDenied, SuspiciousOperation
    from django.http import Http404, HttpResponse
    from django.test import Client
    from django.test.utils import setup_test_environment
    from django.urls import path
    mail.outbox = []

    view_log = logging.getLogger("views.module")
    def fine(request):
        view_log.info("fine %s", request.path, extra={"status_code": 200})
        return HttpResponse("ok")
    def broken(request):
        view_log.warning("about to break")
        raise ValueError("broken view")
    def missing(request):
        raise Http404("not here")
    def denied(request):
        raise PermissionDenied("no")
    def suspicious(request):
        raise SuspiciousOperation("suspicious")
    def own_status(request):
        return HttpResponse("gone", status=410)
    def server_error(request):
        return HttpResponse("teapot", status=503)
    urlpatterns = [path(f.__name__, f) for f in (fine, broken, missing, denied, suspicious, own_status, server_error)]
    def session():
        client = Client(raise_request_exception=False)
        for name in ("fine", "broken", "missing", "denied", "suspicious", "own_status", "server_error", "nowhere"):
            print(name, client.get("/" + name).status_code)
        for message in mail.outbox:
            print("MAIL", message.subject, message.to, "\\n".join(message.body.splitlines()[:12]))
            print(message.alternatives)
        mail.outbox.clear()
    def lay_out():
        for name in (None, "django", "django.request", "django.server", "django.db.backends", "django.security", "views"):
            log = logging.getLogger(name)
            print(name, log.level, log.propagate, log.disabled, [(type(h).__name__, h.level, [type(f).__name__ for f in h.filters],
                  type(h.formatter).__name__) for h in log.handlers])
"""

SETTINGS = {
    "default": "{}",
    "own": """{
        "version": 1, "disable_existing_loggers": False,
        "filters": {"debug_true": {"()": "django.utils.log.RequireDebugTrue"},
                    "debug_false": {"()": "django.utils.log.RequireDebugFalse"},
                    "callback": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: "secret" not in record.getMessage()}},
        "formatters": {"verbose": {"format": "{levelname} {asctime} {module} {message}", "style": "{"},
                       "server": {"()": "django.utils.log.ServerFormatter", "format": "[{server_time}] {message}", "style": "{"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "verbose", "level": "DEBUG"},
                     "server": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "server"},
                     "file": {"class": "logging.FileHandler", "filename": "django.log", "formatter": "verbose", "filters": ["callback"]},
                     "mail": {"class": "django.utils.log.AdminEmailHandler", "level": "ERROR", "filters": ["debug_false"],
                              "include_html": False}},
        "loggers": {"django": {"handlers": ["console", "mail"], "level": "INFO"},
                    "django.server": {"handlers": ["server"], "level": "INFO", "propagate": False},
                    "django.db.backends": {"level": "DEBUG"},
                    "views": {"handlers": ["console", "file"], "level": "DEBUG", "propagate": False}},
        "root": {"handlers": ["console"], "level": "WARNING"}}""",
}


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("settings", SETTINGS)
def test_requests_and_mail(run, settings, debug):
    run(
        f"DEBUG = {debug}\nLOGGING = {SETTINGS[settings]}\n"
        + textwrap.dedent(START)
        + textwrap.dedent("""
        pass  # late install
        lay_out()
        session()
        from django.db import connection, reset_queries
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [3])
            cursor.fetchall()
        server = logging.getLogger("django.server")
        for code in (200, 302, 404, 500):
            server.info('"%s" %s %s', "GET / HTTP/1.1", code, 17, extra={"request": None, "server_time": "now", "status_code": code})
        view_log.error("a secret word")
        view_log.error("told %s", "all")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.getLogger("django.request").exception("by hand", extra={"status_code": 500})
        for message in mail.outbox:
            print("MAIL", message.subject, "\\n".join(message.body.splitlines()[:6]))
        """),
        files=("django.log",),
        masks=MASKS,
    )


def test_a_broken_mail_backend_goes_to_handle_error(run):
    run(
        "DEBUG = False\nLOGGING = {}\n"
        + textwrap.dedent(START)
        + textwrap.dedent("""
        pass  # late install
        class Backend:
            def __init__(self, *args, **kwargs):
                raise ConnectionRefusedError(111, "no mail server")
        import django.utils.log
        handler = logging.getLogger("django").handlers[-1]
        handler.connection = lambda: Backend()
        seen = []
        def error(record):
            seen.append((type(sys.exc_info()[1]).__name__, record.getMessage()))
        handler.handleError = error
        try:
            logging.getLogger("django.request").error("mail this %s", "x", extra={"status_code": 500})
        except Exception as exc:
            print("raised", type(exc).__name__, exc)
        print(seen)
        """),
        masks=MASKS,
    )


def test_django_own_test_case_with_assert_logs(run):
    run(
        "DEBUG = False\nLOGGING = {}\n"
        + textwrap.dedent(START)
        + textwrap.dedent("""
        import unittest
        from django.test import SimpleTestCase
        pass  # late install
        class Tests(SimpleTestCase):
            def test_missing(self):
                with self.assertLogs("django.request", "WARNING") as cm:
                    self.client.get("/nowhere")
                print(cm.output, cm.records[0].status_code, type(cm.records[0].request).__name__)
            def test_broken(self):
                self.client.raise_request_exception = False
                with self.assertLogs("django.request", "ERROR") as cm:
                    self.client.get("/broken")
                print(cm.output[0].splitlines()[-1], cm.records[0].exc_info[0])
            def test_fine(self):
                with self.assertNoLogs("django", "WARNING"):
                    self.client.get("/fine")
        unittest.main(argv=["program"], exit=False)
        """),
        masks=[*MASKS, (r"in \d+\.\d+s", "in ?s")],
    )
