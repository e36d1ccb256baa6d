"""The errors that femtolog's own handlers, builders and settings raise.

Each is of the built-in type that the standard library would raise as well, so `except ValueError` and `except OSError` keep
working. A message names the field, what it must be, and what it was: "capacity must be at least 1, got 0".
"""

__all__ = ["FemtologError", "FilterBuildError", "HandlerConfigError", "HandlerIOError"]


class FemtologError(Exception):
    """Base of all of them.

    Examples:
        >>> from femtolog.errors import FemtologError, FilterBuildError, HandlerConfigError, HandlerIOError
        >>> FemtologError.__subclasses__() == [HandlerConfigError, FilterBuildError, HandlerIOError]
        True
    """


class HandlerConfigError(FemtologError, ValueError):
    """A handler cannot be made of these settings.

    Examples:
        >>> from femtolog.errors import HandlerConfigError
        >>> issubclass(HandlerConfigError, ValueError)
        True
    """


class FilterBuildError(FemtologError, ValueError):
    """A filter cannot be made of these settings.

    Examples:
        >>> from femtolog.errors import FilterBuildError
        >>> issubclass(FilterBuildError, ValueError)
        True
    """


class HandlerIOError(FemtologError, OSError):
    """A handler could not encode, write or send.

    Examples:
        >>> from femtolog.errors import HandlerIOError
        >>> issubclass(HandlerIOError, OSError)
        True
    """
