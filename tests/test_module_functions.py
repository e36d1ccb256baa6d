"""The functions of the module: getLogger to basicConfig, disable, shutdown; contract 5.2 item 14 and 5.6 item 41."""

import logging
import os
import sys

import pytest
from oracle import same_as_stdlib, same_program

NAMES = ["debug", "info", "warning", "error", "critical", "fatal", "exception"]


@same_as_stdlib
@pytest.mark.parametrize("name", NAMES)
def test_root_functions(w, name):
    call = getattr(logging, name)
    logging.root.addHandler(w.handler("%(levelname)s %(funcName)s %(message)s"))
    for level in (0, 10, 30, 60):
        logging.root.setLevel(level)
        call("plain")
        call("arguments %s %d", "a", 1)
        call("keywords", extra={"k": 1}, stacklevel=2)
        call(msg="by name")
        w.catch(call)
        w.catch(call, "x", odd=1)
        call("%d", "wrong")


@same_as_stdlib
def test_root_functions_configure_only_without_handlers(w):
    """Contract 5.2, item 14."""
    logging.info("configures, though not enabled")
    w.note("handlers", logging.root.handlers)
    logging.warning("written to stderr")
    logging.root.handlers[:] = []
    logging.root.handlers = ()
    w.catch(logging.log, 40, "configures again, where it can")
    w.catch(logging.log, "x", "y")
    w.note("handlers", logging.root.handlers)
    logging.root.handlers = []


@same_as_stdlib
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"format": "%(message)s"},
        {"format": "{message}", "style": "{"},
        {"format": "$message", "style": "$"},
        {"style": "{"},
        {"style": "x"},
        {"level": "DEBUG"},
        {"level": 5},
        {"level": "nothing"},
        {"level": None},
        {"datefmt": "%Y", "format": "%(message)s"},
        {"stream": "STREAM"},
        {"stream": "STREAM", "filename": "f"},
        {"handlers": "HANDLERS"},
        {"handlers": "HANDLERS", "stream": "STREAM"},
        {"handlers": []},
        {"filename": "f", "filemode": "w", "encoding": "utf-8", "errors": "replace"},
        {"filename": "f", "encoding": "ascii"},
        {"filename": "f", "filemode": "ab"},
        {"stream": "STREAM", "filemode": "w"},
        {"encoding": "utf-8"},
        {"odd": 1},
        {"odd": 1, "more": 2},
        {"force": True, "stream": "STREAM"},
        {"filename": None, "stream": None, "handlers": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("configured", [False, True])
def test_basic_config(w, options, configured):
    options = dict(options)
    if configured:
        logging.root.addHandler(w.handler("before %(message)s"))
    if options.get("stream"):
        options["stream"] = w.stream()
    if options.get("handlers") == "HANDLERS":
        formatted = w.handler("own %(message)s")
        options["handlers"] = [formatted, logging.StreamHandler(w.stream()), logging.StreamHandler(w.stream())]
    if options.get("filename"):
        options["filename"] = w.dir / options["filename"]
    w.catch(logging.basicConfig, **options)
    logging.warning("written \xe9")
    w.note(
        "root", logging.root.level, [type(h) for h in logging.root.handlers], len({h.formatter for h in logging.root.handlers})
    )
    w.catch(logging.basicConfig, stream=w.stream())
    logging.error("again")
    w.note("options", sorted(options))


@same_as_stdlib
def test_basic_config_takes_keywords_only(w):
    w.catch(logging.basicConfig, 1)
    w.catch(logging.basicConfig, "x", level=1)


@same_as_stdlib
@pytest.mark.parametrize("level", [logging.CRITICAL, 20, "INFO", "nothing", None, 20.0, 0, -1])
def test_disable(w, level):
    log, _, _ = w.plain()
    log.info("before")
    w.catch(logging.disable, level)
    w.note("disable", logging.root.manager.disable)
    for name in ("debug", "info", "warning", "critical"):
        getattr(log, name)(name)
    logging.disable(logging.NOTSET)
    log.info("after")


@same_as_stdlib
def test_shutdown(w):
    """Contract 5.6, item 41: the live list reversed, OSError and ValueError ignored, `release` always."""
    import weakref

    class Duck:
        def __init__(self, name, error=None, where="flush"):
            self.name, self.error, self.where = name, error, where

        def __getattr__(self, method):
            if method not in ("acquire", "release", "flush", "close"):
                raise AttributeError(method)

            def call():
                w.note("call", self.name, method)
                if self.error and method == self.where:
                    raise self.error("on purpose")

            return call

    ducks = [Duck("a"), Duck("b", OSError), Duck("c", ValueError, "close"), Duck("d", ValueError, "acquire")]
    logging.shutdown([weakref.ref(duck) for duck in ducks])
    for error in (LookupError, KeyboardInterrupt):
        for raising in (True, False):
            logging.raiseExceptions = raising
            duck = Duck("e", error)
            w.catch(logging.shutdown, [weakref.ref(duck)])
    w.catch(logging.shutdown, [lambda: None])
    w.catch(logging.shutdown, None)


@same_as_stdlib
def test_shutdown_takes_the_live_list_and_handlers_stay_usable(w):
    log = w.logger()
    handlers = [logging.FileHandler(w.dir / name, encoding="utf-8") for name in "ab"]
    order = []
    for handler in handlers:
        handler.close = lambda handler=handler: (
            order.append(os.path.basename(handler.baseFilename)) or logging.FileHandler.close(handler)
        )
        log.addHandler(handler)
    log.info("before")
    logging.shutdown()
    log.info("after")
    w.note("order", order)
    logging.shutdown()


@same_as_stdlib
def test_small_functions(w):
    w.note("levels", logging.getLevelNamesMapping(), logging.getLevelNamesMapping() is logging._nameToLevel)
    w.note("factory", logging.getLogRecordFactory(), logging.getLoggerClass())
    w.note("frame", logging.currentframe().f_code.co_name, logging.currentframe() is sys._getframe())
    w.note("internal", logging._is_internal_frame(sys._getframe()))
    for name in (
        "BASIC_FORMAT",
        "CRITICAL",
        "FATAL",
        "ERROR",
        "WARNING",
        "WARN",
        "INFO",
        "DEBUG",
        "NOTSET",
        "__all__",
        "__author__",
        "__status__",
        "__version__",
    ):
        w.catch(getattr, logging, name, None)  # 3.15 warns of __version__
    if sys.version_info >= (3, 12):
        w.catch(logging.getHandlerByName, "x")
        w.catch(logging.getHandlerNames)
    w.catch(logging.setLogRecordFactory, None)


@same_as_stdlib
def test_names_of_the_module(w):
    """Contract 1.3 and 1.4."""
    w.note("names", sorted(vars(logging)), logging.__name__, logging.__file__, logging.__path__)
    w.note("public", [name for name in logging.__all__ if getattr(getattr(logging, name), "__module__", "logging") != "logging"])
    w.note("styles", logging._STYLES, logging._defaultLastResort is logging.lastResort, type(logging._lock))


def test_interpreter_exit():
    """Contract 5.6, item 41: logging from `__del__`, `atexit` and after shutdown works."""
    same_program(
        """
        import atexit, logging, sys
        logging.basicConfig(format="%(message)s", stream=sys.stdout)
        class Dies:
            def __del__(self):
                logging.warning("from __del__ %s", 1)
                logging.getLogger("x").error("%d", 2)
        dies = Dies()
        atexit.register(lambda: logging.warning("from atexit"))
        logging.getLogger("cycle").thing = Dies()
        logging.warning("main ends")
        """
    )


def test_recursion_ends_as_in_the_stdlib():
    """Contract 5.6, item 44: exit status 1, no fatal error."""
    same_program(
        """
        import logging, sys
        sys.stderr = open("errors", "w")
        def rec():
            logging.error("foo")
            rec()
        try:
            rec()
        except RecursionError:
            print("recursion")
        sys.stderr.close()
        import os
        os.unlink("errors")
        sys.stderr = sys.__stderr__
        raise SystemExit(1)
        """
    )


def test_isolated_programs_write_the_same():
    same_program(
        """
        import logging
        logging.debug("a"); logging.info("b"); logging.warning("c %s", 1)
        logging.getLogger("x.y").error("d")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("e")
        logging.getLogger("z").warning("%d", "wrong")
        logging.getLogger("z").propagate = False
        logging.getLogger("z").warning("last resort")
        """
    )


@same_as_stdlib
def test_changes_between_calls_of_one_place(w):
    """What a call that goes the short way reads is read at each call."""
    root = logging.root
    root.addHandler(w.handler("%(levelname)s %(levelno)d %(name)s %(funcName)s:%(lineno)d %(message)s"))
    root.setLevel(10)

    def calls(what):
        w.note(what)
        for text in ("%s once", "%s twice"):
            w.catch(logging.info, text, what)
            w.catch(logging.info, text, what, extra={"k": 1})
            w.catch(logging.info, text, what, extra={"message": 1})

    calls("as made")
    for name in ("info", "isEnabledFor", "_log", "findCaller", "handle", "callHandlers"):
        setattr(root, name, lambda *args, name=name, **kwargs: w.note(name, args[:2], kwargs))
        calls(f"own {name}")
        delattr(root, name)
        calls(f"no own {name}")
    root.disabled = True
    calls("disabled")
    root.disabled = False
    logging.disable(20)
    calls("all disabled")
    logging.disable(0)
    logging.INFO = 21
    calls("another INFO")
    logging.INFO = 20
    handlers, root.handlers = root.handlers, tuple(root.handlers)
    calls("a tuple of handlers")
    root.handlers = handlers
    logging.root = logging.Logger("other", 10)
    logging.root.addHandler(w.handler("other %(message)s"))
    calls("another root")
    logging.root = root
    root.filters.append(lambda record: w.note("filter", record.getMessage()) or True)
    calls("a filter")
    root.filters.clear()
    root.handlers.clear()
    logging.basicConfig = lambda *args: w.note("basicConfig", args)
    calls("no handlers")


@same_as_stdlib
def test_a_handler_that_takes_the_root_logger_away(w):
    class Taking(logging.Handler):
        def emit(self, record):
            w.note("seen", record.getMessage(), record.name, record.levelno)
            if record.getMessage() == "take":
                logging.root, logging.INFO = other, 25

    other = logging.Logger("other", 10)
    other.addHandler(w.handler("other %(levelno)d %(message)s"))
    root = logging.root
    root.setLevel(10)
    for handler in (Taking(), w.handler("%(name)s %(levelno)d %(message)s")):
        root.addHandler(handler)
    for text in ("a", "b", "take", "c"):
        logging.info(text)
