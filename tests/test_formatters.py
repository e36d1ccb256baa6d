"""femtolog.formatters.Formatter: exceptions of one's own, and lines that no record can forge."""

import copy
import io
import logging
import logging.config
import logging.handlers
import pickle
import queue
import sys

import pytest

import femtolog
from femtolog.formatters import Formatter


@pytest.fixture(params=[True, False], ids=["installed", "stdlib"], autouse=True)
def both_ways(request):
    femtolog.install() if request.param else femtolog.uninstall()


def failing(text="no"):
    """Exception information of an exception with that text."""
    try:
        raise ValueError(text)
    except ValueError:
        return sys.exc_info()


def record(msg="m", args=(), **attributes):
    made = logging.LogRecord("app", 20, "/f.py", 7, msg, args, None)
    vars(made).update(attributes)
    return made


class Short(logging.Formatter):
    def formatException(self, info):
        return f"short: {info[1]}"


class Own(Formatter):
    def formatException(self, info):
        return f"own: {info[1]}"


# -- cache_exc ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["own", "short"])
def test_each_handler_has_its_traceback(first):
    log = logging.Logger("app")
    formatters = {"short": Short("%(message)s"), "own": Own("%(message)s", cache_exc=False)}
    handlers = {name: logging.StreamHandler(io.StringIO()) for name in sorted(formatters, key=lambda name: name != first)}
    for name, handler in handlers.items():
        handler.setFormatter(formatters[name])
        log.addHandler(handler)
    log.error("m", exc_info=failing())
    assert {name: handler.stream.getvalue() for name, handler in handlers.items()} == {
        "own": "m\nown: no\n",
        "short": "m\nshort: no\n",
    }


def test_exc_text_is_neither_used_nor_left():
    made = record(exc_info=failing())
    formatter = Own("%(message)s", cache_exc=False)
    assert formatter.format(made) == "m\nown: no"
    assert made.exc_text is None
    made.exc_text = "another's"
    assert formatter.format(made) == "m\nown: no"
    assert made.exc_text == "another's"


def test_an_exception_that_is_there_as_text_only_is_not_lost():
    """As of records from a queue or a socket."""
    made = record(exc_info=failing())
    waiting = queue.SimpleQueue()
    logging.handlers.QueueHandler(waiting).emit(made)
    text = Own("%(message)s", cache_exc=False).format(waiting.get())
    assert text.startswith("m\nTraceback (most recent call last):\n") and text.endswith("\nValueError: no")
    assert Own("%(message)s", cache_exc=False).format(record(exc_text="text")) == "m\ntext"


@pytest.mark.parametrize("escape", [None, "controls"])
def test_by_default_exc_text_is_shared_as_ever(escape):
    made = record(exc_info=failing("a\rb"))
    indent, shown = ("    ", "a\\x0db") if escape else ("", "a\rb")
    assert Own("%(message)s", escape=escape).format(made) == f"m\n{indent}own: {shown}"
    assert made.exc_text == "own: a\rb"
    made.exc_text = "another's"
    assert Own("%(message)s", escape=escape).format(made) == f"m\n{indent}another's"


PLAIN = [
    {},
    {"fmt": "%(levelname)s %(asctime)s %(message)s", "datefmt": "%Y"},
    {"fmt": "{levelname:>9} {message!r} {more}", "style": "{", "defaults": {"more": 1}},
    {"fmt": "$levelname ${message}\t$$", "style": "$"},
    {"fmt": "%(message)s\n"},
]


@pytest.mark.parametrize("options", PLAIN)
@pytest.mark.parametrize("more", [{}, {"cache_exc": False}, {"escape": "controls"}])
def test_without_control_characters_the_text_is_the_standard_librarys(options, more):
    plain = logging.Formatter(**options)
    ours = Formatter(**options, **more)
    for made in (record("m %s", ("ä😀",)), record(exc_info=failing()), record(stack_info="Stack:\n  f")):
        expected = plain.format(seen := copy.copy(made))
        if "escape" in more and (made.exc_info or made.stack_info):
            head = plain.formatMessage(seen)
            added = expected.removeprefix(head).removeprefix("\n")
            expected = head.removesuffix("\n") + "\n" + "\n".join("    " + line for line in added.split("\n"))
        assert ours.format(copy.copy(made)) == expected
        left = copy.copy(made), copy.copy(made)
        plain.format(left[0]), ours.format(left[1])
        vars(left[0])["exc_text"] = vars(left[1])["exc_text"]
        assert vars(left[0]) == vars(left[1])


# -- escape -------------------------------------------------------------------------------------------------------------------

CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]


def escaped(code):
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def test_every_control_character_is_replaced_and_nothing_else():
    for code in (*range(0x200), *range(0x2000, 0x2100), 0x1F600, 0xD800):
        expected = escaped(code) if code in CONTROLS else chr(code)
        assert Formatter(escape="controls").format(record(f"a{chr(code)}b")) == f"a{expected}b"


STYLES = [("%", "%(user)s|%(message)s"), ("{", "{user}|{message}"), ("$", "$user|${message}")]


@pytest.mark.parametrize(("style", "fmt"), STYLES)
def test_message_and_fields_of_any_type_are_escaped(style, fmt):
    class Shown:
        def __str__(self):
            return "x\ny"

        def __format__(self, spec):
            return str(self)

    formatter = Formatter(fmt, style=style, escape="controls")
    made = record("a %s\x1b[2J", ("b\r\nINFO forged",), user=Shown())
    assert formatter.format(made) == r"x\x0ay|a b\x0d\x0aINFO forged\x1b[2J"
    assert made.message == "a b\r\nINFO forged\x1b[2J", "others get it as it is"
    made = record("é\u2028", user="\x85\u2029\x7f\t")
    assert formatter.format(made) == r"\x85\u2029\x7f\x09|é\u2028"


@pytest.mark.parametrize(
    ("style", "fmt"),
    [
        ("%", "\n%(levelname)s\t100%%\n%(user)s%(a\nb)s\n\n%(message)s\t"),
        ("{", "\n{levelname}\t100%\n{user}{x[a\nb]}\n\n{message}\t"),
        ("$", "\n${levelname}\t100%\n${user}y\\x0a\n\n$message\t"),
    ],
)
def test_control_characters_of_the_format_itself_stay(style, fmt):
    formatter = Formatter(fmt, style=style, escape="controls")
    made = record("m\n", user="u\n", x={"a\nb": "y\n"}, **{"a\nb": "y\n"})
    for _ in range(2):
        assert formatter.format(made) == "\nINFO\t100%\nu\\x0ay\\x0a\n\nm\\x0a\t"


def test_braces_of_the_format_are_literals_and_nest():
    formatter = Formatter("{{\n}}{message:{width}}\n{{{message}}}", style="{", escape="controls")
    assert formatter.format(record("m\n", width=4)) == "{\n}m\\x0a  \n{m\\x0a}"


def test_defaults_and_a_format_exchanged_later_are_heeded():
    formatter = Formatter("%(user)s\t%(message)s", defaults={"user": "-\n"}, escape="controls")
    assert formatter.format(record("m\n")) == "-\\x0a\tm\\x0a"
    formatter._style._fmt = "%(message)s\n%(user)s"
    assert formatter.format(record("m\n")) == "m\\x0a\n-\\x0a"
    formatter._style._defaults = {"user": "other"}
    assert formatter.format(record("m\n")) == "m\\x0a\nother"
    formatter._style = logging.StrFormatStyle("{message}\n")
    assert formatter.format(record("m\n")) == "m\\x0a\n"

    class Style(logging.PercentStyle):
        def format(self, record):
            return f"own\n{record.message}"

    formatter._style = Style("%(message)s\n")
    assert formatter.format(record("m\n")) == r"own\x0am\x0a"


def test_tracebacks_and_stacks_are_indented_and_escaped_line_by_line():
    made = record("m", exc_info=failing("no\nINFO forged\r\x1b[2J\u2028\t"), stack_info="Stack:\n\tf\x0b")
    head, *rest = Formatter("%(levelname)s %(message)s", escape="controls").format(made).split("\n")
    assert head == "INFO m"
    assert rest[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") for line in rest)
    assert rest[-4:] == ["    ValueError: no", r"    INFO forged\x0d\x1b[2J\u2028" + "\t", "    Stack:", "    \tf\\x0b"]
    assert "forged\r\x1b" in made.exc_text, "others get it as it is"


def test_no_record_looks_like_two():
    """Whatever is logged, each line that does not begin with blanks is a record's first."""
    log = logging.Logger("app")
    log.addHandler(handler := logging.StreamHandler(io.StringIO()))
    handler.setFormatter(Formatter("%(levelname)s %(user)s %(message)s", escape="controls"))
    for end in map(chr, CONTROLS):
        log.error("m%sINFO x", end, extra={"user": f"u{end}INFO x"}, exc_info=failing(f"e{end}INFO x"), stack_info=True)
    lines = handler.stream.getvalue().splitlines()
    firsts = [line for line in lines if not line.startswith("    ")]
    assert len(firsts) == len(CONTROLS) and all(line.startswith("ERROR u") for line in firsts)


# -- use ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["format", "fmt"])
def test_it_is_named_in_a_dict_config(key, tmp_path):
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "safe": {"()": "femtolog.formatters.Formatter", key: "%(message)s", "escape": "controls", "cache_exc": False}
            },
            "handlers": {"file": {"class": "logging.FileHandler", "filename": tmp_path / "log", "formatter": "safe"}},
            "loggers": {"configured": {"handlers": ["file"], "level": "INFO", "propagate": False}},
        }
    )
    log = logging.getLogger("configured")
    log.info("a\nb")
    [handler] = log.handlers
    handler.close()
    log.handlers.clear()
    assert (tmp_path / "log").read_text() == "a\\x0ab\n"


def test_it_is_a_formatter_like_any_other():
    formatter = Formatter("%(message)s", escape="controls")
    assert isinstance(formatter, logging.Formatter) and not formatter.usesTime()
    for twin in (copy.copy(formatter), copy.deepcopy(formatter), pickle.loads(pickle.dumps(formatter))):
        assert twin.format(record("a\nb")) == r"a\x0ab"
    with pytest.raises(ValueError, match=r"escape is None or 'controls', not 'all'"):
        Formatter(escape="all")
    with pytest.raises(ValueError, match="Style must be one of"):
        Formatter("x", style="x")
    with pytest.raises(ValueError, match="Invalid format"):
        Formatter("x", escape="controls")
