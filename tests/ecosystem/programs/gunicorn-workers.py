"""gunicorn with two workers that are forked from the arbiter: the configuration of the page on frameworks."""
# requires: gunicorn==27.0.1
# room: gunicorn
# snippet: frameworks.md gunicorn.conf.py
# mask: pid: ?\d+ => pid: ?
# mask: \(\d+\) => (?)

import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

pathlib.Path("shop.py").write_text(
    """
import logging, sys
log = logging.getLogger("gunicorn.error")
def app(environ, start_response):
    log.warning("asked for %s", environ["PATH_INFO"])
    start_response("200 OK", [])
    return [b"%d" % (sys.modules["femtolog"].stats()["native"] if "femtolog" in sys.modules else -1)]
"""
)
environment = {name: value for name, value in os.environ.items() if not name.startswith(("FEMTOLOG", "PYTHONPATH"))}
command = [sys.executable, "-m", "gunicorn", "shop:app", "--bind", "127.0.0.1:0", "--workers", "2", "--no-control-socket"]
server = subprocess.Popen([*command, "--error-logfile", "log"], env=environment)
try:
    deadline = time.monotonic() + 120
    log = pathlib.Path("log")
    while not log.exists() or log.read_text().count("Booting worker") < 2:
        assert server.poll() is None and time.monotonic() < deadline, log.exists() and log.read_text()
        time.sleep(0.05)
    url = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())[0]
    for number in range(3):
        counted = int(urllib.request.urlopen(f"{url}/orders/{number}").read())
        assert counted > 0 if os.environ["FEMTOLOG_TEST_WAY"] != "stdlib" else counted == -1, counted
finally:
    server.terminate()
    server.wait(60)
lines = [line for line in log.read_text().splitlines() if "Worker" not in line and "Handling signal" not in line]
print("\n".join(sorted(line.split("] ", 2)[2] for line in lines)))
