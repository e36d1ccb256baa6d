"""The process and the task of a record, changed between two calls: what is asked of `multiprocessing` and `asyncio`."""

import asyncio
import logging
import multiprocessing
import multiprocessing.process
import os
import sys
import sysconfig
import types

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
def test_nobody_is_asked_for_what_is_known(loop):
    femtolog.install()
    try:
        lines, called = [], []
        stream = types.SimpleNamespace(write=lines.append, flush=lambda: None)
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(processName)s %(message)s"))
        log = logging.Logger("app")
        log.addHandler(handler)

        def work():
            for _ in range(4):
                log.info("line")
            sys.setprofile(lambda frame, event, arg: called.append((event, frame.f_code.co_name)))
            log.info("line")
            sys.setprofile(None)

        async def main():
            work()

        asyncio.run(main()) if loop else work()
        assert lines == ["MainProcess line\n"] * 5
        assert ("call", "current_process") not in called, called
        assert ("c_call", "work") in called
    finally:
        femtolog.uninstall()
