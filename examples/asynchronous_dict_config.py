"""femtolog.dictConfig(): a configuration says which handlers are asynchronous, and how."""

import logging

import femtolog

femtolog.install()
femtolog.dictConfig(
    {
        "version": 1,
        "formatters": {"line": {"format": "%(levelname)s %(message)s"}},
        "handlers": {
            "file": {"class": "logging.FileHandler", "filename": "shop.log", "formatter": "line", "enqueue": True},
            "screen": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "line",
                "enqueue": {"capacity": 100, "overflow": "drop_oldest"},
            },
        },
        "root": {"level": "INFO", "handlers": ["file", "screen"]},
    }
)
for order in range(3):
    logging.info("order %d", order)
written = [handler.flush(timeout=5) for handler in logging.root.handlers]
with open("shop.log") as file:
    print(written, len(file.readlines()))

# prints:
# INFO order 0
# INFO order 1
# INFO order 2
# [True, True] 3
