"""rich's RichHandler: it calls the formatter's steps itself and renders the record's fields."""

import importlib.util

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("rich") is None, reason="pip install .[ecosystem]")

MASKS = [
    (r"\[\d\d/\d\d/\d\d \d\d:\d\d:\d\d\]", "[<date> <time>]"),
    (r"\d\d:\d\d:\d\d", "<time>"),
    (r"\d+;file://\S+?\\", "link\\\\"),
]


@pytest.mark.parametrize(
    "options",
    [
        "",
        "rich_tracebacks=True, tracebacks_show_locals=True",
        "markup=True, show_path=False, omit_repeated_times=False",
        "show_time=False, show_level=False, enable_link_path=False",
        "keywords=['special'], log_time_format='%H:%M:%S'",
        "level='WARNING', locals_max_string=5",
    ],
)
def test_rich_handler(run, options):
    run(
        f"""
        import io, logging, sys
        from rich.console import Console
        from rich.logging import RichHandler
        out = io.StringIO()
        console = Console(file=out, width=110, force_terminal=True, color_system="truecolor", legacy_windows=False, _environ={{}})
        options = dict(omit_repeated_times=False) | dict({options})
        handler = RichHandler(console=console, **options)
        logging.basicConfig(level="NOTSET", format="%(message)s", datefmt="[%X]", handlers=[handler])
        log = logging.getLogger("app")
        pass  # late install
        class Thing:
            def __repr__(self):
                return "Thing(a=1)"
        def work(value):
            log.debug("debug %s", Thing())
            log.info("GET /index.html 200 special")
            log.warning("[bold]markup[/bold] %d", 3, extra={{"markup": True}})
            log.error("no highlight 123", extra={{"highlighter": None}})
            try:
                local = [1, 2, value]
                1 / 0
            except ZeroDivisionError:
                log.exception("failed %s", "here")
            log.critical("critical\\nin two lines")
            log.log(25, "twenty-five", stack_info=False)
        work("text")
        print(out.getvalue())
        """,
        masks=MASKS,
    )


def test_formatter_of_the_users_own(run):
    run(
        """
        import io, logging
        from rich.console import Console
        from rich.logging import RichHandler
        out = io.StringIO()
        handler = RichHandler(console=Console(file=out, width=100, _environ={}), show_time=False)
        class Formatter(logging.Formatter):
            def formatMessage(self, record):
                return "<" + super().formatMessage(record) + ">"
            def formatTime(self, record, datefmt=None):
                return "now"
        handler.setFormatter(Formatter("%(asctime)s %(name)s %(message)s"))
        log = logging.getLogger("x")
        log.setLevel(10)
        log.addHandler(handler)
        pass  # late install
        log.info("one %s", 1)
        class Sub(RichHandler):
            def get_level_text(self, record):
                return super().get_level_text(record)
            def render_message(self, record, message):
                return super().render_message(record, message.upper())
        log.handlers[:] = [Sub(console=Console(file=out, width=100, _environ={}), show_time=False, show_path=False)]
        log.warning("upper case")
        log.handlers[0].handleError(logging.makeLogRecord({"msg": "x"})) if False else None
        print(out.getvalue())
        """,
        masks=MASKS,
    )
