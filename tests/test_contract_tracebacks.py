"""Texts of tracebacks and stacks: exc_info in all its forms, chains, groups, notes, errors while handling."""

import io
import logging
import sys
import traceback

import pytest
from oracle import same_as_stdlib, same_program
from test_generated_calls import EXC_INFOS


@same_as_stdlib
@pytest.mark.parametrize("kind", sorted(EXC_INFOS))
@pytest.mark.parametrize("style", ["%", "{", "$"])
def test_exc_info_in_every_form(w, kind, style):
    """Contract 5.3, item 19."""
    fmt = {"%": "%(message)s", "{": "{message}", "$": "$message"}[style]
    log, _, _ = w.plain(fmt, style=style)
    records = w.keeper(log)
    w.catch(log.info, "outside", exc_info=EXC_INFOS[kind]())
    try:
        raise LookupError("being handled")
    except LookupError:
        w.catch(log.info, "inside", exc_info=EXC_INFOS[kind]())
        w.catch(log.exception, "inside", exc_info=EXC_INFOS[kind]())
    w.note("records", records)


def long_trace(depth):
    if depth:
        return long_trace(depth - 1)
    raise ValueError("deep")


@same_as_stdlib
def test_repeated_frames_are_folded(w):
    log, _, _ = w.plain()
    try:
        long_trace(30)
    except ValueError:
        log.exception("deep")


@same_as_stdlib
def test_syntax_errors_unicode_and_multiline_messages(w):
    log, _, _ = w.plain()
    for source in ("1 +", "f(\n\n", "\xe9 = = 5", "'unfinished"):
        try:
            compile(source, "<\xe9 source>", "exec")
        except SyntaxError:
            log.exception("syntax")
    for error in (
        ValueError("a\nb"),
        ValueError("\xe9\ud800"),
        ValueError(),
        KeyError("k"),
        OSError(2, "no", "f"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    ):
        try:
            raise error
        except Exception:
            log.exception("any")


@same_as_stdlib
def test_notes_causes_contexts_and_groups(w):
    log, _, _ = w.plain()
    for kind in ("chained", "during", "group", "unshowable"):
        log.error(kind, exc_info=EXC_INFOS[kind]())
    try:
        try:
            raise ValueError("hidden")
        except ValueError:
            raise KeyError("shown") from None
    except KeyError as error:
        error.__notes__ = ["note", 5, "two\nlines"]
        log.exception("from None")
        error.__notes__ = "no list"
        log.exception("odd notes")
    loop = ValueError("loop")
    other = KeyError("other")
    loop.__cause__, other.__context__ = other, loop
    log.error("a loop", exc_info=loop)


@same_as_stdlib
def test_exception_classes_from_other_modules_and_nested_ones(w):
    class Local(Exception):
        __module__ = "some.where"

    class NoModule(Exception):
        __module__ = None

    log, _, _ = w.plain()
    for cls in (Local, NoModule, type("Dynamic", (Exception,), {"__qualname__": "A.B"})):
        try:
            raise cls("x")
        except Exception:
            log.exception("any")


@same_as_stdlib
def test_format_exception_and_format_stack_overridden(w):
    class Mine(logging.Formatter):
        def formatException(self, ei):
            return f"<{ei[0].__name__}: {super().formatException(ei).splitlines()[-1]}>"

        def formatStack(self, stack_info):
            return f"<{len(stack_info) > 0}>"

    log, handler, _ = w.plain()
    handler.setFormatter(Mine("%(message)s"))
    other = w.handler()
    log.addHandler(other)
    try:
        raise LookupError("x")
    except LookupError:
        log.exception("shared by the second handler", stack_info=True)


@same_as_stdlib
def test_text_is_made_once_for_all_handlers(w):
    count = []

    class Error(Exception):
        def __str__(self):
            count.append(1)
            return "error"

    log, _, _ = w.plain()
    log.addHandler(w.handler("%(message)s"))
    records = w.keeper(log)
    try:
        raise Error
    except Error:
        log.exception("x")
    w.note("shown", len(count), records)


@same_as_stdlib
def test_exc_text_and_stack_info_set_by_a_filter(w):
    log, handler, _ = w.plain("%(message)s")

    def change(record):
        record.exc_text, record.stack_info = "own text", "own stack"
        return True

    handler.addFilter(change)
    log.info("a")
    try:
        raise LookupError
    except LookupError:
        log.exception("b")
    handler.addFilter(lambda record: setattr(record, "exc_info", None) or True)
    log.error("c")


@same_as_stdlib
def test_errors_raised_deep_in_an_argument(w):
    """Contract 5.5, item 34."""

    def inner():
        raise LookupError("deep in str")

    class Argument:
        def __str__(self):  # noqa: PLE0307
            try:
                inner()
            except LookupError as error:
                raise ValueError("outer") from error

    log, _, _ = w.plain()

    def caller():
        log.info("%s", Argument())

    caller()
    (lambda: log.info(Argument()))()


@same_as_stdlib
def test_error_in_a_python_formatter_handler_and_filter(w):
    class Formatter(logging.Formatter):
        def format(self, record):
            raise LookupError("in format")

    log, handler, _ = w.plain()
    handler.setFormatter(Formatter())
    log.info("x")

    class Handler(logging.StreamHandler):
        def emit(self, record):
            try:
                {}["missing"]
            except KeyError:
                self.handleError(record)

    log.handlers[:] = [Handler(w.stream())]
    log.info("y %s", 1)


@same_as_stdlib
def test_error_while_another_is_being_handled(w):
    log, _, _ = w.plain()
    try:
        raise ValueError("outer")
    except ValueError:
        log.info("%d", "x")
        log.exception("%d", "y")
        w.note("current", sys.exc_info()[1])


@same_as_stdlib
def test_traceback_module_replaced_in_part(w):
    log, _, _ = w.plain()
    saved = traceback.print_exception
    traceback.print_exception = lambda *args, **kwargs: (kwargs.get("file") or args[4]).write("patched\n")
    log.info("%d", "x")
    try:
        raise LookupError
    except LookupError:
        log.exception("y")
    traceback.print_exception = saved
    saved, io.StringIO = io.StringIO, lambda: 1 / 0
    try:
        raise LookupError
    except LookupError:
        log.exception("z")
    io.StringIO = saved


def test_error_blocks_of_whole_programs():
    same_program(
        """
        import logging
        logging.basicConfig(format="%(message)s %(nothing)s")
        def f():
            logging.warning("field")
        f()
        class Bad:
            def __repr__(self):
                raise ValueError("repr")
        logging.root.handlers[0].setFormatter(logging.Formatter("%(message)s"))
        logging.warning("%d", Bad())
        logging.getLogger("a").error("%s")
        logging.getLogger("a").error("%s %s", 1)
        [logging.error("%d", x) for x in "ab"]
        exec("logging.error('%d', 'x')")
        """
    )


def test_error_blocks_without_raw_reads():
    """The public twin of raw.rs lists the same call stack."""
    same_program(
        """
        import logging
        logging.basicConfig(format="%(message)s %(nothing)s")
        def f():
            logging.warning("field")
        f()
        """,
        FEMTOLOG_RAW="0",
    )
