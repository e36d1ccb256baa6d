"""captureWarnings: contract 5.6, item 46."""

import logging
import sys
import warnings

from oracle import same_as_stdlib


@same_as_stdlib
def test_captured_and_released(w):
    original = warnings.showwarning
    logging.captureWarnings(True)
    w.note("swapped", warnings.showwarning is logging._showwarning, logging._warnings_showwarning is original)
    logging.captureWarnings(True)
    w.note("once", logging._warnings_showwarning is original)
    log = logging.getLogger("py.warnings")
    log.addHandler(w.handler("%(name)s %(levelname)s %(message)s"))
    log.propagate = False
    warnings.simplefilter("always")
    warnings.warn_explicit("first", UserWarning, "there.py", 7)
    warnings.warn("second", DeprecationWarning, stacklevel=1)
    logging.captureWarnings(False)
    logging.captureWarnings(False)
    w.note("back", warnings.showwarning is original, logging._warnings_showwarning)


@same_as_stdlib
def test_a_null_handler_is_added_where_there_is_none(w):
    logging.captureWarnings(True)
    warnings.simplefilter("always")
    w.note("handlers", logging.getLogger("py.warnings").handlers)
    warnings.warn_explicit("x", UserWarning, "there.py", 7)
    w.note("handlers", logging.getLogger("py.warnings").handlers)
    logging.root.addHandler(w.handler())
    warnings.warn_explicit("y", UserWarning, "there.py", 8)
    logging.captureWarnings(False)


@same_as_stdlib
def test_what_is_logged(w):
    """Contract 2.2: from 3.11 on the text is the message, without arguments."""
    log = w.logger("py.warnings")
    records = w.keeper(log)
    logging.captureWarnings(True)
    warnings.simplefilter("always")
    warnings.warn_explicit("100% sure", UserWarning, "there.py", 7)
    warnings.warn_explicit(UserWarning("an instance"), None, "there.py", 7, source=5)
    for record in records:
        w.note("record", record.msg, record.args, record.levelno, record.funcName, record.getMessage())
    logging.captureWarnings(False)


@same_as_stdlib
def test_with_a_file_it_is_shown_as_before(w):
    stream = w.stream()
    warnings.showwarning = lambda *args: w.note("original", args[1:])
    logging.captureWarnings(True)
    logging._showwarning("m", UserWarning, "f.py", 1, stream, "line")
    logging._showwarning("m", UserWarning, "f.py", 1)
    w.catch(logging._showwarning, "m", UserWarning, "f.py", 1, None, "line")
    w.catch(logging._showwarning, "m")
    logging.captureWarnings(False)
    w.catch(logging._showwarning, "m", UserWarning, "f.py", 1, sys.stderr)
