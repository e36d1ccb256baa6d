"""gunicorn with two workers of gevent, and of eventlet: ten thousand records of asynchronous handlers, by requests that run at the same time."""
# requires: gunicorn==23.0.0 gevent==26.9.0 eventlet==0.41.3

import collections
import concurrent.futures
import itertools
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.request

REQUESTS, RECORDS = 20, 500

pathlib.Path("shop.py").write_text(
    f"""
import logging, time
handler = logging.FileHandler("records", delay=True)
if {os.environ["FEMTOLOG_TEST_WAY"] != "stdlib"}:
    import femtolog
    femtolog.install()
    handler = femtolog.enqueue(handler, capacity=100)
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(logging.INFO)
log.propagate = False
log.info("imported")

def app(environ, start_response):
    for number in range({RECORDS}):
        log.info("%s %d", environ["PATH_INFO"], number)
        if number % 50 == 0:
            time.sleep(0.001)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
)
environment = {name: value for name, value in os.environ.items() if not name.startswith(("FEMTOLOG", "PYTHONPATH"))}
for worker, more in itertools.product(["gevent", "eventlet"], [[], ["--preload"]]):
    command = [sys.executable, "-m", "gunicorn", "shop:app", "--bind", "127.0.0.1:0", "--workers", "2", *more]
    server = subprocess.Popen([*command, "--worker-class", worker, "--error-logfile", "log"], env=environment)
    try:
        deadline = time.monotonic() + 120
        log = pathlib.Path("log")
        while not log.exists() or log.read_text().count("Booting worker") < 2:
            assert server.poll() is None and time.monotonic() < deadline, log.exists() and log.read_text()
            time.sleep(0.05)
        url = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())[0]

        def ask(number, url=url):
            return urllib.request.urlopen(f"{url}/orders/{number}", timeout=60).read()

        with concurrent.futures.ThreadPoolExecutor(REQUESTS) as clients:
            print(worker, more, collections.Counter(clients.map(ask, range(REQUESTS))))
    finally:
        server.send_signal(signal.SIGTERM)
        print(server.wait(60))
    lines = pathlib.Path("records").read_text().splitlines()
    numbers = collections.defaultdict(list)
    for line in lines:
        if line != "imported":
            path, number = line.split()
            numbers[path].append(int(number))
    print(len(numbers), all(one == list(range(RECORDS)) for one in numbers.values()))
    pathlib.Path("records").unlink()
    log.unlink()
