"""requests and urllib3: connections, retries and redirects of a session with a server on loopback."""
# requires: requests==2.34.2 urllib3==2.8.0

import http.server
import logging
import sys
import threading

import requests
import urllib3

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(levelname)s %(name)s %(funcName)s %(message)s")
pass  # late install


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302 if self.path == "/moved" else 503 if self.path == "/busy" else 200)
        if self.path == "/moved":
            self.send_header("Location", "/here")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        logging.getLogger("server").info(*args)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
with requests.Session() as session:
    session.mount(
        "http://", requests.adapters.HTTPAdapter(max_retries=urllib3.Retry(2, status_forcelist=[503], backoff_factor=0))
    )
    for path in ("/", "/moved", "/busy"):
        try:
            print(path, session.get(address + path, timeout=10).status_code)
        except requests.RequestException as error:
            logging.getLogger("client").warning("%s: %s", path, type(error).__name__)
server.shutdown()
try:
    requests.get("http://127.0.0.1:1/", timeout=10)
except requests.ConnectionError:
    logging.getLogger("client").exception("nobody there")
