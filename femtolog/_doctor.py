"""What of this process's logging runs natively, what does not, and why: sentences, and the same as data.

Nothing is logged, installed or changed. Whether a step is native is not worked out here: the guards of the native tier are asked,
which decide it at each call.
"""

from __future__ import annotations

import os
import platform
import sys
from types import FunctionType

from femtolog_compat import OFF, VERSION, how_installed, install_at_start_up, is_installed, load_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

OPTIONS = "FEMTOLOG_DOCTOR"
"""The environment variable in which the command tells the process it starts where the report goes."""

STEPS = {
    "logger": ("isEnabledFor", "getEffectiveLevel", "_log", "findCaller", "makeRecord", "handle", "filter", "callHandlers"),
    "handler": ("handle", "filter", "acquire", "release", "emit", "format", "flush"),
    "formatter": ("format", "usesTime", "formatTime", "formatMessage", "formatException", "formatStack"),
    "style": ("format", "_format", "usesTime"),
}

FEW = 5
"""So many loggers of a kind are named."""


class Diagnosis(list[str]):
    """The sentences. `data` is the same as a dict that `json` can write."""

    data: dict[str, Any]


def doctor() -> Diagnosis:
    """See femtolog.doctor()."""
    told = Diagnosis()
    native, error = _native()
    data: dict[str, Any] = {
        "femtolog": VERSION,
        "python": f"{sys.implementation.name} {platform.python_version()}",
        "platform": platform.platform(),
        "extension": getattr(native, "__file__", None),
        "error": error,
        "reads": native.raw_layout() if native is not None else None,
        "reads_why": native.raw_refusal() if native is not None else None,
        "installed": is_installed(),
        "installed_by": how_installed()[0],
        "installed_in_place": how_installed()[1],
        "start_up_file": _start_up_file(),
        "environment": {name: value for name, value in os.environ.items() if name.startswith("FEMTOLOG") and name != OPTIONS},
        "patched": [],
        "disabled": [],
        "objects": [],
        "stats": None,
    }
    told.data = data
    told += _about_the_process(data)
    if native is None or "logging" not in sys.modules:
        if native is not None:
            told.append("Nothing has imported logging yet.")
        return told
    data["patched"] = _patches(native)
    told += [
        f"{one['by']} {one['how']} {one['name']} ({one['what']}): that step is its code; what is around it stays native."
        for one in data["patched"]
    ]
    told += _about_disabled(data)
    if data["installed"] and native.is_bound():
        data["objects"] = list(_objects(native, {one["name"]: one["by"] for one in data["patched"]}))
        told += _about_objects(data["objects"])
    data["stats"] = stats = native.stats()
    told += _about_counts(stats)
    return told


def _native() -> tuple[Any, str | None]:
    try:
        return load_native(), None
    except ImportError as error:
        return None, str(error)


def _start_up_file() -> bool:
    from femtolog_compat.run import startup_file_works

    return startup_file_works()


# -- the process --------------------------------------------------------------------------------------------------------------


def _about_the_process(data: dict[str, Any]) -> Iterator[str]:
    yield f"femtolog {data['femtolog']} on {data['python']}, {data['platform']}."
    if data["error"]:
        yield f"The native tier cannot run: {data['error']}."
        asked = os.environ.get("FEMTOLOG_FALLBACK", "").lower() not in OFF
        yield (
            "FEMTOLOG_FALLBACK is set, so logging is the standard library's."
            if asked
            else "With FEMTOLOG_FALLBACK=1 programs go on with the standard library's logging."
        )
        return
    if data["reads"] in ("raw", "parallel"):
        yield "Interpreter structures are read in place; the self-test has proven their layout."
    else:
        yield f"Interpreter structures are read by the public API, which is slower ({data['reads_why']})."
    if data["installed"]:
        when = "when logging had been imported: in place" if data["installed_in_place"] else "before logging was imported"
        yield f"Installed by {data['installed_by']}, {when}."
    else:
        yield "Not installed: logging is run by the standard library's own code."
    if not data["start_up_file"]:
        yield "FEMTOLOG=1 has no effect here: femtolog.pth is not in a site-packages folder of this interpreter."


# -- patches ------------------------------------------------------------------------------------------------------------------


def _patches(native: Any) -> list[dict[str, str]]:
    """Each method of logging that native code runs or knows, where something of somebody else's stands or the code was exchanged."""
    found = []
    installed = native.is_bound()
    for name, bound in native.bound_objects().items():
        place = _holder(name)
        if place is None or (sys.version_info < (3, 12) and (name.endswith((".fget", ".fset")) or name == "shutdown")):
            continue  # stays the interpreter's on 3.11
        module, holder, attribute = place
        now = _own(holder, attribute)
        if now is None or now is bound:
            continue
        ours = type(now) is FunctionType and now.__globals__ is vars(module)
        if ours and not installed:
            continue
        code = getattr(now, "__code__", None)
        if ours and code is not None and code.co_filename == vars(module).get("__file__") and now.__qualname__ == name:
            continue  # a module that was read again: the interpreter's own, and not bound yet
        # A wrapper (wrapt's, say) passes for what it wraps; whose it is, its own function tells.
        maker = getattr(now, "_self_wrapper", None) or now
        owner = str(getattr(maker, "__module__", None) or type(maker).__module__)
        if owner in ("logging", "logging.handlers") and not ours:
            maker, owner = type(now), str(type(now).__module__)
        how = "patched"
        shown = f"{owner}.{getattr(maker, '__qualname__', type(maker).__qualname__)}"
        if ours:
            how, owner = "exchanged the code of", os.path.basename(code.co_filename) if code is not None else "somebody"
            shown = f"{code.co_filename}, line {code.co_firstlineno}" if code is not None else shown
        found.append({"name": name, "by": owner.partition(".")[0] or owner, "how": how, "what": shown})
    return found


def _holder(name: str) -> tuple[Any, Any, str] | None:
    first, _, rest = name.partition(".")
    for module in map(sys.modules.get, ("logging", "logging.handlers", "logging.config")):
        holder = vars(module).get(first) if module is not None else None
        if not rest and holder is not None:
            return module, module, first
        if isinstance(holder, type):
            return module, holder, rest
    return None


def _own(holder: Any, attribute: str) -> Any:
    name, _, half = attribute.partition(".")
    found = vars(holder).get(name)
    return getattr(found, half, None) if half and found is not None else found


# -- disabled loggers ---------------------------------------------------------------------------------------------------------


def _about_disabled(data: dict[str, Any]) -> Iterator[str]:
    """Fills in which loggers are disabled, and by which configuration as far as that is known; a sentence for each configuration."""
    off = [logger for logger in _loggers() if logger.disabled]
    if not off:
        return
    from femtolog._explain import disabled

    groups: dict[str, list[str]] = {}
    for logger in off:
        step = disabled(logger)
        data["disabled"].append({"name": logger.name, "by": step.by and step.by._asdict()})
        groups.setdefault(step.text.partition(" is disabled")[2], []).append(repr(logger.name))
    for why, names in groups.items():
        yield (
            f"Logger {names[0]} is disabled{why}"
            if len(names) == 1
            else f"{len(names)} loggers ({_some(names)}) are disabled{why}"
        )


# -- objects ------------------------------------------------------------------------------------------------------------------


def _objects(native: Any, patched: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every logger, handler, filter and formatter that a record could meet now."""
    import logging

    seen: set[int] = set()
    for logger in _loggers():
        label = "the root logger" if logger is logging.root else f"logger {logger.name!r}"
        yield _object(native, patched, "logger", logger, label)
        yield from _filters(logger, label, seen)
        for handler in list(logger.handlers):
            yield from _handler(native, patched, handler, label, seen)
    if logging.lastResort is not None:
        yield from _handler(native, patched, logging.lastResort, "logging.lastResort", seen)
    factory = logging.getLogRecordFactory()
    if factory is not logging.LogRecord:
        why = f"the record factory is {_name(factory)}: it is called for each record"
        yield {"kind": "factory", "name": _name(factory), "native": False, "reasons": [why]}


def _loggers() -> list[Any]:
    import logging

    return [logging.root, *(one for one in list(logging.root.manager.loggerDict.values()) if isinstance(one, logging.Logger))]


def _handler(native: Any, patched: dict[str, str], handler: Any, owner: str, seen: set[int]) -> Iterator[dict[str, Any]]:
    if id(handler) in seen:
        return
    seen.add(id(handler))
    label = f"{_shown(handler)} of {owner}" if owner != "logging.lastResort" else owner
    yield _object(native, patched, "handler", handler, label)
    yield from _filters(handler, label, seen)
    formatter = handler.formatter
    if formatter is None or id(formatter) in seen:
        return
    seen.add(id(formatter))
    one = _object(native, patched, "formatter", formatter, f"{_class(type(formatter))} of {label}")
    style = getattr(formatter, "_style", None)
    if style is not None:
        one["reasons"] += _object(native, patched, "style", style, "")["reasons"]
        one["native"] = not one["reasons"]
    yield one


def _filters(owner: Any, label: str, seen: set[int]) -> Iterator[dict[str, Any]]:
    import logging

    for one in list(owner.filters):
        if id(one) in seen:
            continue
        seen.add(id(one))
        own = type(one) is logging.Filter
        reasons = [] if own else [f"{_name(one)} is Python code: it is called with a LogRecord for each record that comes so far"]
        yield {"kind": "filter", "name": f"{_name(one)} of {label}", "native": own, "reasons": reasons}


def _object(native: Any, patched: dict[str, str], kind: str, thing: Any, label: str) -> dict[str, Any]:
    reasons = []
    for step in STEPS[kind]:
        if kind == "handler" and step == "flush" and not hasattr(type(thing), "stream") and not hasattr(thing, "stream"):
            continue
        if native.runs(thing, step) is None:
            reasons.append(_reason(thing, step, patched))
    kind_of_thing: Any = type(thing)
    if kind_of_thing.__getattribute__ is not object.__getattribute__ or hasattr(type(thing), "__getattr__"):
        reasons.append(f"{_class(type(thing))} looks its attributes up by code of its own: they are read the slow way")
    return {"kind": kind, "name": label, "native": not reasons, "reasons": reasons}


def _reason(thing: Any, step: str, patched: dict[str, str]) -> str:
    if step in getattr(thing, "__dict__", ()):
        return f"{step}() is set on the instance: {_name(vars(thing)[step])}"
    for cls in type(thing).__mro__:
        if step in vars(cls):
            by = patched.get(f"{cls.__name__}.{step}") if cls.__module__.startswith("logging") else None
            if by is not None:
                return f"{by} patched {cls.__name__}.{step}"
            if cls.__module__ in ("logging", "logging.handlers"):
                return f"{cls.__name__}.{step} has no native form; the standard library's own code runs"
            return f"{_class(cls)} overrides {step}()"
    return f"{_class(type(thing))} has no {step}()"


def _class(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ in ("logging", "logging.handlers") else f"{cls.__module__}.{cls.__qualname__}"


def _name(thing: Any) -> str:
    qualified = getattr(thing, "__qualname__", None)
    return f"{getattr(thing, '__module__', '?')}.{qualified}" if qualified else _class(type(thing))


def _shown(thing: object) -> str:
    try:
        return repr(thing)
    except Exception as error:  # noqa: BLE001 - it is only to be shown
        return f"{object.__repr__(thing)} (its repr fails: {type(error).__name__})"


def _about_objects(objects: list[dict[str, Any]]) -> Iterator[str]:
    yield from _about_loggers([one for one in objects if one["kind"] == "logger"])
    for kind in ("filter", "handler", "formatter", "factory"):
        for one in objects:
            if one["kind"] != kind:
                continue
            name = _capital(f"{kind} {one['name']}")
            yield f"{name} runs natively." if one["native"] else f"{name} takes the general path: {'; '.join(one['reasons'])}."


def _about_loggers(loggers: list[dict[str, Any]]) -> Iterator[str]:
    """Those with the same reasons together: a program has hundreds of loggers."""
    native = sum(one["native"] for one in loggers)
    if native:
        yield f"{native} of {len(loggers)} loggers run natively." if len(loggers) != 1 else "The root logger runs natively."
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in loggers:
        if not one["native"]:
            groups.setdefault(tuple(one["reasons"]), []).append(one["name"])
    for reasons, names in groups.items():
        if len(names) == 1:
            yield f"{_capital(names[0])} takes the general path: {'; '.join(reasons)}."
        else:
            yield f"{len(names)} of {len(loggers)} loggers take the general path ({_some(names)}): {'; '.join(reasons)}."


def _some(names: list[str]) -> str:
    return ", ".join(names[:FEW]) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _about_counts(stats: dict[str, Any]) -> Iterator[str]:
    records, real = stats["native"], stats["real_records"]
    if not records and not stats["emits"]:
        yield "Nothing has run natively yet."
        return
    yield (
        f"{records} records were made natively and {stats['emits']} emissions of handlers done natively; "
        f"{real} records became LogRecord objects, because Python code had to see them."
    )
    for reason, number in stats["reference"].items():
        yield f"Left to the standard library's own code {number} times: {reason}."


# -- the command --------------------------------------------------------------------------------------------------------------

USAGE = """\
usage: python -m femtolog doctor [--json] [--output FILE] [--explain LOGGER[=LEVEL]] ...
                                 [[option] ... [-c cmd | -m mod | file] [arg] ...]

Says what of a program's logging runs natively when it ends, what does not, and why; with --explain also why a line of that logger
and level (INFO) would appear, or not. Without a program: whether femtolog can run here. The report goes to stdout, with a program to
stderr, or to FILE. Exit status: the program's; without one, 1 if femtolog cannot run.
"""


def main(arguments: list[str]) -> None:
    """Report on a program that is run now, or on this interpreter."""
    from femtolog_compat import run

    as_json = False
    output = ""
    lines: list[str] = []
    while arguments and arguments[0] in ("--json", "--output", "--explain"):
        option = arguments.pop(0)
        if option == "--json":
            as_json = True
        elif not arguments:
            sys.exit(f"femtolog doctor: {option} wants a value\n{USAGE}")
        elif option == "--output":
            output = arguments.pop(0)
        else:
            lines.append(arguments.pop(0))
    if arguments and arguments[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return
    if not arguments:
        diagnosis = doctor()
        _explain(diagnosis, lines)
        _write(diagnosis, as_json, output, sys.stdout)
        sys.exit(1 if diagnosis.data["error"] else 0)
    load_native()  # an ImportError belongs to this command line
    os.environ["FEMTOLOG"] = "doctor"
    os.environ[OPTIONS] = "\n".join(["json" if as_json else "text", os.path.abspath(output) if output else "", *lines])
    run.run_program(arguments)


def start() -> None:
    """Install, and report when the process ends: at start-up, by FEMTOLOG=doctor."""
    import atexit

    os.environ["FEMTOLOG"] = "1"  # child processes have femtolog and no doctor
    form, output, *lines = os.environ.pop(OPTIONS, "text\n").split("\n")
    # First registered, so last to run.
    atexit.register(_report_at_exit, os.getpid(), form == "json", output, lines)
    install_at_start_up("FEMTOLOG=doctor at start-up")


def _report_at_exit(owner: int, as_json: bool, output: str, lines: list[str]) -> None:
    if os.getpid() != owner:
        return  # a forked child that runs the functions of its parent
    if sys.stdout is not None:
        sys.stdout.flush()
    diagnosis = doctor()
    _explain(diagnosis, lines)
    _write(diagnosis, as_json, output, sys.stderr)


def _explain(diagnosis: Diagnosis, lines: list[str]) -> None:
    """Add what explain() says of each LOGGER=LEVEL."""
    diagnosis.data["explained"] = explained = []
    if not lines:
        return
    from femtolog._explain import explain

    for line in lines:
        name, _, level = line.rpartition("=") if "=" in line else (line, "", "INFO")
        level = level.upper()
        try:
            told = explain(name, int(level) if level.isdecimal() else level, None)
        except ValueError as error:
            diagnosis.append(f"{line}: {error}")
            continue
        diagnosis.append(f"A line of logger {name!r} and level {level}:")
        diagnosis += [f"  {sentence}" for sentence in told]
        explained.append({"logger": name, "level": level, "sentences": list(told), "logged": told.logged})


def _write(diagnosis: Diagnosis, as_json: bool, output: str, stream: Any) -> None:
    if as_json:
        import json

        text = json.dumps(diagnosis.data, indent=2) + "\n"
    else:
        text = "".join(f"{sentence}\n" for sentence in diagnosis)
    if output:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
    elif stream is not None:
        stream.write(text)
        stream.flush()
