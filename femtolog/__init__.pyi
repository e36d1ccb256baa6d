# The names of `logging` are typeshed's, public or not; below them, femtolog's own.
from collections.abc import Callable as _Callable
from collections.abc import Mapping
from configparser import RawConfigParser
from logging import *
from logging import _STYLES as _STYLES
from logging import Filterer as Filterer
from logging import Logger as Logger
from logging import LoggerAdapter as LoggerAdapter
from logging import LogRecord as LogRecord
from logging import Manager as Manager
from logging import PercentStyle as PercentStyle
from logging import PlaceHolder as PlaceHolder
from logging import RootLogger as RootLogger
from logging import StrFormatStyle as StrFormatStyle
from logging import StringTemplateStyle as StringTemplateStyle
from logging import __all__ as __all__
from logging import _ArgsType as _ArgsType
from logging import _ExcInfoType as _ExcInfoType
from logging import _FormatStyle as _FormatStyle
from logging import _Level as _Level
from logging import _levelToName as _levelToName
from logging import _nameToLevel as _nameToLevel
from logging import _srcfile as _srcfile
from logging import _SysExcInfoType as _SysExcInfoType
from logging import currentframe as currentframe
from logging import logMultiprocessing as logMultiprocessing
from logging import logProcesses as logProcesses
from logging import logThreads as logThreads
from logging import root as root
from types import ModuleType as _ModuleType
from typing import IO, Any, Literal, TypeVar

from _typeshed import StrOrBytesPath, StrPath

from femtolog._doctor import Diagnosis as _Diagnosis
from femtolog._explain import Explanation as _Explanation
from femtolog._native import _Stats
from femtolog._watch import Watch as _Watch
from femtolog.aio import AsyncLogger as AsyncLogger
from femtolog.aio import AsyncLoggerConfig as AsyncLoggerConfig
from femtolog.aio import get_async_logger as get_async_logger
from femtolog.aio import shutdown_all_async_loggers as shutdown_all_async_loggers
from femtolog.femto.logger import FemtoLogger as _FemtoLogger
from femtolog.server import LogServer as LogServer
from femtolog_compat import install as install
from femtolog_compat import installed as installed
from femtolog_compat import is_installed as is_installed
from femtolog_compat import uninstall as uninstall

def _forward(
    module: _ModuleType,
    target_name: str,
    settings: dict[str, _Callable[[Any], None]] | None = None,
    elsewhere: dict[str, str] | None = None,
) -> None: ...

__version__: str
accelerated: bool
extra_policy: Literal["raise", "rename"]

_HandlerT = TypeVar("_HandlerT", bound=Handler)

def stats() -> _Stats: ...
def reset_stats() -> None: ...
def add_level(name: str, level: int) -> None: ...
def enqueue(
    handler: _HandlerT,
    *,
    capacity: int = 1024,
    capacity_bytes: int = 67108864,
    overflow: str = "block",
    protect_level: int = 40,
    timeout: float = 10.0,
    spill_dir: StrPath | None = None,
    spill_max: str | int = "1 GiB",
    on_error: _Callable[[BaseException, int], object] | None = None,
    on_drop: _Callable[[str, int], object] | None = None,
) -> _HandlerT: ...
def asyncio_guard(threshold_ms: float = 20) -> _Watch: ...
def watch_handlers(slow_ms: float = 100) -> _Watch: ...
def dictConfig(config: dict[str, Any]) -> None: ...  # noqa: N802 (the stdlib's name)
def configure(
    *,
    async_: Literal[True],
    capacity: int = 1024,
    capacity_bytes: int = 67108864,
    overflow: str = "block",
    protect_level: int = 40,
    timeout: float = 10.0,
    spill_dir: StrPath | None = None,
    spill_max: str | int = "1 GiB",
    on_error: _Callable[[BaseException, int], object] | None = None,
    on_drop: _Callable[[str, int], object] | None = None,
) -> list[Handler]: ...
def get_logger(name: str) -> _FemtoLogger: ...
def doctor() -> _Diagnosis: ...
def explain(logger: Logger | LoggerAdapter[Any] | str, level: int | str, record: LogRecord | None = None) -> _Explanation: ...
def fileConfig(  # noqa: N802 (the stdlib's name)
    fname: StrOrBytesPath | IO[str] | RawConfigParser,
    defaults: Mapping[str, str] | None = None,
    disable_existing_loggers: bool = True,
    encoding: str | None = None,
    *,
    safe: bool = False,
) -> None: ...
