"""Module globals, the manager, threads and processes: what logging looks up at each call, changed between two calls."""

import asyncio
import gc
import io
import logging
import multiprocessing
import os
import sys
import sysconfig
import threading
import types
import weakref
from collections import UserDict

import pytest
from oracle import same_as_stdlib
from oracle.uses import RICH

WHO = (
    "%(thread)d %(threadName)s %(process)s %(processName)s %(taskName)s"
    if sys.version_info >= (3, 12)
    else ("%(thread)d %(threadName)s %(process)s %(processName)s")
)
FLAGS = ["logThreads", "logProcesses", "logMultiprocessing", *(["logAsyncioTasks"] if sys.version_info >= (3, 12) else [])]


class Broken:
    """Cannot be shown."""

    def __str__(self):
        raise LookupError("cannot be shown")

    __repr__ = __str__


@same_as_stdlib
def test_raise_exceptions_switched(w):
    log, _, _ = w.plain()
    for value in (True, False, [], "yes", None, True):
        logging.raiseExceptions = value
        log.info("%d", "x")
        w.catch(log.log, "no number", "text")
        w.catch(log.info, Broken())
    del logging.raiseExceptions
    w.catch(log.info, "%d", "x")


@same_as_stdlib
def test_last_resort_replaced_and_removed(w):
    log = logging.getLogger("alone")
    log.warning("to stderr")
    logging.lastResort.level = logging.ERROR
    log.warning("too low")
    logging.lastResort.level = logging.WARNING
    logging.lastResort = w.handler("own %(message)s")
    log.info("not enabled")
    log.warning("own one")
    logging.lastResort = None
    log.warning("nobody")
    log.warning("said only once")
    w.note("warned", log.manager.emittedNoHandlerWarning)
    log.manager.emittedNoHandlerWarning = False
    logging.raiseExceptions = False
    log.warning("not even that")
    w.note("warned", log.manager.emittedNoHandlerWarning)
    del logging.lastResort
    w.catch(log.warning, "no name")


@same_as_stdlib
def test_last_resort_writes_to_the_stderr_of_the_moment(w):
    log = logging.getLogger("alone")
    for _ in range(2):
        saved, sys.stderr = sys.stderr, w.stream()
        log.warning("to this one")
        sys.stderr = saved
    sys.stderr = None
    w.catch(log.warning, "no stderr")
    sys.stderr = saved


@same_as_stdlib
@pytest.mark.parametrize("value", [None, "", "elsewhere.py", __file__, 5], ids=lambda v: repr(v)[:20])
def test_srcfile_replaced(w, value):
    log, _, _ = w.plain("%(pathname)s %(lineno)d %(funcName)s %(message)s")
    log.info("before")
    logging._srcfile = value
    w.catch(log.info, "now")
    w.catch(log.info, "with stack level", stacklevel=2)


@same_as_stdlib
@pytest.mark.parametrize("flag", FLAGS)
def test_flags_of_the_record_switched(w, flag):
    log, _, _ = w.plain(WHO)
    log.info("x")
    for value in (False, True, [], "yes", 0, 1):
        setattr(logging, flag, value)
        log.info("x")
        w.note("record", logging.makeLogRecord({}))
    delattr(logging, flag)
    w.catch(log.info, "x")


@same_as_stdlib
@pytest.mark.parametrize("flag", FLAGS)
def test_flags_of_the_record_switched_seen_by_python(w, flag):
    log, _, _ = w.plain("%(message)s")
    records = w.keeper(log)
    log.info("x")
    setattr(logging, flag, False)
    log.info("x")
    w.note("records", records)


@same_as_stdlib
def test_record_factory_replaced_in_every_way(w):
    log, _, _ = w.plain(RICH)
    records = w.keeper(log)

    def factory(*args, **kwargs):
        w.note("factory", len(args), args[0], args[4:6], sorted(kwargs), kwargs)
        record = logging.LogRecord(*args, **kwargs)
        record.made = "by the factory"
        return record

    class Record(logging.LogRecord):
        def getMessage(self):
            return "own " + super().getMessage()

    class Duck:
        def __init__(self, *args, **kwargs):
            self.__dict__.update(vars(logging.LogRecord(*args, **kwargs)))

        def getMessage(self):
            return "duck"

    for new in (factory, Record, Duck, logging.LogRecord):
        logging.setLogRecordFactory(new)
        w.note("is", logging.getLogRecordFactory() is new)
        log.info("x %s", 1, extra={"k": 2})
        w.note("made", logging.makeLogRecord({"a": 1}))
    logging._logRecordFactory = factory
    log.info("y")
    for wrong in (None, lambda *a, **k: None, dict):
        logging._logRecordFactory = wrong
        w.catch(log.info, "z")
    w.note("records", records)


@same_as_stdlib
def test_level_tables_written_by_hand(w):
    log, _, _ = w.plain("%(levelname)s %(message)s")
    log.info("a")
    logging._levelToName[20] = "Hint"
    log.info("b")
    logging.addLevelName(20, "Other")
    log.info("c")
    del logging._levelToName[20]
    log.info("d")
    log.log(13, "unknown")
    logging.addLevelName(13, "THIRTEEN")
    log.log(13, "known")
    logging._levelToName.clear()
    log.error("none left")
    w.note("names", [logging.getLevelName(x) for x in (10, 13, "INFO", "THIRTEEN", None, "nothing", 10.0)])
    logging._nameToLevel["MINE"] = 33
    log.setLevel("MINE")
    w.note("level", log.level)
    logging._nameToLevel.clear()
    w.catch(log.setLevel, "INFO")


@same_as_stdlib
def test_level_tables_replaced(w):
    log, _, _ = w.plain("%(levelname)s %(message)s")
    log.info("a")
    logging._levelToName = {20: "replaced"}
    log.info("b")
    log.error("c")
    logging._levelToName = UserDict({20: "user dict"})
    log.info("d")
    logging._nameToLevel = {"X": 7}
    w.catch(log.setLevel, "X")
    w.catch(log.setLevel, "INFO")
    logging.getLevelName = lambda level: f"<{level}>"
    log.error("e")
    w.catch(logging.getLevelName, 5)
    logging._checkLevel = lambda level: 5
    log.setLevel("anything")
    w.note("level", log.level)


@same_as_stdlib
def test_default_formatter_replaced(w):
    log = w.logger()
    handler = logging.StreamHandler(w.stream())
    log.addHandler(handler)
    log.info("a")
    logging._defaultFormatter = logging.Formatter("default %(message)s")
    log.info("b")
    logging._defaultFormatter = type("Duck", (), {"format": lambda self, record: "duck"})()
    log.info("c")
    logging._defaultFormatter = None
    log.info("d")


@same_as_stdlib
def test_module_lock_replaced(w):
    class Lock:
        def __enter__(self):
            entered.append(1)

        def __exit__(self, *args):
            entered.append(2)

        def acquire(self):
            entered.append(1)

        def release(self):
            entered.append(2)

    entered = []
    log, _, _ = w.plain()
    logging._lock = Lock()
    log.info("fills the cache")
    log.info("does not ask again")
    logging.getLogger("fresh.one").debug("fills too")
    log.setLevel(30)
    log.addHandler(handler := logging.NullHandler())
    log.removeHandler(handler)
    handler.name = "x"
    handler.close()
    w.note("entered", entered)


@same_as_stdlib
def test_root_of_the_module_replaced(w):
    own = logging.RootLogger(10)
    handler = w.handler("own %(message)s")
    own.addHandler(handler)
    logging.root.addHandler(w.handler("old %(message)s"))
    logging.root = own
    for call in (logging.debug, logging.info, logging.warning, logging.error, logging.critical):
        call("by the module")
    w.note("same", logging.getLogger() is own, logging.getLogger("") is own, logging.getLogger("root") is own)
    logging.getLogger("child").error("still below the manager's root")


@same_as_stdlib
def test_all_that_a_disabled_call_reads_changed(w):
    log = logging.getLogger("app")
    log.addHandler(w.handler("app %(levelno)s %(message)s"))
    log.propagate = False
    log.setLevel(30)
    logging.root.addHandler(w.handler("root %(levelno)s %(message)s"))
    adapter = logging.LoggerAdapter(log, {})

    def everybody(when):
        for _ in range(2):
            for target in (log, adapter, logging):
                for name in ("debug", "info", "warning", "error", "critical"):
                    w.catch(getattr(target, name), when)
            for level in (10, 30, 50, 1000, 10.0, True, "x"):
                w.catch(log.isEnabledFor, level)
                w.catch(adapter.isEnabledFor, level)
                w.catch(log.log, level, when)

    everybody("as it was")
    levels = {name: getattr(logging, name) for name in ("DEBUG", "INFO", "CRITICAL")}
    logging.DEBUG, logging.INFO, logging.CRITICAL = 45, 1000, "critical"
    everybody("other levels")
    del logging.DEBUG
    w.catch(log.debug, "no such level")
    w.catch(adapter.debug, "no such level")
    for name, level in levels.items():
        setattr(logging, name, level)
    log._cache[30] = False
    everybody("another answer in the cache")
    log._cache = {10.0: True, 30: 0}
    everybody("another cache")
    log.disabled = 1
    everybody("disabled by a number")
    log.disabled = False
    logging.disable(40)
    everybody("disabled up to 40")
    logging.disable(0)
    log.isEnabledFor = lambda level: level > 25
    everybody("asked otherwise")
    del log.isEnabledFor
    adapter.isEnabledFor = lambda level: level < 25
    everybody("the adapter asked otherwise")
    del adapter.isEnabledFor
    adapter.logger = logging.root
    everybody("another logger")
    logging.root.handlers.clear()
    logging.basicConfig = lambda: w.note("asked to configure")
    everybody("nobody at the root")
    logging.root.debug = lambda *args: w.note("own debug", args)
    logging.root.addHandler(logging.NullHandler())
    everybody("own debug")
    del logging.root.debug  # the same object on both sides


@same_as_stdlib
def test_basic_config_replaced(w):
    calls = []
    logging.basicConfig = lambda *args, **kwargs: calls.append((args, kwargs))
    for call in (logging.debug, logging.info, logging.warning, logging.error, logging.critical):
        call("x")
    logging.log(20, "y")
    w.note("calls", calls)
    logging.root.addHandler(w.handler())
    logging.warning("with a handler it is not asked")
    w.note("calls", calls)
    del logging.basicConfig
    logging.warning("nor needed")


@same_as_stdlib
def test_manager_disable_assigned(w):
    log, _, _ = w.plain()
    log.info("a")
    log.manager.disable = 20
    log.info("the cache still says yes")
    log.debug("b")
    logging.disable(20)
    log.info("no")
    log.warning("c")
    logging.disable(0)
    log.info("d")
    for wrong in ("WARNING", "nonsense", None, 30.0, True):
        w.catch(setattr, log.manager, "disable", wrong)
        w.note("disable", log.manager.disable)
        log._cache.clear()
        w.catch(log.warning, "e")
    log.manager._disable = 50
    log._cache.clear()
    log.critical("not even this")
    logging.disable()
    log.critical("not even this")


@same_as_stdlib
def test_manager_replaced(w):
    log, _, _ = w.plain()
    log.info("a")
    log.manager = types.SimpleNamespace(disable=30)
    log.info("cached")
    log._cache.clear()
    log.info("no")
    log.error("b")
    del log.manager
    other = logging.Manager(logging.RootLogger(30))
    other.disable = 40
    w.note("logger", other.getLogger("x.y"), other.getLogger("x.y").parent, other.loggerDict)
    logging.Logger.manager = other
    log._cache.clear()
    log.error("no")
    log.critical("c")
    w.note("same", logging.getLogger("app") is log)


@same_as_stdlib
def test_logger_dict_written_by_hand(w):
    log, _, _ = w.plain()
    table = log.manager.loggerDict
    del table["app"]
    w.note("same", logging.getLogger("app") is log)
    log.info("still writes")
    log.isEnabledFor(20)
    log.setLevel(50)
    w.note("cache of a lost logger", log._cache)
    table["app"] = log
    w.note("same", logging.getLogger("app") is log)
    table["odd"] = 5
    w.catch(logging.getLogger, "odd")
    w.catch(logging.getLogger, "odd.below")
    log.manager.loggerDict = {"app": log}
    w.note("same", logging.getLogger("app") is log, logging.getLogger("new"))
    log.manager.loggerDict = table
    del table["odd"]


@same_as_stdlib
def test_logger_class_set_everywhere_it_can_be(w):
    class One(logging.Logger):
        pass

    class Two(logging.Logger):
        def __init__(self, name):
            super().__init__(name, 15)

    logging.setLoggerClass(One)
    w.note("is", type(logging.getLogger("a")), logging.getLoggerClass())
    logging.getLogger("a").manager.setLoggerClass(Two)
    w.note("is", type(logging.getLogger("b")), logging.getLogger("b").level)
    logging.getLogger("a").manager.loggerClass = None
    logging._loggerClass = Two
    w.note("is", type(logging.getLogger("c")))
    w.catch(logging.setLoggerClass, dict)
    w.catch(logging.setLoggerClass, 5)
    w.catch(logging.getLogger("a").manager.setLoggerClass, dict)
    logging._loggerClass = lambda name: w.note("made", name) or One(name)
    w.note("is", type(logging.getLogger("d")))
    for name in (5, None, b"x"):
        w.catch(logging.getLogger, name)


@same_as_stdlib
def test_threads_renamed_and_current_thread_replaced(w):
    log, _, _ = w.plain("%(threadName)s %(message)s")
    log.info("a")
    threading.current_thread().name = "renamed"
    log.info("b")
    saved = threading.current_thread
    threading.current_thread = lambda: types.SimpleNamespace(name="patched")
    log.info("c")
    threading.current_thread = saved
    logging.threading = types.SimpleNamespace(
        **{**vars(threading), "current_thread": lambda: types.SimpleNamespace(name=5), "get_ident": lambda: 77}
    )
    log.info("d")
    w.note("thread", logging.makeLogRecord({}).thread, logging.makeLogRecord({}).threadName)
    logging.threading = threading
    ident = threading.get_ident
    threading.get_ident = lambda: 99
    w.note("thread", logging.makeLogRecord({}).thread)
    log.info("%s", "e")
    threading.get_ident = ident
    threading.current_thread()._name = "by the private name"
    log.info("f")


@same_as_stdlib
def test_other_threads_have_their_own_names(w):
    log, _, _ = w.plain("%(threadName)s %(message)s")

    def work():
        log.info("started")
        threading.current_thread().name = "changed within"
        log.info("renamed")

    for index in range(3):
        thread = threading.Thread(target=work, name=f"worker {index}")
        thread.start()
        thread.join()


@pytest.mark.skipif(bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="docs/reference/differences.md, without raw reads")
@same_as_stdlib
def test_a_key_among_the_threads_whose_comparison_changes_the_handler(w):
    log, handler, _ = w.plain("%(threadName)s %(message)s")
    me = threading.get_ident()

    class Key:
        def __hash__(self):
            return hash(me)

        def __eq__(self, other):
            handler.setFormatter(logging.Formatter("changed %(threadName)s %(message)s"))
            handler.stream = w.stream("another")
            return False

    threads = dict(threading._active)
    threading._active.clear()
    try:
        threading._active[Key()] = None  # looked at before the one that is looked for
        threading._active.update(threads)
        log.info("a")
        log.info("%s", "b")
    finally:
        threading._active.clear()
        threading._active.update(threads)
    log.info("c")


@same_as_stdlib
def test_foreign_threads_get_a_dummy_name(w):
    """Contract 5.3, item 22."""
    import _thread
    import re

    log, handler, stream = w.plain("%(threadName)s %(message)s")
    w._streams.clear()
    done = threading.Lock()
    done.acquire()

    def work():
        log.info("from a foreign thread")
        done.release()

    _thread.start_new_thread(work, ())
    done.acquire()
    w.note("wrote", re.sub(r"\d+", "N", stream.getvalue()))


@same_as_stdlib
def test_process_name_and_id(w):
    log, _, _ = w.plain("%(processName)s %(message)s")
    log.info("a")
    multiprocessing.current_process().name = "renamed"
    log.info("b")
    saved = sys.modules["multiprocessing"]
    sys.modules["multiprocessing"] = None
    log.info("c")
    del sys.modules["multiprocessing"]
    log.info("d")
    sys.modules["multiprocessing"] = types.SimpleNamespace(current_process=lambda: types.SimpleNamespace(name="fake"))
    log.info("e")
    sys.modules["multiprocessing"] = types.SimpleNamespace(current_process=lambda: 1 / 0)
    log.info("errors are swallowed")
    sys.modules["multiprocessing"] = saved
    multiprocessing.current_process().name = "MainProcess"
    getpid = os.getpid
    os.getpid = lambda: 4711
    w.note("process", logging.makeLogRecord({}).process)
    other = w.handler("%(process)s %(message)s")
    log.addHandler(other)
    log.info("f")
    os.getpid = getpid
    logging.os = types.SimpleNamespace(**{**vars(os), "getpid": lambda: 12})
    log.info("g")
    logging.os = os


@same_as_stdlib
def test_names_of_tasks(w):
    if sys.version_info < (3, 12):
        pytest.skip("taskName is new in 3.12")
    log, _, _ = w.plain("%(taskName)s %(message)s")
    log.info("outside")

    async def work():
        asyncio.current_task().set_name("named")
        log.info("in a task")
        asyncio.current_task().set_name("renamed")
        log.info("renamed")
        await asyncio.gather(*(asyncio.create_task(part(i), name=f"part {i}") for i in range(2)))
        asyncio.get_running_loop().call_soon(log.info, "a callback is no task")
        await asyncio.sleep(0)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        saved = asyncio.current_task
        asyncio.current_task = lambda: 1 / 0
        log.info("errors are swallowed")
        asyncio.current_task = saved
        module = sys.modules["asyncio"]
        sys.modules["asyncio"] = None
        log.info("no asyncio")
        sys.modules["asyncio"] = module

    async def part(number):
        log.info("part %d", number)
        await asyncio.sleep(0)
        log.info("part %d again", number)

    async def named(number):
        asyncio.current_task().set_name(f"run {number}")
        await part(number)

    def elsewhere():
        log.info("another thread")
        asyncio.run(named(7))
        log.info("its loop has ended")

    asyncio.run(work())
    log.info("outside")
    elsewhere()
    saved = asyncio._get_running_loop
    asyncio._get_running_loop = lambda: None
    asyncio.run(named(8))
    asyncio._get_running_loop = saved
    asyncio.run(named(9))


@same_as_stdlib
def test_switches_that_are_true_and_false_by_turns(w):
    log, _, _ = w.plain("%(process)s %(processName)s %(message)s")
    saved, logging.logProcesses = logging.logProcesses, []
    try:
        for number in range(4):
            log.info("%s is off", number)
        logging.logProcesses.append(1)
        log.info("on")
        logging.logProcesses.clear()
        log.info("off")
    finally:
        logging.logProcesses = saved


@same_as_stdlib
def test_functions_logging_uses_replaced_in_its_module(w):
    log, _, _ = w.plain("%(filename)s %(module)s %(message)s")
    log.info("a")
    logging.os = types.SimpleNamespace(
        **{**vars(os), "path": types.SimpleNamespace(**{**vars(os.path), "basename": lambda path: "base.x.py"})}
    )
    log.info("b")
    logging.os = os
    log.info("c")
    logging.currentframe = lambda: sys._getframe(0)
    w.catch(log.info, "d")
    logging.LogRecord = lambda *args, **kwargs: 1 / 0
    w.catch(log.info, "the factory is what counts, but from 3.12 on the name is asked for")


@same_as_stdlib
def test_classes_replaced_in_the_module(w):
    class Formatter(logging.Formatter):
        def format(self, record):
            return "mine " + super().format(record)

    logging.Formatter = Formatter
    logging.basicConfig(stream=w.stream(), format="%(message)s")
    logging.warning("x")
    logging.StreamHandler = type("StreamHandler", (logging.StreamHandler,), {"terminator": "|"})
    logging.basicConfig(stream=w.stream(), force=True)
    logging.warning("y")
    log = w.logger()
    log.addHandler(logging.StreamHandler(w.stream()))
    log.info("z")


@same_as_stdlib
def test_traceback_functions_replaced(w):
    """Contract 1.3: `logging.traceback` is the real module, called as the stdlib calls it."""
    log, _, _ = w.plain("%(message)s")

    def print_stack(frame, limit=None, file=None):
        w.note("stack of", frame.f_code.co_name, limit, file.getvalue())
        file.write("stack\n")

    def print_exception(*args, **kwargs):
        w.note("exception", args[0], len(args), sorted(kwargs))
        (kwargs.get("file") or args[4]).write("exception\n")

    saved = logging.traceback.print_stack, logging.traceback.print_exception
    logging.traceback.print_stack, logging.traceback.print_exception = print_stack, print_exception
    log.info("a", stack_info=True)
    try:
        raise LookupError
    except LookupError:
        log.exception("b")
        log.info("c", exc_info=True)
    logging.traceback.print_stack, logging.traceback.print_exception = saved


@same_as_stdlib
def test_stderr_replaced_and_removed_before_an_error(w):
    log, _, _ = w.plain()
    saved, sys.stderr = sys.stderr, w.stream()
    log.info("%d", "x")
    sys.stderr = None
    log.info("%d", "y")
    closed = io.StringIO()
    closed.close()
    sys.stderr = closed
    w.catch(log.info, "%d", "z")

    class Failing(io.StringIO):
        def write(self, text):
            raise OSError("disk full")

    sys.stderr = Failing()
    w.catch(log.info, "%d", "w")
    sys.stderr = saved
    log.info("%d", "v")


@same_as_stdlib
def test_default_arguments_and_attributes_of_functions_changed(w):
    """`shutdown` takes the live list as its default argument; tools set attributes on functions."""
    log, handler, _ = w.plain()
    w.note("default", logging.shutdown.__defaults__[0] is logging._handlerList)
    log.info("before")
    logging.shutdown()
    log.info("still writes")
    if sys.version_info >= (3, 12):
        logging.Logger.info.tag = 5
        w.note("tag", logging.Logger.info.tag)
        del logging.Logger.info.tag


@same_as_stdlib
def test_a_table_of_level_names_that_was_replaced_is_not_kept_alive(w):
    class Name:
        pass

    log, _, _ = w.plain("%(levelname)s %(message)s")
    saved, gone = logging._levelToName, []
    for _ in range(5):
        logging._levelToName = {**saved, 777: Name()}
        gone.append(weakref.ref(logging._levelToName[777]))
        for _ in range(4):
            log.log(25, "no standard level")
    logging._levelToName = saved
    for _ in range(4):
        log.log(25, "as it was")
    gc.collect()
    w.note("alive", [name() for name in gone])
