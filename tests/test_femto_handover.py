"""What becomes of femto's handlers that are replaced: their records are written, one handler at a time writes to a file, and all are closed."""

import io
import logging
import logging.handlers
import os
import sys
import threading
import time

import pytest
from gate import Gate

import femtolog
from femtolog import femto
from femtolog.femto import handover, registry


@pytest.fixture(autouse=True)
def fresh():
    with femtolog.installed():
        yield
        for handler in {*registry.names.handlers.values()}:
            handler.close()
        femto.reset_manager()


class Bad(logging.Handler):
    is_closed = False

    def flush(self):
        raise OSError(5, "no more")

    def close(self):
        self.is_closed = True
        super().close()

    def __repr__(self):
        return "<Bad>"


class Choosy:
    """A filter that nobody can compare."""

    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("not to be compared")

    def filter(self, record):
        return True


def configure(handler, **others):
    """Logger "a" with this handler, and more of them."""
    builder = femto.ConfigBuilder().with_handler("h", handler)
    for name, other in others.items():
        builder.with_handler(name, other)
    builder.with_logger("a", femto.LoggerConfigBuilder().with_level("INFO").with_handlers(["h", *others])).build_and_init()
    return femtolog.get_logger("a")


def replace(handler, **others):
    builder = femto.RuntimeConfigBuilder().with_handler("h", handler)
    for name, other in others.items():
        builder.with_handler(name, other)
    builder.apply()


def stream_builder(stream):
    return femto.StreamHandlerBuilder().stream_target(stream).with_overflow_policy("block")


def file_builder(path):
    return femto.FileHandlerBuilder(path).with_overflow_policy("block").with_formatter(logging.Formatter("%(message)s"))


def rotating_builder(path, max_bytes):
    builder = femto.RotatingFileHandlerBuilder(path).with_max_bytes(max_bytes).with_backup_count(100).with_capacity(5000)
    return builder.with_overflow_policy("block").with_formatter(logging.Formatter("%(message)s"))


def pipeline(handler):
    return handler._femtolog_pipeline


def soon(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def held_while(action, old, log):
    """Replaces a handler whose worker cannot write, and does `action` with the new one before that goes on."""
    with old.lock:
        log.info("backlog")
        replacing = threading.Thread(target=action[0])
        replacing.start()
        soon(lambda: log.logger.handlers[0] is not old)
        action[1](log.logger.handlers[0])
    replacing.join(30)
    assert not replacing.is_alive()


def lines(path):
    """Of all files, the oldest first."""
    backups = sorted(path.parent.glob(f"{path.name}.*"), key=lambda file: -int(file.suffix[1:]))
    return [line for file in [*backups, path] for line in file.read_text().splitlines()]


# ---- one file


def test_a_rotating_file_is_gone_on_with_when_the_old_handler_has_closed_it(tmp_path):
    path = tmp_path / "r.log"
    log = configure(rotating_builder(path, 40))
    old = log.logger.handlers[0]
    for number in range(20):
        log.info(f"first {number}")

    def meanwhile(heir):
        for number in range(100):
            log.info(f"then {number}")
        counts = heir.stats()
        assert (counts["emitted"], counts["in_flight"], counts["written"]) == (100, 100, 0)
        assert heir.stream is None

    held_while((lambda: replace(rotating_builder(path, 40)), meanwhile), old, log)
    assert old.stream is None
    assert pipeline(old).queue.is_closed()
    assert log.flush_handlers(30)
    assert lines(path) == [*(f"first {n}" for n in range(20)), "backlog", *(f"then {n}" for n in range(100))]
    assert len(list(tmp_path.iterdir())) > 20
    assert all(file.stat().st_size <= 40 for file in tmp_path.iterdir())
    counts = old.stats()
    assert (counts["written"], counts["dropped"], counts["in_flight"]) == (21, 0, 0)


def test_threads_that_log_while_a_rotating_file_changes_hands(tmp_path):
    path = tmp_path / "r.log"
    log, done = configure(rotating_builder(path, 400)), threading.Event()
    written = [0, 0]

    def work(which):
        while not done.is_set():
            log.info(f"{which} {written[which]}")
            written[which] += 1

    threads = [threading.Thread(target=work, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for size in (200, 300, 400):
        before = sum(written)
        soon(lambda before=before: sum(written) > before + 50)
        replace(rotating_builder(path, size).with_capacity(50))
    done.set()
    for thread in threads:
        thread.join(30)
    assert log.flush_handlers(30)
    # The backups may be too few for all: what is there is whole, and in order.
    found = lines(path)
    for which in (0, 1):
        numbers = [int(line.split()[1]) for line in found if line.startswith(f"{which} ")]
        assert numbers == list(range(numbers[0], written[which]))


def test_the_path_may_be_written_in_another_way(tmp_path):
    path = tmp_path / "f.log"
    (tmp_path / "link").symlink_to(tmp_path)
    log = configure(file_builder(path))

    def check(heir):
        log.info("then")
        assert heir.stats()["in_flight"] == 1

    old = log.logger.handlers[0]
    held_while((lambda: replace(file_builder(tmp_path / "link" / "f.log")), check), old, log)
    assert log.flush_handlers(30)
    assert path.read_text() == "backlog\nthen\n"


def test_configurations_of_two_threads_are_put_in_force_one_after_the_other(tmp_path, monkeypatch):
    path = tmp_path / "f.log"
    log = configure(file_builder(path))
    first = log.logger.handlers[0]
    retire, enter, steps = handover.Succession.retire, handover.Succession.__enter__, []
    committed, arrived, ended = threading.Event(), threading.Event(), threading.Event()

    def entered(succession):
        if threading.current_thread() is other:
            arrived.set()
        return enter(succession)

    def retired(succession, handlers):
        steps.append(("commit", threading.current_thread(), handlers))
        if threading.current_thread() is one:
            committed.set()
            assert arrived.wait(30)
            assert not ended.wait(0.1)  # the other one waits
            assert log.logger.handlers[0] is second[0]
        retire(succession, handlers)
        steps.append(("end", threading.current_thread(), handlers))

    def replace_once_more():
        assert committed.wait(30)
        second.append(log.logger.handlers[0])
        log.info("two")
        replace(file_builder(path))
        ended.set()

    monkeypatch.setattr(handover.Succession, "__enter__", entered)
    monkeypatch.setattr(handover.Succession, "retire", retired)
    second = []
    one = threading.Thread(target=replace, args=(file_builder(path),))
    other = threading.Thread(target=replace_once_more)
    log.info("one")
    for thread in (one, other):
        thread.start()
    for thread in (one, other):
        thread.join(30)
        assert not thread.is_alive()
    log.info("three")
    assert log.flush_handlers(30)
    assert steps == [
        ("commit", one, [first]),
        ("end", one, [first]),
        ("commit", other, second),
        ("end", other, second),
    ]
    assert path.read_text() == "one\ntwo\nthree\n"
    assert log.get_dropped() == 0


def test_a_thread_with_the_lock_of_logging_does_not_wait_for_a_configuration_that_needs_it(tmp_path, monkeypatch):
    class Closes(logging.NullHandler):
        def close(self):
            entered.set()
            assert waits.wait(30)
            super().close()  # which takes that lock

    def configure_with_the_lock():
        with registry.lock:
            waits.set()
            femto.RuntimeConfigBuilder().with_logger("a", femto.LoggerMutationBuilder().with_level("ERROR")).apply()

    monkeypatch.setattr(handover, "CLOSE_TIMEOUT", 0.05)
    entered, waits = threading.Event(), threading.Event()
    log = configure(Closes())
    one = threading.Thread(target=replace, args=(logging.NullHandler(),))
    one.start()
    assert entered.wait(30)
    other = threading.Thread(target=configure_with_the_lock)
    other.start()
    for thread in (one, other):
        thread.join(30)
        assert not thread.is_alive()
    assert log.level == "ERROR"


def test_another_file_is_not_waited_for(tmp_path):
    log = configure(file_builder(tmp_path / "f.log"))

    def check(heir):
        log.info("then")
        assert heir.flush(30)

    held_while((lambda: replace(file_builder(tmp_path / "g.log")), check), log.logger.handlers[0], log)
    assert [(tmp_path / name).read_text() for name in ("f.log", "g.log")] == ["backlog\n", "then\n"]


def test_a_whole_configuration_for_the_same_file_under_another_id(tmp_path):
    path = tmp_path / "f.log"
    log = configure(file_builder(path))
    old = log.logger.handlers[0]
    builder = (
        femto.ConfigBuilder()
        .with_handler("other", file_builder(path))
        .with_logger("a", femto.LoggerConfigBuilder().with_handlers(["other"]))
    )

    def check(heir):
        log.info("then")
        assert heir.stats()["in_flight"] == 1

    held_while((builder.build_and_init, check), old, log)
    assert pipeline(old).queue.is_closed()
    assert log.flush_handlers(30)
    assert path.read_text() == "backlog\nthen\n"


def test_what_still_comes_to_the_old_handler_goes_to_the_new_one(tmp_path):
    path = tmp_path / "f.log"
    log = configure(file_builder(path))
    first = log.logger.handlers[0]
    replace(file_builder(path).with_level("WARN"))
    second = log.logger.handlers[0]
    plain = logging.Logger("plain")
    plain.addHandler(first)
    plain.info("below its level")
    plain.warning("late")
    first.emit(logging.makeLogRecord({"levelno": 40, "msg": "by emit"}))
    assert first.stream is None
    assert second.flush(30)
    assert path.read_text() == "late\nby emit\n"
    assert first.stats()["dropped"] == 0
    replace(first)  # once more
    log.info("back")
    second.handle(logging.makeLogRecord({"levelno": 40, "msg": "late again"}))
    assert first.flush(30)
    assert path.read_text() == "late\nby emit\nback\nlate again\n"
    assert (first.stats()["written"], second.stats()["written"], log.get_dropped()) == (2, 2, 0)


def test_what_still_comes_to_an_asynchronous_handler_goes_to_the_one_that_has_its_id():
    log = configure(stream_builder(old_stream := io.StringIO()))
    old = log.logger.handlers[0]
    replace(stream_builder(stream := io.StringIO()).with_level("WARN"))
    for level in (logging.INFO, logging.WARNING):
        old.handle(logging.makeLogRecord({"name": "a", "levelname": "L", "levelno": level, "msg": str(level)}))
    assert log.flush_handlers(30)
    assert (old_stream.getvalue(), stream.getvalue()) == ("", "a [L] 30\n")
    assert log.get_dropped() == 0


def test_handlers_of_logging_hand_their_file_over_as_well(tmp_path):
    path = tmp_path / "f.log"
    log = configure(old := logging.FileHandler(path, "w"))
    log.info("one")
    heir = logging.FileHandler(path)
    heir.setLevel("ERROR")
    replace(heir)
    log.error("two")
    for handle in (old.handle, old.emit):
        handle(logging.makeLogRecord({"levelno": 40, "msg": "late"}))
        handle(logging.makeLogRecord({"levelno": 30, "msg": "below the new one's level"}))
    assert old.stream is None
    assert (isinstance(old, logging.FileHandler), type(old).__name__) == (True, "FileHandler")
    replace(old)
    assert type(old) is logging.FileHandler
    log.info("back")
    heir.handle(logging.makeLogRecord({"levelno": 40, "msg": "late again"}))
    old.close()
    assert path.read_text() == "one\ntwo\nlate\nlate\nback\nlate again\n"


@pytest.mark.parametrize("make", [lambda path: file_builder(path).build(), logging.FileHandler])
def test_the_handlers_that_are_left_stay_native(tmp_path, make):
    configure(make(tmp_path / "f.log"))
    replace(make(tmp_path / "f.log"))
    other = make(tmp_path / "g.log")
    log = logging.Logger("native")
    for handler in (other, registry.names.handlers["h"]):
        log.handlers = [handler]
        log.info("first")
        femtolog.reset_stats()
        for number in range(100):
            log.info("%d", number)
        assert femtolog.stats()["emits"] >= 90
        handler.flush()
    other.close()


def test_a_new_day_does_not_begin_twice(tmp_path):
    path = tmp_path / "t.log"
    path.write_text("old\n")

    def builder():
        formatter = logging.Formatter("%(message)s")
        return femto.TimedRotatingFileHandlerBuilder(path).with_when("D").with_formatter(formatter)

    log = configure(builder())
    old = log.logger.handlers[0]
    os.utime(path, (1_000_000_000, 1_000_000_000))  # for which the new one thinks that a day has gone by

    def check(heir):
        assert heir.rolloverAt < 1_000_200_000
        log.info("then")

    held_while((lambda: replace(builder()), check), old, log)
    heir = log.logger.handlers[0]
    assert heir.flush(30)
    assert heir.rolloverAt > time.time()
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old\nbacklog\nthen\n"]


# ---- handlers that have another id, or two


def asynchronous(stream):
    return femto.FemtoStreamHandler(stream, policy="block")


@pytest.mark.parametrize("make", [asynchronous, logging.StreamHandler])
@pytest.mark.parametrize("whole", [True, False])
def test_handlers_that_change_ids_stay_in_use(make, whole):
    one, two = make(io.StringIO()), make(io.StringIO())
    log = configure(one, i=two)
    builder = femto.ConfigBuilder() if whole else femto.RuntimeConfigBuilder()
    builder.with_handler("h", two).with_handler("i", one)
    if whole:
        builder.with_logger("a", femto.LoggerConfigBuilder().with_handlers(["h"])).build_and_init()
        assert log.logger.handlers == [two]
    else:
        builder.with_logger("a", femto.LoggerMutationBuilder().replace_handlers(["h"])).apply()
        assert log.logger.handlers == [two]
    log.info("swapped")
    log.add_handler(one)
    log.info("both")
    assert log.flush_handlers(30)
    texts = [line.removeprefix("a [INFO] ") for handler in (one, two) for line in handler.stream.getvalue().splitlines()]
    assert texts == ["both", "swapped", "both"]
    assert log.get_dropped() == 0


@pytest.mark.parametrize("make", [asynchronous, logging.StreamHandler])
def test_a_handler_gets_another_id_when_a_new_one_gets_its_own(make):
    one, two = make(io.StringIO()), make(io.StringIO())
    configure(one)
    log = configure(two, i=one)
    assert log.logger.handlers == [two, one]
    log.info("m")
    assert log.flush_handlers(30)
    assert [handler.stream.getvalue().removeprefix("a [INFO] ") for handler in (one, two)] == ["m\n", "m\n"]


def test_loggers_that_are_not_named_have_handlers_swapped_with_their_ids():
    one, two = asynchronous(io.StringIO()), asynchronous(io.StringIO())
    log = configure(one, i=two)
    replace(two, i=one)
    assert log.logger.handlers == [two, one]
    femto.RuntimeConfigBuilder().with_handler("h", one).with_handler("i", two).with_logger(
        "a", femto.LoggerMutationBuilder().remove_handlers(["h"])
    ).apply()
    assert log.logger.handlers == [two]  # what had that id is gone, and the other is replaced
    femto.RuntimeConfigBuilder().with_handler("h", two).with_handler("i", one).with_logger(
        "a", femto.LoggerMutationBuilder().append_handlers(["h"])
    ).apply()
    assert log.logger.handlers == [one, two]


@pytest.mark.parametrize("make", [asynchronous, logging.StreamHandler])
def test_a_handler_with_two_ids_is_closed_when_both_are_another_s(make):
    class Closed(make if isinstance(make, type) else femto.FemtoStreamHandler):
        times = 0

        def close(self):
            self.times += 1
            super().close()

    log = configure(one := Closed(io.StringIO()), i=Bad())
    replace(new := make(io.StringIO()), i=one)
    assert (one.times, log.logger.handlers) == (0, [new, one])
    replace(make(io.StringIO()), i=one)
    log.info("m")
    assert log.flush_handlers(30)
    assert one.stream.getvalue().removeprefix("a [INFO] ") == "m\n"
    replace(one, i=one)
    assert (one.times, log.logger.handlers) == (0, [one])
    replace(make(io.StringIO()))
    assert one.times == 0
    replace(make(io.StringIO()), i=make(io.StringIO()))
    assert one.times == 1


def test_basic_config_with_a_handler_that_is_there_does_not_close_it():
    root = femtolog.get_logger("root")
    before = list(root.logger.handlers)
    root.logger.handlers = [handler := asynchronous(io.StringIO())]
    try:
        femto.basicConfig(handlers=[handler], force=True)
        assert root.logger.handlers == [handler]
        root.error("m")
        assert handler.flush(30)
        assert handler.stream.getvalue() == "root [ERROR] m\n"
    finally:
        root.logger.handlers = before
        handler.close()


# ---- handlers that are put in force again


def counted(path):
    return femto.FemtoFileHandler(path, policy="block", flush_interval=2, mode="w")


def small(path):
    return rotating_builder(path, 1000).build()


def enqueued(path):
    return femtolog.enqueue(logging.FileHandler(path, "w"))


def plain(path):
    return logging.FileHandler(path, "w")


@pytest.mark.parametrize("make", [counted, small, enqueued, plain])
@pytest.mark.parametrize("name", ["f.log", "g.log"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_handler_that_was_replaced_is_put_in_force_again(tmp_path, make, name, whole):
    put = configure if whole else replace
    path, path_between = tmp_path / "f.log", tmp_path / name
    first, second = make(path), make(path_between)
    first.setFormatter(logging.Formatter("%(message)s"))
    second.setFormatter(logging.Formatter("%(message)s"))
    log = configure(first)
    for number in range(3):
        for handler in (first, second):
            put(handler)
            assert log.logger.handlers == [handler]
            log.info(f"{number}")
            if number:
                log.info("more")
    assert log.flush_handlers(30)
    put(stream_builder(io.StringIO()))
    expected = "0\n1\nmore\n2\nmore\n"
    if path == path_between:
        expected = "".join(f"{text}\n" for number in range(3) for text in [str(number), *["more"] * bool(number)] * 2)
    assert path.read_text() == expected
    assert path_between.read_text() == expected
    assert log.get_dropped() == 0
    assert (first.stream, second.stream) == (None, None)
    if make is not plain:
        counts = first.stats()
        assert (counts["emitted"], counts["written"], counts["in_flight"]) == (2, 2, 0)  # since then


def test_lines_wait_again_for_others_when_their_handler_is_put_in_force_again(tmp_path):
    log = configure(handler := counted(tmp_path / "f.log"))
    replace(stream_builder(io.StringIO()))
    replace(handler)
    log.info("one")
    assert pipeline(handler).queue.wait_done(pipeline(handler).queue.mark(), 30)
    assert (tmp_path / "f.log").read_text() == ""
    log.info("two")
    assert pipeline(handler).queue.wait_done(pipeline(handler).queue.mark(), 30)
    assert (tmp_path / "f.log").read_text() == "a [INFO] one\na [INFO] two\n"


def test_a_handler_that_the_program_has_closed_is_opened_for_a_configuration(tmp_path):
    handler = enqueued(tmp_path / "f.log")
    handler.handle(logging.makeLogRecord({"levelno": 40, "msg": "one"}))
    handler.close()
    log = configure(handler)
    log.info("two")
    assert log.flush_handlers(30)
    assert (tmp_path / "f.log").read_text() == "one\ntwo\n"
    assert handler.stats()["written"] == 1


def test_what_a_handler_has_dropped_counts_on_when_it_is_put_in_force_again():
    log = configure(handler := femto.FemtoStreamHandler(gate := Gate(), capacity=2, policy="drop"))
    log.info("0")
    assert gate.entered.wait(30)  # with this one in hand
    for number in range(1, 8):
        log.info(str(number))
    dropped = log.get_dropped()
    assert dropped > 0
    gate.opened.set()
    replace(stream_builder(io.StringIO()))
    replace(handler)
    assert (handler.stats()["dropped"], log.get_dropped()) == (0, dropped)


def test_records_on_disk_are_those_of_a_handler_that_is_put_in_force_again(tmp_path):
    handler = femtolog.enqueue(logging.StreamHandler(stream := io.StringIO()), overflow="spill", spill_dir=tmp_path / "spill")
    log = configure(handler)
    for number in range(3):
        replace(logging.NullHandler())
        replace(handler)
        log.info(f"{number}")
    assert log.flush_handlers(30)
    assert stream.getvalue() == "0\n1\n2\n"


def test_a_handler_whose_sink_hangs_yet_is_not_put_in_force_again(tmp_path, capsys):
    log = configure(old := asynchronous(gate := Gate()))
    log.info("0")
    assert gate.entered.wait(30)
    pipeline(old).timeout = old._flush_after = 0.01
    replace(new := logging.NullHandler())
    with pytest.raises(femto.HandlerConfigError) as caught:
        replace(old)
    assert str(caught.value) == f"{old!r} is closed, and its sink hangs"
    assert log.logger.handlers == [new]
    gate.opened.set()
    soon(lambda: not pipeline(old).close_later)
    replace(old)
    log.info("1")
    assert old.flush(30)
    assert gate.lines() == ["a [INFO] 0", "a [INFO] 1"]


def test_a_closed_handler_for_a_peer_is_refused_before_anything_changes(tmp_path):
    handler = femto.FemtoSocketHandler("127.0.0.1", 9)
    handler.close()
    (path := tmp_path / "w.log").write_text("old\n")
    before = logging.getLogger("a").handlers
    for configured in (
        lambda: configure(handler, w=file_builder(path).mode("w")),
        lambda: femto.basicConfig(handlers=[handler], force=True),
    ):
        with pytest.raises(femto.HandlerConfigError) as caught:
            configured()
        assert str(caught.value) == f"{handler!r} is closed, and cannot be used again"
    assert (path.read_text(), logging.getLogger("a").handlers) == ("old\n", before)


def test_a_handler_is_closed_again_if_the_configuration_that_has_it_fails():
    configure(one := asynchronous(io.StringIO()))
    replace(logging.NullHandler())
    closed = femto.FemtoSocketHandler("127.0.0.1", 9)
    closed.close()
    with pytest.raises(femto.HandlerConfigError):
        replace(one, i=closed)
    assert pipeline(one).queue.is_closed()
    assert isinstance(registry.names.handlers["h"], logging.NullHandler)


def test_basic_config_takes_a_handler_that_was_replaced():
    root = femtolog.get_logger("root")
    before = list(root.logger.handlers)
    root.logger.handlers = [handler := asynchronous(io.StringIO())]
    try:
        femto.basicConfig(handlers=[logging.NullHandler()], force=True)
        femto.basicConfig(handlers=[handler], force=True)
        root.error("m")
        assert handler.flush(30)
        assert handler.stream.getvalue() == "root [ERROR] m\n"
    finally:
        root.logger.handlers = before
        handler.close()


# ---- handlers without a lock


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="from 3.13 on the standard library's handlers need their lock")
@pytest.mark.parametrize("asynchronous_one", [True, False])
def test_a_handler_without_a_lock_hands_its_file_over(tmp_path, asynchronous_one):
    class NoLock(logging.FileHandler):
        def createLock(self):
            self.lock = None

    def made():
        return femtolog.enqueue(NoLock(path)) if asynchronous_one else NoLock(path)

    path = tmp_path / "f.log"
    log = configure(old := made())
    log.info("one")
    replace(new := made())
    log.info("two")
    replace(old)
    log.info("three")
    assert log.flush_handlers(30)
    assert path.read_text() == "one\ntwo\nthree\n"
    assert new.stream is None


# ---- what comes to a handler that has no successor


@pytest.mark.parametrize("make", [counted, small, enqueued])
@pytest.mark.parametrize("removed_by", ["configuration", "basic"])
def test_what_still_comes_to_a_handler_without_a_successor_is_written_by_the_caller(tmp_path, make, removed_by):
    old = make(path := tmp_path / "f.log")
    old.setFormatter(logging.Formatter("%(message)s"))
    old.addFilter(lambda record: record.getMessage() != "refused")
    if removed_by == "configuration":
        configure(old).info("one")
        femto.ConfigBuilder().with_logger("a", femto.LoggerConfigBuilder().with_handlers([])).build_and_init()
    else:
        root = femtolog.get_logger("root")
        before, root.logger.handlers = root.logger.handlers, [old]
        try:
            root.error("one")
            femto.basicConfig(handlers=[logging.NullHandler()], force=True)
        finally:
            root.logger.handlers = before
    log = logging.Logger("late")
    log.addHandler(old)
    for number in range(3):
        log.info("late %d", number)
        assert path.read_text().splitlines() == ["one", *(f"late {n}" for n in range(number + 1))]
        assert old.stream is None
    log.info("refused")
    old.emit(logging.makeLogRecord({"levelno": 40, "msg": "by emit"}))
    assert path.read_text() == "one\nlate 0\nlate 1\nlate 2\nby emit\n"
    assert old.stream is None
    counts = old.stats()
    known = 1 if make is enqueued else 5  # past the queue; a handler whose lines may wait counts them itself
    assert (counts["emitted"], counts["written"], counts["failed"], counts["dropped"], counts["in_flight"]) == (
        known,
        known,
        0,
        0,
        0,
    )


def test_what_still_comes_to_a_handler_that_hangs_and_has_no_successor_is_dropped_and_counted(capsys):
    log = configure(old := asynchronous(gate := Gate()))
    log.info("0")
    assert gate.entered.wait(30)
    pipeline(old).timeout = old._flush_after = 0.01
    femto.ConfigBuilder().with_logger("a", femto.LoggerConfigBuilder().with_handlers([])).build_and_init()
    old.handle(logging.makeLogRecord({"levelno": 40, "msg": "late"}))
    assert old.stats()["dropped_by"]["closed"] == 1
    gate.opened.set()
    soon(lambda: old.stats()["written"] == 1)
    assert gate.lines() == ["a [INFO] 0"]


# ---- mode "w"


def test_mode_w_empties_the_file_once(tmp_path):
    path = tmp_path / "w.log"
    path.write_text("of another run\n")
    log = configure(file_builder(path).mode("w"))
    assert path.read_bytes() == b""
    for number in range(3):
        log.info(f"one {number}")
    old = log.logger.handlers[0]
    held_while((lambda: replace(file_builder(path).mode("w")), lambda _: log.info("two")), old, log)
    assert log.flush_handlers(30)
    assert path.read_text() == "one 0\none 1\none 2\nbacklog\ntwo\n"
    configure(file_builder(path).mode("w"))
    log.info("three")
    assert log.flush_handlers(30)
    assert path.read_text() == "one 0\none 1\none 2\nbacklog\ntwo\nthree\n"


def test_a_handler_alone_opens_its_file_in_its_mode(tmp_path):
    path = tmp_path / "w.log"
    path.write_text("old\n")
    handler = file_builder(path).mode("w").build()
    assert (handler.mode, path.read_bytes()) == ("w", b"")
    handler.close()


def test_a_handler_with_mode_w_keeps_what_comes_late(tmp_path):
    path = tmp_path / "w.log"
    log = configure(old := logging.FileHandler(path, "w"))
    log.info("one")
    replace(stream_builder(io.StringIO()))
    old.handle(logging.makeLogRecord({"levelno": 40, "msg": "late"}))
    old.close()
    assert path.read_text() == "one\nlate\n"


@pytest.mark.parametrize("kind", [femto.ConfigBuilder, femto.RuntimeConfigBuilder])
def test_a_configuration_that_fails_leaves_files_as_they_are(tmp_path, kind):
    kept, new = tmp_path / "kept.log", tmp_path / "new.log"
    kept.write_text("old\n")
    builder = kind().with_handler("kept", file_builder(kept).mode("w")).with_handler("new", file_builder(new))
    builder.with_handler("timed", femto.TimedRotatingFileHandlerBuilder(tmp_path / "timed.log"))
    builder.with_handler("none", file_builder(tmp_path / "none" / "f.log"))
    with pytest.raises(femto.HandlerIOError):
        builder.build_and_init() if kind is femto.ConfigBuilder else builder.apply()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("kept.log", "old\n")]


@pytest.mark.parametrize("kind", [femto.ConfigBuilder, femto.RuntimeConfigBuilder])
def test_files_are_emptied_last(tmp_path, monkeypatch, kind):
    def fail(succession, old, new):
        raise RuntimeError("no")

    (path := tmp_path / "w.log").write_text("old\n")
    monkeypatch.setattr(handover.Succession, "hold", fail)
    builder = kind().with_handler("w", file_builder(path).mode("w"))
    with pytest.raises(RuntimeError, match="no"):
        builder.build_and_init() if kind is femto.ConfigBuilder else builder.apply()
    assert (path.read_text(), registry.names.handlers) == ("old\n", {})


def test_a_file_that_cannot_be_emptied_is_told_before_anything_changes(tmp_path, monkeypatch):
    def refuse(descriptor, length):
        raise PermissionError(1, "append only")

    path = tmp_path / "w.log"
    path.write_text("old\n")
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(femto.HandlerIOError) as caught:
        configure(file_builder(path).mode("w"))
    assert (caught.value.errno, caught.value.filename) == (1, str(path))
    assert (path.read_text(), registry.names.handlers) == ("old\n", {})


# ---- sinks that are slow, hang or fail


def test_a_slow_sink_is_waited_for_as_long_as_it_goes_on(monkeypatch):
    written = []

    class Slow(io.StringIO):
        def write(self, text):
            assert steps.acquire(timeout=30)
            written.append(text)

    steps = threading.Semaphore(0)
    log = configure(stream_builder(Slow()).with_capacity(100))
    old = log.logger.handlers[0]
    for number in range(20):
        log.info(str(number))
    wait_until, waits = pipeline(old).wait_until, []

    def one_record_in_all_that_time(handler, mark, deadline):
        if pipeline(old).queue.is_done(mark):
            return wait_until(handler, mark, deadline)
        waits.append(len(written))
        steps.release()
        soon(lambda: pipeline(old).done() > waits[-1])
        return False

    monkeypatch.setattr(pipeline(old), "wait_until", one_record_in_all_that_time)
    replace(stream_builder(io.StringIO()))
    counts = old.stats()
    assert waits == list(range(20))
    assert (counts["written"], counts["dropped"], counts["in_flight"]) == (20, 0, 0)
    assert written == [f"a [INFO] {number}\n" for number in range(20)]


def test_a_sink_that_hangs_is_left_and_what_is_dropped_is_told(capsys):
    gate = Gate()
    log = configure(stream_builder(gate))
    old = log.logger.handlers[0]
    log.info("0")
    assert gate.entered.wait(30)  # with this one in hand
    for number in range(1, 5):
        log.info(str(number))
    pipeline(old).timeout = 0.01
    old._flush_after = 0.01
    replace(stream_builder(stream := io.StringIO()))
    log.info("then")
    assert log.flush_handlers(30)
    counts = old.stats()
    assert (counts["emitted"], counts["in_flight"], counts["dropped_by"]["closed"]) == (5, 1, 4)
    assert capsys.readouterr().err == (
        f"femtolog: {old!r} has dropped 4 more records (in all: closed 4)\n"
        f"femtolog: {old!r} is closed when its sink, which hangs, has written what is in hand: 1\n"
    )
    assert log.get_dropped() == 4
    gate.opened.set()
    soon(lambda: old.stats()["written"] == 1)
    assert (gate.lines(), stream.getvalue()) == (["a [INFO] 0"], "a [INFO] then\n")


def test_a_peer_is_waited_for_as_long_as_it_takes_records():
    class Peer(logging.Handler):
        aflush = None

        def __init__(self, takes):
            super().__init__()
            self.waited, self.left, self.takes = [], 5, takes

        def stats(self):
            return {"emitted": 5, "in_flight": self.left, "connected": bool(self.takes)}

        def flush(self, timeout=None):
            self.waited.append(timeout)
            if self.takes:
                self.takes, self.left = self.takes - 1, self.left - 1

    peers = Peer(5), Peer(2), Peer(0)
    handover.retire(peers)
    assert [peer.waited for peer in peers] == [[5.0] * 5 + [None], [5.0, 5.0, 1.0], [1.0]]


@pytest.mark.parametrize("told", [True, False])
def test_a_handler_whose_flush_fails_keeps_no_other_from_being_closed(tmp_path, capsys, monkeypatch, told):
    monkeypatch.setattr(logging, "raiseExceptions", told)
    path, stream = tmp_path / "f.log", io.StringIO()
    log = configure(Bad(), i=rotating_builder(path, 1000), j=stream_builder(stream))
    bad, file, other = log.logger.handlers
    bad.emit = lambda record: None
    with file.lock:
        log.info("m")
        replacing = threading.Thread(
            target=replace,
            args=(stream_builder(io.StringIO()),),
            kwargs={"i": rotating_builder(path, 1000), "j": stream_builder(io.StringIO())},
        )
        replacing.start()
        soon(lambda: log.logger.handlers[0] is not bad)
    replacing.join(30)
    assert [pipeline(handler).queue.is_closed() for handler in (file, other)] == [True, True]
    assert bad.is_closed
    assert (path.read_text(), stream.getvalue()) == ("m\n", "a [INFO] m\n")
    expected = "femtolog: <Bad> could not be flushed and closed: OSError(5, 'no more')\n"
    assert capsys.readouterr().err == (expected if told else "")


def test_a_rotating_file_whose_flush_fails_is_gone_on_with(tmp_path, capsys):
    class Full(logging.handlers.RotatingFileHandler):
        def flush(self):
            super().flush()
            if threading.current_thread().name != "femtolog-queue":
                raise OSError(28, "No space left on device")

    path = tmp_path / "r.log"
    log = configure(old := femtolog.enqueue(Full(path)))
    held_while((lambda: replace(rotating_builder(path, 1000)), lambda _: log.info("then")), old, log)
    assert log.flush_handlers(30)
    assert path.read_text() == "backlog\nthen\n"
    assert pipeline(old).queue.is_closed()
    assert "could not be flushed and closed: OSError(28, 'No space left on device')" in capsys.readouterr().err


def test_basic_config_replaces_what_cannot_be_flushed(capsys):
    log = femtolog.get_logger("root")
    before = list(log.logger.handlers)
    log.logger.handlers = [Bad()]
    try:
        femto.basicConfig(handlers=[new := logging.NullHandler()], force=True)
        assert log.logger.handlers == [new]
    finally:
        log.logger.handlers = before
    assert "<Bad> could not be flushed and closed" in capsys.readouterr().err


def test_a_thread_that_logs_while_it_writes_by_the_old_handler_is_not_waited_for_with_the_new_one_held(tmp_path, monkeypatch):
    class Argument:
        def __str__(self):
            entered.set()
            soon(lambda: log.logger.handlers[0] is not old)
            log.info("within")  # waits for the new one
            return "around"

    monkeypatch.setattr(handover, "TAKEN_WITHIN", 0.05)
    monkeypatch.setattr(handover, "CLOSE_TIMEOUT", 30.0)
    path, entered = tmp_path / "f.log", threading.Event()
    log = configure(old := logging.FileHandler(path))
    log.set_propagate(False)  # to pytest's handler, which would ask for the text, too
    writing = threading.Thread(target=lambda: log.logger.info("%s", Argument()))
    writing.start()
    assert entered.wait(30)
    replacing = threading.Thread(target=replace, args=(logging.FileHandler(path),))
    replacing.start()
    for thread in (writing, replacing):
        thread.join(30)
        assert not thread.is_alive()
    assert path.read_text() == "within\naround\n"
    assert old.stream is None
    old.handle(logging.makeLogRecord({"levelno": 40, "msg": "late"}))
    assert (path.read_text(), old.stream) == ("within\naround\nlate\n", None)


@pytest.mark.parametrize("same", [True, False])
def test_a_synchronous_sink_that_hangs_is_left_and_closed_later(tmp_path, monkeypatch, capsys, same):
    class Hangs(logging.FileHandler):
        def emit(self, record):
            entered.set()
            assert opened.wait(30)
            super().emit(record)

        def __repr__(self):
            return "<Hangs>"

    monkeypatch.setattr(handover, "TAKEN_WITHIN", 0.01)
    monkeypatch.setattr(handover, "CLOSE_TIMEOUT", 0.01)
    path, entered, opened = tmp_path / "f.log", threading.Event(), threading.Event()
    new = path if same else tmp_path / "g.log"
    log = configure(old := Hangs(path))
    writing = threading.Thread(target=log.info, args=("in hand",))
    writing.start()
    assert entered.wait(30)
    replace(logging.FileHandler(new))
    log.info("then")
    assert new.read_text() == "then\n"
    assert capsys.readouterr().err == "femtolog: <Hangs> is closed when its sink, which hangs, has written what is in hand: 1\n"
    opened.set()
    writing.join(30)
    soon(lambda: old.stream is None)
    assert path.read_text() == ("then\n" if same else "") + "in hand\n"


# ---- objects that cannot be compared


def test_filters_and_handlers_are_compared_by_identity():
    class Handler(logging.NullHandler):
        __eq__ = Choosy.__eq__
        __hash__ = logging.NullHandler.__hash__

    one, two = Choosy(), Choosy()
    builder = femto.ConfigBuilder().with_filter("one", one).with_filter("two", two)
    builder.with_handler("h", first := Handler()).with_handler("i", second := Handler())
    builder.with_logger("a", femto.LoggerConfigBuilder().with_filters(["one"]).with_handlers(["h"])).build_and_init()
    log = logging.getLogger("a")

    def apply(change):
        femto.RuntimeConfigBuilder().with_logger("a", change).apply()
        return [*map(id, log.filters)], [*map(id, log.handlers)]

    change = femto.LoggerMutationBuilder
    assert apply(change().append_filters(["one", "two"]).append_handlers(["h", "i"])) == (
        [id(one), id(two)],
        [id(first), id(second)],
    )
    assert apply(change().remove_filters(["one"]).remove_handlers(["h"])) == ([id(two)], [id(second)])
    assert apply(change().replace_filters(["one"]).replace_handlers(["h"])) == ([id(one)], [id(first)])
    femto.ConfigBuilder().with_filter("one", two).with_logger(
        "a", femto.LoggerConfigBuilder().with_filters(["one"])
    ).build_and_init()
    assert [*map(id, log.filters)] == [id(two)]
    femtolog.get_logger("a").add_handler(first)
    femto.reset_manager()
    assert (log.filters, log.handlers) == ([], [])
