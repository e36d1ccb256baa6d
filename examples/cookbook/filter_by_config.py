"""A filter with parameters, from dictConfig."""

import logging.config


class Redact(logging.Filter):
    """Replaces words in the arguments of messages."""

    def __init__(self, words):
        super().__init__()
        self.words = words

    def filter(self, record):
        record.args = tuple("***" if value in self.words else value for value in record.args)
        return True


logging.config.dictConfig(
    {
        "version": 1,
        "filters": {"redact": {"()": Redact, "words": ["opensesame", "1234"]}},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "filters": ["redact"]}},
        "root": {"handlers": ["out"], "level": "DEBUG"},
    }
)
logging.warning("%s logs in with %s", "ada", "opensesame")
logging.info("nothing to hide")

# prints:
# ada logs in with ***
# nothing to hide
