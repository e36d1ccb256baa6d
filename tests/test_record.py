"""LogRecord and makeLogRecord: attributes, their order, arguments, factories."""

import collections
import logging
import sys
import threading
import types

import pytest
from oracle import same_as_stdlib
from oracle.values import Asked


def record(*args, **changes):
    """A record with usual arguments, some changed."""
    given = {"name": "n", "level": 20, "pathname": "/p/q.py", "lineno": 3, "msg": "m", "args": args, "exc_info": None, **changes}
    return logging.LogRecord(**given)


@same_as_stdlib
def test_attributes_and_their_order(w):
    """Contract 1.6: a real dict with every attribute as key."""
    one = record()
    w.note("keys", list(vars(one)), type(one.__dict__) is dict)
    w.note("record", one)
    log, _, _ = w.plain("%(asctime)s %(message)s")
    records = w.keeper(log)
    log.info("x", extra={"z": 1, "a": 2}, stack_info=False)
    w.note("keys", list(vars(records[0])))


@same_as_stdlib
def test_only_one_non_empty_mapping_is_unwrapped(w):
    """Contract 5.3, item 20."""
    mappings = [
        {"a": 1},
        {},
        collections.UserDict(a=1),
        types.MappingProxyType({"a": 1}),
        Asked({"a": 1}),
        Asked({}),
        collections.Counter("a"),
    ]
    for mapping in mappings:
        for args in ((mapping,), (mapping, 1), [mapping], mapping):
            one = w.catch(record, msg="%(a)s", args=args)
            if isinstance(one, logging.LogRecord):
                w.note("args", one.args, one.args is mapping)
                w.catch(one.getMessage)
    for args in ((0,), (None,), ([],), ((),), (1, 2), (), None, 0, "", "text", [1], {1}, 5, 0.0):
        one = w.catch(record, msg="%s", args=args)
        if isinstance(one, logging.LogRecord):
            w.note("args", one.args)
            w.catch(one.getMessage)


@same_as_stdlib
def test_message_is_text_of_msg_then_percent_if_there_are_arguments(w):
    """Contract 5.3, item 20."""

    class Message:
        def __str__(self):
            return "100%s sure %s"

    for msg in ("100%", "%s", "%d%%", Message(), 5, None, b"%s", ["%s"], ValueError("%s"), ""):
        for args in ((), (1,), (1, 2), ("a",), {"a": 1}):
            w.catch(lambda msg=msg, args=args: record(msg=msg, args=args).getMessage())


@same_as_stdlib
@pytest.mark.parametrize(
    "pathname",
    [
        "/a/b/c.py",
        "c.tar.gz",
        ".hidden",
        "noext",
        "",
        "/a/b/",
        None,
        5,
        b"/a/b.py",
        "\xe9/\ud800.py",
        "a.b/c",
        "c.",
        "/x\0y.py",
        "C:\\a.py",
        ["x"],
    ],
    ids=ascii,
)
def test_file_and_module_names_of_any_path(w, pathname):
    """Contract 5.3, item 21."""
    one = record(pathname=pathname)
    w.note("names", one.pathname, one.filename, one.module)


@same_as_stdlib
def test_path_objects_as_pathname(w):
    import pathlib

    one = record(pathname=pathlib.PurePosixPath("/a/b.c.py"))
    w.note("names", one.pathname, one.filename, one.module)


@same_as_stdlib
@pytest.mark.parametrize("level", [0, 20, 25, -1, True, 20.0, "INFO", "nothing", None, 10**30, (1,)], ids=repr)
def test_level_number_stays_and_its_name_is_looked_up(w, level):
    """Contract 5.2, item 10."""
    one = w.catch(record, level=level)
    w.note("level", one.levelno, one.levelname)


@same_as_stdlib
def test_unhashable_level(w):
    w.catch(record, level=[])
    w.catch(record, level={})


@same_as_stdlib
def test_make_log_record_updates_with_any_keys(w):
    """Contract 1.6."""
    for fields in ({}, {"msg": "m", "args": (1,)}, {"a b": 1, 5: 6, "getMessage": "shadowed"}, {"levelno": "x", "name": None}):
        w.note("made", logging.makeLogRecord(fields))
    for wrong in (None, 5, "ab", [("a", 1)], [1]):
        w.catch(logging.makeLogRecord, wrong)


@same_as_stdlib
def test_factories_get_nine_or_eight_positional_arguments(w):
    """Contract 5.3, item 23."""

    def factory(*args, **kwargs):
        w.note("called", len(args), args[:2], args[4:], sorted(kwargs))
        return types.SimpleNamespace(levelno=20, exc_info=None, getMessage=lambda: "own", **kwargs)

    log, handler, _ = w.plain("%(message)s")
    handler.setFormatter(type("F", (logging.Formatter,), {"format": lambda self, record: f"{sorted(vars(record))}"})())
    logging.setLogRecordFactory(factory)
    w.catch(log.info, "x %s", 1, extra={"k": 1})
    w.catch(logging.makeLogRecord, {"a": 1})
    w.note("factory", logging.getLogRecordFactory() is factory)


@same_as_stdlib
@pytest.mark.parametrize(
    "key", ["message", "asctime", "name", "msg", "taskName", "args", "funcName", "created", "k", "made", "stack_info"]
)
def test_extra_must_not_overwrite(w, key):
    """Contract 5.2, item 17: not even what the factory has set."""
    log, _, _ = w.plain("%(message)s")
    records = w.keeper(log)
    w.catch(log.info, "x", extra={key: 1})
    w.catch(log.makeRecord, "n", 20, "f", 1, "m", (), None, extra={key: 1})

    def factory(*args, **kwargs):
        made = logging.LogRecord(*args, **kwargs)
        made.made = 1
        return made

    logging.setLogRecordFactory(factory)
    w.catch(log.info, "x", extra={key: 1})
    w.note("records", records)


@same_as_stdlib
@pytest.mark.parametrize(
    "extra",
    [
        {},
        None,
        collections.UserDict(k=1),
        Asked({"k": 1}),
        types.MappingProxyType({"k": 1}),
        [("k", 1)],
        5,
        "k",
        {5: 6},
        {"k": 1},
        [],
        0,
    ],
)
def test_extra_may_be_any_mapping(w, extra):
    """Contract 5.2, item 17: keys are copied."""
    log, _, _ = w.plain("%(message)s")
    records = w.keeper(log)
    extra = dict(extra) if isinstance(extra, dict) else extra
    w.catch(log.info, "x", extra=extra)
    if isinstance(extra, dict):
        extra["later"] = 1
    w.note("records", records)


@same_as_stdlib
def test_subclass_with_own_init_and_message(w):
    class Mine(logging.LogRecord):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.mine = len(args)

        def getMessage(self):
            return f"<{super().getMessage()}>"

    logging.setLogRecordFactory(Mine)
    log, _, _ = w.plain("%(message)s %(mine)s")
    records = w.keeper(log)
    log.info("x %s", 1)
    w.note("records", records)


@same_as_stdlib
def test_record_is_one_object_for_all_who_see_it(w):
    """Contract 1.6."""
    seen = []
    log, handler, _ = w.plain()
    log.addFilter(lambda record: seen.append(record) or True)
    handler.addFilter(lambda record: seen.append(record) or True)
    handler.handleError = lambda record: seen.append(record)
    w.keeper(log)
    log.info("%d", "x")
    w.note("same", all(one is seen[0] for one in seen), len(seen))


@same_as_stdlib
def test_args_and_exc_info_are_the_callers_objects(w):
    log, _, _ = w.plain()
    records = w.keeper(log)
    argument, mapping, info = ["x"], {"a": 1}, (None, None, None)
    log.info("%s", argument, exc_info=info)
    log.info("%(a)s", mapping)
    w.note("same", records[0].args[0] is argument, records[0].exc_info is info, records[1].args is mapping)


@same_as_stdlib
def test_thread_and_process_fields(w):
    """Contract 5.3, item 22."""
    one = record()
    w.note("thread", one.thread == threading.get_ident(), one.threadName, one.process, one.processName)
    if sys.version_info >= (3, 12):
        w.note("task", one.taskName)


@same_as_stdlib
def test_who_logged_is_told_to_python_code_as_things_are_now(w):
    """A record that is made for a handler in Python reads everything at once, and nothing of it is from an earlier record."""
    names = ["thread", "threadName", "process", "processName", *(["taskName"] if sys.version_info >= (3, 12) else [])]
    log, _, _ = w.plain()

    class Sees(logging.Handler):
        def emit(self, record):
            name = record.threadName and record.threadName.split("-")[0]  # Dummy-1 in the first world is Dummy-2 in the next
            w.note(name, {key: vars(record)[key] is None for key in names}, list(vars(record))[:21])

    log.addHandler(Sees())
    flags = [name for name in ("logThreads", "logMultiprocessing", "logProcesses", "logAsyncioTasks") if hasattr(logging, name)]
    me = threading.current_thread()
    was = me.name
    for name in ("one", "two", was):
        me.name = name
        log.info("renamed")
    for flag in flags:
        for value in (False, [], True):
            setattr(logging, flag, value)
            log.info("switched")
    answers = []
    Now = type("Now", (), {"__bool__": lambda self: bool(answers.append(1)) or len(answers) % 2 == 0})
    logging.logThreads = Now()
    for _ in range(3):
        log.info("another answer each time")
    logging.logThreads = True
    active = threading._active
    threading._active = {}
    log.info("a thread nobody knows")
    threading._active = active
    log.info("known again")
    one = threading.Thread(target=log.info, args=("in another thread",), name="another")
    one.start()
    one.join()


@same_as_stdlib(live=False)
def test_one_time_for_all_handlers(w):
    """A line with the time first, then a handler in Python: both tell the same time of one reading."""
    log, _, _ = w.plain("%(created)r %(message)s")

    class Sees(logging.Handler):
        def emit(self, record):
            w.note("seen", record.created, record.msecs, record.relativeCreated, record.message)

    log.addHandler(Sees())
    for number in range(3):
        log.info("%d", number)


@same_as_stdlib(live=False)
def test_times_of_a_record(w):
    for now in (
        0,
        1,
        999_999,
        1_000_000,
        1_700_000_000_999_999_999,
        1_700_000_000_999_500_000,
        1_700_000_000_000_999_999,
        10**18 - 1,
    ):
        w.clock.now, w.clock.step = now, 0
        one = record()
        w.note("times", one.created, one.msecs, one.relativeCreated)


@same_as_stdlib
def test_an_extra_that_hides_the_message(w):
    log, _, _ = w.plain("%(message)s")
    log.info("a %s", "b", extra={"getMessage": 1})
    log.info("c", extra={"getMessage": lambda: "made otherwise", "more": 2})
    log.info("d", extra={"more": 2})


@same_as_stdlib
def test_what_a_class_makes_of_the_attributes_that_are_read_again(w):
    """`LogRecord.__init__` derives `module` from `self.filename` and times from `self.created` or `self.msecs`."""

    class Name(logging.LogRecord):
        filename = property(lambda record: "other.txt", lambda record, value: None)

    class Nameless(logging.LogRecord):
        filename = property(lambda record: 5, lambda record, value: None)

    class Times(logging.LogRecord):
        created = property(lambda record: 1e9, lambda record, value: None)
        msecs = property(lambda record: 999.0, lambda record, value: None)

    class Stored(logging.LogRecord):
        def __setattr__(self, name, value):
            super().__setattr__(name, {"filename": "stored.py", "created": 2e9}.get(name, value))

    class Slot(logging.LogRecord):
        __slots__ = ("created", "filename")

    class Default(logging.LogRecord):
        created = filename = None

    logger, seen = logging.getLogger("made"), []
    logger.addFilter(lambda record: seen.append(record) or True)
    for cls in (Name, Nameless, Times, Stored, Slot, Default):
        logging.setLogRecordFactory(cls)
        logger.error("m")
        for record in (cls("n", 20, "/d/p.py", 1, "m", (), None), seen.pop()):
            w.note(cls.__name__, record.filename, record.module, record.getMessage())
            w.note("far away", abs(record.relativeCreated) > 1e9)
    logging.setLogRecordFactory(logging.LogRecord)
