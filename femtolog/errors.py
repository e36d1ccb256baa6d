"""The errors that femtolog's own handlers, builders and settings raise.

Each is of the built-in type that the standard library would raise as well, so `except ValueError` and `except OSError` keep
working. A message names the field, what it must be, and what it was: "capacity must be at least 1, got 0".
"""

__all__ = ["ConfigurationError", "FemtologError", "FilterBuildError", "HandlerConfigError", "HandlerIOError", "NegativeError"]


class FemtologError(Exception):
    """Base of all of them.

    Examples:
        >>> from femtolog.errors import FemtologError, HandlerIOError
        >>> issubclass(HandlerIOError, FemtologError)
        True
    """


class ConfigurationError(FemtologError, ValueError):
    """A setting that cannot be.

    Examples:
        >>> from femtolog.errors import ConfigurationError
        >>> issubclass(ConfigurationError, ValueError)
        True
    """


class HandlerConfigError(ConfigurationError):
    """A handler cannot be made of these settings.

    Examples:
        >>> from femtolog.errors import HandlerConfigError
        >>> issubclass(HandlerConfigError, ValueError)
        True
    """


class NegativeError(FemtologError, OverflowError):
    """A size or number that must not be negative.

    Examples:
        >>> from femtolog.errors import NegativeError
        >>> issubclass(NegativeError, OverflowError)
        True
    """


class FilterBuildError(ConfigurationError):
    """A filter cannot be made of these settings.

    Examples:
        >>> from femtolog.errors import FilterBuildError
        >>> issubclass(FilterBuildError, ValueError)
        True
    """


class HandlerIOError(FemtologError, OSError):
    """A handler could not open its sink, encode, write or send.

    Examples:
        >>> from femtolog.errors import HandlerIOError
        >>> issubclass(HandlerIOError, OSError)
        True
    """
