"""A FileHandler opens as Python opens: flags, modes, masks, links, encodings, BOMs, audit events, warnings."""

import pytest


def test_descriptor_flags(run):
    run(
        """
        import fcntl, logging, os
        for mode in ("a", "w", "x", "a+", "w+"):
            if os.path.exists("app.log"):
                os.unlink("app.log")
            handler = logging.FileHandler("app.log", mode)
            handler.handle(logging.makeLogRecord({"msg": "text"}))
            fd = handler.stream.fileno()
            flags = fcntl.fcntl(fd, fcntl.F_GETFL)
            print(mode, bool(flags & os.O_APPEND), flags & os.O_ACCMODE, os.get_inheritable(fd), handler.stream.mode,
                  type(handler.stream).__name__, handler.stream.encoding, handler.stream.errors,
                  handler.stream.line_buffering, handler.stream.name == os.path.abspath("app.log"))
            handler.close()
        """
    )


def test_umask_and_existing_permissions(run):
    run(
        """
        import logging, os, stat
        for mask in (0o000, 0o022, 0o077, 0o177):
            os.umask(mask)
            handler = logging.FileHandler(f"{mask}.log")
            handler.handle(logging.makeLogRecord({"msg": "x"}))
            print(oct(mask), oct(stat.S_IMODE(os.stat(f"{mask}.log").st_mode)))
            handler.close()
        os.umask(0o022)
        open("kept.log", "w").close()
        os.chmod("kept.log", 0o640)
        handler = logging.FileHandler("kept.log", "w")
        handler.handle(logging.makeLogRecord({"msg": "x"}))
        print(oct(stat.S_IMODE(os.stat("kept.log").st_mode)))
        """
    )


def test_symbolic_links_directories_and_missing_folders(run):
    run(
        """
        import logging, os, pathlib
        record = logging.makeLogRecord({"msg": "text"})
        os.symlink("target.log", "link.log")
        handler = logging.FileHandler("link.log")
        handler.handle(record)
        print(os.path.islink("link.log"), open("target.log").read(), os.path.basename(handler.baseFilename))
        os.symlink("loop", "loop")
        for name in ("loop", ".", "missing/app.log", "target.log/x", "nul\\0byte", b"bytes.log", 3.5, ""):
            try:
                handler = logging.FileHandler(name)
            except Exception as exc:
                print(repr(name), type(exc).__name__, str(exc))
            else:
                print(repr(name), handler)
        print(logging.FileHandler(pathlib.Path("path.log")).baseFilename)
        class Path:
            def __fspath__(self):
                return "fspath.log"
        print(logging.FileHandler(Path()).baseFilename)
        """
    )


def test_delayed_open_follows_a_changed_directory_and_reports_failure(run):
    run(
        """
        import logging, os, sys
        log = logging.getLogger("l")
        log.propagate = False
        os.mkdir("sub")
        handler = logging.FileHandler("app.log", delay=True)
        log.addHandler(handler)
        os.chdir("sub")
        log.warning("in the first folder")
        os.chdir("..")
        print(os.path.exists("app.log"), os.listdir("sub"), handler.stream.mode)
        bad = logging.FileHandler("missing/app.log", delay=True)
        log.addHandler(bad)
        try:
            log.warning("delayed")
        except OSError as exc:
            print(type(exc).__name__, exc)
        print(bad.stream, bad.lock.acquire(blocking=False))
        bad.lock.release()
        os.mkdir("missing")
        log.warning("second try")
        """,
        files=("app.log", "missing/app.log"),
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7", "shift_jis", "iso2022_jp"])
def test_byte_order_mark_once_and_state_of_the_codec(run, encoding):
    outcome = run(
        """
        import logging, sys
        record = logging.makeLogRecord({"msg": "caf\\u00e9 \\u65e5\\u672c"})
        for mode in ("w", "a", "a"):
            handler = logging.FileHandler("app.log", mode, encoding=sys.argv[1], errors="replace")
            for i in range(3):
                handler.handle(record)
            handler.close()
            handler.handle(record)     # an append-mode handler opens again
            handler.close()
        print(open("app.log", "rb").read())
        print(open("app.log", encoding=sys.argv[1], errors="replace").read().encode("unicode_escape"))
        """,
        args=(encoding,),
    )
    marks = {"utf-8-sig": rb"\xef\xbb\xbf", "utf-16": rb"\xff\xfe", "utf-32": rb"\xff\xfe\x00\x00"}
    if encoding in marks:
        assert outcome.stdout.count(marks[encoding].decode()) == 1


def test_audit_events(run):
    run(
        """
        import sys
        events = []
        def hook(event, args):
            if armed and event in ("open", "os.rename", "os.remove"):
                events.append((event, str(args[0]).rpartition("/")[2], *args[1:2]))
        armed = False
        sys.addaudithook(hook)
        import logging, logging.handlers
        armed = True
        log = logging.getLogger("l")
        log.propagate = False
        log.addHandler(logging.FileHandler("app.log"))
        log.addHandler(logging.FileHandler("delayed.log", delay=True))
        log.addHandler(logging.handlers.WatchedFileHandler("watched.log"))
        log.addHandler(logging.handlers.RotatingFileHandler("rotating.log", maxBytes=40, backupCount=2))
        import os
        for i in range(4):
            log.warning("line %d %s", i, "x" * 20)
            if i == 2:
                os.rename("watched.log", "moved.log")
        armed = False
        for event in events:
            print(*event)
        """
    )


def test_an_audit_hook_may_refuse(run):
    run(
        """
        import logging, sys
        def hook(event, args):
            if event == "open" and str(args[0]).endswith("secret.log"):
                raise PermissionError("not this one")
        sys.addaudithook(hook)
        try:
            logging.FileHandler("secret.log")
        except PermissionError as exc:
            print("refused", exc)
        log = logging.getLogger("l")
        log.propagate = False
        log.addHandler(logging.FileHandler("secret.log", delay=True))
        try:
            log.warning("x")
        except PermissionError as exc:
            print("refused", exc)
        """,
        native=None,
    )


def test_builtins_open_replaced(run):
    """The handler keeps the open() of its making (Lib/logging/__init__.py, FileHandler._builtin_open)."""
    run(
        """
        import builtins, io, logging
        real = builtins.open
        def fake(*args, **kwargs):
            print("fake open", args[1:], sorted(kwargs.items()))
            return real(*args, **kwargs)
        before = logging.FileHandler("before.log", delay=True)
        builtins.open = fake
        after = logging.FileHandler("after.log", delay=True)
        builtins.open = real
        record = logging.makeLogRecord({"msg": "x"})
        before.handle(record)
        after.handle(record)
        after._builtin_open = lambda *args, **kwargs: io.StringIO()
        after.close()
        after.handle(record)
        print(type(after.stream).__name__)
        """
    )


def test_encoding_warning_and_locale(run):
    run(
        """
        import logging, sys, warnings
        warnings.simplefilter("always")
        def make():
            return logging.FileHandler("app.log")
        handler = make()
        print(handler.encoding, handler.stream.encoding)
        handler.handle(logging.makeLogRecord({"msg": "x"}))
        logging.FileHandler("app.log", delay=True).handle(logging.makeLogRecord({"msg": "y"}))
        """,
        flags=("-X", "warn_default_encoding"),
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        files=("app.log",),
        masks=[(r"(?m)^.*logging.__init__\.py:\d+: ", "")],
    )


def test_descriptors_are_returned(run):
    run(
        """
        import logging, logging.handlers, os
        log = logging.getLogger("l")
        log.propagate = False
        def open_files():
            return len(os.listdir("/proc/self/fd"))
        before = open_files()
        for i in range(300):
            for make in (lambda: logging.FileHandler("a.log"), lambda: logging.handlers.WatchedFileHandler("w.log"),
                         lambda: logging.handlers.RotatingFileHandler("r.log", maxBytes=50, backupCount=1)):
                handler = make()
                log.addHandler(handler)
                log.warning("line %d", i)
                log.removeHandler(handler)
                handler.close()
        print(open_files() - before)
        """
    )


def test_same_descriptor_number_reused_by_somebody_else(run):
    """Closing the stream behind the handler's back must not let our lines land in the next file opened."""
    run(
        """
        import logging, os
        log = logging.getLogger("l")
        log.propagate = False
        logging.raiseExceptions = False
        handler = logging.FileHandler("app.log")
        log.addHandler(handler)
        log.warning("one")
        handler.stream.close()
        other = open("precious.txt", "w")
        log.warning("into nowhere")
        other.write("precious\\n")
        other.close()
        """,
        files=("app.log", "precious.txt"),
    )
