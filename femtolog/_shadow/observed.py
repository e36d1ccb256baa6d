"""What is observed of logging while the program runs, and compared: before and after a body of the interpreter's own."""

from __future__ import annotations

import contextvars
import sys

from femtolog._shadow.again import logger_copy, nanoseconds, plan
from femtolog._shadow.found import Found, clock
from femtolog._shadow.plain import (
    formatter_obstacle,
    has_plain_attributes,
    is_plain,
    is_plain_exception,
    record_obstacle,
    why_no_text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    import logging
    from collections.abc import Callable
    from typing import Any

_context: contextvars.ContextVar[Call | Emission | None] = contextvars.ContextVar("femtolog-shadow", default=None)


def _now() -> tuple[Call | None, Emission | None]:
    """The log call and the emission that this code runs in."""
    inner = _context.get()
    if isinstance(inner, Emission):
        return inner.call, inner
    return inner, None


class Enabled:
    """`Logger.isEnabledFor`, when it works an answer out and does not just look it up."""

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self.logger, self.level = logger, level

    def after(self, result: Any, error: BaseException | None) -> None:
        try:
            if error is None:
                answer = Found.native.call_native("Logger.isEnabledFor", (logger_copy(self.logger, {}), self.level))
                if answer is not result:
                    Found.differ(
                        what=f"isEnabledFor({self.level})",
                        where=f"logger {self.logger.name!r}",
                        stdlib=repr(result),
                        femtolog=repr(answer),
                    )
        except Exception as failure:  # noqa: BLE001
            Found.fail(failure)


def _enabled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Enabled | None:
    if len(args) != 2 or kwargs:
        return None
    logger, level = args
    runs = Found.native.runs
    if type(level) is not int or not has_plain_attributes(logger) or level in getattr(logger, "_cache", ()) or logger.disabled:
        return None
    above: Any = logger
    while above is not None:  # the levels are asked for in place; nothing of the program's may run for it
        if runs(above, "getEffectiveLevel") is None or type(above.level) is not int:
            return None
        above = above.parent
    return Enabled(logger, level)


def _handled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """`Logger.handle`: by a log call, or of a record from elsewhere (a socket, a queue)."""
    call, emission = _now()
    record = args[1] if len(args) > 1 else kwargs.get("record")
    if call is not None and emission is None and call.record is None:
        call.record = record
    else:
        Found.add(records=1)


class Call:
    """One `Logger._log`."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self.outer = _context.get()
        self.record: Any = None
        self.emissions: list[Emission] = []
        self.text_ns = [0, 0]
        self.texts = 0
        _become_internal(sys.modules["logging"]._srcfile)
        _context.set(self)

    # This function and `_again` are on the stack when the native tier looks for the caller; `_become_internal` makes them look
    # like logging's own, which both tiers pass over, and coverage, too.
    def after(self, result: Any, error: BaseException | None) -> None:  # noqa: ARG002  # pragma: no cover
        _context.set(self.outer)
        try:
            Found.add(records=1)
            if error is not None or self.record is None or not self._again():
                total = Found.counts["text_ns"]
                with Found.lock:
                    total[0] += self.text_ns[0]
                    total[1] += self.text_ns[1]
                Found.add(timed_texts=self.texts)
            Found.save()
        except Exception as failure:  # noqa: BLE001
            Found.fail(failure)

    def _again(self) -> bool:  # pragma: no cover
        """The same call on copies of the logger and its handlers, natively and then by the interpreter. False: it cannot be."""
        planned = plan(self)
        if planned is None:
            return False
        logger, streams, args, kwargs = planned
        native, reference = Found.native.call_native, Found.native.call_reference
        moment = nanoseconds(self.record)
        everything = (logger, *args)
        spent = [0, 0]
        # The second one finds caches warm: they take turns.
        for which in (1, 0) if Found.counts["whole_calls"] % 2 else (0, 1):
            begin = clock()
            if which:
                native("Logger._log", everything, kwargs, moment)
                spent[1] = clock() - begin
                _compare_calls(self, streams)
            else:
                reference("Logger._log", everything, kwargs)
                spent[0] = clock() - begin
                for _, stream in streams:
                    stream.seek(0)
                    stream.truncate()
        if Found.counts["whole_calls"]:  # the first one pays for what is made once in a process
            Found.add(timed_calls=1)
            Found.time(Found.counts["call_ns"], *spent)
        Found.add(whole_calls=1)
        return True


class Emission:
    """One `Handler.handle`: what its formatter made is compared by `Text`, which leaves the last text here."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:  # noqa: ARG002
        self.handler = args[0]
        self.outer = _context.get()
        self.call = self.outer if isinstance(self.outer, Call) else None
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
                Found.leave_out(why_no_text(self.handler))
            if self.call is None:
                Found.save()
        except Exception as failure:  # noqa: BLE001
            Found.fail(failure)


class Text:
    """One `Formatter.format`."""

    def __init__(self, formatter: Any, record: Any, copy: Any, again: Any, taken_over: bool) -> None:
        self.formatter, self.record, self.copy, self.again, self.taken_over = formatter, record, copy, again, taken_over
        self.call, self.emission = _now()

    def after(self, result: Any, error: BaseException | None) -> None:
        try:
            self._compare(result, error)
        except Exception as failure:  # noqa: BLE001
            Found.fail(failure)

    def _compare(self, result: Any, error: BaseException | None) -> None:
        record, copy, emission = self.record, self.copy, self.emission
        if emission is not None:
            emission.text = result if error is None else None
        if copy is None:
            return
        native, reference = Found.native.call_native, Found.native.call_reference
        if self.taken_over and not self._take_over(record, copy):
            Found.leave_out("the message takes code of the program, which failed")
            return
        begin = clock()
        try:
            answer = native("Formatter.format", (self.formatter, copy))
        except Exception as failure:  # noqa: BLE001 - the same one is expected
            answer = failure
        middle = clock()
        ours, theirs = _outcome(answer), _outcome(error if error is not None else result)
        if ours == theirs and error is None:
            for name in ("message", "asctime", "exc_text"):
                mine, real = vars(copy).get(name), vars(record).get(name)
                if mine != real:
                    ours, theirs = f"record.{name} = {mine!r}", f"record.{name} = {real!r}"
                    break
        Found.add(texts=1, taken_over=int(self.taken_over))
        if ours != theirs:
            Found.differ(what=self._who(), where=_place(record), stdlib=theirs, femtolog=ours)
        if error is None:
            start_again = clock()
            reference("Formatter.format", (self.formatter, self.again))
            end = clock()
            if self.call is not None:  # counts only if the call cannot be made again as a whole
                self.call.texts += 1
                Found.time(self.call.text_ns, end - start_again, middle - begin)
            else:
                Found.add(timed_texts=1)
                Found.time(Found.counts["text_ns"], end - start_again, middle - begin)

    def _take_over(self, record: Any, copy: Any) -> bool:
        """Give the copies what the program's own code made of the message and the exception."""
        made = vars(record)
        if "message" not in made:
            return False
        for one in (copy, self.again):
            if not is_plain((one.msg, one.args)):
                one.msg, one.args = made["message"], None
            if one.exc_info and not is_plain_exception(one.exc_info):
                one.exc_text = made.get("exc_text")
        return True

    def _who(self) -> str:
        return _shown(self.emission.handler) if self.emission is not None else f"{_shown(self.formatter)}, outside of a handler"


def _text(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Text | None:
    if len(args) != 2 or kwargs:
        return None
    formatter, record = args
    emission = _now()[1]
    if emission is not None:
        emission.formatted = True
    why = formatter_obstacle(formatter) or record_obstacle(formatter, record)
    if why:
        Found.leave_out(why)
        return Text(formatter, record, None, None, False)  # its text is still what the handler writes
    foreign = not is_plain((record.msg, record.args)) or (
        bool(record.exc_info) and not record.exc_text and not is_plain_exception(record.exc_info)
    )
    return Text(formatter, record, _record_copy(record), _record_copy(record), foreign)


def _compare_calls(call: Call, streams: list[tuple[Any, io.StringIO]]) -> None:
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
            Found.differ(what=what, where=_place(call.record), stdlib=repr(theirs), femtolog=repr(ours))


def _record_copy(record: Any) -> Any:
    copy = object.__new__(type(record))
    for name, value in list(vars(record).items()):  # one by one: a record with a dict of its own would be slower than a real one
        setattr(copy, name, value)
    return copy


def _outcome(result: Any) -> str:
    return f"{type(result).__name__}: {result}" if isinstance(result, BaseException) else repr(result)


def _place(record: Any) -> str:
    values = vars(record)
    where = f"{values.get('pathname')}:{values.get('lineno')} in {values.get('funcName')}"
    return f"{where}, logger {values.get('name')!r}"


def _shown(thing: Any) -> str:
    try:
        return repr(thing)
    except Exception:  # noqa: BLE001 - only to be shown
        return object.__repr__(thing)


def _become_internal(source: str) -> None:
    """Let the frames that call the native tier look like logging's own."""
    if source and Call.after.__code__.co_filename != source:
        for function in (Call.after, Call._again):
            function.__code__ = function.__code__.replace(co_filename=source)


def _observer(begin: Any) -> Callable[[tuple[Any, ...], dict[str, Any]], Callable[[Any, BaseException | None], None] | None]:
    """What is called before an observed body: `begin(args, kwargs)`, whose `after` is called after it."""

    def observer(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Any, BaseException | None], None] | None:
        try:
            observation = begin(args, kwargs)
        except Exception as error:  # noqa: BLE001 - the program must not notice
            Found.fail(error)
            return None
        return None if observation is None else getattr(observation, "after", observation)

    return observer


OBSERVERS: dict[str, object] = {
    "Logger.isEnabledFor": _observer(_enabled),
    "Logger._log": _observer(Call),
    "Logger.handle": _observer(_handled),
    "Handler.handle": _observer(Emission),
    "Formatter.format": _observer(_text),
}
"""For `_native.observe`."""
