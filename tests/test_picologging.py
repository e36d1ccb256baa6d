"""femtolog.install(picologging=True): programs written for picologging, on logging."""

import subprocess
import sys
import textwrap

import pytest


def program(source):
    """The standard output of a program in a process of its own, which ends well and writes nothing to stderr."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(source)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


INSTALL = "import femtolog; femtolog.install(picologging=True)\n"

# What `dir()` of picologging 0.9.3 has; of the private names the one that `logging` has not.
NAMES = {
    "picologging": """
        BASIC_FORMAT BufferingFormatter CRITICAL DEBUG ERROR FATAL FileHandler Filter Filterer FormatStyle Formatter Handler
        INFO LogRecord Logger Manager NOTSET NullHandler PercentStyle StrFormatStyle StreamHandler StringTemplateStyle WARN
        WARNING _Placeholder __version__ basicConfig critical debug disable error exception fatal
        getLevelName getLogger info log makeLogRecord root text_encoding warn warning
        """,
    "picologging.config": """
        BaseConfigurator DictConfigurator IDENTIFIER MemoryHandler dictConfig
        dictConfigClass valid_ident
        """,
    "picologging.handlers": """
        BaseRotatingHandler BufferingHandler DatagramHandler MemoryHandler QueueHandler QueueListener RotatingFileHandler
        SocketHandler TimedRotatingFileHandler WatchedFileHandler
        """,
}


@pytest.mark.parametrize("module", NAMES)
def test_names(module):
    program(
        INSTALL
        + f"import {module} as module\n"
        + f"missing = [name for name in {NAMES[module].split()!r} if not hasattr(module, name)]\nassert not missing, missing\n"
    )


def test_it_is_logging():
    program(
        INSTALL
        + """if True:
        import logging, logging.handlers, sys
        import picologging, picologging.handlers as handlers
        from picologging import Logger, getLogger, config
        from picologging.config import dictConfig
        assert "picologging._picologging" not in sys.modules
        assert Logger is logging.Logger and getLogger("a") is logging.getLogger("a")
        assert handlers.RotatingFileHandler is logging.handlers.RotatingFileHandler
        assert dictConfig is logging.config.dictConfig is config.dictConfig
        assert picologging.handlers is handlers
        picologging.raiseExceptions = False
        assert logging.raiseExceptions is False
        assert picologging.FormatStyle("%(message)s").format(logging.makeLogRecord({"message": "m"})) == "m"
        import importlib.util
        assert importlib.util.find_spec("picologging").submodule_search_locations == []
        """
    )


def test_a_program_as_its_readme_has_it():
    assert (
        program(
            INSTALL
            + """if True:
            import sys
            import picologging as logging
            logging.basicConfig(stream=sys.stdout)
            logger = logging.getLogger()
            logger.info("not at this level")
            logger.warning("with %s", "arguments")
            logger.setLevel(logging.INFO)
            logger.info("at this level")
            log = logging.getLogger("app")
            handler = logging.StreamHandler(sys.stdout)
            handler.setFormatter(logging.Formatter("{levelname}:{lineno}:{message}", style="{"))
            log.addHandler(handler)
            log.propagate = False
            log.error("in braces")
            print(femtolog.stats()["native"])
            """
        )
        == "WARNING:root:with arguments\nINFO:root:at this level\nERROR:16:in braces\n3\n"
    )


def test_handlers_with_queue_and_memory(tmp_path):
    program(
        f"path = {str(tmp_path / 'app.log')!r}\n"
        + INSTALL
        + """if True:
        import queue
        import picologging as logging
        from picologging.handlers import MemoryHandler, QueueHandler, QueueListener, RotatingFileHandler
        target = RotatingFileHandler(path, maxBytes=1000, backupCount=2)
        target.setFormatter(logging.Formatter("%(name)s %(message)s"))
        log = logging.getLogger("app")
        log.setLevel(logging.DEBUG)
        records = queue.Queue()
        listener = QueueListener(records, target)
        listener.start()
        log.addHandler(queued := QueueHandler(records))
        log.debug("by the queue")
        listener.stop()
        log.removeHandler(queued)
        log.addHandler(memory := MemoryHandler(10, logging.ERROR, target))
        log.info("kept")
        log.error("and written")
        memory.close()
        target.close()
        """
    )
    assert (tmp_path / "app.log").read_text() == "app by the queue\napp kept\napp and written\n"


def test_a_configuration():
    assert (
        program(
            INSTALL
            + """if True:
            import picologging, picologging.config
            picologging.config.dictConfig({
                "version": 1,
                "formatters": {"f": {"format": "%(levelname)s %(message)s"}},
                "handlers": {"h": {"class": "picologging.StreamHandler", "formatter": "f", "stream": "ext://sys.stdout"}},
                "loggers": {"app": {"level": "DEBUG", "handlers": ["h"]}},
            })
            picologging.getLogger("app").debug("configured")
            """
        )
        == "DEBUG configured\n"
    )


def test_uninstall_takes_the_names_away():
    program(
        INSTALL
        + """if True:
        import logging, sys
        femtolog.install(picologging=True)
        assert sum("picologging" in repr(finder) for finder in sys.meta_path) == 1
        import picologging, picologging.handlers
        held = picologging
        femtolog.uninstall()
        assert not [name for name in sys.modules if name.split(".")[0] == "picologging"]
        assert not [finder for finder in sys.meta_path if "picologging" in repr(finder)]
        assert held.getLogger("a") is logging.getLogger("a")
        femtolog.install()
        assert not [finder for finder in sys.meta_path if "picologging" in repr(finder)]
        """
    )


def test_picologging_imported_before_is_refused_and_nothing_changed(tmp_path):
    (tmp_path / "picologging.py").write_text("")
    program(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        """if True:
        import femtolog, picologging
        try:
            femtolog.install(picologging=True)
        except ImportError as error:
            assert error.name == "picologging"
            assert str(error).startswith("femtolog cannot stand in for picologging: picologging is imported already. Call")
        else:
            raise AssertionError
        assert not femtolog.is_installed()
        femtolog.install()
        """
    )
