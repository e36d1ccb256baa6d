"""Sub-interpreters: logging works in one, or importing femtolog there is one clear ImportError."""

import pytest

START = """
    import logging, sys, textwrap
    try:
        import concurrent.interpreters as interpreters          # 3.14+
    except ImportError:
        interpreters = None
    if interpreters is None:
        try:
            import _interpreters as low                         # 3.13
        except ImportError:
            import _xxsubinterpreters as low                    # 3.11, 3.12
    def execute(code):
        code = textwrap.dedent(code)
        if interpreters is not None:
            interpreter = interpreters.create()
            interpreter.exec(code)
            interpreter.close()
            return
        try:
            made = low.create(**CONFIG)
        except TypeError:
            made = low.create()
        try:
            failed = low.run_string(made, code)     # 3.13 returns what happened, before it raises
            if failed is not None:
                raise RuntimeError(failed)
        finally:
            low.destroy(made)
"""


@pytest.mark.parametrize("isolated", [True, False])
def test_logging_in_a_subinterpreter(run, isolated):
    run(
        f"    CONFIG = dict(isolated={isolated})\n"
        + START
        + """
    log = logging.getLogger("l")
    log.setLevel(10)
    log.addHandler(logging.FileHandler("app.log"))
    log.info("main before")
    for n in range(5):
        execute('''
            import logging
            log = logging.getLogger("sub")
            log.setLevel(10)
            handler = logging.FileHandler("sub.log")
            handler.setFormatter(logging.Formatter("%(levelname)s %(funcName)s %(message)s"))
            log.addHandler(handler)
            def work():
                log.info("%d %s", 3, "x", extra={"a": 1})
                try:
                    1 / 0
                except ZeroDivisionError:
                    log.exception("failed")
            work()
            assert not logging.getLogger("l").handlers   # a tree of its own
            logging.shutdown()
        ''')
        log.info("main after %d", n)
    """,
        files=("app.log", "sub.log"),
    )


@pytest.mark.parametrize("isolated", [True, False])
def test_femtolog_in_a_subinterpreter_works_or_says_no(run, isolated):
    if run.way == "stdlib":
        pytest.skip("nothing to install on the stdlib")
    outcome = run(
        f"    CONFIG = dict(isolated={isolated})\n"
        + START
        + """
    logging.warning("main before")
    for n in range(3):
        execute('''
            import os, sys
            try:
                import femtolog
                femtolog.install()
            except ImportError as exc:
                text = "ImportError: " + str(exc)
            else:
                text = "works"
            import logging
            logging.basicConfig(filename="sub.log", format="%(message)s")
            logging.warning("in sub %d", 3)
            with open("answers", "a") as file:
                file.write(text + chr(10))
        ''')
    logging.warning("main after")
    """,
        files=("answers", "sub.log"),
        compare=False,
    )
    answers = set(outcome.files["answers"].splitlines())
    assert len(answers) == 1, answers
    (answer,) = answers
    assert answer == "works" or (answer.startswith("ImportError: ") and "interpreter" in answer), answer
    assert outcome.files["sub.log"] == "in sub 3\n" * 3
    assert outcome.stderr == "WARNING:root:main before\nWARNING:root:main after\n"
