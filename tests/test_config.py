"""logging.config on natively bound classes: contract 5.6, item 47."""

import copy
import io
import json
import logging
import logging.config

import pytest
from oracle import same_as_stdlib

INI = """
[loggers]
keys=root,a,ab
[handlers]
keys=h,f
[formatters]
keys=f
[logger_root]
level=WARNING
handlers=h
[logger_a]
level=DEBUG
handlers=f
qualname=a
propagate=0
[logger_ab]
handlers=
qualname=a.b
[handler_h]
class=StreamHandler
level=NOTSET
formatter=f
args=(sys.stderr,)
[handler_f]
class=handlers.RotatingFileHandler
formatter=f
args=(%(path)r, 'a', 200, 1, 'utf-8')
[formatter_f]
format=%%(levelname)s %%(name)s %%(message)s
class=logging.Formatter
"""


def base(w):
    """A configuration with a bit of everything."""
    return {
        "version": 1,
        "formatters": {"f": {"format": "%(levelname)s %(message)s"}, "b": {"format": "{message}", "style": "{"}},
        "filters": {"p": {"name": "a"}},
        "handlers": {
            "s": {"class": "logging.StreamHandler", "formatter": "f", "stream": "ext://sys.stderr", "filters": ["p"]},
            "r": {
                "class": "logging.handlers.RotatingFileHandler",
                "filename": str(w.dir / "r.log"),
                "maxBytes": 60,
                "backupCount": 1,
                "formatter": "b",
            },
            "m": {"class": "logging.handlers.MemoryHandler", "capacity": 2, "target": "s"},
        },
        "loggers": {"a": {"level": "DEBUG", "handlers": ["s", "r"]}, "a.b": {"propagate": False, "handlers": ["m"]}},
        "root": {"level": "INFO", "handlers": ["r"]},
    }


def speak():
    for name in ("", "a", "a.b", "a.b.c", "old", "old.child"):
        logging.getLogger(name).info("to %s", name or "root")
        logging.getLogger(name).debug("debug to %s", name or "root")


@same_as_stdlib
def test_callers_dict_is_unchanged(w):
    config = base(w)
    before = copy.deepcopy(config)
    logging.config.dictConfig(config)
    w.note("unchanged", config == before)
    speak()
    logging.shutdown()


@same_as_stdlib
@pytest.mark.parametrize("disable", [True, False, None])
def test_existing_loggers(w, disable):
    """Children of named loggers are spared."""
    for name in ("old", "a.old", "a.b.c", "other.x"):
        logging.getLogger(name)
    config = base(w)
    if disable is not None:
        config["disable_existing_loggers"] = disable
    logging.config.dictConfig(config)
    for name in ("old", "a.old", "a.b.c", "other.x", "a"):
        w.note(name, logging.getLogger(name).disabled)
    speak()
    logging.shutdown()


@same_as_stdlib
def test_configured_again_and_again(w):
    for _ in range(3):
        logging.config.dictConfig(base(w))
        speak()
    w.note("handlers", sorted(logging._handlers), len(logging._handlerList))
    logging.config.dictConfig(
        {"version": 1, "incremental": True, "handlers": {"s": {"level": "ERROR"}}, "loggers": {"a": {"level": "ERROR"}}}
    )
    speak()
    logging.shutdown()


@same_as_stdlib
@pytest.mark.parametrize(
    "path",
    [
        ("handlers", "s", "class"),
        ("handlers", "s", "level"),
        ("handlers", "s", "formatter"),
        ("handlers", "m", "target"),
        ("loggers", "a", "level"),
        ("formatters", "f", "format"),
        ("formatters", "b", "style"),
        ("handlers", "s", "stream"),
        ("version",),
        ("filters", "p", "()"),
        ("loggers", "a", "handlers"),
        ("root", "filters"),
    ],
    ids=".".join,
)
@pytest.mark.parametrize("value", ["nonsense", 5, None, ["nonsense"]], ids=repr)
def test_failures_chain(w, path, value):
    config = base(w)
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    w.catch(logging.config.dictConfig, config)
    logging.shutdown()


@same_as_stdlib
def test_factories_properties_and_references(w):
    class Handler(logging.StreamHandler):
        def __init__(self, resource, stream=None):
            super().__init__(stream)
            self.resource = resource

    config = {
        "version": 1,
        "formatters": {"f": {"()": lambda tag: logging.Formatter(f"{tag} %(message)s"), "tag": "made"}},
        "handlers": {
            "h": {
                "()": Handler,
                "resource": "cfg://more.list[1]",
                "stream": "ext://sys.stderr",
                "formatter": "f",
                ".": {"terminator": "|\n"},
            },
        },
        "more": {"list": [1, 2, 3]},
        "root": {"handlers": ["h"], "filters": [lambda record: "secret" not in record.msg]},
    }
    w.catch(logging.config.dictConfig, config)
    logging.warning("a")
    logging.warning("secret")
    w.note("handler", [(type(h), vars(h).get("resource"), h.terminator) for h in logging.root.handlers])


@same_as_stdlib
def test_file_configuration(w):
    import configparser

    path = str(w.dir / "f.log")
    text = INI.replace("%(path)r", repr(path))
    (w.dir / "log.ini").write_text(text)
    logging.getLogger("old")
    for source in (w.dir / "log.ini", io.StringIO(text)):
        logging.config.fileConfig(source, encoding="utf-8") if not isinstance(source, io.StringIO) else logging.config.fileConfig(
            source
        )
        speak()
    parser = configparser.ConfigParser()
    parser.read_string(text)
    logging.config.fileConfig(parser, disable_existing_loggers=False)
    speak()
    for wrong in (w.dir / "none.ini", io.StringIO(""), io.StringIO("[x]"), io.StringIO("no ini")):
        try:
            logging.config.fileConfig(wrong)
        except Exception as error:
            w.note("refused", type(error), str(error).replace(str(w.dir), ""))
    logging.shutdown()
    (w.dir / "log.ini").unlink()


@same_as_stdlib
def test_listener_reads_a_length_and_json(w):
    import socket
    import struct

    received = []
    server = logging.config.listen(0, verify=lambda data: received.append(data) or data)
    server.start()
    server.ready.wait()
    config = json.dumps(
        {"version": 1, "handlers": {"h": {"class": "logging.StreamHandler"}}, "root": {"handlers": ["h"]}}
    ).encode()
    with socket.create_connection(("localhost", server.port)) as sock:
        sock.sendall(struct.pack(">L", len(config)) + config)
        while sock.recv(1):
            pass
    logging.config.stopListening()
    server.join()
    logging.error("configured")
    w.note("received", received, logging.root.handlers)


@same_as_stdlib
def test_listener_refuses_what_verify_refuses(w):
    import socket
    import struct

    w.note("default port", logging.config.DEFAULT_LOGGING_CONFIG_PORT, logging.config.listen.__defaults__)
    handlers = list(logging.root.handlers)
    server = logging.config.listen(0, verify=lambda data: None)
    server.start()
    server.ready.wait()
    config = b'{"version": 1, "root": {"handlers": []}}'
    with socket.create_connection(("localhost", server.port)) as sock:
        w.note("bound to", sock.getpeername()[0])
        sock.sendall(struct.pack(">L", len(config)) + config)
        while sock.recv(1):
            pass
    logging.config.stopListening()
    server.join()
    w.note("unchanged", logging.root.handlers == handlers)


@same_as_stdlib
def test_queue_handler_and_listener_by_configuration(w):
    import sys

    if sys.version_info < (3, 12):
        pytest.skip("new in 3.12")
    config = base(w)
    config["handlers"]["q"] = {"class": "logging.handlers.QueueHandler", "handlers": ["r"], "respect_handler_level": True}
    config["root"]["handlers"] = ["q"]
    w.catch(logging.config.dictConfig, config)
    handler = logging.getHandlerByName("q")
    if handler:
        handler.listener.start()
        logging.warning("through the queue")
        handler.listener.stop()
    logging.shutdown()
