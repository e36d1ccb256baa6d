"""Shadow mode: a program runs on the standard library's logging, and each record also goes through the native tier beside it.

The interpreter's own bodies do all the work; before and after some of them `_native.observe` calls the functions below, which leave
no frame, no attribute and no record behind. Two things are compared:

- each text that `Formatter.format` makes, with what the native tier makes of a copy of the record as it was before;
- where nothing but logging's own code is on a record's way, what a whole `Logger._log` call gives each handler: loggers and
  handlers are copied, their streams replaced, and the native tier runs the call again, from the same frame, at the same time.

Code of the program's own (a `__str__`, a handler, a filter) is never run a second time. What it made is taken over, or the text is
left out, and counted with the reason.
"""

from __future__ import annotations

import atexit
import contextvars
import io
import json
import os
import sys
import tempfile
import time
from _thread import RLock
from types import BuiltinFunctionType, FunctionType, WrapperDescriptorType

from femtolog_compat import _install
from femtolog_compat._native import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import Any, Self

FOLDER = "FEMTOLOG_SHADOW_DIR"
"""The environment variable that names the folder to which the processes of one run write what they found."""


def start() -> None:
    """Begin, in a process where femtolog is not installed: at start-up, by FEMTOLOG=shadow.

    The first process of a run prints the report when it ends; with differences its exit status is 1.
    """
    os.register_at_fork(after_in_child=_Found.begin)
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="femtolog-shadow-")
        # First registered, so last to run: what other functions log at exit is still compared.
        atexit.register(_report_at_exit, os.getpid(), os.environ[FOLDER])
    _install.shadow(
        {
            "Logger.isEnabledFor": _observer(_enabled),
            "Logger._log": _observer(_Call),
            "Logger.handle": _observer(_handled),
            "Handler.handle": _observer(_Emission),
            "Formatter.format": _observer(_text),
        }
    )
    _Found.begin()


def _observer(begin: Any) -> Callable[[tuple[Any, ...], dict[str, Any]], Callable[[Any, BaseException | None], None] | None]:
    """What is called before an observed body: `begin(args, kwargs)`, whose `after` is called after it."""

    def observer(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Any, BaseException | None], None] | None:
        try:
            observation = begin(args, kwargs)
        except Exception as error:  # noqa: BLE001 - the program must not notice
            _Found.fail(error)
            return None
        return None if observation is None else getattr(observation, "after", observation)

    return observer


# The time this thread was at work, where that is told finely: other threads that run meanwhile do not count.
_clock = time.thread_time_ns if sys.platform in ("linux", "darwin") else time.perf_counter_ns


def _clock_cost() -> int:
    """Nanoseconds between two readings of the clock one after the other."""
    return min(-(_clock() - _clock()) for _ in range(20))


# -- what was found -----------------------------------------------------------------------------------------------------------


class _Found:
    """This process's counts, kept in a file of the run's folder too: a process may end without telling anybody."""

    counts: dict[str, Any]
    lock = RLock()
    file: int | None = None
    native: Any = None
    clock_cost = 0

    @classmethod
    def begin(cls) -> None:
        cls.lock = RLock()
        cls.file = None
        cls.native = load()
        cls.counts = nothing()
        cls.clock_cost = _clock_cost()

    @classmethod
    def time(cls, total: list[int], stdlib: int, femtolog: int) -> None:
        """Add what one and the same thing took on either."""
        with cls.lock:
            total[0] += max(stdlib - cls.clock_cost, 0)
            total[1] += max(femtolog - cls.clock_cost, 0)

    @classmethod
    def add(cls, **counts: int) -> None:
        with cls.lock:
            for name, number in counts.items():
                cls.counts[name] += number

    @classmethod
    def leave_out(cls, why: str) -> None:
        with cls.lock:
            left = cls.counts["left_out"]
            left[why] = left.get(why, 0) + 1

    @classmethod
    def differ(cls, **what: str) -> None:
        with cls.lock:
            cls.counts["differences"] += 1
            if cls.counts["first"] is None:
                cls.counts["first"] = what

    @classmethod
    def fail(cls, error: Exception) -> None:
        cls.leave_out(f"femtolog's own mistake, please report: {type(error).__name__}: {error}")

    @classmethod
    def save(cls) -> None:
        with cls.lock:
            if cls.file is None:
                folder = os.environ.get(FOLDER)
                if not folder or not os.path.isdir(folder):
                    return
                name = os.path.join(folder, f"{os.getpid()}-{time.time_ns()}")
                cls.file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o600)
            text = json.dumps(cls.counts) + "\n"
            try:
                os.lseek(cls.file, 0, os.SEEK_SET)
                os.write(cls.file, text.encode())
            except OSError:
                cls.file = None  # closed by the program (daemons close all they find): a new one next time


def nothing() -> dict[str, Any]:
    """The counts of a run in which nothing was logged."""
    return {
        "records": 0,
        "texts": 0,
        "whole_calls": 0,
        "taken_over": 0,
        "differences": 0,
        "first": None,
        "left_out": {},
        "call_ns": [0, 0],
        "timed_calls": 0,
        "text_ns": [0, 0],
        "timed_texts": 0,
        "processes": 0,
    }


def collect(folder: str) -> dict[str, Any]:
    """The sums of all processes that wrote into `folder`, in the order in which they began to."""
    total = nothing()
    for name in sorted(os.listdir(folder), key=lambda name: int(name.rpartition("-")[2])):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            line = file.readline()
        if not line.endswith("\n"):
            continue  # killed in the middle of its first line
        counts = json.loads(line)
        total["processes"] += 1
        for key, value in counts.items():
            if key == "first":
                total["first"] = total["first"] or value
            elif key == "left_out":
                for why, number in value.items():
                    total["left_out"][why] = total["left_out"].get(why, 0) + number
            elif isinstance(value, list):
                total[key] = [ours + theirs for ours, theirs in zip(total[key], value, strict=True)]
            else:
                total[key] += value
    return total


def report(total: dict[str, Any]) -> str:
    """The counts in words, lines with their ends."""
    records, differences = total["records"], total["differences"]
    lines = [f"femtolog shadow: {differences} difference{'' if differences == 1 else 's'} in {_many(records, 'record')}"]
    first = total["first"]
    if first is not None:
        lines += [
            f"  first difference: {first['what']}, {first['where']}",
            f"    stdlib:   {first['stdlib']}",
            f"    femtolog: {first['femtolog']}",
        ]
    compared = (
        f"  compared: {_many(total['texts'], 'text')} of handlers and formatters, {_many(total['whole_calls'], 'whole log call')}"
    )
    if total["processes"] > 1:
        compared += f", in {total['processes']} processes"
    lines.append(compared)
    if total["taken_over"]:
        lines.append(
            f"  message or exception taken over, not made again, because it takes code of the program: {total['taken_over']}"
        )
    lines += [f"  not compared: {number} × {why}" for why, number in sorted(total["left_out"].items(), key=lambda item: -item[1])]
    lines += _speed("a log call, all but the writing", total["timed_calls"], *total["call_ns"])
    lines += _speed("a text, where the call could not be compared as a whole", total["timed_texts"], *total["text_ns"])
    return "\n".join(lines) + "\n"


def _many(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _speed(what: str, number: int, stdlib: int, femtolog: int) -> list[str]:
    if not number or not femtolog:
        return []
    times = f"{stdlib / number / 1000:.1f} µs by the standard library, {femtolog / number / 1000:.1f} µs by femtolog"
    return [f"  {what}: {times}, {stdlib / femtolog:.1f} times as fast"]


def _report_at_exit(owner: int, folder: str) -> None:
    if os.getpid() != owner:  # a forked child that runs the functions of its parent
        return
    total = collect(folder)
    _remove(folder)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if sys.stderr is not None:
        sys.stderr.write(report(total))
        sys.stderr.flush()
    if total["differences"]:
        os._exit(1)  # there is no other way to change the status from here


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


# -- what is observed ---------------------------------------------------------------------------------------------------------

_context: contextvars.ContextVar[_Call | _Emission | None] = contextvars.ContextVar("femtolog-shadow", default=None)


def _now() -> tuple[_Call | None, _Emission | None]:
    """The log call and the emission that this code runs in."""
    inner = _context.get()
    if isinstance(inner, _Emission):
        return inner.call, inner
    return inner, None


class _Enabled:
    """`Logger.isEnabledFor`, when it works an answer out and does not just look it up."""

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self.logger, self.level = logger, level

    def after(self, result: Any, error: BaseException | None) -> None:
        try:
            if error is None:
                answer = _Found.native.call_native("Logger.isEnabledFor", (_logger_copy(self.logger, {}), self.level))
                if answer is not result:
                    _Found.differ(
                        what=f"isEnabledFor({self.level})",
                        where=f"logger {self.logger.name!r}",
                        stdlib=repr(result),
                        femtolog=repr(answer),
                    )
        except Exception as failure:  # noqa: BLE001
            _Found.fail(failure)


def _enabled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Enabled | None:
    if len(args) != 2 or kwargs:
        return None
    logger, level = args
    runs = _Found.native.runs
    if type(level) is not int or not _has_plain_attributes(logger) or level in getattr(logger, "_cache", ()) or logger.disabled:
        return None
    above: Any = logger
    while above is not None:  # the levels are asked for in place; nothing of the program's may run for it
        if runs(above, "getEffectiveLevel") is None or type(above.level) is not int:
            return None
        above = above.parent
    return _Enabled(logger, level)


def _handled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """`Logger.handle`: by a log call, or of a record from elsewhere (a socket, a queue)."""
    call, emission = _now()
    record = args[1] if len(args) > 1 else kwargs.get("record")
    if call is not None and emission is None and call.record is None:
        call.record = record
    else:
        _Found.add(records=1)


class _Call:
    """One `Logger._log`."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self.outer = _context.get()
        self.record: Any = None
        self.emissions: list[_Emission] = []
        self.text_ns = [0, 0]
        self.texts = 0
        _become_internal(sys.modules["logging"]._srcfile)
        _context.set(self)

    # This function and `_again` are on the stack when the native tier looks for the caller; `_become_internal` makes them look
    # like logging's own, which both tiers pass over.
    def after(self, result: Any, error: BaseException | None) -> None:  # noqa: ARG002
        _context.set(self.outer)
        try:
            _Found.add(records=1)
            if error is not None or self.record is None or not self._again():
                total = _Found.counts["text_ns"]
                with _Found.lock:
                    total[0] += self.text_ns[0]
                    total[1] += self.text_ns[1]
                _Found.add(timed_texts=self.texts)
            _Found.save()
        except Exception as failure:  # noqa: BLE001
            _Found.fail(failure)

    def _again(self) -> bool:
        """The same call on copies of the logger and its handlers, natively and then by the interpreter. False: it cannot be."""
        plan = _plan(self)
        if plan is None:
            return False
        logger, streams, args, kwargs = plan
        native, reference = _Found.native.call_native, _Found.native.call_reference
        moment = _nanoseconds(self.record)
        everything = (logger, *args)
        spent = [0, 0]
        # The second one finds caches warm: they take turns.
        for which in (1, 0) if _Found.counts["whole_calls"] % 2 else (0, 1):
            begin = _clock()
            if which:
                native("Logger._log", everything, kwargs, moment)
                spent[1] = _clock() - begin
                _compare_calls(self, streams)
            else:
                reference("Logger._log", everything, kwargs)
                spent[0] = _clock() - begin
                for _, stream in streams:
                    stream.seek(0)
                    stream.truncate()
        if _Found.counts["whole_calls"]:  # the first one pays for what is made once in a process
            _Found.add(timed_calls=1)
            _Found.time(_Found.counts["call_ns"], *spent)
        _Found.add(whole_calls=1)
        return True


class _Emission:
    """One `Handler.handle`: what its formatter made is compared by `_Text`, which leaves the last text here."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:  # noqa: ARG002
        self.handler = args[0]
        self.outer = _context.get()
        self.call = self.outer if isinstance(self.outer, _Call) else None
        self.text: str | None = None
        self.formatted = False
        _context.set(self)

    def after(self, result: Any, error: BaseException | None) -> None:
        _context.set(self.outer)
        try:
            if error is None and not result:
                return  # a filter dropped it
            if self.call is not None:
                self.call.emissions.append(self)
            if not self.formatted:
                _Found.leave_out(_why_no_text(self.handler))
            if self.call is None:
                _Found.save()
        except Exception as failure:  # noqa: BLE001
            _Found.fail(failure)


class _Text:
    """One `Formatter.format`."""

    def __init__(self, formatter: Any, record: Any, copy: Any, again: Any, taken_over: bool) -> None:
        self.formatter, self.record, self.copy, self.again, self.taken_over = formatter, record, copy, again, taken_over
        self.call, self.emission = _now()

    def after(self, result: Any, error: BaseException | None) -> None:
        try:
            self._compare(result, error)
        except Exception as failure:  # noqa: BLE001
            _Found.fail(failure)

    def _compare(self, result: Any, error: BaseException | None) -> None:
        record, copy, emission = self.record, self.copy, self.emission
        if emission is not None:
            emission.text = result if error is None else None
        if copy is None:
            return
        native, reference = _Found.native.call_native, _Found.native.call_reference
        if self.taken_over and not self._take_over(record, copy):
            _Found.leave_out("the message takes code of the program, which failed")
            return
        begin = _clock()
        try:
            answer = native("Formatter.format", (self.formatter, copy))
        except Exception as failure:  # noqa: BLE001 - the same one is expected
            answer = failure
        middle = _clock()
        ours, theirs = _outcome(answer), _outcome(error if error is not None else result)
        if ours == theirs and error is None:
            for name in ("message", "asctime", "exc_text"):
                mine, real = vars(copy).get(name), vars(record).get(name)
                if mine != real:
                    ours, theirs = f"record.{name} = {mine!r}", f"record.{name} = {real!r}"
                    break
        _Found.add(texts=1, taken_over=int(self.taken_over))
        if ours != theirs:
            _Found.differ(what=self._who(), where=_place(record), stdlib=theirs, femtolog=ours)
        if error is None:
            start_again = _clock()
            reference("Formatter.format", (self.formatter, self.again))
            end = _clock()
            if self.call is not None:  # counts only if the call cannot be made again as a whole
                self.call.texts += 1
                _Found.time(self.call.text_ns, end - start_again, middle - begin)
            else:
                _Found.add(timed_texts=1)
                _Found.time(_Found.counts["text_ns"], end - start_again, middle - begin)

    def _take_over(self, record: Any, copy: Any) -> bool:
        """Give the copies what the program's own code made of the message and the exception."""
        made = vars(record)
        if "message" not in made:
            return False
        for one in (copy, self.again):
            if not _is_plain((one.msg, one.args)):
                one.msg, one.args = made["message"], None
            if one.exc_info and not _is_plain_exception(one.exc_info):
                one.exc_text = made.get("exc_text")
        return True

    def _who(self) -> str:
        return _shown(self.emission.handler) if self.emission is not None else f"{_shown(self.formatter)}, outside of a handler"


def _text(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Text | None:
    if len(args) != 2 or kwargs:
        return None
    formatter, record = args
    emission = _now()[1]
    if emission is not None:
        emission.formatted = True
    why = _formatter_obstacle(formatter) or _record_obstacle(formatter, record)
    if why:
        _Found.leave_out(why)
        return _Text(formatter, record, None, None, False)  # its text is still what the handler writes
    foreign = not _is_plain((record.msg, record.args)) or (
        bool(record.exc_info) and not record.exc_text and not _is_plain_exception(record.exc_info)
    )
    return _Text(formatter, record, _record_copy(record), _record_copy(record), foreign)


# -- may it be done again? ----------------------------------------------------------------------------------------------------

STEPS_OF_A_FORMATTER = ("usesTime", "formatTime", "formatMessage", "formatException", "formatStack")


def _formatter_obstacle(formatter: Any) -> str:
    """Why a formatter cannot format a second time: code of the program would run. Empty: it can."""
    runs = _Found.native.runs
    if not _has_plain_attributes(formatter):
        return f"{_class(formatter)} has a lookup of attributes of its own"
    for step in STEPS_OF_A_FORMATTER:
        if runs(formatter, step) is None:
            return f"{_class(formatter)} has a {step}() of its own"
    style = formatter._style
    for step in ("usesTime", "format", "_format"):
        if runs(style, step) is None:
            return f"{_class(style)} has a {step}() of its own"
    if formatter.converter not in (time.localtime, time.gmtime):
        return f"{_class(formatter)} has a converter of its own"
    if type(formatter.datefmt) not in (str, type(None)):
        return f"{_class(formatter)} has a datefmt that is no str"
    return ""


def _record_obstacle(formatter: Any, record: Any) -> str:
    if not _has_plain_attributes(record) or not hasattr(record, "__dict__") or _Found.native.runs(record, "getMessage") is None:
        return f"{_class(record)} is a record with code of its own"
    shown = str(formatter._fmt)
    # `list`, since another thread may add an attribute meanwhile.
    for name, value in [*list(vars(record).items()), *(getattr(formatter._style, "_defaults", None) or {}).items()]:
        if name not in ("msg", "args", "exc_info") and name in shown and not _is_plain(value):
            return f"the field {name!r} shows an object of {_class(value)}, which takes code of the program"
    return ""


def _has_plain_attributes(thing: Any) -> bool:
    kind: Any = type(thing)
    return kind.__getattribute__ is object.__getattribute__ and not hasattr(type(thing), "__getattr__")


KINDS_WITHOUT_CODE = frozenset(
    {str, int, float, bool, type(None), bytes, bytearray, complex, type(Ellipsis), type(NotImplemented), range, type}
    | {FunctionType, BuiltinFunctionType}
)
KINDS_OF_THE_LIBRARY = {
    "datetime": ("date", "datetime", "time", "timedelta"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "pathlib": ("PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "uuid": ("UUID",),
    "ipaddress": ("IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"),
}
"""Classes whose texts are made by the standard library alone, as often as one likes."""
DEEPEST, MOST = 6, 10_000


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Does str() or repr() of this run no code of the program's?"""
    kind: Any = type(value)
    if kind in KINDS_WITHOUT_CODE:
        return True
    if depth > DEEPEST:
        return False
    if kind in (tuple, list, set, frozenset):
        return len(value) <= MOST and all(_is_plain(item, depth + 1) for item in list(value))
    if kind is dict:
        return len(value) <= MOST and all(_is_plain(item, depth + 1) for pair in list(value.items()) for item in pair)
    if issubclass(kind, BaseException):
        own = (kind.__str__, kind.__repr__, kind.__format__)
        return (
            type(own[0]) is type(own[1]) is WrapperDescriptorType
            and own[2] is object.__format__
            and _is_plain(value.args, depth + 1)
        )
    for module, names in KINDS_OF_THE_LIBRARY.items():
        if kind.__name__ in names and getattr(sys.modules.get(module), kind.__name__, None) is kind:
            return True
    return False


def _is_plain_exception(exc_info: Any) -> bool:
    """Does rendering this exception, its causes and its notes run no code of the program's?"""
    if not (isinstance(exc_info, tuple) and len(exc_info) == 3):
        return False
    seen: set[int] = set()
    waiting: list[Any] = [exc_info[1]]
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        if (
            not _is_plain(error)
            or type(getattr(error, "__notes__", [])) is not list
            or not _is_plain(getattr(error, "__notes__", []))
        ):
            return False
        waiting += [error.__cause__, error.__context__, *(error.exceptions if isinstance(error, BaseExceptionGroup) else ())]
    return True


EMITS_OF_STREAMS = frozenset({"StreamHandler.emit", "FileHandler.emit", "BaseRotatingHandler.emit", "WatchedFileHandler.emit"})


def _plan(call: _Call) -> tuple[logging.Logger, list[tuple[Any, io.StringIO]], tuple[Any, ...], dict[str, Any]] | None:
    """What is needed to make the call again: a copy of its loggers, the streams of its copied handlers, its arguments.

    None if the way of the record has code of the program's on it: then a real run shows that code a record made before, and what is
    done with it is compared text by text.
    """
    logging_ = sys.modules["logging"]
    runs = _Found.native.runs
    logger, record = call.args[0], call.record
    if type(record) is not logging_.LogRecord or logging_._logRecordFactory is not logging_.LogRecord or not logging_._srcfile:
        return None
    if (
        runs(record, "getMessage") is None
        or type(time.time) is not BuiltinFunctionType
        or type(time.time_ns) is not BuiltinFunctionType
    ):
        return None
    for method in ("findCaller", "makeRecord", "handle", "filter", "callHandlers"):
        if runs(logger, method) is None:
            return None
    if type(logger.name) is not str or not _plain_filters(logger):
        return None
    way = _copied_way(logger)
    arguments = None if way is None else _arguments(call)
    if way is None or arguments is None:
        return None
    for emission in call.emissions:  # what was written is known for each of them
        if emission.text is None:
            return None
    return (*way, *arguments)


def _copied_way(logger: Any) -> tuple[logging.Logger, list[tuple[Any, io.StringIO]]] | None:
    """A copy of a logger and those above it, with copies of their handlers. None if the program has code there."""
    logging_ = sys.modules["logging"]
    streams: list[tuple[Any, io.StringIO]] = []
    copied: list[Any] = []
    above = logger
    found = 0
    while above is not None:
        handlers = []
        for handler in above.handlers:
            found += 1
            copy = _handler_copy(handler, streams)
            if copy is None:
                return None
            handlers.append(copy)
        one = _logger_copy(above, {"handlers": handlers, "parent": None})
        if copied:
            copied[-1].parent = one
        copied.append(one)
        above = above.parent if above.propagate else None
    if not found:
        # A copy on the last logger, for the real one would write to stderr.
        copy = None if logging_.lastResort is None else _handler_copy(logging_.lastResort, streams)
        if copy is None:
            return None
        copied[-1].handlers.append(copy)
    return copied[0], streams


def _logger_copy(logger: Any, changes: dict[str, Any]) -> logging.Logger:
    """A logger nobody knows. Its attributes are set in the order of `Logger.__init__`, so that it is read as quickly."""
    copy: Any = object.__new__(sys.modules["logging"].Logger)
    copy.filters = list(logger.filters)
    copy.name = logger.name
    copy.level = logger.level
    copy.parent = changes.get("parent", logger.parent)
    copy.propagate = logger.propagate
    copy.handlers = changes.get("handlers", [])
    copy.disabled = logger.disabled
    copy._cache = {}
    return copy  # type: ignore[no-any-return]


def _handler_copy(handler: Any, streams: list[tuple[Any, io.StringIO]]) -> Any:
    """A handler that nobody knows and that writes to a stream of ours; None if that cannot be told from outside."""
    logging_ = sys.modules["logging"]
    runs = _Found.native.runs
    if runs(handler, "handle") == "NullHandler.handle":
        return handler
    if (
        runs(handler, "handle") != "Handler.handle"
        or runs(handler, "emit") not in EMITS_OF_STREAMS
        or any(runs(handler, method) is None for method in ("format", "filter", "acquire", "release"))
        or not _plain_filters(handler)
        or type(handler.level) is not int
    ):
        return None
    formatter = handler.formatter
    if formatter is not None and (runs(formatter, "format") is None or _formatter_obstacle(formatter)):
        return None
    if type(handler.terminator) is not str:
        return None
    copy = object.__new__(logging_.StreamHandler)
    copy.filters = list(handler.filters)
    copy._name = None
    copy.level = handler.level
    copy.formatter = formatter
    if sys.version_info >= (3, 12):
        copy._closed = False
    copy.lock = RLock()
    copy.stream = io.StringIO()
    if handler.terminator != "\n":
        copy.terminator = handler.terminator
    streams.append((handler, copy.stream))
    return copy


def _plain_filters(owner: Any) -> bool:
    filter_class = sys.modules["logging"].Filter
    return all(type(one) is filter_class and _Found.native.runs(one, "filter") for one in owner.filters)


def _arguments(call: _Call) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Arguments for `Logger._log` that run no code of the program's."""
    record = call.record
    names = ("level", "msg", "args", "exc_info", "extra", "stack_info", "stacklevel")
    given = dict(zip(names, call.args[1:], strict=False)) | call.kwargs
    if not given.keys() <= set(names) or not {"level", "msg", "args"} <= given.keys():
        return None
    if not _is_plain((given["msg"], given["args"])):
        if "message" not in vars(record):
            return None
        given["msg"], given["args"] = vars(record)["message"], ()
    if record.exc_info and not _is_plain_exception(record.exc_info):
        return None
    extra = given.get("extra")
    if extra is not None and type(extra) is not dict:
        return None
    for emission in call.emissions:
        formatter = emission.handler.formatter or sys.modules["logging"]._defaultFormatter
        if _record_obstacle(formatter, record):
            return None
    if record.exc_info and given.get("exc_info") is not None:
        given["exc_info"] = record.exc_info  # True, or an exception, became this
    return (given.pop("level"), given.pop("msg"), given.pop("args")), given


def _compare_calls(call: _Call, streams: list[tuple[Any, io.StringIO]]) -> None:
    expected: dict[int, str] = {}
    for emission in call.emissions:
        handler = emission.handler
        key = id(handler)
        expected[key] = expected.get(key, "") + f"{emission.text}{handler.terminator}"
    written: dict[int, str] = {}
    for handler, stream in streams:
        written[id(handler)] = written.get(id(handler), "") + stream.getvalue()
    for handler, _ in streams:
        theirs, ours = expected.pop(id(handler), ""), written.pop(id(handler), "")
        if ours != theirs:
            what = f"{_shown(handler)}, a whole call"
            _Found.differ(what=what, where=_place(call.record), stdlib=repr(theirs), femtolog=repr(ours))


# -- small things -------------------------------------------------------------------------------------------------------------


def _record_copy(record: Any) -> Any:
    copy = object.__new__(type(record))
    for name, value in list(vars(record).items()):  # one by one: a record with a dict of its own would be slower than a real one
        setattr(copy, name, value)
    return copy


def _nanoseconds(record: Any) -> int:
    """The reading of the clock that gave the record its times."""
    if sys.version_info >= (3, 13):
        return int(round(record.relativeCreated * 1e6) + sys.modules["logging"]._startTime)
    # The whole nanosecond next to the float; dividing it again gives the float.
    numerator, denominator = record.created.as_integer_ratio()
    return int((numerator * 2_000_000_000 + denominator) // (2 * denominator))


def _outcome(result: Any) -> str:
    return f"{type(result).__name__}: {result}" if isinstance(result, BaseException) else repr(result)


def _place(record: Any) -> str:
    values = vars(record)
    where = f"{values.get('pathname')}:{values.get('lineno')} in {values.get('funcName')}"
    return f"{where}, logger {values.get('name')!r}"


def _class(thing: Any) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _shown(thing: Any) -> str:
    try:
        return repr(thing)
    except Exception:  # noqa: BLE001 - only to be shown
        return object.__repr__(thing)


def _why_no_text(handler: Any) -> str:
    runs = _Found.native.runs
    emit = runs(handler, "emit")
    if emit == "BufferingHandler.emit":
        return f"{_class(handler)} keeps the record; what its target makes of it is compared there"
    if emit is None:
        return f"{_class(handler)} has an emit() of its own, which does not call Formatter.format()"
    if runs(handler, "format") is None:
        return f"{_class(handler)} has a format() of its own"
    formatter = handler.formatter
    if formatter is not None and runs(formatter, "format") is None:
        return f"{_class(formatter)} has a format() of its own, which does not call Formatter.format()"
    return f"{_class(handler)} did not format it"


def _become_internal(source: str) -> None:
    """Let the frames that call the native tier look like logging's own."""
    if source and _Call.after.__code__.co_filename != source:
        for function in (_Call.after, _Call._again):
            function.__code__ = function.__code__.replace(co_filename=source)


# -- the command --------------------------------------------------------------------------------------------------------------

USAGE = """\
usage: python -m femtolog shadow [--json] [--output FILE] [option] ... [-c cmd | -m mod | file] [arg] ...

Runs the program on the standard library's logging, and every record also through femtolog, and compares. The report goes to stderr,
or to FILE. Exit status: 1 if there are differences, otherwise the program's.
"""


def main(arguments: list[str]) -> None:
    """Run a program in shadow mode and say what came of it."""
    import subprocess

    from femtolog_compat import run

    as_json = False
    output = None
    while arguments and arguments[0] in ("--json", "--output"):
        if arguments.pop(0) == "--json":
            as_json = True
        elif arguments:
            output = arguments.pop(0)
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(USAGE)
        sys.exit(0 if arguments else 2)
    load()  # an ImportError belongs to this command line
    folder = tempfile.mkdtemp(prefix="femtolog-shadow-")
    try:
        command = run.command(arguments)
        with _signals_passed_on() as child:
            child.process = process = subprocess.Popen(command, env=os.environ | {FOLDER: folder, "FEMTOLOG": "shadow"})
            status = process.wait()
        total = collect(folder)
    finally:
        _remove(folder)
    text = json.dumps(total, indent=2) + "\n" if as_json else report(total)
    if output is None:
        sys.stderr.write(text)
    else:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
    sys.exit(1 if total["differences"] else 128 - status if status < 0 else status)


class _signals_passed_on:  # noqa: N801 - used as a function
    """A terminal sends its signals to the program as well; one sent to this process alone is passed on."""

    process: Any = None

    def __enter__(self) -> Self:
        import signal

        signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the program would inherit
        for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._pass_on)
        return self

    def __exit__(self, *_: object) -> None: ...

    def _pass_on(self, number: int, _frame: object) -> None:
        if self.process is not None:
            self.process.send_signal(number)
