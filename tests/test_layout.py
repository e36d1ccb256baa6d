"""The shapes of objects: copies, pickles, foreign bases, `__class__`, `__dict__`, reprs, signatures. All as the interpreter has them."""

import copy
import inspect
import io
import logging
import logging.config
import logging.handlers
import pickle
import random
import subprocess
import sys
import threading
import types
import weakref

import pytest
from oracle import same_as_stdlib, same_program
from oracle.uses import KINDS

FUNCTIONS = sys.version_info >= (3, 12)
"""On 3.11 method descriptors stand in the classes (docs/reference/differences.md)."""
PROTOCOLS = pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
CLASSES = [
    "Filterer",
    "Filter",
    "Formatter",
    "BufferingFormatter",
    "PercentStyle",
    "StrFormatStyle",
    "StringTemplateStyle",
    "Handler",
]
CLASSES += [
    "StreamHandler",
    "FileHandler",
    "NullHandler",
    "Logger",
    "RootLogger",
    "LoggerAdapter",
    "LogRecord",
    "Manager",
    "PlaceHolder",
]


class Empty:
    """What coloredlogs makes its copies of."""


class Foreign:
    """A base that knows nothing of logging."""

    def __init__(self):
        self.foreign = True


@same_as_stdlib
def test_empty_object_becomes_a_record_by_class_assignment(w):
    """coloredlogs' copy: contract 5.1, items 1 and 2."""
    log, _, _ = w.plain()
    records = w.keeper(log)
    log.info("x %s", 1, extra={"k": 2})
    twin = Empty()
    twin.__class__ = records[0].__class__
    twin.__dict__.update(records[0].__dict__)
    twin.msg = "changed %s"
    w.note("twin", twin, twin.getMessage(), records[0])
    log.handle(twin)
    w.note("formatted", logging.Formatter("%(message)s %(k)s").format(twin))


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
def test_class_of_anything_assigned_back_and_forth(w, kind):
    thing = KINDS[kind][0](w)
    cls = type(thing)
    below = type("Below", (cls,), {"added": True})
    thing.__class__ = below
    w.note("below", type(thing), thing.added, thing)
    thing.__class__ = cls
    empty = Empty()
    empty.__class__ = cls
    w.note("empty", type(empty), vars(empty))
    w.catch(repr, empty)
    empty.__dict__.update(vars(thing))
    w.note("filled", list(vars(empty)))


@same_as_stdlib
def test_handler_that_is_a_dict(w):
    class Handler(dict, logging.Handler):
        def __init__(self):
            dict.__init__(self)
            logging.Handler.__init__(self)

        def emit(self, record):
            self[record.getMessage()] = record.levelname

        __hash__ = object.__hash__

    log, _, _ = w.plain()
    log.handlers[:] = [handler := Handler()]
    log.info("x")
    handler.level = 40
    log.info("y")
    log.error("z")
    w.note("holds", handler)


@same_as_stdlib
@pytest.mark.parametrize(
    "base", [dict, list, set, bytearray, io.StringIO, random.Random, threading.local, types.SimpleNamespace, Exception]
)
@pytest.mark.parametrize("kind", ["StreamHandler", "Handler"])
@pytest.mark.parametrize("first", [True, False])
def test_handler_with_a_c_class_beside_it(w, base, kind, first):
    """As a Qt class would be: a base with its own layout, contract 5.1, item 2."""
    cls = getattr(logging, kind)

    class Handler(*((base, cls) if first else (cls, base))):
        def __init__(self, *args):
            base.__init__(self)
            cls.__init__(self, *args)
            self.got = []

        def format(self, record):
            self.got.append(record.getMessage())
            return super().format(record) if first is False else cls.format(self, record)

        if kind == "Handler":

            def emit(self, record):
                self.got.append(record.msg)

        __hash__ = object.__hash__
        __eq__ = object.__eq__
        __lt__ = object.__lt__

    log, _, _ = w.plain()
    stream = w.stream()
    handler = Handler(stream) if kind == "StreamHandler" else Handler()
    handler.setFormatter(logging.Formatter("%(message)s!"))
    log.handlers[:] = [handler]
    log.info("x")
    w.catch(handler.handle, logging.makeLogRecord({"msg": "y", "levelno": 20}))
    handler.level = 50
    log.info("z")
    w.note("got", handler.got)


@same_as_stdlib
def test_handler_local_to_each_thread(w):
    class Handler(threading.local, logging.StreamHandler):
        def __init__(self, stream):
            logging.StreamHandler.__init__(self, stream)

    log, _, _ = w.plain()
    stream = w.stream()
    handler = Handler(stream)
    handler.setFormatter(logging.Formatter("main %(message)s"))
    log.handlers[:] = [handler]
    log.info("x")

    def work():
        w.note("formatter", handler.formatter)
        log.info("y")
        handler.setFormatter(logging.Formatter("thread %(message)s"))
        handler.level = 30
        log.info("z")
        log.error("w")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    log.info("main again")


@same_as_stdlib
@pytest.mark.parametrize("kind", ["Logger", "Formatter", "Filter", "LogRecord", "Handler", "LoggerAdapter"])
@pytest.mark.parametrize("base", [dict, Exception, Foreign])
def test_other_classes_with_a_foreign_base(w, kind, base):
    cls = getattr(logging, kind)
    arguments = {"Logger": ("n",), "LogRecord": ("n", 20, "p", 1, "m", (), None), "LoggerAdapter": (logging.getLogger("x"), None)}

    class Both(base, cls):
        def __init__(self, *args):
            base.__init__(self)
            cls.__init__(self, *args)

        __hash__ = object.__hash__

    thing = w.catch(Both, *arguments.get(kind, ()))
    w.note("vars", list(vars(thing)), isinstance(thing, cls), isinstance(thing, base))


def test_qt_object_as_second_base():
    """A real Qt class: contract 5.1, item 2. In processes of its own, because Qt's modules hook into the interpreter's."""
    loaded = subprocess.run([sys.executable, "-P", "-c", "import PySide6.QtCore"], capture_output=True, text=True)
    if loaded.returncode != 0:
        pytest.skip(
            f"PySide6, or a system library it loads, is not on this machine: ends where both are ({loaded.stderr.splitlines()[-1]})"
        )
    same_program(
        """
        import logging
        from PySide6 import QtCore

        class Handler(QtCore.QObject, logging.Handler):
            def __init__(self):
                QtCore.QObject.__init__(self)
                logging.Handler.__init__(self)
                self.got = []

            def emit(self, record):
                self.got.append(record.getMessage())

        log = logging.Logger("qt")
        log.addHandler(handler := Handler())
        log.info("x %s", 1)
        print(handler.got, list(vars(handler)), isinstance(handler, QtCore.QObject), handler.signalsBlocked())
        assert handler.got == ["x 1"]
        """
    )


@same_as_stdlib
def test_class_of_a_logger_replaced(w):
    """Contract 5.1, item 3."""

    class Sub(logging.Logger):
        def warning(self, msg, *args, **kwargs):
            super().warning("sub " + msg, *args, **kwargs)

    log, _, _ = w.plain()
    log.warning("a")
    log.__class__ = Sub
    log.warning("b")
    log.info("c")
    log.__class__ = logging.Logger
    log.warning("d")
    logging.root.__class__ = type("Root", (logging.RootLogger,), {})
    logging.error("e")
    w.note("root", logging.root)
    logging.root.__class__ = logging.RootLogger


@same_as_stdlib(live=False)
@PROTOCOLS
def test_pickles_of_records(w, protocol):
    """Contract 5.1, item 1: what was pickled loads without femtolog, and the other way round."""
    log, _, _ = w.plain()
    records = w.keeper(log)
    log.info("x %s", 1, extra={"k": [1]})
    record = logging.makeLogRecord({"msg": "made"})
    for one in (records[0], record):
        data = pickle.dumps(one, protocol)
        w.note("pickle", data)
        w.note("loaded", pickle.loads(data), type(pickle.loads(data)))


@same_as_stdlib
@PROTOCOLS
def test_pickles_of_loggers(w, protocol):
    """Contract 5.1, item 6."""
    log = logging.getLogger("a.b")
    for thing in (log, logging.root, logging.getLogger()):
        data = pickle.dumps(thing, protocol)
        w.note("pickle", data, pickle.loads(data) is thing)
    w.catch(pickle.dumps, logging.Logger("a.b"), protocol)
    w.catch(pickle.dumps, logging.Logger("unknown"), protocol)
    w.catch(pickle.dumps, logging.LoggerAdapter(log, {"k": 1}), protocol)


@same_as_stdlib
@PROTOCOLS
def test_pickles_of_formatters_filters_and_handlers(w, protocol):
    for thing in (
        logging.Formatter("%(message)s", "%Y"),
        logging.Formatter("{message}", style="{", defaults={"k": 1}),
        logging.Formatter("$message", style="$"),
        logging.Filter("a.b"),
        logging.BufferingFormatter(),
        logging.PercentStyle("%(message)s"),
        logging.NullHandler(),
        w.handler(),
    ):
        data = w.catch(pickle.dumps, thing, protocol)
        if isinstance(data, bytes):
            loaded = pickle.loads(data)
            w.note("loaded", type(loaded), vars(loaded))


@same_as_stdlib
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_copies(w, how):
    log, _, _ = w.plain()
    records = w.keeper(log)
    log.info("x %s", [1], extra={"k": {"deep": []}})
    twin = how(records[0])
    w.note("copy", twin, twin.args is records[0].args, twin.k is records[0].k)
    w.note("logger", how(log) is log, how(logging.root) is logging.root)
    for thing in (logging.Formatter("{message}", style="{"), logging.Filter("x"), logging.PercentStyle("%(message)s")):
        w.note("copy", type(how(thing)), vars(how(thing)))
    w.catch(how, logging.NullHandler())


@same_as_stdlib
def test_records_made_without_init(w):
    """Contract 5.1, item 1."""
    record = logging.LogRecord.__new__(logging.LogRecord)
    w.note("empty", vars(record))
    for call in (repr, str, logging.LogRecord.getMessage, logging.Formatter().format, w.handler().format, w.handler().handle):
        w.catch(call, record)
    record.__dict__.update(vars(logging.makeLogRecord({"msg": "filled %s", "args": (1,), "levelno": 20})))
    w.note("message", record.getMessage(), logging.Formatter().format(record))
    w.catch(logging.LogRecord.__new__, logging.LogRecord, 1, 2, 3, odd=4)


@same_as_stdlib
@pytest.mark.parametrize("name", CLASSES)
def test_objects_whose_init_never_ran(w, name):
    """Contract 5.1, item 1: they fail as in the stdlib, and never crash."""
    cls = getattr(logging, name)
    record = logging.makeLogRecord({"msg": "m", "levelno": 20, "levelname": "INFO", "name": "n"})
    samples = [(), (record,), (20,), ("text",), (20, "m", ()), (record, "x"), (None,), ([record],)]
    for method in sorted(n for n in dir(cls) if not n.startswith("__") and n != "converter"):
        for arguments in samples:
            thing = cls.__new__(cls)
            w.note(method, len(arguments))
            function = w.catch(getattr, thing, method)
            if callable(function):
                w.catch(function, *arguments)
    w.catch(repr, cls.__new__(cls))


@same_as_stdlib
@pytest.mark.parametrize("name", CLASSES)
def test_methods_called_with_a_foreign_self(w, name):
    cls = getattr(logging, name)
    for method in sorted(n for n in dir(cls) if not n.startswith("__") and n != "converter" and callable(getattr(cls, n))):
        for thing in (None, 5, Empty(), object()):
            for arguments in ((), ("m",), (20, "m")):
                w.note(method, len(arguments))
                w.catch(getattr(cls, method), thing, *arguments)


@same_as_stdlib
@pytest.mark.parametrize("name", CLASSES)
def test_methods_called_with_wrong_arguments(w, name):
    """Texts of TypeErrors are the interpreter's."""
    made = {"Logger": ("n",), "RootLogger": (20,), "LogRecord": ("n", 20, "p", 1, "m", (), None), "Manager": (logging.root,)}
    made |= {"LoggerAdapter": (w.logger(), None), "PlaceHolder": (w.logger(),), "FileHandler": (w.dir / "f", "a", None, True)}
    made |= {style: ("x",) for style in CLASSES if style.endswith("Style")}
    cls = getattr(logging, name)
    thing = cls(*made.get(name, ()))
    for method in sorted(n for n in dir(cls) if not n.startswith("__") and callable(getattr(cls, n))):
        if method == "converter":
            continue
        function = getattr(thing, method)
        parameters = list(inspect.signature(function).parameters.values())
        w.note(method)
        w.catch(function, *range(30)) if parameters and not any(p.kind is p.VAR_POSITIONAL for p in parameters) else None
        if parameters and parameters[0].default is inspect.Parameter.empty:
            w.catch(function)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            w.catch(function, *(["x"] * sum(p.default is p.empty for p in parameters)), no_such_argument=1)
        w.catch(function, **{p.name: None for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}, no_such=1)
    w.catch(cls)
    w.catch(cls, *range(30))
    w.catch(cls, no_such_argument=1)


@same_as_stdlib
def test_arguments_by_keyword_and_by_position(w):
    log, handler, _ = w.plain()
    log.info(msg="by name")
    w.catch(log.info, "x", msg="twice")
    log.log(level=20, msg="by name")
    log.log(20, msg="by name")
    log.info("x %s %s", *[1, 2], **{"extra": {"k": 1}, "stacklevel": 1})
    logging.Logger.info(log, "unbound")
    if FUNCTIONS:
        logging.Logger.info(self=log, msg="self by name")
        logging.Logger.isEnabledFor(self=log, level=20)
    w.catch(log.info)
    w.catch(log.log, 20)
    w.catch(log.info, "x", odd=1)
    w.catch(log.info, "x", **{"exc info": 1})
    handler.handle(record=logging.makeLogRecord({"msg": "m", "levelno": 20}))
    handler.format(record=logging.makeLogRecord({"msg": "m"}))
    handler.formatter.formatTime(record=logging.makeLogRecord({"created": 1.0, "msecs": 2.0}), datefmt="%Y")
    w.note(
        "record",
        logging.LogRecord(
            name="n", level=20, pathname="p", lineno=1, msg="m", args=(), exc_info=None, func="f", sinfo="s", odd=1
        ),
    )
    bound = log.info
    bound("a bound method kept")
    unbound = logging.Logger.warning
    unbound(log, "a function kept")


@same_as_stdlib
@pytest.mark.parametrize("kind", KINDS)
def test_attributes_of_new_objects_and_their_order(w, kind):
    thing = KINDS[kind][0](w)
    w.note("vars", list(vars(thing)))
    w.note("dir", dir(thing))
    w.note("repr", repr(thing).replace(str(w.dir), "<dir>") if kind.endswith("FileHandler") else repr(thing))
    alive = weakref.ref(thing)
    w.note("hash", hash(thing) == hash(thing), thing == thing, thing != thing, alive() is thing)
    thing.new_attribute = 5
    del thing.new_attribute
    w.note("size", sys.getsizeof(thing) == sys.getsizeof(KINDS[kind][0](w)))
    w.note(
        "bases", [c.__name__ for c in type(thing).__mro__], type(thing).__flags__ & (1 << 8 | 1 << 9), type(thing).__basicsize__
    )


@same_as_stdlib
@pytest.mark.parametrize("module", ["logging", "logging.handlers", "logging.config"])
def test_public_names_signatures_and_docstrings(w, module):
    """Contract 1.4. `inspect.signature`, `__doc__`, `__module__`, `__qualname__`, of every function, class and method."""
    real = sys.modules[module]

    def shape(thing):
        try:
            signature = str(inspect.signature(thing))
        except (TypeError, ValueError) as error:
            signature = type(error).__name__
        names = ["__doc__", "__name__", "__qualname__"]
        if FUNCTIONS or inspect.isclass(thing):
            names.append("__module__")
        else:
            signature = signature.replace("(self, /", "(self")
        return [signature, *(getattr(thing, name, None) for name in names)]

    w.note("names", sorted(vars(real)), getattr(real, "__all__", None))
    for name, value in sorted(vars(real).items()):
        if inspect.isfunction(value) or inspect.isbuiltin(value) or inspect.isclass(value):
            w.note(name, shape(value))
        if inspect.isclass(value) and value.__module__ == module:
            w.note("members", list(vars(value)), dir(value))
            for member in vars(value):
                if not member.startswith("__") or member == "__init__":
                    w.note(member, shape(getattr(value, member)), callable(getattr(value, member)))


@same_as_stdlib
def test_sources_and_code_of_methods(w):
    if sys.version_info < (3, 12):
        pytest.skip("a method descriptor has no source: ends with 3.11")
    for cls in (logging.Logger, logging.Handler, logging.StreamHandler, logging.Formatter, logging.LogRecord):
        for name, value in vars(cls).items():
            if callable(value) and not isinstance(value, type) and name != "converter":
                w.note(
                    name,
                    type(value),
                    value.__code__.co_name,
                    value.__defaults__,
                    value.__kwdefaults__,
                    len(inspect.getsource(value)),
                )


@same_as_stdlib
def test_methods_are_told_from_functions(w):
    if not FUNCTIONS:
        pytest.skip("a bound method is a built-in method: ends with 3.11")
    log = w.logger()
    w.note("method", inspect.ismethod(log.info), inspect.isroutine(logging.Logger.info), log.info.__self__ is log)
    w.note("same", log.info == log.info, logging.Logger.info is logging.Logger.info, log.info.__name__, log.info.__qualname__)
    w.note("repr", repr(log.info), repr(logging.Logger.fatal == logging.Logger.critical), log.info.__doc__)
    w.note("abstract", inspect.isabstract(logging.Handler), issubclass(logging.RootLogger, logging.Logger))
    w.note("generic", repr(logging.LoggerAdapter[logging.Logger]), repr(logging.StreamHandler[io.StringIO]))


@same_as_stdlib
def test_reprs_use_the_class_and_the_name_of_the_level(w):
    """Contract 5.1, item 5."""
    log, handler, stream = w.plain()
    logging.addLevelName(15, "FIFTEEN")
    named = type("Named", (io.StringIO,), {"name": 7})()
    sub = type("Sub", (logging.StreamHandler,), {})(named)
    for level in (0, 15, 33, 20, "ERROR"):
        log.setLevel(level)
        sub.setLevel(level)
        w.note(
            "repr",
            repr(log),
            str(log),
            repr(sub),
            repr(handler),
            repr(logging.NullHandler(level)),
            repr(logging.LoggerAdapter(log)),
        )
    file = logging.FileHandler(w.dir / "f.log", delay=True)
    w.note("file", repr(file).replace(str(w.dir), "<dir>"), repr(logging.root), repr(logging.lastResort))
    log.name = None
    w.note("no name", repr(log), repr(logging.Logger("x\ny")), repr(logging.Logger("")))
    log.name = "app"


@same_as_stdlib
def test_repr_and_str_of_a_record(w):
    """Contract 5.1, item 6."""
    record = logging.LogRecord("n\xe9", 20, "p\n", 3, "m %s", ("a",), None)
    w.note("repr", repr(record), str(record), f"{record}", "%s" % record)
    w.catch(lambda: repr(logging.LogRecord(None, None, None, None, None, None, None)))
    w.catch(lambda: repr(logging.LogRecord(1, 2.5, 3, "4", b"5", 6, 7)))
