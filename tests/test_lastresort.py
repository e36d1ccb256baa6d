"""What happens to records nobody handles."""

import logging
import sys

import pytest
from oracle import same_as_stdlib, same_program


@same_as_stdlib
def test_warnings_and_above_go_to_stderr_bare(w):
    log = logging.getLogger("alone")
    log.setLevel(1)
    for level in (10, 20, 29, 30, 40, 50):
        log.log(level, "level %d", level)
    log.warning("%d", "wrong")
    try:
        raise LookupError
    except LookupError:
        log.exception("with traceback")


@same_as_stdlib
def test_only_where_no_handler_was_found_whatever_its_level(w):
    log = logging.getLogger("a.b")
    logging.getLogger("a").addHandler(null := logging.NullHandler(100))
    log.error("found")
    logging.getLogger("a").removeHandler(null)
    log.error("not found")
    log.propagate = False
    logging.root.addHandler(w.handler())
    log.error("not found either")
    log.disabled = True
    log.error("nothing")


@same_as_stdlib
@pytest.mark.parametrize("raising", [True, False])
@pytest.mark.parametrize("warned", [True, False])
def test_without_a_last_resort(w, raising, warned):
    logging.lastResort, logging.raiseExceptions = None, raising
    log = logging.getLogger("alone")
    log.manager.emittedNoHandlerWarning = warned
    log.warning("a")
    log.error("b")
    w.note("warned", log.manager.emittedNoHandlerWarning)


@same_as_stdlib
def test_changed_in_every_way(w):
    log = logging.getLogger("alone")
    log.setLevel(1)
    resort = logging.lastResort
    resort.setFormatter(logging.Formatter("<%(message)s>"))
    log.warning("formatted")
    resort.addFilter(lambda record: "secret" not in record.msg)
    log.warning("secret")
    resort.setLevel(10)
    log.debug("debug")
    resort.handle = lambda record: w.note("handled", record.msg)
    log.warning("by the instance")
    del resort.handle
    type(resort).stream = property(lambda self: sys.stdout)
    w.note("stream", resort.stream is sys.stdout)
    logging.lastResort = type("Duck", (), {"level": 30, "handle": lambda self, record: w.note("duck", record)})()
    log.warning("to the duck")
    logging.lastResort = 5
    w.catch(log.warning, "wrong")
    resort.level, resort.formatter, resort.filters = 30, None, []


@same_as_stdlib
def test_stderr_handler(w):
    handler = logging._StderrHandler()
    w.note("vars", sorted(vars(handler)), handler.level, handler.stream is sys.stderr, repr(type(handler)))
    w.catch(setattr, handler, "stream", 5)
    log = w.logger()
    log.addHandler(handler)
    log.info("a")
    for stream in (w.stream(), None):
        saved, sys.stderr = sys.stderr, stream
        w.catch(log.info, "b")
        sys.stderr = saved
    del sys.stderr
    w.catch(log.info, "no stderr at all")
    sys.stderr = saved


def test_programs_without_stderr():
    same_program(
        """
        import logging, sys, os
        os.close(2)
        sys.stderr = None
        logging.getLogger("x").warning("to nowhere")
        logging.warning("configured")
        logging.warning("%d", "wrong")
        print("alive", logging.root.handlers)
        """
    )
