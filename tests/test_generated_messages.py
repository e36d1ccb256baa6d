"""Generated messages and formatters: every `%` format, every style, every kind of value."""

import logging

from hypothesis import given
from hypothesis import strategies as st
from oracle.formats import formatters, percent_messages
from oracle.generated import compare_generated, examples
from oracle.values import build, mappings, values


@examples(500)
@given(
    messages=st.lists(percent_messages(), min_size=1, max_size=30),
    seen=st.booleans(),
    live=st.booleans(),
    raising=st.sampled_from([True, True, True, False]),
)
def test_messages_with_arguments(messages, seen, live, raising):
    def scenario(w):
        logging.raiseExceptions = raising
        log, handler, stream = w.plain("%(message)s")
        w.logger("app.sub").propagate = True
        if seen:
            records = w.keeper(log)
        for msg, args in messages:
            try:
                log.info(build(msg, w), *build(args, w))
            except BaseException as error:
                w.note("raised", error)
        if seen:
            w.note("seen", records)

    compare_generated(scenario, len(messages), live=live)


@examples(400)
@given(
    specs=st.lists(formatters(), min_size=1, max_size=8),
    messages=st.lists(percent_messages(), min_size=1, max_size=3),
    extra=mappings,
)
def test_formatters_of_every_style(specs, messages, extra):
    def scenario(w):
        for spec in specs:
            try:
                formatter = logging.Formatter(spec.fmt, spec.datefmt, spec.style, spec.validate, defaults=build(spec.defaults, w))
            except BaseException as error:
                w.note("refused", error)
                continue
            w.note("formatter", formatter._fmt, type(formatter._style), vars(formatter))
            log, handler, stream = w.plain()
            handler.setFormatter(formatter)
            log.handlers[:] = [handler]
            for msg, args in messages:
                try:
                    log.info(build(msg, w), *build(args, w), extra=build(extra, w))
                except BaseException as error:
                    w.note("raised", error)
                w.take(stream)
            w.catch(formatter.format, logging.makeLogRecord({"msg": "m", "created": 1.5e9, "msecs": 7.0}))
            w.catch(formatter.usesTime)

    compare_generated(scenario, len(specs) * (len(messages) + 1), live=False)


FIELDS = [
    "name",
    "msg",
    "args",
    "levelname",
    "exc_info",
    "exc_text",
    "stack_info",
    "created",
    "msecs",
    "message",
    "asctime",
    "k",
    "lineno",
]


@examples(200)
@given(
    spec=formatters(),
    records=st.lists(st.dictionaries(st.sampled_from(FIELDS), values, max_size=5), min_size=1, max_size=10),
)
def test_records_with_attributes_of_any_kind(spec, records):
    def scenario(w):
        try:
            formatter = logging.Formatter(spec.fmt, spec.datefmt, spec.style, spec.validate, defaults=build(spec.defaults, w))
        except BaseException as error:
            w.note("refused", error)
            return
        handler = logging.StreamHandler(w.stream())
        handler.setFormatter(formatter)
        for fields in records:
            record = w.catch(logging.makeLogRecord, build(fields, w))
            w.catch(formatter.format, record)
            w.catch(handler.handle, record)
            w.note("after", record)

    compare_generated(scenario, 2 * len(records), live=False)
