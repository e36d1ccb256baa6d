"""The standard library's file handlers with options that its signatures have no room for.

Each takes the arguments of the class of its name in `logging` or `logging.handlers`, is a subclass of it, and without an option does exactly
what that does, as natively. Importing this installs nothing.
"""

from __future__ import annotations

import logging
import logging.handlers

from femtolog.errors import HandlerConfigError
from femtolog.files import _managed, _rotating
from femtolog.files._settings import Settings
from femtolog.files._steady import Steady

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    import os
    from typing import Any, Unpack

    from femtolog.files._settings import Options, RotatingOptions

    _Path = str | os.PathLike[str]

__all__ = ["FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler"]


class _File(logging.FileHandler):
    """What the three have beside the standard library's methods."""

    def stats(self) -> dict[str, Any]:
        """What became of the records: emitted = written + failed + in_flight (which wait); asynchronous ones may be dropped, too.

        Of those that `failed`, which are counted by error in `failed_by`, the fallback has got `fallback`. HandlerConfigError for a handler
        without an option, which keeps no account.

        Examples:
            >>> from femtolog.files import FileHandler
            >>> handler = FileHandler("app.log", buffering=65536)
            >>> handler.stats()
            {'emitted': 0, 'written': 0, 'failed': 0, 'fallback': 0, 'in_flight': 0, 'failed_by': {}}
            >>> handler.close()
        """
        if isinstance(self, _managed.Managed):
            return self._account()
        raise HandlerConfigError(f"{self!r} keeps no account: it has none of the options")


def _begin(handler: logging.FileHandler, kind: type[_managed.Managed], options: Options) -> Settings:
    settings = Settings(**options)
    if settings.keeps() and kind is _managed.Managed:
        raise HandlerConfigError(
            f"compression, retention and archive_dir are for handlers that rotate, not {type(handler).__name__}"
        )
    if settings.any_but_enqueue():
        _managed.take_over(handler, kind, settings)
    elif settings.enqueue is not False:
        # Many lines with one call of native code, where a file does not rotate.
        _managed.take_over(handler, Steady if kind is _managed.Managed else kind, settings)
    return settings


def _finish(handler: logging.FileHandler, settings: Settings) -> None:
    try:
        if isinstance(handler, Steady):
            handler._prepare()  # noqa: SLF001
            _managed.enlist(handler)
        if settings.enqueue is not False:
            from femtolog import enqueue

            enqueue(handler, **({} if settings.enqueue is True else settings.enqueue))
    except BaseException:
        handler.close()
        raise


class FileHandler(_File):
    """logging.FileHandler with options: see the reference page "Files".

    Examples:
        >>> import logging
        >>> from femtolog.files import FileHandler
        >>> log = logging.Logger("app")
        >>> log.addHandler(handler := FileHandler("waits.log", buffering=65536))
        >>> log.info("waits for more"), open("waits.log").read()
        (None, '')
        >>> log.error("at once"), open("waits.log").read()
        (None, 'waits for more\\nat once\\n')
        >>> handler.close()
    """

    def __init__(
        self,
        filename: _Path,
        mode: str = "a",
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        settings = _begin(self, _managed.Managed, options)
        super().__init__(filename, mode, encoding, delay, errors)
        _finish(self, settings)


class RotatingFileHandler(_File, logging.handlers.RotatingFileHandler):
    """logging.handlers.RotatingFileHandler with options: see the reference page "Files".

    With options `maxBytes` counts bytes, not characters.

    Examples:
        >>> from femtolog.files import RotatingFileHandler
        >>> handler = RotatingFileHandler("app.log", maxBytes=1_000_000, backupCount=5, enqueue=True)
        >>> handler.flush(timeout=5)  # it is written and rotated by another thread
        True
        >>> handler.close()
    """

    def __init__(  # noqa: PLR0917 (the stdlib's)
        self,
        filename: _Path,
        mode: str = "a",
        maxBytes: int = 0,  # noqa: N803 (the stdlib's name)
        backupCount: int = 0,  # noqa: N803 (the stdlib's name)
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
        **options: Unpack[RotatingOptions],
    ) -> None:
        settings = _begin(self, _rotating.BySize, options)
        logging.handlers.RotatingFileHandler.__init__(self, filename, mode, maxBytes, backupCount, encoding, delay, errors)
        _finish(self, settings)


class TimedRotatingFileHandler(_File, logging.handlers.TimedRotatingFileHandler):
    """logging.handlers.TimedRotatingFileHandler with options: see the reference page "Files".

    Examples:
        >>> from femtolog.files import TimedRotatingFileHandler
        >>> handler = TimedRotatingFileHandler("app.log", when="midnight", backupCount=14, fsync=True)
        >>> handler.close()
    """

    def __init__(  # noqa: PLR0917 (the stdlib's)
        self,
        filename: _Path,
        when: str = "h",
        interval: int = 1,
        backupCount: int = 0,  # noqa: N803 (the stdlib's name)
        encoding: str | None = None,
        delay: bool = False,
        utc: bool = False,
        atTime: datetime.time | None = None,  # noqa: N803 (the stdlib's name)
        errors: str | None = None,
        **options: Unpack[RotatingOptions],
    ) -> None:
        settings = _begin(self, _rotating.ByTime, options)
        timed = logging.handlers.TimedRotatingFileHandler
        timed.__init__(self, filename, when, interval, backupCount, encoding, delay, utc, atTime, errors)
        _finish(self, settings)
