"""`python -m femtolog` and `femtolog-run`: start a program as `python` itself starts it, with femtolog under its logging.

Where `femtolog.pth` works, the interpreter is replaced by itself with FEMTOLOG=1 and the rest of the command line: then it
is `python` that runs the program, and not one frame, argument or path differs. Where it does not (a source tree on
PYTHONPATH, `pip install --target`, an embedded interpreter) the program is run in this process.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType, TracebackType
    from typing import NoReturn

USAGE = """\
usage: python -m femtolog [option] ... [-c cmd | -m mod | file] [arg] ...
       python -m femtolog shadow [-h] ...    compare with the standard library while the program runs
       python -m femtolog doctor [-h] ...    say what runs natively and why the rest does not
       python -m femtolog lint [-h] ...      find logging calls that are wrong or wasteful
       python -m femtolog migrate [-h] ...   rewrite picologging, loguru and structlog
       python -m femtolog serve [-h] ...     take records from other processes
       python -m femtolog recover [-h] ...   print what a black box holds
       python -m femtolog verify [-h] ...    say which numbered records are missing
       femtolog-run ...                      the same

Runs the program as `python` would, its logging executed by femtolog; its child processes too (FEMTOLOG=1 is set).
Options are those of `python`.
"""

COMMANDS = {
    "shadow": "femtolog._shadow",
    "doctor": "femtolog._doctor",
    "lint": "femtolog._lint",
    "migrate": "femtolog._migrate",
    "serve": "femtolog._serve",
    "recover": "femtolog.blackbox",
    "verify": "femtolog.delivery",
}
"""First words that are no program's name (a file of that name is `./shadow`), and the modules whose main() they are."""


def main() -> None:
    """Run the program that sys.argv names. Exits as the program does; without a program, with a usage message and 2."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(USAGE)
        sys.exit(0 if arguments else 2)
    from femtolog_compat import install_at_start_up, is_installed

    try:
        if arguments[0] in COMMANDS:
            import importlib

            command_main = importlib.import_module(COMMANDS[arguments[0]]).main
        else:
            install_at_start_up("the command line")
    except ImportError as error:
        sys.exit(str(error))
    if arguments[0] in COMMANDS:
        command_main(arguments[1:])
        return
    if is_installed():
        os.environ["FEMTOLOG"] = "1"
    else:
        os.environ.pop("FEMTOLOG", None)  # FEMTOLOG_FALLBACK, and its warning has been given
    run_program(arguments)


def run_program(arguments: list[str]) -> None:
    """Let this process become the program; what FEMTOLOG says is done before its first line, here or there."""
    if sys.executable and startup_file_works():
        _run_by_replacing_this_process(arguments)
    import femtolog_compat.startup  # noqa: F401 - does what FEMTOLOG says

    _run_in_this_process(arguments)


def command(arguments: list[str]) -> list[str]:
    """The command line of a child process that is the program."""
    options = interpreter_options(sys.orig_argv, sys.argv[1:])
    if startup_file_works():
        return [sys.executable, *options, *arguments]
    return [sys.executable, *options, "-c", "from femtolog_compat.run import inside; inside()", *arguments]


def inside() -> None:
    """What `command` starts where there is no start-up file."""
    import femtolog_compat.startup  # noqa: F401 - does what FEMTOLOG says

    _run_in_this_process(sys.argv[1:])


def interpreter_options(original: list[str], arguments: list[str]) -> list[str]:
    """The options of `python` in `original` (sys.orig_argv) that stand before `-m femtolog` or before the script's path."""
    before = original[1 : len(original) - len(arguments)]
    last = before.pop() if before else ""
    if before and before[-1].startswith("-") and before[-1].endswith("m") and not before[-1].startswith("--"):
        flags = before.pop()[:-1]  # `-m femtolog`, `-Im femtolog`
    elif last.startswith("-"):
        flags = last[: last.index("m")]  # `-mfemtolog`, `-Imfemtolog`
    else:
        flags = "-"  # the script femtolog-run
    return [*before, flags] if flags != "-" else before


def startup_file_works() -> bool:
    """Does FEMTOLOG=1 reach the processes of this interpreter?"""
    if sys.flags.no_site:
        return False
    import site

    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = [*site.getsitepackages(), site.getusersitepackages() if site.ENABLE_USER_SITE else ""]
    return os.path.exists(os.path.join(here, "femtolog.pth")) and any(
        os.path.realpath(folder) == os.path.realpath(here) for folder in folders if folder
    )


def _run_by_replacing_this_process(arguments: list[str]) -> NoReturn:
    options = interpreter_options(sys.orig_argv, sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os.execv(sys.executable, [sys.executable, *options, *arguments])


def _run_in_this_process(arguments: list[str]) -> None:
    import runpy

    kind, rest = arguments[0], arguments[1:]
    if kind in ("-m", "-c") and not rest:
        sys.exit(f"Argument expected for the {kind} option")
    if kind.startswith("-") and kind not in ("-m", "-c"):
        sys.exit(f"femtolog: options of python need femtolog.pth, which does not work in this installation: {kind}")
    main = _fresh_main_module()
    try:
        if kind == "-m":
            sys.argv[:] = rest
            _put_first_on_path(os.getcwd())
            runpy._run_module_as_main(rest[0])  # type: ignore[attr-defined]  # noqa: SLF001 - what `python -m` itself calls
        elif kind == "-c":
            sys.argv[:] = ["-c", *rest[1:]]
            _put_first_on_path("")
            if sys.version_info >= (3, 13):  # tracebacks show the lines of a command from then on
                import linecache

                linecache.cache["<string>"] = len(rest[0]), None, rest[0].splitlines(keepends=True), "<string>"
            exec(compile(rest[0], "<string>", "exec"), vars(main))
        else:
            sys.argv[:] = arguments
            _run_file(kind, main)
    except SystemExit:
        raise
    except BaseException:
        _hide_own_frames()
        raise


def _fresh_main_module() -> ModuleType:
    """A `__main__` as the interpreter makes it before it knows what to run, in place of the one this command began with."""
    import builtins
    from importlib.machinery import BuiltinImporter
    from types import ModuleType as Module

    module = Module("__main__")
    vars(module)["__loader__"] = BuiltinImporter
    vars(module)["__builtins__"] = builtins
    if sys.version_info < (3, 14):
        vars(module)["__annotations__"] = {}
    sys.modules["__main__"] = module
    return module


def _run_file(path: str, main: ModuleType) -> None:
    import io
    import pkgutil
    import runpy
    from importlib.machinery import SourceFileLoader, SourcelessFileLoader

    file = os.path.join(os.getcwd(), path)  # absolute, and otherwise as given: so does `python`
    if pkgutil.get_importer(file) is not None:  # a folder or an archive with a __main__
        if sys.flags.safe_path:
            sys.path.insert(0, file)
        _put_first_on_path(file)
        runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]  # noqa: SLF001
        return
    try:
        with io.open_code(file) as opened:
            code = pkgutil.read_code(opened)
            opened.seek(0)
            source = opened.read()
    except OSError as error:
        sys.stderr.write(f"{sys.executable}: can't open file {file!r}: [Errno {error.errno}] {error.strerror}\n")
        sys.exit(2)
    _put_first_on_path(os.path.dirname(os.path.realpath(path)))
    loader = SourceFileLoader if code is None else SourcelessFileLoader
    vars(main).update(__file__=file, __loader__=loader("__main__", file))
    if sys.version_info < (3, 15):
        vars(main)["__cached__"] = None
    exec(compile(source, file, "exec") if code is None else code, vars(main))


def _put_first_on_path(entry: str) -> None:
    if not sys.flags.safe_path:
        sys.path[0] = entry


def _hide_own_frames() -> None:
    """Let the traceback of the exception that ends the program begin where `python` would let it begin."""
    chosen = sys.excepthook

    def excepthook(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        sys.excepthook = chosen
        first = traceback
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == __file__:
                first = traceback.tb_next
            traceback = traceback.tb_next
        chosen(kind, value.with_traceback(first), first)

    sys.excepthook = excepthook
