"""python-json-logger: it reads the style objects of a Formatter and every field of the record."""

import importlib.util

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pythonjsonlogger") is None, reason="pip install .[ecosystem]")

MASKS = [
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d([.,]\d+)?", "<time>"),
    (r'"(created|msecs|relativeCreated|thread|process)": [\d.]+', r'"\1": 0'),
]


@pytest.mark.parametrize(
    "formatter",
    [
        "JsonFormatter()",
        "JsonFormatter('%(asctime)s %(levelname)s %(name)s %(message)s')",
        (
            "JsonFormatter('%(created)f %(filename)s %(funcName)s %(levelno)s %(lineno)d %(module)s %(msecs)d %(process)d "
            "%(processName)s %(relativeCreated)d %(thread)d %(threadName)s %(message)s')"
        ),
        "JsonFormatter('{levelname}{name}{message}', style='{')",
        "JsonFormatter('${levelname} $name $message', style='$', rename_fields={'levelname': 'severity'})",
        "JsonFormatter(['message', 'levelname', 'exc_info'], style=',') if False else JsonFormatter('levelname,message,name', style=',')",
        "JsonFormatter('%(message)s %(user)s', static_fields={'service': 's'}, defaults={'user': 'nobody'}, timestamp='at')",
        (
            "JsonFormatter('%(message)s', json_indent=1, reserved_attrs=['user'], prefix='p_', exc_info_as_array=True, "
            "stack_info_as_array=True)"
        ),
    ],
)
def test_json_formatter(run, formatter):
    run(
        f"""
        import datetime, io, json, logging, sys, uuid
        from pythonjsonlogger.json import JsonFormatter
        out = io.StringIO()
        handler = logging.StreamHandler(out)
        handler.setFormatter({formatter})
        file = logging.FileHandler("app.log")
        file.setFormatter({formatter})
        log = logging.getLogger("app.module")
        log.setLevel(10)
        log.addHandler(handler)
        log.addHandler(file)
        pass  # late install
        def work():
            log.info("plain")
            log.info("args %s %d", "x", 3)
            log.warning({{"event": "mapping", "n": [1, 2], "when": datetime.date(2020, 1, 2)}})
            log.error("extra", extra={{"user": "u", "nested": {{"a": None}}, "id": uuid.UUID(int=5), "b": b"bytes"}})
            try:
                raise ValueError("v")
            except ValueError:
                log.exception("failed")
            log.critical("stack", stack_info=True)
            log.info("%(a)s", {{"a": 1}})
            logging.LoggerAdapter(log, {{"adapter": True}}).info("adapted")
            log.log(33, "odd level \\u20ac")
        work()
        for line in out.getvalue().splitlines():
            print(line)
        """,
        files=("app.log",),
        masks=MASKS,
    )


def test_subclass_and_dict_config(run):
    run(
        """
        import logging, logging.config, sys
        from pythonjsonlogger.json import JsonFormatter
        class Own(JsonFormatter):
            def add_fields(self, log_record, record, message_dict):
                super().add_fields(log_record, record, message_dict)
                log_record["level"] = record.levelname.lower()
                log_record["where"] = f"{record.filename}:{record.lineno}:{record.funcName}"
            def process_log_record(self, log_record):
                log_record.pop("name", None)
                return super().process_log_record(log_record)
        sys.modules["own"] = sys.modules["__main__"]
        logging.config.dictConfig({"version": 1, "formatters": {"j": {"()": "own.Own", "fmt": "%(message)s %(name)s"}},
            "handlers": {"h": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "j"}},
            "root": {"handlers": ["h"], "level": "DEBUG"}})
        pass  # late install
        def work():
            logging.getLogger("a.b").debug("text %s", 1, extra={"k": 2})
            logging.info("root")
        work()
        record = logging.makeLogRecord({"msg": "made", "levelname": "X", "k": 1})
        print(logging.root.handlers[0].formatter.format(record))
        """,
        masks=MASKS,
    )
