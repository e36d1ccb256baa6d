"""femtolog.fileConfig(): as the standard library's, and with safe=True nothing of a file is evaluated."""

import configparser
import io
import logging
import logging.config
import logging.handlers
import sys

import pytest

import femtolog

FILE = """
[loggers]
keys=root
[handlers]
keys=h
[formatters]
keys=f
[logger_root]
level=INFO
handlers=h
[handler_h]
class={handler}
formatter=f
args={args}
{more}
[formatter_f]
format=%(levelname)s %(message)s
{formatter}
"""


def text(handler="StreamHandler", args="(sys.stdout,)", more="", formatter=""):
    return FILE.format(handler=handler, args=args, more=more, formatter=formatter)


class Numbered(logging.Formatter):
    pass


def test_without_safe_it_is_the_stdlibs(tmp_path):
    file = tmp_path / "logging.ini"
    file.write_text(text("StreamHandler", "(getattr(sys, 'stderr'),)"))
    femtolog.fileConfig(str(file))
    assert logging.root.handlers[0].stream is sys.stderr
    assert logging.root.level == logging.INFO


@pytest.mark.parametrize(
    ("handler", "args", "more", "formatter"),
    [
        ("StreamHandler", "(sys.stdout,)", "", ""),
        ("logging.StreamHandler", " (sys.stderr,) ", "", "class=logging.Formatter"),
        ("handlers.MemoryHandler", "(10,)", "kwargs={'flushLevel': 40, 'flushOnClose': False}", ""),
        ("logging.handlers.BufferingHandler", "[-10]", "", f"class={__name__}.Numbered"),
        ("NullHandler", "()", "", ""),
    ],
)
def test_safe_does_what_the_stdlib_does(handler, args, more, formatter):
    def configured():
        logging.root.handlers.clear()
        yield
        [made] = logging.root.handlers
        state = {name: value for name, value in vars(made).items() if name not in ("lock", "formatter")}
        yield type(made), type(made.formatter), made.formatter._fmt, state, logging.root.level

    outcomes = []
    for safe in (False, True):
        steps = configured()
        next(steps)
        femtolog.fileConfig(io.StringIO(text(handler, args, more, formatter)), safe=safe)
        outcomes.append(next(steps))
    assert outcomes[0] == outcomes[1]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`defaults` of a formatter is new in 3.12")
def test_safe_takes_defaults_of_a_formatter():
    femtolog.fileConfig(io.StringIO(text(formatter="defaults={'user': 'nobody'}")), safe=True)
    assert logging.root.handlers[0].formatter._style._defaults == {"user": "nobody"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"args": "(open('made', 'w'),)"},
            "[handler_h] args: with safe=True only literals, sys.stdout and sys.stderr, not \"(open('made', 'w'),)\"",
        ),
        (
            {"args": "(sys.stdin,)"},
            "[handler_h] args: with safe=True only literals, sys.stdout and sys.stderr, not '(sys.stdin,)'",
        ),
        ({"args": "(sys.stdout.buffer,)"}, None),
        ({"args": "(os.environ,)"}, None),
        ({"args": "("}, None),
        ({"args": "(" * 100000}, None),
        ({"args": "[x for x in ()]"}, None),
        ({"more": "kwargs={'a': print('x')}"}, None),
        ({"more": "kwargs=%(args)s + (exit(),)"}, None),
        ({"formatter": "defaults={'a': exit()}"}, None),
        (
            {"handler": "os.system", "args": "('true',)"},
            "[handler_h] class: with safe=True a subclass of logging.Handler, which 'os.system' is not",
        ),
        (
            {"handler": "print or exit()"},
            "[handler_h] class: with safe=True the dotted name of a class, not 'print or exit()'",
        ),
        ({"handler": "Logger"}, "[handler_h] class: with safe=True a subclass of logging.Handler, which 'Logger' is not"),
        (
            {"formatter": "class=subprocess.Popen"},
            "[formatter_f] class: with safe=True a subclass of logging.Formatter, which 'subprocess.Popen' is not",
        ),
    ],
)
def test_safe_refuses_and_configures_nothing(changes, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = list(logging.root.handlers), logging.root.level, list(logging._handlerList)
    with pytest.raises(ValueError, match="with safe=True") as raised:
        femtolog.fileConfig(io.StringIO(text(**changes)), safe=True)
    if message is not None:
        assert str(raised.value) == message
    assert before == (list(logging.root.handlers), logging.root.level, list(logging._handlerList))
    assert list(tmp_path.iterdir()) == []


def test_safe_takes_a_parser_and_a_path(tmp_path):
    parser = configparser.ConfigParser()
    parser.read_string(text())
    femtolog.fileConfig(parser, safe=True)
    assert logging.root.handlers[0].stream is sys.stdout
    file = tmp_path / "logging.ini"
    file.write_text(text(args="(%(stream)s,)"), encoding="utf-8")
    femtolog.fileConfig(file, {"stream": "sys.stderr"}, False, "utf-8", safe=True)
    assert logging.root.handlers[0].stream is sys.stderr


def test_safe_names_what_is_wrong_with_a_file(tmp_path):
    file = tmp_path / "logging.ini"
    with pytest.raises(FileNotFoundError, match=r"logging\.ini doesn't exist"):
        femtolog.fileConfig(file, safe=True)
    file.write_text("")
    with pytest.raises(RuntimeError, match=r"logging\.ini is empty"):
        femtolog.fileConfig(file, safe=True)
    file.write_text("[a\nnothing")
    with pytest.raises(RuntimeError, match=r"logging\.ini is invalid: "):
        femtolog.fileConfig(file, safe=True)
