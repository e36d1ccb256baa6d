"""Loggers, handlers and builders as femtologging has them, over the loggers of `logging` and the queue of femtolog.enqueue()."""

from femtolog.errors import ConfigurationError, FemtologError, FilterBuildError, HandlerConfigError, HandlerIOError
from femtolog.femto.adapter import StdlibHandlerAdapter
from femtolog.femto.basic import BasicConfig, basicConfig
from femtolog.femto.builders import (
    FileHandlerBuilder,
    FormatterBuilder,
    RotatingFileHandlerBuilder,
    StreamHandlerBuilder,
    TimedRotatingFileHandlerBuilder,
)
from femtolog.femto.config import ConfigBuilder, LoggerConfigBuilder
from femtolog.femto.dict_config import dictConfig
from femtolog.femto.filters import LevelFilterBuilder, NameFilterBuilder, PythonCallbackFilterBuilder
from femtolog.femto.frames import filter_frames, get_logging_infrastructure_patterns
from femtolog.femto.handlers import (
    FemtoFileHandler,
    FemtoHandler,
    FemtoRotatingFileHandler,
    FemtoStreamHandler,
    FemtoTimedRotatingFileHandler,
)
from femtolog.femto.http import FemtoHTTPHandler, HTTPHandlerBuilder
from femtolog.femto.logger import FemtoLogger, get_logger
from femtolog.femto.mutation import LoggerMutationBuilder, RuntimeConfigBuilder
from femtolog.femto.options import (
    ROTATION_VALIDATION_MSG,
    TIMED_ROTATION_VALIDATION_MSG,
    BackoffConfig,
    HandlerOptions,
    OverflowPolicy,
    TimedHandlerOptions,
)
from femtolog.femto.payload import (
    EXCEPTION_SCHEMA_VERSION,
    VersionTooNew,
    VersionTooOld,
    exception_payload,
    validate_schema_version,
)
from femtolog.femto.registry import UnknownIdError, reset_manager
from femtolog.femto.socket import FemtoSocketHandler, SocketHandlerBuilder

__all__ = [
    "EXCEPTION_SCHEMA_VERSION",
    "ROTATION_VALIDATION_MSG",
    "TIMED_ROTATION_VALIDATION_MSG",
    "BackoffConfig",
    "BasicConfig",
    "ConfigBuilder",
    "ConfigurationError",
    "FemtoFileHandler",
    "FemtoHTTPHandler",
    "FemtoHandler",
    "FemtoLogger",
    "FemtoRotatingFileHandler",
    "FemtoSocketHandler",
    "FemtoStreamHandler",
    "FemtoTimedRotatingFileHandler",
    "FemtologError",
    "FileHandlerBuilder",
    "FilterBuildError",
    "FormatterBuilder",
    "HTTPHandlerBuilder",
    "HandlerConfigError",
    "HandlerIOError",
    "HandlerOptions",
    "LevelFilterBuilder",
    "LoggerConfigBuilder",
    "LoggerMutationBuilder",
    "NameFilterBuilder",
    "OverflowPolicy",
    "PythonCallbackFilterBuilder",
    "RotatingFileHandlerBuilder",
    "RuntimeConfigBuilder",
    "SocketHandlerBuilder",
    "StdlibHandlerAdapter",
    "StreamHandlerBuilder",
    "TimedHandlerOptions",
    "TimedRotatingFileHandlerBuilder",
    "UnknownIdError",
    "VersionTooNew",
    "VersionTooOld",
    "basicConfig",
    "dictConfig",
    "exception_payload",
    "filter_frames",
    "get_logger",
    "get_logging_infrastructure_patterns",
    "reset_manager",
    "validate_schema_version",
]
