"""Raw reads of interpreter structures give what the public API gives, and so does their public twin."""

import contextlib
import copy
import gc
import logging
import os
import pickle
import signal
import subprocess
import sys
import sysconfig
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import femtolog
from femtolog import _native

probe = _native._raw_probe

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
DEBUG_BUILD = hasattr(sys, "gettotalrefcount")
raw_expected = pytest.mark.skipif(
    FREE_THREADED or DEBUG_BUILD or os.environ.get("FEMTOLOG_RAW") == "0",
    reason="debug builds and FEMTOLOG_RAW=0 have the public twin only, free-threaded builds read values of instances alone",
)


def test_layout_is_raw_where_it_can_be() -> None:
    name, refusal = probe("layout")
    if DEBUG_BUILD or os.environ.get("FEMTOLOG_RAW") == "0":
        assert name == "public"
        assert refusal
    elif FREE_THREADED:
        # What may be read without a GIL is; the other reads say why they are off.
        assert name == "parallel"
        assert refusal
    else:
        assert (name, refusal) == ("raw", "")


@raw_expected
def test_every_check_of_the_self_test_holds() -> None:
    log = logging.Logger("checked")
    log.addFilter(lambda record: True)
    with femtolog.installed():
        log.info("a record that was shown, given up, and may be used again")
    checks = _native._raw_selftest()
    assert len(checks) > 40
    assert [name for name, held in checks.items() if not held] == []


def test_public_twin_passes_the_same_tests() -> None:
    if os.environ.get("FEMTOLOG_RAW") == "0":
        return
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", __file__]
    environment = {**os.environ, "FEMTOLOG_RAW": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


# --------------------------------------------------------------------------------------------------- instances


class Thing:
    """A normal class; so many forms of instances may use up the room in its shared keys."""


def fresh(names: str = "abc") -> type:
    """A class whose shared keys hold these names, with room for more."""
    made = type("Fresh", (), {})
    thing(made, names)
    return made


class Other:
    """The same attributes in another order."""


class Plain(dict):
    """A subclass of dict, whose instances have no values in place."""


def thing(cls: type = Thing, names: str = "abc") -> Any:
    made = cls()
    for n, name in enumerate(names):
        setattr(made, name, [n])
    return made


def looked_at() -> Any:
    made = thing()
    vars(made)["z"] = 26
    return made


def moved() -> Any:
    made = thing(Other, "cba")
    vars(made)
    made.__class__ = Thing
    return made


def moved_without_dict() -> Any:
    made = thing(Other, "bca")
    made.__class__ = Thing
    return made


def replaced() -> Any:
    made = thing()
    made.__dict__ = {"b": 2, 3: 3, "a": 1}
    return made


def replaced_by_subclass() -> Any:
    made = thing()
    made.__dict__ = Plain(a=1, c=3)
    return made


def shared_dict() -> Any:
    first, second = thing(), thing()
    second.__dict__ = first.__dict__
    return second


def shrunk() -> Any:
    made = thing()
    del made.a
    return made


def set_again() -> Any:
    made = shrunk()
    made.a = "again"
    return made


def crowded() -> Any:
    made = thing(names="ab")
    for n in range(60):
        setattr(made, f"attribute{n}", n)
    made.c = 3
    return made


def cleared() -> Any:
    made = thing()
    vars(made).clear()
    made.b = 2
    return made


def emptied() -> Any:
    made = thing()
    del made.__dict__
    return made


FORMS: list[Callable[[], Any]] = [
    thing,
    Thing,
    looked_at,
    moved,
    moved_without_dict,
    replaced,
    replaced_by_subclass,
    shared_dict,
    shrunk,
    set_again,
    crowded,
    cleared,
    emptied,
    lambda: thing(Plain),
    lambda: copy.copy(thing()),
    lambda: pickle.loads(pickle.dumps(thing())),
]


@raw_expected
@pytest.mark.parametrize("make", FORMS, ids=lambda f: f.__name__)
def test_attribute_reads_agree_and_change_no_form(make: Callable[[], Any]) -> None:
    made = make()
    form = probe("form", made)
    found = {name: probe("get", made, name) for name in "abcz"}
    assert probe("form", made) == form
    for name, value in found.items():
        assert value is getattr(made, name, None)
    made.b = new = object()
    assert probe("get", made, "b") is new


@raw_expected
def test_normal_instances_keep_their_values_in_place() -> None:
    assert probe("form", thing(fresh())) == (True, False)
    assert probe("form", replaced())[0] is False


@raw_expected
def test_slots_and_foreign_layouts_are_not_misread() -> None:
    class Slotted:
        __slots__ = ("a",)

    class WithDict(Slotted):
        pass

    made = Slotted()
    made.a = 1
    assert probe("get", made, "a") is None
    made = WithDict()
    made.b = value = object()
    assert probe("get", made, "b") is value

    class Number(int):
        pass

    number = Number(10**40)
    number.b = value = object()
    assert probe("get", number, "b") is value

    class Error(Exception):
        pass

    error = Error()
    error.b = value = object()
    assert probe("get", error, "b") is value


@raw_expected
def test_filled_instances_are_like_any_other() -> None:
    value = ["shared"]
    before = sys.getrefcount(value)
    made = probe("new", fresh(), "cab", [value, 1, 2])
    assert probe("form", made) == (True, False)
    assert gc.is_tracked(made)
    assert list(vars(made).items()) == [("c", value), ("a", 1), ("b", 2)]
    assert made.c is value
    made.d = 4
    del made.a
    made.a = 5
    assert list(vars(made)) == ["c", "b", "d", "a"]
    assert copy.copy(made).c is value
    del made
    assert sys.getrefcount(value) == before


@raw_expected
def test_filled_instances_can_be_pickled() -> None:
    made = probe("new", Thing, "cab", [1, 2, 3])
    if made is not None:  # None: other tests have used up the room in the class's shared keys
        assert vars(pickle.loads(pickle.dumps(made))) == vars(made) == {"c": 1, "a": 2, "b": 3}


@raw_expected
def test_setting_in_place_replaces_and_appends() -> None:
    made = thing(fresh(), names="ab")
    old = made.a
    before = sys.getrefcount(old)
    assert probe("set", made, "a", "new")
    assert sys.getrefcount(old) == before - 1
    assert probe("set", made, "c", "last")
    assert not probe("set", made, "unheard of", 1)
    assert list(vars(made).items()) == [("a", "new"), ("b", [1]), ("c", "last")]
    # A dict looks at the values now: only the API may write.
    if sys.version_info >= (3, 12):
        assert not probe("set", made, "a", 1)
    assert made.a == "new"


@raw_expected
def test_filled_instances_survive_collection_in_cycles() -> None:
    cls, seen = fresh(), []
    for _ in range(200):
        made = probe("new", cls, "ab", [{}, None])
        assert probe("set", made, "b", made)
        seen.append(weakref.ref(made))
    del made
    gc.collect()
    assert not any(ref() for ref in seen)


@raw_expected
def test_type_tag_changes_with_the_type() -> None:
    class Changing:
        pass

    seen = {probe("tag", Changing)}
    for n in range(5):
        Changing.method = n
        tag = probe("tag", Changing)
        assert tag not in seen
        seen.add(tag)


@raw_expected
def test_type_tag_may_run_out_and_is_zero_then() -> None:
    class Restless:
        pass

    tags = []
    for n in range(1500):
        Restless.method = n
        tags.append(probe("tag", Restless))
    given = [tag for tag in tags if tag]
    assert len(set(given)) == len(given)


# --------------------------------------------------------------------------------------------------- frames


def sites_of(frame: types.FrameType | None) -> list[tuple[types.CodeType, int]]:
    sites = []
    while frame is not None:
        sites.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return sites


def check_frames() -> None:
    """Our own frame stands at another instruction in each of these calls; those further out do not move."""
    raw, public, expected = probe("frames"), probe("frames_public"), sites_of(sys._getframe())
    assert [code for code, _ in raw] == [code for code, _ in expected]
    assert raw[1:] == public[1:] == expected[1:]
    frame = sys._getframe()
    (code, offset), line = probe("caller"), frame.f_lineno
    assert code is frame.f_code
    assert [last for start, end, last in code.co_lines() if start <= offset < end] == [line]


def generator() -> Iterator[None]:
    check_frames()
    yield
    check_frames()


class Checking:
    def __lt__(self, other: object) -> bool:
        check_frames()
        return True

    def __getattr__(self, name: str) -> None:
        check_frames()

    def __del__(self) -> None:
        check_frames()


def test_frames_agree_everywhere() -> None:
    check_frames()
    (lambda: check_frames())()
    [check_frames() for _ in range(2)]
    list(check_frames() for _ in range(2))
    list(map(lambda _: check_frames(), range(2)))
    sorted([Checking(), Checking()])
    _ = Checking().attribute
    for _ in generator():
        check_frames()
    exec("check_frames()", globals())

    class Body:
        check_frames()

    async def coroutine() -> None:
        check_frames()

    with contextlib.suppress(StopIteration):
        coroutine().send(None)
    thread = threading.Thread(target=check_frames)
    thread.start()
    thread.join()


def test_frames_agree_deep_down() -> None:
    def deeper(n: int) -> None:
        if n:
            sorted([1], key=lambda _: deeper(n - 1)) if n % 3 else deeper(n - 1)
        else:
            check_frames()

    deeper(60)


def test_frames_agree_under_a_trace_function() -> None:
    def trace(frame: types.FrameType, event: str, arg: object) -> None:
        assert [code for code, _ in probe("frames")] == [code for code, _ in sites_of(sys._getframe())]

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        check_frames()
    finally:
        sys.settrace(before)


# --------------------------------------------------------------------------------------------------- scalars


def test_ints() -> None:
    for value in [0, 1, -1, 256, 2**30 - 1, 2**30, -(2**30), 2**31, 2**60, 2**63 - 1, -(2**63)]:
        assert probe("int", value) == value
    for value in [2**63, -(2**63) - 1, 10**50, True, 1.0, "1", None]:
        assert probe("int", value) is None
    assert probe("int", type("Level", (int,), {})(10)) is None


def test_ascii_text() -> None:
    for text in ["", "a", "level", "x" * 1000, "\x00\x7f"]:
        assert bytes(probe("ascii", text)) == text.encode()
    for text in ["é", "\x80", "日本", "\ud800", b"bytes", 1, type("Text", (str,), {})("text")]:
        assert probe("ascii", text) is None


def test_level_tables() -> None:
    assert probe("level", {}, 10) is None
    tables = [
        {10: "ten", 20: "twenty", 30: "thirty"},
        {n: str(n) for n in range(300)},
        {"name": 1},
        {10 + 8 * n: n for n in range(5)},
        {10.0: "float", 20: "int"},
    ]
    for table in tables:
        for key in range(60):
            assert probe("level", table, key) is table.get(key)
        table.pop(10, None)
        assert probe("level", table, 10) is None
        table[10] = again = object()
        assert probe("level", table, 10) is again


# --------------------------------------------------------------------------------------------------- watching

CHANGES: list[Callable[[dict[Any, Any]], object]] = [
    lambda d: d.__setitem__("a", 2),
    lambda d: d.__setitem__("new", 2),
    lambda d: d.__delitem__("a"),
    lambda d: d.update(a=3),
    lambda d: d.update({"b": 3}),
    lambda d: d.setdefault("c", 3),
    lambda d: d.pop("a"),
    lambda d: d.popitem(),
    lambda d: d.clear(),
    lambda d: d.__ior__({"a": 5}),
    lambda d: exec("a = 7", d),
    lambda d: exec("global a\ndel a", d),
]


@pytest.mark.parametrize("change", CHANGES)
def test_watch_sees_every_change(change: Callable[[dict[Any, Any]], object]) -> None:
    watched = {"a": 1}
    quiet, changed = probe("watch", watched, lambda: change(watched))
    assert quiet
    assert changed


def test_watch_sees_changes_through_the_module() -> None:
    module = types.ModuleType("watched")
    assert probe("watch", vars(module), lambda: setattr(module, "flag", True))[1]
    assert probe("watch", vars(module), lambda: setattr(module, "flag", False))[1]
    assert probe("watch", vars(module), lambda: delattr(module, "flag"))[1]


def test_watch_is_quiet_while_nothing_happens() -> None:
    watched, other = {"a": 1}, {"b": 2}
    assert probe("watch", watched, lambda: watched["a"]) == (True, False)
    assert probe("watch", watched, lambda: other.update(c=3)) == (True, False)


def test_watches_of_many_dicts_come_and_go() -> None:
    for _ in range(200):
        watched: dict[str, int] = {}
        assert probe("watch", watched, lambda d=watched: d.update(a=1))[1]
    many: list[dict[str, int]] = [{} for _ in range(40)]
    for watched in many:
        assert probe("watch", watched, lambda d=watched: d.update(a=1))[1]


def test_watch_survives_the_end_of_the_interpreter() -> None:
    program = (
        "from femtolog import _native; import types, sys\n"
        "module = types.ModuleType('m'); sys.modules['m'] = module\n"
        "_native._raw_probe('watch', vars(module), lambda: None)\n"
        "_native._raw_probe('watch', globals(), lambda: None)\n"
        "_native._raw_probe('watch', vars(sys), lambda: None)\n"
        "class Late:\n"
        "    def __del__(self, probe=_native._raw_probe): probe('frames'); probe('watch', {}, dict)\n"
        "late = Late(); late.self = late\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-P", "-c", program], env=environment, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


# --------------------------------------------------------------------------------------------------- locks


@raw_expected
def test_lock_state_is_told_truly() -> None:
    lock = threading.RLock()
    assert probe("lock_free", lock) is True
    with lock, lock:
        assert probe("lock_free", lock) is True
        seen: list[object] = []
        other = threading.Thread(target=lambda: seen.extend([probe("lock_free", lock), probe("acquire", lock)]))
        other.start()
        other.join()
        assert seen == [False, False]
    assert probe("lock_free", lock) is True


def test_other_locks_are_not_taken_for_it() -> None:
    class Custom(type(threading.RLock())):
        pass

    for lock in [threading.Lock(), threading._PyRLock(), Custom(), object(), None]:
        assert probe("lock_free", lock) is None
        assert probe("acquire", lock) is False
        assert probe("release", lock) is False


@raw_expected
def test_structure_and_methods_mix() -> None:
    lock = threading.RLock()
    assert probe("acquire", lock)
    assert lock.acquire(blocking=False)
    assert lock._is_owned()
    assert probe("release", lock)
    lock.release()
    assert not lock._is_owned()
    assert not probe("release", lock)
    with pytest.raises(RuntimeError):
        lock.release()


@raw_expected
def test_waiting_threads_are_woken_by_the_fast_release() -> None:
    lock, counter = threading.RLock(), [0]

    def count(raw: bool) -> None:
        for _ in range(3000):
            fast = raw and probe("acquire", lock)
            if not fast:
                lock.acquire()
            try:
                value = counter[0]
                if value % 64 == 0:
                    threading.Event().wait(0)
                counter[0] = value + 1
            finally:
                if not (raw and probe("release", lock)):
                    lock.release()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=count, args=(n % 2 == 0,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert counter == [12000]
    assert probe("lock_free", lock)
    assert not lock._is_owned()


@raw_expected
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that interrupt")
def test_waiting_for_a_lock_taken_fast_is_interrupted_by_signals() -> None:
    lock = threading.RLock()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        assert probe("acquire", lock)
        held.set()
        done.wait()
        assert probe("release", lock)

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    thread = threading.Thread(target=hold)
    thread.start()
    try:
        held.wait()
        assert not probe("acquire", lock)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            lock.acquire()
        assert not lock._is_owned()
    finally:
        done.set()
        thread.join()
        signal.signal(signal.SIGALRM, before)
    assert probe("acquire", lock)
    assert probe("release", lock)


@raw_expected
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_lock_reinitialised_in_the_child_is_free() -> None:
    lock = threading.RLock()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        assert probe("acquire", lock)
        held.set()
        done.wait()
        assert probe("release", lock)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        lock._at_fork_reinit()
        os._exit(0 if probe("lock_free", lock) and probe("acquire", lock) and probe("release", lock) else 1)
    status = os.waitpid(child, 0)[1]
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
