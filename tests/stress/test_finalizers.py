"""`__del__`, weakref callbacks and the collector's callbacks log from wherever an object happens to die."""

import pytest


def test_del_logs_while_a_record_is_on_its_way(run):
    """The last reference to an argument goes away inside the log call; its __del__ logs to the same handler."""
    run(
        """
        import io, logging

        log = logging.getLogger("l")
        log.setLevel(10)
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        log.addHandler(logging.FileHandler("app.log"))

        class Loud:
            def __init__(self, name):
                self.name = name
            def __del__(self):
                log.info("del %s", self.name)
            def __str__(self):
                return f"loud {self.name}"
        class Text(str):
            def __del__(self):
                log.info("del text")

        log.info(Loud("message"))
        log.info("%s", Loud("argument"))
        log.info("%s %d", Loud("first"), 2)
        log.info("%(a)s", {"a": Loud("mapping")})
        log.info("extra", extra={"a": Loud("extra")})
        log.info(Text("a str subclass"))
        log.debug("%s", Loud("debug"))
        log.log(5, "%s", Loud("disabled"))
        try:
            raise ValueError(Loud("exception"))
        except ValueError:
            log.exception("failed")
        # attributes of the objects that take part
        handler = logging.StreamHandler(stream)
        handler.gone = Loud("handler attribute")
        log.addHandler(handler)
        log.removeHandler(handler)
        del handler
        log.handlers[0].stream_owner = Loud("replaced attribute")
        log.handlers[0].stream_owner = None
        print(stream.getvalue())
        """,
        files=("app.log",),
    )


def test_setting_attributes_of_record_handler_and_logger_to_the_last_reference(run):
    """What a filter replaces dies in the middle of the call: message, args, exc_info, the handler list itself."""
    run(
        """
        import io, logging

        stream = io.StringIO()
        log = logging.getLogger("l")
        log.setLevel(10)
        class Loud:
            def __init__(self, name):
                self.name = name
            def __del__(self):
                log.info("del %s", self.name)
            def __str__(self):
                return self.name
        class Handler(logging.StreamHandler):
            def __del__(self):
                logging.getLogger("l").info("del handler")
        def replace(record):
            if isinstance(record.msg, Loud):
                record.msg = "new message %s"
                record.args = ("new args",)
                record.exc_info = None
                log.handlers = [logging.StreamHandler(stream)]
                log.handlers[0].addFilter(replace)
            return True
        handler = Handler(stream)
        handler.addFilter(replace)
        log.addHandler(handler)
        del handler
        try:
            raise ValueError(Loud("in exception"))
        except ValueError as exc:
            log.info(Loud("message"), Loud("args"), exc_info=exc)
        log.info("after")
        def drop_filters(record):
            log.filters[:] = []
            for h in log.handlers:
                h.filters.clear()
                h.formatter = None
            return True
        drop = drop_filters
        log.addFilter(drop)
        del drop, drop_filters
        log.handlers[0].setFormatter(logging.Formatter("> %(message)s"))
        log.info("last")
        log.info("after last")
        print(stream.getvalue())
        """
    )


def test_weakref_callbacks_log(run):
    run(
        """
        import io, logging, weakref

        log = logging.getLogger("l")
        log.setLevel(10)
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        log.addHandler(logging.FileHandler("app.log"))
        class Thing:
            def __str__(self):
                return "thing"
        def thing(name):
            t = Thing()
            refs.append(weakref.ref(t, lambda ref: log.info("gone: %s", name)))
            weakref.finalize(t, log.info, "finalized: %s", name)
            return t
        refs = []
        log.info("%s", thing("argument"))
        log.info(thing("message"))
        log.info("x", extra={"t": thing("extra")})
        for i in range(200):
            log.info("%s %d", thing(i), i)
        handler = logging.StreamHandler(stream)
        refs.append(weakref.ref(handler, lambda ref: log.info("handler gone")))
        log.addHandler(handler)
        log.info("two")
        log.removeHandler(handler)
        del handler
        log.info("one")
        print(stream.getvalue())
        """,
        files=("app.log",),
    )


@pytest.mark.parametrize("target", ["python stream", "file"])
def test_collector_callbacks_log_with_a_threshold_of_one(run, target):
    if target == "file" and run.way == "stdlib":
        pytest.skip("the interpreter's BufferedWriter refuses a re-entrant write; native writes have no such moment")
    run(
        """
        import gc, io, logging, sys

        log = logging.getLogger("l")
        log.setLevel(10)
        stream = io.StringIO()
        class Stream:
            parts = []
            def write(self, text):
                self.parts.append(text)
            def flush(self):
                pass
        log.addHandler(logging.StreamHandler(stream))
        if sys.argv[1] == "file":
            log.addHandler(logging.FileHandler("app.log"))
        else:
            log.addHandler(logging.StreamHandler(Stream()))
        for handler in log.handlers:
            handler.setFormatter(logging.Formatter("%(asctime)s|%(message)s|%(lineno)d|%(threadName)s"))
        inside = collected = died = 0
        class Cycle:
            def __init__(self):
                self.self = self
            def __del__(self):
                global died
                died += 1
                log.info("cycle died")
        def on_gc(phase, info):
            global inside, collected
            if inside:
                return
            inside += 1
            collected += 1
            log.info("gc %s", phase)
            inside -= 1
        gc.callbacks.append(on_gc)
        gc.set_threshold(1, 1, 1)
        collects_rarely = not getattr(sys, "_is_gil_enabled", lambda: True)()  # whatever the threshold, without a GIL
        for i in range(400):
            Cycle()
            if collects_rarely:
                gc.collect()
            log.info("message %d", i, extra={"a": [i]})
            log.debug("%(a)s", {"a": i})
            logging.getLogger(f"l.{i % 20}").info("child %s", [i])
            if i % 50 == 0:
                try:
                    raise ValueError(i)
                except ValueError:
                    log.exception("exc", stack_info=True)
        gc.set_threshold(0)
        gc.collect()
        gc.callbacks.clear()
        lines = stream.getvalue().splitlines()
        assert collected > 100 and died == 400, (collected, died)
        assert sum("|cycle died|" in line for line in lines) == died
        for i in range(400):
            assert sum(f"|message {i}|" in line for line in lines) == 1, i
        other = open("app.log").read() if sys.argv[1] == "file" else "".join(Stream.parts)
        assert len(other.splitlines()) == len(lines)
        print(sum("|message" in line for line in lines), sum("|child" in line for line in lines))
        """,
        args=(target,),
        compare=target != "file",
    )


def test_collection_inside_every_step_of_a_call(run):
    """gc.collect() from a filter, a formatter, a stream, __str__: nothing in use is taken for garbage."""
    run(
        """
        import gc, io, logging

        class Stream(io.StringIO):
            def write(self, text):
                gc.collect()
                return super().write(text)
        class Format(logging.Formatter):
            def format(self, record):
                gc.collect()
                return super().format(record)
        class Text:
            def __str__(self):
                gc.collect()
                return "text"
        def collect(record):
            gc.collect()
            record.seen = [record]
            return True
        stream = Stream()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(Format("%(message)s %(seen)s %(funcName)s"))
        log = logging.getLogger("l")
        log.addHandler(handler)
        log.addFilter(collect)
        handler.addFilter(collect)
        for i in range(20):
            log.warning("%s %d", Text(), i, extra={"cycle": [log]}, exc_info=i % 2 and ValueError(i))
        gc.collect()
        print(stream.getvalue())
        """
    )


def test_generators_closed_by_the_collector_log(run):
    run(
        """
        import gc, io, logging
        log = logging.getLogger("l")
        stream = io.StringIO()
        log.addHandler(logging.StreamHandler(stream))
        def generator():
            try:
                yield
            finally:
                log.warning("closed", stack_info=True)
        def use():
            g = generator()
            next(g)
            holder = [g]
            holder.append(holder)
        for _ in range(3):
            use()
        gc.collect()
        log.warning("end")
        print(stream.getvalue())
        """
    )
