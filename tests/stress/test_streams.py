"""Streams that break, close, change, block or are interrupted: the stdlib's errors, in the stdlib's words."""


def test_broken_pipe_goes_to_handle_error(run):
    run(
        """
        import logging, os, sys
        log = logging.getLogger("l")
        log.propagate = False
        def error(self, record):
            print("handleError", repr(sys.exc_info()[1]), record.args)
        logging.Handler.handleError = error
        reader, writer = os.pipe()
        pipe = open(writer, "w")
        log.addHandler(logging.StreamHandler(pipe))
        log.warning("one %d", 1)
        print(os.read(reader, 100))
        os.close(reader)
        for i in range(3):
            log.warning("gone %d", i)
        try:
            pipe.close()
        except OSError as exc:
            print("close", exc)
        """
    )


def test_file_handler_on_a_fifo_whose_reader_goes(run):
    run(
        """
        import logging, os, sys
        def error(self, record):
            print("handleError", repr(sys.exc_info()[1]), record.args)
        logging.Handler.handleError = error
        os.mkfifo("fifo")
        reader = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
        handler = logging.FileHandler("fifo", "w")
        log = logging.getLogger("l")
        log.propagate = False
        log.addHandler(handler)
        log.warning("one %d", 1)
        print(os.read(reader, 100))
        os.close(reader)
        log.warning("gone %d", 2)
        log.removeHandler(handler)
        try:
            handler.close()
        except OSError as exc:
            print("close", exc)
        """
    )


def test_stdout_closed_by_the_reader(run):
    """`program | head`: Python ignores SIGPIPE, so logging reports and goes on."""
    run(
        """
        import subprocess, sys
        CODE = '''
        import logging, sys
        logging.basicConfig(stream=sys.stdout, level=10)
        sys.stdin.read()
        for i in range(3):
            logging.info("line %d", i)
        sys.stdout = None
        '''
        import textwrap
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(CODE)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        process.stdin.close()
        text = process.stderr.read().decode()
        print(process.wait())
        sys.stderr.write(text)
        """,
        native=None,
    )


def test_closed_streams(run):
    run(
        """
        import io, logging, os, sys
        log = logging.getLogger("l")
        log.propagate = False
        class Short:
            def write(self, text):
                raise ValueError("no more")
        def each():
            a = io.StringIO(); a.close(); yield a
            b = open("b.log", "w"); b.close(); yield b
            c = open("c.log", "w"); c.detach(); yield c
            d = open("d.log", "w"); os.close(d.fileno()); yield d
            yield None
            yield Short()
            yield object()
            yield open("c.log")
            yield io.BytesIO()
        for stream in each():
            handler = logging.StreamHandler(sys.stderr)
            handler.stream = stream
            log.addHandler(handler)
            log.warning("to %s", type(stream).__name__)
            try:
                handler.flush()
            except Exception as exc:
                print("flush", repr(exc))
            log.removeHandler(handler)
            try:
                handler.close()
            except Exception as exc:
                print("close", repr(exc))
            handler.stream = None
            try:
                stream.close()
            except Exception as exc:
                print("stream.close", repr(exc))
        print("end")
        """,
        native=1,
    )


def test_file_handlers_stream_closed_replaced_wrapped_detached(run):
    run(
        """
        import codecs, io, logging, os
        log = logging.getLogger("l")
        log.propagate = False
        logging.raiseExceptions = True
        handler = logging.FileHandler("app.log", encoding="utf-8")
        log.addHandler(handler)
        log.warning("one")
        handler.stream.write("by hand, ")          # its own writes keep their order
        log.warning("two")
        handler.stream.write("more by hand\\n")
        log.warning("three")
        real = handler.stream
        handler.stream = io.StringIO()
        log.warning("elsewhere")
        print(handler.stream.getvalue(), end="")
        handler.stream = real
        log.warning("four")
        handler.setStream(open("other.log", "w"))
        log.warning("other")
        handler.setStream(real)
        class Wrapped:
            def __init__(self, inner):
                self.inner = inner
            def write(self, text):
                return self.inner.write(text.upper())
            def __getattr__(self, name):
                return getattr(self.inner, name)
        handler.stream = Wrapped(real)
        log.warning("wrapped")
        handler.stream = real
        real.reconfigure(line_buffering=True, newline="\\r\\n")
        log.warning("crlf")
        real.reconfigure(newline="\\n", encoding="latin-1", errors="replace")
        log.warning("caf\\u00e9 \\u20ac")
        real.write_through
        os.truncate("app.log", 0)
        log.warning("after truncate")
        position = real.tell()
        log.warning("five")
        print(position, real.tell() > position)
        os.dup2(os.open("dup.log", os.O_WRONLY | os.O_CREAT, 0o600), real.fileno())
        log.warning("after dup2")
        handler.close()
        print(handler.stream)
        log.warning("reopened")
        handler.stream.close()
        log.warning("closed from outside")
        """,
        files=("app.log", "other.log", "dup.log"),
        masks=[(r"(?s)\x00", "0")],
    )


def test_methods_of_the_stream_replaced(run):
    run(
        """
        import io, logging
        log = logging.getLogger("l")
        class Stream(io.StringIO):
            pass
        stream = Stream()
        handler = logging.StreamHandler(stream)
        log.addHandler(handler)
        log.warning("one")
        stream.write = lambda text: Stream.write(stream, "<" + text + ">")
        log.warning("two")
        del stream.write
        stream.flush = lambda: Stream.write(stream, "flushed\\n")
        log.warning("three")
        del stream.flush
        Stream.write = lambda self, text: io.StringIO.write(self, "class " + text)
        log.warning("four")
        del Stream.write
        log.warning("five")
        handler.terminator = "|"
        log.warning("six")
        print(stream.getvalue())
        file = logging.FileHandler("app.log")
        log.addHandler(file)
        log.warning("f one")
        file.stream.mode = "patched"     # a TextIOWrapper has a __dict__
        log.warning("f two")
        try:
            file.stream.write = print
        except AttributeError:
            print("read-only")
        log.warning("f three")
        """,
        files=("app.log",),
    )


def test_sys_stderr_replaced_between_calls(run):
    run(
        """
        import io, logging, sys
        logging.warning_before = None
        log = logging.getLogger("l")
        real = sys.stderr
        first = sys.stderr = io.StringIO()
        log.warning("to last resort, first")
        second = sys.stderr = io.StringIO()
        log.warning("to last resort, second")
        sys.stderr = None
        log.warning("nowhere")
        sys.stderr = third = io.StringIO()
        handler = logging.StreamHandler()
        log.addHandler(handler)
        sys.stderr = real
        log.warning("bound at construction")
        print([s.getvalue() for s in (first, second, third)])
        """
    )


def test_non_blocking_pipe_that_is_full(run):
    """Reported through handleError, as the buffered writer does; nothing hangs; what arrives is whole lines."""
    outcome = run(
        """
        import logging, os, sys
        log = logging.getLogger("l")
        log.propagate = False
        errors = []
        def error(self, record):
            errors.append(type(sys.exc_info()[1]).__name__)
        logging.Handler.handleError = error
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        pipe = open(writer, "w")
        log.addHandler(logging.StreamHandler(pipe))
        for i in range(3000):
            log.warning("<%d %s>", i, "x" * 100)
        os.set_blocking(reader, False)
        data = b""
        while True:
            try:
                chunk = os.read(reader, 1 << 16)
            except BlockingIOError:
                break
            data += chunk
        lines = data.decode().split("\\n")
        assert lines[0] == "<0 " + "x" * 100 + ">" and len(data) >= 60_000
        assert all(line.count("<") <= 1 for line in lines)
        print(len(errors) > 0, set(errors))
        os.close(reader)
        sys.stdout.flush()
        os._exit(0)      # not to wait for what the pipe did not take
        """,
        native=None,
    )
    assert outcome.stdout == "True {'BlockingIOError'}\n", outcome.report()


def test_pipe_slower_than_the_logger_blocks_and_lets_others_run(run):
    """A full pipe blocks the call with the GIL released, and signals are served meanwhile (EINTR)."""
    run(
        """
        import logging, os, signal, threading
        log = logging.getLogger("l")
        log.propagate = False
        reader, writer = os.pipe()
        pipe = open(writer, "w")
        log.addHandler(logging.StreamHandler(pipe))
        served = []
        signal.signal(signal.SIGALRM, lambda *a: served.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        parts = []
        def drain():
            while len(served) < 5:
                pass
            while chunk := os.read(reader, 1 << 16):
                parts.append(chunk)
        thread = threading.Thread(target=drain)
        thread.start()
        for i in range(2000):
            log.warning("<%d %s>", i, "x" * 100)
        signal.setitimer(signal.ITIMER_REAL, 0)
        pipe.close()
        thread.join()
        lines = b"".join(parts).decode().splitlines()
        print(lines == [f"<{i} {'x' * 100}>" for i in range(2000)], len(served) >= 5)
        """
    )


def test_file_handler_on_a_slow_fifo_lets_others_run(run):
    run(
        """
        import logging, os, signal, threading
        log = logging.getLogger("l")
        log.propagate = False
        os.mkfifo("fifo")
        reader = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(reader, True)
        handler = logging.FileHandler("fifo", "w")
        log.addHandler(handler)
        served = []
        signal.signal(signal.SIGALRM, lambda *a: served.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        parts = []
        def drain():
            while len(served) < 5:
                pass
            while chunk := os.read(reader, 1 << 16):
                parts.append(chunk)
        thread = threading.Thread(target=drain)
        thread.start()
        for i in range(2000):
            log.warning("<%d %s>", i, "x" * 100)
        signal.setitimer(signal.ITIMER_REAL, 0)
        handler.close()
        thread.join()
        lines = b"".join(parts).decode().splitlines()
        print(lines == [f"<{i} {'x' * 100}>" for i in range(2000)], len(served) >= 5)
        """
    )


def test_an_exception_from_a_signal_handler_interrupts_a_blocked_write(run):
    """Ctrl-C must reach a program that waits on a full pipe."""
    run(
        """
        import logging, os, signal, sys, threading
        log = logging.getLogger("l")
        log.propagate = False
        os.mkfifo("fifo")
        reader = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
        handler = logging.FileHandler("fifo", "w")
        log.addHandler(handler)
        def stop(*args):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            while True:
                log.warning("x" * 1000)
        except KeyboardInterrupt:
            print("interrupted")
        answers = []
        def ask():
            answers.append(handler.lock.acquire(blocking=False))
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        print(answers)
        sys.stdout.flush()
        os._exit(0)      # not to wait for what the pipe did not take
        """,
        native=None,
    )


def test_a_file_that_has_become_a_slow_pipe_lets_signals_be_served(run):
    """In a process of one thread; who reads is another process."""
    run(
        """
        import logging, os, signal, time
        log = logging.getLogger("l")
        log.propagate = False
        handler = logging.FileHandler("app.log")
        log.addHandler(handler)
        log.warning("to the file")
        reader, writer = os.pipe()
        os.dup2(writer, handler.stream.fileno())
        os.close(writer)
        child = os.fork()
        if not child:
            os.close(handler.stream.fileno())
            time.sleep(0.3)
            with open("got.log", "wb") as file:
                while chunk := os.read(reader, 1 << 16):
                    file.write(chunk)
            os._exit(0)
        os.close(reader)
        served = []
        signal.signal(signal.SIGALRM, lambda *a: served.append(len(logged)))
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        logged = []
        for i in range(2000):
            log.warning("<%d %s>", i, "x" * 100)
            logged.append(i)
        signal.setitimer(signal.ITIMER_REAL, 0)
        handler.close()
        print(os.waitpid(child, 0)[1])
        with open("got.log") as file:
            lines = file.read().splitlines()
        print(lines == [f"<{i} {'x' * 100}>" for i in range(2000)])
        # Some of them while a call was waiting.
        print(max(map(served.count, served)) >= 3)
        """,
        files=("app.log",),
    )


def test_a_file_that_has_become_a_slow_pipe_lets_other_threads_run(run):
    run(
        """
        import logging, os, threading
        log = logging.getLogger("l")
        log.propagate = False
        handler = logging.FileHandler("app.log")
        log.addHandler(handler)
        log.warning("to the file")
        reader, writer = os.pipe()
        os.dup2(writer, handler.stream.fileno())
        os.close(writer)
        log.warning("to the pipe")
        parts = []
        def drain():
            while chunk := os.read(reader, 1 << 16):
                parts.append(chunk)
        thread = threading.Thread(target=drain)
        thread.start()
        for i in range(2000):
            log.warning("<%d %s>", i, "x" * 100)
        handler.close()
        thread.join()
        lines = b"".join(parts).decode().splitlines()
        print(lines == ["to the pipe", *(f"<{i} {'x' * 100}>" for i in range(2000))])
        """,
        files=("app.log",),
    )


def test_an_exception_from_a_signal_handler_leaves_a_file_that_has_become_a_pipe(run):
    """The line that was waiting is kept by the stream and comes with the next one."""
    run(
        """
        import logging, os, signal, sys, traceback
        log = logging.getLogger("l")
        log.propagate = False
        handler = logging.FileHandler("app.log")
        log.addHandler(handler)
        log.warning("to the file")
        reader, writer = os.pipe()
        os.dup2(writer, handler.stream.fileno())
        os.close(writer)
        def stop(*args):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        logged = 0
        try:
            while True:
                logged += 1
                log.warning("%d %s", logged, "x" * 900)
        except KeyboardInterrupt as exc:
            print("interrupted", [entry.name for entry in traceback.extract_tb(exc.__traceback__)])
        os.set_blocking(reader, False)
        def drained():
            parts = []
            while True:
                try:
                    parts.append(os.read(reader, 1 << 16))
                except BlockingIOError:
                    return b"".join(parts).decode()
        text = drained()
        log.warning("after")
        text += drained()
        print(logged, text == "".join(f"{n} {'x' * 900}\\n" for n in range(1, logged + 1)) + "after\\n")
        """,
        files=("app.log",),
    )


def test_a_file_that_has_become_a_pipe_that_takes_nothing(run):
    run(
        """
        import logging, os, sys
        log = logging.getLogger("l")
        log.propagate = False
        errors = []
        def error(self, record):
            errors.append((record.args, repr(sys.exc_info()[1])))
        logging.Handler.handleError = error
        handler = logging.FileHandler("app.log")
        log.addHandler(handler)
        log.warning("to the file %d", 0)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        os.dup2(writer, handler.stream.fileno())
        os.close(writer)
        n = 0
        while not errors:
            n += 1
            log.warning("%d" + "x" * 1000, n)
        print(n, errors)
        os.close(reader)
        log.warning("%d", -1)
        print(errors[1:])
        sys.stdout.flush()
        os._exit(0)      # the stream still has what the pipe did not take
        """,
        files=("app.log",),
        native=None,
    )


def test_lines_of_any_length_through_pipes_and_sockets(run):
    """With a thread that reads slowly, and then in a process of one thread, to a process that does."""
    for thread in ("True", "False"):
        run(
            f"""
            import logging, os, socket, threading, time
            THREAD = {thread}
            log = logging.getLogger("l")
            log.propagate = False
            def pipe():
                return os.pipe()
            def sockets():
                one, other = socket.socketpair()
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
                return one.detach(), other.detach()
            def drain(reader, name):
                with open(name, "wb") as file:
                    while chunk := os.read(reader, 3000):
                        file.write(chunk)
                        time.sleep(0.0001)
                os.close(reader)
            def reading(reader, writer, name):
                if THREAD:
                    thread = threading.Thread(target=drain, args=(reader, name))
                    thread.start()
                    return thread.join
                child = os.fork()
                if not child:
                    os.close(writer)
                    drain(reader, name)
                    os._exit(0)
                os.close(reader)
                return lambda: print("child", os.waitpid(child, 0)[1])
            sizes = [(n * 7919) % 900 for n in range(600)] + [4095, 4096, 4097, 8191, 8192, 8193, 70_000]
            for make in (pipe, sockets):
                reader, writer = make()
                ended = reading(reader, writer, make.__name__)
                stream = open(writer, "w", encoding="utf-8")
                handler = logging.StreamHandler(stream)
                log.addHandler(handler)
                for n, size in enumerate(sizes):
                    log.warning("<%d %s>", n, "\u00e9" * (size // 2))
                log.removeHandler(handler)
                stream.close()
                ended()
                with open(make.__name__, encoding="utf-8") as file:
                    lines = file.read().splitlines()
                print(make.__name__, lines == [f"<{{n}} {{chr(233) * (size // 2)}}>" for n, size in enumerate(sizes)])
            """
        )


def test_one_descriptor_is_by_turns_a_pipe_and_a_file(run):
    run(
        """
        import logging, os, threading
        log = logging.getLogger("l")
        log.propagate = False
        stop = threading.Event()
        for beside in (False, True):
            if beside:
                threading.Thread(target=stop.wait).start()
            with open("app.log", "w+") as stream:
                handler = logging.StreamHandler(stream)
                log.addHandler(handler)
                reader, writer = os.pipe()
                kept = os.dup(stream.fileno())
                for turn in range(700):
                    os.dup2(writer if turn % 3 == 1 else kept, stream.fileno())
                    log.warning("%d %d", beside, turn)
                os.dup2(kept, stream.fileno())
                log.removeHandler(handler)
                os.close(writer)
                with open(reader) as file:
                    piped = file.read().split("\\n")
                stream.seek(0)
                filed = stream.read().split("\\n")
                print(piped == [*(f"{beside:d} {turn}" for turn in range(700) if turn % 3 == 1), ""])
                print(filed == [*(f"{beside:d} {turn}" for turn in range(700) if turn % 3 != 1), ""])
        stop.set()
        """
    )


def test_streams_without_a_buffer_and_by_lines(run):
    """What breaks is raised where such a stream raises it: in its `write`, or when it is flushed."""
    run(
        """
        import io, logging, os, signal, sys, threading
        log = logging.getLogger("l")
        log.propagate = False
        def error(self, record):
            import traceback
            exc = sys.exc_info()[1]
            print(record.args, repr(exc), [entry.name + " " + entry.line for entry in traceback.extract_tb(exc.__traceback__)])
        logging.Handler.handleError = error
        def streams(fd):
            for options in ({}, {"write_through": True}, {"line_buffering": True}):
                yield options, io.TextIOWrapper(io.FileIO(fd, "w", closefd=False), encoding="utf-8", **options)
                buffer = io.BufferedWriter(io.FileIO(fd, "w", closefd=False))
                yield options, io.TextIOWrapper(buffer, encoding="utf-8", **options)
        stop = threading.Event()
        for beside in (False, True):
            if beside:
                threading.Thread(target=stop.wait).start()
            file = os.open("app.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for options, stream in streams(file):
                handler = logging.StreamHandler(stream)
                log.addHandler(handler)
                log.warning("in a file %s %d", options, beside)
                stream.write("by hand ")
                log.warning("in a file \u00e9 %d", beside)
                handler.terminator = "|"
                log.warning("in a file %d", beside)
                log.removeHandler(handler)
            os.close(file)
            full = os.open("/dev/full", os.O_WRONLY)
            reader, broken = os.pipe()
            os.close(reader)
            reader, stuffed = os.pipe()
            os.set_blocking(stuffed, False)
            os.write(stuffed, b"x" * (1 << 20))
            kept = []
            for fd in (full, broken, stuffed):
                for options, stream in streams(fd):
                    print(fd == full, fd == broken, options, type(stream.buffer).__name__)
                    handler = logging.StreamHandler(stream)
                    log.addHandler(handler)
                    log.warning("%d lines", 1)
                    log.warning("%d lines", 2)
                    handler.terminator = ""
                    log.warning("%d lines", 3)
                    log.removeHandler(handler)
                    kept.append(stream)
        stop.set()
        sys.stdout.flush()
        os._exit(0)      # not to write what could not be written
        """,
        files=("app.log",),
        native=None,
    )


def test_an_exception_from_a_signal_handler_leaves_a_stream_without_a_buffer(run):
    run(
        """
        import io, logging, os, signal, sys
        log = logging.getLogger("l")
        log.propagate = False
        def stop(*args):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, stop)
        for options in ({}, {"write_through": True}):
            reader, writer = os.pipe()
            stream = io.TextIOWrapper(io.FileIO(writer, "w"), encoding="utf-8", **options)
            handler = logging.StreamHandler(stream)
            log.addHandler(handler)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            logged = 0
            try:
                while True:
                    logged += 1
                    log.warning("%d %s", logged, "x" * 900)
            except KeyboardInterrupt:
                print("interrupted")
            os.set_blocking(reader, False)
            text = os.read(reader, 1 << 20).decode()
            log.warning("after")
            text += os.read(reader, 1 << 20).decode()
            print(logged, text == "".join(f"{n} {'x' * 900}\\n" for n in range(1, logged)) + "after\\n")
            log.removeHandler(handler)
        """
    )


def test_encoding_errors_and_surrogates(run):
    run(
        """
        import logging
        log = logging.getLogger("l")
        log.propagate = False
        for encoding, errors in (("ascii", None), ("ascii", "replace"), ("ascii", "backslashreplace"),
                                 ("latin-1", "strict"), ("utf-8", None), ("utf-8", "surrogateescape"),
                                 ("utf-8", "surrogatepass"), ("utf-16", None), ("cp1252", "ignore")):
            handler = logging.FileHandler("app.log", encoding=encoding, errors=errors)
            log.addHandler(handler)
            print(encoding, errors, handler.encoding, handler.errors)
            log.warning("plain")
            log.warning("caf\\u00e9")
            log.warning("\\u20ac %s", "\\udc80")
            log.warning("after")
            log.removeHandler(handler)
            handler.close()
        """,
        files=("app.log",),
    )
