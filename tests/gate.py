"""A stream that stands still until a test lets it go on."""

import io
import threading


class Gate(io.StringIO):
    """A stream whose writes wait until it is opened, for ten seconds at most."""

    def __init__(self):
        super().__init__()
        self.entered, self.opened = threading.Event(), threading.Event()

    def write(self, text):
        self.entered.set()
        assert self.opened.wait(10)
        return super().write(text)

    def lines(self):
        return self.getvalue().splitlines()
