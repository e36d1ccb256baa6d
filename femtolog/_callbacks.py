"""on_error and on_drop of asynchronous handlers: called by a thread of their own, once a second at most, never by a log call or a handler's
worker; and by close().

Invariant: what is noticed takes no lock that a signal handler which logs could wait for in vain.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref

from femtolog._timetable import Timetable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from femtolog._enqueue import _Pipeline
    from femtolog._native import _Account
    from femtolog.femto.peer import PeerHandler

EVERY = 1.0
"""Seconds between two calls of a handler's callbacks."""

_teller = Timetable("femtolog-callbacks")


class Callbacks:
    """Those of one handler, and what they have been told of."""

    def __init__(self, on_error: Callable[[BaseException, int], object] | None, on_drop: Callable[[str, int], object] | None):
        for name, callback in (("on_error", on_error), ("on_drop", on_drop)):
            if callback is not None and not callable(callback):
                raise TypeError(f"{name} must be callable or None, not {type(callback).__name__}")
        self.on_error, self.on_drop = on_error, on_drop
        self.renew()

    def renew(self) -> None:
        """Nothing has happened yet: at the beginning, and in a forked child."""
        self.lock = threading.RLock()
        self.reading = self.again = False
        self.waiting = False
        self.told_at = float("-inf")  # by time.monotonic()
        self.error: BaseException | None = None
        self.failed = 0
        self.dropped: dict[str, int] = {}
        self.raised = 0  # by the callbacks

    def failure(self) -> None:
        """The worker handles an error."""
        self.error = sys.exc_info()[1] or self.error

    def notice(self, pipeline: _Pipeline) -> None:
        """There is something to tell, soon; at the end of the interpreter, when close() does."""
        if not self.waiting:
            self.waiting = True
            if not _teller.call(pipeline.look, self.told_at + EVERY):
                self.waiting = False

    def look_at(self, pipeline: _Pipeline) -> None:
        """It is time to tell, unless close() has done so meanwhile, or two threads have noticed something at once."""
        if time.monotonic() >= self.told_at + EVERY:
            self.tell(pipeline)
        elif self.waiting:
            self.waiting = False
            self.notice(pipeline)

    def tell(self, pipeline: _Pipeline) -> None:
        """Calls them for what has happened since the last time."""
        self.waiting, self.told_at = False, time.monotonic()
        self.report(pipeline.whole_account)

    def report(self, read: Callable[[], Any]) -> Any:
        """Calls them for what is new in the account, and returns that."""
        with self.lock:
            if self.reading:  # a signal handler has closed the handler meanwhile
                self.again = True
                return read()
            self.reading = True
            try:
                account = read()
                failures, self.failed = account["failed"] - self.failed, account["failed"]
                drops = {reason: count - self.dropped.get(reason, 0) for reason, count in account["dropped_by"].items()}
                self.dropped = dict(account["dropped_by"])
                error, self.error = self.error, None
                is_news = self.is_news(account)
            finally:
                self.reading = False
        if (failures > 0 or is_news) and self.on_error is not None:
            self.call(self.on_error, error if error is not None else OSError(self.reason(account)), max(0, failures))
        for reason, count in drops.items():
            if count > 0 and self.on_drop is not None:
                self.call(self.on_drop, reason, count)
        if self.again:
            self.again = False
            return self.report(read)
        return account

    def is_news(self, account: Any) -> bool:  # noqa: ARG002 - for the other class
        """Is there an error to tell of though no record has failed?"""
        return False

    def reason(self, account: Any) -> str:  # noqa: ARG002 - for the other class
        """Why records have failed where no exception says it."""
        return "the sink failed"

    def call(self, callback: Callable[..., object], *arguments: Any) -> None:
        try:
            callback(*arguments)
        except (Exception, SystemExit):  # noqa: BLE001 - nobody is there to take it
            self.raised += 1


class PeerCallbacks(Callbacks):
    """Those of a handler whose sending thread runs no Python and says nothing: while records are on their way, the account is looked at once
    a second, and once more with the next record after that."""

    def __init__(
        self,
        on_error: Callable[[BaseException, int], object] | None,
        on_drop: Callable[[str, int], object] | None,
        handler: PeerHandler,
    ):
        super().__init__(on_error, on_drop)
        self.handler = weakref.ref(handler)

    def renew(self) -> None:
        """As the other's."""
        super().renew()
        self.absences = 0

    def watch(self) -> None:
        """Looks soon; at the end of the interpreter, when close() does."""
        if not self.waiting:
            self.waiting = True
            if not _teller.call(weakref.WeakMethod(self.look), self.told_at + EVERY):
                self.waiting = False

    def look(self) -> None:
        """Tells, and goes on looking while there is something to come."""
        self.waiting = False
        if time.monotonic() < self.told_at + EVERY:
            self.watch()  # close() has told meanwhile, or two threads have asked at once
        else:
            self.tell_now()

    def tell_now(self) -> None:
        """Calls them for what has happened since the last time."""
        handler = self.handler()
        if handler is None:
            return
        sender = handler._sender  # noqa: SLF001
        self.told_at = time.monotonic()
        # In this order: a record that the account does not show yet finds that somebody is to look.
        sender.look_again_after(0.0)
        account: _Account = self.report(sender.account)
        if account["in_flight"] and not sender.is_closed():
            self.watch()

    def is_news(self, account: Any) -> bool:
        """Is the peer away for the second time in a row? A connection that it has ended, and that is made again at once, is none."""
        self.absences = self.absences + 1 if account["error"] and not account["connected"] else 0
        return self.absences == 2

    def reason(self, account: Any) -> str:
        """The error of the connection, or of the server."""
        return account["error"] or super().reason(account)
