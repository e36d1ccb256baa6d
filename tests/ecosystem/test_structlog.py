"""structlog's integration with logging: ProcessorFormatter, LoggerFactory, BoundLogger, its own findCaller."""

import importlib.util

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("structlog") is None, reason="pip install .[ecosystem]")


@pytest.mark.parametrize(
    "renderer", ["JSONRenderer()", "KeyValueRenderer()", "ConsoleRenderer(colors=False)", "LogfmtRenderer()"]
)
def test_processor_formatter_for_structlog_and_foreign_records(run, renderer):
    run(
        f"""
        import logging, logging.config, sys
        import structlog
        from structlog import processors, dev
        from structlog.dev import ConsoleRenderer
        from structlog.processors import JSONRenderer, KeyValueRenderer, LogfmtRenderer
        shared = [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_log_level_number,
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            processors.CallsiteParameterAdder([processors.CallsiteParameter.FUNC_NAME, processors.CallsiteParameter.LINENO,
                processors.CallsiteParameter.FILENAME, processors.CallsiteParameter.THREAD_NAME]),
            processors.StackInfoRenderer(),
            processors.UnicodeDecoder(),
        ] + ([] if {"Console" in renderer} else [processors.format_exc_info])
        renderer = {renderer}
        def few(_, __, event):
            return {{k: v for k, v in event.items() if k in ("event", "level", "_from_structlog")}}
        logging.config.dictConfig({{
            "version": 1, "disable_existing_loggers": False,
            "formatters": {{"f": {{
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": shared,
            }}, "keep": {{
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [few, processors.JSONRenderer(sort_keys=True)],
                "foreign_pre_chain": shared, "keep_exc_info": True, "keep_stack_info": True,
            }}}},
            "handlers": {{"out": {{"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "f"}},
                         "file": {{"class": "logging.FileHandler", "filename": "app.log", "formatter": "keep"}}}},
            "root": {{"handlers": ["out", "file"], "level": "DEBUG"}},
        }})
        structlog.configure(
            processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=True)
        pass  # late install
        log = structlog.get_logger("app.structured")
        plain = logging.getLogger("app.plain")
        def work():
            log.info("hello", user="u", n=1)
            log.bind(request="r").warning("bound %s", "argument", k=[1, 2])
            log.debug("with stack", stack_info=True)
            plain.info("foreign %s %d", "args", 2)
            plain.warning("extra", extra={{"user": "x", "items": [1]}})
            plain.error("%(a)s", {{"a": 1}})
            try:
                raise ValueError("v")
            except ValueError:
                log.exception("failed")
                plain.exception("failed too")
            log.log(30, "by level")
            log.critical("critical", exc_info=KeyError("k"))
            plain.log(35, "foreign level 35", stack_info=True)
            structlog.contextvars.bind_contextvars(ctx=1)
            log.info("with context")
            plain.info("foreign with context")
        work()
        logging.getLogger("app").setLevel("ERROR")
        log.info("filtered by level")
        log.error("not filtered")
        print(log.isEnabledFor(20), log.getEffectiveLevel(), log.name, log.handlers, log.parent, log.hasHandlers())
        """,
        files=("app.log",),
        masks=[(r'"thread_name": "\w+"', '"thread_name": "?"'), (r"\bat 0x\w+", "at 0x?")],
    )


def test_render_to_log_kwargs_and_args(run):
    run(
        """
        import logging, sys
        import structlog
        logging.basicConfig(stream=sys.stdout, level=10, format="%(levelname)s %(name)s %(funcName)s %(lineno)d %(message)s")
        pass  # late install
        for last in (structlog.stdlib.render_to_log_kwargs, structlog.stdlib.render_to_log_args_and_kwargs,
                     structlog.processors.KeyValueRenderer(key_order=["event"])):
            structlog.reset_defaults()
            structlog.configure(processors=[structlog.stdlib.filter_by_level, structlog.stdlib.add_logger_name, last],
                                logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger)
            log = structlog.get_logger("a.b")
            def work():
                log.info("event", k=1)
                log.warning("event 2", exc_info=ValueError("v"), stacklevel=1) if "kwargs" in getattr(last, "__name__", "") else None
                log.new(x=1).error("event 3")
            work()
        class Handler(logging.Handler):
            def emit(self, record):
                print({k: v for k, v in vars(record).items() if k in ("msg", "args", "k", "funcName", "filename", "x")})
        logging.getLogger().handlers[:] = [Handler()]
        structlog.configure(processors=[structlog.stdlib.render_to_log_kwargs])
        log = structlog.get_logger("c")
        def in_function():
            log.info("kwargs", k=2, x=[3])
        in_function()
        print(logging.getLoggerClass(), type(logging.getLogger("c")))
        """
    )


def test_logger_factory_finds_the_callers_module(run):
    run(
        """
        import logging, sys
        import structlog
        logging.basicConfig(stream=sys.stdout, level=10, format="%(name)s %(module)s %(funcName)s %(message)s")
        structlog.stdlib.recreate_defaults(log_level=None)
        pass  # late install
        log = structlog.get_logger()
        def work():
            log.info("event", a=1)
            log.msg("message") if hasattr(log, "msg") else None
            logging.getLogger(__name__).info("plain")
        work()
        """,
        masks=[(r"\x1b\[\d+m", ""), (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<time>")],
    )


def test_capture_logs_and_async_methods(run):
    run(
        """
        import asyncio, logging, sys
        import structlog
        from structlog.testing import capture_logs
        logging.basicConfig(stream=sys.stdout, level=10, format="%(levelname)s %(threadName)s %(message)s")
        structlog.configure(processors=[structlog.stdlib.add_log_level, structlog.processors.JSONRenderer(sort_keys=True)],
                            logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger)
        pass  # late install
        log = structlog.get_logger("x")
        with capture_logs() as captured:
            log.info("captured", a=1)
        print(captured)
        async def work():
            await log.ainfo("async %s", "one", b=2)
            await asyncio.gather(*(log.aerror("gathered") for n in range(3)))
        asyncio.run(work())
        """,
        masks=[(r"asyncio_\d+", "asyncio_?")],
    )
