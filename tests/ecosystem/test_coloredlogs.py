"""coloredlogs: its copy of a record by `__class__` assignment, its formatter, install() and its level games."""

import importlib.util

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("coloredlogs") is None, reason="pip install .[ecosystem]")

MASKS = [(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(,\d+)?", "<time>"), (r"\[\d+\]", "[<pid>]"), (r"(?m)^(<time>) \S+ ", r"\1 <host> ")]


@pytest.mark.parametrize("color", [True, False])
def test_install(run, color):
    run(
        f"""
        import io, logging, sys
        import coloredlogs, humanfriendly
        log = logging.getLogger("app.module")
        stream = io.StringIO()
        coloredlogs.install(level="DEBUG", stream=stream, isatty={color}, milliseconds=True)
        coloredlogs.install(level="DEBUG", logger=logging.getLogger("app"), stream=stream, isatty={color},
                            fmt="%(levelname)s %(name)s %(funcName)s %(message)s", reconfigure=False)
        pass  # late install
        def work():
            log.debug("debug %s", 1)
            log.info("info")
            log.warning("warning %(a)s", {{"a": 1}})
            log.error("error", extra={{"user": "u"}})
            log.critical("critical")
            try:
                1 / 0
            except ZeroDivisionError:
                log.exception("failed")
            log.log(25, "between", stack_info=True)
        work()
        coloredlogs.increase_verbosity()
        print(coloredlogs.get_level(), coloredlogs.is_verbose())
        coloredlogs.decrease_verbosity()
        coloredlogs.set_level("ERROR")
        log.info("hidden")
        log.error("shown")
        print(coloredlogs.find_handler(logging.getLogger(), coloredlogs.match_stream_handler)[0])
        print(stream.getvalue())
        """,
        masks=MASKS,
    )


@pytest.mark.parametrize("style", ["%", "{", "$"])
def test_colored_formatter_and_the_empty_record_trick(run, style):
    formats = {
        "%": "%(hostname)s %(name)s[%(process)d] %(levelname)s %(message)s %(custom)s",
        "{": "{name} {levelname} {message} {custom}",
        "$": "$name ${levelname} $message $custom",
    }
    run(
        f"""
        import copy, logging, sys
        import coloredlogs
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(coloredlogs.ColoredFormatter({formats[style]!r}, style={style!r},
            level_styles={{"info": {{"color": "blue"}}, "error": {{"color": "red", "bold": True}}}}))
        class Other(logging.Handler):
            def emit(self, record):
                print("the record itself is unchanged:", record.levelname, record.msg, record.args)
        log = logging.getLogger("a")
        log.setLevel(10)
        log.addHandler(handler)
        log.addHandler(Other())
        class User(logging.Filter):
            def filter(self, record):
                record.custom = "custom"
                record.hostname = "host"
                return True
        handler.addFilter(User())
        pass  # late install
        log.info("info %s", "x")
        log.error("error %d", 3)
        log.warning("plain")

        class Empty(object):
            pass
        record = log.makeRecord("n", 20, "f.py", 1, "m %s", ("a",), None, "func", {{"k": 1}})
        trick = Empty()
        trick.__class__ = record.__class__
        trick.__dict__.update(record.__dict__)
        trick.msg = "changed %s"
        print(type(trick), trick.getMessage(), record.getMessage(), copy.copy(record).__dict__ == record.__dict__)
        log.handle(trick)
        """,
        masks=MASKS,
    )


def test_filters_for_hostname_user_and_program(run):
    run(
        """
        import logging, sys
        import coloredlogs
        coloredlogs.install(stream=sys.stdout, level=10, use_chroot=False,
                            fmt="%(programname)s %(username)s %(name)s %(message)s")
        coloredlogs.HostNameFilter.install(logging.getLogger().handlers[0], use_chroot=False)
        pass  # late install
        log = logging.getLogger("x")
        class Keep(logging.Handler):
            def emit(self, record):
                print(sorted(set(vars(record)) - set(vars(logging.makeLogRecord({})))))
        log.addHandler(Keep())
        log.info("one")
        logging.getLogger().handlers[0].addFilter(lambda record: "no" not in record.getMessage())
        log.info("no")
        log.info("two")
        """,
        masks=MASKS,
    )
