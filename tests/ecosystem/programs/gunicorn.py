"""gunicorn, a worker of its own, its access log and error log, an end by signal."""
# requires: gunicorn==27.0.1
# files: access.log sorted-error.log
# mask: \[\d+\] => [?]
# mask: pid: ?\d+ => pid: ?
# mask: \(\d+\) => (?)
# mask: \[\d{4}-[^]]+\] => [time]
# mask: \[\d\d/\w+/\d{4}[^]]+\] => [time]

import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

pathlib.Path("shop.py").write_text(
    """
import logging
log = logging.getLogger("gunicorn.error")
def app(environ, start_response):
    log.warning("asked for %s", environ["PATH_INFO"])
    if environ["PATH_INFO"] == "/broken":
        raise ValueError("broken")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
)
pass  # late install
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
command = [sys.executable, "-m", "gunicorn", "shop:app", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--no-control-socket"]
logs = ["--access-logfile", "access.log", "--error-logfile", "error.log", "--log-level", "debug"]
process = subprocess.Popen([*command, *logs], stderr=subprocess.DEVNULL)
for path in ("/fine", "/broken", "/fine?x=1"):
    for _ in range(600):
        try:
            print(path, urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30).status)
        except urllib.error.HTTPError as error:
            print(path, error.code)
        except OSError:
            time.sleep(0.05)
            continue
        break
process.send_signal(signal.SIGTERM)
print(process.wait(60))
lines = pathlib.Path("error.log").read_text().splitlines()
# What the arbiter and its worker write meanwhile has no order, nor have the settings that --log-level debug prints.
kept = [line for line in lines if ("gunicorn.arbiter" not in line and not line.startswith(("  ", "["))) or "] [" in line]
pathlib.Path("sorted-error.log").write_text("\n".join(sorted(line[line.find("] [") + 1 :] for line in kept)))
