"""Django's own server on loopback: LOGGING by dictConfig, django.request, django.server, mail to admins."""
# requires: django==6.1.3 ; python_version >= "3.12"
# requires: django==5.2.19 ; python_version < "3.12"

import logging
import threading
import urllib.error
import urllib.request

import django
from django.conf import settings

FORMAT = {"format": "{levelname} {name} {module} {message}", "style": "{"}
settings.configure(
    DEBUG=False,
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="__main__",
    USE_TZ=False,
    ADMINS=[("Admin", "admin@example.com")],
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"brief": FORMAT},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "brief"}},
        "loggers": {"django": {"handlers": ["out", "mail_admins"], "level": "INFO"}}
        | {"shop": {"handlers": ["out"], "level": "DEBUG"}},
    }
    | {"filters": {}},
)
settings.LOGGING["handlers"]["mail_admins"] = {"class": "django.utils.log.AdminEmailHandler", "level": "ERROR"}
django.setup()
from django.core import mail
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

log = logging.getLogger("shop.views")
pass  # late install


def fine(request):
    log.debug("fine %s", request.path, extra={"status_code": 200})
    return HttpResponse("ok")


def broken(request):
    raise ValueError("broken view")


urlpatterns = [path("fine", fine), path("broken", broken)]
mail.outbox = []
server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler, ipv6=False, allow_reuse_address=True)
server.set_app(get_wsgi_application())
thread = threading.Thread(target=server.serve_forever)
thread.start()
answers = []
for name in ("fine", "broken", "nowhere"):
    try:
        answers.append((name, urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{name}", timeout=30).status))
    except urllib.error.HTTPError as error:
        answers.append((name, error.code))
server.shutdown()
thread.join()
print(answers)
print([message.subject for message in mail.outbox])
