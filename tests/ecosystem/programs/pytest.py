"""pytest: caplog, live logs and report sections, alone and in a worker of xdist."""
# requires: pytest==9.2.0 pytest-xdist==3.8.0
# mask: in [\d.]+s => in ?s
# mask: platform [^\n]+ => platform
# mask: (?m)^(rootdir|plugins|cachedir)[^\n]* => \1

import pathlib
import subprocess
import sys

pathlib.Path("test_shop.py").write_text(
    """
import logging
log = logging.getLogger("shop")
quiet = logging.getLogger("quiet")
quiet.propagate = False

def test_records(caplog):
    with caplog.at_level("INFO"):
        log.info("paid %s", 1)
        quiet.warning("not propagated")
    assert "paid 1" in caplog.text and caplog.record_tuples[0] == ("shop", 20, "paid 1")

def test_fails(caplog):
    log.warning("before the end")
    assert caplog.records[0].funcName == "nothing"
"""
)
pass  # late install
base = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "-rA"]
for options in (["--log-cli-level=INFO"], ["--log-level=INFO", "--show-capture=log"], ["-n1"]):
    done = subprocess.run([*base, *options], capture_output=True, text=True)
    print(done.returncode, done.stdout, done.stderr)
