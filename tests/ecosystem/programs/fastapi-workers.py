"""FastAPI on uvicorn with two worker processes: the file of the page on frameworks."""
# requires: fastapi==0.165.0 uvicorn==0.54.0 httpx==0.28.1
# room: fastapi
# snippet: frameworks.md shop.py
# mask: \[\d+\] => [?]
# mask: Waiting for child process[^\n]* => waiting

import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

pathlib.Path("served.py").write_text(
    """
import os, sys
from shop import app

@app.get("/native")
def native() -> int:
    return sys.modules["femtolog"].stats()["native"] if "femtolog" in sys.modules else -1
"""
)
environment = {name: value for name, value in os.environ.items() if not name.startswith(("FEMTOLOG", "PYTHONPATH"))}
with open("log", "w") as log:
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "served:app", "--port", "0", "--workers", "2", "--no-use-colors"],
        stdout=log,
        stderr=log,
        env=environment | {"PYTHONPATH": "."},
    )
try:
    deadline = time.monotonic() + 120
    while len(re.findall("startup complete", pathlib.Path("log").read_text())) < 2:
        assert server.poll() is None and time.monotonic() < deadline, pathlib.Path("log").read_text()
        time.sleep(0.05)
    url = re.search(r"http://127\.0\.0\.1:\d+", pathlib.Path("log").read_text())[0]
    for number in range(3):
        print(urllib.request.urlopen(f"{url}/orders/{number}").read().decode())
    counted = int(urllib.request.urlopen(f"{url}/native").read())
    assert counted > 0 if os.environ["FEMTOLOG_TEST_WAY"] != "stdlib" else counted == -1, counted
finally:
    server.terminate()
    server.wait(60)
# Two workers have no order; nor have the ports of their clients.
print("\n".join(sorted(re.sub(r"\.1:\d+ -", ".1:0 -", pathlib.Path("log").read_text()).splitlines())))
