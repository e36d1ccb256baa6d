"""dictConfig: everything in one dictionary."""

import logging.config

logging.config.dictConfig(
    {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "short": {"format": "%(levelname)s %(message)s"},
            "long": {"format": "{asctime} {levelname:<8} {name} {message}", "style": "{"},
        },
        "handlers": {
            "screen": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "short", "level": "INFO"},
            "file": {"class": "logging.FileHandler", "filename": "shop.log", "formatter": "long"},
        },
        "loggers": {"shop.db": {"level": "DEBUG"}},
        "root": {"level": "INFO", "handlers": ["screen", "file"]},
    }
)
logging.getLogger("shop.web").debug("nowhere")
logging.getLogger("shop.db").debug("in the file")
logging.getLogger("shop.web").info("in both")
with open("shop.log") as file:
    print(file.read(), end="")

# prints:
# INFO in both
# 2026-11-26 22:29:25,158 DEBUG    shop.db in the file
# 2026-11-26 22:29:25,158 INFO     shop.web in both
