"""A handler for a graphical program: threads log, a Qt signal brings the lines to the thread of the window."""

import logging

from PySide6 import QtCore


class Lines(QtCore.QObject):
    """What a handler cannot be at the same time: an object with a signal."""

    line = QtCore.Signal(str)


class QtHandler(logging.Handler):
    """Emits the text as a signal; Qt delivers it where the receiver lives."""

    def __init__(self):
        super().__init__()
        self.lines = Lines()

    def emit(self, record):
        self.lines.line.emit(self.format(record))


class Worker(QtCore.QThread):
    """Works, and logs what it does."""

    def run(self):
        for step in range(3):
            logging.getLogger("worker").info("step %d", step)


class Window(QtCore.QObject):
    """Stands for a window with a text field."""

    @QtCore.Slot(str)
    def show_line(self, text):
        print(QtCore.QThread.currentThread() is self.thread(), text)


application = QtCore.QCoreApplication([])
handler = QtHandler()
window = Window()
handler.lines.line.connect(window.show_line)
logging.basicConfig(handlers=[handler], level=logging.INFO, format="%(levelname)s %(message)s")
worker = Worker()
worker.finished.connect(application.quit, QtCore.Qt.ConnectionType.QueuedConnection)
worker.start()
application.exec()
worker.wait()
logging.root.removeHandler(handler)

# prints:
# True INFO step 0
# True INFO step 1
# True INFO step 2
