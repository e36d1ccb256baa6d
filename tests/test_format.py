"""Formatter, its three styles and BufferingFormatter."""

import collections
import logging
import os
import sys
import threading
import time
import types

import pytest
from oracle import same_as_stdlib

FIXED = {
    "name": "n",
    "levelname": "INFO",
    "levelno": 20,
    "msg": "m %s",
    "args": (1,),
    "created": 1_700_000_000.25,
    "msecs": 250.0,
    "lineno": 7,
}


def raised(error=None):
    """The exc_info of an error."""
    try:
        raise error or LookupError("shown")
    except BaseException:
        return sys.exc_info()


@same_as_stdlib
def test_format_sets_message_and_asctime_only_when_used(w):
    """Contract 5.4, item 24."""
    for fmt in ("%(message)s", "%(asctime)s", "%(asctime)-40d", "plain"):
        record = logging.makeLogRecord(FIXED)
        w.catch(logging.Formatter(fmt, validate=False).format, record)
        w.note("record", list(vars(record))[-3:], record)


@same_as_stdlib
def test_traceback_text_is_made_once_and_kept_on_the_record(w):
    """Contract 5.4, item 24: the next formatter reuses it."""

    class First(logging.Formatter):
        def formatException(self, ei):
            w.note("asked", ei[0])
            return "first text"

    record = logging.makeLogRecord({**FIXED, "exc_info": raised()})
    w.note("first", First("%(message)s").format(record), record.exc_text)
    w.note("second", logging.Formatter("%(message)s").format(record))
    record.exc_text = None
    w.note("third", logging.Formatter("%(message)s").format(record))
    record.exc_text, record.exc_info = "by hand", None
    w.note("fourth", logging.Formatter("%(message)s").format(record))


@same_as_stdlib
@pytest.mark.parametrize("message", ["", "x", "x\n", "\n", "x\n\n"])
def test_a_newline_is_added_only_where_there_is_none(w, message):
    """Contract 5.4, item 24; then stack_info through formatStack."""
    for fields in (
        {"exc_text": "text"},
        {"exc_text": "text\n"},
        {"stack_info": "stack"},
        {"exc_text": "t", "stack_info": "s"},
        {"exc_text": ""},
    ):
        record = logging.makeLogRecord({"msg": message, **fields})
        w.note("text", logging.Formatter("%(message)s").format(record))

    class Mine(logging.Formatter):
        def formatStack(self, stack_info):
            return f"<{stack_info}>"

    w.note("own", Mine().format(logging.makeLogRecord({"msg": message, "stack_info": "s"})))


@same_as_stdlib
def test_uses_time_looks_for_text(w):
    """Contract 5.4, item 25."""
    texts = [
        "%(asctime)",
        "%(asctime)s",
        "%(asctime)d",
        "%%(asctime)s",
        "(asctime)",
        "{asctime",
        "{asctime}",
        "{{asctime}}",
        "{asctime!r}",
        "$asctime",
    ]
    texts += ["${asctime}", "$$asctime", "$asctimes", "${asctime", "asctime", ""]
    for text in texts:
        for style in "%{$":
            w.note(f"{style}", text, logging.Formatter(text, style=style, validate=False).usesTime())


@same_as_stdlib
@pytest.mark.parametrize(
    ("fmt", "style"),
    [
        ("%(nothing)s", "%"),
        ("{nothing}", "{"),
        ("$nothing", "$"),
        ("{message.nothing}", "{"),
        ("{message[5]}", "{"),
        ("%(message)d", "%"),
    ],
)
def test_a_missing_field_becomes_a_value_error(w, fmt, style):
    """Contract 5.4, item 26."""
    formatter = logging.Formatter(fmt, style=style)
    w.catch(formatter.format, logging.makeLogRecord(FIXED))
    log, handler, _ = w.plain()
    handler.setFormatter(formatter)
    log.info("x")


@same_as_stdlib
def test_the_record_wins_over_defaults(w):
    """Contract 5.4, item 26."""
    for fmt, style in (("%(a)s %(name)s", "%"), ("{a} {name}", "{"), ("$a $name", "$")):
        for defaults in ({"a": 1, "name": "default"}, {}, None, collections.UserDict(a=1), {"b": 1}, {5: 6}):
            formatter = w.catch(lambda fmt=fmt, style=style, d=defaults: logging.Formatter(fmt, style=style, defaults=d))
            w.catch(formatter.format, logging.makeLogRecord(FIXED))
            w.catch(formatter.format, logging.makeLogRecord({**FIXED, "a": "own"}))


@same_as_stdlib
@pytest.mark.parametrize(
    "fmt",
    [
        "%(x)s",
        "%(x)d",
        "%(x)5.1f",
        "%(x)r",
        "%(x)-8s|",
        "%(x)08d",
        "%(x)+d",
        "%(x)x",
        "%(x)e",
        "%(x)c",
        "%(x)a",
        "%(x)i%%",
        "%(x)#o",
        "%(x) d",
        "%(x).3s",
        "%(x)hd",
        "%(x)ls",
        "%(x)u",
    ],
)
def test_percent_conversions_of_any_value(w, fmt):
    """Contract 5.4, item 27."""
    formatter = logging.Formatter(fmt, validate=False)
    values = [
        "text",
        "\xe9\u20ac",
        5,
        -5,
        5.75,
        True,
        None,
        [1],
        10**30,
        float("nan"),
        float("-inf"),
        b"x",
        "",
        1j,
        0,
        -0.0,
        1e22,
        "\ud800",
        65,
    ]
    for value in values:
        w.catch(formatter.format, logging.makeLogRecord({"x": value}))


@same_as_stdlib
@pytest.mark.parametrize(
    "fmt",
    [
        "{x}",
        "{x!r:>10}",
        "{x:>10}",
        "{x:05d}",
        "{x!s:*^9}",
        "{x.real}",
        "{x[0]}",
        "{x:{lineno}}",
        "{x:%Y}",
        "{x!a}",
        "{x:,}",
        "{x:.2f}",
        "{x:#x}",
        "{x:e}",
        "{x:<}",
        "{{x}}",
        "{x:=+8}",
    ],
)
def test_brace_fields_of_any_value(w, fmt):
    """Contract 5.4, item 27."""
    import datetime

    formatter = logging.Formatter(fmt, style="{", validate=False)
    for value in (
        "text",
        "\xe9",
        5,
        -5.5,
        True,
        None,
        [1],
        {0: "zero"},
        10**30,
        float("nan"),
        datetime.date(2020, 1, 2),
        b"x",
        1j,
        "",
    ):
        w.catch(formatter.format, logging.makeLogRecord({"x": value, "lineno": 7}))


@same_as_stdlib
@pytest.mark.parametrize(
    "fmt", ["$x", "${x}", "$$x", "$x$message", "${x}y", "$", "$ x", "${", "${1}", "$x.y", "$\xe9", "$X", "$x-${message}"]
)
def test_dollar_fields_of_any_value(w, fmt):
    """Contract 5.4, item 27."""
    formatter = logging.Formatter(fmt, style="$", validate=False)
    for value in ("text", 5, None, [1], "$message"):
        w.catch(formatter.format, logging.makeLogRecord({"x": value, "message": "m"}))


@same_as_stdlib
def test_a_record_whose_dict_is_a_subclass(w):
    """Contract 5.4, item 27."""

    class Seen(dict):
        def __getitem__(self, key):
            return f"<{key}>"

        def __missing__(self, key):
            return f"missing {key}"

    for style, fmt in (("%", "%(message)s %(nothing)s"), ("{", "{message} {nothing}"), ("$", "$message $nothing")):
        record = logging.makeLogRecord(FIXED)
        record.__dict__ = Seen(vars(record))
        w.catch(logging.Formatter(fmt, style=style).format, record)


VALID = {
    "%": [
        "%(process)d %(x)5.2f",
        "%(a)-5s",
        "%(a)#x",
        "%%(a)s",
        "%(a.b)s",
        "%(a)",
        "plain",
        "",
        "%(a)%",
        "%s",
        "%(A_1)c",
        "%(a)ld",
        "%()s",
    ],
    "{": [
        "{a}",
        "{a!r:>5}",
        "{a.b[0]}",
        "{}",
        "{0}",
        "{a!x}",
        "{a:$}",
        "{a:%}",
        "{a:s}",
        "{a{b}}",
        "{a",
        "a}",
        "plain",
        "",
        "{a b}",
        "{a:d}{b!s}",
        "{!r}",
        "{a!}",
        "{a:{b}}",
        "{1a}",
    ],
    "$": ["$a", "${a}", "$$", "$a $", "${a", "$1", "plain", "", "$bad-$", "$ a", "${a b}", "$\xe9"],
}


@same_as_stdlib
@pytest.mark.parametrize("style", VALID)
def test_validation_accepts_and_refuses(w, style):
    """Contract 5.4, item 28."""
    for fmt in [*VALID[style], None]:
        w.catch(lambda fmt=fmt: vars(logging.Formatter(fmt, style=style)))
        w.catch(lambda fmt=fmt: vars(logging.Formatter(fmt, style=style, validate=False)))
        w.catch(lambda fmt=fmt: logging._STYLES[style][0](fmt or "").validate())
    for wrong in (5, b"x", [], "%%"):
        w.catch(lambda wrong=wrong: logging.Formatter("%(message)s", style=wrong))
        w.catch(lambda wrong=wrong: vars(logging.Formatter(wrong, style=style)))


@same_as_stdlib(live=False)
def test_format_time(w):
    """Contract 5.4, item 29."""
    record = logging.makeLogRecord(FIXED)
    for formatter in (logging.Formatter(), logging.Formatter(datefmt="%H"), logging.Formatter(style="{")):
        for datefmt in (None, "", "%Y-%m-%dT%H:%M:%S", "%c", "\xe9 %B", "%%", 5, "%s"):
            w.catch(formatter.formatTime, record, datefmt)
    formatter = logging.Formatter()
    for name, value in (
        ("default_time_format", "%S"),
        ("default_msec_format", None),
        ("default_msec_format", "%s|%d"),
        ("default_time_format", 5),
    ):
        setattr(formatter, name, value)
        w.catch(formatter.formatTime, record)
    for created in (0, -1, 2**31, 253402300800, float("nan"), "text", 1e300, True):
        w.catch(logging.Formatter().formatTime, logging.makeLogRecord({"created": created, "msecs": 5}))
    # None is now to localtime(), and the second may change between the two sides.
    w.catch(logging.Formatter().formatTime, logging.makeLogRecord({"created": None, "msecs": 5}), "%Y")
    for msecs in (0, 999.999, -1, "text", None, 1000, float("nan"), -0.5, 1000.0, 1e9):
        w.catch(logging.Formatter().formatTime, logging.makeLogRecord({"created": 1e9, "msecs": msecs}))
    for created in (-1.5, 253402300800.0, float("nan"), 1e300, float("inf"), 951782400.25):
        w.catch(logging.Formatter().formatTime, logging.makeLogRecord({"created": created, "msecs": 5.0}))


@same_as_stdlib(live=False)
def test_format_time_of_records_and_formatters_of_every_kind(w):
    """Called out of Python code, as formatters of one's own do: by whatever stands on the instance, its class, or in the module."""

    class Computed(logging.LogRecord):
        created = property(lambda record: w.note("created", 1) or 1e9, lambda record, value: None)

    class Text(str):
        __slots__ = ()

    record = logging.makeLogRecord(FIXED)
    plain = logging.Formatter()
    computed = Computed("n", 20, "p", 1, "m", (), None)
    computed.msecs = 5.0
    bare = types.SimpleNamespace(created=1e9, msecs=5.0)
    other = types.SimpleNamespace(
        converter=time.gmtime, default_time_format="%H", default_msec_format="%s,%03d", datefmt="never looked at"
    )
    for formatter, given, datefmt in (
        (plain, computed, None),
        (plain, bare, None),
        (plain, types.SimpleNamespace(created=1e9), None),
        (plain, types.SimpleNamespace(created=1e9), "%H"),
        (plain, types.SimpleNamespace(msecs=1.0), "%H"),
        (plain, record, Text("%H:%M")),
        (plain, record, Text("")),
        (plain, record, b"%H"),
        (plain, record, False),
        (other, record, None),
        (other, bare, "%M"),
        (types.SimpleNamespace(converter=time.gmtime), record, None),
        (None, record, None),
    ):
        w.catch(logging.Formatter.formatTime, formatter, given, datefmt)
    for name in ("%s, %03d", "", None, Text("%s,%03d")):
        plain.default_msec_format = name
        w.catch(plain.formatTime, record)
    del plain.default_msec_format
    strftime = time.strftime
    time.strftime = lambda format, parts: f"{format} of {parts[0]}"
    try:
        w.catch(plain.formatTime, record)
    finally:
        time.strftime = strftime
    w.catch(plain.formatTime, record)


@same_as_stdlib(live=False)
def test_converters_of_every_kind(w):
    """Contract 5.4, item 29: a built-in, a function on the instance, a bound method."""

    class Bound(logging.Formatter):
        def converter(self, seconds):
            return time.gmtime(seconds + 3600)

    class Static(logging.Formatter):
        converter = staticmethod(lambda seconds: time.gmtime(0))

    class BuiltIn(logging.Formatter):
        converter = time.gmtime

    record = logging.makeLogRecord(FIXED)
    on_instance = logging.Formatter("%(asctime)s")
    on_instance.converter = lambda seconds: (1999, 1, 2, 3, 4, 5, 6, 7, 0)
    for formatter in (Bound("%(asctime)s"), Static("%(asctime)s"), BuiltIn("%(asctime)s"), on_instance):
        w.note("time", formatter.format(record), formatter.formatTime(record))


@same_as_stdlib(live=False)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "XYZ-3:30"])
def test_dates_around_the_changes_of_a_zone(w, zone):
    os.environ["TZ"] = zone
    time.tzset()
    formatters = [logging.Formatter("%(asctime)s"), logging.Formatter("%(asctime)s", "%Y-%m-%d %H:%M:%S %Z %z")]
    for second in (
        0,
        1_711_846_799,
        1_711_846_800,
        1_729_990_799,
        1_729_990_800,
        1_710_053_999,
        1_710_054_000,
        1_712_415_599,
        1_712_415_600,
        1_735_689_599,
    ):
        for formatter in formatters:
            w.note("time", formatter.format(logging.makeLogRecord({"created": second + 0.5, "msecs": 500.0})))


@same_as_stdlib
def test_format_exception_drops_one_newline(w):
    """Contract 5.4, item 30."""
    formatter = logging.Formatter()
    for info in (raised(), raised(ValueError("a\nb\n")), (ValueError, ValueError("x"), None), (None, None, None)):
        w.note("text", formatter.formatException(info))
    for wrong in (None, (), (1,), 5, ("a", "b", "c")):
        w.catch(formatter.formatException, wrong)


@same_as_stdlib
def test_buffering_formatter(w):
    """Contract 5.4, item 30."""

    class Mine(logging.BufferingFormatter):
        def formatHeader(self, records):
            return f"<{len(records)}>"

        def formatFooter(self, records):
            return "<end>"

    records = [logging.makeLogRecord({"msg": "a"}), logging.makeLogRecord({"msg": "b"})]
    for formatter in (logging.BufferingFormatter(), Mine(), Mine(logging.Formatter("%(message)s!"))):
        for some in (records, [], (), records[:1]):
            w.note("text", formatter.format(some), formatter.linefmt)
    w.catch(Mine().format, None)


@same_as_stdlib
def test_styles_by_themselves(w):
    for style, fmt in (("%", "%(message)s"), ("{", "{message}"), ("$", "$message")):
        cls, default = logging._STYLES[style]
        w.note("style", cls.__name__, default, cls.default_format, cls.asctime_format, cls.asctime_search)
        for arguments in ((fmt,), (None,), ("",)):
            one = w.catch(lambda cls=cls, a=arguments: cls(*a))
            w.note("vars", list(vars(one)), one._fmt)
            w.catch(one.format, logging.makeLogRecord({"message": "m"}))
        w.catch(cls(fmt, defaults={"message": "default"}).format, type("Duck", (), {})())


@same_as_stdlib
def test_any_object_with_a_dict_can_be_formatted(w):
    class Duck:
        def __init__(self, **fields):
            self.__dict__.update(fields)

        def getMessage(self):
            return "duck"

    formatter = logging.Formatter("%(message)s %(x)s")
    w.catch(formatter.format, Duck(x=1, exc_info=None, exc_text=None, stack_info=None))
    w.catch(formatter.format, Duck(x=1))
    w.catch(formatter.formatMessage, Duck(x=1, message="m"))
    w.catch(formatter.formatMessage, object())
    w.catch(formatter.format, None)


@same_as_stdlib
def test_subclass_of_a_style_and_a_formatter_built_on_private_parts(w):
    """pytest, python-json-logger and oslo.log do this."""

    class Style(logging.PercentStyle):
        def format(self, record):
            return f"own {self._fmt % record.__dict__}"

    class Hidden(logging.PercentStyle):
        def _format(self, record):
            return f"private {super()._format(record)}"

    log, handler, _ = w.plain("%(message)s")
    for style in (Style("%(message)s"), Hidden("%(message)s"), logging._STYLES["{"][0]("{message}")):
        handler.formatter._style = style
        log.info("x")
        handler.formatter._style._fmt = handler.formatter._style._fmt + "!"
        log.info("y")
    logging.StrFormatStyle._format = lambda self, record: "patched"
    log.info("z")


@same_as_stdlib(live=False)
def test_one_formatter_for_many_threads_and_seconds(w):
    log, handler, stream = w.plain("%(asctime)s.%(msecs)03d %(message)s")
    w.clock.step = 333_333_333
    for number in range(30):
        log.info("%d", number)
    w.clock.now -= 10_000_000_000
    log.info("the clock went back")


@same_as_stdlib
def test_a_message_met_often_is_formatted_as_the_first_time(w):
    log, handler, stream = w.plain("%(levelname)s %(message)s")
    messages = ["%s and %d", "%s\xe9%5d%%", "%-6s|%r", "%s %.2f", "%08.3f %+d", "%d", "no directive", "%s %(x)s", "%s %"]
    pairs = [
        ("text", 1),
        ("\xe9", -5),
        (1, 2.5),
        (0.125, 7),
        (None, True),
        ("a" * 300, 10**30),
        (b"x", 1),
        ([1], 2),
        ("\ud800", 3),
        (float("nan"), 1),
        (1, float("inf")),
        ("only one",),
        ("one", 2, "too many"),
        ({"x": 1}, 2),
    ]
    for _ in range(9):
        for message in messages:
            log.info(message, "text", 5)
    for message in messages:
        for args in pairs:
            w.catch(log.info, message, *args)


@same_as_stdlib
def test_messages_made_anew_for_each_call(w):
    log, handler, stream = w.plain("%(message)s")
    for number in range(60):
        log.info(f"%s {number % 3} %s", number, "one at the same address as the last")
    for number in range(60):
        message = f"%s {number % 7} %d"
        for _ in range(number % 12):
            log.info(message, "kept a while", number)


@same_as_stdlib
def test_floats_of_every_size_under_fixed_point_directives(w):
    log, handler, stream = w.plain("%(message)s")
    floats = [0.0, -0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 2.675, 1.005, 9.995, 99.9999999, 0.1, 1e-7, 5e-324, 1e9 + 0.123456789]
    floats += [2.0**52 - 0.5, 2.0**52, 2.0**53 + 2, 1e15, 1e16, 1e22, 1e300, float("inf"), float("nan"), 123456789.125]
    for directive in "%f %.0f %.1f %.2f %.3f %.12f %.13f %#.0f %+.2f %012.3f %-9.1f| %F".split():
        for number in floats:
            log.info(directive, number)
            log.info(directive, -number)


@same_as_stdlib
def test_a_thread_renamed_and_replaced_between_two_calls(w):
    log, handler, stream = w.plain("%(threadName)s %(message)s")
    thread = threading.current_thread()
    kind, name, active = type(thread), thread.name, threading._active
    log.info("as it is")
    try:
        thread.name = "another"
        log.info("renamed")
        threading._active = dict(active)
        log.info("in another dict")
        threading._active = {int(str(key)): value for key, value in active.items()}
        log.info("under an equal key")

        class Other(threading.Thread):
            name = "of a class"

        thread.__class__ = Other
        log.info("of another class")
    finally:
        thread.__class__ = kind
        threading._active = active
        thread.name = name
    log.info("as it was")


def test_asctime_and_the_other_times_agree_with_the_live_clock():
    """The native clock is read once per record: what it prints is what the stdlib makes of `created`."""
    import io

    import femtolog

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(created)r|%(asctime)s|%(msecs)r|%(relativeCreated)r"))
    log = logging.Logger("times")
    log.addHandler(handler)
    before = time.time()
    with femtolog.installed():
        for _ in range(300):
            log.info("x")
    after = time.time()
    for line in stream.getvalue().splitlines():
        created, asctime, msecs, relative = line.split("|")
        assert before <= float(created) <= after
        record = logging.makeLogRecord({"created": float(created), "msecs": float(msecs)})
        assert asctime == logging.Formatter().formatTime(record)
        assert float(msecs) == int(float(created) * 1000) % 1000 or abs(float(msecs) - float(created) % 1 * 1000) < 1.001
        start = logging._startTime / 1e9 if sys.version_info >= (3, 13) else logging._startTime
        assert float(relative) == pytest.approx((float(created) - start) * 1000, abs=0.01)


DAYLIGHT_SAVING = """
import logging, os, random, time
os.environ["TZ"] = ZONE
time.tzset()
import femtolog
femtolog.install()
draw = random.Random(ZONE)
# Hours around each full change of the clock that a zone's rules make, found by asking the stdlib's own source of truth.
changes, last = [], time.localtime(0).tm_gmtoff
for hour in range(0, 60 * 365 * 24, 12):
    offset = time.localtime(hour * 3600).tm_gmtoff
    if offset != last:
        changes.append(hour * 3600)
        last = offset
assert len(changes) > 50
formatter = logging.Formatter("%(asctime)s")
record = logging.makeLogRecord({})
format, localtime, strftime = formatter.format, time.localtime, time.strftime
for n in range(COUNT):
    near = n % 4
    created = draw.uniform(0, 4e9) if near == 0 else draw.choice(changes) + draw.uniform(-43200, 7200) if near == 1 else created + draw.random()
    record.created, record.msecs = created, int(created % 1 * 1000) + 0.0
    want = strftime("%Y-%m-%d %H:%M:%S", localtime(created)) + ",%03d" % record.msecs
    got = format(record)
    assert got == want, (created, got, want)
print(femtolog.stats()["reference"])
"""


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_million_times_around_changes_of_the_clock(zone):
    """What is kept of the last time's text is right at every other time: at random ones, and around each change of the clock."""
    import subprocess

    from oracle.generated import SCALE

    if not hasattr(time, "tzset"):
        pytest.skip("no time.tzset here: the zone of a process is the machine's")
    program = f"ZONE, COUNT = {zone!r}, {int(334_000 * SCALE)}\n" + DAYLIGHT_SAVING
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr) == ("{}\n", "")


class Dying:
    """Changes a record when it dies."""

    def __init__(self, w, record):
        self.w, self.record = w, record

    def __del__(self):
        self.w.note("died")
        self.record.name = "changed"
        self.record.msecs = 7


@same_as_stdlib
@pytest.mark.parametrize("name", ["message", "asctime"])
def test_what_a_record_had_there_changes_it_when_it_is_replaced(w, name):
    class Own(logging.Formatter):
        def format(self, record):
            setattr(record, name, Dying(w, record))
            return super().format(record)

    class Handler(logging.Handler):
        def emit(self, record):
            setattr(record, name, Dying(w, record))

    log, handler, _ = w.plain("%(message)s %(name)s %(asctime)s")
    plain = handler.formatter
    plain.converter = time.gmtime
    plain.datefmt = "%Y"
    handler.setFormatter(Own(plain._fmt, plain.datefmt))
    log.info("a formatter of its own: %d", 1)
    handler.setFormatter(plain)
    log.handlers.insert(0, Handler())
    log.info("a handler before: %d", 1)


class Changes:
    """A key that runs code when it is compared."""

    def __init__(self, same_hash, then):
        self.hash, self.then = hash(same_hash), then

    def __hash__(self):
        return self.hash

    def __eq__(self, other):
        self.then()
        return False


@same_as_stdlib
def test_a_default_whose_comparison_takes_the_defaults_away(w):
    log, handler, _ = w.plain("%(message)s %(x)s")

    def take_away():
        handler.formatter._style._defaults = None
        w.note("junk", len([{"y": number} for number in range(50)]))

    for number in range(5):
        handler.formatter._style._defaults = {Changes("x", take_away): 1, "x": "value"}
        log.info("%d", number)


@same_as_stdlib
def test_a_level_name_whose_comparison_logs_elsewhere(w):
    log, handler, _ = w.plain("%(filename)s %(levelname)s %(filename)s %(lineno)d %(message)s")
    other = w.logger("other")
    other.addHandler(logging.NullHandler())
    lines = "\n".join(f"log.info('{number}')" for number in range(3000))
    crowd = compile(lines, "a_crowd_of_places.py", "exec")
    logging._levelToName[Changes(60, lambda: exec(crowd, {"log": other}))] = "never"
    for number in range(3):
        exec(compile(f"log.log(60, {number})", f"place_{number}.py", "exec"), {"log": log})
