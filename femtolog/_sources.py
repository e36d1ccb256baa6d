"""Python files as `femtolog lint` and `femtolog migrate` read and change them: a tree, the text, and edits by position.

Nothing of a file is imported or run. What is not edited stays byte for byte: encoding, line ends, comments, white space.
"""

from __future__ import annotations

import ast
import io
import os
import re
import sys
import tokenize
import warnings
from collections import Counter
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NOQA = re.compile(r"#\s*noqa\b(?P<codes>:\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)?", re.IGNORECASE)
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


class Remark(NamedTuple):
    """One thing found: where (lines and columns count from 1), its code, and a sentence."""

    path: str
    line: int
    column: int
    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.code} {self.text}"


class Unreadable(Exception):  # noqa: N818 - a state of a file, told as a remark
    """The file cannot be read or is no Python; `line` is where, 1 if that is not known."""

    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line


class Source:
    """A file that was read and parsed."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                self.raw = file.read()
            self.encoding = tokenize.detect_encoding(io.BytesIO(self.raw).readline)[0]
            self.text = self.raw.decode(self.encoding)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the file's own doubtful escapes
                self.tree = ast.parse(self.text)
        except SyntaxError as error:
            raise Unreadable(f"this is no Python that {_python()} understands: {error.msg}", error.lineno or 1) from None
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            raise Unreadable(f"cannot be read: {error}") from None
        self.lines = _LINE.findall(self.text)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))
        self._edits: dict[tuple[int, int], str] = {}

    def offset(self, line: int, column: int) -> int:
        """The index in `text` of a place as `ast` gives it: a line from 1, a column in bytes of UTF-8."""
        if not self.lines:
            return 0
        before = self.lines[line - 1].encode("utf-8", "surrogatepass")[:column]
        return self._starts[line - 1] + len(before.decode("utf-8", "surrogatepass"))

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> tuple[int, int]:
        """From where to where a node stands in `text`."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def remark(self, node: ast.expr | ast.stmt | ast.alias, code: str, text: str) -> Remark:
        """A remark about a node."""
        column = self.offset(node.lineno, node.col_offset) - self._starts[node.lineno - 1] + 1
        return Remark(self.path, node.lineno, column, code, text)

    def is_silenced(self, node: ast.expr, code: str) -> bool:
        """Does a `# noqa` on the first or the last line of the node stand for this code, or for all?"""
        for number in {node.lineno, node.end_lineno or node.lineno}:
            found = _NOQA.search(self.lines[number - 1])
            if found and (not found["codes"] or code in re.split(r"[:,\s]+", found["codes"].upper())):
                return True
        return False

    # -- edits

    def replace(self, start: int, end: int, text: str) -> None:
        """Plan an edit. The same one again is no other."""
        self._edits[start, end] = text

    def edited(self) -> str:
        """The text with all edits made."""
        text = self.text
        for (start, end), new in sorted(self._edits.items(), reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def write(self) -> None:
        """Put the edited text in the file's place, with its mode: whole, or not at all. OSError if that fails."""
        new = os.path.realpath(self.path) + ".femtolog-new"
        mode = os.stat(self.path).st_mode & 0o7777
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self.edited().encode(self.encoding))
            os.chmod(new, mode)
            os.replace(new, os.path.realpath(self.path))
        except BaseException:
            os.unlink(new)
            raise


def _python() -> str:
    return f"Python {sys.version_info[0]}.{sys.version_info[1]}"


def find(paths: list[str]) -> Iterator[str]:
    """The Python files that `paths` name: files as they are, folders with all below but hidden ones and virtual environments."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith(".")
                and name not in _SKIPPED
                and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
            )
            yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(".py"))


def dotted(node: ast.AST) -> str | None:
    """`a.b.c` for a name or attributes of one, else None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


def bindings(tree: ast.AST) -> Counter[str]:
    """How often each name is bound in a file, in whatever scope and by whatever statement."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] += 1
        elif isinstance(node, ast.arg):
            found[node.arg] += 1
        elif isinstance(node, ast.alias):
            found[(node.asname or node.name).partition(".")[0]] += 1
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found[node.name] += 1
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found[node.rest] += 1
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        elif type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):
            found[node.name] += 1  # type: ignore[attr-defined]
    return found
