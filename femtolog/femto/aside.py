"""Where the records of a handler go while its peer is away: to a spool on disk, to be sent later, or to a fallback."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import traceback
import weakref

from femtolog._enqueue import SPILL_MAX
from femtolog._green import refuse
from femtolog.errors import HandlerConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from femtolog._native import PeerSender
    from femtolog._spill import Place

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
"""What stands in the file that a fallback is."""


class Aside:
    """The options of a handler for that, checked, and the thread that gives the fallback what it is to have: records that `read` makes of
    what was to be sent. `read` must not hold the handler."""

    def __init__(
        self,
        fallback: logging.Handler | str | os.PathLike[str] | None,
        replay: bool,
        spool_dir: str | os.PathLike[str] | None,
        spool_max: str | int,
        policy: str,
        *,
        read: Callable[[bytes], logging.LogRecord],
    ) -> None:
        self.place: Place | None = None
        if replay:
            from femtolog._spill import Place

            if spool_dir is None:
                raise HandlerConfigError("spool_dir must be a directory with replay=True, got None")
            if policy != "drop":
                raise HandlerConfigError(
                    f"policy must be left alone with replay=True, which keeps what has no room, got {policy!r}"
                )
            self.place = Place("spool", spool_dir, spool_max)
        elif spool_dir is not None or spool_max != SPILL_MAX:
            raise HandlerConfigError(f"replay must be True with spool_dir and spool_max, got {replay!r}")
        if not isinstance(fallback, logging.Handler | str | os.PathLike | None):
            raise TypeError(f"fallback must be a logging.Handler or a path, got {fallback!r}")
        if fallback is not None:
            refuse("fallback=")  # its thread waits for what the sender gives it
        self.owned: logging.Handler | None = None
        if isinstance(fallback, str | os.PathLike):
            self.owned = fallback = logging.FileHandler(fallback, encoding="utf-8", delay=True)
            fallback.setFormatter(logging.Formatter(FORMAT))
        self.fallback: logging.Handler | None = fallback
        self.read = read
        self.thread: threading.Thread | None = None
        self.turn = _Turn()

    def spool(self) -> tuple[str, int] | None:
        """As a PeerSender takes it."""
        return None if self.place is None else (self.place.dir, self.place.size)

    def is_used(self) -> bool:
        """Is there anywhere to go?"""
        return self.place is not None or self.fallback is not None

    def begin(self, handler: logging.Handler, sender: PeerSender) -> None:
        """Opens the spool."""
        if self.place is not None:
            self.place.claim(handler, _closed(handler), sender.open_spool)
        self.watch(handler, sender)

    def watch(self, handler: logging.Handler, sender: PeerSender) -> None:
        """There is no thread yet, which ends with the handler: at the beginning, and in a forked child."""
        self.thread, self.turn = None, _Turn()
        if self.fallback is not None:
            weakref.finalize(handler, sender.end).atexit = False

    def start(self, sender: PeerSender) -> None:
        """Starts the thread if there is work for one."""
        if self.fallback is None or self.thread is not None:
            return
        thread = self.thread = threading.Thread(
            target=_serve, args=(sender, self.fallback, self.read, self.turn), name="femtolog-fallback", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is about to end and starts no threads any more: end() does it.
            self.thread = None

    def end(self, handler: logging.Handler, sender: PeerSender, timeout: float) -> None:
        """The sender is closed: gives the fallback the rest. What it has not got after so many seconds it does not get: that is counted and told."""
        if self.fallback is None:
            return
        if self.thread is None:
            _serve(sender, self.fallback, self.read, self.turn)
        elif self.thread is not threading.current_thread():
            if not self.turn.given_up:
                self.thread.join(timeout)
            if self.thread.is_alive():
                lost = self.turn.give_up(sender)
                if lost and logging.raiseExceptions and sys.stderr is not None:
                    with contextlib.suppress(OSError, ValueError):
                        sys.stderr.write(
                            f"femtolog: {handler!r} has waited {timeout:g} s for its fallback: {lost} records were not written to it\n"
                        )
                return  # who is in it may have its lock
        if self.owned is not None:
            self.owned.close()


class _Turn:
    """What the thread, and who gives up waiting for it, know of one another."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.in_hand = 0  # payloads that were taken, and are not reported yet
        self.given_up = False
        self.lost = 0
        """So many records the fallback has not got, because somebody has given up."""

    def take(self, sender: PeerSender) -> list[bytes]:
        """The next payloads, which are in hand then; none: there will be no more, or they are somebody else's."""
        payloads = sender.take_for_fallback()
        with self.lock:
            if self.given_up:
                self._lose(sender, len(payloads))
                return []
            self.in_hand = len(payloads)
        return payloads

    def report(self, sender: PeerSender, written: bool) -> bool:
        """What has become of the oldest in hand. False: it and all others are counted as lost already."""
        with self.lock:
            if self.given_up:
                return False
            self.in_hand -= 1
            sender.fallback_has(written)
            return True

    def give_up(self, sender: PeerSender) -> int:
        """The closed sender's records that are left are lost to the fallback, the one that is being written included: how many. Once."""
        with self.lock:
            if self.given_up:
                return 0
            self.given_up = True
            self._lose(sender, self.in_hand)
            while left := len(sender.take_for_fallback()):
                self._lose(sender, left)
            return self.lost

    def _lose(self, sender: PeerSender, count: int) -> None:
        self.lost += count
        for _ in range(count):
            sender.fallback_has(False)


def _closed(handler: logging.Handler) -> Callable[[], bool]:
    ref = weakref.ref(handler)

    def is_closed() -> bool:
        alive: Any = ref()
        return alive is None or bool(alive._sender.is_closed())  # noqa: SLF001

    return is_closed


def _serve(sender: PeerSender, fallback: logging.Handler, read: Callable[[bytes], logging.LogRecord], turn: _Turn) -> None:
    """Gives the fallback what is for it, until there is no more, or nobody waits for it any longer."""
    while payloads := turn.take(sender):
        for payload in payloads:
            written = False
            try:
                record = read(payload)
                if record.levelno >= fallback.level:
                    fallback.handle(record)
                written = True
            except Exception:  # noqa: BLE001 - a filter or a handler of the program's; the next record must not suffer
                if logging.raiseExceptions:
                    with contextlib.suppress(OSError, ValueError):
                        traceback.print_exc()
            finally:
                goes_on = turn.report(sender, written)
            if not goes_on:
                return
