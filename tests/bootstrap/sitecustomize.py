"""Runs at the start of every program of tests/stress and tests/ecosystem (first on PYTHONPATH).

Installs femtolog the way FEMTOLOG_TEST_WAY says, before a line of the program has run, so that no frame of
the test machinery is on the program's stack. Does nothing in a process that the tests did not start.
"""

import os
import sys


def install():
    # site only prints what goes wrong here; a test must not go on without femtolog.
    try:
        import install_femtolog_now  # noqa: F401
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(96)


way = os.environ.get("FEMTOLOG_TEST_WAY")

if os.environ.get("FEMTOLOG_TEST_PROCESS") == str(os.getpid()):
    way = None  # a sub-interpreter: its program says itself what happens there
os.environ["FEMTOLOG_TEST_PROCESS"] = str(os.getpid())

if way:
    # A program that hangs is asked where. No watchdog inside: in a process of one thread some things are done in another way.
    import _signal
    import faulthandler

    faulthandler.register(_signal.SIGQUIT)

if way == "early":
    if "logging" in sys.modules:
        sys.stderr.write("bootstrap: logging was imported before site; an early install is impossible\n")
        os._exit(97)
    install()
elif way == "late":
    install()

if os.environ.get("FEMTOLOG_TEST_PTH"):
    # The inert .pth of a source tree, where nothing is installed: site reads it from this folder only if asked.
    import site

    site.addsitedir(os.environ["FEMTOLOG_TEST_PTH"])
