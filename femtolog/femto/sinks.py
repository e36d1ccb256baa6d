"""Sinks that are no handlers: any object with `handle(logger, level, message)`, or with `handle_record(record)` beside it."""

from __future__ import annotations

import logging

from femtolog.femto.formatting import as_dict
from femtolog.femto.handlers import FemtoHandler
from femtolog.femto.levels import femto_name
from femtolog.femto.options import queue_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _ForSink(logging.Handler):
    """Calls the sink, with what the record was when it was logged: that is what its formatter has made of it."""

    call: Callable[..., object]

    def emit(self, record: logging.LogRecord) -> None:
        """An exception of the sink is printed and counted, as that of any handler."""
        try:
            self.call(*self.format(record))
        except Exception:  # noqa: BLE001 - as every emit of the stdlib
            self.handleError(record)


class _Arguments(logging.Formatter):
    """In the place of a formatter: what the sink is called with."""

    def __init__(self, *, of_record: bool) -> None:
        super().__init__()
        self.of_record = of_record

    def format(self, record: logging.LogRecord) -> Any:
        """The record as a dict, or the three texts."""
        if self.of_record:
            return (as_dict(record),)
        return record.name, femto_name(record.levelname), record.getMessage()


class SinkHandler(FemtoHandler, _ForSink):  # type: ignore[misc] # as in handlers.py
    """A sink on a logger, with a queue of its own. Which of its methods is called is decided here, once.

    TypeError for an object without a callable `handle`.
    """

    def __init__(self, sink: object) -> None:
        handle = getattr(sink, "handle", None)
        if handle is None:
            raise TypeError(f"a handler is a logging.Handler or has a callable 'handle' method, {type(sink).__name__} has none")
        if not callable(handle):
            raise TypeError(f"'handle' of {type(sink).__name__} is not callable")
        handle_record = getattr(sink, "handle_record", None)
        of_record = callable(handle_record)
        options = queue_options(1024, "drop")
        logging.Handler.__init__(self)
        self.sink = sink
        self.call = handle_record if of_record else handle  # type: ignore[assignment]
        self._start(_ForSink, options)
        self.formatter = _Arguments(of_record=of_record)
