"""`python -m femtolog lint`: logging calls that cost more than they need, lose their text or fail when they are made.

Reads sources and runs nothing. A call counts as one of logging's if its receiver is the module, what getLogger() gave, or is called
like a logger (`log`, `logger`, `self._logger`) in a file that uses neither loguru nor structlog.
"""

from __future__ import annotations

import ast
import json
import re
import sys

from femtolog._sources import Remark, Source, Unreadable, dotted, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CODES = {
    "FL000": "a file that cannot be read or parsed",
    "FL101": "an f-string as the message",
    "FL102": "a message made with %",
    "FL103": "a message made with .format()",
    "FL104": "a message put together with +",
    "FL201": "more or fewer arguments than the message has places for",
    "FL202": "a message with names, and arguments without them",
    "FL203": "a message that % cannot format",
    "FL301": "a key of extra that a record has already",
    "FL401": "exc_info or exception() where no exception is being handled",
    "FL501": "a logger named after a file",
    "FL502": "warn(), which is deprecated",
}

USAGE = """\
usage: python -m femtolog lint [--json] [--select CODES] [--ignore CODES] PATH ...

Looks through Python files, and folders of them, for logging calls that are wrong or wasteful. CODES: FL101,FL2 and the like, with commas.
`# noqa: FL101` at the end of a line silences one. Exit status: 0 nothing found, 1 something found, 2 wrong usage.

"""

MODULES = frozenset({"logging", "femtolog", "picologging"})
OTHERS = frozenset({"loguru", "structlog"})
METHODS = frozenset({"debug", "info", "warning", "warn", "error", "critical", "fatal", "exception", "log"})
CALLED_LIKE_A_LOGGER = re.compile(r"(?:^|_)log(?:ger)?$", re.IGNORECASE)
RESERVED = frozenset(
    {
        "name",
        "msg",
        "args",
        "levelname",
        "levelno",
        "pathname",
        "filename",
        "module",
        "exc_info",
        "exc_text",
        "stack_info",
        "lineno",
        "funcName",
        "created",
        "msecs",
        "relativeCreated",
        "thread",
        "threadName",
        "processName",
        "process",
        "taskName",
        "message",
        "asctime",
    }
)
"""Of all versions: taskName is there since 3.12."""

DIRECTIVE = re.compile(
    r"%(?P<key>\((?P<name>[^)]*)\))?(?P<flags>[#0\- +]*)(?P<width>\*|\d*)(?:\.(?P<precision>\*|\d*))?[hlL]?(?P<kind>.|$)",
    re.DOTALL,
)


def main(arguments: list[str]) -> None:
    """Look through the paths that `arguments` name and exit with what was found."""
    options = {"--select": "FL", "--ignore": ""}
    as_json = False
    while arguments and arguments[0].startswith("-"):
        option = arguments.pop(0)
        name, _, value = option.partition("=")
        if option in ("-h", "--help"):
            sys.stdout.write(USAGE + "".join(f"  {code}  {text}\n" for code, text in CODES.items()))
            sys.exit(0)
        if option == "--json":
            as_json = True
        elif name in options and (value or arguments):
            options[name] = value or arguments.pop(0)
        else:
            _wrong(f"{option!r} is no option, or lacks its value")
    if not arguments:
        _wrong("a path is missing")
    select, ignore = (tuple(code for code in text.replace(" ", "").split(",") if code) for text in options.values())
    for code in (*select, *ignore):
        if not any(known.startswith(code) for known in CODES):
            _wrong(f"no code begins with {code!r}")
    found = [
        remark
        for path in find(arguments)
        for remark in lint(path)
        if remark.code.startswith(select) and not (ignore and remark.code.startswith(ignore))
    ]
    if as_json:
        print(json.dumps([remark._asdict() for remark in found], indent=2))
    else:
        for remark in found:
            print(remark)
    sys.exit(1 if found else 0)


def _wrong(text: str) -> None:
    sys.stderr.write(f"femtolog lint: {text}\n{USAGE}")
    sys.exit(2)


def lint(path: str) -> list[Remark]:
    """What is to be said of a file, in the order of its lines."""
    try:
        source = Source(path)
    except Unreadable as error:
        return [Remark(path, error.line, 1, "FL000", str(error))]
    if "log" not in source.text.lower():
        return []  # neither a module nor a name of a logger: most files
    return sorted(set(_File(source).remarks()))


class _File:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.modules: set[str] = set()  # names the module goes by here
        self.functions: dict[str, str] = {}  # what was imported from it, by the name here
        self.loggers: set[str] = set()  # names and attributes that getLogger() or LoggerAdapter() was assigned to
        self.foreign = False
        nodes = list(ast.walk(source.tree))
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._imported(alias.name.partition(".")[0], alias)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self.foreign |= (node.module or "").partition(".")[0] in OTHERS
                if node.module in MODULES:
                    self.functions.update({alias.asname or alias.name: alias.name for alias in node.names})
        for node in nodes:
            self._assigned(node)

    def _imported(self, package: str, alias: ast.alias) -> None:
        self.foreign |= package in OTHERS
        if package in MODULES and (alias.asname is None or alias.name == package):
            self.modules.add(alias.asname or package)

    def _assigned(self, node: ast.AST) -> None:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            targets, value = [node.target], node.value
        elif (
            isinstance(node, ast.arg)
            and node.annotation is not None
            and self._meant(node.annotation) in ("Logger", "LoggerAdapter")
        ):
            self.loggers.add(node.arg)
        if targets and isinstance(value, ast.Call) and self._meant(value.func) in ("getLogger", "LoggerAdapter", "Logger"):
            self.loggers.update(name for name in map(dotted, targets) if name)

    def _meant(self, node: ast.AST) -> str | None:
        """Which name of logging this expression is."""
        name = dotted(node)
        if name is None:
            return None
        module, _, attribute = name.rpartition(".")
        return attribute if module in self.modules else self.functions.get(name)

    def method(self, call: ast.Call) -> str | None:
        """Which method of a logger, or which function of logging like it, is called here."""
        meant = self._meant(call.func)
        if meant is not None:
            return meant if meant in METHODS else None
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in METHODS:
            return None
        receiver = call.func.value
        if isinstance(receiver, ast.Call):
            return call.func.attr if self._meant(receiver.func) in ("getLogger", "LoggerAdapter") else None
        name = dotted(receiver)
        if name is None:
            return None
        like_one = not self.foreign and CALLED_LIKE_A_LOGGER.search(name.rpartition(".")[2]) is not None
        return call.func.attr if name in self.loggers or like_one else None

    def remarks(self) -> Iterator[Remark]:
        for call, handled in _calls(self.source.tree):
            for node, code, text in self._about(call, handled):
                if not self.source.is_silenced(call, code):
                    yield self.source.remark(node, code, text)

    def _about(self, call: ast.Call, handled: bool) -> Iterator[tuple[ast.expr, str, str]]:
        meant = self._meant(call.func)
        if meant == "getLogger":
            for given in (*call.args, *(keyword.value for keyword in call.keywords)):
                if isinstance(given, ast.Name) and given.id in ("__file__", "__cached__"):
                    yield (
                        given,
                        "FL501",
                        f"getLogger({given.id}) names the logger after a path: use __name__, so that loggers form a tree",
                    )
        elif meant == "LoggerAdapter" and len(call.args) > 1:
            yield from _extra(call.args[1])
        method = self.method(call)
        if method is None:
            return
        if method == "warn":
            yield call.func, "FL502", "warn() is deprecated: use warning()"
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if "extra" in keywords:
            yield from _extra(keywords["extra"])
        yield from _exception(method, call, keywords, handled)
        args = call.args[1:] if method == "log" else call.args
        starred = any(isinstance(arg, ast.Starred) for arg in call.args)
        if args and not isinstance(args[0], ast.Starred):
            yield from _message(args[0])
            if not starred and isinstance(args[0], ast.Constant) and isinstance(args[0].value, str):
                yield from _arguments(args[0], args[0].value, args[1:])


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, bool]]:
    """All calls, and whether an exception is (or, in a `finally`, may be) being handled there."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]  # no recursion: sums of a thousand texts are deep
    while waiting:
        node, handled = waiting.pop()
        if isinstance(node, ast.Call):
            yield node, handled
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            handled = False
        if isinstance(node, ast.Try | ast.TryStar):
            waiting += [(inner, handled) for inner in (*node.body, *node.orelse)]
            waiting += [(inner, True) for inner in (*node.handlers, *node.finalbody)]
        else:
            waiting += [(inner, handled) for inner in ast.iter_child_nodes(node)]


def _message(message: ast.expr) -> Iterator[tuple[ast.expr, str, str]]:
    advice = "pass the values as arguments, and they are put in only if the record is shown"
    if isinstance(message, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in message.values):
        yield message, "FL101", f"an f-string is made even if nothing is logged: {advice}"
    elif isinstance(message, ast.BinOp) and isinstance(message.op, ast.Mod) and _is_text(message.left):
        yield message, "FL102", f"% makes the text even if nothing is logged: {advice}"
    elif (
        isinstance(message, ast.Call)
        and isinstance(message.func, ast.Attribute)
        and message.func.attr == "format"
        and _is_text(message.func.value)
    ):
        yield message, "FL103", f"format() makes the text even if nothing is logged: {advice}"
    elif isinstance(message, ast.BinOp) and isinstance(message.op, ast.Add):
        parts = list(_added(message))
        if any(map(_is_text, parts)) and not all(map(_is_text, parts)):
            yield message, "FL104", f"+ makes the text even if nothing is logged: {advice}"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _added(node: ast.expr) -> Iterator[ast.expr]:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield node.right
        node = node.left
    yield node


def _arguments(node: ast.expr, message: str, args: list[ast.expr]) -> Iterator[tuple[ast.expr, str, str]]:
    directives = [found for found in DIRECTIVE.finditer(message) if found["kind"] != "%"]
    if not args:
        # Without arguments nothing is formatted: "100% sure" is fine.
        places = [
            found
            for found in directives
            if re.fullmatch(r"%[sdrf]|%\(\w+\)[sdrf]", found[0]) and not _after_digit(message, found)
        ]
        if places:
            yield node, "FL201", f"{places[0][0]!r} is shown as it is: there is no argument for it"
        return
    for found in directives:
        if found["kind"] not in tuple("diouxXeEfFgGcrsa"):
            yield node, "FL203", f"{found[0]!r} is nothing that % can format (a percent sign is written %%)"
            return
    named = [found for found in directives if found["key"] is not None]
    if named:
        yield from _named(node, named, len(named) == len(directives), args)
        return
    places_wanted = sum(1 + (found["width"] == "*") + (found["precision"] == "*") for found in directives)
    if places_wanted != len(args):
        yield node, "FL201", f"the message has places for {places_wanted}, and there {_are(len(args))}"


def _named(
    node: ast.expr, named: list[re.Match[str]], all_named: bool, args: list[ast.expr]
) -> Iterator[tuple[ast.expr, str, str]]:
    names = [found["name"] for found in named]
    if not all_named or any("*" in (found["width"], found["precision"]) for found in named):
        yield node, "FL203", "a message has places with names or without, not both"
    elif len(args) != 1:
        yield node, "FL202", f"%({names[0]})… takes one mapping as the only argument, and there {_are(len(args))}"
    elif isinstance(args[0], ast.Constant | ast.JoinedStr | ast.List | ast.Tuple | ast.Set):
        yield node, "FL202", f"%({names[0]})… takes a mapping as the only argument"
    elif isinstance(args[0], ast.Dict) and all(isinstance(key, ast.Constant) for key in args[0].keys):
        keys = [key.value for key in args[0].keys if isinstance(key, ast.Constant)]
        for name in names:
            if name not in keys:
                yield node, "FL202", f"the mapping has no {name!r}"
                return


def _after_digit(message: str, found: re.Match[str]) -> bool:
    return message[: found.start()][-1:].isdigit()


def _are(count: int) -> str:
    return "is 1 argument" if count == 1 else f"are {count} arguments"


def _extra(extra: ast.expr) -> Iterator[tuple[ast.expr, str, str]]:
    keys: list[tuple[ast.expr, object]] = []
    if isinstance(extra, ast.Dict):
        keys = [(key, key.value) for key in extra.keys if isinstance(key, ast.Constant)]
    elif isinstance(extra, ast.Call) and isinstance(extra.func, ast.Name) and extra.func.id == "dict":
        keys = [(keyword.value, keyword.arg) for keyword in extra.keywords]
    for node, key in keys:
        if isinstance(key, str) and key in RESERVED:
            yield node, "FL301", f"extra has the key {key!r}, which a record has already: KeyError when this is logged"


def _exception(
    method: str, call: ast.Call, keywords: dict[str | None, ast.expr], handled: bool
) -> Iterator[tuple[ast.expr, str, str]]:
    if handled or None in keywords:
        return
    given = keywords.get("exc_info")
    on = isinstance(given, ast.Constant) and bool(given.value)
    if given is not None and on:
        yield given, "FL401", "exc_info outside of an except block: there is no exception to show"
    elif given is None and method == "exception":
        yield call.func, "FL401", "exception() outside of an except block: there is no exception to show (use error())"
