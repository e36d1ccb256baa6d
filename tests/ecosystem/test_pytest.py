"""pytest's own logging plugin: caplog, live logs, report sections. A session of pytest in a process of its own."""

import pytest

FLAGS = "-p no:cacheprovider -p no:randomly -p no:timeout --rootdir=. --color=no -rA"

TESTS = """
import logging, logging.handlers, warnings
import pytest

log = logging.getLogger("app.module")

class Custom(logging.Logger):
    def trace(self, msg, *args, **kwargs):
        if self.isEnabledFor(5):
            self._log(5, msg, args, **kwargs)

def test_records_text_messages(caplog):
    log.warning("one %s", "argument")
    log.error("two %(key)s", {"key": "value"})
    log.info("below the level")
    assert caplog.messages == ["one argument", "two value"]
    assert caplog.record_tuples == [("app.module", 30, "one argument"), ("app.module", 40, "two value")]
    record = caplog.records[0]
    assert type(record) is logging.LogRecord and record.args == ("argument",) and record.message == "one argument"
    assert record.funcName == "test_records_text_messages" and record.filename == "test_app.py"
    assert "WARNING  app.module:test_app.py:%d one argument" % record.lineno in caplog.text
    assert list(vars(record))[:4] == ["name", "msg", "args", "levelname"]

def test_levels(caplog):
    caplog.set_level(logging.INFO)
    log.info("info")
    log.debug("debug")
    with caplog.at_level(logging.DEBUG, logger="app.module"):
        log.debug("debug inside")
    with caplog.at_level("ERROR"):
        log.warning("not this")
        log.error("but this")
    log.debug("debug after")
    assert caplog.messages == ["info", "debug inside", "but this"]
    caplog.clear()
    assert caplog.records == [] and caplog.text == ""
    log.info("after clear")
    assert caplog.messages == ["after clear"]

def test_disabled_levels_are_forced(caplog):
    logging.disable(logging.CRITICAL)
    with caplog.at_level(logging.WARNING):
        log.warning("forced")
    assert caplog.messages == ["forced"]
    log.warning("disabled again")
    assert caplog.messages == ["forced"]
    logging.disable(logging.NOTSET)

def test_handler(caplog):
    assert caplog.handler in logging.getLogger().handlers
    assert isinstance(caplog.handler, logging.StreamHandler)
    caplog.handler.setLevel(logging.ERROR)
    log.warning("below")
    log.error("above")
    assert caplog.messages == ["above"]
    def yes(record):
        return "no" not in record.getMessage()
    caplog.handler.addFilter(yes)
    log.error("no")
    log.error("yes")
    caplog.handler.removeFilter(yes)
    assert caplog.messages == ["above", "yes"]

def test_filtering(caplog):
    class Only(logging.Filter):
        def filter(self, record):
            return record.levelno == 40
    with caplog.filtering(Only()):
        log.warning("w")
        log.error("e")
    assert caplog.messages == ["e"]

def test_exception(caplog):
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
    assert caplog.records[0].exc_info[0] is ZeroDivisionError
    assert caplog.text.rstrip().endswith("ZeroDivisionError: division by zero")

def test_stack_and_extra(caplog):
    log.warning("stack", stack_info=True, extra={"user": "u"})
    assert caplog.records[0].user == "u" and caplog.text.rstrip().endswith('extra={"user": "u"})')

def test_loggers_that_do_not_propagate(caplog):
    own = logging.getLogger("own")
    own.propagate = False
    own.warning("unseen")
    assert caplog.messages == []
    own.addHandler(caplog.handler)
    own.warning("seen")
    own.removeHandler(caplog.handler)
    assert caplog.messages == ["seen"]
    own.propagate = True

def test_custom_logger_and_level(caplog):
    logging.addLevelName(5, "TRACE")
    logging.setLoggerClass(Custom)
    custom = logging.getLogger("custom")
    logging.setLoggerClass(logging.Logger)
    caplog.set_level(5)
    custom.trace("trace %d", 1)
    assert caplog.record_tuples == [("custom", 5, "trace 1")]
    assert caplog.records[0].levelname == "TRACE" and caplog.records[0].funcName == "test_custom_logger_and_level"

def test_captured_warnings(caplog):
    logging.captureWarnings(True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
    log.warning("end")

def test_bad_format_raises(caplog):
    with pytest.raises(TypeError):
        log.warning("%d", "x")

def test_multi_line(caplog):
    log.warning("first\\nsecond\\nthird")

@pytest.fixture
def phases(caplog):
    log.warning("in setup")
    yield
    assert [r.message for r in caplog.get_records("setup")] == ["in setup"]
    assert [r.message for r in caplog.get_records("call")] == ["in call"]
    log.warning("in teardown")

def test_phases(phases, caplog):
    log.warning("in call")

def test_report_sections(capsys):
    print("to stdout")
    log.error("in the report")
    log.critical("%s", "critical")
    assert 0, "fails on purpose"

@pytest.mark.parametrize("n", range(3))
def test_each(n, caplog):
    log.error("n = %d", n)
    assert len(caplog.records) == 1
"""

PROGRAM = """
    import sys
    sys.dont_write_bytecode = True
    with open("test_app.py", "w") as file:
        file.write(TESTS)
    import pytest
    pass  # late install
    arguments = sys.argv[1:]
    status = pytest.main(arguments)
    print("status", int(status))
"""

MASKS = [
    (r"in \d+\.\d\ds", "in ?s"),
    (r"(?m)^=+ (.*?) =+$", r"= \1 ="),
    (r"\d\d:\d\d:\d\d(,\d\d\d)?", "<time>"),
]


def session(run, *arguments, files=(), native=1):
    run(
        f"    TESTS = {TESTS!r}\n" + PROGRAM,
        args=(*FLAGS.split(), *arguments),
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        masks=MASKS,
        files=files,
        native=native,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--log-level=DEBUG"],
        ["--log-cli-level=INFO", "-o", "log_cli=true"],
        ["-o", "log_cli=true", "-v", "-o", "log_cli_format=%(levelname)s %(message)s %(funcName)s", "-s"],
        ["--log-format=%(asctime)s %(name)s %(message)s", "--log-date-format=%H:%M:%S"],
        ["--show-capture=log"],
        ["--show-capture=no"],
        ["-p", "no:logging", "-k", "report"],
        ["--log-disable=app.module"],
        ["-o", "log_auto_indent=true", "-k", "multi"],
    ],
    ids=" ".join,
)
def test_a_session(run, arguments):
    session(run, *arguments, native=None if "no:logging" in arguments else 1)


def test_a_log_file(run):
    session(
        run,
        "--log-file=session.log",
        "--log-file-level=DEBUG",
        "--log-file-format=%(levelname)s %(message)s",
        files=("session.log",),
    )


def test_installed_from_a_fixture_in_the_middle_of_a_session(run):
    """The late way once more, with pytest's handlers already in place: bound under a running caplog."""
    run(
        """
        import sys, textwrap
        sys.dont_write_bytecode = True
        with open("conftest.py", "w") as file:
            file.write(textwrap.dedent('''
        import sys
        import pytest
        @pytest.fixture
        def switch():
            femtolog = sys.modules.get("femtolog")
            if femtolog:
                return femtolog.uninstall, femtolog.install
            return lambda: None, lambda: None
        '''))
        with open("test_app.py", "w") as file:
            file.write(textwrap.dedent('''
        import logging
        log = logging.getLogger("app")
        def test_switch(caplog, switch):
            off, on = switch
            log.warning("one")
            off()
            log.warning("two %d", 2)
            on()
            log.warning("three")
            assert caplog.messages == ["one", "two 2", "three"]
            assert [r.lineno for r in caplog.records] == [6, 8, 10]
        '''))
        import pytest
        print(int(pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir=."])))
        """,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        masks=MASKS,
    )


def test_a_session_of_several_processes(run):
    """pytest-xdist's workers log as the one process does. One file stays with one of them: its tests follow on each other."""
    run(
        f"    TESTS = {TESTS!r}\n" + PROGRAM,
        args=(*FLAGS.split(), "-p", "xdist", "-n", "2", "--dist", "loadfile", "-q", "--tb=no", "-r", "fEX"),
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        masks=MASKS,
        native=None,
    )
