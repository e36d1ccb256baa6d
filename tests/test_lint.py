"""python -m femtolog lint: what it finds, what it leaves alone, and how it says so."""

import json
import logging
import sys

import pytest
from startup import run

from femtolog import _lint

FOUND = {
    "FL101": ['log.info(f"a {x}")', 'logging.info("a" f"{x}")', 'log.log(20, f"{x}")', 'self.logger.info(f"{x}")'],
    "FL102": ['log.info("a %s" % x)', 'log.info(f"a" % x)', 'getLogger("x").error("%s" % x)'],
    "FL103": ['log.info("a {}".format(x))'],
    "FL104": ['log.info("a " + x)', 'log.info(x + "a" + str(x))'],
    "FL201": [
        'log.info("a %s", x, x)',
        'log.info("a %s %d", x)',
        'log.info("a", x)',
        'log.info("a %s")',
        'log.info("%(k)s")',
        'log.info("%*d", x)',
        'log.info("100%% %s", x, x)',
        'log.info("%s %s", (x, x))',
        'log.log(20, "a %s", x, x)',
    ],
    "FL202": ['log.info("%(k)s", {"j": 1})', 'log.info("%(k)s", x, x)', 'log.info("%(k)s", 1)'],
    "FL203": ['log.info("%y", x)', 'log.info("100%", x)', 'log.info("%(k)s %s", x)'],
    "FL301": [
        'log.info("a", extra={"name": 1})',
        'log.info("a", extra={"k": 1, "message": 1})',
        'log.info("a", extra=dict(args=1))',
        'logging.LoggerAdapter(log, {"taskName": 1})',
    ],
    "FL401": [
        'log.exception("a")',
        'log.error("a", exc_info=True)',
        'try:\n    log.info("a", exc_info=1)\nexcept ValueError:\n    pass',
        'try:\n    pass\nexcept ValueError:\n    def f():\n        log.exception("a")',
    ],
    "FL501": ["logging.getLogger(__file__)", "getLogger(name=__file__)"],
    "FL502": ['log.warn("a")', 'logging.warn("a")', 'self._log.warn("a")'],
}
FINE = [
    'log.info(f"a")',
    'log.info("100% sure")',
    'log.info("100%d")',
    'log.info("a %s %%", x)',
    'log.info("a %s", *x)',
    'log.info("%*.*f", x, x, x)',
    'log.info("%(k)s", {"k": 1})',
    'log.info("%(k)s", {**x})',
    'log.info("%(k)s", x)',
    'log.info("%s", {"k": 1})',
    'log.info("a" + "b")',
    "log.info(x + x)",
    "log.info(x % x)",
    'log.info("a", extra={"k": 1})',
    'log.info("a", extra=x)',
    'log.info("a", **x)',
    'log.info("a", exc_info=x)',
    'log.info("a", exc_info=False)',
    'log.exception("a", exc_info=x)',
    'try:\n    pass\nexcept ValueError:\n    log.exception("a")\nfinally:\n    log.error("a", exc_info=True)',
    'try:\n    pass\nexcept* ValueError:\n    log.exception("a")',
    "logging.getLogger(__name__)",
    'math.log(f"{x}")',
    'catalog.info(f"{x}")',
    'print(f"{x}")',
    'warnings.warn("a")',
    'log.info(f"{x}")  # noqa',
    'log.info(f"{x}")  # noqa: E501, FL101',
    'log.info(\n    f"{x}",\n)  # noqa: FL101',
]
HEAD = "import logging\nfrom logging import getLogger\nlog = getLogger(__name__)\n"


def found_in(path, text):
    path.write_text(text)
    return _lint.lint(str(path))


@pytest.mark.parametrize("code", FOUND)
def test_each_code_is_found_once_at_its_line(tmp_path, code):
    for text in FOUND[code]:
        found = found_in(tmp_path / "f.py", HEAD + text)
        assert [remark.code for remark in found] == [code], text
        assert found[0].line > HEAD.count("\n"), text
        assert not found_in(tmp_path / "f.py", HEAD + text.replace("\n", f"  # noqa: {code}\n") + f"  # noqa: {code}")


@pytest.mark.parametrize("text", FINE)
def test_what_is_right_is_left_alone(tmp_path, text):
    assert found_in(tmp_path / "f.py", HEAD + text) == []


def test_the_keys_a_record_has_are_those_of_logging():
    standard = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
    assert standard == _lint.RESERVED


@pytest.mark.parametrize(
    "head",
    [
        "import femtolog as logging\nlog = logging.getLogger()",
        "import picologging\nlog = picologging.getLogger()",
        "from logging import getLogger as get\nlog = get()",
        "import logging\nclass A:\n    def __init__(self):\n        self.log = logging.getLogger()",
        "import logging\ndef f(thing: logging.Logger):\n    log = thing",
        "if (log := __import__('x')): pass",
    ],
)
def test_loggers_are_known_by_where_they_come_from_or_their_name(tmp_path, head):
    [remark] = found_in(tmp_path / "f.py", head + '\nlog.info(f"{1}")')
    assert remark.code == "FL101"


@pytest.mark.parametrize("head", ["from loguru import logger", "import structlog\nlogger = structlog.get_logger()"])
def test_other_packages_loggers_are_not_meant(tmp_path, head):
    assert found_in(tmp_path / "f.py", head + '\nlogger.info("{}", 1)') == []


def test_places_are_of_characters_not_bytes(tmp_path):
    (tmp_path / "f.py").write_bytes(b"# coding: latin-1\r\nlog.info('\xe4', 1); log.warn('\xe4')\r\n")
    assert [str(remark).removeprefix(str(tmp_path)) for remark in _lint.lint(str(tmp_path / "f.py"))] == [
        "/f.py:2:10: FL201 the message has places for 0, and there is 1 argument",
        "/f.py:2:19: FL502 warn() is deprecated: use warning()",
    ]


def test_files_that_cannot_be_read_are_told(tmp_path):
    for content, line in ((b"x = (\n", 1), (b"\xff\n", 1), (b"x\n\n  y\n", 3), (b"# coding: nothing\n", 1)):
        (tmp_path / "f.py").write_bytes(content)
        [remark] = _lint.lint(str(tmp_path / "f.py"))
        assert (remark.code, remark.line) == ("FL000", line), content
    assert [remark.code for remark in _lint.lint(str(tmp_path / "missing.py"))] == ["FL000"]
    assert found_in(tmp_path / "f.py", "log.info(" + "+".join(["x"] * 1500) + ")") == []
    assert found_in(tmp_path / "f.py", "") == []


def command(capsys, *arguments):
    """Exit status, stdout and stderr of the command, run in this process."""
    with pytest.raises(SystemExit) as ended:
        _lint.main(list(arguments))
    return (ended.value.code, *capsys.readouterr())


def test_the_command_goes_through_folders_and_says_what_it_found(tmp_path, monkeypatch, capsys):
    for name in ("a.py", "b/c.py", ".hidden/d.py", "venv/e.py", "b/__pycache__/f.py", "g.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('log.warn(f"{1}")\n')
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    done = run(sys.executable, "-P", "-m", "femtolog", "lint", ".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert [line[:19] for line in done.stdout.splitlines()] == [
        "./a.py:1:1: FL502 w",
        "./a.py:1:10: FL101 ",
        "./b/c.py:1:1: FL502",
        "./b/c.py:1:10: FL10",
    ]
    monkeypatch.chdir(tmp_path)
    status, told, _ = command(capsys, "--json", "--select", "FL5", "--ignore=FL1", "a.py")
    assert status == 1
    assert json.loads(told) == [
        {"path": "a.py", "line": 1, "column": 1, "code": "FL502", "text": "warn() is deprecated: use warning()"}
    ]
    assert command(capsys, "--ignore", "FL1, FL502", "a.py") == (0, "", "")
    for wrong in (["--nothing", "a.py"], [], ["--select"], ["--select", "X1", "a.py"]):
        status, _, told = command(capsys, *wrong)
        assert status == 2 and "usage: python -m femtolog lint" in told
    status, told, _ = command(capsys, "--help")
    assert status == 0 and all(code in told for code in _lint.CODES)
