"""dictConfig makes a handler by a function of one's own, which gets what stands in the configuration."""

import logging.config
import os
import pathlib
import stat


def private_file(folder, name, mode):
    """A FileHandler whose folder is made when needed and whose file nobody else can read."""
    os.makedirs(folder, exist_ok=True)
    path = pathlib.Path(folder, name)
    path.touch(mode=mode)
    path.chmod(mode)
    return logging.FileHandler(path)


logging.config.dictConfig(
    {
        "version": 1,
        "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
        "handlers": {
            "file": {
                "()": private_file,
                "folder": "logs",
                "name": "shop.log",
                "mode": 0o600,
                "formatter": "plain",
                "level": "INFO",
            }
        },
        "root": {"handlers": ["file"], "level": "DEBUG"},
    }
)
logging.debug("below the handler's level")
logging.info("written")
path = pathlib.Path("logs", "shop.log")
print(stat.filemode(path.stat().st_mode), path.read_text().splitlines())

# prints:
# -rw------- ['INFO written']
