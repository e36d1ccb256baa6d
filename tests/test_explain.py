"""femtolog.explain(): what it says of a record's way, and that logging does what it says."""

import io
import logging
import logging.config
import logging.handlers
import queue
import time

import pytest

import femtolog


class Seen(logging.Handler):
    def __init__(self, level=0):
        super().__init__(level)
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture(params=[False, True], ids=["stdlib", "installed"])
def tree(request):
    """Called by the test itself, after pytest has put its handlers on the root logger: loggers `a` and `a.b`, and the only handler."""
    femtolog.install() if request.param else femtolog.uninstall()

    def plant():
        handler = Seen()
        logging.root.handlers[:] = [handler]
        logging.root.setLevel(logging.WARNING)
        return logging.getLogger("a"), logging.getLogger("a.b"), handler

    return plant


def reasons(explanation):
    return [(step.reason, step.verdict) for step in explanation.steps]


def test_level_from_above(tree):
    a, b, handler = tree()
    told = femtolog.explain("a.b", logging.INFO)
    assert told == [
        "Logger 'a.b' has level WARNING (30) from the root logger: INFO (20) is below it.",
        "So it is not logged.",
    ]
    assert (told.logged, reasons(told)) == (False, [("level", "drops")])
    assert told.steps[0].subject is logging.root
    a.setLevel(5)
    assert femtolog.explain(b, 7) == [
        "Logger 'a.b' has level 5 from logger 'a': level 7 passes.",
        "<Seen (NOTSET)> of the root logger emits it.",
        "So it is logged.",
    ]
    b.setLevel("ERROR")
    assert femtolog.explain("a.b", "ERROR")[0] == "Logger 'a.b' has level ERROR (40): ERROR (40) passes."


def test_no_level_anywhere(tree):
    tree()
    logging.root.setLevel(0)
    assert femtolog.explain("a", 1)[0] == "Logger 'a' has no level, nor has any above it: level 1 passes."
    assert femtolog.explain("", 1)[0] == "The root logger has no level, nor has any above it: level 1 passes."
    assert femtolog.explain("root", 1) == femtolog.explain(logging.root, 1)


def test_disabled_by_a_configuration(tree):
    a, _, _ = tree()
    logging.config.dictConfig({"version": 1})
    told = femtolog.explain(logging.LoggerAdapter(logging.LoggerAdapter(a, {}), {}), 50)
    why = "dictConfig() and fileConfig() do that to loggers they do not name, unless disable_existing_loggers is false."
    if femtolog.is_installed():
        by = told.steps[0].by
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(by.time))
        line = test_disabled_by_a_configuration.__code__.co_firstlineno + 2
        assert by[:4] == ("dictConfig", __file__, line, "test_disabled_by_a_configuration")
        assert told[0] == f"Logger 'a' is disabled by dictConfig() in {__file__}, line {line}, in {by.caller}, at {when}: {why}"
    else:
        assert told[0] == f"Logger 'a' is disabled: {why} Which call it was is known of calls while femtolog is installed."
    assert told[1:] == ["So it is not logged."]
    logging.disable(logging.ERROR)
    assert femtolog.explain("new", 40) == [
        "Nobody has asked for logger 'new' yet; it would get no level and no handler of its own, and the root logger for parent.",
        "logging.disable(40) is in force: nothing up to ERROR (40) is logged, and this is ERROR (40).",
        "So it is not logged.",
    ]
    assert "new" not in logging.root.manager.loggerDict


CONFIGURED = """\
[loggers]
keys = root, named
[handlers]
keys =
[formatters]
keys =
[logger_root]
handlers =
[logger_named]
qualname = named
handlers =
"""


def test_which_configuration_disabled_a_logger(tmp_path):
    def by(name):
        step = femtolog.explain(name, 50).steps[0]
        return step.by and (step.by.function, step.by.caller.rpartition(".")[2])

    def first():
        logging.config.dictConfig({"version": 1, "loggers": {"named": {}}})

    def second():
        logging.config.DictConfigurator({"version": 1, "loggers": {"named.child": {}}}).configure()

    def third():
        femtolog.dictConfig({"version": 1, "disable_existing_loggers": True, "loggers": {"other": {}}})

    def fourth(function):
        path = tmp_path / "logging.ini"
        path.write_text(CONFIGURED)
        function(path)

    with femtolog.installed():
        for name in ("named", "named.child", "other"):
            logging.getLogger(name).disabled = False
        first()
        # A child of a named logger is left as it is.
        assert [by("named"), by("named.child"), by("other")] == [None, None, ("dictConfig", "first")]
        second()
        assert [by("named"), by("named.child")] == [("DictConfigurator.configure", "second"), None]
        third()
        assert [by("named"), by("other")] == [("dictConfig", "third"), None]
        logging.config.dictConfig({"version": 1, "incremental": True})
        assert by("named") == ("dictConfig", "third")
        for function in (logging.config.fileConfig, femtolog.fileConfig):
            fourth(function)
            assert [by("named"), by("other")] == [None, ("fileConfig", "fourth")]
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        logging.getLogger("other").disabled = True  # by hand
        assert by("other") is None and "which call it was" in femtolog.explain("other", 50)[0].lower()
        body = logging.config._handle_existing_loggers
        with pytest.raises(TypeError, match="missing 2 required positional arguments"):
            body([])
        # What does not come from a configuration is not noted, and does what it does.
        body(("other",), (), disable_existing=False)
        assert not logging.getLogger("other").disabled


def test_filters_by_name_and_by_code(tree):
    a, b, handler = tree()
    b.addFilter(logging.Filter("a"))
    assert femtolog.explain(b, 40).logged is True
    handler.addFilter(logging.Filter("a.bc"))
    assert femtolog.explain(b, 40)[-2:] == [
        "A filter of <Seen (NOTSET)> of the root logger lets 'a.bc' and loggers below it pass only, not 'a.b'.",
        "So it is not logged.",
    ]
    handler.filters.clear()

    asked = []

    def odd(record):
        asked.append(record)
        record.touched = True
        return record.levelno % 2

    handler.addFilter(odd)
    told = femtolog.explain(b, 40)
    assert (told.logged, asked) == (None, [])
    assert told[1] == f"Filter {odd!r} of <Seen (NOTSET)> of the root logger decides by its own code, which was not run."
    assert told[2:] == [
        "If that lets it pass, <Seen (NOTSET)> of the root logger emits it.",
        "So whether it is logged depends on code that was not run.",
    ]
    record = logging.makeLogRecord({"levelno": 41})
    assert femtolog.explain(b, 41, record).logged is True
    assert not hasattr(record, "touched")
    assert femtolog.explain(b, 40, logging.makeLogRecord({"levelno": 40})).logged is False

    class Failing(logging.Filter):
        def filter(self, record):
            raise KeyError("user")

    b.addFilter(failing := Failing())
    told = femtolog.explain(b, 41, record)
    assert told[-2] == f"Filter {failing!r} of logger 'a.b' raises KeyError: 'user'"
    assert told.logged is False


def test_handlers_and_where_the_way_ends(tree):
    a, b, handler = tree()
    first, second = Seen(logging.ERROR), logging.NullHandler()
    first.set_name("first")
    b.addHandler(first)
    a.addHandler(second)
    a.propagate = False
    told = femtolog.explain(b, logging.WARNING)
    assert told[1:] == [
        "<Seen (ERROR)> named 'first' of logger 'a.b' takes ERROR (40) and above only.",
        "<NullHandler (NOTSET)> of logger 'a' writes nothing: that is what a NullHandler is for.",
        "Logger 'a' does not propagate: handlers of the root logger and above are not asked.",
        "So it is not logged.",
    ]
    assert femtolog.explain(b, logging.ERROR).logged is True
    a.propagate = True
    assert femtolog.explain(b, logging.ERROR)[-1] == "So it is logged, by 2 handlers."


def test_no_handler(tree):
    tree()
    logging.root.handlers.clear()
    assert femtolog.explain("a", 30)[-2:] == [
        "There is no handler on the way: logging.lastResort writes the message to stderr.",
        "So it is logged.",
    ]
    logging.root.setLevel(10)
    assert (
        femtolog.explain("a", 20)[1]
        == "There is no handler on the way, and logging.lastResort takes WARNING (30) and above only."
    )
    saved, logging.lastResort = logging.lastResort, None
    try:
        assert femtolog.explain("a", 50)[1:] == [
            "There is no handler on the way, and logging.lastResort is None.",
            "So it is not logged.",
        ]
    finally:
        logging.lastResort = saved


def test_what_becomes_of_a_record(tree, tmp_path):
    tree()
    stream = io.StringIO()
    closed_stream = logging.StreamHandler(stream)
    stream.close()
    closed_file = logging.FileHandler(tmp_path / "w.log", mode="w")
    closed_file.close()
    reopened = logging.FileHandler(tmp_path / "a.log", mode="a")
    reopened.close()
    memory = logging.handlers.MemoryHandler(10, target=Seen())
    full = queue.Queue(1)
    full.put(0)
    cases = [
        (closed_stream, "drops", "closed", "has a stream that is closed: handleError() is called."),
        (closed_file, "drops", "closed", "is closed, and a file of mode 'w' is not opened again: that would empty it."),
        (reopened, "emits", "emit", "emits it."),
        (logging.handlers.MemoryHandler(10), "drops", "target", "has no target: what it keeps goes nowhere."),
        (memory, "emits", "buffer", "keeps it for <Seen (NOTSET)> until it holds 10 records or ERROR (40) comes."),
        (logging.handlers.QueueHandler(queue.Queue()), "emits", "queue", "puts it into its queue; whether it is written then is"),
        (logging.handlers.QueueHandler(full), "depends", "queue", "puts it into its queue, which is full now."),
    ]
    for handler, verdict, reason, text in cases:
        logging.root.handlers[:] = [handler]
        step = femtolog.explain("a", 30).steps[-1]
        assert (step.subject, step.verdict, step.reason) == (handler, verdict, reason)
        assert step.text.startswith(f"{handler!r} of the root logger {text}")
    logging.root.handlers[:] = [memory]
    assert femtolog.explain("a", 40).steps[-1].reason == "emit"


def test_overrides_are_named(tree):
    a, _, handler = tree()

    class Own(logging.Logger):
        def callHandlers(self, record):
            pass

    own = Own("own")
    own.addHandler(handler)
    told = femtolog.explain(own, 30)
    assert told[1] == f"Logger 'own' has a callHandlers() of its own, from {__name__}: what that does was not tried."
    assert told.logged is None
    a.isEnabledFor = lambda level: True
    assert [step.reason for step in femtolog.explain(a, 30).steps] == ["override", "level", "emit"]
    assert (femtolog.explain(a, 10).logged, a.info("passes its own isEnabledFor")) == (None, None)
    assert handler.records
    handler.handle = lambda record: None
    assert femtolog.explain("a.b", 30).steps[-2].reason == "override"
    saved = logging.Logger.handle
    logging.Logger.handle = lambda self, record: None
    try:
        assert femtolog.explain("a.b", 30)[1].startswith("Logger 'a.b' has a handle() of its own")
    finally:
        logging.Logger.handle = saved


def test_a_repr_that_fails_is_told(tree):
    tree()

    class Nameless(Seen):
        def __repr__(self):
            raise RuntimeError("no")

    logging.root.handlers[:] = [Nameless()]
    assert "(its repr fails: RuntimeError) of the root logger emits it." in femtolog.explain("a", 30)[1]


@pytest.mark.parametrize("level", range(0, 60, 5))
def test_logging_does_what_is_said(tree, level):
    """Many trees: said against seen."""
    a, b, handler = tree()
    middle = Seen(25)
    a.addHandler(middle)
    for own in (0, 15, 35):
        for above in (0, 20, 45):
            for propagate in (True, False):
                for least in (0, 30):
                    for disable in (0, 20):
                        b.setLevel(own)
                        a.setLevel(above)
                        a.propagate = propagate
                        handler.setLevel(least)
                        logging.disable(disable)
                        handler.records.clear()
                        middle.records.clear()
                        told = femtolog.explain("a.b", level)
                        b.log(level, "x")
                        emitted = {step.subject for step in told.steps if step.verdict == "emits"}
                        assert emitted == {seen for seen in (handler, middle) if seen.records}
                        assert told.logged is bool(emitted)
    logging.disable(0)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((5, 10), TypeError, "a logger, an adapter or a name is wanted, not int"),
        (("a", "nonsense"), ValueError, "Unknown level: 'nonsense'"),
        (("a", 1.5), TypeError, "Level not an integer or a valid string: 1.5"),
    ],
)
def test_what_is_refused(arguments, error, text):
    with pytest.raises(error) as raised:
        femtolog.explain(*arguments)
    assert str(raised.value) == text
