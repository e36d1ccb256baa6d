"""Level names and numbers: contract 5.2, items 9 and 10."""

import enum
import logging

import pytest
from oracle import same_as_stdlib


class Level(enum.IntEnum):
    """Levels as a program may define them."""

    NOTICE = 25


class Text(str):
    """A subclass of str."""


@same_as_stdlib
@pytest.mark.parametrize(
    "level",
    [10, "DEBUG", 11, "debug", "Level 11", None, 10.0, True, "", (1,), b"DEBUG", Level.NOTICE, Text("INFO"), -1, 10**30],
    ids=repr,
)
def test_names_map_both_ways(w, level):
    """Item 10: unknown is "Level %s"."""
    w.catch(logging.getLevelName, level)
    w.catch(logging._checkLevel, level)


@same_as_stdlib
def test_unhashable_levels(w):
    for level in ([], {}, set()):
        w.catch(logging.getLevelName, level)
        w.catch(logging._checkLevel, level)
        w.catch(logging.addLevelName, level, "x")
        w.catch(logging.addLevelName, 5, level)
        w.catch(logging.getLogger("x").isEnabledFor, level)


@same_as_stdlib
def test_added_names(w):
    log, _, _ = w.plain("%(levelname)s %(levelno)s %(message)s")
    logging.addLevelName(25, "NOTICE")
    log.log(25, "a")
    log.log(Level.NOTICE, "an enum")
    logging.addLevelName(25, "AGAIN")
    log.log(25, "b")
    log.setLevel("NOTICE")
    log.log(24, "no")
    log.setLevel("AGAIN")
    w.note("level", log.level, repr(log))
    logging.addLevelName("odd", 5)
    w.note("odd", logging.getLevelName("odd"), logging.getLevelName(5))
    logging.addLevelName(20, None)
    log.setLevel(1)
    log.info("None is a name")
    logging.addLevelName(20, "")
    log.info("so is nothing")
    w.note("mapping", logging.getLevelNamesMapping())
    w.catch(logging.addLevelName, 1)
    w.catch(logging.addLevelName)


@same_as_stdlib
def test_levels_that_are_subclasses_of_int(w):
    class Odd(int):
        def __hash__(self):
            return 7

        def __eq__(self, other):
            w.note("compared")
            return int(self) == other

        def __str__(self):
            return "odd"

    log, handler, _ = w.plain("%(levelname)s %(levelno)s %(message)s")
    records = w.keeper(log)
    for level in (True, False, Level.NOTICE, Odd(20)):
        log.log(level, "a")
        w.catch(log.setLevel, level)
        w.note("level", log.level, handler.level)
    w.note("types", [type(record.levelno) for record in records])


@same_as_stdlib
def test_methods_added_for_a_level(w):
    """verboselogs and flask-appbuilder do it: the caller is the program's."""

    def notice(self, msg, *args, **kwargs):
        if self.isEnabledFor(25):
            self._log(25, msg, args, **kwargs)

    logging.addLevelName(25, "NOTICE")
    logging.Logger.notice = notice
    logging.notice = lambda msg, *args: logging.root.log(25, msg, *args)
    log, _, _ = w.plain("%(levelname)s %(funcName)s:%(lineno)d %(message)s")
    log.notice("a %s", 1)
    log.notice("b", stacklevel=2)
    log.setLevel(30)
    log.notice("no")
    logging.root.addHandler(w.handler("%(levelname)s %(funcName)s %(message)s"))
    logging.root.setLevel(20)
    logging.notice("c")
    del logging.Logger.notice


@same_as_stdlib
def test_effective_levels_down_a_tree(w):
    names = ["", "a", "a.b", "a.b.c"]
    for index, level in enumerate([30, 0, 10, 0]):
        logging.getLogger(names[index]).setLevel(level)
    w.note("levels", [logging.getLogger(name).getEffectiveLevel() for name in names])
    w.note("enabled", [[logging.getLogger(name).isEnabledFor(level) for level in (5, 10, 20, 30)] for name in names])
    logging.getLogger("a").level = "text"
    logging.getLogger("a")._cache.clear()
    w.catch(logging.getLogger("a").isEnabledFor, 10)
    w.catch(logging.getLogger("a").getEffectiveLevel)
    logging.getLogger("a").level = 0
