"""Differences that generated tests have found once, each as the small program that showed it."""

import logging

import pytest
from oracle import same_as_stdlib


@same_as_stdlib
@pytest.mark.parametrize(("fmt", "style"), [("%(name)s", "%"), ("{name}", "{"), ("$name", "$")])
def test_wrong_arguments_of_an_empty_message_the_format_does_not_show(w, fmt, style):
    log, _, _ = w.plain(fmt, style=style)
    for args in ((None,), (1, 2), ({"a": 1},), ("x",)):
        log.warning("", *args)


@same_as_stdlib
def test_record_class_replaced_by_no_class(w):
    log, _, _ = w.plain()
    logging.LogRecord = lambda *args, **kwargs: 1 / 0
    w.catch(log.warning, "x")
    logging.LogRecord = 5
    w.catch(log.warning, "y")


@same_as_stdlib
def test_acquire_overridden_counts_in_flush_of_a_file(w):
    log = w.logger()
    handler = logging.FileHandler(w.dir / "f.log", encoding="utf-8")
    log.addHandler(handler)
    log.info("a")
    handler.acquire = lambda: w.note("acquire")
    handler.release = lambda: w.note("release")
    log.info("b")
    handler.flush()


@same_as_stdlib
def test_missing_arguments_of_an_adapter_are_told_before_its_logger_is_read(w):
    empty = logging.LoggerAdapter.__new__(logging.LoggerAdapter)
    for args in ((), (20,), (20, "m")):
        w.catch(empty._log, *args)


@same_as_stdlib
@pytest.mark.parametrize("level", [None, (1,), (), "x", 1.5], ids=repr)
def test_error_of_an_undecided_level_keeps_the_missing_key_as_context(w, level):
    log = w.logger()
    w.catch(log.isEnabledFor, level)
