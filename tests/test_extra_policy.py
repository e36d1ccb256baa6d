"""femtolog.extra_policy: a key of `extra` that a record has already, natively, on the general path and on the standard library."""

import collections
import io
import logging
import textwrap
import types
from unittest import mock

import pytest
from startup import broken_environment, make_environment, run

import femtolog


class Shown(logging.Formatter):
    """The attributes that were not there without `extra`, in their order."""

    standard = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "made"}

    def format(self, record):
        return f"{record.name} {super().format(record)} " + " ".join(
            f"{key}={value}" for key, value in vars(record).items() if key not in self.standard
        )


class Name(str):
    """A key that is text, but not exactly str."""


class Like:
    """A key that is no text and equals one."""

    def __hash__(self):
        return hash("name")

    def __eq__(self, other):
        return other == "name"


@pytest.fixture(autouse=True)
def renaming():
    femtolog.install()
    femtolog.extra_policy = "rename"
    yield
    femtolog.extra_policy = "raise"


@pytest.fixture
def log():
    """A logger that shows what `extra` has added."""
    logger = logging.Logger("app")
    logger.addHandler(handler := logging.StreamHandler(io.StringIO()))
    handler.setFormatter(Shown("%(message)s"))
    return logger


def written(logger):
    return logger.handlers[0].stream.getvalue()


CASES = {
    "one": ({"name": 1}, "extra_name=1"),
    "order": ({"a": 1, "msg": 2, "b": 3}, "a=1 extra_msg=2 b=3"),
    "message": ({"message": 1, "asctime": 2}, "extra_message=1 extra_asctime=2"),
    "not the standard ones": ({"k": 1, "level": 2}, "k=1 level=2"),
    "taken": ({"name": 1, "extra_name": 2}, "extra_extra_name=1 extra_name=2"),
    "taken before": ({"extra_name": 2, "name": 1}, "extra_name=2 extra_extra_name=1"),
    "taken twice": (
        {"extra_extra_name": 3, "name": 1, "extra_name": 2},
        "extra_extra_name=3 extra_extra_extra_name=1 extra_name=2",
    ),
    "text": ({Name("lineno"): 1}, "extra_lineno=1"),
}


@pytest.mark.parametrize("kind", [dict, collections.UserDict, types.MappingProxyType])
@pytest.mark.parametrize("case", CASES)
def test_a_key_that_clashes_is_stored_under_another_name(log, case, kind):
    extra, shown = CASES[case]
    log.info("m %s", 1, extra=kind(extra))
    made = log.makeRecord("app", 20, "f", 1, "m %s", (1,), None, extra=kind(extra))
    log.handle(made)
    assert written(log) == f"app m 1 {shown}\n" * 2
    assert kind(CASES[case][0]) == kind(extra), "the caller's mapping is as it was"


def test_formats_of_records_nobody_sees_show_it():
    logger = logging.Logger("app")
    logger.addHandler(handler := logging.StreamHandler(io.StringIO()))
    handler.setFormatter(logging.Formatter("%(name)s %(extra_name)s %(message)s"))
    femtolog.reset_stats()
    for _ in range(3):
        logger.info("m", extra={"name": "other"})
    assert handler.stream.getvalue() == "app other m\n" * 3
    assert femtolog.stats() == {"native": 3, "emits": 3, "real_records": 0, "reference": {}}


def test_what_a_factory_has_set_clashes_as_well(log):
    def factory(*args, **kwargs):
        record = logging.LogRecord(*args, **kwargs)
        record.made = record.extra_made = 1
        return record

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(factory)
    try:
        log.info("m", extra={"made": 2})
    finally:
        logging.setLogRecordFactory(before)
    assert written(log) == "app m extra_made=1 extra_extra_made=2\n"


def test_an_adapter_and_a_subclass_are_no_exception(log):
    class Sub(logging.Logger):
        def makeRecord(self, *args, **kwargs):
            return super().makeRecord(*args, **kwargs)

    log.__class__ = Sub
    logging.LoggerAdapter(log, {"name": 1}).info("m")
    assert written(log) == "app m extra_name=1\n"


def test_a_subclass_that_makes_records_its_own_way_decides(log):
    class Sub(logging.Logger):
        def makeRecord(self, name, level, fn, lno, msg, args, exc_info, func=None, extra=None, sinfo=None):
            raise KeyError(sorted(extra))

    log.__class__ = Sub
    with pytest.raises(KeyError, match=r"\['name'\]"):
        log.info("m", extra={"name": 1})


@pytest.mark.parametrize("key", [Like(), "name"])
def test_a_key_that_is_no_text_raises_and_so_does_any_other_policy(log, key):
    if key == "name" and isinstance(key, str):
        femtolog.extra_policy = "raise"
    with pytest.raises(KeyError) as caught:
        log.info("m", extra={key: 1})
    assert caught.value.args == (f"Attempt to overwrite {key!r} in LogRecord",)


def test_it_is_validated_and_can_be_read():
    assert femtolog.extra_policy == "rename"
    for wrong in ("Rename", None, True, 1, ["rename"]):
        with pytest.raises(ValueError, match=r"femtolog.extra_policy is 'raise' or 'rename', not ") as caught:
            femtolog.extra_policy = wrong
        assert repr(wrong) in str(caught.value)
    with pytest.raises(AttributeError, match=r"femtolog.extra_policy can be set, not deleted"):
        del femtolog.extra_policy
    with mock.patch.object(femtolog, "extra_policy", "raise"):
        assert femtolog._native.renames_clashing_extra() is False
    assert femtolog._native.renames_clashing_extra() is True
    assert femtolog.extra_policy == "rename"
    assert "extra_policy" in dir(femtolog)
    assert not hasattr(logging, "extra_policy")


PROGRAM = textwrap.dedent("""
    import femtolog as logging, collections, sys
    assert "logging" not in sys.modules, "setting it uses nothing of logging"
    logging.extra_policy = "rename"
    logging.basicConfig(format="%(name)s %(extra_name)s %(extra_extra_name)s %(message)s", stream=sys.stdout)
    log = logging.getLogger("app")
    log.warning("m %d", 1, extra={"name": 1, "extra_name": 2})
    log.warning("m %d", 2, extra=collections.UserDict(extra_name=2, name=1))
    log.warning("m %d", 3, extra={"extra_name": 4, "extra_extra_name": 5})
    assert logging.extra_policy == "rename"
    logging.extra_policy = "raise"
    try:
        log.warning("m", extra={"name": 1})
    except KeyError as error:
        print(error)
    assert logging.extra_policy == "raise"
""")
PRINTS = """\
app 2 1 m 1
app 2 1 m 2
app 4 5 m 3
"Attempt to overwrite 'name' in LogRecord"
"""


@pytest.mark.parametrize("how", ["installed", "shadow", "fallback"])
def test_a_program_prints_the_same_in_each_way_to_run_it(tmp_path, how):
    if how == "fallback":
        done = run(
            broken_environment(tmp_path),
            "-c",
            "import warnings; warnings.simplefilter('ignore')" + PROGRAM,
            env={"FEMTOLOG_FALLBACK": "1"},
        )
    elif how == "shadow":
        program = PROGRAM.replace('assert "logging" not in', 'assert "loggin" not in')
        done = run(make_environment(tmp_path), "-m", "femtolog", "shadow", "-c", program)
        assert "0 differences in 4 records" in done.stderr
    else:
        done = run(make_environment(tmp_path), "-c", PROGRAM)
    assert (done.stdout, done.returncode) == (PRINTS, 0), done.stderr
