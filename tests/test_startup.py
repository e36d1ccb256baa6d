"""FEMTOLOG=1 and the start-up file: what it installs, in which children, what it costs when unset, and that it breaks nothing."""

import pathlib
import sys
import textwrap

import pytest
from startup import make_environment, native, run

SHOW = "import logging; print('femtolog' in repr(logging.__spec__.loader))"


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return make_environment(tmp_path_factory.mktemp("environment"))


@pytest.mark.parametrize("value", ["1", "yes", "true", "on"])
def test_set_means_installed_before_the_first_line(python, value):
    done = run(python, "-c", SHOW, env={"FEMTOLOG": value})
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.parametrize("value", [None, "", "0", "no", "false", "OFF"])
def test_unset_or_off_means_not_installed(python, value):
    done = run(python, "-c", SHOW, env={} if value is None else {"FEMTOLOG": value})
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize("options", [["-I"], ["-E"], ["-s"], ["-P"], ["-B"], ["-X", "dev"], ["-W", "error"], ["-O"]])
def test_options_of_the_interpreter_do_not_matter(python, options):
    assert native(python, SHOW, *options) == "True\n"


def test_without_site_there_is_no_start_up_file(python):
    assert native(python, SHOW, "-S") == "False\n"


def test_nothing_is_imported_when_unset(python):
    done = run(python, "-c", "import sys; print([name for name in sys.modules if 'femtolog' in name or name == 'logging'])")
    assert done.stdout == "[]\n"


def test_logging_is_not_imported_when_set(python):
    assert native(python, "import sys; print('logging' in sys.modules)") == "False\n"


def test_the_start_up_file_is_one_line_that_touches_nothing_when_unset(python):
    """No import, no file, no process: what it then costs, benches/install.py measures."""
    [file] = pathlib.Path(python).parent.parent.glob("lib/python3.*/site-packages/femtolog.pth")
    line = file.read_text()
    assert line.count("\n") == 1
    watched = f"""
        import sys
        line = compile({line!r}, "femtolog.pth", "exec")
        before, events = set(sys.modules), []
        sys.addaudithook(lambda event, args: events.append(event))
        exec(line)
        print(*events, *set(sys.modules) - before)
    """
    assert run(python, "-c", textwrap.dedent(watched)).stdout == "exec\n"


def test_trouble_at_start_up_is_one_line_and_the_program_runs(python, tmp_path):
    (tmp_path / "femtolog").mkdir()
    (tmp_path / "femtolog" / "__init__.py").write_text("raise ImportError('made by the test')\n")
    done = run(python, "-c", SHOW, env={"FEMTOLOG": "1", "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0
    assert done.stdout == "False\n"
    assert done.stderr.startswith("femtolog: not installed at start-up: ")
    assert done.stderr.count("\n") == 1


PROGRAM = """
import multiprocessing, sys

def child(queue):
    import io, logging, femtolog
    assert "femtolog" in repr(logging.__spec__.loader) or METHOD == "fork", logging.__spec__.loader
    logging.getLogger().addHandler(logging.StreamHandler(io.StringIO()))
    femtolog.reset_stats()
    logging.warning("from the child")
    stats = femtolog.stats()
    queue.put((femtolog.is_installed(), stats["native"], stats["reference"]))

METHOD = sys.argv[1]
if __name__ == "__main__":
    context = multiprocessing.get_context(METHOD)
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    installed, natively, reference = queue.get(timeout=60)
    process.join()
    assert installed and natively == 1 and reference == {}, (installed, natively, reference)
    print("native")
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_are_native(python, tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = run(python, program, method, env={"FEMTOLOG": "1"})
    assert (done.stdout, done.stderr) == ("native\n", "")


def test_children_started_with_c_are_native(python):
    program = f"""
    import subprocess, sys
    print(subprocess.run([sys.executable, "-c", {SHOW!r}], capture_output=True, text=True, check=True).stdout, end="")
    """
    assert native(python, program) == "True\n"


def test_children_of_a_process_pool_are_native(python, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import concurrent.futures, multiprocessing

            def ask():
                import femtolog
                return femtolog.is_installed()

            if __name__ == "__main__":
                context = multiprocessing.get_context("spawn")
                with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
                    print(pool.submit(ask).result(60))
            """
        )
    )
    done = run(python, program, env={"FEMTOLOG": "1"})
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.skipif(sys.version_info < (3, 13), reason="_interpreters has this API from 3.13 on")
def test_a_sub_interpreter_keeps_the_interpreters_logging_or_is_native(python):
    inside = """
    import logging
    try:
        import femtolog
    except ImportError as error:
        assert "femtolog's extension module does not load" in str(error), error
    logging.getLogger().addHandler(logging.NullHandler())
    logging.warning("works")
    """
    program = f"""
    import _interpreters, logging
    interpreter = _interpreters.create()
    failed = _interpreters.run_string(interpreter, {textwrap.dedent(inside)!r})
    assert failed is None, failed
    _interpreters.destroy(interpreter)
    print("ok")
    """
    done = run(python, "-c", textwrap.dedent(program), env={"FEMTOLOG": "1"})
    assert done.stdout == "ok\n", done.stderr
    assert all(line.startswith("femtolog: not installed at start-up: ") for line in done.stderr.splitlines())
