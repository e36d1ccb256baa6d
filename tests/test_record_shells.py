"""A record that a filter has seen and nobody keeps lends what it is made of to the next one, which is as new as any other."""

import gc
import logging
import logging.handlers
import sys
import threading
import tracemalloc
import weakref

import pytest
from oracle import same_as_stdlib

import femtolog
from femtolog import _native

shells_are_kept = pytest.mark.skipif(
    _native._raw_probe("layout")[0] != "raw",
    reason="without a GIL and without raw reads every record is made anew",
)


FORMATTED = ("message", "asctime", "exc_text")
TOLD_BY_THE_CLOCK = {"created", "msecs", "relativeCreated"}


class Kept:
    """A stream in Python."""

    def __init__(self):
        self.texts = []

    def write(self, text):
        """Keep it."""
        self.texts.append(text)

    def flush(self):
        """Nothing to do."""


def whole(record):
    """All that it has, in order; times by their types."""
    return [(name, type(value).__name__ if name in TOLD_BY_THE_CLOCK else str(value)) for name, value in vars(record).items()]


def with_filter(log, look, *streams, fmt="%(levelname)s %(message)s"):
    log.addFilter(look)
    for stream in streams:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter(fmt))
        log.addHandler(handler)
    return log


def here(log, *args):
    log.info("from here %s", *args)


def there(log, *args):
    log.warning("from there %s", *args)


@same_as_stdlib
def test_places_loggers_levels_threads_and_messages_take_turns(w, monkeypatch):
    def look(record):
        w.note(whole(record))
        return True

    logs = [with_filter(logging.Logger(name), look, Kept()) for name in ("one", "two", "one")]
    current = threading.current_thread()
    for turn in range(36):
        monkeypatch.setattr(current, "name", f"thread {turn // 5}")
        log = logs[turn % 3]
        (here if turn % 4 < 2 else there)(log, turn)
        log.log(turn, "level %s of %s", turn, "many")
        log.error("no arguments")
        log.critical("a mapping %(a)s", {"a": turn})
        log.info("more", extra={"more": turn})


class Name(str):
    """No plain text."""


@same_as_stdlib
def test_names_that_are_no_plain_texts(w, monkeypatch):
    def look(record):
        w.note(whole(record), type(record.name).__name__, type(record.threadName).__name__, type(record.levelname).__name__)
        return True

    log = with_filter(logging.Logger(Name("named")), look, Kept())
    for _ in range(3):
        here(log, 1)
        monkeypatch.setattr(threading.current_thread(), "_name", Name("a thread"))
        here(log, 2)
        monkeypatch.undo()
        log.name = "plain"
        here(log, 3)
        log.name = Name("again")
        logging.addLevelName(20, Name("NAMED"))
        here(log, 4)
        logging.addLevelName(20, "INFO")


@same_as_stdlib
@pytest.mark.parametrize("value", ["text", 7, 1.5, None, True, ("a", 1), [], Name("no plain text"), object])
def test_what_a_filter_changes_is_changed_in_that_record_alone(w, value):
    changes = []

    def look(record):
        for name in changes:
            setattr(record, name, value)
        w.note(whole(record))
        return True

    log = with_filter(logging.Logger("changed"), look)
    log.addHandler(logging.NullHandler())
    names = list(vars(logging.makeLogRecord({})))
    if not isinstance(value, (int, float)):  # which the handler compares with its level
        names.remove("levelno")
    for name in (*names, "message", "asctime", "more"):
        here(log, 1)
        changes.append(name)
        here(log, 2)
        changes.clear()
        here(log, 3)
    changes.extend(names)
    for _ in range(3):
        here(log, 4)


@same_as_stdlib
def test_what_a_filter_takes_away_comes_back_in_its_place(w):
    taken = []

    def look(record):
        for name in taken:
            value = vars(record).pop(name) if len(taken) == 2 else record.__dict__[name]
            delattr(record, name) if name in vars(record) else None
            if len(taken) == 1:
                setattr(record, name, value)
        w.note(whole(record))
        return True

    log = with_filter(logging.Logger("taken"), look)
    log.addHandler(logging.NullHandler())
    for names in (["name"], ["lineno"], ["created"], ["taskName" if sys.version_info >= (3, 12) else "process"], ["msg", "args"]):
        here(log, 1)
        taken[:] = names
        here(log, 2)
        taken.clear()
        here(log, 3)


@same_as_stdlib
@pytest.mark.parametrize(
    "kept", [["created"], ["msecs", "relativeCreated"], ["args"], ["msg"], ["name", "threadName", "created", "args"]]
)
def test_what_a_filter_keeps_stays_what_it_was(w, kept):
    values = []

    def look(record):
        for name in kept:
            value = getattr(record, name)
            values.append((value, str(value)))
        return True

    log = with_filter(logging.Logger("keeps"), look, Kept())
    for turn in range(20):
        (here if turn % 2 else there)(log, turn)
    w.note(len(values), [str(value) == text for value, text in values])


def test_threads_with_filters_of_their_own():
    """Each gets its own records, whoever's the last one was."""
    wrong, logs = [], []

    def work(number):
        def look(record):
            expected = (
                f"log {number}",
                f"worker {number}",
                (number,),
                threading.get_ident(),
                "here" if record.levelno == 20 else "there",
            )
            if (record.name, record.threadName, record.args, record.thread, record.funcName) != expected:
                wrong.append(whole(record))
            return True

        log = with_filter(logging.Logger(f"log {number}"), look, Kept())
        logs.append(log)
        for turn in range(2000):
            (here if turn % 3 else there)(log, number)

    threads = [threading.Thread(target=work, args=(number,), name=f"worker {number}") for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for log in logs:
        assert len(log.handlers[0].stream.texts) == 2000


# -- `message`, which is set when it is formatted ---------------------------------------------------------------------------------------


def passing(record):
    return True


@same_as_stdlib
@pytest.mark.parametrize(
    "fmt", ["%(message)s", "%(levelname)s", "%(message)s %(message)s", "%(message)9s", "%(asctime)s %(message)s"]
)
def test_the_record_that_a_filter_kept_has_its_message(w, fmt):
    records, states = [], []

    class Looking(Kept):
        def write(self, text):
            states.extend(sorted(vars(record)) for record in records)
            super().write(text)

    log = with_filter(logging.Logger("kept"), lambda record: records.append(record) or True, Looking(), Kept(), fmt=fmt)
    for turn in range(5):
        here(log, turn)
    w.note(states, [record.message for record in records])


@same_as_stdlib
@pytest.mark.parametrize("keep", [vars, lambda record: record.__dict__, lambda record: (vars(record), record)])
@pytest.mark.parametrize("python_first", [False, True])
def test_the_attributes_that_a_filter_kept_have_the_message(w, keep, python_first):
    """Without the record itself, too."""
    kept, states = [], []

    def message_of(each):
        return (each[0] if isinstance(each, tuple) else each).get("message")

    class Looking(Kept):
        def write(self, text):
            states.append([message_of(each) for each in kept])
            super().write(text)

    class Keeping(logging.Handler):
        def emit(self, record):
            kept.append(keep(record))

    def look(record):
        if not python_first:
            kept.append(keep(record))
        return True

    log = logging.Logger("kept")
    if python_first:
        log.addHandler(Keeping())
    with_filter(log, look, Looking(), fmt="%(message)s")
    for turn in range(5):
        here(log, turn)
    w.note(states, [message_of(each) for each in kept])


@same_as_stdlib
def test_an_exception_out_of_a_stream_and_what_it_leaves(w, monkeypatch):
    ends = []

    class Leaving(Kept):
        def write(self, text):
            raise KeyboardInterrupt(text)

    class Watching(Kept):
        def write(self, text):
            told = lambda record: ends.append(record.__dict__.get("message"))  # noqa: E731
            monkeypatch.setattr(logging.LogRecord, "__del__", told, raising=False)
            if "2" in text:
                raise KeyboardInterrupt(text)

    for stream in (Leaving(), Watching()):
        log = with_filter(logging.Logger("leaving"), passing, stream, fmt="%(message)s")
        for turn in range(4):
            try:
                here(log, turn)
            except KeyboardInterrupt as error:
                w.note(str(error))
            w.note(ends)
            monkeypatch.undo()


class Own(logging.LogRecord):
    """A class without anything of its own."""


@same_as_stdlib
def test_records_of_another_class_and_a_file_that_rolls(w):
    log = logging.Logger("rolls")
    log.addFilter(passing)
    path = w.dir / "app.log"
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=100, backupCount=2)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log.addHandler(handler)
    for turn in range(30):
        here(log, turn)
        if turn == 15:
            logging.setLogRecordFactory(Own)
    handler.close()
    logging.setLogRecordFactory(logging.LogRecord)
    w.note([file.read_text() for file in sorted(w.dir.glob("app.log*"))])


@shells_are_kept
def test_a_record_is_made_of_the_last_one():
    """The shell and its mould hold a reference each to what the next record has as a rule."""
    name = f"some{sys.version_info.major}"
    with femtolog.installed():
        log = with_filter(logging.Logger(name), passing, Kept())
        before = sys.getrefcount(name)
        for turn in range(4):
            here(log, turn)
        assert sys.getrefcount(name) == before + 2
        other = with_filter(logging.Logger("another"), passing, Kept())
        here(other, 1)
        assert sys.getrefcount(name) == before


@same_as_stdlib
def test_a_failing_stream_hands_over_a_record_with_its_message(w):
    class Failing(Kept):
        def write(self, text):
            raise OSError(text)

    class Handler(logging.StreamHandler):
        def handleError(self, record):
            w.note(whole(record), str(sys.exc_info()[1]), gc.is_tracked(record))

    for terminator in ("\n", Name("\n"), 1):
        log = logging.Logger("failing")
        handler = Handler(Failing())
        handler.terminator = terminator
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addFilter(passing)
        log.addHandler(handler)
        for turn in range(3):
            here(log, turn)


@same_as_stdlib
def test_a_handler_that_comes_while_a_line_is_written_gets_the_message(w):
    log = logging.Logger("growing")

    class Late(logging.Handler):
        def emit(self, record):
            w.note(whole(record), gc.is_tracked(record))

    class Stream(Kept):
        def write(self, text):
            super().write(text)
            if len(log.handlers) < 6:
                log.addHandler(Late(level=10 * (len(log.handlers) % 3)))
                handler = logging.StreamHandler(Kept())
                handler.setFormatter(logging.Formatter("late %(message)s"))
                log.addHandler(handler)

    with_filter(log, passing, Stream())
    for turn in range(4):
        here(log, turn)
        w.note([handler.stream.texts for handler in log.handlers if isinstance(handler, logging.StreamHandler)])


@same_as_stdlib
def test_whoever_finds_a_record_finds_its_message(w):
    found = []

    class Finding(Kept):
        def write(self, text):
            super().write(text)
            records = [each for each in gc.get_objects() if type(each) is logging.LogRecord and each.name == "found"]
            found.append(all("message" in vars(record) for record in records))

    log = with_filter(logging.Logger("found"), passing, Finding(), fmt="%(message)s")
    for turn in range(4):
        here(log, turn)
    w.note(found)


@same_as_stdlib
def test_the_end_of_a_record_is_told_with_its_message(w, monkeypatch):
    log = with_filter(logging.Logger("ends"), passing, Kept())
    here(log, "before")
    monkeypatch.setattr(logging.LogRecord, "__del__", lambda self: w.note("end", self.__dict__.get("message")), raising=False)
    for turn in range(3):
        here(log, turn)
    monkeypatch.undo()
    here(log, "after")

    def watched(record):
        references.append(weakref.ref(record, lambda _: w.note("gone")))
        return True

    references = []
    log = with_filter(logging.Logger("watched"), watched, Kept())
    for turn in range(3):
        here(log, turn)
        w.note([reference() is None for reference in references])


@same_as_stdlib
def test_a_stream_that_logs_while_it_writes(w):
    inner_seen = []
    inner = with_filter(logging.Logger("inner"), lambda record: inner_seen.append(whole(record)) or True, Kept())

    class Logging(Kept):
        def write(self, text):
            there(inner, text)
            super().write(text)

    outer = with_filter(logging.Logger("outer"), passing, Logging(), Logging())
    for turn in range(5):
        here(outer, turn)
    w.note(inner_seen, [handler.stream.texts for handler in (*outer.handlers, *inner.handlers)])


@same_as_stdlib
def test_a_stream_that_logs_what_its_own_logger_filters(w):
    """Each record is hidden while the next ones are made and end: of its own place, of another one, of both by turns."""
    seen = []

    class Logging(Kept):
        depth = 0

        def write(self, text):
            super().write(text)
            if Logging.depth < 3:
                Logging.depth += 1
                (here, there)[Logging.depth % 2](log, f"within {Logging.depth}")
                here(log, "again")
                Logging.depth -= 1

    def look(record):
        seen.append(whole(record))
        if len(seen) % 5 == 0:
            record.funcName = "changed"
        return True

    log = with_filter(logging.Logger("deep"), look, Logging())
    for turn in range(4):
        here(log, turn)
    w.note(seen, log.handlers[0].stream.texts)


@same_as_stdlib
@pytest.mark.parametrize("asked", ["__bool__", "__len__"])
def test_records_that_are_asked_whether_they_are_true(w, monkeypatch, asked):
    log = with_filter(logging.Logger("asked"), passing, Kept())
    handler = logging.StreamHandler(Kept())
    handler.addFilter(passing)
    log.addHandler(handler)
    bare = logging.Logger("bare")
    bare.addHandler(logging.StreamHandler(Kept()))
    answers = []

    def answer(self):
        answers.append(self.args)
        return len(answers) % 3 != 0

    for turn in range(6):
        if turn == 2:
            monkeypatch.setattr(logging.LogRecord, asked, answer, raising=False)
        if turn == 5:
            monkeypatch.undo()
        here(log, turn)
        here(bare, turn)
    w.note(answers, [handler.stream.texts for handler in (*log.handlers, *bare.handlers)])


@same_as_stdlib
def test_a_formatter_that_is_false_at_times(w):
    class Formatter(logging.Formatter):
        answer = True

        def __bool__(self):
            w.note("asked")
            return Formatter.answer

    log = with_filter(logging.Logger("false"), passing, Kept())
    log.handlers[0].setFormatter(Formatter("own %(message)s"))
    for turn in range(4):
        Formatter.answer = turn % 2 == 0
        here(log, turn)
    w.note(log.handlers[0].stream.texts)


@same_as_stdlib
def test_whoever_traces_memory_is_told_of_each_record(w):
    traced = []

    def look(record):
        objects = (record, record.created) + ((record.args,) if record.args else ())
        traced.append([tracemalloc.get_object_traceback(each) is not None for each in objects])
        if len(traced) == 5:
            tracemalloc.stop()
        return True

    class Starting(Kept):
        def write(self, text):
            super().write(text)
            if len(self.texts) == 3:
                tracemalloc.start()

    log = with_filter(logging.Logger("traced"), look, Starting())
    for turn in range(8):
        here(log, float(turn))
    w.note(traced)


@same_as_stdlib
@pytest.mark.parametrize("fmt", ["%(asctime)s %(message)s", "%(message)20s", "%(levelname)s", "%(message)s"])
@pytest.mark.parametrize("extra", [None, {"own": 1}])
def test_what_a_handler_that_came_late_set_is_not_the_next_records(w, fmt, extra):
    """It comes while the record is written, so that its message has not been set yet."""
    late = logging.StreamHandler(Kept())
    late.setFormatter(logging.Formatter(fmt, "now"))

    class Growing(Kept):
        def write(self, text):
            super().write(text)
            if len(self.texts) == 3:
                log.addHandler(late)

    seen = []
    log = with_filter(logging.Logger("late"), lambda record: seen.append([hasattr(record, name) for name in FORMATTED]) or True)
    log.addHandler(logging.StreamHandler(Growing()))
    for turn in range(8):
        log.info("turn %d", turn, extra=extra if turn == 3 else None)
        if turn == 2:
            log.removeHandler(late)
        if turn == 3:
            log.addFilter(lambda record: w.note(whole(record)) or True)
    w.note(seen, late.stream.texts)


@same_as_stdlib
@pytest.mark.parametrize("name", ["exc_info", "exc_text", "stack_info", "message", "asctime"])
def test_what_a_class_computes_from_now_on(w, monkeypatch, name):
    """Set by a filter, which has its record already."""

    def look(record):
        if record.args == (2,):
            own = property(lambda record: None if name == "exc_info" else f"computed {name}", lambda record, value: None)
            monkeypatch.setattr(logging.LogRecord, name, own, raising=False)
        return True

    log = with_filter(logging.Logger("computed"), look, Kept())
    for turn in range(4):
        here(log, turn)
    monkeypatch.undo()
    here(log, 4)
    w.note(log.handlers[0].stream.texts)


@same_as_stdlib
@pytest.mark.parametrize("asked", ["__bool__", "__len__"])
def test_records_that_are_asked_from_the_second_handler_on(w, monkeypatch, asked):
    """No filter has seen them, and the first handler's stream gives their class what says that they are false."""

    class Changing(Kept):
        def write(self, text):
            super().write(text)
            if len(self.texts) == 2:
                monkeypatch.setattr(logging.LogRecord, asked, lambda record: 0 if asked == "__len__" else False, raising=False)

    log = logging.Logger("changing")
    for stream in (Changing(), Kept(), Kept()):
        log.addHandler(logging.StreamHandler(stream))
    for turn in range(4):
        here(log, turn)
    monkeypatch.undo()
    here(log, 4)
    w.note([handler.stream.texts for handler in log.handlers])


@same_as_stdlib
@pytest.mark.parametrize("goes", ["alone", "with its list", "to a list that answers"])
@pytest.mark.parametrize("last", ["false", "message", "class", "level", "handler", "propagate"])
def test_what_a_filter_changes_at_its_end(w, monkeypatch, goes, last):
    """Nobody has it any more when it has said yes: it ends before the handlers are asked, and so does the list that it was in."""
    others = logging.StreamHandler(Kept())

    class Going(logging.Filter):
        def filter(self, record):
            if record.args == (2,):
                if goes == "alone":
                    log.removeFilter(self)
                elif goes == "with its list":
                    log.filters = []
                else:
                    log.filters = [passing]
            return True

        def __del__(self):
            w.note("ends")
            if last == "false":
                monkeypatch.setattr(logging.LogRecord, "__bool__", lambda record: False, raising=False)
            elif last == "message":
                monkeypatch.setattr(logging.LogRecord, "getMessage", lambda record: "another one")
            elif last == "class":
                monkeypatch.setattr(logging, "LogRecord", type("Other", (logging.LogRecord,), {}))
            elif last == "level":
                log.handlers[0].setLevel(logging.ERROR)
            elif last == "handler":
                log.addHandler(others)
            else:
                above.addHandler(others)
                log.parent = above

    above = logging.Logger("above")
    log = with_filter(logging.Logger("going"), Going(), Kept(), Kept())
    for turn in range(6):
        here(log, turn)
        if turn == 4:
            monkeypatch.undo()
    w.note([handler.stream.texts for handler in (*log.handlers, others)])


@same_as_stdlib
@pytest.mark.parametrize("answer", ["the record", "one", "a record by its class", "another record"])
def test_answers_that_are_asked_what_they_are(w, monkeypatch, answer):
    """Whoever is asked for its class may change anything."""
    log = logging.Logger("asked")

    class Pretending:
        @property
        def __class__(self):
            w.note("asked")
            monkeypatch.setattr(log.handlers[1], "level", logging.ERROR)
            return logging.LogRecord

        def __getattr__(self, name):
            return getattr(seen[-1], name)

    seen = []

    def look(record):
        seen.append(record)
        if record.args != (2,):
            return True
        return {
            "the record": record,
            "one": 1,
            "a record by its class": Pretending(),
            "another record": logging.makeLogRecord({**vars(record), "msg": "another %s"}),
        }[answer]

    with_filter(log, look, Kept(), Kept())
    log.addFilter(passing)
    for turn in range(5):
        here(log, turn)
        del seen[:-1]
    w.note([handler.stream.texts for handler in log.handlers])


@same_as_stdlib
def test_when_filters_and_their_answers_end(w):
    """A filter lives until the next one is there, its answer until the next one answers, and the last ones longer than the list."""

    class Told:
        def __init__(self, name):
            self.name = name

        def __del__(self):
            w.note(f"{self.name} ends")

    class Answer(Told):
        def __bool__(self):
            w.note(f"{self.name} asked")
            return self.name != "no"

    class Filters(list):
        def __del__(self):
            w.note("the list ends")

    class Going(Told):
        def __init__(self, name, *, says="yes", then=None):
            super().__init__(name)
            self.says, self.then = says, then

        def filter(self, record):
            w.note(f"{self.name} is asked")
            if self.then == "alone":
                log.filters.remove(self)
            elif self.then == "all":
                log.filters = []
            return Answer(self.says)

        def __del__(self):
            super().__del__()
            if self.then == "alone":
                log.filters.append(Going("a late one"))

    for last in ("yes", "no"):
        for kind in (list, Filters):
            for then in ("alone", "all", None):
                log = logging.Logger("ends")
                log.addHandler(logging.StreamHandler(Kept()))
                log.filters = kind([Going("first", then=then), Going("second"), Going("last", says=last)])
                here(log, then)
                w.note(log.handlers[0].stream.texts)
                log.filters = []


@same_as_stdlib
@pytest.mark.parametrize("method", ["__getattribute__", "a key that is no text"])
def test_a_logger_that_changes_when_it_is_asked_for_its_handlers(w, monkeypatch, method):
    """After its filters, and so after everything was found to be as the interpreter made it."""

    class Meta(type):
        def __instancecheck__(cls, instance):
            w.note("asked")
            return True

    class Other(metaclass=Meta):
        pass

    class Changing(logging.Logger):
        def __getattribute__(self, name):
            if armed and name == "callHandlers":
                change()
            return object.__getattribute__(self, name)

    class Key:
        def __hash__(self):
            return hash("callHandlers")

        def __eq__(self, other):
            if armed and other == "callHandlers":
                change()
            return False

    def change():
        armed.clear()
        monkeypatch.setattr(logging, "LogRecord", Other)
        if method == "__getattribute__":
            del Changing.__getattribute__
        else:
            log.__dict__ = {name: value for name, value in vars(log).items() if isinstance(name, str)}

    armed, kept = [], []
    log = (Changing if method == "__getattribute__" else logging.Logger)("changing")
    with_filter(log, lambda record: kept.append(record) or True, Kept())
    if method != "__getattribute__":
        log.__dict__[Key()] = 1
    for turn in range(4):
        here(log, turn)
    armed.append(True)
    log.handle(kept[-1])
    monkeypatch.undo()
    here(log, 5)
    w.note(log.handlers[0].stream.texts)


@same_as_stdlib
@pytest.mark.parametrize("answer", ["an object", "another record"])
def test_what_a_filter_answers_lives_until_the_handlers_have_been_asked(w, answer):
    class Told:
        def __del__(self):
            w.note("the answer ends")

    class Other(logging.LogRecord):
        def __del__(self):
            w.note("a record ends")

    class Own(logging.Logger):
        def filter(self, record):
            return Told()

    class Writing(Kept):
        def write(self, text):
            w.note(text)

    def look(record):
        return Other("n", logging.INFO, "p", 1, "another one", (), None)

    log = with_filter((Own if answer == "an object" else logging.Logger)("answers"), look, Writing())
    logging.setLogRecordFactory(Other)
    try:
        for turn in range(3):
            here(log, turn)
            w.note("logged")
    finally:
        logging.setLogRecordFactory(logging.LogRecord)


@same_as_stdlib
def test_what_filters_are_taken_from_lives_until_there_is_an_iterator(w):
    class Fresh:
        def __iter__(self):
            return iter([Told("first"), Told("second")])

        def __del__(self):
            w.note("where they come from ends")

    class Told:
        def __init__(self, name):
            self.name = name

        def filter(self, record):
            w.note(self.name)
            return True

        def __del__(self):
            w.note(f"{self.name} ends")

    class Own(logging.Logger):
        @property
        def filters(self):
            return Fresh()

        @filters.setter
        def filters(self, value):
            pass

    log = Own("fresh")
    log.addHandler(logging.StreamHandler(Kept()))
    for turn in range(3):
        here(log, turn)
        w.note(log.handlers[0].stream.texts)
