"""INFO and below to standard output, WARNING and above to standard error, by a dictConfig with a filter of one's own."""

import logging.config
import sys


def at_most(level):
    """Makes a filter; called by dictConfig through `()`, with what else stands there."""
    most = getattr(logging, level)
    return lambda record: record.levelno <= most


logging.config.dictConfig(
    {
        "version": 1,
        "formatters": {"plain": {"format": "%(levelname)-8s %(message)s"}},
        "filters": {"quiet": {"()": at_most, "level": "INFO"}},
        "handlers": {
            "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "plain", "filters": ["quiet"]},
            "err": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "plain", "level": "WARNING"},
        },
        "root": {"level": "DEBUG", "handlers": ["out", "err"]},
    }
)
for name in ("debug", "info", "warning", "error", "critical"):
    getattr(logging, name)("one %s", name)
    sys.stdout.flush()

# prints:
# DEBUG    one debug
# INFO     one info
# WARNING  one warning
# ERROR    one error
# CRITICAL one critical
