"""Loggers, handlers and builders as femtologging has them, over the loggers of `logging` and the queue of femtolog.enqueue()."""

from femtolog.errors import ConfigurationError, FemtologError, FilterBuildError, HandlerConfigError, HandlerIOError
from femtolog.femto.frames import filter_frames, get_logging_infrastructure_patterns
from femtolog.femto.handlers import (
    FemtoFileHandler,
    FemtoHandler,
    FemtoRotatingFileHandler,
    FemtoStreamHandler,
    FemtoTimedRotatingFileHandler,
)
from femtolog.femto.logger import FemtoLogger, get_logger, reset_manager
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

__all__ = [
    "EXCEPTION_SCHEMA_VERSION",
    "ROTATION_VALIDATION_MSG",
    "TIMED_ROTATION_VALIDATION_MSG",
    "BackoffConfig",
    "ConfigurationError",
    "FemtoFileHandler",
    "FemtoHandler",
    "FemtoLogger",
    "FemtoRotatingFileHandler",
    "FemtoStreamHandler",
    "FemtoTimedRotatingFileHandler",
    "FemtologError",
    "FilterBuildError",
    "HandlerConfigError",
    "HandlerIOError",
    "HandlerOptions",
    "OverflowPolicy",
    "TimedHandlerOptions",
    "VersionTooNew",
    "VersionTooOld",
    "exception_payload",
    "filter_frames",
    "get_logger",
    "get_logging_infrastructure_patterns",
    "reset_manager",
    "validate_schema_version",
]
