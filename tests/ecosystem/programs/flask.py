"""Flask on werkzeug's server: the log of requests, app.logger, an exception in a view."""
# requires: flask==3.1.3 werkzeug==3.1.9
# mask: \[\d\d/\w+/\d{4} [\d:]+\] => [time]

import logging
import sys
import threading
import urllib.error
import urllib.request

import flask
from werkzeug.serving import make_server

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(module)s.%(funcName)s %(message)s")
app = flask.Flask("shop")
pass  # late install


@app.get("/fine/<int:number>")
def fine(number):
    app.logger.info("fine %d", number, extra={"path": flask.request.path})
    return "ok"


@app.get("/broken")
def broken():
    app.logger.warning("about to break")
    raise ValueError("broken view")


server = make_server("127.0.0.1", 0, app)
thread = threading.Thread(target=server.serve_forever, name="server")
thread.start()
answers = []
for path in ("/fine/1", "/broken", "/nowhere"):
    try:
        answers.append((path, urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=30).status))
    except urllib.error.HTTPError as error:
        answers.append((path, error.code))
server.shutdown()
thread.join()
print(answers)
