"""200 000 records of each kind: memory stays bounded and the counts of shared objects stay what they were.

FEMTOLOG_GROWTH_RECORDS (default 200000) sets the number; the bounds do not depend on it.
"""

import os
import sysconfig
import textwrap

import pytest

RECORDS = int(os.environ.get("FEMTOLOG_GROWTH_RECORDS", "200000"))
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

START = """
    import gc, io, logging, logging.handlers, os, queue, sys, warnings

    RECORDS = int(sys.argv[1])
    log = logging.getLogger("l")
    log.setLevel(10)
    log.propagate = False

    class Sink:
        def write(self, text):
            pass
        def flush(self):
            pass

    class Python(logging.Handler):
        def emit(self, record):
            self.format(record)

    def rss():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

    shared = dict(none=None, true=True, false=False, empty=(), zero=0, twenty=20, logger=log, root=logging.root,
                  manager=log.manager, record=logging.LogRecord, logging=logging, stdout=sys.stdout, text="INFO")
    def references():
        counts = {name: sys.getrefcount(value) for name, value in shared.items()}
        for i, handler in enumerate(log.handlers):
            for name, value in (("", handler), (".lock", handler.lock), (".formatter", handler.formatter),
                                (".stream", getattr(handler, "stream", None))):
                if value is not None:
                    counts[f"handler{i}{name}"] = sys.getrefcount(value)
        counts["Logger"] = sys.getrefcount(type(log))
        counts["level_dict"] = sys.getrefcount(logging._levelToName)
        return counts

    def measure(call, count=RECORDS, warm_up=2000, blocks=400, kilobytes=2500, slack=200, collected=False):
        # What grows by one thing per record grows by RECORDS things: the bounds are far below that.
        def calls(count):
            for i in range(count):
                call(i)
                if collected and i % 1000 == 0:
                    gc.collect()
            # What a collection gives up, threads may still be reading: some of it is freed by the next.
            for _ in range(2 if collected else 1):
                gc.collect()

        calls(warm_up)
        references()
        rss()
        before = references()
        blocks_before = sys.getallocatedblocks()
        # The interpreter takes memory by the MiB, now and then: what is lost is lost each time.
        for _ in range(3):
            rss_before = rss()
            calls(count)
            grown = rss() - rss_before
            if grown < kilobytes:
                break
        blocks_after = sys.getallocatedblocks()
        after = references()
        sys.stderr = sys.__stderr__
        moved = {name: after[name] - before[name] for name in before if abs(after[name] - before[name]) > slack}
        assert not moved, moved
        assert blocks_after - blocks_before < blocks, ("blocks", blocks_after - blocks_before)
        assert grown < kilobytes, ("KiB", grown)
        print("bounded")

    def plain(i):
        log.info("message")
"""

# name: (program, share of RECORDS it takes, as "// n")
KINDS = {
    "disabled": ("def call(i): log.log(5, 'x %s', i)", 1),
    "no handler": ("logging.lastResort = None\nlog.manager.emittedNoHandlerWarning = True\ncall = plain", 1),
    "null handler": ("log.addHandler(logging.NullHandler())\ncall = plain", 1),
    "stream": ("log.addHandler(logging.StreamHandler(Sink()))\ncall = plain", 1),
    "stream, StringIO": (
        (
            "s = io.StringIO()\nlog.addHandler(logging.StreamHandler(s))\n"
            "def call(i):\n    s.seek(0)\n    s.truncate(0)\n    log.info('message %d', i)"
        ),
        1,
    ),
    "file": ("log.addHandler(logging.FileHandler('/dev/null'))\ncall = plain", 1),
    "real file": ("log.addHandler(logging.FileHandler('app.log'))\ncall = plain", 1),
    "args": (
        "log.addHandler(logging.StreamHandler(Sink()))\ndef call(i): log.info('%s %d %.3f %r %x', 'text', i, i / 3, [i], i)",
        1,
    ),
    "mapping": (
        "log.addHandler(logging.StreamHandler(Sink()))\ndef call(i): log.info('%(a)s %(b)d', {'a': i, 'b': i})",
        1,
    ),
    "full format": (
        (
            "h = logging.StreamHandler(Sink())\nh.setFormatter(logging.Formatter('%(asctime)s %(levelname)-8s %(name)s "
            "%(pathname)s:%(lineno)d %(funcName)s %(thread)d %(threadName)s %(process)d %(msecs)03d %(message)s'))\n"
            "log.addHandler(h)\ncall = plain"
        ),
        1,
    ),
    "brace format": (
        (
            "h = logging.StreamHandler(Sink())\nh.setFormatter(logging.Formatter('{asctime} {levelname:<8} {message!r}', "
            "style='{'))\nlog.addHandler(h)\ncall = plain"
        ),
        1,
    ),
    "dollar format": (
        (
            "h = logging.StreamHandler(Sink())\nh.setFormatter(logging.Formatter('$asctime ${levelname} $message', "
            "style='$'))\nlog.addHandler(h)\ncall = plain"
        ),
        1,
    ),
    "extra": (
        (
            "h = logging.StreamHandler(Sink())\nh.setFormatter(logging.Formatter('%(user)s %(message)s'))\n"
            "log.addHandler(h)\ndef call(i): log.info('message', extra={'user': i, 'more': [i]})"
        ),
        1,
    ),
    "exc_info": (
        (
            "log.addHandler(logging.StreamHandler(Sink()))\ndef call(i):\n    try:\n        raise ValueError(i)\n"
            "    except ValueError:\n        log.exception('failed %d', i)"
        ),
        4,
    ),
    "stack_info": (
        "log.addHandler(logging.StreamHandler(Sink()))\ndef call(i): log.info('stack', stack_info=True)",
        4,
    ),
    "stacklevel": ("log.addHandler(logging.StreamHandler(Sink()))\ndef call(i): log.info('x', stacklevel=2)", 1),
    "python filter": (
        (
            "h = logging.StreamHandler(Sink())\nh.addFilter(lambda record: True)\nlog.addFilter(lambda record: i % 2 or 1)\n"
            "log.addFilter(logging.Filter('l'))\nlog.addHandler(h)\ni = 1\ncall = plain"
        ),
        1,
    ),
    "rejecting filter": (
        "log.addHandler(logging.StreamHandler(Sink()))\nlog.addFilter(lambda record: False)\ncall = plain",
        1,
    ),
    "python handler": ("log.addHandler(Python())\ndef call(i): log.info('x %s', i, extra={'a': i})", 1),
    "python formatter": (
        (
            "class F(logging.Formatter):\n    def format(self, record): return super().format(record)\n"
            "h = logging.StreamHandler(Sink())\nh.setFormatter(F())\nlog.addHandler(h)\ncall = plain"
        ),
        1,
    ),
    "handler subclass": (
        (
            "class H(logging.StreamHandler):\n    def emit(self, record): super().emit(record)\n"
            "log.addHandler(H(Sink()))\ncall = plain"
        ),
        1,
    ),
    "logger subclass": (
        (
            "class L(logging.Logger):\n    def makeRecord(self, *a, **k): return super().makeRecord(*a, **k)\n"
            "log.__class__ = L\nlog.addHandler(logging.StreamHandler(Sink()))\ncall = plain"
        ),
        1,
    ),
    "adapter": (
        (
            "log.addHandler(logging.StreamHandler(Sink()))\nadapter = logging.LoggerAdapter(log, {'a': 1})\n"
            "def call(i): adapter.info('x %d', i)"
        ),
        1,
    ),
    "queue": (
        (
            "q = queue.SimpleQueue()\nlog.addHandler(logging.handlers.QueueHandler(q))\n"
            "def call(i):\n    log.info('x %d', i)\n    q.get()"
        ),
        1,
    ),
    "memory handler": (
        "log.addHandler(logging.handlers.MemoryHandler(100, target=logging.StreamHandler(Sink())))\ncall = plain",
        1,
    ),
    "rotating": (
        "log.addHandler(logging.handlers.RotatingFileHandler('app.log', maxBytes=100_000, backupCount=2))\ncall = plain",
        1,
    ),
    "watched": ("log.addHandler(logging.handlers.WatchedFileHandler('app.log'))\ncall = plain", 1),
    "new logger per call, fixed set": (
        "log.addHandler(logging.StreamHandler(Sink()))\ndef call(i): logging.getLogger(f'l.{i % 500}').info('x')",
        1,
    ),
    "child per call": (
        "log.addHandler(logging.StreamHandler(Sink()))\ndef call(i): log.getChild(f'c{i % 100}').info('x')",
        1,
    ),
    "new handler per call": (
        (
            "def call(i):\n    h = logging.StreamHandler(Sink())\n    log.addHandler(h)\n    log.info('x')\n"
            "    log.removeHandler(h)\n    h.close()"
        ),
        4,
    ),
    "new formatter per call": (
        (
            "h = logging.StreamHandler(Sink())\nlog.addHandler(h)\n"
            "def call(i):\n    h.setFormatter(logging.Formatter(f'%(message)s {i}'))\n    log.info('x')"
        ),
        4,
    ),
    "new logger object per call": (
        (
            "def call(i):\n    one = logging.Logger(f'free {i}')\n    one.addHandler(h)\n    one.info('x')\n"
            "h = logging.StreamHandler(Sink())"
        ),
        4,
    ),
    "level changes": (
        (
            "log.addHandler(logging.StreamHandler(Sink()))\n"
            "def call(i):\n    log.setLevel(10 + i % 3)\n    log.info('x')\n    log.isEnabledFor(i % 50)"
        ),
        4,
    ),
    "error in format": (
        "log.addHandler(logging.StreamHandler(Sink()))\nlogging.raiseExceptions = False\ndef call(i): log.info('%d', 'x')",
        4,
    ),
    "error in emit, shown": (
        (
            "sys.stderr = Sink()\nclass Bad(Sink):\n    def write(self, text): raise OSError('x')\n"
            "log.addHandler(logging.StreamHandler(Bad()))\ncall = plain"
        ),
        10,
    ),
    "error raised to the caller": (
        (
            "class Bad(logging.Handler):\n    def emit(self, record): raise ValueError(record)\nlog.addHandler(Bad())\n"
            "def call(i):\n    try:\n        log.info('x %d', i)\n    except ValueError:\n        pass"
        ),
        4,
    ),
    "makeLogRecord and handle": (
        (
            "log.addHandler(logging.StreamHandler(Sink()))\n"
            "def call(i): log.handle(logging.makeLogRecord({'msg': 'x %d', 'args': (i,), 'levelno': 20}))"
        ),
        4,
    ),
    "formatter alone": (
        "f = logging.Formatter('%(asctime)s %(message)s')\nr = logging.makeLogRecord({'msg': 'x'})\ndef call(i): f.format(r)",
        4,
    ),
    "module level": (
        "logging.root.addHandler(logging.StreamHandler(Sink()))\ndef call(i): logging.warning('x %d', i)",
        4,
    ),
    "exec'ed call sites": (
        (
            "log.addHandler(logging.StreamHandler(Sink()))\n"
            "h = log.handlers[0]\nh.setFormatter(logging.Formatter('%(lineno)d %(funcName)s'))\n"
            "def call(i):\n    exec(compile(f'log.info(\"x\")\\n# {i}', f'file {i}', 'exec'), globals())"
        ),
        10,
    ),
    "new function per call": (
        (
            "log.addHandler(logging.StreamHandler(Sink()))\n"
            "def call(i):\n    (lambda: log.info('x'))()\n    def f(): log.info('y')\n    f()"
        ),
        4,
    ),
    "generators and tasks": (
        (
            "log.addHandler(logging.StreamHandler(Sink()))\n"
            "def gen():\n    log.info('x')\n    yield\ndef call(i):\n    for _ in gen(): pass"
        ),
        4,
    ),
    "captured warnings": (
        (
            "logging.captureWarnings(True)\nlogging.getLogger('py.warnings').addHandler(logging.StreamHandler(Sink()))\n"
            "warnings.simplefilter('always')\ndef call(i): warnings.warn('text')"
        ),
        10,
    ),
}


def grow(run, body, count, *, warm_up=2000, blocks=400, kilobytes=2500, deferred=False):
    """All `count` calls with femtolog; a tenth of them where nothing of ours is measured, or nothing new.

    `deferred`: the calls drop code objects, functions or types. Without a GIL those are freed late, code objects by a collection only,
    which the interpreter puts off until the process has grown by a tenth: steps of megabytes on the standard library as well. So it
    is asked to collect.
    """
    calls = count if run.way == "early" else max(count // 10, 2000)
    warm_up = min(warm_up, count)
    collected = deferred and FREE_THREADED
    outcome = run(
        textwrap.dedent(START) + body + f"\nmeasure(call, {calls}, {warm_up}, {blocks=}, {kilobytes=}, {collected=})\n",
        args=(str(RECORDS),),
        timeout=200,
        native=None if "log.log(5" in body or "f.format" in body else 1,
        compare=False,
    )
    assert outcome.stdout == "bounded\n"


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_bounded_over_records_of_kind(run, kind):
    body, share = KINDS[kind]
    count = max(RECORDS // share, 4000)
    if kind == "exec'ed call sites":
        # Places that were called from are remembered, up to a number; and without a GIL names of compiled code are immortal: the same
        # ones, and as many places, before it is measured.
        # At the default number the smallest piece that malloc() gives out, lost once per place, is 625 KiB.
        grow(run, body, count, warm_up=count, kilobytes=500, deferred=True)
    else:
        grow(run, body, count)


def test_class_patched_again_and_again(run):
    """Each change gives the type a new version tag, until none are left: nothing may be kept per change."""
    grow(
        run,
        textwrap.dedent("""
        log.addHandler(logging.StreamHandler(Sink()))
        def call(i):
            logging.StreamHandler.mark = i
            logging.Logger.mark = i
            logging.LogRecord.mark = i
            log.info("x")
        """),
        50_000,
    )


def test_methods_replaced_and_restored_again_and_again(run):
    grow(
        run,
        textwrap.dedent("""
        log.addHandler(logging.StreamHandler(Sink()))
        formats, emits = logging.Formatter.format, logging.StreamHandler.emit
        def call(i):
            logging.Formatter.format = lambda self, record: "other"
            logging.StreamHandler.emit = lambda self, record: emits(self, record)
            log.info("x")
            logging.Formatter.format, logging.StreamHandler.emit = formats, emits
            log.info("x")
        """),
        50_000,
        deferred=True,
    )


def test_subclasses_created_and_dropped(run):
    grow(
        run,
        textwrap.dedent("""
        def call(i):
            class H(logging.StreamHandler):
                def emit(self, record):
                    super().emit(record)
            class F(logging.Formatter):
                def formatTime(self, record, datefmt=None):
                    return "now"
            class L(logging.Logger):
                pass
            class A(logging.LoggerAdapter):
                pass
            handler, one = H(Sink()), L("free")
            handler.setFormatter(F("%(asctime)s %(message)s"))
            one.addHandler(handler)
            A(one, {}).info("x")
            one.info("y")
        """),
        10_000,
        kilobytes=6000,
        blocks=3000,
        deferred=True,
    )


def test_install_and_uninstall_again_and_again(run):
    if run.way == "stdlib":
        pytest.skip("nothing to install on the stdlib")
    outcome = run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        import femtolog
        log.addHandler(logging.StreamHandler(Sink()))
        def call(i):
            femtolog.uninstall()
            log.info("reference")
            femtolog.install()
            log.info("native")
        measure(call, 2000, 1000)
        """),
        args=("0",),
        compare=False,
    )
    assert outcome.stdout == "bounded\n"
