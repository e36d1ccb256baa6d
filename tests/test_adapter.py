"""LoggerAdapter, nested, merged and subclassed."""

import logging
import sys
import types

import pytest
from oracle import same_as_stdlib

WHERE = "%(levelname)s %(funcName)s:%(lineno)d %(message)s"
MERGING = sys.version_info >= (3, 13)


@same_as_stdlib
def test_levels_and_arguments(w):
    log, _, _ = w.plain(WHERE)
    records = w.keeper(log)
    adapter = logging.LoggerAdapter(log, {"k": 1})
    for call in (adapter.debug, adapter.info, adapter.warning, adapter.error, adapter.critical):
        call("a %s", 1)
    adapter.log(35, "b")
    adapter.log(5, "not enabled")
    try:
        raise LookupError
    except LookupError:
        adapter.exception("c")
        adapter.exception("d", exc_info=False)
        adapter.error("e", exc_info=True)
    adapter.info("f", extra={"other": 1})
    adapter.info("g", stack_info=False)
    w.note("records", records)


@same_as_stdlib
def test_caller_through_adapters(w):
    log, _, _ = w.plain(WHERE)
    adapter = logging.LoggerAdapter(log, None)
    nested = logging.LoggerAdapter(adapter, {})

    def here():
        adapter.info("a")
        nested.info("b")
        nested.log(30, "c")
        adapter.info("d", stacklevel=2)
        w.catch(nested.info, "e", stacklevel=2)
        w.catch(nested.info, "f", stacklevel=3)
        adapter.info("g", stack_info=True)

    here()


@same_as_stdlib
@pytest.mark.parametrize("extra", [None, {}, {"k": 1}, types.MappingProxyType({"k": 1}), 5, [("k", 1)]], ids=repr)
def test_process_replaces_extra(w, extra):
    log, _, _ = w.plain("%(message)s")
    records = w.keeper(log)
    adapter = logging.LoggerAdapter(log, extra)
    w.note("adapter", vars(adapter))
    kwargs = {"extra": {"own": 1}, "stacklevel": 1}
    w.catch(adapter.process, "m", kwargs)
    w.note("kwargs", kwargs)
    w.catch(adapter.info, "x", extra={"own": 1})
    w.catch(adapter.info, "y")
    w.note("records", records)


@same_as_stdlib
@pytest.mark.parametrize("extra", [None, {}, {"k": 1, "own": "adapter"}])
@pytest.mark.parametrize("given", [None, {}, {"own": "call"}, "missing"])
def test_merged_extra(w, extra, given):
    """New in 3.13."""
    if not MERGING:
        pytest.skip("merge_extra is new in 3.13")
    log, _, _ = w.plain("%(message)s")
    records = w.keeper(log)
    for merge in (True, False, 1, []):
        adapter = logging.LoggerAdapter(log, extra, merge_extra=merge)
        w.catch(adapter.info, "x", **({} if given == "missing" else {"extra": given}))
        w.note("adapter", vars(adapter))
    w.note("records", records)


@same_as_stdlib
def test_nested_adapters(w):
    """Contract 1.5: `adapter.manager = x` writes through, also when adapters are nested."""
    log, _, _ = w.plain("%(prefix)s %(message)s")
    records = w.keeper(log)

    class Prefix(logging.LoggerAdapter):
        def process(self, msg, kwargs):
            return f"{self.extra['prefix']} {msg}", {**kwargs, "extra": {**kwargs.get("extra", {}), **self.extra}}

    inner = Prefix(log, {"prefix": "inner"})
    outer = Prefix(inner, {"prefix": "outer"})
    outer.info("x %s", 1)
    outer.log(30, "y")
    w.note("names", outer.name, repr(outer), outer.logger is inner, outer.manager is log.manager)
    other = types.SimpleNamespace(disable=50)
    outer.manager = other
    w.note("written through", log.manager is other, inner.manager is other)
    del log.manager
    w.note("records", records)


@same_as_stdlib
def test_process_overridden_with_odd_results(w):
    log, _, _ = w.plain("%(message)s")

    class Mine(logging.LoggerAdapter):
        result = None

        def process(self, msg, kwargs):
            return self.result

    adapter = Mine(log, None)
    for result in (
        ("a", {}),
        ["b", {"extra": {"k": 1}}],
        None,
        ("c",),
        ("d", None),
        ("e", {}, 1),
        "fg",
        ("h", {"odd": 1}),
        (1, {}),
    ):
        Mine.result = result
        w.catch(adapter.info, "x %s", 1)


@same_as_stdlib
def test_questions_are_the_loggers(w):
    log, _, _ = w.plain()
    adapter = logging.LoggerAdapter(log, None)
    adapter.setLevel("ERROR")
    w.note("asked", log.level, adapter.isEnabledFor(30), adapter.getEffectiveLevel(), adapter.hasHandlers(), adapter.name)
    adapter.info("not enabled")
    log.disabled = True
    adapter.error("not enabled")
    log.disabled = False
    w.note("repr", repr(adapter), str(adapter))
    with_duck = logging.LoggerAdapter(
        type("Duck", (), {"isEnabledFor": lambda self, level: True, "log": lambda self, *a, **k: w.note("duck", a, k)})(),
        {"k": 1},
    )
    with_duck.info("x %s", 1)
    with_duck.log(5, "y")
    w.catch(lambda: with_duck.name)
    w.catch(repr, with_duck)


@same_as_stdlib
def test_private_log(w):
    log, _, _ = w.plain(WHERE)
    adapter = logging.LoggerAdapter(log, None)
    w.catch(adapter._log, 20, "a %s", (1,))
    w.catch(adapter._log, 20, "b", (), exc_info=None, extra={"k": 1}, stack_info=False)
    w.catch(adapter._log, 20, "c", (), stacklevel=2)


@same_as_stdlib
def test_subclass_overriding_log_and_is_enabled_for(w):
    class Mine(logging.LoggerAdapter):
        def log(self, level, msg, *args, **kwargs):
            w.note("log", level, msg, args, kwargs)
            super().log(level, msg, *args, **kwargs)

        def isEnabledFor(self, level):
            w.note("asked", level)
            return level != 30

    log, _, _ = w.plain(WHERE)
    adapter = Mine(log, {"k": 1})
    adapter.info("a %s", 1)
    adapter.warning("b")
    adapter.error("c", exc_info=False, stacklevel=2)
    adapter.log(20, "d")


@same_as_stdlib
def test_changes_between_two_calls(w):
    log, _, _ = w.plain("%(message)s")
    other, _, _ = w.plain("other %(message)s", name="other")
    records = w.keeper(log)
    adapter = logging.LoggerAdapter(log, {"k": 1})
    adapter.info("a")
    adapter.extra = {"k": 2}
    adapter.info("b")
    adapter.logger = other
    adapter.info("c")
    adapter.process = lambda msg, kwargs: (f"<{msg}>", kwargs)
    adapter.info("d")
    del adapter.process
    logging.LoggerAdapter.process = lambda self, msg, kwargs: (f"[{msg}]", kwargs)
    adapter.info("e")
    adapter.__dict__ = {"logger": log, "extra": None}
    w.catch(adapter.info, "f")
    w.note("records", records)


@same_as_stdlib
def test_changes_between_calls_of_one_place(w):
    """What a call that goes the short way reads is read at each call."""
    log, _, _ = w.plain("%(message)s")
    other, _, _ = w.plain("other %(message)s", name="other")
    records = w.keeper(log)

    class Key(str):
        pass

    class Mine(logging.LoggerAdapter):
        pass

    adapter = Mine(log, {"k": 1})

    def calls(what):
        w.note(what)
        for text in ("%s once", "%s twice"):
            w.catch(adapter.info, text, what)

    calls("as made")
    for extra in (
        None,
        {},
        {"k": 2},
        {"k": 1, "message": 2},
        {"lineno": 1},
        {Key("k"): 3},
        {5: 6},
        types.MappingProxyType({"k": 4}),
        7,
    ):
        adapter.extra = extra
        calls(f"extra {extra!r}")
    del adapter.extra
    calls("no extra")
    Mine.extra = {"k": 8}
    calls("extra of the class")
    adapter.extra = {"k": 9}
    log.setLevel(30)
    calls("not enabled")
    log.setLevel(10)
    log.disabled = True
    calls("disabled")
    log.disabled = False
    adapter.logger = other
    calls("another logger")
    adapter.logger = logging.LoggerAdapter(log, {"k": 10})
    calls("an adapter")
    adapter.logger = log
    for name in ("log", "isEnabledFor", "_log", "handle", "makeRecord"):
        setattr(log, name, lambda *args, name=name, **kwargs: w.note(name, args[:2], kwargs))
        calls(f"own {name}")
        delattr(log, name)
    for name in ("process", "log", "isEnabledFor"):
        method = getattr(logging.LoggerAdapter, name)

        def override(self, *args, name=name, method=method, **kwargs):
            w.note(name, args)
            return method(self, *args, **kwargs)

        setattr(Mine, name, override)
        calls(f"overridden {name}")
        delattr(Mine, name)
    if MERGING:
        for merge in (True, False, None, 1, [], "x"):
            adapter.merge_extra = merge
            calls(f"merging {merge!r}")
        del adapter.merge_extra
        calls("neither merging nor not")
        adapter.merge_extra = True
    calls("as made")
    w.note("records", records)


@same_as_stdlib
def test_a_handler_that_takes_everything_away(w):
    class Taking(logging.Handler):
        def emit(self, record):
            w.note("seen", record.getMessage(), record.name, getattr(record, "k", None))
            if record.getMessage() == "take":
                adapter.logger.handlers = []
                adapter.logger = None
                adapter.extra.clear()
                adapter.extra = None

    log, _, _ = w.plain("%(name)s %(k)s %(message)s")
    adapter = logging.LoggerAdapter(log, {"k": 1})
    log.handlers.insert(0, Taking())
    log.handlers.append(w.handler("%(name)s %(k)s %(message)s"))
    for text in ("a", "b", "take"):
        adapter.info(text)
    w.catch(adapter.info, "c")
