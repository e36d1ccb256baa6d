"""FemtoHTTPHandler(replay=True): the server answers 503, and what is logged waits on disk; it is posted in order when the server can take it.

Where there is a fallback, and no replay, it has the records instead.
"""

import http.server
import json
import logging
import sys
import threading

from femtolog.femto import FemtoHTTPHandler

seen = []


class Collector(http.server.BaseHTTPRequestHandler):
    overloaded = True

    def do_POST(self):
        records = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.overloaded:
            seen.extend(record["msg"] for record in records)
        self.send_response(503 if self.overloaded else 204)
        self.end_headers()

    def log_message(self, *args):
        pass


console = logging.StreamHandler(sys.stdout)
console.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s %(shelf)s"))
log = logging.getLogger("orders")
quick = {"base_ms": 5, "cap_ms": 20, "deadline_ms": 50}

with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    url = f"http://127.0.0.1:{server.server_port}/logs"
    handler = FemtoHTTPHandler(url, batch=True, capacity=10, backoff=quick, replay=True, spool_dir="spool")
    log.addHandler(handler)
    for number in range(1000):
        log.warning("order %d", number)
    print("sent", handler.stats()["written"], "dropped", handler.stats()["dropped"])
    Collector.overloaded = False
    print("flushed:", handler.flush(30))
    print("in order:", seen == [f"order {number}" for number in range(1000)])
    log.removeHandler(handler)
    handler.close()

    Collector.overloaded = True
    beside = FemtoHTTPHandler(url, batch=True, backoff=quick, fallback=console)
    log.addHandler(beside)
    log.warning("no more tea", extra={"shelf": 4})
    beside.flush(30)
    stats = beside.stats()
    print({name: stats[name] for name in ("emitted", "written", "failed", "fallback", "dropped")})
    log.removeHandler(beside)
    beside.close()
    server.shutdown()

# prints:
# sent 0 dropped 0
# flushed: True
# in order: True
# WARNING orders: no more tea 4
# {'emitted': 1, 'written': 0, 'failed': 1, 'fallback': 1, 'dropped': 0}
