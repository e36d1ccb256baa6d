"""`python -m femtolog migrate`: imports and calls of picologging, loguru and structlog, rewritten where the result is certain.

A file is read, never imported or run. Of each of the three packages either all of a file's uses are rewritten or none: a logger that is
half loguru's would be wrong. What keeps a file from being rewritten is told, with its line. What was rewritten names femtolog and is
not looked at again, so a second run changes nothing.
"""

from __future__ import annotations

import abc
import ast
import contextlib
import difflib
import importlib
import io
import json
import os
import re
import sys
import tokenize
from collections import defaultdict
from pathlib import PurePath

from femtolog._sources import Remark, Source, Unreadable, bindings, dotted, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CODES = {
    "FM000": "a file that cannot be read, parsed or written",
    "FM100": "picologging: rewritten, or can be",
    "FM101": "picologging: a name that logging does not have",
    "FM102": "picologging: a use that is not certain",
    "FM103": "picologging: a text that names it",
    "FM200": "loguru: rewritten, or can be",
    "FM201": "loguru: a method that logging does not have",
    "FM202": "loguru: a use that is not certain",
    "FM203": "loguru: a message that % cannot be made to show the same way",
    "FM300": "structlog: rewritten, or can be",
    "FM301": "structlog: a function or method that logging does not have",
    "FM302": "structlog: a use that is not certain",
    "FM303": "structlog: key and value pairs",
}

USAGE = """\
usage: python -m femtolog migrate [--write] [--json] PATH ...

Shows what becomes of picologging, loguru and structlog in Python files, and folders of them: a diff of what is certain, and a remark
for what is not. With --write the files are changed. Exit status: 0 nothing is left to do, 1 something is, 2 wrong usage.

"""

METHODS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})


class Uncertain(Exception):  # noqa: N818 - how a rewriting ends, not an error
    """Why something is not rewritten."""


def main(arguments: list[str]) -> None:
    """Migrate the paths that `arguments` name and exit with what is left."""
    write = as_json = False
    while arguments and arguments[0].startswith("-"):
        option = arguments.pop(0)
        if option in ("-h", "--help"):
            sys.stdout.write(USAGE + "".join(f"  {code}  {text}\n" for code, text in CODES.items()))
            sys.exit(0)
        if option not in ("--write", "--json"):
            _wrong(f"{option!r} is no option")
        write |= option == "--write"
        as_json |= option == "--json"
    if not arguments:
        _wrong("a path is missing")
    changed, remarks, failed = migrate(arguments, write)
    if as_json:
        print(
            json.dumps(
                {"changed": list(changed), "written": write, "remarks": [remark._asdict() for remark in remarks]}, indent=2
            )
        )
    else:
        for path, difference in changed.items():
            sys.stdout.write(f"changed: {path}\n" if write else difference)
        for remark in remarks:
            print(remark)
    sys.exit(1 if failed or (changed and not write) or any(not remark.code.endswith("00") for remark in remarks) else 0)


def _wrong(text: str) -> None:
    sys.stderr.write(f"femtolog migrate: {text}\n{USAGE}")
    sys.exit(2)


def migrate(paths: list[str], write: bool) -> tuple[dict[str, str], list[Remark], bool]:
    """The files that are changed, or would be, each with its diff; what is to be said; and whether a file could not be read or written."""
    changed: dict[str, str] = {}
    remarks: list[Remark] = []
    failed = False
    sources = []
    others = []
    for path in find(paths):
        try:
            if _names_one(path):
                sources.append(Source(path))
            else:
                others.append(path)
        except Unreadable as error:
            failed = True
            remarks.append(Remark(path, error.line, 1, "FM000", str(error)))
    taken = _taken_from_elsewhere(sources, others)
    for source in sources:
        for package in (Picologging, Loguru, Structlog):
            if package.name in source.text:
                remarks += sorted(set(package(source, taken).run()))
        new = source.edited()
        if new == source.text:
            continue
        try:
            ast.parse(new)
            if write:
                source.write()
        except (OSError, SyntaxError) as error:
            failed = True
            remarks.append(Remark(source.path, 1, 1, "FM000", f"cannot be written: {error}"))
            continue
        changed[source.path] = "".join(
            difflib.unified_diff(source.text.splitlines(True), new.splitlines(True), source.path, source.path)
        )
    return changed, remarks, failed


def _names_one(path: str) -> bool:
    """Does the file have the name of a package in it? Most have none, and need not be parsed."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error}") from None
    return any(package.name.encode() in raw for package in (Picologging, Loguru, Structlog))


def _taken_from_elsewhere(sources: list[Source], others: list[str]) -> set[tuple[str, str]]:
    """(last part of a module's name, name) for each `from module import name` and each `module.name` of these files."""
    taken: set[tuple[str, str]] = set()
    for source in sources:
        taken |= _taken(source)
    if any(package.name in source.text for source in sources for package in (Loguru, Structlog)):
        for path in others:
            with contextlib.suppress(Unreadable):
                taken |= _taken(Source(path))
    return taken


def _taken(source: Source) -> set[tuple[str, str]]:
    taken: set[tuple[str, str]] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom):
            module = (node.module or "").rpartition(".")[2]
            if not module:  # `from . import name`, of the package itself
                folders = PurePath(os.path.abspath(source.path)).parents
                module = folders[min(node.level, len(folders)) - 1].name
            taken.update((module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Attribute) and (before := dotted(node.value)):
            taken.add((before.rpartition(".")[2], node.attr))
    return taken


class _Package(abc.ABC):
    """What is common to the three: the uses of a package in a file are looked at, and rewritten if all of them can be."""

    name: str
    code: str

    def __init__(self, source: Source, taken: set[tuple[str, str]]) -> None:
        self.source = source
        self.taken = taken
        self.bound = bindings(source.tree)
        self.parents = {child: node for node in ast.walk(source.tree) for child in ast.iter_child_nodes(node)}
        self.edits: list[tuple[tuple[int, int], str]] = []
        self.found: list[Remark] = []
        self.certain = True

    def run(self) -> list[Remark]:
        """Look, plan the edits if everything is certain, and tell what is to be said."""
        first = next(self.imports(), None)
        if first is not None:
            if self._binds_femtolog_otherwise():
                self.uncertain(first, "02", "the name femtolog stands for something else in this file")
            self.look()
            if self.certain and self.edits:
                for (start, end), text in self.edits:
                    self.source.replace(start, end, text)
                self.found.append(self.source.remark(first, self.code + "00", self.done))
        return self.found

    done = ""

    def imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """The statements that import the package."""
        for node in ast.walk(self.source.tree):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            if isinstance(node, ast.Import | ast.ImportFrom) and any(map(self.is_own, modules)):
                yield node

    def is_own(self, module: str) -> bool:
        return module.partition(".")[0] == self.name

    @abc.abstractmethod
    def look(self) -> None:
        """Finds what to rewrite and what to remark on."""

    def uncertain(self, node: ast.expr | ast.stmt | ast.alias, code: str, text: str) -> None:
        self.certain = False
        self.found.append(self.source.remark(node, self.code + code, text))

    def edit(self, node: ast.expr | ast.stmt | ast.alias, text: str) -> None:
        self.edits.append((self.source.span(node), text))

    def _binds_femtolog_otherwise(self) -> bool:
        own = sum(
            1
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.asname is None and alias.name.partition(".")[0] == "femtolog"
        )
        return self.bound["femtolog"] != own

    def loads(self, name: str) -> Iterator[ast.Name]:
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                yield node

    def is_top_level(self, node: ast.AST) -> bool:
        return isinstance(self.parents.get(node), ast.Module)

    def is_shared(self, name: str) -> bool:
        """Does another of the files import this name from this one, or is it exported?"""
        path = PurePath(os.path.abspath(self.source.path))
        module = path.parent.name if path.stem == "__init__" else path.stem
        exported = any(
            isinstance(node, ast.Constant) and node.value == name
            for statement in self.source.tree.body
            if isinstance(statement, ast.Assign | ast.AugAssign) and "__all__" in ast.dump(statement)
            for node in ast.walk(statement)
        )
        return exported or (module, name) in self.taken or (module, "*") in self.taken

    def method_called(self, name: ast.Name) -> ast.Call | None:
        """The call in `name.method(...)`."""
        attribute = self.parents.get(name)
        call = self.parents.get(attribute) if isinstance(attribute, ast.Attribute) else None
        return call if isinstance(call, ast.Call) and call.func is attribute else None


class Picologging(_Package):
    """The names are logging's, so imports become femtolog's, and nothing else changes."""

    name = "picologging"
    code = "FM1"
    done = "picologging: imports of femtolog in its place"

    def look(self) -> None:
        modules = 0
        for statement in self.imports():
            if isinstance(statement, ast.ImportFrom):
                self._from(statement)
                continue
            for alias in statement.names:
                if not self.is_own(alias.name):
                    continue
                self.edit(
                    alias, f"femtolog{alias.name.removeprefix(self.name)}" + (f" as {alias.asname}" if alias.asname else "")
                )
                if alias.asname is None:
                    modules += 1
                else:
                    self._uses(alias.asname, alias.name, rename=False)
        if modules:
            if self.bound[self.name] != modules:
                self.uncertain(next(self.imports()), "02", "the name picologging stands for something else in this file, too")
            self._uses(self.name, self.name, rename=True)
        self._texts()

    def _from(self, statement: ast.ImportFrom) -> None:
        module = statement.module or ""
        for alias in statement.names:
            if alias.name == "*":
                self.uncertain(statement, "02", f"`from {module} import *`: which names are meant cannot be told")
            elif not _has(module, alias.name):
                self.uncertain(alias, "01", f"logging has no {alias.name!r}")
        start, end = self.source.span(statement)
        text = self.source.text[start:end]
        self.edits.append(((start, end), re.sub(rf"\b{self.name}\b", "femtolog", text, count=1)))

    def _uses(self, name: str, module: str, *, rename: bool) -> None:
        for node in self.loads(name):
            whole: ast.AST = node
            path = []
            while isinstance(attribute := self.parents.get(whole), ast.Attribute):
                path.append(attribute.attr)
                whole = attribute
            where = module
            while path and f"{where}.{path[0]}" in ("picologging.handlers", "picologging.config"):
                where = f"{where}.{path.pop(0)}"
            if path and not _has(where, path[0]):
                self.uncertain(node, "01", f"logging has no {path[0]!r}")
            if rename:
                self.edit(node, "femtolog")

    def _texts(self) -> None:
        for node in ast.walk(self.source.tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(node, ast.Constant) and isinstance(text, str) and re.fullmatch(r"picologging(\.\w+)*", text):
                # Told only: the rest is rewritten all the same.
                said = f"{text!r}: if this is the module or a class of it, it is logging's now"
                self.found.append(self.source.remark(node, "FM103", said))


def _has(module: str, name: str) -> bool:
    target = importlib.import_module(module.replace("picologging", "logging", 1)) if _is_known(module) else None
    return name.startswith("__") or (target is not None and hasattr(target, name)) or _is_known(f"{module}.{name}")


def _is_known(module: str) -> bool:
    return module in ("picologging", "picologging.handlers", "picologging.config")


class _Logger(_Package):
    """A package whose loggers become `femtolog.getLogger(...)`, if all that is done with them is logging of plain messages."""

    @abc.abstractmethod
    def message(self, call: ast.Call, method: str) -> None:
        """Looks at the message and arguments of a call that logs."""

    def logger(self, name: str, where: ast.expr | ast.stmt | ast.alias) -> None:
        """Look at the uses of a logger bound once, at the top, as `name`."""
        if self.bound[name] != 1:
            self.uncertain(where, "02", f"{name} is bound more than once")
        if self.is_shared(name):
            self.uncertain(
                where, "02", f"{name} is imported by other files, or exported: their calls would have to be changed with it"
            )
        for node in self.loads(name):
            attribute = self.parents.get(node)
            call = self.method_called(node)
            if call is None or not isinstance(attribute, ast.Attribute):
                self.uncertain(node, "02", f"{name} is used otherwise than to call a method of it")
            elif attribute.attr not in METHODS:
                self.uncertain(node, "01", f"{self.name}'s {attribute.attr}(){self.advice(attribute.attr)}")
            else:
                self.message(call, attribute.attr)

    def advice(self, method: str) -> str:  # noqa: ARG002
        return ""


class Loguru(_Logger):
    """`from loguru import logger`, with messages that have plain `{}` or nothing in them."""

    name = "loguru"
    code = "FM2"
    done = (
        "loguru: loggers of logging in its place; loguru wrote to stderr by itself: configure logging once, as by basicConfig()"
    )
    _ADVICE = {  # noqa: RUF012 - read only
        "trace": ": a level of one's own, femtolog.add_level('TRACE', 5)",
        "success": ": a level of one's own, femtolog.add_level('SUCCESS', 25)",
        "add": ": a handler, or logging.config.dictConfig()",
        "remove": ": handlers are there only if somebody adds them",
        "bind": ": a LoggerAdapter, or extra=",
        "opt": ": exc_info=, stacklevel= or, for colours, a formatter",
        "patch": ": a filter, or setLogRecordFactory()",
        "level": ": femtolog.add_level()",
        "log": ": the number of a level is wanted, not its name",
    }

    def advice(self, method: str) -> str:
        return self._ADVICE.get(method, " has no counterpart that is certain")

    def look(self) -> None:
        statements = list(self.imports())
        for statement in statements:
            if not isinstance(statement, ast.ImportFrom) or [alias.name for alias in statement.names] != ["logger"]:
                self.uncertain(statement, "02", "only `from loguru import logger` is rewritten")
            elif not self.is_top_level(statement) or len(statements) > 1:
                self.uncertain(statement, "02", "loguru is imported in a function, a condition or more than once")
            else:
                [alias] = statement.names
                name = alias.asname or alias.name
                if next(self.loads(name), None) is None:
                    self.uncertain(
                        statement, "02", f"{name} is imported and not used here: somebody else may take it from this file"
                    )
                self.edit(
                    statement, f"import femtolog\n\n{name} = femtolog.getLogger(__name__)".replace("\n", _line_end(self.source))
                )
                self.logger(name, statement)

    def message(self, call: ast.Call, method: str) -> None:
        if any(isinstance(arg, ast.Starred) for arg in call.args) or call.keywords or not call.args:
            what = "keyword arguments" if call.keywords else "arguments that cannot be counted"
            self.uncertain(call, "03", f"{method}() with {what}")
            return
        message, *args = call.args
        if not args:
            return  # neither of the two formats then
        try:
            self.edits.append((self.source.span(message), _with_percent(self.source, message, len(args))))
        except Uncertain as reason:
            self.uncertain(message, "03", str(reason))


def _with_percent(source: Source, message: ast.expr, count: int) -> str:
    """The source of a literal with `{}`, as one with `%s`."""
    if not isinstance(message, ast.Constant) or not isinstance(message.value, str):
        raise Uncertain("the message is no literal, so what its braces mean cannot be told")
    value = message.value
    pieces = re.split(r"(\{\{|\}\}|\{\})", value)
    if any("{" in text or "}" in text for text in pieces[::2]):
        raise Uncertain("places with names, numbers or a format in the message")
    if pieces[1::2].count("{}") != count:
        raise Uncertain(f"{pieces[1::2].count('{}')} places for {count} arguments in the message")
    start, end = source.span(message)
    written = source.text[start:end]
    new, position = "", 0
    offsets = _offsets(written)
    for token in tokenize.generate_tokens(io.StringIO(f"({written})").readline):
        if token.type != tokenize.STRING:
            continue
        begin, stop = (offsets[line - 1] + column - 1 * (line == 1) for line, column in (token.start, token.end))
        new += written[position:begin] + _converted(token.string)
        position = stop
    new += written[position:]
    try:
        same = ast.literal_eval(f"({new})") == _converted(value)
    except (ValueError, SyntaxError):
        same = False
    if not same:
        raise Uncertain("braces or percent signs written as escapes in the message")
    return new


def _offsets(text: str) -> list[int]:
    offsets = [0]
    for line in io.StringIO(text):
        offsets.append(offsets[-1] + len(line))
    return offsets


def _converted(text: str) -> str:
    replaced = {"%": "%%", "{}": "%s", "{{": "{", "}}": "}"}
    return re.sub(r"%|\{\{|\}\}|\{\}", lambda found: replaced[found[0]], text)


class Structlog(_Logger):
    """`structlog.get_logger()` at the top of a file, with calls that have a message and its arguments."""

    name = "structlog"
    code = "FM3"
    done = "structlog: loggers of logging in its place; what its processors did, handlers and formatters do"
    _MAKERS = frozenset(
        {"structlog.get_logger", "structlog.getLogger", "structlog.stdlib.get_logger", "structlog.stdlib.getLogger"}
    )

    def advice(self, method: str) -> str:
        if method in ("bind", "new", "unbind", "try_unbind"):
            return ": a LoggerAdapter, or extra="
        return " has no counterpart that is certain"

    def look(self) -> None:
        made: dict[str, list[str]] = defaultdict(list)  # names here, and what they are in structlog
        statements = list(self.imports())
        for statement in statements:
            if not self.is_top_level(statement) or len(statements) > 1:
                self.uncertain(statement, "02", "structlog is imported in a function, a condition or more than once")
                return
            if len(statement.names) != 1:
                self.uncertain(statement, "02", "structlog is imported together with something else")
                return
            [alias] = statement.names
            if isinstance(statement, ast.Import):
                made[alias.asname or "structlog"].append("structlog" if alias.asname is None else alias.name)
            else:
                made[alias.asname or alias.name].append(f"{statement.module}.{alias.name}")
            self.edit(statement, "import femtolog")
        for name, [meaning] in made.items():
            if self.bound[name] != 1 or self.is_shared(name):
                self.uncertain(statements[0], "02", f"{name} is bound more than once, or exported")
            for node in self.loads(name):
                self._use(node, meaning)

    def _use(self, node: ast.Name, meaning: str) -> None:
        whole: ast.AST = node
        while isinstance(attribute := self.parents.get(whole), ast.Attribute):
            whole = attribute
        used = meaning + (dotted(whole) or node.id).removeprefix(node.id)
        call = self.parents.get(whole)
        assign = self.parents.get(call) if isinstance(call, ast.Call) and call.func is whole else None
        if used not in self._MAKERS:
            self.uncertain(node, "01", f"{used} has no counterpart that is certain")
        elif not (
            isinstance(call, ast.Call)
            and isinstance(assign, ast.Assign)
            and assign.value is call
            and self.is_top_level(assign)
            and len(assign.targets) == 1
            and isinstance(assign.targets[0], ast.Name)
        ):
            self.uncertain(node, "02", "only `name = structlog.get_logger(...)` at the top of a file is rewritten")
        elif call.keywords or len(call.args) > 1 or any(isinstance(arg, ast.Starred) for arg in call.args):
            self.uncertain(node, "02", "get_logger() with values that it binds, or more than a name")
        else:
            name = ast.get_source_segment(self.source.text, call.args[0]) if call.args else "__name__"
            self.edit(call, f"femtolog.getLogger({name})")
            self.logger(assign.targets[0].id, assign)

    def message(self, call: ast.Call, method: str) -> None:
        if call.keywords:
            keys = ", ".join(keyword.arg or "**" for keyword in call.keywords)
            self.uncertain(call, "03", f"{method}() with {keys}: extra= keeps values, a place in the message shows them")
        elif not call.args or any(isinstance(arg, ast.Starred) for arg in call.args):
            self.uncertain(call, "02", f"{method}() with arguments that cannot be counted")
        elif isinstance(call.args[0], ast.Dict):
            self.uncertain(call, "02", f"{method}() with a mapping for a message")


def _line_end(source: Source) -> str:
    first = source.lines[0] if source.lines else "\n"
    return first[len(first.rstrip("\r\n")) :] or "\n"
