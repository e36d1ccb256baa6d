"""A fresh logging world for one run of a scenario, and everything it leaves behind as lines of text.

Nothing here patches a class: classes run out of version tags, and a scenario has to meet the fast path as a program does. Root stays the
process's root, and `vars(root)` is not called, since that would change its form.
"""

import contextlib
import gc
import io
import logging
import logging.config
import logging.handlers
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from oracle.clock import Clock
from oracle.describe import describe, text
from oracle.keeping import kept

SHORT = "%(levelname)s %(name)s %(message)s"
_ROOM = Path(tempfile.gettempdir()) / f"oracle-{os.getpid()}"


class Keeper(logging.Handler):
    """Keeps the records it is given."""

    def __init__(self, level: int = 0) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the very object."""
        self.records.append(record)


class World:
    """What a scenario works with: loggers, handlers, streams, a clock, a folder, and a notebook that is compared."""

    def __init__(self, *, live: bool = False, lives: bool = True) -> None:
        """`live`: the clock is; `lives`: what is still alive in the end is compared, which takes a collection."""
        self.live = live
        self.lives = lives
        self.clock = Clock()
        self.lines: list[str] = []
        self._streams: list[tuple[str, io.StringIO]] = []
        self._dir: Path | None = None
        self._writing = False

    # -- the notebook
    def note(self, *values: object) -> None:
        """Write down values: the other side must write the same. What a value does while it is shown is not written down."""
        if self._writing:
            return
        self._writing = True
        try:
            self._write(values)
        finally:
            self._writing = False

    def _write(self, values: tuple[object, ...]) -> None:
        self.lines.append(
            " ".join(v if i == 0 and isinstance(v, str) else describe(v, live=self.live) for i, v in enumerate(values))
        )

    def catch(self, function: Callable[..., Any], /, *args: object, **kwargs: object) -> Any:
        """Call, note what came back or was raised, and return it."""
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            self.note("raised", error)
            return error
        self.note("returned", result)
        return result

    def take(self, stream: io.StringIO) -> str:
        """Note and return what a stream holds, and empty it."""
        value = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        self.note("wrote", value)
        return value

    # -- things to log with
    def stream(self, label: str = "") -> io.StringIO:
        """A text sink whose contents at the end are compared."""
        stream = io.StringIO()
        self._streams.append((label or f"stream {len(self._streams)}", stream))
        return stream

    def handler(self, fmt: str | None = SHORT, cls: type[logging.Handler] | None = None, **formatter: Any) -> logging.Handler:
        """A handler on a new stream, reachable as `.stream`."""
        handler = (cls or logging.StreamHandler)(self.stream())
        handler.setFormatter(logging.Formatter(fmt, **formatter))
        return handler

    def logger(self, name: str = "app", level: int = logging.DEBUG) -> logging.Logger:
        """A logger that does not propagate and has no handlers."""
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        return logger

    def plain(
        self, fmt: str | None = SHORT, cls: type[logging.Handler] | None = None, name: str = "app", **formatter: Any
    ) -> tuple[Any, Any, Any]:
        """A logger with one stream handler: (logger, handler, stream)."""
        logger, handler = self.logger(name), self.handler(fmt, cls, **formatter)
        logger.addHandler(handler)
        return logger, handler, handler.stream

    def keeper(self, logger: logging.Logger) -> list[logging.LogRecord]:
        """Keep every record of that logger from now on."""
        keeper = Keeper()
        logger.addHandler(keeper)
        return keeper.records

    @property
    def dir(self) -> Path:
        """A folder of this run, at the same path on every side; its files are compared at the end."""
        if self._dir is None:
            self._dir = _ROOM
            shutil.rmtree(_ROOM, ignore_errors=True)
            _ROOM.mkdir()
        return self._dir

    # -- the end
    def close(self) -> None:
        """Write down what is left, then close the handlers."""
        for label, stream in self._streams:
            self.lines.append(f"{label}: {describe('<closed>' if stream.closed else stream.getvalue(), live=self.live)}")
        loggers: list[Any] = [logging.root, *logging.root.manager.loggerDict.values()]
        for logger in loggers:
            self.lines.append(_state(logger))
        if self.lives:
            gc.collect()
        handlers = [ref() for ref in logging._handlerList]
        if self.lives:
            self.lines.append(f"handlers alive: {[type(h).__name__ for h in handlers]}")
            self.lines.append(f"handler names: {sorted(logging._handlers)}")
        for handler in handlers:
            with contextlib.suppress(Exception):
                handler.close()
        if self._dir:
            for path in sorted(p for p in self._dir.rglob("*") if p.is_file()):
                self.lines.append(
                    f"file {path.relative_to(self._dir)}: {describe(path.read_text('utf-8', 'backslashreplace'), live=self.live)}"
                )
            shutil.rmtree(self._dir, ignore_errors=True)


def _state(logger: Any) -> str:
    """What a logger looks like in the end."""
    if isinstance(logger, logging.PlaceHolder):
        return f"placeholder for {sorted(c.name for c in logger.loggerMap)}"
    kinds = {k: [type(x).__name__ for x in getattr(logger, k, ())] for k in ("handlers", "filters")}
    plain = {k: getattr(logger, k, "<none>") for k in ("level", "propagate", "disabled", "_cache")}
    parent = getattr(getattr(logger, "parent", None), "name", None)
    return f"logger {getattr(logger, 'name', None)!a} of {parent!a}: {describe(plain)} {kinds}"


@contextlib.contextmanager
def fresh(*, live: bool, lives: bool = True) -> Iterator[World]:
    """A world in which nobody has logged yet; what was there before is put back at the end."""
    root, manager = logging.root, logging.root.manager
    world = World(live=live, lives=lives)
    with kept():
        handlers = root.handlers
        root.handlers, root.filters, root._cache = [], [], {}
        root.level, root.disabled = logging.WARNING, False
        manager.loggerDict.clear()
        manager.disable, manager.loggerClass, manager.logRecordFactory, manager.emittedNoHandlerWarning = 0, None, None, False
        logging._handlers.clear()
        logging._handlerList[:] = []
        sys.stderr = stderr = io.StringIO()
        try:
            with contextlib.nullcontext() if live else world.clock.frozen(), warnings.catch_warnings():
                yield world
                world.lines.append(f"stderr: {text(stderr.getvalue(), live=live)}")
                world.close()
                if not live:
                    world.lines.append(f"clock readings: {world.clock.readings}")
        finally:
            root.handlers = handlers
