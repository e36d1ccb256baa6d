"""A handler that hands lines to another program; with a speech synthesizer instead of tr the log is spoken."""

import logging
import subprocess


class ToProgram(logging.Handler):
    """Runs a command for each record, the line as its input."""

    def __init__(self, *command):
        super().__init__()
        self.command = command

    def emit(self, record):
        subprocess.run(self.command, input=self.format(record) + "\n", text=True, check=True)


log = logging.getLogger("shop")
log.addHandler(ToProgram("tr", "a-z", "A-Z"))
log.warning("order %d is %s", 17, "late")

# prints:
# ORDER 17 IS LATE
