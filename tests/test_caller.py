"""Where a record says it comes from: findCaller, stacklevel, stack_info, frames of femtolog (none)."""

import functools
import inspect
import io
import logging
import sys
import weakref

import pytest
from oracle import same_as_stdlib, same_program

WHERE = "%(pathname)s:%(lineno)d:%(funcName)s %(message)s"


def helper(log, **kwargs):
    log.info("helped", **kwargs)


def outer(log, **kwargs):
    helper(log, **kwargs)


@same_as_stdlib
def test_stacklevel_through_helpers(w):
    """Contract 1.7."""
    log, _, _ = w.plain(WHERE)
    for level in (-5, -1, 0, 1, 2, 3, 4, 100, True, 1.0, 2.5, 10**20):
        w.catch(outer, log, stacklevel=level)
    for level in (None, "2", [], 1j):
        w.catch(outer, log, stacklevel=level)


# fmt: off
@same_as_stdlib
def test_line_of_a_call_over_several_lines(w):
    log, _, _ = w.plain(WHERE)
    log.info(
        "a %s",
        (
            1,
        ),
    )
    log \
        .info(
            "b")
    for name in ("c",
                 "d"): log.info(name)  # noqa: E701
    with_lambda = [lambda: log.info("e"),
                   lambda: log.info("f")]
    for call in with_lambda:
        call()
# fmt: on


@same_as_stdlib
def test_kinds_of_code(w):
    log, _, _ = w.plain(WHERE)

    def generator():
        log.info("generator")
        yield

    async def coroutine():
        log.info("coroutine")

    class Body:
        log.info("class body")

        def __init__(self):
            log.info("init")

        def __getattr__(self, name):
            log.info("getattr")
            return

        def __lt__(self, other):
            log.info("lt")
            return True

        def __del__(self):
            log.info("del")

    list(generator())
    try:
        coroutine().send(None)
    except StopIteration:
        pass
    body = Body()
    _ = body.anything, body < body
    del body
    _ = [log.info("comprehension") for _ in "x"]
    _ = {log.info("dict comprehension"): 1 for _ in "x"}
    list(map(log.info, ["map"]))
    sorted([1], key=lambda x: log.info("key"))
    functools.partial(log.info, "partial")()
    functools.reduce(lambda a, b: log.info("reduce"), [1, 2])
    max("ab", key=lambda x: log.info("max") or 1)
    exec("log.info('exec')", {"log": log})
    exec("def f():\n  log.info('exec def')\nf()", {"log": log})
    eval("log.info('eval')", {"log": log})


@same_as_stdlib
def test_names_of_code_objects_are_odd(w):
    log, _, _ = w.plain(WHERE + " %(module)s %(filename)s")
    for name in (
        "",
        "<string>",
        "no/such/file.py",
        "/\xe9/\u20ac.py",
        "x.pyc",
        "a.b.c",
        logging.__file__,
        "importlib/_bootstrap.py",
        "\ud800",
    ):
        code = compile("log.info('x')", name, "exec")
        exec(code, {"log": log})
        exec(code.replace(co_name="renamed", co_firstlineno=500), {"log": log})


@same_as_stdlib
def test_find_caller_overridden_gets_its_two_arguments(w):
    """Contract 5.3, item 18."""

    class Mine(logging.Logger):
        def findCaller(self, stack_info=False, stacklevel=1):
            w.note("asked", stack_info, stacklevel)
            return "there.py", 7, "they", "their stack" if stack_info else None

    log, _, _ = w.plain(WHERE)
    log.__class__ = Mine
    log.info("a")
    log.info("b", stack_info=True, stacklevel=3)
    for result in (("f", 1, "n"), ("f", 1, "n", None, 5), None, 5, "abcd", (None, None, None, None)):
        log.findCaller = lambda *args, value=result: value
        w.catch(log.info, "c")
    del log.findCaller

    def failing(*args):
        raise ValueError("turned into an unknown file")

    log.findCaller = failing
    log.info("d")


@same_as_stdlib
def test_find_caller_that_counts_frames(w):
    """Contract 5.3, item 18: the stack is as deep as the stdlib's (twisted, absl, old wrappers)."""

    def four_down(*args):
        frame = sys._getframe(3)
        return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, None

    def by_name(*args):
        names = [(f.function, f.filename == logging.__file__) for f in inspect.stack(0)[:6]]
        w.note("stack", names)
        return "f", 1, "n", None

    def skips_logging(*args):
        frame = sys._getframe(1)
        while frame.f_code.co_filename == logging._srcfile:
            frame = frame.f_back
        return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, None

    log, _, _ = w.plain(WHERE)
    for find in (four_down, by_name, skips_logging):
        log.findCaller = find
        log.info("a")
        log.log(20, "b")
        outer(log)
        logging.LoggerAdapter(log, None).info("c")


@same_as_stdlib
def test_order_of_the_steps_of_a_call(w):
    """Contract 5.3, item 19: findCaller, exc_info, makeRecord, handle, each on self."""

    class Mine(logging.Logger):
        def findCaller(self, *args):
            w.note("findCaller", args)
            return super().findCaller(*args)

        def makeRecord(self, *args, **kwargs):
            w.note("makeRecord", args[1:2], args[4:7], kwargs, len(args))
            return super().makeRecord(*args, **kwargs)

        def handle(self, record):
            w.note("handle", record)
            super().handle(record)

    log, _, _ = w.plain(WHERE)
    log.__class__ = Mine
    log.info("x %s", 1)
    try:
        raise LookupError
    except LookupError as error:
        for info in (True, error, (1, 2, 3), 5, "text", False, 0, None, (), []):
            w.catch(log.info, "y", exc_info=info)
    log.info("nothing raised", exc_info=True)
    w.catch(log.info, "z", exc_info=ValueError("never raised"))


@same_as_stdlib
def test_find_caller_called_by_hand(w):
    log = w.logger()

    def here(**kwargs):
        return log.findCaller(**kwargs)

    w.note("caller", here(), here(stacklevel=2)[2], here(stack_info=True)[3][:40])
    w.note("last line", here(stack_info=True)[3].splitlines()[-1])
    w.catch(log.findCaller, False, 1, 2)


@same_as_stdlib
def test_stack_info_ends_with_the_line_of_the_call(w):
    """Contract 1.7."""
    log, _, _ = w.plain("%(message)s")
    records = w.keeper(log)
    log.info("x", stack_info=True)
    outer(log, stack_info=True)
    outer(log, stack_info=True, stacklevel=3)
    for record in records:
        w.note("last", record.stack_info.splitlines()[-2:], record.stack_info.splitlines()[0], record.stack_info.endswith("\n"))


@same_as_stdlib
def test_make_record_by_hand_with_any_arguments(w):
    log = w.logger()
    w.catch(log.makeRecord, "n", 20, "f", 1, "m", (), None)
    w.catch(log.makeRecord, "n", 20, "f", 1, "m", (), None, "func", {"k": 1}, "sinfo")
    w.catch(log.makeRecord, name="n", level=20, fn="f", lno=1, msg="m", args=(), exc_info=None, func=None, extra=None, sinfo=None)
    w.catch(log.makeRecord, "n")


@same_as_stdlib
def test_module_functions_are_not_the_caller(w):
    """Contract 5.2, item 14."""
    logging.root.addHandler(w.handler(WHERE))

    def here():
        logging.warning("a")
        logging.warning("b", stacklevel=2)
        logging.log(40, "c")
        logging.exception("d")

    here()


@same_as_stdlib
def test_decorated_and_wrapped_loggers(w):
    log, _, _ = w.plain(WHERE)

    def traced(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    log.info = traced(log.info)
    log.info("the wrapper is the caller")
    log.info("its caller", stacklevel=2)
    logging.Logger.warning = traced(logging.Logger.warning)
    log.warning("by the class")
    log.warning("its caller", stacklevel=2)


@same_as_stdlib
def test_calls_from_trace_and_profile_functions(w):
    log, _, _ = w.plain(WHERE)
    busy = []

    def profile(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "profiled" and not busy:
            busy.append(1)
            log.info("from the profiler")

    def profiled():
        pass

    sys.setprofile(profile)
    try:
        profiled()
    finally:
        sys.setprofile(None)


def test_frames_of_a_tracing_debugger_show_no_femtolog():
    """No femtolog frame ever shows: not in stacks, tracebacks, or call stacks of errors."""
    shown = same_program(
        """
        import logging, sys, traceback

        class Bad:
            def __str__(self):
                for frame in traceback.extract_stack():
                    if "logging" not in frame.filename:
                        print(frame.name, frame.lineno, frame.line)
                raise ValueError("bad")

        logging.basicConfig(format="%(message)s", stream=sys.stdout)
        def main():
            logging.warning(Bad())
            logging.getLogger("x").error("%s", Bad())
        main()
        """
    )
    assert "femtolog" not in shown


@same_as_stdlib
def test_last_frame_is_not_kept_alive(w):
    import gc
    import weakref

    class Local:
        pass

    log, _, _ = w.plain(WHERE)

    def here():
        local = Local()
        log.info("x", stack_info=True)
        log.info("%d", "wrong")
        try:
            raise ValueError(local)
        except ValueError:
            log.exception("y")
        return weakref.ref(local)

    ref = here()
    gc.collect()
    w.note("dead", ref() is None)


@same_as_stdlib
@pytest.mark.parametrize("depth", [0, 1, 5, 50])
def test_deep_callers(w, depth):
    log, _, _ = w.plain(WHERE)

    def down(left):
        if left:
            down(left - 1)
        else:
            for level in (1, depth, depth + 1, depth + 2, depth + 200):
                log.info("x", stacklevel=level)

    down(depth)


def test_stack_of_a_whole_program():
    same_program(
        """
        import logging, sys
        logging.basicConfig(format="%(filename)s:%(lineno)d:%(funcName)s %(message)s", stream=sys.stdout)
        def f():
            logging.warning("a", stack_info=True, stacklevel=2)
            logging.getLogger("x").warning("b", stack_info=True)
            logging.error("c", stacklevel=50)
        f()
        exec("logging.error('d', stack_info=True)")
        """
    )


@same_as_stdlib
def test_callback_of_a_forgotten_code_object_changes_the_handler(w):
    """More places than are remembered: the last reference to a code object goes while a line is being written."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(lineno)d %(message)s"))
    handler.terminator = f"end {0:03}"
    log = w.logger()
    log.addHandler(handler)
    refs, died, others = [], [], []

    def gone(ref):
        died.append(ref)
        handler.terminator = f"end {len(died) % 1000:03}"
        # In the place of the one that was there.
        others[:] = [f"other {i % 10}" for i in range(50)]

    for i in range(6000):
        code = compile("log.info('m')", f"<place {i}>", "exec")
        refs.append(weakref.ref(code, gone))
        exec(code, {"log": log})
        del code
    w.note("died", len(died) > 1000)
    w.note("ends", handler.stream.getvalue().count("end"))
