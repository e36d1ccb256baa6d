"""Rotation and time: a clock that jumps causes no storm of rollovers and loses no line."""

import textwrap

import pytest

START = """
    import glob, logging, logging.handlers, os, sys, time

    class Clock:
        now = 1_700_000_000.25
    time.time = lambda: Clock.now
    time.time_ns = lambda: int(Clock.now * 1e9)
    rollovers = 0
    class Counting(logging.handlers.TimedRotatingFileHandler):
        def doRollover(self):
            global rollovers
            rollovers += 1
            super().doRollover()
    log = logging.getLogger("l")
    log.setLevel(10)
    log.propagate = False
    os.environ["TZ"] = "UTC"
    time.tzset()
"""


@pytest.mark.parametrize("subclass", [True, False])
def test_a_clock_that_jumps_back_causes_no_storm_of_rollovers(run, subclass):
    run(
        textwrap.dedent(START)
        + f"KIND = {'Counting' if subclass else 'logging.handlers.TimedRotatingFileHandler'}\n"
        + textwrap.dedent("""
        open("app.log", "w").close()
        os.utime("app.log", (Clock.now, Clock.now))     # the first rollover is counted from the file's time
        handler = KIND("app.log", when="S", interval=10, backupCount=50)
        handler.setFormatter(logging.Formatter("%(created).2f %(message)s"))
        log.addHandler(handler)
        n = 0
        def lines(count):
            global n
            for _ in range(count):
                log.info("line %d", n)
                n += 1
        for jump in (0, 3, 3, 20, -3600, 0, 1, 3590, 5, 30, -86400, 86400, 5, 12, 365 * 86400, 1, -100, 90, 40):
            Clock.now += jump
            os.utime("app.log", (Clock.now, Clock.now))
            lines(20)
            print(jump, rollovers, handler.rolloverAt - Clock.now, sorted(glob.glob("app.log.*")))
        handler.close()
        found = []
        for name in glob.glob("app.log*"):
            found += [int(line.split()[2]) for line in open(name)]
        print(len(found), len(set(found)))
        """)
    )


def test_hundred_lines_around_a_daylight_saving_change(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        os.environ["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3"
        time.tzset()
        for start in (1_711_839_600.0, 1_729_987_200.0):     # the evenings before 2024-03-31 and 2024-10-27
            Clock.now = start
            open("dst.log", "w").close()
            os.utime("dst.log", (start, start))
            handler = Counting("dst.log", when="MIDNIGHT", backupCount=9)
            log.handlers[:] = [handler]
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            rollovers = 0
            for i in range(100):
                Clock.now += 1800
                log.info("%d", i)
            handler.close()
            print(rollovers, sorted(glob.glob("dst.log.*")))
            for name in sorted(glob.glob("dst.log*")):
                print(name, open(name).readline().strip())
                os.unlink(name)
        """)
    )


def test_size_rotation_at_the_byte(run):
    """The same files, with the same content, at the same record, for sizes around each boundary."""
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        for size in (1, 10, 99, 100, 101, 102, 1000):
            for text in ("a" * 99, "\\u00e9" * 50, "\\u65e5" * 33, ""):
                handler = logging.handlers.RotatingFileHandler("app.log", maxBytes=size, backupCount=3, encoding="utf-8")
                log.handlers[:] = [handler]
                for i in range(7):
                    log.info(text)
                handler.close()
                print(size, len(text), [(name, os.path.getsize(name)) for name in sorted(glob.glob("app.log*"))])
                for name in glob.glob("app.log*"):
                    os.unlink(name)
        """)
    )


def test_times_of_records_under_a_clock_that_jumps(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        handler = logging.StreamHandler(sys.stdout)
        log.addHandler(handler)
        handler.setFormatter(logging.Formatter("%(asctime)s %(created)f %(msecs)03d %(message)s"))
        for now in (0.0, 0.999, 0.9999, 0.99999999, 1e9, 1e9 + 0.5, 1e9 - 0.001, 1_700_000_000.9996, -1.5, 4e9, 2**31 - 0.0001):
            Clock.now = now
            log.info("x")
            log.info("again")
        for zone in ("UTC", "CET-1CEST", "Asia/Kathmandu", "XYZ+12"):
            os.environ["TZ"] = zone
            time.tzset()
            log.info(zone)
        handler.formatter.converter = time.gmtime
        log.info("gmtime")
        for bad in (1e30, float("inf"), float("nan")):
            Clock.now = bad
            try:
                log.info("bad clock")
            except Exception as exc:
                print(type(exc).__name__)
        """)
    )


def test_rollover_that_fails_loses_no_line_and_goes_on(run):
    run(
        textwrap.dedent(START)
        + textwrap.dedent("""
        handler = logging.handlers.RotatingFileHandler("app.log", maxBytes=50, backupCount=2)
        log.addHandler(handler)
        def error(self, record):
            print("handleError", repr(sys.exc_info()[1]), record.getMessage())
        logging.Handler.handleError = error
        def rotator(source, dest):
            raise OSError(28, "No space left on device")
        for i in range(3):
            log.info("line %d %s", i, "x" * 30)
        handler.rotator = rotator
        for i in range(3, 6):
            log.info("line %d %s", i, "x" * 30)
        handler.rotator = None
        for i in range(6, 9):
            log.info("line %d %s", i, "x" * 30)
        for name in sorted(glob.glob("app.log*")):
            print(name, open(name).read())
        """)
    )
