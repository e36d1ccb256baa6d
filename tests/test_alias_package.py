"""The distribution femtolog-picologging (alias/picologging): built, installed, and what a program written for picologging finds."""

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest
from startup import make_environment, run

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "alias" / "picologging"

# In the manner of picologging's own documentation: configuration, handlers, levels, formatters.
PROGRAM = """
import sys
import picologging as logging
import picologging.config
import picologging.handlers
import femtolog

assert not femtolog.is_installed() and "logging" in sys.modules
logging.basicConfig(stream=sys.stdout, format="%(levelname)s:%(name)s:%(message)s", level=logging.INFO)
logger = logging.getLogger("shop")
assert femtolog.is_installed()
logger.info("a log message, %s", "with an argument")
logger.debug("not this")
handler = picologging.handlers.MemoryHandler(10, target=logging.StreamHandler(sys.stdout))
logger.addHandler(handler)
logger.warning("kept")
handler.flush()
handler.close()
picologging.config.dictConfig({
    "version": 1,
    "formatters": {"brief": {"class": "picologging.Formatter", "format": "%(message)s"}},
    "handlers": {"out": {"class": "picologging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "brief"}},
    "root": {"level": "DEBUG", "handlers": ["out"]},
})
logging.getLogger("again").debug("configured")
import logging as real
assert logging.getLogger is real.getLogger and logging.FormatStyle is real.PercentStyle and logging.__version__ == "0.9.3"
assert isinstance(handler, real.Handler)
femtolog.install(picologging=True)
femtolog.uninstall()
import picologging.handlers as same
assert same.MemoryHandler is real.handlers.MemoryHandler
"""


@pytest.mark.build
def test_built_and_installed_it_is_logging(tmp_path):
    python = make_environment(tmp_path / "room")
    [site] = (tmp_path / "room").glob("lib/python3.*/site-packages")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    dist = tmp_path / "dist"
    for command in (["wheel", "--no-deps", "--wheel-dir", dist, SOURCES], ["install", "--no-deps", "--target", site]):
        wheels = list(dist.glob("*.whl")) if command[0] == "install" else []
        done = subprocess.run([*pip, *command, *wheels], env=os.environ, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in site.iterdir() if "picologging" in path.name} == {
        "picologging",
        "femtolog_picologging-0.1.0.dist-info",
    }
    done = run(python, "-c", textwrap.dedent(PROGRAM))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "INFO:shop:a log message, with an argument\nWARNING:shop:kept\nkept\nconfigured\n"


def test_its_sources_do_the_same(tmp_path):
    python = make_environment(tmp_path)
    done = run(python, "-c", textwrap.dedent(PROGRAM), env={"PYTHONPATH": str(SOURCES), "PYTHONDONTWRITEBYTECODE": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("configured\n")
