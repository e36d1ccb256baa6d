"""Times in UTC beside local times, by configuration."""

import logging.config
import os
import time


class UTC(logging.Formatter):
    """Shows UTC."""

    converter = time.gmtime


os.environ["TZ"] = "Etc/GMT-3"
time.tzset()
logging.config.dictConfig(
    {
        "version": 1,
        "formatters": {"utc": {"()": UTC, "format": "utc   %(asctime)s"}, "local": {"format": "local %(asctime)s"}},
        "handlers": {
            name: {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": name} for name in ("utc", "local")
        },
        "root": {"handlers": ["utc", "local"]},
    }
)
logging.root.handle(logging.makeLogRecord({"levelno": logging.INFO, "created": 86400.0, "msecs": 0.0}))

# prints:
# utc   1970-01-02 00:00:00,000
# local 1970-01-02 03:00:00,000
