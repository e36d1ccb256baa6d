"""Celery with a pool of processes and a broker of files: the file of the page on frameworks."""
# requires: celery==5.7.0
# room: celery
# snippet: frameworks.md tasks.py

import os
import pathlib
import re
import subprocess
import sys
import time

pathlib.Path("counted.py").write_text(
    """
import sys
from tasks import app, pay

@app.task
def native():
    counted = sys.modules["femtolog"].stats()["native"] if "femtolog" in sys.modules else -1
    with open("native.new", "w") as file:
        file.write(str(counted))
    __import__("os").rename("native.new", "native")
"""
)
# kombu's transport over folders: what one process writes is what the other one reads.
pathlib.Path("data_in").mkdir()
pathlib.Path("data_out").symlink_to("data_in")
environment = {name: value for name, value in os.environ.items() if not name.startswith(("FEMTOLOG", "PYTHONPATH"))}
environment.update(CELERY_BROKER_URL="filesystem://", PYTHONPATH=".", C_FORCE_ROOT="1")
with open("log", "w") as log:
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "counted", "worker", "--concurrency=1", "--loglevel=INFO", "--without-mingle"],
        stdout=log,
        stderr=log,
        env=environment,
    )
try:
    code = "from counted import native, pay; [pay.delay(17), pay.delay(18), native.delay()]"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    deadline = time.monotonic() + 120
    while not pathlib.Path("native").exists():
        assert worker.poll() is None and time.monotonic() < deadline, pathlib.Path("log").read_text()
        time.sleep(0.05)
    counted = int(pathlib.Path("native").read_text())
    assert counted > 0 if os.environ["FEMTOLOG_TEST_WAY"] != "stdlib" else counted == -1, counted
finally:
    worker.terminate()
    worker.wait(60)
lines = pathlib.Path("log").read_text().splitlines()
# Times and ids differ, also in how they sort.
told = [
    re.sub(r"^\[[^:]+:\d\d:[\d,]+|[0-9a-f]{8}-[0-9a-f-]+|[\d.e-]+s(?=: None)", "?", line) for line in lines if "tasks." in line
]
print(*sorted(told), sep="\n")
