"""unittest.assertLogs and assertNoLogs: what they catch, what they say, and that they put everything back."""


def test_assert_logs(run):
    run(
        """
        import logging, sys, unittest
        import unittest._log
        log = logging.getLogger("app.module")
        child = log.getChild("child")
        other = logging.getLogger("other")
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("handler: %(message)s"))
        log.addHandler(handler)
        pass  # late install

        class Subclass(logging.Logger):
            def _log(self, level, msg, args, **kwargs):
                super()._log(level, "sub " + msg, args, **kwargs)

        class Tests(unittest.TestCase):
            def test_context(self):
                with self.assertLogs() as cm:
                    log.info("one %s", 1)
                    other.error("two")
                    log.debug("not this")
                print(cm.output, [type(r) for r in cm.records], cm.records[0].getMessage(), cm.records[0].funcName)
            def test_logger_and_level(self):
                for logger, level in (("app", "INFO"), (log, logging.DEBUG), ("app.module", "WARNING"), (None, 25), (child, None)):
                    with self.assertLogs(logger, level) as cm:
                        child.warning("child")
                        log.error("parent %(a)s", {"a": 1}, extra={"k": 2})
                        child.debug("deep")
                    print(cm.output, [getattr(r, "k", None) for r in cm.records])
            def test_exception(self):
                with self.assertLogs("app") as cm:
                    try:
                        1 / 0
                    except ZeroDivisionError:
                        log.exception("failed")
                print(cm.output, cm.records[0].exc_info[0])
            def test_state_is_put_back(self):
                before = log.handlers, log.propagate, log.level
                with self.assertLogs(log, "DEBUG"):
                    print(log.handlers is not before[0], log.propagate, log.level)
                    log.debug("inside")
                after = log.handlers, log.propagate, log.level
                print(after == before, after[0] is before[0])
                log.warning("to the handler again")
            def test_nothing_logged(self):
                with self.assertLogs("app", "ERROR"):
                    log.warning("too low")
            def test_nothing_logged_on_root(self):
                with self.assertLogs():
                    pass
            def test_raises_inside(self):
                with self.assertLogs():
                    log.error("x")
                    raise LookupError("through")
            def test_no_logs(self):
                with self.assertNoLogs("app", "ERROR"):
                    log.warning("fine")
                with self.assertNoLogs("app"):
                    log.debug("fine")
            def test_no_logs_fails(self):
                with self.assertNoLogs():
                    log.warning("first %d", 1)
                    log.error("second")
            def test_nested(self):
                with self.assertLogs("app.module", 10) as outer:
                    log.info("outer")
                    with self.assertLogs("app.module.child") as inner:
                        child.info("inner")
                    child.info("outer again")
                print(outer.output, inner.output)
            def test_custom_format_and_level(self):
                logging.addLevelName(33, "NOTICE")
                with self.assertLogs(level="NOTICE") as cm:
                    log.log(33, "notice")
                print(cm.output, cm.records[0].levelname)
            def test_subclass(self):
                logging.setLoggerClass(Subclass)
                sub = logging.getLogger("app.sub")
                logging.setLoggerClass(logging.Logger)
                with self.assertLogs("app.sub") as cm:
                    sub.info("text")
                    logging.LoggerAdapter(sub, {"a": 1}).warning("adapted")
                print(cm.output)
            def test_disabled_logger(self):
                log.disabled = True
                try:
                    with self.assertNoLogs(log):
                        log.error("disabled")
                finally:
                    log.disabled = False
        unittest.main(argv=["program", "-v"], exit=False)
        """,
        masks=[(r"in \d+\.\d+s", "in ?s"), (r"\(__main__\.(\w+)\.?(\w*)\)", r"(__main__)")],
    )


def test_isolated_asyncio_and_subtests(run):
    run(
        """
        import asyncio, logging, sys, unittest
        log = logging.getLogger("app")
        pass  # late install
        class Tests(unittest.IsolatedAsyncioTestCase):
            async def test_tasks(self):
                async def work(n):
                    await asyncio.sleep(0)
                    log.info("task %d", n)
                with self.assertLogs("app", "DEBUG") as cm:
                    async with asyncio.TaskGroup() as group:
                        for n in range(3):
                            group.create_task(work(n), name=f"named {n}")
                print(cm.output, [getattr(r, "taskName", None) for r in cm.records])
            def test_sub_tests(self):
                for n in range(3):
                    with self.subTest(n=n), self.assertLogs() as cm:
                        if n:
                            log.warning("sub %d", n)
        unittest.main(argv=["program"], exit=False)
        """,
        masks=[(r"in \d+\.\d+s", "in ?s")],
    )
