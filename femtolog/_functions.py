"""The functions of `femtolog` that programs call seldom: the module has them, and this file is read at the first use of one.

Most programs use none of them, and reading them took a tenth of the time of `import femtolog`.
"""

import sys as _sys

from femtolog_compat import load_native_or_fall_back as _load_native_or_fall_back

_native = _load_native_or_fall_back()


def stats() -> dict[str, object]:
    """What ran natively and what was left to the interpreter's own code, since the process began or reset_stats().

    `native`: records made natively; `emits`: emissions of handlers done natively; `real_records`: records that Python code
    had to see and that became LogRecord objects; `reference`: each reason for using the interpreter's code, with its count. While
    femtolog.metrics is enabled also `records` and `handlers`, as its read() has them.

    Examples:
        >>> import io
        >>> import femtolog as logging
        >>> logging.basicConfig(stream=io.StringIO())
        >>> logging.warning("one")
        >>> logging.stats()
        {'native': 1, 'emits': 1, 'real_records': 0, 'reference': {}}
    """
    if _native is None:
        return {"native": 0, "emits": 0, "real_records": 0, "reference": {}}
    counts: dict[str, object] = _native.stats()
    metrics = _sys.modules.get("femtolog.metrics")
    if metrics is not None and metrics.is_enabled():
        numbers = metrics.read()
        counts.update(records=numbers.records, handlers=numbers.handlers)
    return counts


def reset_stats() -> None:
    """Set all counts of stats() back to nought.

    Examples:
        >>> import femtolog as logging
        >>> logging.getLogger("app").addHandler(logging.NullHandler())
        >>> logging.getLogger("app").warning("one")
        >>> logging.reset_stats()
        >>> logging.stats()["native"]
        0
    """
    if _native is not None:
        _native.reset_stats()


def add_level(name: str, level: int) -> None:
    """Name a level and give it its methods: after add_level("NOTICE", 25) there are Logger.notice(), LoggerAdapter.notice()
    and logging.notice() beside info() and the others, with the same arguments; callers are found as for these.

    The methods are `name` in lower case. ValueError if one of that name is there already, unless it is this very level's, and
    for a name that cannot be a method's; TypeError for a name that is no str or a level that is no int. Nothing is changed then.

    Examples:
        >>> import sys
        >>> import femtolog as logging
        >>> logging.add_level("NOTICE", 25)
        >>> logging.basicConfig(stream=sys.stdout, level="NOTICE")
        >>> logging.getLogger("app").notice("%d orders", 3)
        NOTICE:app:3 orders
    """
    from femtolog._levels import add

    add(name, level)


def explain(logger, level, record=None):  # type: ignore[no-untyped-def]
    """Why a record of this level would be logged by this logger, or not: sentences, each about one logger, handler or filter.

    `logger` is a logger, an adapter or a name (of a logger that need not exist); `level` a number or a name. Nothing is logged,
    created or changed. Filters with code of their own are run only if a `record` is given, on a copy of it. The answer is a list
    of str whose `steps` are the same as data, and whose `logged` is True, False, or None if code that was not run decides.
    ValueError for a name that is no level, TypeError for what is neither logger nor name.

    Examples:
        >>> import femtolog as logging
        >>> logging.getLogger("shop").setLevel("WARNING")
        >>> why = logging.explain("shop.orders", "INFO")
        >>> for sentence in why[1:]:
        ...     print(sentence)
        Logger 'shop.orders' has level WARNING (30) from logger 'shop': INFO (20) is below it.
        So it is not logged.
        >>> why.logged, why.steps[1].reason
        (False, 'level')
    """
    from femtolog._explain import explain

    return explain(logger, level, record)


def doctor():  # type: ignore[no-untyped-def]
    """What of this process's logging runs natively, what takes the general path, and why: sentences, `data` is the same as a dict.

    Versions, how interpreter structures are read, who installed femtolog, which methods of logging somebody patched, each
    logger, handler, filter and formatter that is not native with its reasons, and the counts of stats(). Changes nothing.

    Examples:
        >>> import femtolog as logging
        >>> class Brief(logging.Formatter):
        ...     def format(self, record):
        ...         return record.getMessage()
        >>> handler = logging.StreamHandler()
        >>> handler.setFormatter(Brief())
        >>> logging.getLogger("shop").addHandler(handler)
        >>> told = logging.doctor()
        >>> [sentence for sentence in told if "Brief" in sentence]  # doctest: +ELLIPSIS
        ["Formatter ...Brief of <StreamHandler ...> of logger 'shop' takes the general path: ...Brief overrides format()."]
        >>> told.data["installed"]
        True
    """
    from femtolog._doctor import doctor

    return doctor()


def fileConfig(fname, defaults=None, disable_existing_loggers=True, encoding=None, *, safe=False):  # type: ignore[no-untyped-def]  # noqa: N802 (the stdlib's name)
    """logging.config.fileConfig(), which with `safe` evaluates nothing but literals, sys.stdout and sys.stderr.

    The standard library evaluates `args`, `kwargs`, `defaults` and `class` of a file's sections as Python, so whoever can write
    the file can run anything. With `safe` a class must be the name of a subclass of Handler or Formatter (its module is
    imported). ValueError names the section and the option that are refused; nothing is configured then.

    Examples:
        >>> import io
        >>> import femtolog
        >>> file = '''
        ... [loggers]
        ... keys=root
        ... [handlers]
        ... keys=hand
        ... [formatters]
        ... keys=
        ... [logger_root]
        ... handlers=hand
        ... [handler_hand]
        ... class=StreamHandler
        ... args=(__import__('os').system('rm -r /srv'),)
        ... '''
        >>> femtolog.fileConfig(io.StringIO(file), safe=True)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        femtolog.errors.ConfigurationError: ...
    """
    if safe:
        from femtolog._file_config import load

        load(fname, defaults, disable_existing_loggers, encoding)
    else:
        import logging.config as _config

        _config.fileConfig(fname, defaults, disable_existing_loggers, encoding)


def enqueue(  # type: ignore[no-untyped-def]
    handler,
    *,
    capacity=1024,
    capacity_bytes=64 << 20,
    overflow="block",
    protect_level=40,
    timeout=10.0,
    spill_dir=None,
    spill_max="1 GiB",
    on_error=None,
    on_drop=None,
):
    """Make this handler asynchronous and return it: its records are filtered and formatted by the caller, written by a thread.

    The handler stays the object it is, an instance of the classes it was an instance of, with its formatter, filters and level. It gains
    `flush(timeout) -> bool`, `aflush()`, `stats()`. At most `capacity` records and `capacity_bytes` bytes are in flight. Where
    there is no room, `overflow` says what happens: "block" (the caller waits), "drop" (the new record is dropped), "drop_oldest",
    "timeout:N" (the caller waits N ms, then it is dropped), or "spill" (it waits in `spill_dir`, a directory of this handler's own, which grows
    up to `spill_max`; what is left there when the process ends is written by the next one). Records of `protect_level` and above are
    dropped after all others. A thread of its own calls `on_error(exception, n)` for n records that the sink failed to write and
    `on_drop(reason, n)` for n dropped ones, once a second at most and when the handler is closed; what they raise is counted.
    flush() and close() take at most `timeout` seconds unless told otherwise. TypeError for what is no
    handler, or one with a handle() of its own; ValueError for one that is asynchronous already and for options out of range;
    OSError for a `spill_dir` that cannot be used.

    Examples:
        >>> import io
        >>> import femtolog as logging
        >>> handler = logging.enqueue(logging.StreamHandler(io.StringIO()), capacity=1000, overflow="timeout:20")
        >>> logging.basicConfig(handlers=[handler])
        >>> logging.warning("written by another thread")
        >>> handler.flush(timeout=5.0)
        True
        >>> print(handler.stream.getvalue(), end="")
        WARNING:root:written by another thread
    """
    from femtolog._enqueue import enqueue

    return enqueue(
        handler,
        capacity=capacity,
        capacity_bytes=capacity_bytes,
        overflow=overflow,
        protect_level=protect_level,
        timeout=timeout,
        spill_dir=spill_dir,
        spill_max=spill_max,
        on_error=on_error,
        on_drop=on_drop,
    )


def asyncio_guard(threshold_ms=20):  # type: ignore[no-untyped-def]
    """Warn when a handler keeps a running event loop waiting for longer than this, from now until close(), or in a `with` block.

    A RuntimeWarning names the handler and stands at the call that logged; at most one of a handler in five seconds. `count` of the
    result counts all. Handlers take the general path meanwhile: for development and tests, not for production.

    Examples:
        >>> import femtolog
        >>> with femtolog.asyncio_guard(threshold_ms=20) as guard:
        ...     pass  # asyncio.run(main())
        >>> guard.count
        0
    """
    from femtolog._watch import Watch

    return Watch(threshold_ms / 1000, in_loop_only=True)


def watch_handlers(slow_ms=100):  # type: ignore[no-untyped-def]
    """Warn when a handler takes longer than this for a record, from now until close(), or in a `with` block.

    As asyncio_guard(), in every thread, and the RuntimeWarning shows the stack of the call. Of an asynchronous handler the
    caller's part is measured, waiting for room in its queue included; not what its thread does.

    Examples:
        >>> import logging, time, femtolog
        >>> class Slow(logging.Handler):
        ...     def emit(self, record):
        ...         time.sleep(0.002)
        >>> log = logging.Logger("shop")
        >>> log.addHandler(Slow())
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as caught, femtolog.watch_handlers(slow_ms=1) as watch:
        ...     log.warning("late")
        ...     log.warning("late again")
        >>> len(caught), watch.count
        (1, 2)
    """
    from femtolog._watch import Watch

    return Watch(slow_ms / 1000, in_loop_only=False)


def dictConfig(config):  # type: ignore[no-untyped-def]  # noqa: N802 (the stdlib's name)
    """logging.config.dictConfig() with one key more: a handler with `"enqueue": True` is made asynchronous.

    Instead of True a dict may stand there: the options of enqueue(). As with any other error of a handler's, ValueError names the
    handler that cannot be.

    Examples:
        >>> import logging, femtolog
        >>> handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "enqueue": {"capacity": 100}}
        >>> femtolog.dictConfig({"version": 1, "handlers": {"screen": handler}, "root": {"handlers": ["screen"]}})
        >>> logging.warning("written by another thread"), logging.root.handlers[0].flush(timeout=5)
        written by another thread
        (None, True)
    """
    from femtolog._dict_config import load

    load(config)


def configure(  # type: ignore[no-untyped-def]
    *,
    async_,
    capacity=1024,
    capacity_bytes=64 << 20,
    overflow="block",
    protect_level=40,
    timeout=10.0,
    spill_dir=None,
    spill_max="1 GiB",
    on_error=None,
    on_drop=None,
):
    """Make all stream and file handlers that loggers have now asynchronous, with enqueue() and its options; they are returned.

    What is asynchronous already stays as it is, and so does a handler with a handle() of its own. `async_` has to be True.

    Examples:
        >>> import logging, sys, femtolog
        >>> logging.basicConfig(stream=sys.stdout)
        >>> [handler] = femtolog.configure(async_=True, overflow="drop_oldest")
        >>> handler.stats()["emitted"]
        0
    """
    from femtolog._dict_config import enqueue_all

    if async_ is not True:
        from femtolog.errors import ConfigurationError

        raise ConfigurationError(f"async_ must be True, got {async_!r}: what is asynchronous stays so")
    return enqueue_all(
        capacity=capacity,
        capacity_bytes=capacity_bytes,
        overflow=overflow,
        protect_level=protect_level,
        timeout=timeout,
        spill_dir=spill_dir,
        spill_max=spill_max,
        on_error=on_error,
        on_drop=on_drop,
    )


def get_logger(name):  # type: ignore[no-untyped-def]
    """The one FemtoLogger of this name: `logging.getLogger(name)` with the methods of femtologging's loggers, see femtolog.femto.

    ConfigurationError, which is a ValueError, for an empty name, and one with an empty part between its dots.

    Examples:
        >>> import femtolog
        >>> femtolog.get_logger("shop").log("info", "open")
        'shop [INFO] open'
    """
    from femtolog.femto.logger import get_logger

    return get_logger(name)
