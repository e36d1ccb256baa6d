"""A lock that one process has at a time: advisory, on a file of its own, and gone with the process."""

from __future__ import annotations

import os
import sys
import weakref

from femtolog._live import each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class FileLock:
    """A context manager; may be entered again by who has it. Not to be shared by threads. OSError if the file cannot be made."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = -1
        self._depth = 0
        _all.add(self)

    def __enter__(self) -> None:
        while not self._depth:
            if self._descriptor < 0:
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            _lock(self._descriptor)
            if self._is_at_path():
                break
            self.renew()  # somebody has removed the file: others lock another one
        self._depth += 1

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._depth -= 1
        if not self._depth:
            _unlock(self._descriptor)

    def _is_at_path(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self.path))
        except FileNotFoundError:
            return False

    def renew(self) -> None:
        """Lets go of the file: at the end, and in a forked child, which shares the lock with its parent until then."""
        descriptor, self._descriptor, self._depth = self._descriptor, -1, 0
        if descriptor >= 0:
            os.close(descriptor)


_all: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _renew_all() -> None:
    each(_all, FileLock.renew)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)

if sys.platform == "win32":
    import msvcrt
    import time

    def _lock(descriptor: int) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(0.001)
            else:
                return

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
