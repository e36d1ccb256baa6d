"""The vocabulary of the mutation fuzz: random programs of log calls and changes, each step a piece of Python source.

A step is text so that a failure reads as a program. It names what is in `oracle.playground.Playground.names`. What is drawn depends on
the seed alone, and any step may be dropped from a program: the rest still runs, on both sides alike.

A change that would silence most of what follows comes with its undoing some steps later.
"""

import random
from collections.abc import Callable

from oracle.playground import ADAPTERS, ANY_METHOD, FILTERS, FORMATTERS, HANDLERS, LOGGERS, SITES, STREAMS

Drawn = str | tuple[str, str]
"""A step, or a step and the one that undoes it."""
Draw = Callable[[random.Random], Drawn]

# -- names -----------------------------------------------------------------------------------------------------------------------------
_USUAL_HANDLERS = ["stream", "second", "python", "file", "rotating", "emits", "upper", "keeper", "memory", "queue"]
_TEXT_HANDLERS = ["stream", "second", "third", "python", "upper", "handles", "flushes", "locks", "sub", "computed", "filters"]
_FILE_HANDLERS = ["file", "ascii", "rotating", "timed", "watched"]
_REAL_HANDLERS = [name for name in HANDLERS if name != "duck"]
_REAL_FORMATTERS = [name for name in FORMATTERS if name not in ("duck", "five")]
_USUAL_LOGGERS = ["app", "app.db", "app.db.pool", "app.web", "lone"]
_ODD_FORMATTERS = ['F["duck"]', 'F["five"]', "object()", "''"]
_DEFAULT_FORMATTERS = ['F["rich"]', 'F["duck"]', 'F["own format"]', "None"]
_TARGETS = ["None", 'H["third"]', 'H["emits"]']
_TEXT_STREAMS = ["one", "two", "falsy", "marked"]


def logger(r: random.Random) -> str:
    """A logger, mostly a usual one."""
    return f'L["{r.choice(_USUAL_LOGGERS if r.random() < 0.6 else LOGGERS)}"]'


def handler(r: random.Random) -> str:
    """A handler of any kind, mostly a usual one."""
    return f'H["{r.choice(_USUAL_HANDLERS if r.random() < 0.5 else _REAL_HANDLERS)}"]'


def below_root(r: random.Random) -> str:
    """A logger whose dict may change its form: root is the same object on both sides."""
    return f'L["{r.choice(LOGGERS[1:])}"]'


def any_handler(r: random.Random) -> str:
    """The same, or what is none."""
    return 'H["duck"]' if r.random() < 0.05 else handler(r)


def text_handler(r: random.Random) -> str:
    """One with a stream that is no file's."""
    return f'H["{r.choice(_TEXT_HANDLERS)}"]'


def file_handler(r: random.Random) -> str:
    """One with a file."""
    return f'H["{r.choice(_FILE_HANDLERS)}"]'


def formatter(r: random.Random) -> str:
    """A formatter that is one."""
    return f'F["{r.choice(_REAL_FORMATTERS)}"]'


def passing(r: random.Random) -> str:
    """A filter of any kind."""
    return f'P["{r.choice(list(FILTERS))}"]'


def stream(r: random.Random) -> str:
    """A stream, mostly a working one."""
    return f'S["{r.choice(_TEXT_STREAMS if r.random() < 0.5 else list(STREAMS))}"]'


def level(r: random.Random) -> str:
    """A level, mostly low."""
    return r.choice(
        ["0", "10", "10", "20", "20", "30", "40", "50", "'INFO'", "'DEBUG'", "'WARNING'", "25"]
        if r.random() < 0.93
        else ["'nonsense'", "None", "20.0", "True", "-1", "10**30", "b'INFO'"]
    )


# -- values ----------------------------------------------------------------------------------------------------------------------------
_PLAIN = ["1", "'text'", "None", "True", "1.5", "'\\xe9\\u20ac'", "0", "-7", "''", "10**40", "'a\\nb'", "b'x'", "float('nan')"]
_ODD = [
    "(1, 2)",
    "[1, 'x']",
    "{'a': 1}",
    "{}",
    "()",
    "Shown('v')",
    "Shown('v')",
    "OwnStr('x')",
    "OwnInt(5)",
    "NoText()",
    "Indexed()",
    "Colour.RED",
    "Decimal('1.10')",
    "datetime(2020, 1, 2)",
    "ValueError('as a value')",
    "object",
    "Raises('ValueError')",
    "Raises('KeyboardInterrupt')",
    "Raises('RecursionError')",
    "Acts(lambda: L['app.db'].warning('logged while shown'))",
    "'\\ud800'",
    "bytearray(b'x')",
    "1j",
]
_FORMATS = [
    ("%s", None),
    ("%s", None),
    ("%s", None),
    ("%r", None),
    ("%d", "number"),
    ("%5.1f", "number"),
    ("%a", None),
    ("%x", "int"),
]


def value(r: random.Random) -> str:
    """An argument."""
    draw = r.random()
    if draw < 0.6:
        return r.choice(_PLAIN)
    if draw < 0.95:
        return r.choice(_ODD)
    return f"Acts(lambda: {expression(r)})"


def expression(r: random.Random) -> str:
    """A change that is an expression: what is done in the middle of a call."""
    return r.choice(
        [
            lambda: f"{handler(r)}.setLevel({level(r)})",
            lambda: f"{logger(r)}.setLevel({level(r)})",
            lambda: f"{handler(r)}.setFormatter({formatter(r)})",
            lambda: f"{logger(r)}.addHandler({handler(r)})",
            lambda: f"{logger(r)}.removeHandler({handler(r)})",
            lambda: f"{handler(r)}.addFilter({passing(r)})",
            lambda: f"{handler(r)}.filters.clear()",
            lambda: f"{text_handler(r)}.setStream({stream(r)})",
            lambda: f"setattr({text_handler(r)}, 'stream', {stream(r)})",
            lambda: f"setattr({handler(r)}, 'formatter', None)",
            lambda: f"setattr({handler(r)}, 'lock', PyLock())",
            lambda: f"{handler(r)}.createLock()",
            lambda: f"setattr({formatter(r)}._style, '_fmt', '%(levelname)s ~ %(message)s')",
            lambda: f"setattr({formatter(r)}, 'datefmt', '%H')",
            lambda: f"setattr({text_handler(r)}, 'terminator', ';\\n')",
            lambda: f"{logger(r)}.info('in the middle')",
            lambda: f"{logger(r)}.manager._clear_cache()",
            lambda: f"{handler(r)}.flush()",
            lambda: f"vars({handler(r)})",
            lambda: f"vars({below_root(r)})",
        ]
    )()


def message(r: random.Random) -> str:
    """A message and its arguments, mostly fitting, as they stand in a call."""
    draw = r.random()
    if draw < 0.2:
        return r.choice(["'plain'", "'100%'", "''", "'\\xe9\\u20ac\\U0001f600'", "'two\\nlines'", "'%%'", "'%s'", "'{} $x'"])
    if draw < 0.27:
        return value(r)
    if draw < 0.34:
        mapping = r.choice(["{'a': 1}", "{'a': Shown('m')}", "OwnDict(a=1)", "Asked({'a': 2})", "{'b': 1}", "{}", "{'a': 1}, 2"])
        return f"'mapping %(a)s', {mapping}"
    wanted = [r.choice(_FORMATS) for _ in range(r.choice([1, 1, 1, 2, 2, 3, 4]))]
    shown = " ".join(conversion for conversion, _ in wanted)
    given = [r.choice(["1", "7", "-3", "True"]) if kind and r.random() < 0.9 else value(r) for _, kind in wanted]
    draw = r.random()
    if draw < 0.03:
        given = given[:-1]
    elif draw < 0.06:
        given.append(value(r))
    return ", ".join([f"'m {shown}'", *given])


_EXTRAS = [
    "{'k': 1}",
    "{'k': 1}",
    "{'k': Shown('k'), 'other': []}",
    "{}",
    "None",
    "{'message': 1}",
    "{'name': 1}",
    "OwnDict(k=2)",
    "5",
]
_EXC_INFOS = [
    "True",
    "True",
    "failed()",
    "ValueError('never raised')",
    "None",
    "False",
    "1",
    "(None, None, None)",
    "(ValueError, ValueError('in a tuple'), None)",
    "sys.exc_info()",
    "()",
]


def keywords(r: random.Random) -> str:
    """Keyword arguments of a call, mostly none."""
    given = []
    if r.random() < 0.12:
        given.append(f"extra={r.choice(_EXTRAS)}")
    if r.random() < 0.08:
        given.append(f"exc_info={r.choice(_EXC_INFOS)}")
    if r.random() < 0.04:
        given.append(f"stack_info={r.choice(['True', 'True', 'False', '1'])}")
    if r.random() < 0.06:
        given.append(f"stacklevel={r.choice(['1', '2', '3', '4', '9', '0', '-1'])}")
    if r.random() < 0.005:
        given.append("unknown=1")
    return "".join(f", {one}" for one in given)


# -- log calls -------------------------------------------------------------------------------------------------------------------------
_METHODS = ["debug", "info", "info", "info", "warning", "warning", "error", "critical", "exception", "fatal"]


def call(r: random.Random) -> str:
    """One log call as an expression."""
    draw = r.random()
    if draw < 0.5:
        return f"{logger(r)}.{r.choice(_METHODS)}({message(r)}{keywords(r)})"
    if draw < 0.57:
        return f"{logger(r)}.log({level(r)}, {message(r)}{keywords(r)})"
    if draw < 0.66:
        return f'A["{r.choice(list(ADAPTERS))}"].{r.choice(_METHODS[:-1])}({message(r)}{keywords(r)})'
    if draw < 0.67:
        return f'A["{r.choice(list(ADAPTERS))}"].log({level(r)}, {message(r)}{keywords(r)})'
    if draw < 0.74:
        return f"logging.{r.choice(_METHODS)}({message(r)}{keywords(r)})"
    if draw < 0.75:
        return f"logging.log({level(r)}, {message(r)}{keywords(r)})"
    if draw < 0.90:
        return site(r)
    if draw < 0.93:
        return f"method({logger(r)}, '{r.choice(_METHODS)}')({message(r)}{keywords(r)})"
    if draw < 0.95:
        return f"logging.Logger.{r.choice(_METHODS)}({logger(r)}, {message(r)}{keywords(r)})"
    if draw < 0.97:
        return f"{logger(r)}.{r.choice(['handle', 'callHandlers'])}({record(r)})"
    return f"{any_handler(r)}.{r.choice(['handle', 'handle', 'emit', 'format'])}({record(r)})"


def record(r: random.Random) -> str:
    """A record made by hand."""
    return r.choice(
        [
            "record()",
            "record('plain')",
            "record('%d', 1, levelno=50)",
            "record('%d', 'x')",
            "record('cached', exc_text='cached text')",
            "record('failed', exc_info=(ValueError, ValueError('e'), None))",
            "record('stack', stack_info='a stack')",
            "OwnRecord('app.own', 30, '/p.py', 3, 'm %s', (1,), None)",
        ]
    )


def site(r: random.Random) -> str:
    """A call from a warm place."""
    name = r.choice(list(SITES))
    given = {
        "site_one": f"{logger(r)}, {value(r)}",
        "site_two": f"{logger(r)}, {value(r)}, {value(r)}",
        "site_extra": f"{logger(r)}, {value(r)}",
        "site_guarded": f"{logger(r)}, {value(r)}",
        "site_root": value(r),
        "site_handler": f"{any_handler(r)}, {record(r)}",
    }.get(name, logger(r))
    return f"{name}({given})"


def log(r: random.Random) -> str:
    """A log call by some way."""
    draw, made = r.random(), call(r)
    if draw < 0.75:
        return made
    way = r.choice(
        [
            "(lambda: {})()",
            "[{} for _ in range(2)]",
            "deep(lambda: {})",
            "by_method(lambda: {})",
            "exec({!r}, globals())",
            "functools.partial(lambda: {})()",
            "class Body:\n    {}",
            "try:\n    raise LookupError('shown')\nexcept LookupError:\n    {}",
            "try:\n    raise failed()\nexcept Exception:\n    {}",
            "for _ in range(3):\n    {}",
        ]
    )
    if r.random() < 0.02:
        way = "by_thread(lambda: {})"
    return way.format(made)


def ask(r: random.Random) -> str:
    """A question, answered in the notes."""
    return r.choice(
        [
            lambda: f"note('asked', {logger(r)}.isEnabledFor({level(r)}))",
            lambda: f"note('asked', {logger(r)}.getEffectiveLevel(), {logger(r)}.hasHandlers())",
            lambda: f"note('asked', {handler(r)}.filter({record(r)}))",
            lambda: f"note('asked', {handler(r)}.format({record(r)}))",
            lambda: f"note('asked', F[\"{r.choice(list(FORMATTERS))}\"].format({record(r)}))",
            lambda: f"note('asked', {formatter(r)}.usesTime(), {formatter(r)}.formatTime({record(r)}))",
            lambda: f"note('asked', {record(r)})",
            lambda: f"note('asked', {logger(r)}.makeRecord('n', 20, '/f.py', 1, 'm', (), None, extra={r.choice(_EXTRAS)}))",
            lambda: f"note('asked', {logger(r)}.findCaller())",
            lambda: f"note('asked', {logger(r)}.filter({record(r)}))",
            lambda: f"note('asked', repr({logger(r)}), repr({handler(r)}), {logger(r)}.getChild('x'))",
            lambda: f"note('asked', logging.getLevelName({level(r)}), {logger(r)}._cache)",
            lambda: f"note('asked', {logger(r)}.handlers, {handler(r)}.filters)",
        ]
    )()


# -- changes of loggers ------------------------------------------------------------------------------------------------------------------
def logger_changes(r: random.Random) -> Drawn:
    """Level, switches, cache, class."""
    one, below = logger(r), below_root(r)
    return r.choice(
        [
            lambda: f"{one}.setLevel({level(r)})",
            lambda: f"{one}.setLevel({level(r)})",
            lambda: (f"{one}.level = {r.choice(['50', '10', '30'])}", f"{one}.setLevel({r.choice(['0', '10'])})"),
            lambda: (f"logging.disable({level(r)})", "logging.disable(0)"),
            lambda: (f"{one}.manager.disable = {r.choice(['20', '30', '50'])}", f"{one}.manager.disable = 0"),
            lambda: (f"{one}.disabled = {r.choice(['True', '1', '[0]'])}", f"{one}.disabled = {r.choice(['False', '0', '[]'])}"),
            lambda: f"{one}.propagate = {r.choice(['True', 'False', '1', '0', '[]'])}",
            lambda: f'L["{r.choice(_USUAL_LOGGERS)}"].propagate = True',
            lambda: f"{one}._cache.clear()",
            lambda: f"{one}._cache = {{}}",
            lambda: (f"{one}._cache[20] = {r.choice(['False', 'True', '1', '[]'])}", f"{one}._cache.clear()"),
            lambda: (
                f'L["app.web"].__class__ = {r.choice(["Makes", "Hands", "Calls", "Asks", "Logs", "Finds", "Effective", "SubLogger"])}',
                'L["app.web"].__class__ = logging.Logger',
            ),
            lambda: (
                f'L["app.db.pool"].__class__ = {r.choice(["Hands", "Calls", "Logs", "SubLogger"])}',
                'L["app.db.pool"].__class__ = logging.Logger',
            ),
            lambda: (f"{below}.name = {r.choice(['5', 'None', repr('renamed')])}", f"{below}.name = 'app.db'"),
            lambda: (f'L["app.db"].parent = {r.choice(["None", "logging.root"])}', 'L["app.db"].parent = L["app"]'),
            lambda: f"vars({below})",
            lambda: f"{below}.__dict__['disabled'] = False",
            lambda: f"{below}.__dict__ = dict({below}.__dict__)",
            lambda: f"{below}.extra_attribute = 1",
            lambda: f"{below}.__dict__.pop('extra_attribute', None)",
            lambda: (
                f"take({below}, '{(name := r.choice(['level', 'disabled', 'handlers', 'filters', 'propagate']))}')",
                f"give({below}, '{name}')",
            ),
        ]
    )()


def handlers_of_loggers(r: random.Random) -> Drawn:
    """Lists of handlers."""
    one = logger(r)
    return r.choice(
        [
            lambda: f"{one}.addHandler({any_handler(r)})",
            lambda: f"{one}.addHandler({any_handler(r)})",
            lambda: f"{one}.addHandler({handler(r)})",
            lambda: f"{one}.removeHandler({handler(r)})",
            lambda: f"{one}.removeHandler({handler(r)})",
            lambda: f"{one}.handlers.append({any_handler(r)})",
            lambda: f"{one}.handlers.insert(0, {handler(r)})",
            lambda: f"{one}.handlers[:] = [{handler(r)}]",
            lambda: f"{one}.handlers[:] = [{handler(r)}, {handler(r)}]",
            lambda: f"{one}.handlers = [{any_handler(r)}, {handler(r)}]",
            lambda: f"{one}.handlers = [{handler(r)}]",
            lambda: (f"{one}.handlers = ({handler(r)}, {handler(r)})", f"{one}.handlers = []"),
            lambda: (f"{one}.handlers = {{{handler(r)}: 1}}", f"{one}.handlers = [{handler(r)}]"),
            lambda: (f"{one}.handlers = {r.choice(['None', '[None]', '5', '[5]'])}", f"{one}.handlers = [{handler(r)}]"),
            lambda: f"{one}.handlers.clear()",
            lambda: f"{one}.handlers.reverse()",
            lambda: f"{one}.handlers = list({one}.handlers)",
        ]
    )()


def filters(r: random.Random) -> Drawn:
    """Lists of filters, of loggers and of handlers."""
    one = logger(r) if r.random() < 0.5 else handler(r)
    return r.choice(
        [
            lambda: (f"{one}.addFilter({(f := passing(r))})", f"{one}.removeFilter({f})"),
            lambda: (f"{one}.addFilter({passing(r)})", f"{one}.filters.clear()"),
            lambda: (f"{one}.filters.append({passing(r)})", f"{one}.filters[:] = []"),
            lambda: (f"{one}.filters[:] = [{passing(r)}, {passing(r)}]", f"{one}.filters = []"),
            lambda: (f"{one}.filters = ({passing(r)},)", f"{one}.filters = []"),
            lambda: (f"{one}.filters = {r.choice(['None', '[None]', '7', '()'])}", f"{one}.filters = []"),
            lambda: (f"P[\"{(n := r.choice(['app', 'sub', 'all']))}\"].name = 'lone'", f"P[\"{n}\"].name = 'app'"),
            lambda: f'P["{r.choice(["app", "sub", "all"])}"].nlen = {r.choice(["0", "3", "4"])}',
            lambda: (
                f'P["app"].__class__ = {r.choice(["Changes", "Replaces", "SubFilter"])}',
                'P["app"].__class__ = logging.Filter',
            ),
            lambda: (f"{one}.addFilter(P['acts'])", f"{one}.removeFilter(P['acts'])"),
            lambda: f"later({expression(r)!r})",
            lambda: f"later({expression(r)!r})",
        ]
    )()


# -- changes of handlers -----------------------------------------------------------------------------------------------------------------
def handler_changes(r: random.Random) -> Drawn:
    """Level, formatter, lock, name, dict, class."""
    one = handler(r)
    return r.choice(
        [
            lambda: f"{one}.setLevel({level(r)})",
            lambda: f"{one}.setLevel(0)",
            lambda: (f"{one}.level = {r.choice(['50', '30', repr('x'), 'None'])}", f"{one}.level = 0"),
            lambda: f"{one}.setFormatter({formatter(r)})",
            lambda: f"{one}.setFormatter({formatter(r)})",
            lambda: f"{one}.setFormatter({formatter(r)})",
            lambda: f"{one}.setFormatter(None)",
            lambda: f"{one}.formatter = {formatter(r)}",
            lambda: (f"{one}.formatter = {r.choice(_ODD_FORMATTERS)}", f"{one}.formatter = None"),
            lambda: f"{one}.createLock()",
            lambda: f"{one}.lock = threading.RLock()",
            lambda: (f"{one}.lock = {r.choice(['PyLock()', 'None', '5'])}", f"{one}.createLock()"),
            lambda: f"{one}.flush()",
            lambda: f"{one}.close()",
            lambda: f"{one}.acquire(); {one}.release()",
            lambda: f"{one}.name = {r.choice(['None', repr('n'), repr('m')])}",
            lambda: f"vars({one})",
            lambda: f"{one}.__dict__['level'] = {r.choice(['0', '10', '30'])}",
            lambda: f"vars({one}).update(formatter={formatter(r)})",
            lambda: f"{one}.__dict__ = dict({one}.__dict__)",
            lambda: f"{one}.extra_attribute = 1",
            lambda: f"{one}.__dict__.pop('extra_attribute', None)",
            lambda: (
                f"take({one}, '{(name := r.choice(['level', 'formatter', 'filters', 'lock', 'stream', '_name']))}')",
                f"give({one}, '{name}')",
            ),
            lambda: (
                f'H["stream"].__class__ = {r.choice(["Upper", "Handles", "Filters", "Flushes", "SubHandler"])}',
                'H["stream"].__class__ = logging.StreamHandler',
            ),
            lambda: ('H["sub"].__class__ = Upper', f'H["sub"].__class__ = {r.choice(["SubHandler", "logging.StreamHandler"])}'),
            lambda: f'H["{r.choice(["memory", "memory to nobody"])}"].setTarget({r.choice(_TARGETS)})',
            lambda: f'H["{r.choice(["memory", "buffering"])}"].capacity = {r.choice(["1", "3", "5"])}',
            lambda: f'H["memory"].flushLevel = {r.choice(["20", "40", "50"])}',
            lambda: f'H["computed"].lowest = {r.choice(["0", "30"])}',
            lambda: "logging.shutdown()",
        ]
    )()


_TERMINATORS = ["'|'", "''", "'!\\n'", "'\\r\\n'", "None", "5"]


def streams(r: random.Random) -> Drawn:
    """Streams swapped, closed, written to by others; ends of lines."""
    one = text_handler(r)
    return r.choice(
        [
            lambda: f"{one}.setStream({stream(r)})",
            lambda: f"{one}.stream = {stream(r)}",
            lambda: f"{one}.stream = {stream(r)}",
            lambda: f'{one}.stream = S["{r.choice(_TEXT_STREAMS)}"]',
            lambda: f'{one}.setStream(S["{r.choice(["python", "wrapper"])}"])',
            lambda: f"{one}.stream = io.StringIO(); {one}.stream.close()",
            lambda: f"{one}.stream = sys.stderr",
            lambda: f"{file_handler(r)}.stream.close()",
            lambda: f"{file_handler(r)}.stream.flush()",
            lambda: f"{file_handler(r)}.close()",
            lambda: f'{file_handler(r)}.stream = S["{r.choice(_TEXT_STREAMS)}"]',
            lambda: f"{(f := file_handler(r))}.stream = {f}._open()",
            lambda: f"{file_handler(r)}.stream = None",
            lambda: 'os.remove(H["watched"].baseFilename)',
            lambda: f'H["rotating"].maxBytes = {r.choice(["0", "100", "400"])}',
            lambda: f'H["rotating"].backupCount = {r.choice(["0", "1", "3"])}',
            lambda: 'H["rotating"].doRollover()',
            lambda: f"advance({r.choice(['0.5', '3', '6', '60', '90000'])})",
            lambda: (f"{one}.terminator = {r.choice(_TERMINATORS)}", f"{one}.terminator = '\\n'"),
            lambda: (
                f'put(logging.StreamHandler, "terminator", {r.choice(_TERMINATORS)})',
                'put_back(logging.StreamHandler, "terminator")',
            ),
            lambda: f"S[\"{r.choice(_TEXT_STREAMS)}\"].write('mine\\n')",
            # Begun anew: half of a text overwritten, or its length, would hide frames from the masks.
            lambda: "{0}.truncate({0}.seek(0))".format(f'S["{r.choice(_TEXT_STREAMS)}"]'),
            lambda: f'S["{r.choice(_TEXT_STREAMS)}"].seek(0, 2)',
            lambda: 'S["wrapper"].reconfigure(line_buffering=True)',
            lambda: f'S["ascii wrapper"].reconfigure(errors={r.choice([repr("replace"), repr("strict")])})',
            lambda: f'patch(S["{r.choice(["python", "marked", "falsy"])}"], "write", "{r.choice(["wrap", "raising", "fixed"])}")',
            lambda: f'put_back(S["{r.choice(["python", "marked", "falsy"])}"], "write")',
            lambda: (
                f'patch(S["python"], "flush", "{r.choice(["wrap", "raising", "fixed"])}")',
                'put_back(S["python"], "flush")',
            ),
            lambda: ('put(sys, "stderr", S["one"])', 'put_back(sys, "stderr")'),
            lambda: ('put(sys, "stderr", S["full"])', 'put_back(sys, "stderr")'),
            lambda: ('put(sys, "stderr", None)', 'put_back(sys, "stderr")'),
        ]
    )()


# -- changes of formatters ---------------------------------------------------------------------------------------------------------------
_PERCENTS = [
    "%(message)s",
    "%(levelname)s-%(message)s",
    "%(asctime)s %(message)s",
    "%(nothing)s",
    "",
    "%(message)d",
    "100%",
    "%(k)s",
]


def formatters(r: random.Random) -> Drawn:
    """Formats, styles, dates, of instances and of the class."""
    one = formatter(r)
    return r.choice(
        [
            lambda: f"{one}._style._fmt = {r.choice(_PERCENTS[:3])!r}",
            lambda: (
                f"{one}._style._fmt = {r.choice([*map(repr, _PERCENTS), 'None', '5'])}",
                f"{one}._style._fmt = '%(message)s'",
            ),
            lambda: f"{one}._fmt = {r.choice(_PERCENTS)!r}",
            lambda: f"{one}._style = logging.PercentStyle({r.choice(_PERCENTS[:3])!r})",
            lambda: f"{one}._style = logging.StrFormatStyle({r.choice(['{message}!', '{levelname:*^9} {message}'])!r})",
            lambda: f"{one}._style = logging.StringTemplateStyle('$levelname $message')",
            lambda: f"{one}._style._defaults = {r.choice(['None', repr({'k': 'd'}), repr({'message': 'default'})])}",
            lambda: f"{one}.datefmt = {r.choice(['None', repr('%H'), repr(''), repr('%d.%m. %X')])}",
            lambda: f"{one}.default_msec_format = {r.choice(['None', repr(''), repr('%s.%03d'), repr('%s;%d')])}",
            lambda: f"vars({one}).pop('default_msec_format', None)",
            lambda: f"{one}.default_time_format = {r.choice([repr('%Y'), repr('%H-%M')])}",
            lambda: f"{one}.converter = {r.choice(['time.gmtime', 'time.localtime', 'lambda s: time.gmtime(0)'])}",
            lambda: (f"{one}.converter = 5", f"del {one}.converter"),
            lambda: (
                f'put(logging.Formatter, "default_msec_format", {r.choice(["None", repr("%s.%03d"), repr("%s %s")])})',
                'put_back(logging.Formatter, "default_msec_format")',
            ),
            lambda: (
                f'put(logging.Formatter, "default_time_format", {r.choice([repr("%Y"), repr("%j")])})',
                'put_back(logging.Formatter, "default_time_format")',
            ),
            lambda: (
                f'put(logging.Formatter, "converter", {r.choice(["time.gmtime", "lambda self, s: (2020, 1, 2, 3, 4, 5, 3, 2, 0)"])})',
                'put_back(logging.Formatter, "converter")',
            ),
            lambda: (
                f'put(logging.PercentStyle, "{r.choice(["asctime_search", "asctime_format", "default_format"])}", "%(created)")',
                "for name in ('asctime_search', 'asctime_format', 'default_format'):\n    put_back(logging.PercentStyle, name)",
            ),
            lambda: f"vars({one})",
            lambda: f"{one}.__dict__ = {{**vars({one})}}",
            lambda: (f"take({one}, '{(name := r.choice(['_style', 'datefmt', '_fmt']))}')", f"give({one}, '{name}')"),
            lambda: (
                f'F["rich"].__class__ = {r.choice(["OwnFormat", "OwnTime", "OwnException", "OwnMessage", "OwnUse", "SubFormatter"])}',
                'F["rich"].__class__ = logging.Formatter',
            ),
            lambda: (
                f'put(logging, "_defaultFormatter", {r.choice(_DEFAULT_FORMATTERS)})',
                'put_back(logging, "_defaultFormatter")',
            ),
        ]
    )()


# -- methods replaced --------------------------------------------------------------------------------------------------------------------
_HOT = [
    (
        "logging.Logger",
        ["isEnabledFor", "_log", "findCaller", "makeRecord", "handle", "callHandlers", "getEffectiveLevel", "filter"],
    ),
    ("logging.Filterer", ["filter", "addFilter"]),
    ("logging.Handler", ["handle", "format", "acquire", "release", "handleError", "emit", "filter", "createLock", "flush"]),
    ("logging.StreamHandler", ["emit", "flush", "handle", "format", "handleError", "setStream"]),
    ("logging.FileHandler", ["emit", "_open", "close"]),
    ("logging.handlers.BaseRotatingHandler", ["emit"]),
    ("logging.handlers.RotatingFileHandler", ["shouldRollover", "doRollover"]),
    ("logging.handlers.WatchedFileHandler", ["emit", "reopenIfNeeded"]),
    ("logging.handlers.BufferingHandler", ["emit", "shouldFlush", "flush"]),
    ("logging.handlers.MemoryHandler", ["shouldFlush", "flush"]),
    ("logging.handlers.QueueHandler", ["emit", "prepare", "enqueue"]),
    ("logging.Formatter", ["format", "formatTime", "formatException", "formatMessage", "formatStack", "usesTime"]),
    ("logging.PercentStyle", ["format", "_format", "usesTime"]),
    ("logging.StrFormatStyle", ["_format", "format"]),
    ("logging.Filter", ["filter"]),
    ("logging.LogRecord", ["getMessage", "__init__"]),
    ("logging.LoggerAdapter", ["process", "isEnabledFor", "log", "info"]),
]
_MODULES = {"StreamHandler": "logging", "FileHandler": "logging"}
_NOT_BROKEN = ("acquire", "release", "createLock", "__init__", "_open")
"""A lock that stays held would stop other threads, an object without its attributes tells little, a file that is None is stderr."""


def _how(r: random.Random, name: str) -> str:
    if name in _NOT_BROKEN:
        return r.choice(["wrap", "quiet", "acting"])
    return r.choice(["wrap", "wrap", "wrap", "quiet", "quiet", "raising", "fixed", "object", "static", "acting"])


def patches(r: random.Random) -> Drawn:
    """A method of a class replaced by a Python function, and put back."""
    if r.random() < 0.8:
        cls, names = r.choice(_HOT)
        name = r.choice(names)
        how = _how(r, name)
    else:  # any method there is, only listened to
        short = r.choice(list(ANY_METHOD))
        name = r.choice(ANY_METHOD[short])
        home = "logging.handlers" if short.startswith(("Rot", "Tim", "Wat", "Mem", "Que")) else "logging"
        cls, how = f"{home}.{short}", r.choice(["wrap", "quiet"])
    return f'patch({cls}, "{name}", "{how}")', f'put_back({cls}, "{name}")'


def instance_patches(r: random.Random) -> Drawn:
    """A method set on an instance."""
    one, names = r.choice(
        [
            (logger(r), ["isEnabledFor", "_log", "findCaller", "makeRecord", "handle", "callHandlers", "filter", "info"]),
            (handler(r), ["handle", "format", "filter", "emit", "acquire", "release", "flush", "handleError"]),
            (formatter(r), ["format", "formatTime", "formatException", "formatMessage", "usesTime"]),
            (f"{formatter(r)}._style", ["format", "usesTime"]),
            (f'P["{r.choice(["app", "sub", "all"])}"]', ["filter"]),
            (f'A["{r.choice(list(ADAPTERS))}"]', ["process", "isEnabledFor", "log", "info"]),
            ('H["rotating"]', ["shouldRollover", "doRollover", "emit", "rotator", "namer"]),
            ('H["memory"]', ["shouldFlush", "flush", "emit"]),
            ('H["queue"]', ["prepare", "enqueue"]),
        ]
    )
    name = r.choice(names)
    how = "wrap" if name in ("rotator", "namer") else _how(r, name)
    if name in ("rotator", "namer"):
        return f"{one}.{name} = {'os.replace' if name == 'rotator' else 'lambda name: name + repr(1)'}", f"{one}.{name} = None"
    return f'patch({one}, "{name}", "{how}")', f'put_back({one}, "{name}")'


def odd_classes(r: random.Random) -> Drawn:
    """Attributes of logging's classes that are not there usually."""
    cls, name, what = r.choice(
        [
            ("logging.Logger", "__bool__", "lambda self: self.name != 'app.db'"),
            ("logging.Handler", "__len__", "lambda self: 0"),
            ("logging.Handler", "__getattribute__", "lambda self, name: object.__getattribute__(self, name)"),
            ("logging.Logger", "__getattribute__", "lambda self, name: object.__getattribute__(self, name)"),
            ("logging.Formatter", "__getattribute__", "lambda self, name: object.__getattribute__(self, name)"),
            ("logging.Handler", "__setattr__", "lambda self, name, value: object.__setattr__(self, name, value)"),
            ("logging.Logger", "__getattr__", "lambda self, name: ()"),
            ("logging.LogRecord", "k", "'of the class'"),
            ("logging.LogRecord", "__setattr__", "lambda self, name, value: object.__setattr__(self, name, value)"),
            ("logging.Logger", "unrelated", "1"),
            ("logging.StreamHandler", "unrelated", "1"),
            ("logging.StreamHandler", "level", "property(lambda self: 20, lambda self, value: None)"),
            ("logging.Logger", "disabled", "property(lambda self: self.name == 'app', lambda self, value: None)"),
            ("logging.Formatter", "datefmt", "property(lambda self: '%H', lambda self, value: None)"),
            ("logging.Filter", "__call__", "lambda self, record: False"),
        ]
    )
    return f'put({cls}, "{name}", {what})', f'put_back({cls}, "{name}")'


# -- what logging looks up -----------------------------------------------------------------------------------------------------------------
_GLOBALS = [
    ("logging", "raiseExceptions", ["False", "[]", "'yes'"]),
    ("logging", "lastResort", ["None", 'H["second"]', 'H["emits"]', 'H["duck"]']),
    ("logging", "_srcfile", ["None", "''", "'elsewhere.py'", "deep.__code__.co_filename"]),
    ("logging", "logThreads", ["False", "[]"]),
    ("logging", "logProcesses", ["False", "0"]),
    ("logging", "logMultiprocessing", ["False", "None"]),
    ("logging", "logAsyncioTasks", ["False", "None"]),
    ("logging", "_logRecordFactory", ["factory", "OwnRecord", "DuckRecord", "None", "lambda *a, **k: None"]),
    ("logging", "getLevelName", ["lambda level: f'<{level}>'"]),
    ("logging", "_checkLevel", ["lambda level: 10"]),
    ("logging", "_levelToName", ["{20: 'replaced'}", "collections.UserDict({20: 'user dict'})"]),
    ("logging", "_nameToLevel", ["{'INFO': 10}"]),
    (
        "logging",
        "time",
        [
            "types.SimpleNamespace(time=lambda: 1e9, time_ns=lambda: 10**18, strftime=time.strftime)",
            "types.SimpleNamespace(time=lambda: 5e8, time_ns=lambda: 5 * 10**17, strftime=lambda f, t: 'strftime')",
        ],
    ),
    ("logging", "os", ["types.SimpleNamespace(**{**vars(os), 'getpid': lambda: 12})"]),
    ("logging", "io", ["types.SimpleNamespace(**vars(io))"]),
    ("logging", "threading", ["types.SimpleNamespace(**{**vars(threading), 'get_ident': lambda: 77})"]),
    ("logging", "traceback", ["types.SimpleNamespace(**vars(logging.traceback))"]),
    ("logging.traceback", "print_exception", ["lambda *a, **k: (k.get('file') or a[4]).write('exception\\n')"]),
    ("logging.traceback", "print_stack", ["lambda frame, limit=None, file=None: file.write('stack\\n')"]),
    ("logging", "LogRecord", ["OwnRecord"]),
    ("logging", "Formatter", ["OwnFormat"]),
    ("logging", "root", ['L["lone"]']),
    ("logging", "basicConfig", ["lambda **kwargs: note('basicConfig', kwargs)"]),
    ("time", "time", ["lambda: 1e9", "lambda: 1700000000.9999999", "w.clock.time"]),
    ("time", "time_ns", ["lambda: 10**18", "w.clock.time_ns"]),
    ("time", "strftime", ["lambda format, t: f'strftime {format}'"]),
    ("time", "localtime", ["time.gmtime"]),
    ("os", "getpid", ["lambda: 4711"]),
    ("os.path", "basename", ["lambda path: 'base.x.py'", "lambda path: 1 / 0"]),
    ("os.path", "splitext", ["lambda name: ('split', '')"]),
    ("os.path", "normcase", ["lambda path: path.upper()"]),
    ("threading", "current_thread", ["lambda: types.SimpleNamespace(name='patched')", "lambda: types.SimpleNamespace(name=5)"]),
    ("threading", "get_ident", ["lambda: 99"]),
    ("copy", "copy", ["lambda thing, copy=copy.copy: copy(thing)"]),
    ("logging.handlers", "copy", ["types.SimpleNamespace(copy=lambda thing: copy.copy(thing))"]),
    ("logging.handlers", "time", ["types.SimpleNamespace(**{**vars(time), 'time': lambda: 1700000100.0})"]),
    ("os", "stat", ["lambda *a, stat=os.stat, **k: stat(*a, **k)"]),
    ("io", "StringIO", ["type('StringIO', (io.StringIO,), {})"]),
]


def globals_(r: random.Random) -> Drawn:
    """A name of a module."""
    module, name, choices = r.choice(_GLOBALS)
    return f'put({module}, "{name}", {r.choice(choices)})', f'put_back({module}, "{name}")'


def tables(r: random.Random) -> Drawn:
    """Level names, factories, names of threads, and the module's functions."""
    return r.choice(
        [
            lambda: (f"logging.addLevelName(20, {r.choice([repr('Hint'), repr(''), '5'])})", "logging.addLevelName(20, 'INFO')"),
            lambda: ("logging.addLevelName(25, 'NOTE')", "logging._levelToName.pop(25, None)"),
            lambda: ("logging._levelToName[30] = 'Careful'", "logging._levelToName[30] = 'WARNING'"),
            lambda: ("logging._levelToName.pop(20, None)", "logging.addLevelName(20, 'INFO')"),
            lambda: ("logging._nameToLevel['INFO'] = 10", "logging._nameToLevel['INFO'] = 20"),
            lambda: (
                f"logging.setLogRecordFactory({r.choice(['factory', 'OwnRecord', 'DuckRecord'])})",
                "logging.setLogRecordFactory(logging.LogRecord)",
            ),
            lambda: ("threading.current_thread().name = 'renamed'", "threading.current_thread().name = 'MainThread'"),
            lambda: ("threading.current_thread()._name = 5", "threading.current_thread().name = 'MainThread'"),
            lambda: "logging.root.manager.emittedNoHandlerWarning = False",
            lambda: f"logging.basicConfig(level={level(r)}, force={r.choice(['True', 'False'])}, format='%(message)s')",
            lambda: ("logging.captureWarnings(True)", "logging.captureWarnings(False)"),
            lambda: ("logging.lastResort.level = 40", "logging.lastResort.level = 30"),
            lambda: "w.clock.step = 0",
            lambda: "w.clock.step = 1000003",
        ]
    )()


# -- programs --------------------------------------------------------------------------------------------------------------------------
_CHANGES: list[tuple[int, Draw]] = [
    (10, logger_changes),
    (12, handlers_of_loggers),
    (8, filters),
    (12, handler_changes),
    (9, streams),
    (8, formatters),
    (9, patches),
    (6, instance_patches),
    (2, odd_classes),
    (9, globals_),
    (3, tables),
]
_DRAWS = [draw for _, draw in _CHANGES]
_WEIGHTS = [weight for weight, _ in _CHANGES]
LOG_SHARE = 0.6
LONGEST = 14
"""Steps until a change is undone, at most."""


def program(seed: int, length: int) -> list[str]:
    """So many steps, always the same ones of a seed."""
    r = random.Random(seed)
    steps: list[str] = []
    undoing: dict[int, list[str]] = {}
    for name in _USUAL_LOGGERS:  # else little is written at first
        steps.append(f'L["{name}"].addHandler({handler(r)})')
        steps.append(f'L["{name}"].setLevel({r.choice(["10", "10", "20"])})')
    for _ in range(6):
        steps.append(f"{handler(r)}.setFormatter({formatter(r)})")
    while len(steps) < length:
        due = undoing.pop(len(steps), [])
        if due:
            steps.append(due.pop())
            if due:
                undoing.setdefault(len(steps), []).extend(due)
            continue
        if r.random() < LOG_SHARE:
            steps.append(log(r) if r.random() < 0.92 else ask(r))
            continue
        drawn = r.choices(_DRAWS, _WEIGHTS)[0](r)
        if isinstance(drawn, tuple):
            drawn, undo = drawn
            undoing.setdefault(len(steps) + r.randint(2, LONGEST), []).append(undo)
        steps.append(drawn)
    return steps[:length]
