"""python -m femtolog migrate: what is rewritten, what is only told, and that a second run changes nothing."""

import json
import os
import sys
import textwrap

import pytest
from startup import run

from femtolog import _migrate


def text(source):
    return textwrap.dedent(source).lstrip("\n")


def migrated(tmp_path, source, write=True):
    """The file after --write, and the codes and lines of the remarks."""
    path = tmp_path / "f.py"
    path.write_text(source)
    changed, remarks, failed = _migrate.migrate([str(path)], write)
    assert not failed
    assert bool(changed) == (path.read_text() != source) or not write
    after = path.read_text()
    again, _, failed = _migrate.migrate([str(path)], True)
    if write:
        assert not again and not failed and path.read_text() == after, "a second run changes nothing"
    return after, [f"{remark.code}:{remark.line}" for remark in remarks]


REWRITTEN = {
    "picologging as logging": (
        "import picologging as logging\nlogging.basicConfig()\n",
        "import femtolog as logging\nlogging.basicConfig()\n",
    ),
    "picologging by its name": (
        """
        import os, picologging  # comment
        import picologging.handlers

        def f(x=picologging.INFO):
            picologging.handlers.QueueHandler(picologging.getLogger( "é" ))
        """,
        """
        import os, femtolog  # comment
        import femtolog.handlers

        def f(x=femtolog.INFO):
            femtolog.handlers.QueueHandler(femtolog.getLogger( "é" ))
        """,
    ),
    "picologging from": (
        """
        try:
            from picologging import (
                getLogger,  # why
                INFO as LEVEL,
            )
            from picologging.config import dictConfig
            from picologging import handlers
        except ImportError:
            import logging
        """,
        """
        try:
            from femtolog import (
                getLogger,  # why
                INFO as LEVEL,
            )
            from femtolog.config import dictConfig
            from femtolog import handlers
        except ImportError:
            import logging
        """,
    ),
    "loguru": (
        """
        import sys
        from loguru import logger
        import os

        def f(x):
            logger.info("plain {not formatted} 100%")
            logger.debug("a {} and {{}} of 100%", x)
            logger.warning(
                "one {} "
                'two {}',  # comment
                x, os.sep)
            logger.error(f"{x}")
            logger.info(x)
            try:
                pass
            except ValueError:
                logger.exception(r"\\ {}", sys)
        """,
        """
        import sys
        import femtolog

        logger = femtolog.getLogger(__name__)
        import os

        def f(x):
            logger.info("plain {not formatted} 100%")
            logger.debug("a %s and {} of 100%%", x)
            logger.warning(
                "one %s "
                'two %s',  # comment
                x, os.sep)
            logger.error(f"{x}")
            logger.info(x)
            try:
                pass
            except ValueError:
                logger.exception(r"\\ %s", sys)
        """,
    ),
    "loguru by another name": (
        "from loguru import logger as log\nlog.info('{}', 1)\n",
        "import femtolog\n\nlog = femtolog.getLogger(__name__)\nlog.info('%s', 1)\n",
    ),
    "structlog": (
        """
        import structlog
        log = structlog.get_logger()
        other = structlog.stdlib.get_logger("x.y")
        log.info("a %s", 1)
        other.exception("b")
        """,
        """
        import femtolog
        log = femtolog.getLogger(__name__)
        other = femtolog.getLogger("x.y")
        log.info("a %s", 1)
        other.exception("b")
        """,
    ),
    "structlog from": (
        "from structlog import get_logger as get\nlog = get()\nlog.critical('a')\n",
        "import femtolog\nlog = femtolog.getLogger(__name__)\nlog.critical('a')\n",
    ),
}


@pytest.mark.parametrize("case", REWRITTEN)
def test_what_is_certain_is_rewritten_and_nothing_else_touched(tmp_path, case):
    before, after = map(text, REWRITTEN[case])
    result, remarks = migrated(tmp_path, before)
    assert result == after
    assert len(remarks) == 1 and remarks[0].startswith(("FM100:", "FM200:", "FM300:"))
    assert migrated(tmp_path, before, write=False)[0] == before
    crlf = before.replace("\n", "\r\n").encode()
    (tmp_path / "g.py").write_bytes(b"\xef\xbb\xbf" + crlf)
    os.chmod(tmp_path / "g.py", 0o640)
    _migrate.migrate([str(tmp_path / "g.py")], True)
    assert (tmp_path / "g.py").read_bytes() == b"\xef\xbb\xbf" + after.replace("\n", "\r\n").encode()
    assert (tmp_path / "g.py").stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["f.py", "g.py"]


LOGURU = "from loguru import logger\n"
STRUCTLOG = "import structlog\nlog = structlog.get_logger()\n"
LEFT = {
    "picologging *": ("from picologging import *\n", "FM102:1"),
    "picologging's own": ("from picologging import getLogger, nothing\n", "FM101:1"),
    "picologging's attribute": ("import picologging as p\np.getLogger()\np.handlers.nothing\n", "FM101:3"),
    "picologging bound twice": ("import picologging\npicologging = None\n", "FM102:1"),
    "picologging, femtolog taken": ("import picologging\nfemtolog = 1\n", "FM102:1"),
    "loguru's module": ("import loguru\n", "FM202:1"),
    "loguru's other names": ("from loguru import logger, _defaults\n", "FM202:1"),
    "loguru in a function": ("def f():\n    from loguru import logger\n    logger.info('a')\n", "FM202:2"),
    "loguru unused": (LOGURU, "FM202:1"),
    "loguru add": (LOGURU + "logger.add('x')\n", "FM201:2"),
    "loguru success": (LOGURU + "logger.info('a')\nlogger.success('a')\n", "FM201:3"),
    "loguru keywords": (LOGURU + "logger.info('{x}', x=1)\n", "FM203:2"),
    "loguru format": (LOGURU + "logger.info('{:.2f}', 1)\n", "FM203:2"),
    "loguru numbers": (LOGURU + "logger.info('{0}', 1)\n", "FM203:2"),
    "loguru count": (LOGURU + "logger.info('{}', 1, 2)\n", "FM203:2"),
    "loguru variable": (LOGURU + "logger.info(logger.__doc__, 2)\n", "FM202:2"),
    "loguru message": (LOGURU + "x = ''\nlogger.info(x, 2)\n", "FM203:3"),
    "loguru f-string": (LOGURU + "logger.info(f'{1} {{}}', 2)\n", "FM203:2"),
    "loguru star": (LOGURU + "logger.info('{}', *[1])\n", "FM203:2"),
    "loguru escape": (LOGURU + "logger.info('\\x7b} %', 1)\n", "FM203:2"),
    "loguru passed on": (LOGURU + "print(logger)\n", "FM202:2"),
    "loguru rebound": (LOGURU + "logger = logger.bind(a=1)\n", "FM201:2"),
    "loguru exported": (LOGURU + "__all__ = ['logger']\nlogger.info('a')\n", "FM202:1"),
    "structlog configure": (STRUCTLOG + "structlog.configure()\n", "FM301:3"),
    "structlog bind": (STRUCTLOG + "log.bind(a=1).info('a')\n", "FM301:3"),
    "structlog pairs": (STRUCTLOG + "log.info('a', b=1)\n", "FM303:3"),
    "structlog starting values": ("import structlog\nlog = structlog.get_logger(a=1)\n", "FM302:2"),
    "structlog in a class": ("import structlog\nclass A:\n    log = structlog.get_logger()\n", "FM302:3"),
    "structlog passed on": (STRUCTLOG + "print(log)\n", "FM302:3"),
    "structlog twice": ("import structlog\nimport structlog.stdlib\n", "FM302:1"),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_is_not_certain_is_told_and_the_file_left(tmp_path, case):
    source, remark = LEFT[case]
    result, remarks = migrated(tmp_path, source)
    assert result == source
    assert remark in remarks and not any(found[:5] in ("FM100", "FM200", "FM300") for found in remarks)


def test_a_text_that_names_picologging_is_told_and_left(tmp_path):
    source = "import picologging\nx = {'class': 'picologging.StreamHandler', 'y': 'not picologging.x y'}\n"
    result, remarks = migrated(tmp_path, source)
    assert result == source.replace("import picologging", "import femtolog")
    assert remarks == ["FM100:1", "FM103:2"]


@pytest.mark.parametrize("user", ["from app import logger", "from . import logger", "import app\napp.logger.info('{}', 1)"])
def test_a_logger_that_other_files_take_is_left(tmp_path, user):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text(LOGURU + "logger.info('a')\n")
    (tmp_path / "app" / "b.py").write_text(user + "\n")
    changed, remarks, _ = _migrate.migrate([str(tmp_path)], True)
    assert changed == {} and [remark.code for remark in remarks] == ["FM202"]


def test_what_names_none_of_them_and_what_is_no_python(tmp_path):
    assert migrated(tmp_path, "import logging\nlogger.info('{}', 1)\n") == ("import logging\nlogger.info('{}', 1)\n", [])
    (tmp_path / "f.py").write_text("import picologging as (\n")
    changed, [remark], failed = _migrate.migrate([str(tmp_path)], True)
    assert not changed and failed and remark.code == "FM000"
    changed, [remark], failed = _migrate.migrate([str(tmp_path / "missing.py")], True)
    assert not changed and failed and remark.code == "FM000" and "cannot be read" in remark.text


def command(capsys, *arguments):
    """Exit status, stdout and stderr of the command, run in this process."""
    with pytest.raises(SystemExit) as ended:
        _migrate.main(list(arguments))
    return (ended.value.code, *capsys.readouterr())


def test_the_command_shows_a_diff_then_writes_and_what_it_wrote_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(LOGURU + "logger.warning('{} of 100%', 1)\n")
    (tmp_path / "b.py").write_text(LOGURU + "logger.bind()\n")
    done = run(sys.executable, "-P", "-m", "femtolog", "migrate", "a.py", "b.py", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr == ""
    before = (
        "--- a.py\n+++ a.py\n@@ -1,2 +1,4 @@\n-from loguru import logger\n-logger.warning('{} of 100%', 1)\n+import femtolog\n"
    )
    assert done.stdout.startswith(before)
    assert "a.py:1:1: FM200 loguru: " in done.stdout
    assert "b.py:2:1: FM201 loguru's bind(): a LoggerAdapter, or extra=\n" in done.stdout
    status, told, _ = command(capsys, "--json", "--write", "a.py")
    told = json.loads(told)
    assert status == 0 and told["changed"] == ["a.py"] and told["written"] is True
    assert [remark["code"] for remark in told["remarks"]] == ["FM200"]
    assert command(capsys, "--write", "a.py") == (0, "", "")
    done = run(sys.executable, "-P", "a.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "1 of 100%\n")
    for wrong in (["--nothing", "a.py"], []):
        status, _, told = command(capsys, *wrong)
        assert status == 2 and "usage: python -m femtolog migrate" in told
    status, told, _ = command(capsys, "--help")
    assert status == 0 and all(code in told for code in _migrate.CODES)
