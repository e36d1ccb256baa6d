"""FemtoHTTPHandler: records by HTTP in batches of JSON, by a thread; what the server has not answered with 2xx is sent again."""

import http.server
import json
import threading

from femtolog.femto import HTTPHandlerBuilder, get_logger

ANSWERS = [503, 200, 200]


class Collector(http.server.BaseHTTPRequestHandler):
    """Is overloaded at first."""

    def do_POST(self):
        """Prints what it takes."""
        status = ANSWERS.pop(0)
        records = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(status, [record["msg"] for record in records])
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_args):
        """Nothing of its own."""


with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    builder = HTTPHandlerBuilder().with_endpoint(f"http://127.0.0.1:{server.server_port}/logs").with_bearer_token("secret")
    handler = builder.with_batch(max_records=2, max_wait_ms=60_000).with_backoff({"base_ms": 1}).build()
    log = get_logger("shop")
    log.add_handler(handler)
    for number in range(1, 4):
        log.warning(f"order {number} unpaid")
    print(handler.flush(timeout=10))
    server.shutdown()
handler.close()
stats = handler.stats()
print({name: stats[name] for name in ("emitted", "written", "dropped")})

# prints:
# 503 ['order 1 unpaid', 'order 2 unpaid']
# 200 ['order 1 unpaid', 'order 2 unpaid']
# 200 ['order 3 unpaid']
# True
# {'emitted': 3, 'written': 3, 'dropped': 0}
