"""FileHandler: contract 5.5, item 35."""

import io
import logging
import os
import pathlib
import sys

import pytest
from oracle import same_as_stdlib, same_program


def attached(w, *args, **kwargs):
    """A logger with a FileHandler in the world's folder."""
    handler = logging.FileHandler(w.dir / "f.log", *args, **kwargs)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log = w.logger()
    log.handlers[:] = [handler]
    return log, handler


def content(w, name="f.log"):
    """The bytes of a file."""
    data = (w.dir / name).read_bytes()
    w.note("bytes", data)
    return data


@same_as_stdlib
def test_each_record_is_in_the_file_when_the_call_returns(w):
    log, _ = attached(w, encoding="utf-8")
    for text in ("a", "\xe9\u20ac\U0001f600", "b\nc\r\nd", "", "x" * 100_000):
        log.info(text)
        content(w)


@same_as_stdlib
@pytest.mark.parametrize(
    "encoding", ["utf-8", "ascii", "latin-1", "utf-16", "utf-8-sig", "utf-16-le", "cp1252", "utf-32", "UTF8", None]
)
@pytest.mark.parametrize(
    "errors", [None, "strict", "ignore", "replace", "backslashreplace", "surrogateescape", "xmlcharrefreplace"]
)
def test_encodings_and_errors(w, encoding, errors):
    log, handler = attached(w, encoding=encoding, errors=errors)
    for text in ("plain", "\xe9", "\u20ac", "\ud800", "\udc80", "\U0001f600", "after"):
        log.info(text)
    w.note("handler", handler.encoding, handler.errors, handler.stream.encoding, handler.stream.errors)
    handler.close()
    content(w)
    log.info("again")
    handler.close()
    content(w)


@same_as_stdlib
@pytest.mark.parametrize("mode", ["a", "w", "x", "a+", "w+", "r+", "ab", "nonsense", ""])
@pytest.mark.parametrize("delay", [False, True, 1, "yes"])
def test_modes_and_delay(w, mode, delay):
    (w.dir / "f.log").write_text("before\n") if mode != "x" else None
    try:
        log, handler = attached(w, mode, "utf-8" if "b" not in mode else None, delay)
    except BaseException as error:
        w.note("refused", type(error), str(error).replace(str(w.dir), ""))
        return
    w.note("stream", handler.stream is None, handler.mode, handler.delay)
    w.catch(log.info, "a")
    w.catch(log.info, "b")
    handler.close()
    w.note("closed", handler.stream is None)
    w.catch(log.info, "after close")
    handler.close()
    content(w)


@same_as_stdlib
def test_reopening_after_close(w):
    """In append mode but not in 'w'."""
    for mode in "aw":
        log, handler = attached(w, mode, encoding="utf-8")
        log.info("a")
        handler.close()
        handler.close()
        log.info("b")
        w.note("stream", handler.stream is None)
        handler.flush()
        handler.close()
        content(w)


@same_as_stdlib
def test_path_is_absolute_from_the_start(w):
    here = os.getcwd()
    os.chdir(w.dir)
    try:
        handler = logging.FileHandler("f.log", encoding="utf-8", delay=True)
        os.mkdir("sub")
        os.chdir("sub")
        log = w.logger()
        log.handlers[:] = [handler]
        log.info("a")
        w.note("path", handler.baseFilename.replace(str(w.dir), "<dir>"), repr(handler).replace(str(w.dir), "<dir>"))
        handler.close()
    finally:
        os.chdir(here)


@same_as_stdlib
def test_paths_of_every_kind(w):
    class Path:
        def __init__(self, path):
            self.path = path

        def __fspath__(self):
            return self.path

    for path in (str(w.dir / "a"), w.dir / "b", os.fsencode(w.dir / "c"), Path(str(w.dir / "d")), pathlib.Path(w.dir, "\xe9")):
        handler = logging.FileHandler(path, encoding="utf-8")
        w.note("path", type(handler.baseFilename))
        handler.emit(logging.makeLogRecord({"msg": "x"}))
        handler.close()
    for wrong in (None, 5.5, object(), "a\0b", []):
        try:
            logging.FileHandler(wrong)
        except BaseException as error:
            w.note("refused", type(error), str(error))
    for missing in (w.dir / "no" / "such", w.dir):
        try:
            logging.FileHandler(missing)
        except OSError as error:
            w.note("refused", type(error), error.errno)


@same_as_stdlib
def test_stream_is_a_real_text_object(w):
    log, handler = attached(w, encoding="utf-8")
    stream = handler.stream
    w.note(
        "stream",
        type(stream),
        stream.fileno() > 2,
        stream.mode,
        stream.encoding,
        stream.line_buffering,
        stream.closed,
        stream.writable(),
    )
    log.info("a")
    stream.write("mine\n")
    log.info("b")
    os.write(stream.fileno(), b"by descriptor\n")
    log.info("c")
    w.note("where", stream.tell(), stream.buffer.tell())
    stream.buffer.write(b"by buffer\n")
    log.info("d")
    print("printed", file=stream)
    log.info("e")
    content(w)


@same_as_stdlib
def test_truncating_and_seeking_by_hand(w):
    for mode in ("a", "w"):
        log, handler = attached(w, mode, encoding="utf-8")
        log.info("a")
        log.info("b")
        handler.stream.seek(0)
        log.info("c")
        handler.stream.truncate(3)
        log.info("d")
        handler.stream.seek(0, 2)
        log.info("e")
        content(w)
        handler.close()


@same_as_stdlib
def test_stream_swapped_wrapped_closed_and_detached(w):
    log, handler = attached(w, encoding="utf-8")
    log.info("a")
    original = handler.stream
    handler.stream = other = w.stream()
    log.info("b")
    handler.setStream(original)
    log.info("c")
    handler.stream.reconfigure(encoding="latin-1", errors="replace", newline="\r\n")
    log.info("d\xe9\u20ac")
    handler.stream.reconfigure(line_buffering=True)
    log.info("e")
    handler.stream = type(
        "Wrap", (), {"write": lambda self, text: original.write(text.upper()), "flush": original.flush, "close": original.close}
    )()
    log.info("f")
    handler.stream = original
    binary = original.detach()
    log.info("detached")
    handler.stream = io.TextIOWrapper(binary, encoding="utf-8")
    log.info("g")
    handler.stream.close()
    log.info("closed")
    handler.stream = None
    log.info("none: opens again")
    handler.close()
    content(w)
    w.note("other", other.getvalue())


@same_as_stdlib
def test_methods_of_the_stream_replaced(w):
    log, handler = attached(w, encoding="utf-8")
    log.info("a")
    stream = handler.stream
    handler.stream = twin = type(
        "Sub", (io.TextIOWrapper,), {"write": lambda self, text: io.TextIOWrapper.write(self, f"<{text}>")}
    )(stream.detach(), encoding="utf-8")
    log.info("b")
    twin.flush = lambda: w.note("flush")
    log.info("c")
    del twin.flush
    twin.flush()
    content(w)


@same_as_stdlib
def test_open_overridden_and_replaced(w):
    class Mine(logging.FileHandler):
        def _open(self):
            w.note("open")
            return io.StringIO()

    log = w.logger()
    handler = Mine(w.dir / "never", delay=True)
    log.handlers[:] = [handler]
    log.info("a")
    w.note("value", handler.stream.getvalue())
    handler.close()
    handler = logging.FileHandler(w.dir / "f.log", delay=True, encoding="utf-8")
    log.handlers[:] = [handler]
    real = handler._builtin_open
    handler._builtin_open = lambda *args, **kwargs: w.note("builtin", args[1:], sorted(kwargs)) or real(*args, **kwargs)
    log.info("b")
    handler.close()
    handler._open = lambda: w.stream()
    log.info("c")
    handler.close()


@same_as_stdlib
def test_open_deleted_from_builtins(w):
    """Contract 1.5: `_builtin_open` is kept on the handler."""
    import builtins

    log, handler = attached(w, encoding="utf-8", delay=True)
    saved = builtins.open
    del builtins.open
    try:
        log.info("a")
    finally:
        builtins.open = saved
    handler.close()
    content(w)


@same_as_stdlib
@pytest.mark.parametrize("delay", [True, False])
def test_a_failing_open_propagates_as_in_the_running_version(w, delay):
    log, handler = attached(w, encoding="utf-8", delay=True)
    handler.baseFilename = str(w.dir / "no" / "such")
    try:
        log.info("x")
    except OSError as error:
        w.note("raised", type(error), error.errno)
    w.note("free", handler.lock.acquire(blocking=False))


@same_as_stdlib
def test_file_removed_and_replaced_under_the_handler(w):
    log, handler = attached(w, encoding="utf-8")
    log.info("a")
    os.rename(w.dir / "f.log", w.dir / "moved")
    log.info("b")
    (w.dir / "f.log").write_text("new\n")
    log.info("c")
    handler.close()
    log.info("d")
    handler.close()
    content(w)
    content(w, "moved")


@same_as_stdlib
def test_terminator_formatter_and_filter_of_a_file(w):
    log, handler = attached(w, encoding="utf-8")
    handler.terminator = "|\n"
    log.info("a")
    handler.terminator = "\u20ac"
    log.info("b")
    handler.formatter = None
    log.info("c")
    handler.addFilter(lambda record: "x" not in record.msg)
    log.info("x")
    log.info("%d", "wrong")
    log.info("d")
    content(w)


@same_as_stdlib
def test_two_handlers_on_one_file(w):
    log, handler = attached(w, encoding="utf-8")
    other = logging.FileHandler(w.dir / "f.log", encoding="utf-8")
    log.addHandler(other)
    log.info("a")
    log.info("b")
    handler.close()
    log.info("c")
    content(w)


@same_as_stdlib
def test_descriptor_closed_and_reused(w):
    log, handler = attached(w, encoding="utf-8")
    log.info("a")
    fd = handler.stream.fileno()
    os.close(fd)
    log.info("closed under it")
    again = os.open(w.dir / "other", os.O_WRONLY | os.O_CREAT)
    w.note("reused", again == fd)
    log.info("to the other")
    content(w, "other")
    os.dup2(os.open(os.devnull, os.O_WRONLY), fd)
    log.info("to nowhere")


@same_as_stdlib
def test_attributes_of_the_handler(w):
    _, handler = attached(w, encoding="utf-8", errors="replace")
    w.note("vars", list(vars(handler)))
    w.note("plain", handler.mode, handler.encoding, handler.errors, handler.delay)
    delayed = logging.FileHandler(w.dir / "d", delay=True)
    w.note("delayed", list(vars(delayed)), delayed.stream, delayed.encoding)
    delayed.flush()
    delayed.close()
    w.note("never made", (w.dir / "d").exists())


@same_as_stdlib
def test_special_files(w):
    log = w.logger()
    for name in ("/dev/null", "/dev/full"):
        handler = logging.FileHandler(name, encoding="utf-8")
        log.handlers[:] = [handler]
        w.catch(log.info, "to %s", name)
        w.catch(log.info, "x" * 20_000)
        w.catch(handler.flush)
        w.catch(handler.close)


@same_as_stdlib
def test_a_fifo_read_in_the_same_process(w):
    """Design 6: the GIL is not held while a pipe is full."""
    import threading

    os.mkfifo(w.dir / "fifo")
    got = []
    ready = threading.Event()

    def read():
        ready.set()
        with open(w.dir / "fifo", encoding="utf-8") as file:
            got.extend(file)

    thread = threading.Thread(target=read)
    thread.start()
    ready.wait()
    handler = logging.FileHandler(w.dir / "fifo", encoding="utf-8")
    log = w.logger()
    log.handlers[:] = [handler]
    for number in range(50):
        log.info("%d %s", number, "x" * 5000)
    handler.close()
    thread.join()
    os.unlink(w.dir / "fifo")
    w.note("lines", len(got), {len(line) for line in got})


@same_as_stdlib
def test_audit_events_of_opening(w):
    events = []
    sys.addaudithook(
        lambda event, args: events.append(args) if event == "open" and "f.log" in str(args[0]) and not done else None
    )
    done = []
    log, handler = attached(w, encoding="utf-8")
    log.info("a")
    handler.close()
    log.info("b")
    handler.close()
    done.append(1)
    w.note("events", [(mode, flags) for _, mode, flags in events])


def test_encoding_warning_when_none_is_given():
    """`io.text_encoding`: the warning names the caller's line."""
    same_program(
        """
        import logging
        def make(path):
            return logging.FileHandler(path)
        make("f.log").close()
        logging.FileHandler("g.log", encoding="locale").close()
        logging.basicConfig(filename="h.log")
        logging.warning("x")
        """,
        options=("-X", "warn_default_encoding"),
    )


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
@pytest.mark.parametrize("mode", ["utf8=0", "utf8=1"])
def test_encoding_of_the_locale(locale, mode):
    same_program(
        """
        import logging
        handler = logging.FileHandler("f.log")
        log = logging.getLogger("x")
        log.addHandler(handler)
        log.warning("\\xe9\\u20ac")
        print(handler.stream.encoding, handler.stream.errors)
        """,
        options=("-X", mode),
        LC_ALL=locale,
        PYTHONCOERCECLOCALE="0",
    )


def test_umask_symlinks_and_inheritance():
    same_program(
        """
        import logging, os
        os.umask(0o027)
        os.symlink("target.log", "link.log")
        handler = logging.FileHandler("link.log", encoding="utf-8")
        log = logging.getLogger("x")
        log.addHandler(handler)
        log.warning("a")
        print(oct(os.stat("target.log").st_mode), os.get_inheritable(handler.stream.fileno()), handler.baseFilename.endswith("link.log"))
        import fcntl
        print(fcntl.fcntl(handler.stream.fileno(), fcntl.F_GETFL) & (os.O_APPEND | os.O_WRONLY | os.O_NONBLOCK))
        """
    )


def test_nothing_is_lost_when_the_process_ends_at_once():
    same_program(
        """
        import logging, os
        logging.basicConfig(filename="f.log", encoding="utf-8", format="%(message)s")
        for number in range(100):
            logging.warning("line %d", number)
        os._exit(3)
        """
    )
