"""Putting femtolog under logging and taking it off: every way in, every way out, and what must not change on the way.

Each test runs its program in a fresh interpreter, since what it looks at is the state of the process.
"""

import importlib.machinery
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap
import zipfile

import pytest

import femtolog
import femtolog_compat


def python(program, *options, env=None, **more):
    """Run a program in a fresh interpreter, without FEMTOLOG unless given, and give back what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    environment |= {"PYTHONWARNINGS": "error", **(env or {})}
    done = subprocess.run(
        # -P: the folder pytest runs in is the source tree, which must not hide the installed package.
        [sys.executable, "-P", *options, "-c", textwrap.dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        **more,
    )
    if done.returncode or done.stderr:
        pytest.fail(f"exit status {done.returncode}\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


# -- importing -----------------------------------------------------------------------------------------------------------


def test_functions_and_classes_of_the_extension_are_made_when_they_are_asked_for():
    out = python(
        """
        import sys, threading
        import femtolog._native as native
        classes = {"FrameReader", "PeerSender", "QueuedRecord", "RecordQueue"}
        assert not {*classes, "bind", "stats"} & set(vars(native)), "made without need"
        assert native.stats is native.stats and native.stats.__module__ == "femtolog._native", native.stats.__module__
        names = list(native.__all__)
        assert len(names) == len(set(names)) and classes < set(names), names
        go, made = threading.Barrier(4), []
        def ask():
            go.wait()
            made.append([getattr(native, name) for name in sorted(classes)])
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({tuple(map(id, four)) for four in made}) == 1, made
        assert [kind.__name__ for kind in made[0]] == sorted(classes)
        assert classes < set(vars(native)) and native.__all__ == names, native.__all__
        assert all(getattr(native, name).__name__ == name for name in names if name != "__version__")
        try:
            native.nothing
        except AttributeError as error:
            print(error)
        """
    )
    assert out == "module 'femtolog._native' has no attribute 'nothing'\n"


def test_importing_femtolog_changes_nothing():
    python(
        """
        import sys
        before = set(sys.modules), list(sys.meta_path), list(sys.path_hooks)
        import femtolog
        assert "logging" not in sys.modules and "typing" not in sys.modules
        assert not femtolog.is_installed()
        new = {name.partition(".")[0] for name in set(sys.modules) - before[0]}
        assert new <= {"femtolog", "femtolog_compat", "types", "_types"}, new
        assert list(sys.meta_path) == before[1] and list(sys.path_hooks) == before[2]
        """
    )


def test_importing_and_installing_takes_two_files_and_the_extension():
    python(
        """
        import sys, femtolog
        femtolog.install()
        ours = {name for name in sys.modules if name.startswith("femtolog")}
        assert ours == {"femtolog", "femtolog._native", "femtolog_compat"}, ours
        """
    )


def test_asking_for_a_name_that_does_not_exist_changes_nothing():
    python(
        """
        import femtolog
        assert not hasattr(femtolog, "no_such_name") and not hasattr(femtolog, "__wrapped__")
        assert not femtolog.is_installed()
        """
    )


@pytest.mark.parametrize(
    "use",
    [
        "import femtolog as logging; logging.getLogger()",
        "from femtolog import getLogger",
        "from femtolog import *",
        "import femtolog; femtolog.raiseExceptions = False",
        "from femtolog.handlers import RotatingFileHandler",
        "import femtolog.config as config; config.dictConfig({'version': 1})",
    ],
)
def test_first_use_of_a_name_installs(use):
    python(
        f"""
        {use}
        import femtolog
        assert femtolog.is_installed()
        assert femtolog._native.is_bound()
        """
    )


def test_the_first_name_used_is_native_too():
    python(
        """
        from femtolog import getLogger, warning
        import femtolog, logging
        assert getLogger is logging.getLogger and warning is logging.warning
        """
    )


def test_first_use_installs_nothing_once_the_program_decides_itself():
    python(
        """
        import femtolog
        femtolog.uninstall()
        assert femtolog.getLogger().name == "root"
        assert not femtolog.is_installed()
        """
    )


# -- names -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", ".handlers", ".config"])
def test_every_name_is_the_stdlibs_own_object(name):
    python(
        f"""
        import importlib
        ours, real = importlib.import_module("femtolog{name}"), importlib.import_module("logging{name}")
        for key, value in vars(real).items():
            if not (key.startswith("__") and key.endswith("__")):
                assert getattr(ours, key) is value, key
        assert set(dir(real)) <= set(dir(ours))
        namespace = {{}}
        exec("from femtolog{name} import *", namespace)
        expected = {{}}
        exec("from logging{name} import *", expected)
        assert namespace.keys() == expected.keys()
        """
    )


def test_names_forward_live_in_both_directions():
    python(
        """
        import logging, femtolog
        assert femtolog.raiseExceptions is True
        logging.raiseExceptions = "read"
        assert femtolog.raiseExceptions == "read"
        femtolog.raiseExceptions = "written"
        assert logging.raiseExceptions == "written"
        assert "raiseExceptions" not in vars(femtolog)
        femtolog.new_name = 1
        assert logging.new_name == 1
        del femtolog.new_name
        assert not hasattr(logging, "new_name") and not hasattr(femtolog, "new_name")
        logging.added_later = 2
        from femtolog import added_later
        assert "added_later" in dir(femtolog)
        """
    )


def test_mock_patches_through_femtolog():
    python(
        """
        import logging, femtolog
        from unittest import mock
        femtolog.install()
        original = logging.getLogger
        with mock.patch("femtolog.getLogger") as patched:
            assert logging.getLogger is patched
        assert logging.getLogger is original and femtolog.getLogger is original
        """
    )


def test_names_of_its_own_that_are_found_when_asked_for():
    python(
        """
        import importlib, sys, femtolog
        from unittest import mock
        assert "femtolog._functions" not in sys.modules and {"explain", "stats", "LogServer"} <= set(dir(femtolog))
        with mock.patch("femtolog.explain") as patched:
            assert femtolog.explain is patched
        from femtolog import _functions, explain
        assert femtolog.explain is explain is _functions.explain
        for _ in range(2):
            femtolog.stats = 7
            assert femtolog.stats == 7
            del femtolog.stats
            for read in (lambda: femtolog.stats, lambda: delattr(femtolog, "stats")):
                try:
                    read()
                except AttributeError:
                    continue
                raise AssertionError("it was deleted")
        femtolog.stats = 8
        importlib.reload(femtolog)
        assert femtolog.stats is _functions.stats
        assert not hasattr(sys.modules.get("logging"), "stats")
        """
    )


def test_one_of_them_that_cannot_be_found():
    python(
        """
        import femtolog
        from femtolog import _functions
        del _functions.doctor
        try:
            femtolog.doctor
        except ImportError as error:
            assert str(error).startswith("femtolog._functions cannot be used: module "), error
        else:
            raise AssertionError("found")
        assert not femtolog.is_installed()
        """
    )


# -- install and uninstall -------------------------------------------------------------------------------------------------


def test_the_import_hook_runs_the_interpreters_own_code():
    python(
        """
        import os, sys, femtolog
        femtolog.install()
        assert "logging" not in sys.modules
        import inspect, importlib.resources, logging, logging.config, logging.handlers, pathlib, pkgutil
        assert femtolog._native.is_bound()
        for module in (logging, logging.handlers, logging.config):
            assert "femtolog" in repr(module.__spec__.loader) and module.__loader__ is module.__spec__.loader
            assert module.__file__ == module.__spec__.origin
            assert os.path.dirname(os.path.dirname(module.__file__)) == os.path.dirname(os.__file__)
            assert os.path.dirname(module.__spec__.cached).endswith("__pycache__")
            assert inspect.getsource(module) == pathlib.Path(module.__file__).read_text(encoding="utf-8")
        assert inspect.getsource(logging.Logger).startswith("class Logger(")
        assert {item.name for item in pkgutil.iter_modules(logging.__path__)} >= {"config", "handlers"}
        assert importlib.resources.files("logging").joinpath("config.py").is_file()
        assert pkgutil.get_data("logging", "config.py").startswith(b"#")
        """
    )


def test_installing_in_place_touches_no_object():
    python(
        """
        import gc, io, logging, logging.handlers
        logger, stream = logging.getLogger("made.before"), io.StringIO()
        handler = logging.StreamHandler(stream)
        logger.addHandler(handler)
        dicts = dict(vars(logger)), dict(vars(handler))
        import femtolog
        femtolog.install()
        assert (dict(vars(logger)), dict(vars(handler))) == dicts
        assert "femtolog" not in repr(logging.__spec__.loader)
        femtolog.reset_stats()
        logger.warning("%s", "hello")
        assert stream.getvalue() == "hello\\n"
        stats = femtolog.stats()
        assert stats["native"] and not stats["reference"], stats
        """
    )


def test_handlers_imported_after_installing_in_place_are_bound():
    python(
        """
        import logging, femtolog
        femtolog.install()
        import logging.handlers
        assert "femtolog" in repr(logging.handlers.__spec__.loader)
        """
    )


SNAPSHOT = """
import logging, logging.config, logging.handlers, sys

def snapshot():
    seen = {}
    for module in (logging, logging.handlers, logging.config):
        for name, value in vars(module).items():
            if name in ("__builtins__", "__warningregistry__"):
                continue
            seen[module.__name__, name] = id(value)
            if isinstance(value, type) and value.__module__ == module.__name__:
                for key, attribute in vars(value).items():
                    if key not in ("__dict__", "__weakref__"):
                        seen[module.__name__, name, key] = id(attribute)
        seen[module.__name__, "loader"] = repr(module.__spec__.loader)
    seen["finders"] = [id(finder) for finder in sys.meta_path]
    return seen
"""


@pytest.mark.parametrize("times", [1, 3])
def test_uninstall_puts_every_attribute_back(times):
    python(
        SNAPSHOT
        + textwrap.dedent(
            f"""
            before = snapshot()
            import femtolog
            for _ in range({times}):
                femtolog.install()
                femtolog.install()
                assert femtolog.is_installed()
                logging.getLogger("x").debug("x")
                femtolog.uninstall()
                femtolog.uninstall()
                assert not femtolog.is_installed() and not femtolog._native.is_bound()
                assert snapshot() == before
            femtolog.reset_stats()
            import io
            logging.basicConfig(stream=io.StringIO(), level=logging.DEBUG)
            logging.info("by the interpreter's own code")
            assert not femtolog.stats()["native"]
            """
        )
    )


def test_uninstall_after_the_import_hook_gives_back_the_interpreters_loader():
    python(
        """
        import sys, femtolog
        finders = list(sys.meta_path)
        femtolog.install()
        import logging, logging.config, logging.handlers
        from importlib.machinery import SourceFileLoader
        femtolog.uninstall()
        for module in (logging, logging.config, logging.handlers):
            assert type(module.__spec__.loader) is SourceFileLoader and module.__loader__ is module.__spec__.loader
        assert sys.meta_path == finders
        """
    )


def test_a_method_patched_before_is_left_in_place():
    python(
        """
        import io, logging
        original, calls = logging.Logger.callHandlers, []
        def callHandlers(self, record):
            calls.append(record.getMessage())
            return original(self, record)
        logging.Logger.callHandlers = callHandlers
        import femtolog
        femtolog.install()
        assert logging.Logger.callHandlers is callHandlers
        stream = io.StringIO()
        logging.basicConfig(stream=stream, format="%(message)s")
        logging.warning("seen %d", 1)
        assert calls == ["seen 1"] and stream.getvalue() == "seen 1\\n"
        femtolog.uninstall()
        assert logging.Logger.callHandlers is callHandlers
        logging.warning("seen %d", 2)
        assert calls == ["seen 1", "seen 2"]
        """
    )


def test_a_method_patched_over_ours_stays_and_works_after_uninstall():
    python(
        """
        import io, logging, femtolog
        femtolog.install()
        inner, calls = logging.Handler.handle, []
        def handle(self, record):
            calls.append(record.getMessage())
            return inner(self, record)
        logging.Handler.handle = handle
        stream = io.StringIO()
        logging.basicConfig(stream=stream, format="%(message)s")
        logging.warning("one")
        femtolog.uninstall()
        assert logging.Handler.handle is handle
        logging.warning("two")
        assert calls == ["one", "two"] and stream.getvalue() == "one\\ntwo\\n"
        """
    )


def test_installing_from_many_threads_installs_once():
    python(
        """
        import sys, threading
        sys.setswitchinterval(1e-6)
        import femtolog
        for _ in range(50):
            barrier = threading.Barrier(8)
            def race(number):
                barrier.wait()
                if number % 2:
                    femtolog.install()
                else:
                    import logging.handlers
                    femtolog.install()
            threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert sum("femtolog" in repr(finder) for finder in sys.meta_path) == 1
            assert femtolog._native.is_bound()
            femtolog.uninstall()
            assert not femtolog._native.is_bound()
        """
    )


def test_installing_waits_for_a_module_that_another_thread_is_importing():
    # Its finders were asked before ours was there, so nobody would bind it.
    python(
        """
        import logging, sys, threading, time, femtolog

        found, going_on = threading.Event(), threading.Event()

        class Slow:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "logging.handlers":
                    found.set()
                    assert going_on.wait(60)

        sys.meta_path.insert(0, Slow)
        importing = threading.Thread(target=__import__, args=("logging.handlers",), daemon=True)
        importing.start()
        assert found.wait(60)
        installing = threading.Thread(target=femtolog.install)
        installing.start()
        while not femtolog.is_installed():  # the finder is there, the waiting begins
            time.sleep(0.001)
        installing.join(0.05)
        assert installing.is_alive()
        going_on.set()
        importing.join(60)
        installing.join(60)
        assert not installing.is_alive()

        import logging.handlers
        records = []

        class Target(logging.Handler):
            def emit(self, record):
                records.append(record.getMessage())

        log = logging.getLogger("app")
        log.addHandler(logging.handlers.MemoryHandler(1, target=Target()))
        log.warning("one")
        assert records == ["one"]
        assert femtolog.stats()["emits"] == 1, femtolog.stats()
        """
    )


def test_reload_binds_the_new_classes():
    python(
        """
        import importlib, io, femtolog
        femtolog.install()
        import logging
        old = logging.Logger
        importlib.reload(logging)
        assert logging.Logger is not old
        stream = io.StringIO()
        logging.basicConfig(stream=stream, format="%(message)s")
        femtolog.reset_stats()
        logging.warning("again")
        assert stream.getvalue() == "again\\n"
        assert femtolog.stats()["emits"] == 1
        femtolog.uninstall()
        assert type(vars(old)["info"]) is type(vars(logging.Logger)["info"]) is type(lambda: None)
        """
    )


def test_another_module_in_loggings_place_is_refused():
    python(
        """
        import importlib, logging, sys, femtolog
        with femtolog.installed():
            pass
        del sys.modules["logging"]
        import logging
        try:
            femtolog.install()
        except ImportError as error:
            assert "another module" in str(error), error
        else:
            raise AssertionError("bound a second logging")
        assert not femtolog.is_installed()
        """
    )


def test_a_fresh_copy_of_logging_leaves_the_processs_own_bound():
    python(
        """
        import logging, logging.handlers, sys, femtolog
        femtolog.install()
        own = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "logging"}
        import logging as copy, logging.handlers
        assert copy is not own["logging"]
        copy.getLogger().addHandler(copy.NullHandler())
        copy.warning("by the copy's own code")
        sys.modules.update(own)
        import logging
        femtolog.reset_stats()
        logging.getLogger().addHandler(logging.NullHandler())
        logging.warning("natively")
        assert femtolog.stats()["native"] == 1
        assert femtolog.getLogger is logging.getLogger
        """
    )


# -- the context manager ---------------------------------------------------------------------------------------------------


def test_the_context_manager_installs_for_the_block():
    python(
        """
        import logging, femtolog
        with femtolog.installed():
            assert femtolog.is_installed()
            with femtolog.installed():
                pass
            assert femtolog.is_installed()
        assert not femtolog.is_installed()
        try:
            with femtolog.installed():
                1 / 0
        except ZeroDivisionError:
            pass
        assert not femtolog.is_installed()
        """
    )


def test_the_context_manager_leaves_what_was_installed():
    python(
        """
        import femtolog
        femtolog.install()
        with femtolog.installed():
            pass
        assert femtolog.is_installed()
        femtolog.uninstall()
        with femtolog.installed():
            femtolog.install()
        assert femtolog.is_installed()
        """
    )


def test_uninstall_inside_a_block_takes_effect_at_once():
    python(
        """
        import femtolog
        with femtolog.installed():
            femtolog.uninstall()
            assert not femtolog.is_installed()
            femtolog.install()
        assert femtolog.is_installed()
        """
    )


def test_blocks_of_several_threads_overlap():
    python(
        """
        import femtolog
        a, b = femtolog.installed(), femtolog.installed()
        a.__enter__()
        b.__enter__()
        a.__exit__(None, None, None)
        assert femtolog.is_installed()
        b.__exit__(None, None, None)
        assert not femtolog.is_installed()
        """
    )


# -- other finders ---------------------------------------------------------------------------------------------------------


def test_other_imports_and_finders_are_not_disturbed():
    python(
        """
        import sys, femtolog
        asked = []
        class Asks:
            def find_spec(self, name, path=None, target=None):
                asked.append(name)
        sys.meta_path.insert(0, Asks())
        femtolog.install()
        import logging.handlers, colorsys
        assert type(colorsys.__spec__.loader).__name__ == "SourceFileLoader"
        assert asked.count("logging") == asked.count("logging.handlers") == asked.count("colorsys") == 1
        """
    )


def test_a_finder_that_asks_all_finders_again_gets_an_answer():
    python(
        """
        import importlib.util, sys
        class Chained:
            busy = False
            def find_spec(self, name, path=None, target=None):
                if name != "logging" or self.busy:
                    return None
                self.busy = True
                try:
                    return importlib.util.find_spec(name)
                finally:
                    self.busy = False
        import femtolog
        sys.meta_path.insert(0, Chained())
        femtolog.install()
        import logging
        assert femtolog._native.is_bound() and "femtolog" in repr(logging.__spec__.loader)
        """
    )


def test_a_programs_own_module_called_logging_is_its_own(tmp_path):
    (tmp_path / "logging.py").write_text("mine = True\n")
    python(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import femtolog
        femtolog.install()
        import logging
        assert logging.mine and "femtolog" not in repr(logging.__spec__.loader)
        """
    )
    python(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import logging, femtolog
        try:
            femtolog.install()
        except ImportError as error:
            assert "not the interpreter's" in str(error), error
        else:
            raise AssertionError("installed over a program's own module")
        assert not femtolog.is_installed()
        """
    )


def test_a_standard_library_in_an_archive(tmp_path):
    """As embedded distributions have it: `zipimport` finds and runs logging, and answers for its source."""
    library = pathlib.Path(os.__file__).parent
    with zipfile.ZipFile(tmp_path / "library.zip", "w") as archive:
        for file in [library / "os.py", *(library / "logging").glob("*.py")]:
            archive.write(file, file.relative_to(library))
    python(
        f"""
        import os, sys, femtolog
        library = {str(tmp_path / "library.zip")!r}
        sys.path.insert(0, library)
        os.__file__ = os.path.join(library, "os.py")
        femtolog.install()
        import inspect, io, logging, logging.handlers, pkgutil
        for module in (logging, logging.handlers):
            assert module.__file__.startswith(library) and type(module.__spec__.loader.original).__name__ == "zipimporter"
        assert inspect.getsource(logging.Logger).startswith("class Logger(")
        assert pkgutil.get_data("logging", "config.py").startswith(b"#")
        assert {{item.name for item in pkgutil.iter_modules(logging.__path__)}} == {{"config", "handlers"}}
        stream = io.StringIO()
        logging.basicConfig(stream=stream, format="%(filename)s %(message)s")
        femtolog.reset_stats()
        logging.warning("from %s", "here")
        assert stream.getvalue() == "<string> from here\\n"
        assert femtolog.stats()["native"] == 1
        """
    )


def test_reloading_and_inspecting_femtolog_itself():
    python(
        """
        import importlib, inspect, logging, pydoc, warnings, femtolog, femtolog.handlers
        importlib.reload(femtolog)
        importlib.reload(femtolog.handlers)
        assert femtolog.getLogger is logging.getLogger and femtolog.handlers.MemoryHandler is logging.handlers.MemoryHandler
        warnings.simplefilter("ignore", DeprecationWarning)  # pydoc asks for __date__, which 3.15's logging deprecates
        members = dict(inspect.getmembers(femtolog))
        assert members["Logger"] is logging.Logger and members["install"] is femtolog.install
        assert "Python's `logging`, executed by Rust" in pydoc.render_doc(femtolog)
        assert inspect.getsource(femtolog).startswith(chr(34) * 3)
        """
    )


# -- where it cannot be installed ------------------------------------------------------------------------------------------


@pytest.fixture
def without_extension(tmp_path):
    """A copy of both packages on a path of its own, without the extension module."""
    for package in (femtolog, femtolog_compat):
        source = pathlib.Path(package.__file__).parent
        shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("_native.*.so", "*.pyd", "__pycache__"))
    return tmp_path


REFUSED = """
try:
    import femtolog
except ImportError as error:
    print(error.name, str(error), sep="|")
import logging
logging.getLogger().addHandler(logging.NullHandler())
logging.warning("the interpreter's own logging works on")
"""


def refusal(program, path):
    """What the one ImportError says."""
    name, text = python(program, env={"PYTHONPATH": str(path)}).strip().split("|")
    assert "\n" not in text
    return name, text


def test_a_missing_extension_is_told(without_extension):
    name, text = refusal(REFUSED, without_extension)
    assert name == "femtolog._native"
    assert text.startswith("femtolog has no extension module for cpython 3.")
    assert "reinstall" in text


def test_an_extension_that_does_not_load_is_told(without_extension):
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    (without_extension / "femtolog" / f"_native{suffix}").write_bytes(b"no shared object")
    name, text = refusal(REFUSED, without_extension)
    assert name == "femtolog._native"
    assert text.startswith("femtolog's extension module does not load on cpython 3.")


@pytest.mark.parametrize(
    ("pretend", "what"),
    [
        ("sys.version_info = (3, 10, 13, 'final', 0)", "this is cpython 3.10"),
        ("sys.implementation = types.SimpleNamespace(name='pypy', cache_tag='pypy311')", "this is pypy 3."),
    ],
)
def test_an_interpreter_that_is_not_supported_is_told(pretend, what):
    path = pathlib.Path(femtolog.__file__).parent.parent, pathlib.Path(femtolog_compat.__file__).parent.parent
    name, text = refusal(
        f"import sys, types\nkept = sys.version_info, sys.implementation\n{pretend}\n{RESTORING}", ":".join(map(str, path))
    )
    assert name == "femtolog"
    assert text.startswith("femtolog needs CPython 3.11 or newer, ")
    assert what in text


RESTORING = REFUSED.replace("import logging\n", "sys.version_info, sys.implementation = kept\nimport logging\n")


def test_a_reload_of_the_package_keeps_what_was_asked_for():
    python("""
        import importlib, logging, sys
        import femtolog, femtolog_compat
        femtolog.install()
        importlib.reload(femtolog_compat)
        assert femtolog.is_installed() and femtolog_compat.is_installed()
        femtolog_compat.install()
        finders = [finder for finder in sys.meta_path if "femtolog" in repr(finder)]
        assert len(finders) == 1, sys.meta_path
        import logging.handlers
        femtolog_compat.uninstall()
        assert not femtolog.is_installed()
        assert not [finder for finder in sys.meta_path if "femtolog" in repr(finder)], sys.meta_path
        assert "femtolog" not in repr(logging.handlers.__spec__.loader), logging.handlers.__spec__
    """)
