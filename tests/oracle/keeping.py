"""Puts back what a test changed in logging and around it: classes, modules, tables, root, streams, the time zone.

Knows nothing of femtolog, so that every test can use it.
"""

import contextlib
import logging
import logging.config
import logging.handlers
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

_ROOT_NAMES = ("name", "level", "parent", "propagate", "disabled", "handlers", "filters", "_cache")


def logging_classes() -> list[type]:
    """Every class of `logging`, `logging.handlers` and `logging.config`."""
    modules = (logging, logging.handlers, logging.config)
    names = {module.__name__ for module in modules}
    found = (value for module in modules for value in vars(module).values() if isinstance(value, type))
    return sorted({c for c in found if c.__module__ in names}, key=lambda c: (c.__module__, c.__qualname__))


def class_contents() -> dict[tuple[str, str], object]:
    """What stands in every logging class, by identity: binding and unbinding must be exact."""
    skipped = ("__dict__", "__weakref__", "__annotations_cache__", "__annotate_func__")
    return {(c.__qualname__, name): value for c in logging_classes() for name, value in vars(c).items() if name not in skipped}


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Put back at the end whatever was changed in modules, classes, tables, root, the standard streams and the time zone.

    Of root's handlers only those that pytest put there itself may come and go.
    """
    root, manager = logging.root, logging.root.manager
    modules = [logging, logging.handlers, logging.config, time, warnings]
    saved_modules = [dict(vars(m)) for m in modules]
    saved_classes = class_contents()
    saved_root = {n: getattr(root, n) for n in _ROOT_NAMES}
    saved_tables: list[tuple[Any, Any]] = [
        (table, table.copy()) for table in (manager.loggerDict, logging._levelToName, logging._nameToLevel, logging._handlers)
    ]
    saved_list, saved_handlers = logging._handlerList[:], root.handlers[:]
    saved_manager = (manager.disable, manager.loggerClass, manager.logRecordFactory, manager.emittedNoHandlerWarning)
    saved_std = (sys.stdout, sys.stderr, os.environ.get("TZ"), threading.current_thread().name)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = saved_std[:2]
        threading.current_thread().name = saved_std[3]
        _restore_zone(saved_std[2])
        for module, names in zip(modules, saved_modules, strict=True):
            _restore_module(module, names)
        _restore_classes(saved_classes)
        for name, value in saved_root.items():
            if getattr(root, name) is not value:
                setattr(root, name, value)
        root.handlers[:] = [h for h in root.handlers if h in saved_handlers or type(h).__module__ == "_pytest.logging"]
        for table, contents in saved_tables:
            table.clear()
            table.update(contents)
        logging._handlerList[:] = saved_list
        manager.disable, manager.loggerClass, manager.logRecordFactory, manager.emittedNoHandlerWarning = saved_manager


def _restore_zone(zone: str | None) -> None:
    if os.environ.get("TZ") != zone:
        if zone is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = zone
        time.tzset()


def _restore_module(module: Any, names: dict[str, object]) -> None:
    for name in vars(module).keys() - names.keys():
        delattr(module, name)
    for name, value in names.items():
        if vars(module).get(name, module) is not value:
            setattr(module, name, value)


def _restore_classes(saved: dict[tuple[str, str], object]) -> None:
    now = class_contents()
    if now.keys() == saved.keys() and all(now[key] is value for key, value in saved.items()):
        return
    classes = {c.__qualname__: c for c in logging_classes()}
    for cls, name in now.keys() - saved.keys():
        delattr(classes[cls], name)
    for (cls, name), value in saved.items():
        if now.get((cls, name), saved) is not value:
            setattr(classes[cls], name, value)
