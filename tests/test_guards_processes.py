"""The process and the task of a record, changed between two calls: what is asked of `multiprocessing` and `asyncio`."""

import asyncio
import gc
import logging
import multiprocessing
import multiprocessing.process
import os
import sys
import sysconfig
import types
import weakref

import pytest
from oracle import same_as_stdlib

import femtolog

TASKS = sys.version_info >= (3, 12)
process = multiprocessing.process


def both_ways(w, fmt):
    """Logs a text several times, formatted at once and as a record that a filter sees: what is kept of one call is used by the next."""
    log, _, _ = w.plain(fmt)
    seen, handler, _ = w.plain(fmt, name="seen")
    handler.addFilter(lambda record: w.note("seen", record.processName, record.process == os.getpid()) or True)

    def often(text):
        for _ in range(4):
            log.info(text)
            seen.info(text)

    return often


@same_as_stdlib
def test_a_process_is_given_another_name(w):
    often = both_ways(w, "%(processName)s %(message)s")
    often("as it is")
    multiprocessing.current_process().name = "renamed"
    often("renamed")
    multiprocessing.current_process()._name = 7
    often("no text")
    del multiprocessing.current_process()._name
    often("nameless, which is swallowed")
    multiprocessing.current_process()._name = "MainProcess"
    vars(multiprocessing.current_process())["name"] = "behind the property"
    often("as it was")
    del vars(multiprocessing.current_process())["name"]


@same_as_stdlib
def test_another_process_object(w):
    class Named(type(process.current_process())):
        name = property(lambda self: "a subclass's")

    class Asked(type(process.current_process())):
        def __getattribute__(self, name):
            return "gotten" if name == "name" else super().__getattribute__(name)

    often = both_ways(w, "%(processName)s %(message)s")
    often("as it is")
    saved = process._current_process
    for other in (Named(), Asked(), types.SimpleNamespace(name="simple"), None, saved, type(saved)()):
        process._current_process = other
        often("another object")
    process._current_process = saved
    kind, saved.__class__ = type(saved), Named
    often("another class")
    saved.__class__ = kind
    often("as it was")


@same_as_stdlib
def test_what_asks_for_the_process_is_replaced(w):
    often = both_ways(w, "%(processName)s %(message)s")
    often("as it is")
    saved = process.BaseProcess.name
    process.BaseProcess.name = property(lambda self: "patched")
    often("another property")
    del process.BaseProcess.name
    often("no property, which is swallowed")
    process.BaseProcess.name = saved
    often("as it was")
    saved = multiprocessing.current_process
    multiprocessing.current_process = lambda: types.SimpleNamespace(name="of a lambda")
    often("another function")
    del multiprocessing.current_process
    often("no function, which is swallowed")
    multiprocessing.current_process = saved
    often("as it was")


@same_as_stdlib
def test_another_multiprocessing(w):
    often = both_ways(w, "%(processName)s %(message)s")
    often("as it is")
    saved = sys.modules["multiprocessing"]
    for other in (
        None,
        types.SimpleNamespace(current_process=lambda: types.SimpleNamespace(name="fake")),
        types.ModuleType("empty"),
    ):
        sys.modules["multiprocessing"] = other
        often("another module")
    del sys.modules["multiprocessing"]
    often("no module")
    sys.modules["multiprocessing"] = saved
    often("as it was")
    modules = sys.modules
    sys.modules = {name: module for name, module in modules.items() if name != "multiprocessing"}
    often("other modules")
    sys.modules["multiprocessing"] = saved
    often("among them now")
    sys.modules = modules
    logging.sys = types.SimpleNamespace(**{**vars(sys), "modules": {}})
    often("another sys")
    logging.sys.modules = {"multiprocessing": types.SimpleNamespace(current_process=lambda: types.SimpleNamespace(name="fake"))}
    often("whose modules are others now")
    logging.sys = sys
    often("as it was")


@same_as_stdlib
def test_a_module_is_given_a_class(w):
    class Module(types.ModuleType):
        current_process = property(lambda self: lambda: types.SimpleNamespace(name="of the class"))
        current_task = property(lambda self: lambda: types.SimpleNamespace(get_name=lambda: "of the class"))

        def __getattribute__(self, name):  # without one, code of 3.14 that is specialised for a module goes on to read its dict
            return super().__getattribute__(name)

    often = both_ways(w, "%(processName)s %(taskName)s %(message)s" if TASKS else "%(processName)s %(message)s")
    for module in (multiprocessing, asyncio):
        often("as it is")
        module.__class__ = Module
        often("another class")
        module.__class__ = types.ModuleType
        often("as it was")


@same_as_stdlib
def test_functions_of_the_same_module_in_another_place(w):
    class Numbered(type(process.current_process())):
        name = process.BaseProcess.ident

    often = both_ways(w, "%(processName)s %(message)s")
    process.current_process().name = "own"
    saved, multiprocessing.current_process = multiprocessing.current_process, process.parent_process
    often("there is no parent")
    multiprocessing.current_process = saved
    own, process._current_process = process._current_process, Numbered()
    often("no name, a number" if process.current_process().name == os.getpid() else "")
    process._current_process = own
    often("as it was")
    own.name = "MainProcess"


@same_as_stdlib
def test_another_module_of_processes(w):
    often = both_ways(w, "%(processName)s %(message)s")
    often("as it is")
    saved = sys.modules["multiprocessing.process"]
    sys.modules["multiprocessing.process"] = types.ModuleType("process")
    sys.modules["multiprocessing.process"]._current_process = type(process.current_process())()
    sys.modules["multiprocessing.process"]._current_process.name = "wrong"
    often("the function knows its own module")
    sys.modules["multiprocessing.process"] = saved
    often("as it was")


@same_as_stdlib
def test_code_is_exchanged(w):
    often = both_ways(w, "%(processName)s %(message)s")
    for function, other in (
        (process.current_process, lambda: type("Other", (), {"name": "of other code"})),
        (process.BaseProcess.name.fget, lambda self: "of other code"),
    ):
        often("as it is")
        saved, function.__code__ = function.__code__, other.__code__
        often("other code")
        function.__code__ = saved
        often("as it was")


@same_as_stdlib
def test_nothing_is_kept_alive(w):
    often = both_ways(w, "%(processName)s %(message)s")
    saved, process._current_process = process._current_process, type("Named", (process.BaseProcess,), {})(name="named")
    often("a process that will be gone")
    gone = weakref.ref(process._current_process)
    process._current_process = saved
    gc.collect()
    w.note("the process", gone())
    module, modules = sys.modules["multiprocessing"], []
    for number in range(5):
        other = sys.modules["multiprocessing"] = types.ModuleType(f"number {number}")
        other.current_process = lambda other=other: types.SimpleNamespace(name=other.__name__)
        modules.append(weakref.ref(other))
        often("a module that will be gone")
        del other
    sys.modules["multiprocessing"] = module
    often("as it was")
    gc.collect()
    w.note("the modules", [gone() for gone in modules])


@same_as_stdlib
def test_a_function_that_counts_the_questions(w):
    if not TASKS:
        pytest.skip("taskName is new in 3.12")
    asked = []
    log, _, _ = w.plain("%(processName)s %(message)s")
    log.info("as it is")
    saved = asyncio.current_task
    asyncio.current_task = lambda: asked.append(1) or saved()
    for _ in range(4):
        log.info("asked")
    asyncio.current_task = saved
    w.note("asked", len(asked))


@same_as_stdlib
def test_renamed_between_two_handlers(w):
    class Renaming(logging.Handler):
        def emit(self, record):
            multiprocessing.current_process().name = f"renamed by {record.msg}"

    log, _, _ = w.plain("%(processName)s %(message)s")
    log.addHandler(Renaming())
    log.addHandler(w.handler("%(processName)s %(message)s"))
    for number in range(4):
        log.info(number)
    multiprocessing.current_process().name = "MainProcess"


@same_as_stdlib
def test_switches(w):
    often = both_ways(w, "%(processName)s %(message)s")
    switch: list[int] = []
    for value in (False, True, switch, None, True):
        logging.logMultiprocessing = value
        often("switched")
    logging.logMultiprocessing = switch
    often("off")
    switch.append(1)
    often("on")
    logging.logMultiprocessing = True
    for value in (False, switch, True):
        logging.logProcesses = value
        often("the number")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@same_as_stdlib
def test_a_forked_process(w):
    often = both_ways(w, "%(processName)s %(message)s")
    often("the parent")
    for child in (True, False):
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                handler = logging.StreamHandler(os.fdopen(write, "w"))
                handler.setFormatter(logging.Formatter("%(processName)s %(process)s %(message)s"))
                log = logging.Logger("child")
                log.addHandler(handler)
                log.info("before")
                if child:
                    process._current_process = type("Child", (process.BaseProcess,), {})(name="child")
                for _ in range(4):
                    log.info(os.getpid())
                handler.stream.flush()
            finally:
                os._exit(0)
        os.close(write)
        os.waitpid(pid, 0)
        with os.fdopen(read) as lines:
            w.note("child", lines.read().replace(str(pid), "PID"))
    often("the parent again")


@same_as_stdlib
def test_inside_a_loop(w):
    often = both_ways(w, "%(processName)s %(message)s")
    tasks = both_ways(w, "%(processName)s %(taskName)s %(message)s") if TASKS else often
    alone = both_ways(w, "%(taskName)s %(message)s") if TASKS else often

    def all_of_them(text):
        often(text)
        tasks(text)
        alone(text)

    async def work(name):
        asyncio.current_task().set_name(name)
        all_of_them("in a task")
        asyncio.current_task().set_name(name * 2)
        all_of_them("named anew")
        multiprocessing.current_process().name = name
        all_of_them("the process, too")
        asyncio.get_running_loop().call_soon(all_of_them, "a callback is no task")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        saved = asyncio.current_task
        asyncio.current_task = lambda: 1 / 0
        all_of_them("errors are swallowed")
        asyncio.current_task = saved
        all_of_them("as it was")
        if TASKS:
            for value in (False, [], [1], True):
                logging.logAsyncioTasks = value
                all_of_them("switched")

    all_of_them("outside")
    asyncio.run(work("one"))
    all_of_them("outside again")
    asyncio.run(work("two"))
    saved = asyncio._get_running_loop
    asyncio._get_running_loop = lambda: None
    asyncio.run(work("three"))
    asyncio._get_running_loop = saved
    asyncio.run(work("four"))
    multiprocessing.current_process().name = "MainProcess"


@pytest.mark.skipif(bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="asked each time where threads run side by side")
@pytest.mark.parametrize("loop", [False, True], ids=["outside", "in a loop"])
@pytest.mark.parametrize("seen", [False, True], ids=["a line", "a record"])
def test_nobody_is_asked_for_what_is_known(loop, seen):
    femtolog.install()
    try:
        lines, called = [], []
        stream = types.SimpleNamespace(write=lines.append, flush=lambda: None)
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(processName)s %(message)s"))
        log = logging.Logger("app")
        log.addHandler(handler)
        if seen:
            log.addFilter(lambda record: True)

        def work():
            for _ in range(4):
                log.info("line")
            sys.setprofile(lambda frame, event, arg: event == "call" and called.append(frame.f_code.co_name))
            log.info("line")
            sys.setprofile(None)

        async def main():
            work()

        asyncio.run(main()) if loop else work()
        assert lines == ["MainProcess line\n"] * 5
        assert called == ["<lambda>"] * (1 + seen), called  # flush() and the filter
    finally:
        femtolog.uninstall()
