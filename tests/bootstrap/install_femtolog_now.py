"""Installs femtolog on import, and leaves its counters behind when the process ends in good order."""

import atexit
import json
import os

import femtolog

femtolog.install()
if not femtolog.is_installed():
    os.write(2, b"bootstrap: femtolog.install() returned and is_installed() is false\n")
    os._exit(98)


# Taken out of the environment: a child started by this program must not leave its counters as ours. What the
# function needs is kept as defaults: some programs delete builtins and modules before they end.
def _leave_counters(
    owner=os.getpid(),  # noqa: B008
    path=os.environ.pop("FEMTOLOG_TEST_COUNTERS", None),  # noqa: B008
    os=os,
    dumps=json.dumps,
    stats=femtolog.stats,
):
    if path and os.getpid() == owner:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.write(fd, dumps(stats()).encode())
        os.close(fd)


# Registered before logging's own shutdown, so it runs after it.
atexit.register(_leave_counters)
