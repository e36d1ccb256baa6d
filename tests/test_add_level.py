"""femtolog.add_level(): the methods of a new level, and what it refuses."""

import io
import logging

import pytest

import femtolog


@pytest.fixture(params=[False, True], ids=["stdlib", "installed"])
def notice(request):
    """Level NOTICE, and a logger that writes where its calls were made."""
    if request.param:
        femtolog.install()
    else:
        femtolog.uninstall()
    log = logging.Logger("app")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(levelno)d %(filename)s %(funcName)s %(message)s"))
    log.addHandler(handler)
    femtolog.add_level("NOTICE", 25)
    yield log, stream
    for owner in (logging.Logger, logging.LoggerAdapter, logging):
        if "notice" in vars(owner):
            delattr(owner, "notice")
    logging._levelToName.pop(25, None)
    logging._nameToLevel.pop("NOTICE", None)


HERE = "test_add_level.py"


def test_a_logger_has_the_method(notice):
    log, stream = notice
    log.notice("%s and %d", "one", 2)
    assert stream.getvalue() == f"NOTICE 25 {HERE} test_a_logger_has_the_method one and 2\n"
    quiet = logging.Logger("quiet", 30)
    quiet.addHandler(log.handlers[0])
    quiet.notice("below the level")
    assert stream.getvalue().count("\n") == 1


def test_an_adapter_and_a_subclass_have_it(notice):
    log, stream = notice

    class Sub(logging.Logger):
        pass

    sub = Sub("sub")
    sub.addHandler(log.handlers[0])
    sub.notice("by a subclass")
    logging.LoggerAdapter(log, {"a": 1}).notice("by an adapter")
    here = f"NOTICE 25 {HERE} test_an_adapter_and_a_subclass_have_it"
    assert stream.getvalue() == f"{here} by a subclass\n{here} by an adapter\n"


def test_the_modules_have_the_function(notice):
    log, stream = notice
    logging.root.setLevel(20)
    logging.root.addHandler(log.handlers[0])
    logging.notice("by %s", "logging")
    femtolog.notice("by %s", "femtolog")
    here = f"NOTICE 25 {HERE} test_the_modules_have_the_function"
    assert stream.getvalue() == f"{here} by logging\n{here} by femtolog\n"


def test_keywords_are_those_of_info(notice):
    log, stream = notice

    def helper():
        log.notice("from the caller", stacklevel=2, extra={"user": "u"}, stack_info=True)

    log.handlers[0].setFormatter(logging.Formatter("%(funcName)s %(user)s"))
    helper()
    first, *stack = stream.getvalue().splitlines()
    assert first == "test_keywords_are_those_of_info u"
    assert stack[-1].strip() == "helper()"
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        log.notice("x", nonsense=1)


def test_the_name_is_known(notice):
    assert logging.getLevelName(25) == "NOTICE" and logging.getLevelName("NOTICE") == 25
    assert logging.Logger.notice.__qualname__ == "Logger.notice" and logging.notice.__name__ == "notice"
    logging.Logger("x").setLevel("NOTICE")


def test_the_same_level_again_changes_nothing_and_another_is_refused(notice):
    method = logging.Logger.notice
    femtolog.add_level("NOTICE", 25)
    assert logging.Logger.notice is method
    with pytest.raises(ValueError, match=r"^Logger\.notice exists already$"):
        femtolog.add_level("NOTICE", 26)
    assert logging.getLevelName(26) == "Level 26"


def test_calls_run_natively():
    femtolog.install()
    log = logging.Logger("app")
    log.addHandler(logging.StreamHandler(io.StringIO()))
    femtolog.add_level("REMARK", 27)
    try:
        femtolog.reset_stats()
        log.remark("one")
        stats = femtolog.stats()
        assert (stats["native"], stats["emits"], stats["reference"]) == (1, 1, {})
    finally:
        for owner in (logging.Logger, logging.LoggerAdapter, logging):
            del owner.remark


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("INFO", 21), ValueError, "Logger.info exists already"),
        (("HANDLE", 21), ValueError, "Logger.handle exists already"),
        (("Filterer", 21), ValueError, "Logger.filterer exists already"),
        (("PARENT", 21), ValueError, "Logger.parent exists already"),
        (("EXTRA", 21), ValueError, "LoggerAdapter.extra exists already"),
        (("two words", 21), ValueError, "'two words' cannot be the name of a level: 'two words' cannot be the name of a method"),
        (("CLASS", 21), ValueError, "'CLASS' cannot be the name of a level: 'class' cannot be the name of a method"),
        (("_X", 21), ValueError, "'_X' cannot be the name of a level: '_x' cannot be the name of a method"),
        ((5, 21), TypeError, "the name of a level must be a str, not int"),
        (("FINE", "21"), TypeError, "a level must be an int, not str"),
        (("FINE", True), TypeError, "a level must be an int, not bool"),
    ],
)
def test_what_is_refused_changes_nothing(arguments, error, text):
    before = dict(logging._levelToName), set(dir(logging)), set(dir(logging.Logger))
    if arguments[0] == "Filterer":
        logging.Logger.filterer = lambda self: None
    try:
        with pytest.raises(error) as raised:
            femtolog.add_level(*arguments)
    finally:
        if arguments[0] == "Filterer":
            del logging.Logger.filterer
    assert str(raised.value) == text
    assert before == (dict(logging._levelToName), set(dir(logging)), set(dir(logging.Logger)))
