"""PySide6: a handler that is a QObject and emits a signal."""
# requires: pyside6-essentials==6.12.0

import logging
import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QCoreApplication, QObject, Signal


class QtHandler(QObject, logging.Handler):
    line = Signal(str)

    def __init__(self):
        QObject.__init__(self)
        logging.Handler.__init__(self)

    def emit(self, record):
        self.line.emit(self.format(record))


application = QCoreApplication([])
handler = QtHandler()
handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
handler.line.connect(print)
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(10)
pass  # late install
log.info("paid %s", 1)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken")
application.processEvents()
