"""Logger, RootLogger, Manager and PlaceHolder."""

import logging
import sys
import warnings

import pytest
from oracle import same_as_stdlib


@same_as_stdlib
def test_disabled_then_cache_then_manager_then_level(w):
    """Contract 5.2, item 8."""
    log = w.logger()
    w.note("cache", log._cache, log.isEnabledFor(10), log.isEnabledFor(9), log._cache)
    log.disabled = True
    w.note("disabled", log.isEnabledFor(50), log._cache)
    log.disabled = False
    log._cache[50] = False
    w.note("cached", log.isEnabledFor(50))
    log.manager.disable = 40
    w.note("not asked", log.isEnabledFor(10))
    w.note("asked", log.isEnabledFor(40), log.isEnabledFor(41), log._cache)
    logging.disable(0)
    w.note("emptied", log._cache, log.isEnabledFor(50))


@same_as_stdlib
def test_cache_is_filled_by_one_entry_for_each_level_asked(w):
    """Contract 1.1: not for parents; emptied by any setLevel and by disable."""
    top, below = w.logger("a"), logging.getLogger("a.b")
    below.debug("x")
    below.log(15, "x")
    w.note("caches", top._cache, below._cache, logging.root._cache)
    logging.getLogger("elsewhere").setLevel(10)
    w.note("caches", top._cache, below._cache)
    below.info("x")
    logging.disable(5)
    w.note("caches", top._cache, below._cache)


@same_as_stdlib
def test_loggers_outside_the_manager_keep_a_stale_cache(w):
    """Contract 5.2, item 8."""
    log = logging.Logger("outside", 10)
    log.addHandler(w.handler())
    log.info("a")
    log.setLevel(50)
    log.info("still")
    w.note("cache", log._cache)


@same_as_stdlib
@pytest.mark.parametrize("level", [10, 0, True, False, "INFO", "info", "nothing", None, 5.0, (0, 0), [], b"INFO", -5, 10**20])
def test_set_level_checks(w, level):
    """Contract 5.2, item 9."""
    log = w.logger()
    handler = w.handler()
    for thing in (log, handler, logging.root):
        w.catch(thing.setLevel, level)
        w.note("level", thing.level)
    w.catch(logging.Logger, "n", level)
    w.catch(logging.NullHandler, level)
    w.catch(logging._checkLevel, level)
    logging.root.level = 30


@same_as_stdlib
@pytest.mark.parametrize("level", ["INFO", None, 20.0, [], True, 10**20])
@pytest.mark.parametrize("raising", [True, False])
def test_log_with_a_level_that_is_no_int(w, level, raising):
    """Contract 5.2, item 9: TypeError only if raiseExceptions."""
    log, _, _ = w.plain()
    logging.raiseExceptions = raising
    w.catch(log.log, level, "x")
    w.catch(logging.LoggerAdapter(log, None).log, level, "x")
    logging.root.addHandler(logging.NullHandler())
    w.catch(logging.log, level, "x")


@same_as_stdlib
def test_handlers_are_added_once_and_removed_tolerantly(w):
    """Contract 5.2, item 12."""

    class Equal(logging.NullHandler):
        def __eq__(self, other):
            return True

        __hash__ = logging.NullHandler.__hash__

    log = w.logger()
    first = logging.NullHandler()
    for one in (first, first, Equal(), 5):
        log.addHandler(one)
        w.note("handlers", len(log.handlers))
    for one in (first, "never added", 5):
        log.removeHandler(one)
        w.note("handlers", len(log.handlers))
    log.handlers[:] = []


@same_as_stdlib
def test_levels_of_handlers_are_compared_for_each(w):
    """Contract 5.2, item 13: any object; the count of handlers found ignores levels."""

    class Duck:
        level = 25
        got = []

        def handle(self, record):
            self.got.append(record.levelno)

    log = logging.getLogger("app")
    log.setLevel(1)
    log.addHandler(Duck())
    for level in (10, 25, 30):
        log.log(level, "no last resort")
    w.note("got", Duck.got)
    log.handlers[0].level = None
    w.catch(log.info, "x")
    del Duck.handle
    log.handlers[0].level = 0
    w.catch(log.info, "x")


@same_as_stdlib
def test_disabled_is_checked_again_in_handle(w):
    """Contract 5.2, item 14."""
    log, _, _ = w.plain()
    record = log.makeRecord("n", 20, "f", 1, "m", (), None)
    log.handle(record)
    log.disabled = True
    log.handle(record)
    log.callHandlers(record)
    w.note("emitted", log._log(20, "private", ()))


@same_as_stdlib
def test_place_holders_are_replaced_and_children_adopted(w):
    """Contract 5.2, item 15."""
    deep = logging.getLogger("a.b.c.d")
    other = logging.getLogger("a.b.x")
    w.note("dict", logging.root.manager.loggerDict, deep.parent)
    middle = logging.getLogger("a.b")
    w.note("parents", deep.parent is middle, other.parent is middle, middle.parent)
    top = logging.getLogger("a")
    w.note("parents", middle.parent is top, deep.parent is middle)
    w.note("place holder", logging.root.manager.loggerDict["a.b.c"].loggerMap)
    holder = logging.PlaceHolder(deep)
    holder.append(other)
    holder.append(other)
    w.note("holder", holder.loggerMap, vars(holder))
    odd = [logging.getLogger(name) for name in ("a..b", ".", "..", "a.", ".a", "\0", "root.x", "\ud800", "a b")]
    w.note("odd", [(log.name, log.parent.name) for log in odd])
    logging.root.manager._fixupParents(logging.Logger("a.b.new"))
    logging.root.manager._fixupChildren(holder, top)
    w.note("dict", logging.root.manager.loggerDict)


@same_as_stdlib
def test_names_of_loggers(w):
    """Contract 1.6."""
    w.note(
        "root",
        logging.getLogger("root") is logging.root,
        logging.getLogger(None) is logging.root,
        logging.getLogger("") is logging.root,
    )
    w.note("same", logging.getLogger("a") is logging.getLogger("a"), logging.getLogger(name="a") is logging.getLogger("a"))
    for wrong in (5, b"a", ["a"], ("a",), object, 0, False, [], {}):
        w.catch(logging.getLogger, wrong)
        w.catch(logging.root.manager.getLogger, wrong)
    w.catch(logging.root.manager.getLogger, "")
    text = type("Text", (str,), {})("a.b")
    w.note("subclass", logging.getLogger(text).name, type(logging.getLogger(text).name))


@same_as_stdlib
def test_classes_of_loggers(w):
    """Contract 5.2, item 15: `manager.loggerClass or _loggerClass`; any __init__ with a name."""

    class Mine(logging.Logger):
        def __init__(self, name, more=5):
            super().__init__(name)
            self.more = more

    logging.setLoggerClass(Mine)
    w.note("made", type(logging.getLogger("a")), logging.getLogger("a").more)
    w.note("child", type(logging.getLogger("a").getChild("b")), logging.getLogger("a").getChild("b").name)

    class Old(logging.Logger):
        def _log(self, level, msg, args, exc_info=None, extra=None):
            w.note("old", level, msg, args, exc_info, extra)

    logging.setLoggerClass(Old)
    old = logging.getLogger("old")
    old.warning("a %s", 1)
    old.error("b", exc_info=True, extra={"k": 1})
    w.catch(old.error, "c", stack_info=True)
    w.catch(old.error, "c", stacklevel=2)
    w.catch(logging.LoggerAdapter(old, None).error, "d")
    logging.setLoggerClass(logging.Logger)


@same_as_stdlib
def test_a_manager_of_ones_own(w):
    """Contract 1.5: a manager without a root."""
    manager = logging.Manager(None)
    w.note("vars", vars(manager))
    log = manager.getLogger("a.b")
    w.note("logger", log.parent, log.manager is manager, manager.loggerDict)
    w.note("asked", log.getEffectiveLevel(), log.isEnabledFor(10), log.hasHandlers())
    log.addHandler(w.handler())
    log.info("x")
    factory = object()
    manager.setLogRecordFactory(factory)
    w.note("stored", manager.logRecordFactory is factory)
    w.catch(manager.setLoggerClass, int)
    manager.setLoggerClass(type("Mine", (logging.Logger,), {}))
    w.note("made", type(manager.getLogger("c")))
    manager.disable = "ERROR"
    w.note("disable", manager.disable)
    manager._clear_cache() if manager.root else None


@same_as_stdlib
def test_exception_warn_and_fatal(w):
    """Contract 5.2, item 16."""
    log, _, _ = w.plain("%(levelname)s %(funcName)s %(lineno)d %(message)s")
    log.exception("nothing raised")
    try:
        raise LookupError("raised")
    except LookupError as error:
        log.exception("a %s", 1)
        log.exception("b", exc_info=False)
        log.exception("c", exc_info=error)
        log.exception("d", exc_info=None)
        log.exception(error)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        log.warn("e %s", 1)
        log.fatal("f")
        logging.LoggerAdapter(log, None).warn("g")
        logging.warn("h") if hasattr(logging, "warn") else None
        log.warn("i", stacklevel=2)
    for warning in caught:
        w.note("warning", warning.category, str(warning.message), warning.filename, warning.lineno)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        w.catch(log.warn, "j")
        w.catch(log.fatal, "k")


@same_as_stdlib
def test_children(w):
    log = w.logger("a")
    w.note("child", log.getChild("b").name, logging.root.getChild("b").name, log.getChild("b.c").name, log.getChild("").name)
    w.catch(log.getChild, 5)
    w.catch(log.getChild, None)
    logging.getLogger("a.x.y")
    logging.getLogger("ab")
    if sys.version_info >= (3, 12):
        w.note(
            "children",
            sorted(c.name for c in log.getChildren()),
            sorted(c.name for c in logging.root.getChildren()),
            type(log.getChildren()),
        )


@same_as_stdlib
def test_has_handlers_and_effective_level(w):
    log = logging.getLogger("a.b.c")
    w.note("asked", log.hasHandlers(), log.getEffectiveLevel())
    logging.getLogger("a").addHandler(logging.NullHandler())
    logging.getLogger("a").setLevel(13)
    w.note("asked", log.hasHandlers(), log.getEffectiveLevel())
    logging.getLogger("a.b").propagate = False
    w.note("asked", log.hasHandlers(), log.getEffectiveLevel())
    logging.root.setLevel(0)
    logging.getLogger("a").setLevel(0)
    w.note("asked", log.getEffectiveLevel(), log.isEnabledFor(0), log.isEnabledFor(-1))
    logging.root.setLevel(30)


@same_as_stdlib
def test_messages_of_any_kind(w):
    log, _, _ = w.plain("%(message)s")
    for msg in ("x", 5, None, ["a"], b"x", ValueError("e"), {"a": 1}, ("t",), object, "", 1.5):
        log.info(msg)
        log.info(msg, 1)
        log.info(msg, {"a": 1})


@same_as_stdlib
def test_arguments_are_shown_only_when_something_is_written(w):
    shown = []

    class Argument:
        def __str__(self):
            shown.append("str")
            return "argument"

    log = logging.getLogger("app")
    log.setLevel(20)
    log.propagate = False
    log.addHandler(logging.NullHandler())
    log.info("%s", Argument())
    log.debug("%s", Argument())
    w.note("shown", shown)
    handler = w.handler()
    handler.setLevel(50)
    log.addHandler(handler)
    log.info("%s", Argument())
    w.note("shown", shown)
    handler.setLevel(0)
    log.info("%s", Argument())
    log.addHandler(w.handler())
    log.info("%s", Argument())
    w.note("shown", shown)


@same_as_stdlib
def test_logging_while_logging(w):
    """Contract 5.6, item 43: a `str(msg)` that logs is legal; so is a handler, a filter, a formatter."""
    log, handler, _ = w.plain("%(message)s")

    class Argument:
        def __str__(self):
            log.info("from str")
            return "argument"

    class Handler(logging.Handler):
        def emit(self, record):
            if record.msg != "from emit":
                log.warning("from emit")

    log.addHandler(Handler())
    log.info("%s", Argument())
    log.info(Argument())

    class Formatter(logging.Formatter):
        def format(self, record):
            if not record.msg.startswith("from"):
                log.error("from format")
            return super().format(record)

    handler.setFormatter(Formatter("%(message)s"))
    log.info("outer")


@same_as_stdlib
def test_root_logger_is_a_logger_named_root(w):
    root = logging.RootLogger(15)
    w.note("root", root.name, root.level, root.parent, repr(root), root.handlers, root.propagate)
    w.note("reduced", root.__reduce__(), logging.root.__reduce__())
    w.catch(logging.RootLogger)
    w.catch(logging.RootLogger, "nothing")
