"""femtolog.doctor() and `python -m femtolog doctor`: what runs natively, what does not, and why."""

import json
import sys
import textwrap

import pytest
from startup import broken_environment, make_environment, run

PROGRAM = """
import logging, logging.handlers, sys

class Own(logging.Formatter):
    def formatTime(self, record, datefmt=None):
        return "now"

class Listed(logging.Handler):
    def emit(self, record):
        pass

def only_new(record):
    return True

logging.basicConfig(stream=sys.stdout, format="%(message)s")
app = logging.getLogger("app")
listed = Listed()
listed.addFilter(only_new)
app.addHandler(listed)
own = logging.StreamHandler(sys.stdout)
own.setFormatter(Own("%(asctime)s %(message)s"))
own.format = lambda record: logging.Handler.format(own, record)
app.addHandler(own)
app.addHandler(logging.handlers.DatagramHandler("127.0.0.1", 9))
plain = logging.getLogger("plain")

def patched(self, record, original=logging.Logger.callHandlers):
    return original(self, record)
patched.__module__ = "tracer.hooks"
logging.Logger.callHandlers = patched
app.handlers.pop()
"""


def python(program, *options, env=None):
    done = run(sys.executable, "-P", *options, "-c", textwrap.dedent(program), env=env)
    assert done.returncode == 0, done.stderr
    return done


TOLD = textwrap.dedent(PROGRAM) + textwrap.dedent("""
    import femtolog
    MARK
    app.warning("one")
    plain.warning("two")
    diagnosis = femtolog.doctor()
    import json
    json.dumps(diagnosis.data)
    print(*diagnosis, sep="\\n")
    """)


def test_each_object_with_its_reasons():
    told = python(TOLD.replace("MARK", "femtolog.install()")).stdout.splitlines()
    assert [
        line for line in told if line.startswith("Installed by femtolog.install() in <string>, line 34, when logging had been")
    ]
    where = "of logger 'app'"
    expected = [
        "tracer patched Logger.callHandlers (tracer.hooks.patched): that step is its code; what is around it stays native.",
        "3 of 3 loggers take the general path (the root logger, logger 'app', logger 'plain'): tracer patched Logger.callHandlers.",
        (
            f"Filter __main__.only_new of <Listed (NOTSET)> {where} takes the general path: __main__.only_new is Python code: "
            "it is called with a LogRecord for each record that comes so far."
        ),
        "Handler <StreamHandler <stdout> (NOTSET)> of the root logger runs natively.",
        f"Handler <Listed (NOTSET)> {where} takes the general path: __main__.Listed overrides emit().",
        f"Handler <StreamHandler <stdout> (NOTSET)> {where} takes the general path: format() is set on the instance: __main__.<lambda>.",
        f"Formatter __main__.Own of <StreamHandler <stdout> (NOTSET)> {where} takes the general path: __main__.Own overrides formatTime().",
        "Formatter Formatter of <StreamHandler <stdout> (NOTSET)> of the root logger runs natively.",
        "Handler logging.lastResort runs natively.",
    ]
    missing = [line for line in expected if line not in told]
    assert not missing, "\n".join([*missing, "---", *told])
    assert [line for line in told if line.startswith("2 records were made natively")]


def test_a_handler_without_a_native_form():
    told = python(
        """
        import logging.handlers, femtolog
        femtolog.install()
        logging.getLogger("far").addHandler(logging.handlers.DatagramHandler("127.0.0.1", 9))
        print(*femtolog.doctor(), sep="\\n")
        """
    ).stdout
    assert "takes the general path: DatagramHandler has no native form" in told or (
        "takes the general path: SocketHandler.emit has no native form; the standard library's own code runs." in told
    )
    assert "Nothing has run natively yet.\n" in told


def test_whose_a_wrapper_is_that_passes_for_what_it_wraps():
    told = python(
        """
        import logging, femtolog

        class FunctionWrapper:
            # As wrapt's: every attribute is that of the wrapped function.
            def __init__(self, wrapped, wrapper):
                self._self_wrapped, self._self_wrapper = wrapped, wrapper
                self.__module__, self.__qualname__ = 'logging', wrapped.__qualname__
            def __get__(self, instance, owner=None):
                return self._self_wrapped.__get__(instance, owner)

        def inject(wrapped, instance, args, kwargs): ...
        inject.__module__ = "tracer.logs"
        logging.Logger.makeRecord = FunctionWrapper(logging.Logger.makeRecord, inject)
        femtolog.install()
        print(*femtolog.doctor(), sep="\\n")
        """
    ).stdout
    assert "tracer patched Logger.makeRecord (tracer.logs.inject): that step is its code" in told
    assert "The root logger takes the general path: tracer patched Logger.makeRecord.\n" in told


@pytest.mark.skipif(sys.version_info < (3, 12), reason="on 3.11 a method of logging that is bound has no code to exchange")
def test_exchanged_code_is_told():
    told = python(
        """
        import logging, femtolog
        femtolog.install()
        logging.Handler.handle.__code__ = (lambda self, record: True).__code__
        print(*femtolog.doctor(), sep="\\n")
        """
    ).stdout
    assert "exchanged the code of Handler.handle (<string>, line 4)" in told


def test_not_installed_and_nothing_imported():
    told = python("import femtolog; print(*femtolog.doctor(), sep='\\n')").stdout
    assert "Not installed: logging is run by the standard library's own code.\nNothing has imported logging yet.\n" in told
    told = python(TOLD.replace("MARK", "pass")).stdout
    assert "tracer patched Logger.callHandlers" in told
    assert "runs natively" not in told


def test_the_public_api_is_told_with_its_reason():
    told = python("import femtolog; print(*femtolog.doctor(), sep='\\n')", env={"FEMTOLOG_RAW": "0"}).stdout
    assert "Interpreter structures are read by the public API, which is slower (FEMTOLOG_RAW=0)." in told


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return make_environment(tmp_path_factory.mktemp("environment"))


def test_the_command_reports_on_a_program_and_leaves_it_alone(environment, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(PROGRAM)
        + "import os; app.warning('one %s', sys.argv[1:]); print(os.environ['FEMTOLOG'], *[n for n in os.environ if 'DOCTOR' in n]); sys.exit(3)\n"
    )
    done = run(environment, "-m", "femtolog", "doctor", program, "--json")
    assert done.returncode == 3
    assert done.stdout == "now one ['--json']\none ['--json']\n1\n"
    told = done.stderr.splitlines()
    assert "Installed by FEMTOLOG=doctor at start-up, before logging was imported." in told
    assert [line for line in told if line.endswith("logger 'plain'): tracer patched Logger.callHandlers.")]
    report = tmp_path / "report.json"
    done = run(environment, "-m", "femtolog", "doctor", "--json", "--output", report, program)
    assert (done.returncode, done.stderr) == (3, "")
    data = json.loads(report.read_text())
    assert data["patched"] == [{"name": "Logger.callHandlers", "by": "tracer", "how": "patched", "what": "tracer.hooks.patched"}]
    assert data["stats"]["native"] == 1
    assert {one["kind"] for one in data["objects"]} == {"logger", "filter", "handler", "formatter"}
    assert data["installed"] and data["reads"] in ("raw", "parallel", "public") and data["error"] is None


def test_the_command_says_why_a_line_does_not_appear(environment, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import logging, logging.config\n"
        "for name in ('lost', 'lost.too', 'shop'): logging.getLogger(name)\n"
        "logging.config.dictConfig({'version': 1, 'loggers': {'shop': {'level': 'ERROR'}}})\n"
    )
    done = run(
        environment,
        "-m",
        "femtolog",
        "doctor",
        "--explain",
        "lost",
        "--explain",
        "shop=warning",
        "--explain",
        "shop=bad",
        program,
    )
    told = done.stderr.splitlines()
    place = f"by dictConfig() in {program}, line 3, in <module>, at "
    assert [line for line in told if line.startswith(f"2 loggers ('lost', 'lost.too') are disabled {place}")]
    at = told.index("A line of logger 'lost' and level INFO:")
    assert told[at + 1].startswith(f"  Logger 'lost' is disabled {place}")
    assert told[at + 2 :] == [
        "  So it is not logged.",
        "A line of logger 'shop' and level WARNING:",
        "  Logger 'shop' has level ERROR (40): WARNING (30) is below it.",
        "  So it is not logged.",
        "shop=bad: Unknown level: 'BAD'",
    ]
    done = run(environment, "-m", "femtolog", "doctor", "--json", "--explain", "shop=45", program)
    data = json.loads(done.stderr)
    assert [one["name"] for one in data["disabled"]] == ["lost", "lost.too"]
    assert data["disabled"][0]["by"]["line"] == 3
    assert data["explained"][0]["logged"] is True
    done = run(environment, "-m", "femtolog", "doctor", "--explain")
    assert done.returncode == 1 and "--explain wants a value" in done.stderr


def test_the_command_where_the_start_up_file_does_not_work(environment, tmp_path):
    [site] = environment.parent.parent.glob("lib/python3.*/site-packages")
    program = tmp_path / "program.py"
    program.write_text("import logging; logging.warning('one'); raise SystemExit(4)")
    done = run(environment, "-S", "-m", "femtolog", "doctor", program, env={"PYTHONPATH": str(site)})
    assert done.returncode == 4
    assert done.stderr.startswith("WARNING:root:one\nfemtolog ")
    assert "FEMTOLOG=1 has no effect here" in done.stderr
    assert "1 records were made natively" in done.stderr


def test_the_command_alone_reports_on_the_interpreter(environment, tmp_path_factory):
    done = run(environment, "-m", "femtolog", "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("femtolog ")
    broken = broken_environment(tmp_path_factory.mktemp("broken"))
    done = run(broken, "-m", "femtolog_compat", "doctor", env={"FEMTOLOG_FALLBACK": "1"})
    assert done.returncode == 1
    assert "The native tier cannot run: femtolog's extension module does not load on" in done.stdout
