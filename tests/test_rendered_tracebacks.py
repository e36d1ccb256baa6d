"""Tracebacks and stacks put together from what `traceback` rendered before are what it would render now.

Everything is logged several times from one place, so that what is kept is used, and changed in between.
"""

import ast
import asyncio
import builtins
import contextlib
import functools
import gc
import io
import linecache
import logging
import os
import subprocess
import sys
import textwrap
import traceback
import types
import weakref
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from oracle import same_as_stdlib as both_sides
from oracle.sides import SIDES, on

TIMES = 4


def same_as_stdlib(scenario: Callable[..., Any]) -> Any:
    """As in the other tests; each side begins with nothing in `linecache`."""

    @functools.wraps(scenario)
    def begin(*args: Any, **kwargs: Any) -> None:
        linecache.clearcache()
        scenario(*args, **kwargs)

    return both_sides(begin)


def caught(function: Callable[..., Any], *args: Any) -> BaseException:
    try:
        function(*args)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def log_often(log: Any, function: Callable[..., Any], *args: Any) -> None:
    """The same thing fails several times, and one failure is logged several times."""
    for _ in range(TIMES):
        error = caught(function, *args)
        log.error("again", exc_info=error)
    for _ in range(2):
        log.error("the same", exc_info=error)


def known_files() -> list[str]:
    return sorted(map(str, linecache.cache))


# ---- the shapes of exceptions


class Plain(Exception):
    pass


class Inner:
    class Nested(Plain):
        pass


class Told(Exception):
    asked = 0

    def __str__(self) -> str:
        Told.asked += 1
        return f"told {self.args}"


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class NoText(Exception):
    def __str__(self) -> Any:
        return 5  # noqa: PLE0307 - that is what is tested


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "another"


class OddText(Exception):
    def __str__(self) -> str:
        return Text("odd")


class Stopping(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


class Elsewhere(Exception):
    __module__ = "some.where"


class Nowhere(Exception):
    __module__ = None  # type: ignore[assignment]


class False_(Exception):
    def __bool__(self) -> bool:
        return False


class Empty(Exception):
    def __len__(self) -> int:
        return 0


class Meta(type):
    __qualname__ = "Meta"

    @property
    def __module__(cls) -> str:  # type: ignore[override]
        return "made up"


class OfMeta(Exception, metaclass=Meta):
    pass


class Attributes(Exception):
    def __getattr__(self, name: str) -> Any:
        if name == "__notes__":
            return ["from getattr"]
        raise AttributeError(name)


class NotedClass(Exception):
    __notes__ = ["of the class"]


class OwnCause(Exception):
    @property
    def __cause__(self) -> Any:
        return Plain("made up")


class OwnOSError(OSError):
    def __init__(self, text: str) -> None:
        self.text = text


class ErrorOfTwo(KeyError, Plain):
    pass


class Repr:
    def __repr__(self) -> str:
        return "<repr>"

    def __str__(self) -> str:
        return "<str>"


def noted(error: BaseException, *notes: Any) -> BaseException:
    error.__notes__ = list(notes)
    return error


def with_attributes(error: BaseException, **attributes: Any) -> BaseException:
    vars(error).update(attributes)
    return error


ERRORS: dict[str, Callable[[], BaseException]] = {
    "no message": Plain,
    "a message": lambda: Plain("message"),
    "an empty message": lambda: Plain(""),
    "lines": lambda: Plain("one\ntwo\r\nthree\n"),
    "two arguments": lambda: Plain("a", 2, 3.5, None, True),
    "not ascii": lambda: Plain("\xe9 \u4e2d \U0001f600"),
    "a lone surrogate": lambda: Plain("\ud800"),
    "an odd argument": lambda: Plain(Repr()),
    "odd arguments": lambda: Plain(Repr(), Repr()),
    "bytes": lambda: Plain(b"x"),
    "a large number": lambda: Plain(10**30),
    "a number too large": lambda: Plain(10**5000),
    "another error": lambda: Plain(ValueError("x")),
    "a text of its own class": lambda: Plain(Text("x")),
    "nested": lambda: Inner.Nested("x"),
    "value": lambda: ValueError("x"),
    "key": lambda: KeyError("k"),
    "tuple key": lambda: KeyError(("a", 1)),
    "no key": KeyError,
    "two keys": lambda: KeyError("a", "b"),
    "a kind of key": lambda: ErrorOfTwo("k"),
    "an odd key": lambda: KeyError(Repr()),
    "os": lambda: OSError("x"),
    "os errno": lambda: OSError(2, "no"),
    "os file": lambda: OSError(2, "no", "f"),
    "os files": lambda: OSError(2, "no", "f", None, "g"),
    "os path": lambda: OSError(2, "no", Path("f")),
    "os bytes": lambda: OSError(2, "no", b"f"),
    "os subclass": lambda: FileNotFoundError(2, "no", 5),
    "os of its own": lambda: OwnOSError("x"),
    "os changed": lambda: with_attributes(OSError(2, "no", "f")),
    "stop": lambda: StopIteration(5),
    "exit": lambda: SystemExit(3),
    "interrupt": KeyboardInterrupt,
    "unicode": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    "unicode base": lambda: UnicodeError("x"),
    "attribute": lambda: AttributeError("x"),
    "import": lambda: ImportError("x", name="y", path="z"),
    "no module": lambda: ModuleNotFoundError("x", name="sys"),
    "name": lambda: NameError("x", name="Plian"),
    "syntax": lambda: SyntaxError("bad", ("f", 1, 2, "a b\n", 1, 3)),
    "syntax without a place": lambda: SyntaxError("bad"),
    "a text in Python": lambda: Told("x"),
    "a text that fails": Mute,
    "a text that is none": NoText,
    "a text that is odd": OddText,
    "a text that stops": Stopping,
    "elsewhere": lambda: Elsewhere("x"),
    "nowhere": lambda: Nowhere("x"),
    "false": lambda: False_("x"),
    "empty": lambda: Empty("x"),
    "of another metaclass": lambda: OfMeta("x"),
    "getattr": lambda: Attributes("x"),
    "notes of the class": lambda: NotedClass("x"),
    "its own cause": lambda: OwnCause("x"),
    "a note": lambda: noted(Plain("x"), "one", "two\nlines", ""),
    "odd notes": lambda: noted(Plain("x"), Repr(), 5),
    "notes that are text": lambda: with_attributes(Plain("x"), __notes__="no list"),
    "no notes": lambda: noted(Plain("x")),
    "attributes": lambda: with_attributes(Plain("x"), name="y", __cause__="no cause", __str__=5),
    "a group": lambda: ExceptionGroup("g", [Plain("a"), Told("b")]),
    "base group": lambda: BaseExceptionGroup("g", [KeyboardInterrupt()]),
}


def fail(make: Callable[[], BaseException]) -> None:
    raise make()


@same_as_stdlib
@pytest.mark.parametrize("kind", ERRORS)
def test_every_kind_of_exception(w, kind):
    log, _, _ = w.plain()
    Told.asked = 0
    log_often(log, fail, ERRORS[kind])
    w.note("asked", Told.asked, known_files())


@same_as_stdlib
@pytest.mark.parametrize("kind", ERRORS)
def test_every_kind_of_exception_as_cause_and_context(w, kind):
    def cause() -> None:
        try:
            fail(ERRORS[kind])
        except BaseException as error:
            raise Plain("because") from error

    def context() -> None:
        try:
            fail(ERRORS[kind])
        except BaseException:
            fail(ERRORS[kind])

    def caused() -> None:
        error = ERRORS[kind]()
        raise error from Plain("never raised")

    log, _, _ = w.plain()
    Told.asked = 0
    for function in (cause, context, caused):
        log_often(log, function)
    w.note("asked", Told.asked, known_files())


@same_as_stdlib
def test_kinds_by_turns(w):
    log, _, _ = w.plain()
    for _ in range(3):
        for make in ERRORS.values():
            log.error("one", exc_info=caught(fail, make))


@same_as_stdlib
def test_python_code_is_asked_as_often_and_in_that_order(w):
    class Asked(Exception):
        def __str__(self):
            w.note("str", self.args)
            return "asked"

        @property
        def name(self):
            w.note("name", self.args)
            return None

    class Missing(AttributeError):
        def __str__(self):
            w.note("str", self.args)
            return "missing"

    def several():
        try:
            try:
                raise Asked(1)
            except Asked:
                raise Missing(2)  # noqa: B904 - the context is what is tested
        except Missing as error:
            raise Asked(3) from error

    log, _, _ = w.plain()
    log_often(log, several)


@same_as_stdlib
def test_a_suggestion_that_fails(w):
    class Failing:
        @property
        def value(self):
            raise ZeroDivisionError("while looking for a suggestion")

        def get(self):
            return value  # type: ignore[name-defined]  # noqa: F821

    class Hidden:
        def __dir__(self):
            raise KeyError("dir")

    log, _, _ = w.plain()
    log_often(log, Failing().get)
    log_often(log, lambda: Hidden().value)  # type: ignore[attr-defined]


@same_as_stdlib
def test_notes_that_fail(w):
    class Notes(list):
        def __iter__(self):
            raise ZeroDivisionError("notes")

    log, _, _ = w.plain()
    log_often(log, fail, lambda: with_attributes(Plain("x"), __notes__=Notes("a")))


@same_as_stdlib
def test_a_text_that_logs_an_exception_itself(w):
    class Logging(Exception):
        def __str__(self):
            log.error("inner", exc_info=caught(fail, Plain))
            return "outer"

    log, _, _ = w.plain()
    log_often(log, fail, Logging)


@same_as_stdlib
def test_a_text_that_changes_what_comes_next(w):
    class Changing(Exception):
        def __str__(self):
            linecache.clearcache()
            self.__cause__ = Plain("set by str")
            return "changing"

    log, _, _ = w.plain()
    log_often(log, fail, Changing)
    w.note(known_files())


# ---- chains


def from_none() -> None:
    try:
        raise Plain("hidden")
    except Plain:
        raise Plain("shown") from None


def long_chain() -> None:
    error: BaseException | None = None
    for number in range(30):
        try:
            raise Plain(number)
        except Plain as this:
            if number % 3:
                this.__cause__ = error
            else:
                this.__context__ = error
            error = this
    raise Plain("last") from error


def loop() -> None:
    first, second = Plain("first"), Plain("second")
    first.__cause__, second.__context__ = second, first
    raise first


def itself() -> None:
    error = Plain("itself")
    error.__cause__ = error
    raise error


def shown_twice() -> None:
    shared, other = Plain("shared"), Plain("other")
    other.__context__ = shared
    error = Plain("last")
    error.__context__, shared.__cause__ = other, other
    raise error


def loop_behind_a_cause() -> None:
    error, cause = Plain("error"), Plain("cause")
    error.__cause__, cause.__cause__, cause.__context__ = cause, error, Plain("context")
    cause.__suppress_context__ = False
    raise error


def group_inside() -> None:
    raise Plain("last") from ExceptionGroup("g", [Plain("x")])


def mixed() -> None:
    try:
        try:
            {}["k"]
        except KeyError:
            raise Told("x")  # noqa: B904 - the context is what is tested
    except Told as error:
        raise noted(ValueError("last"), "a note") from error


CHAINS = [from_none, long_chain, loop, itself, shown_twice, loop_behind_a_cause, group_inside, mixed]


@same_as_stdlib
@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.__name__)
def test_chains(w, chain):
    log, _, _ = w.plain()
    log_often(log, chain)


@same_as_stdlib
def test_a_chain_that_changes_between_two_records(w):
    log, _, _ = w.plain()
    error = caught(fail, Plain)
    for cause in (None, Plain("one"), caught(fail, Told), None):
        error.__cause__ = cause
        error.__suppress_context__ = False
        for context in (None, caught(fail, lambda: Plain("two"))):
            error.__context__ = context
            for _ in range(3):
                log.error("x", exc_info=error)


# ---- entries


def recurse(depth: int) -> None:
    if depth:
        recurse(depth - 1)
    raise Plain("deep")


def ping(depth: int) -> None:
    pong(depth)


def pong(depth: int) -> None:
    if depth:
        ping(depth - 1)
    raise Plain("deep")


@same_as_stdlib
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4, 5, 6, 7, 40])
@pytest.mark.parametrize("function", [recurse, ping], ids=["itself", "by turns"])
def test_repeated_entries(w, function, depth):
    log, _, _ = w.plain()
    log_often(log, function, depth)


@same_as_stdlib
def test_repeated_entries_of_one_line_at_different_places(w):
    def three(depth):
        (depth or fail(Plain)) and (three(depth - 1) if depth % 2 else three(depth - 1))  # noqa: RUF034

    log, _, _ = w.plain()
    for depth in range(9):
        log_often(log, three, depth)


@same_as_stdlib
def test_recursion_without_end(w):
    def again():
        again()

    log, _, _ = w.plain()
    error = caught(again)
    error = error.with_traceback(error.__traceback__.tb_next)  # type: ignore[union-attr]
    # How deep it goes depends on who asks.
    while error.__traceback__ and depth(error.__traceback__) > 100:
        error = error.with_traceback(error.__traceback__.tb_next)
    for _ in range(TIMES):
        log.error("deep", exc_info=error)


def depth(trace: types.TracebackType | None) -> int:
    count = 0
    while trace:
        count, trace = count + 1, trace.tb_next
    return count


def in_generator() -> None:
    def numbers():
        yield 1
        raise Plain("in a generator")

    list(numbers())


def in_lambda() -> None:
    (lambda: 1 / 0)()


def in_comprehension() -> None:
    [1 / number for number in (1, 0)]


def in_class_body() -> None:
    class _Body:
        value = 1 / 0


def in_coroutine() -> None:
    async def inner():
        await asyncio.sleep(0)
        raise Plain("in a coroutine")

    async def outer():
        await inner()

    coroutine = outer()
    while True:
        coroutine.send(None)


def with_columns() -> None:
    first, second = {"a": [1, 2]}, 0
    _ = first["a"][1] + first["a"][0] / second + len(first)


def over_lines() -> None:
    _ = [
        1,
        fail(
            lambda: Plain(
                "over lines",
            )
        ),
        2,
    ]


def over_many_lines() -> None:
    fail(
        # 1
        # 2
        # 3
        # 4
        # 5
        # 6
        Plain
    )


def wide() -> None:
    größe, _中文 = 0, "中文字"
    _ = "😀é中" + str(1 / größe) + _中文


def with_tabs() -> None:
    exec(compile("if 1:\n\tx = 1\n\tx +\t\ty\n", "<tabs>", "exec"))


def in_call_of_c() -> None:
    sorted([1, "a"])  # type: ignore[type-var]


def in_with() -> None:
    with contextlib.nullcontext():
        1 / 0  # noqa: B018


def in_decorated() -> None:
    def around(function):
        def inner(*args):
            return function(*args)

        return inner

    around(around(int))("x")


def in_property() -> None:
    class Has:
        @property
        def value(self):
            raise Plain("x")

    _ = Has().value


def misspelt() -> None:
    _ = in_propert  # type: ignore[name-defined]  # noqa: F821


def misspelt_attribute() -> None:
    _ = "x".uper  # type: ignore[attr-defined]


def misspelt_import() -> None:
    from os import pth  # type: ignore[attr-defined]  # noqa: F401


def missing_import() -> None:
    import nothing_of_that_name  # type: ignore[import-not-found]  # noqa: F401


def forgotten_import() -> None:
    _ = tarfile  # type: ignore[name-defined]  # noqa: F821


def self_forgotten() -> None:
    class Has:
        value = 5

        def get(self):
            return value  # type: ignore[name-defined]  # noqa: F821

    Has().get()


def bad_syntax() -> None:
    compile("a = = 5", "<bad>", "exec")


PLACES = [
    in_generator,
    in_lambda,
    in_comprehension,
    in_class_body,
    in_coroutine,
    with_columns,
    over_lines,
    over_many_lines,
    wide,
    with_tabs,
    in_call_of_c,
    in_with,
    in_decorated,
    in_property,
    misspelt,
    misspelt_attribute,
    misspelt_import,
    missing_import,
    forgotten_import,
    self_forgotten,
    bad_syntax,
]


@same_as_stdlib
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_places(w, place):
    log, _, _ = w.plain()
    log_often(log, place)
    w.note(known_files())


@same_as_stdlib
def test_places_by_turns(w):
    log, _, _ = w.plain()
    for _ in range(3):
        for place in PLACES:
            log.error("one", exc_info=caught(place))
    w.note(known_files())


@same_as_stdlib
def test_more_places_than_are_kept(w):
    log, _, stream = w.plain()
    functions = []
    for number in range(2200):
        space: dict[str, Any] = {}
        exec(compile(f"def f{number}(): 1/0", "<many>", "exec"), space)
        functions.append(space[f"f{number}"])
    for _ in range(2):
        for function in functions:
            log.error("x", exc_info=caught(function))
    w.note(len(stream.getvalue()))


# ---- exc_info in other forms


@same_as_stdlib
def test_exc_info_tuples(w):
    log, _, _ = w.plain()
    error, other = caught(recurse, 1), caught(in_lambda)
    trace = error.__traceback__
    assert trace is not None
    infos = [
        (type(error), error, None),
        (type(error), error, other.__traceback__),
        (int, error, trace.tb_next),
        (None, error, trace, "more"),
        (None, None, None),
        (type(error), None, trace),
        (type(error), error, "no traceback"),
        (type(error), "no error", trace),
        [type(error), error, trace],
        (type(error), error),
        types.TracebackType(None, trace.tb_frame, trace.tb_lasti, 1),
    ]
    for info in infos:
        for _ in range(3):
            w.catch(log.error, "x", exc_info=info)
            w.catch(logging.Formatter().formatException, info)


@same_as_stdlib
@pytest.mark.parametrize("offset", [-2, -1, 0, 2, 10**6])
@pytest.mark.parametrize("line", [-1, 0, 1, 7, 10**6])
def test_tracebacks_made_by_hand(w, offset, line):
    log, _, _ = w.plain()
    error = caught(in_lambda)
    assert error.__traceback__ is not None
    frame = error.__traceback__.tb_frame
    made = types.TracebackType(error.__traceback__, frame, offset, line)
    for _ in range(TIMES):
        w.catch(log.error, "made", exc_info=(Plain, Plain("x"), made))


@same_as_stdlib
def test_entries_taken_off_and_put_on(w):
    log, _, _ = w.plain()
    error = caught(recurse, 5)
    while (trace := error.__traceback__) is not None:
        for _ in range(2):
            log.error("shorter", exc_info=error)
        error.__traceback__ = trace.tb_next
    log.error("none left", exc_info=error)


@same_as_stdlib
def test_format_exception_by_hand(w):
    formatter = logging.Formatter()
    for _ in range(TIMES):
        error = caught(mixed)
        w.note(formatter.formatException((type(error), error, error.__traceback__)))


@same_as_stdlib
def test_code_of_the_same_name_and_line_elsewhere(w):
    log, _, _ = w.plain()
    code = in_lambda.__code__
    for name in ("<one>", "<two>", __file__, "nowhere.py", ""):
        function = types.FunctionType(code.replace(co_filename=name), globals())
        renamed = types.FunctionType(code.replace(co_name="renamed", co_firstlineno=3), globals())
        for each in (function, renamed, in_lambda):
            log_often(log, each)
    w.note(known_files())


# ---- stacks


@same_as_stdlib
def test_stacks(w):
    def below(depth, times=1):
        if depth:
            return below(depth - 1, times)
        for _ in range(times):
            log.info("here", stack_info=True)
        return None

    log, _, _ = w.plain()
    for depth in (0, 1, 2, 3, 4, 5, 6, 30):
        for _ in range(3):
            below(depth)
        below(depth, 3)
    w.note(known_files())


@same_as_stdlib
def test_stacks_of_different_lines_and_levels(w):
    log, _, _ = w.plain()

    def two():
        for level in (1, 2, 3):
            log.info("one", stack_info=True, stacklevel=level)
            log.info("two", stack_info=True, stacklevel=level); log.info("three", stack_info=True)  # fmt: skip # noqa: E702

    for _ in range(3):
        two()


@same_as_stdlib
def test_stacks_of_generators_and_code_without_source(w):
    log, _, _ = w.plain()

    def numbers():
        for _ in range(2):
            log.info("in a generator", stack_info=True)
            yield

    code = compile("def run():\n  for _ in range(2): log.info('no source', stack_info=True)\nrun()", "<none>", "exec")
    for _ in range(3):
        list(numbers())
        exec(code, {"log": log})
        (lambda: log.info("in a lambda", stack_info=True))()
        [log.info("in a list", stack_info=True) for _ in range(2)]


@same_as_stdlib
def test_stack_and_exception_of_one_record(w):
    log, _, _ = w.plain()
    records = w.keeper(log)
    for _ in range(TIMES):
        log.error("both", exc_info=caught(mixed), stack_info=True)
    w.note([(record.exc_text, record.stack_info) for record in records])


@same_as_stdlib
def test_a_stack_while_tracing(w):
    log, _, _ = w.plain()
    told = []

    def trace(frame, event, _arg):
        if frame.f_code is with_source.__code__ and event == "line":
            told.append(event)
            log.info("traced", stack_info=True)
        return trace

    def with_source():
        first = 1
        return first + 1

    for _ in range(3):
        sys.settrace(trace)
        try:
            with_source()
        finally:
            sys.settrace(None)
    w.note(told)


# ---- the source


def load(path: Path, source: str, **names: Any) -> dict[str, Any]:
    path.write_text(source, "utf-8")
    space = {"__name__": "loaded", **names}
    exec(compile(source, str(path), "exec"), space)
    return space


FIRST = "def run():\n    return 1 / 0  # first\n"


def edit(path: Path) -> None:
    path.write_text(FIRST.replace("first", "second and longer"))


def edit_same_size(path: Path) -> None:
    path.write_text(FIRST.replace("first", "other"))
    os.utime(path, (5, 5))


def edit_unseen(path: Path) -> None:
    status = path.stat()
    path.write_text(FIRST.replace("first", "other"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def touch(path: Path) -> None:
    os.utime(path, ns=(5, 1_234_567_891_234_567_891))


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_text("# another file\n" * 5)
    other.replace(path)


def shorten(path: Path) -> None:
    path.write_text("#\n")


def empty(path: Path) -> None:
    path.write_text("")


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def undecodable(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\n" * 9)


def clear_cache(path: Path) -> None:
    linecache.clearcache()


def drop_entry(path: Path) -> None:
    linecache.cache.pop(str(path), None)


def put_entry(path: Path) -> None:
    linecache.cache[str(path)] = (3, None, ["#\n", "  put there\n"], str(path))


def put_entry_of_another_file(path: Path) -> None:
    path.with_suffix(".other").write_text("#\n  other\n")
    linecache.cache[str(path)] = (3, 5.0, ["#\n", "  put there\n"], str(path.with_suffix(".other")))


def put_short_entry(path: Path) -> None:
    linecache.cache[str(path)] = (3, None, [], str(path))


def put_lazy_entry(path: Path) -> None:
    linecache.cache[str(path)] = (lambda: "#\n  lazy\n",)  # type: ignore[assignment]


def put_lazy_entry_for_no_file(path: Path) -> None:
    remove(path)
    put_lazy_entry(path)


def put_entry_of_other_types(path: Path) -> None:
    linecache.cache[str(path)] = [3, None, ("#\n", "  a tuple\n"), str(path)]  # type: ignore[assignment]


def change_line_in_place(path: Path) -> None:
    if str(path) in linecache.cache:
        linecache.cache[str(path)][2][1] = "  changed in place\n"  # type: ignore[misc]


def use_another_cache(path: Path) -> None:
    linecache.cache = {str(path): (3, None, ["#\n", "  in another cache\n"], str(path))}


def use_a_kind_of_dict(path: Path) -> None:
    class Kind(dict[str, Any]):
        def __contains__(self, key: object) -> bool:
            return False

    linecache.cache = Kind(linecache.cache)


CHANGES = [
    edit, edit_same_size, edit_unseen, touch, remove, replace, shorten, empty, to_folder, undecodable, clear_cache, drop_entry,
    put_entry, put_entry_of_another_file, put_short_entry, put_lazy_entry, put_lazy_entry_for_no_file, put_entry_of_other_types,
    change_line_in_place, use_another_cache, use_a_kind_of_dict,
]  # fmt: skip


@same_as_stdlib
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_source_that_changes_between_two_records(w, change):
    log, _, _ = w.plain()
    path = w.dir / "loaded.py"
    run = load(path, FIRST)["run"]
    before = linecache.cache
    for _ in range(3):
        log_often(log, run)
        change(path)
        log_often(log, run)
        w.note(known_files(), linecache.cache.get(str(path), ("none",))[0])
        linecache.cache = before
        if path.is_dir():
            path.rmdir()
        path.write_text(FIRST)
    path.unlink()


@same_as_stdlib
def test_source_that_changes_by_another_hand_than_the_clock(w):
    """Size and time are compared as numbers, to the nanosecond a float can tell."""
    log, _, _ = w.plain()
    path = w.dir / "loaded.py"
    run = load(path, FIRST)["run"]
    for number in range(20):
        path.write_text(FIRST.replace("first", f"{number:5}"))
        os.utime(path, ns=(5, 1_700_000_000_000_000_000 + number * 100))
        for _ in range(2):
            log.error("x", exc_info=caught(run))


@same_as_stdlib
def test_source_found_by_a_relative_name(w):
    log, _, _ = w.plain()
    before = os.getcwd()
    os.chdir(w.dir)
    try:
        run = load(Path("relative.py"), FIRST)["run"]
        log_often(log, run)
        os.chdir("/")
        log_often(log, run)
        sys.path.insert(0, str(w.dir))
        log_often(log, run)
        sys.path.remove(str(w.dir))
        log_often(log, run)
    finally:
        os.chdir(before)
    w.note(known_files())


@same_as_stdlib
def test_source_from_a_loader(w):
    class Loader:
        text = FIRST

        def get_source(self, name):
            w.note("asked for", name)
            return self.text

    log, _, _ = w.plain()
    space = {"__name__": "loaded", "__loader__": Loader(), "__spec__": None}
    for name in ("nowhere.py", "/nowhere/at/all.py", "<bracketed>"):
        exec(compile(FIRST, name, "exec"), space)
        log_often(log, space["run"])  # type: ignore[arg-type]
        Loader.text = FIRST.replace("first", "changed")
        log_often(log, space["run"])  # type: ignore[arg-type]
        linecache.checkcache()
        linecache.clearcache()
        log_often(log, space["run"])  # type: ignore[arg-type]
        w.note(known_files())


@same_as_stdlib
def test_a_loader_that_has_no_source(w):
    class Loader:
        def get_source(self, name):
            raise ImportError(name)

    log, _, _ = w.plain()
    space = {"__name__": "loaded", "__loader__": Loader()}
    exec(compile(FIRST, "nowhere.py", "exec"), space)
    log_often(log, space["run"])  # type: ignore[arg-type]
    w.note(known_files())


@same_as_stdlib
def test_source_in_an_archive(w):
    log, _, _ = w.plain()
    archive = w.dir / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("zipped_module.py"), FIRST)
    sys.path.insert(0, str(archive))
    try:
        import zipped_module  # type: ignore[import-not-found]

        log_often(log, zipped_module.run)
    finally:
        sys.path.remove(str(archive))
        sys.modules.pop("zipped_module", None)
        sys.path_importer_cache.pop(str(archive), None)
        archive.unlink()
    w.note(known_files())


@same_as_stdlib
def test_names_that_are_no_ascii(w):
    log, _, _ = w.plain()
    for name in ("gr\xf6\xdfe.py", "\u4e2d.py"):
        log_often(log, load(w.dir / name, FIRST)["run"])
    space: dict[str, Any] = {}
    exec(compile(FIRST, "\udc80.py", "exec"), space)
    log_often(log, space["run"])


@same_as_stdlib
def test_source_put_into_the_cache_for_a_name_in_brackets(w):
    """As IPython does for its cells."""
    log, _, _ = w.plain()
    space: dict[str, Any] = {}
    exec(compile(FIRST, "<cell 1>", "exec"), space)
    log_often(log, space["run"])
    linecache.cache["<cell 1>"] = (5, None, FIRST.splitlines(True), "<cell 1>")
    log_often(log, space["run"])
    linecache.cache["<cell 1>"] = (5, None, FIRST.upper().splitlines(True), "<cell 1>")
    log_often(log, space["run"])
    del linecache.cache["<cell 1>"]
    log_often(log, space["run"])


@same_as_stdlib
@pytest.mark.skipif(not hasattr(linecache, "_register_code"), reason="sources are registered from 3.13 on")
def test_source_registered_for_code(w):
    log, _, _ = w.plain()
    code = compile(FIRST, "<input>", "exec")
    space: dict[str, Any] = {}
    exec(code, space)
    log_often(log, space["run"])
    try:
        arguments = (code, FIRST, "<input>") if hasattr(linecache, "_interactive_cache") else ("<input>", FIRST, "<input>")
        linecache._register_code(*arguments)  # type: ignore[attr-defined]
        log_often(log, space["run"])
    finally:
        getattr(linecache, "_interactive_cache", {}).clear()
    log_often(log, space["run"])


# ---- what may be patched


def shout(function: Callable[..., Any]) -> Callable[..., Any]:
    def loud(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return result.upper() if isinstance(result, str) else result

    return loud


def also_prints(function: Callable[..., Any]) -> Callable[..., Any]:
    def printing(*args: Any, **kwargs: Any) -> Any:
        PRINT("patched", file=kwargs.get("file") or args[-1])
        return function(*args, **kwargs)

    return printing


class LoudIO(io.StringIO):
    def getvalue(self) -> str:
        return super().getvalue().upper()


class OtherException(traceback.TracebackException):
    def format(self, **kwargs: Any) -> Iterator[str]:
        yield "other\n"
        yield from super().format(**kwargs)


class OtherSummary(traceback.StackSummary):
    def format_frame_summary(self, frame_summary: Any, **kwargs: Any) -> str:
        return f"other {frame_summary.name}\n"


def no_stat(path: Any, **kwargs: Any) -> Any:
    raise OSError("no stat")


def each_upper(self: Any, **kwargs: Any) -> list[str]:
    return [text.upper() for text in FORMAT(self, **kwargs)]


FORMAT = traceback.StackSummary.format
EXCEPTION = traceback.TracebackException
SUMMARY = traceback.StackSummary
ONLY = EXCEPTION.format_exception_only


def always(value: Any) -> Callable[..., Any]:
    def same(*args: Any, **kwargs: Any) -> Any:
        return value

    return same


def fails(*args: Any, **kwargs: Any) -> Any:
    raise ZeroDivisionError


def one_frame(frame: types.FrameType) -> Iterator[tuple[types.FrameType, int]]:
    yield frame, 1


def clearing(*args: Any) -> None:
    linecache.clearcache()


def no_entries(self: Any) -> Iterator[Any]:
    return iter(())


def counts_as_ever(value: Any) -> int:
    return len_(value)


def prints_another(*args: Any, file: Any, **kwargs: Any) -> None:
    file.write("printed\n")


PATCHES: dict[str, Callable[[], Any]] = {
    "traceback.print_exception": lambda: mock.patch("traceback.print_exception", also_prints(traceback.print_exception)),
    "traceback.print_stack": lambda: mock.patch("traceback.print_stack", also_prints(traceback.print_stack)),
    "traceback.print_list": lambda: mock.patch("traceback.print_list", also_prints(traceback.print_list)),
    "traceback.extract_tb": lambda: mock.patch("traceback.extract_tb", fails),
    "traceback.extract_stack": lambda: mock.patch("traceback.extract_stack", always(SUMMARY())),
    "traceback.walk_stack": lambda: mock.patch("traceback.walk_stack", one_frame),
    "traceback.TracebackException": lambda: mock.patch("traceback.TracebackException", OtherException),
    "traceback.StackSummary": lambda: mock.patch("traceback.StackSummary", OtherSummary),
    "traceback.linecache": lambda: mock.patch("traceback.linecache", types.SimpleNamespace(**vars(linecache))),
    "traceback._safe_string": lambda: mock.patch("traceback._safe_string", always("patched")),
    "traceback._cause_message": lambda: mock.patch("traceback._cause_message", "\nbecause:\n\n"),
    "traceback._context_message": lambda: mock.patch("traceback._context_message", "\nwhile:\n\n"),
    "traceback._RECURSIVE_CUTOFF": lambda: mock.patch("traceback._RECURSIVE_CUTOFF", 1),
    "traceback.print": lambda: mock.patch("traceback.print", prints_another, create=True),
    "traceback.str": lambda: mock.patch("traceback.str", always("text"), create=True),
    "traceback.something": lambda: mock.patch("traceback.something", 5, create=True),
    "TracebackException.format": lambda: mock.patch.object(EXCEPTION, "format", OtherException.format),
    "TracebackException.print": lambda: mock.patch.object(EXCEPTION, "print", also_prints(EXCEPTION.print)),
    "TracebackException.format_exception_only": lambda: mock.patch.object(
        EXCEPTION, "format_exception_only", lambda self, **k: (text.upper() for text in ONLY(self, **k))
    ),
    "TracebackException.__bool__": lambda: mock.patch.object(EXCEPTION, "__bool__", always(False), create=True),
    "TracebackException.__init__": lambda: mock.patch.object(
        EXCEPTION, "__init__", types.MethodType(EXCEPTION.__init__, EXCEPTION).__func__
    ),
    "StackSummary.format": lambda: mock.patch.object(SUMMARY, "format", each_upper),
    "StackSummary.format_frame_summary": lambda: mock.patch.object(
        SUMMARY, "format_frame_summary", OtherSummary.format_frame_summary
    ),
    "StackSummary.__iter__": lambda: mock.patch.object(SUMMARY, "__iter__", no_entries, create=True),
    "FrameSummary.line": lambda: mock.patch.object(traceback.FrameSummary, "line", "patched"),
    "linecache.getline": lambda: mock.patch("linecache.getline", shout(linecache.getline)),
    "linecache.getlines": lambda: mock.patch("linecache.getlines", always(["patched\n"] * 2000)),
    "linecache.checkcache": lambda: mock.patch("linecache.checkcache", clearing),
    "linecache.lazycache": lambda: mock.patch("linecache.lazycache", clearing),
    "linecache.updatecache": lambda: mock.patch("linecache.updatecache", always(["patched\n"] * 2000)),
    "linecache.len": lambda: mock.patch("linecache.len", always(1), create=True),
    "linecache.cache": lambda: mock.patch("linecache.cache", {}),
    "sys.tracebacklimit 0": lambda: mock.patch("sys.tracebacklimit", 0, create=True),
    "sys.tracebacklimit 1": lambda: mock.patch("sys.tracebacklimit", 1, create=True),
    "sys.tracebacklimit None": lambda: mock.patch("sys.tracebacklimit", None, create=True),
    "io.StringIO": lambda: mock.patch("io.StringIO", LoudIO),
    "logging.io": lambda: mock.patch("logging.io", types.SimpleNamespace(StringIO=LoudIO)),
    "logging.traceback": lambda: mock.patch(
        "logging.traceback",
        types.SimpleNamespace(
            print_exception=also_prints(traceback.print_exception), print_stack=also_prints(traceback.print_stack)
        ),
    ),
    "os.stat": lambda: mock.patch("os.stat", no_stat),
    "builtins.print": lambda: mock.patch("builtins.print", also_prints(print)),
    "builtins.len": lambda: mock.patch("builtins.len", counts_as_ever),
    "builtins.something": lambda: mock.patch("builtins.something", 5, create=True),
    "ast.parse": lambda: mock.patch("ast.parse", always(ast.Module([], []))),
    "textwrap.indent": lambda: mock.patch("textwrap.indent", shout(textwrap.indent)),
    "textwrap.dedent": lambda: mock.patch("textwrap.dedent", shout(textwrap.dedent)),
    "a code": lambda: exchanged(SUMMARY.format, "__code__", COUNTING.__code__),
    "a code of linecache": lambda: exchanged(linecache.getline, "__code__", GETLINE.__code__),
    "defaults": lambda: exchanged(traceback._safe_string, "__defaults__", (repr,)),  # type: ignore[attr-defined]
    "keyword defaults": lambda: mock.patch.dict(EXCEPTION.__init__.__kwdefaults__, capture_locals=True),
}

len_, sorted_ = len, sorted
PRINT = print


def COUNTING(self, **kwargs):  # type: ignore[no-untyped-def]
    return [f"{len(self)} entries\n"]


def GETLINE(filename, lineno, module_globals=None):  # type: ignore[no-untyped-def]
    return "patched\n"


@contextlib.contextmanager
def exchanged(thing: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(thing, name)
    try:
        setattr(thing, name, value)
    except TypeError:
        pytest.skip(f"{name} cannot be set")
    try:
        yield
    finally:
        setattr(thing, name, before)


@same_as_stdlib
@pytest.mark.parametrize("patch", PATCHES)
@pytest.mark.parametrize("first", [False, True], ids=["warm", "from the first record on"])
def test_what_is_patched_between_two_records_is_heard(w, patch, first):
    log, _, _ = w.plain()

    def one(title):
        for _ in range(3):
            w.catch(log.error, title, exc_info=caught(mixed))
            w.catch(log.error, title, exc_info=caught(recurse, 6))
            w.catch(log.error, title, exc_info=caught(fail, lambda: Plain("plain")))
            if patch != "keyword defaults":  # the stack's values are not the same on both sides
                w.catch(log.info, title, stack_info=True)

    if not first:
        one("before")
    for _ in range(2):
        with PATCHES[patch]():
            one("patched")
        one("after")


@contextlib.contextmanager
def while_running(function: types.FunctionType, before: Callable[[], Any], after: Callable[[], Any]) -> Iterator[None]:
    """Something is done at each call of a Python function, and undone when it returns."""

    def note(frame: types.FrameType, event: str, _arg: Any) -> None:
        if frame.f_code is function.__code__ and event in ("call", "return"):
            (before if event == "call" else after)()

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


FOR_A_MOMENT: dict[str, Callable[[], Any]] = {
    "a function's code": lambda: exchanged(textwrap.indent, "__code__", INDENT.__code__),
    "a function of another module": lambda: mock.patch("textwrap.indent", INDENT),
    "a function of a module that is imported late": lambda: mock.patch("ast.parse", always(ast.Module([], []))),
    "a module that is imported late": lambda: mock.patch.dict(sys.modules, ast=types.SimpleNamespace(parse=NO_PARSE)),
    "a function of the module": lambda: mock.patch("traceback._byte_offset_to_character_offset", always(1)),
    "a built-in function": lambda: mock.patch("builtins.sorted", lambda values: sorted_(values)[:1]),
    "a method": lambda: mock.patch.object(SUMMARY, "_should_show_carets", always(False), create=True),  # new in 3.14
}


def INDENT(text, prefix, predicate=None):  # type: ignore[no-untyped-def]
    return text.upper()


def NO_PARSE(text: str) -> Any:
    raise SyntaxError


LINES = ["def run(x):\n", "    return x.a + x.b(\n", "        x\n", "    )\n"]


def run_in_lines(log: Any, lines: list[str]) -> tuple[Callable[..., Any], Any]:
    """A function of which nothing has been shown yet, and an argument it fails at; what it raises has been."""
    log_often(log, lambda: 1 + None)  # type: ignore[operator]
    space: dict[str, Any] = {}
    exec(compile("".join(lines), "made.py", "exec"), space)
    linecache.cache["made.py"] = (1, None, lines, "made.py")
    return space["run"], types.SimpleNamespace(a=1, b=always(None))


def log_elsewhere(error: BaseException) -> None:
    """What this shows is not compared: the interpreter renders all entries anew."""
    log = logging.Logger("elsewhere")
    log.addHandler(logging.StreamHandler(io.StringIO()))
    log.error("while", exc_info=error)


@same_as_stdlib
@pytest.mark.parametrize("patch", FOR_A_MOMENT)
def test_what_is_patched_while_an_entry_is_rendered_is_not_kept(w, patch):
    if patch == "a function's code" and sys.version_info < (3, 12):
        pytest.skip("before 3.12 nobody tells of exchanged code")
    log, _, _ = w.plain()
    run, value = run_in_lines(log, list(LINES))
    patches = contextlib.ExitStack()
    with while_running(SUMMARY.format_frame_summary, lambda: patches.enter_context(FOR_A_MOMENT[patch]()), patches.close):
        log_elsewhere(caught(run, value))
    log_often(log, run, value)


@same_as_stdlib
def test_lines_that_change_while_an_entry_is_rendered_are_not_taken_for_those_before(w):
    log, _, _ = w.plain()
    lines, other = list(LINES), [line.upper() for line in LINES]
    run, value = run_in_lines(log, lines)

    def show(these):
        lines[:] = these

    with while_running(linecache.getline, lambda: show(other), lambda: show(LINES)):
        log_elsewhere(caught(run, value))
    log_often(log, run, value)


CLASS_PATCHES: dict[str, tuple[str, Any]] = {
    "__str__": ("__str__", lambda self: "patched"),
    "__notes__": ("__notes__", ["patched"]),
    "__bool__": ("__bool__", lambda self: False),
    "__len__": ("__len__", lambda self: 0),
    "__getattribute__": (
        "__getattribute__",
        lambda self, name: None if name == "__cause__" else Exception.__getattribute__(self, name),
    ),
    "__cause__": ("__cause__", property(lambda self: Plain("patched"))),
    "__traceback__": ("__traceback__", None),
    "__qualname__": ("__qualname__", "Patched"),
    "__module__": ("__module__", "patched"),
    "__name__": ("__name__", "Patched"),
}


@same_as_stdlib
@pytest.mark.parametrize("patch", CLASS_PATCHES)
def test_exception_classes_patched_between_two_records(w, patch):
    class Error(Exception):
        __qualname__ = "Error"

    def chained():
        raise Error("last") from Error("first")

    log, _, _ = w.plain()
    name, value = CLASS_PATCHES[patch]
    for _ in range(3):
        log_often(log, chained)
        before = getattr(Error, name, None)
        setattr(Error, name, value)
        for _ in range(3):
            w.catch(log.error, "patched", exc_info=caught(chained))
        if name in ("__qualname__", "__module__", "__name__"):
            setattr(Error, name, before)
        else:
            delattr(Error, name)
        log_often(log, chained)


@same_as_stdlib
def test_bases_of_an_exception_class_changed_between_two_records(w):
    class One(Exception):
        pass

    class Two(Exception):
        def __str__(self):
            return "two"

    class Error(One):
        pass

    log, _, _ = w.plain()
    for base in (One, Two, KeyError, One):
        with contextlib.suppress(TypeError):
            Error.__bases__ = (base,)
        log_often(log, fail, lambda: Error("x"))


# ---- nothing is left behind, and the fast way is taken


def python_calls(function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    """The Python functions of `traceback` and `linecache` that run."""
    calls = []

    def note(frame: types.FrameType, event: str, _arg: Any) -> None:
        if event == "call" and frame.f_code.co_filename in (traceback.__file__, linecache.__file__):
            calls.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        function(*args, **kwargs)
    finally:
        sys.setprofile(None)
    return calls


NATIVE = [
    lambda: caught(fail, lambda: Plain("x")),
    lambda: caught(recurse, 9),
    lambda: caught(from_none),
    lambda: caught(long_chain),
    lambda: caught(with_columns),
    lambda: caught(fail, lambda: OSError(2, "no", "f")),
    lambda: caught(fail, lambda: KeyError("k")),
    lambda: caught(in_lambda),
]


def needs_no_python_code(make):
    log = logging.Logger("native")
    log.addHandler(logging.StreamHandler(io.StringIO()))
    for _ in range(3):
        calls = python_calls(log.error, "x", exc_info=make())
    assert not calls
    for _ in range(3):
        calls = python_calls(log.error, "x", stack_info=True)
    assert not calls


def asks_for_the_last_lines_alone():
    log = logging.Logger("native")
    log.addHandler(logging.StreamHandler(io.StringIO()))
    for _ in range(3):
        calls = python_calls(log.error, "x", exc_info=caught(fail, lambda: Told("x")))
    assert "print_exception" not in calls
    assert "format_frame_summary" not in calls
    assert "format_exception_only" in calls


@pytest.mark.parametrize(
    "statement", ["[module.needs_no_python_code(make) for make in module.NATIVE]", "module.asks_for_the_last_lines_alone()"]
)
def test_what_is_known_needs_little_or_no_python_code(statement, tmp_path):
    """In a process where nobody has ever patched anything: a patch that is gone again may leave traceback at work for a while."""
    here = Path(__file__)
    program = tmp_path / "program.py"  # the source of `python -c` is one that only traceback finds, from 3.13 on
    program.write_text(f"import {here.stem} as module, femtolog\nwith femtolog.installed():\n    {statement}\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(here.parent), os.environ.get("PYTHONPATH")]))}
    done = subprocess.run([sys.executable, "-P", str(program)], env=environment, capture_output=True, text=True, timeout=120)
    assert not done.returncode, done.stderr


def test_neither_exceptions_nor_frames_nor_their_values_are_kept():
    class Value:
        pass

    def failing(value):
        raise Plain("x", value)

    log = logging.Logger("lifetimes")
    log.addHandler(logging.StreamHandler(io.StringIO()))
    with on(SIDES[-1]):
        gone = []
        for make in (lambda value: Plain("x"), Told, lambda value: AttributeError("x", name="y", obj=value)):
            for _ in range(4):
                value = Value()

                def run(value=value, make=make):
                    raise make(value)

                error = caught(run)
                log.error("x", exc_info=error, stack_info=True)
                error.args = (value,)  # built-in exceptions have no weak references
                gone += [weakref.ref(value), weakref.ref(run)]
                del value, run
                error.__traceback__ = None
                del error
        gc.collect()
        assert [ref() for ref in gone] == [None] * len(gone)


def test_built_in_functions_are_still_theirs():
    assert builtins.len is len_
