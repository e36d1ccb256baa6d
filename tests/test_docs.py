"""The documentation is true: its Python runs and prints what it says, its links lead somewhere, its tables name what there is.

A ```python block runs; an ```output block right after it is what it prints, where `...` stands for anything. The blocks of one
page run one after the other in one fresh process, in an empty folder. One with a title is a file of that name, which runs by itself
(tests by pytest). A ```rust block is a test of the crate that includes the page (native/femtolog/src/lib.rs). A block that does not
run is marked ```text (what femtolog's commands say of programs that are not here) or ```sh (commands that install something or start
such programs; tests/test_run.py, test_shadow.py and test_doctor.py have them).
"""

import ast
import importlib
import importlib.util
import inspect
import itertools
import logging
import logging.config
import logging.handlers
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import pytest

import femtolog
import femtolog_compat

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r'^```(\w*)(?: title="([\w.]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
MARK = "--- block %d ends ---"

RUNNER = """
import sys
for number, (line, source) in enumerate(BLOCKS):
    exec(compile("\\n" * line + source, NAME, "exec"), globals())
    sys.stdout.flush()
    print(MARK % number, flush=True)
"""


class Block(NamedTuple):
    """What stands between two fences; `line` is that of the first one."""

    line: int
    kind: str
    title: str | None
    text: str


def blocks_of(page):
    """All blocks of a page."""
    text = page.read_text()
    return [Block(text.count("\n", 0, found.start()) + 1, *found.groups()) for found in FENCE.finditer(text)]


def programs_of(page):
    """[(block, what it prints or None)] of the page's Python."""
    blocks = blocks_of(page)
    below = [*blocks, None][1:]
    return [
        (block, after.text if after and after.kind == "output" else None)
        for block, after in zip(blocks, below, strict=True)
        if block.kind == "python"
    ]


def prints(command, folder):
    """What a command prints that ends well, in that folder and without femtolog."""
    # LogXide goes another way where it sees pytest.
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG" and not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def check(page, said, printed):
    """Whether it is what the page says."""
    if said is not None:
        pattern = ".*?".join(re.escape(piece) for piece in said.split("..."))
        assert re.fullmatch(pattern, printed, re.DOTALL), f"{page.name} says\n{said}but it prints\n{printed}"


def name_of(page):
    return str(page.relative_to(ROOT))


PROGRAMS = [page for page in PAGES if any(not block.title for block, _ in programs_of(page))]
FILES = [page for page in PAGES if any(block.title for block, _ in programs_of(page))]
SESSIONS = ROOT / "tests" / "ecosystem" / "programs"
# Files that want more than is installed here: (page, name); sessions of tests/ecosystem run them, with servers and workers.
ELSEWHERE = {
    pair for path in SESSIONS.glob("*.py") for pair in re.findall(r"^# snippet: (\S+) (\S+)$", path.read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("page", PROGRAMS, ids=name_of)
def test_python_of_the_page_runs_and_prints_what_it_says(page, tmp_path):
    programs = [(block, said) for block, said in programs_of(page) if not block.title]
    blocks = [(block.line, block.text) for block, _ in programs]
    source = f"BLOCKS = {blocks!r}\nNAME = {page.name!r}\nMARK = {MARK!r}\n" + RUNNER
    rest = prints([sys.executable, "-P", "-u", "-c", source], tmp_path)
    for number, (_, said) in enumerate(programs):
        printed, rest = rest.split(MARK % number + "\n")
        check(page, said, printed)


@pytest.mark.parametrize("page", FILES, ids=name_of)
def test_files_of_the_page_run_and_print_what_it_says(page, tmp_path):
    files = [(block, said) for block, said in programs_of(page) if block.title]
    if any("openssl req" in block.text for block, _ in files) and shutil.which("openssl") is None:
        pytest.skip("openssl is not on this machine: ends where it is")
    for block, _ in files:
        (tmp_path / block.title).write_text(block.text)
    for block, said in files:
        if (page.name, block.title) in ELSEWHERE:
            continue
        pytest_s = (
            ["-m", "pytest", "--disable-plugin-autoload", "-p", "no:cacheprovider"] if block.title.startswith("test_") else []
        )
        check(page, said, prints([sys.executable, *pytest_s, block.title], tmp_path))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page):
    kinds = {block.kind for block in blocks_of(page)}
    assert kinds <= {"python", "output", "sh", "text", "toml", "ini", "rust"}
    if "rust" in kinds:
        crate = (ROOT / "native" / "femtolog" / "src" / "lib.rs").read_text()
        assert f'include_str!("../../../{page.relative_to(ROOT).as_posix()}")' in crate


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text()))
    local = [target.partition("#")[0] for target in targets if "://" not in target]
    assert [target for target in local if target and not (page.parent / target).exists()] == []


def test_every_page_is_reached_from_the_first():
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages - set(re.findall(r"\]\(([^)\s]+)\)", index)) == {"README.md"}


# ---- howto/migrate-from-*.md

BOTH_PRINT = re.compile(r"^\| `(.+?)` \| `(.+?)` \| (nothing|`.+`) \|$", re.MULTILINE)
EACH_PRINTS = re.compile(r"^\| `(.+?)` \| (nothing|`.+?`) \| (nothing|`.+?`) \|$", re.MULTILINE)

# An error is a result, and LogXide writes in a thread.
TOLD = """\
try:
    {}
except Exception as error:
    print("raises", type(error).__name__)
getattr(logging, "flush", bool)()
"""


def before_and_after(page):
    """What the page sets up: two blocks, or those with these titles where there are more."""
    blocks = [block for block, _ in programs_of(page)]
    titled = {block.title: block.text for block in blocks}
    return [titled[name] for name in ("before.py", "after.py")] if "after.py" in titled else [block.text for block in blocks]


def lines_of(cell):
    """What a cell says is printed."""
    return "".join(f"{line}\n" for line in re.findall("`(.+?)`", cell))


def each_prints(page, setup, calls, folder):
    """What each of these lines prints, after what the page sets up."""
    source = f"BLOCKS = {[(0, setup), *((0, call) for call in calls)]!r}\nNAME = {page.name!r}\nMARK = {MARK!r}\n" + RUNNER
    printed = re.split("--- block .* ends ---\n", prints([sys.executable, "-P", "-u", "-c", source], folder))
    assert (printed[0], printed[-1]) == ("", "")
    return printed[1:-1]


@pytest.mark.parametrize("package", ["femtologging", "logging", "loguru", "python-json-logger", "structlog"])
def test_before_and_after_print_what_the_table_of_the_page_says(package, tmp_path):
    page = ROOT / "docs" / "howto" / f"migrate-from-{package}.md"
    before, after, both = zip(*BOTH_PRINT.findall(page.read_text()), strict=True)
    said = [lines_of(cell) for cell in both]
    assert "nothing" in both
    for setup, lines in zip(before_and_after(page), (before, after), strict=True):
        assert dict(zip(lines, each_prints(page, setup, lines, tmp_path), strict=True)) == dict(zip(lines, said, strict=True))


@pytest.mark.parametrize("side", [0, 1], ids=["before", "after"])
@pytest.mark.parametrize("package", ["logxide", "picologging"])
def test_lines_print_what_the_table_of_the_page_says(package, side, tmp_path):
    if side == 0 and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: the session `migrations` of tests/ecosystem has it")
    page = ROOT / "docs" / "howto" / f"migrate-from-{package}.md"
    lines, *columns = zip(*EACH_PRINTS.findall(page.read_text()), strict=True)
    printed = each_prints(page, before_and_after(page)[side], [TOLD.format(line) for line in lines], tmp_path)
    assert dict(zip(lines, printed, strict=True)) == dict(zip(lines, map(lines_of, columns[side]), strict=True))


# ---- docstrings


def names_of(module):
    """The names that femtolog adds: those of its stub below what is the stdlib's, or a module's `__all__` but for its constants."""
    if module is not femtolog:
        return {name for name in module.__all__ if not name.isupper()}
    stub = (ROOT / "femtolog" / "__init__.pyi").read_text().partition("__version__: str")[2]
    return {*re.findall(r"^(?:def )?(\w+)[:(]", stub, re.MULTILINE), *femtolog_compat.__all__}


def modules_to_import():
    """Modules and packages of femtolog beside the stdlib's two and those that are commands."""
    modules = (ROOT / "femtolog").glob("[a-z]*.py")
    names = [
        path.stem
        for path in sorted(modules)
        if path.stem not in ("config", "handlers") and 'if __name__ == "__main__"' not in path.read_text()
    ]
    names += sorted(path.parent.name for path in (ROOT / "femtolog").glob("[a-z]*/__init__.py"))
    return [importlib.import_module(f"femtolog.{name}") for name in names]


def docstring_of(module, name):
    """Of a variable, the string that stands below it."""
    value = getattr(module, name)
    if callable(value):
        return inspect.getdoc(value) or ""
    statements = ast.parse(inspect.getsource(module)).body
    for statement, below in itertools.pairwise(statements):
        if isinstance(statement, ast.Assign) and statement.targets[0].id == name and isinstance(below, ast.Expr):
            return inspect.cleandoc(below.value.value)
    return ""


def test_the_page_of_signatures_has_every_public_name():
    page = (ROOT / "docs" / "reference" / "docstrings.md").read_text()
    modules = {module.__name__.rpartition(".")[2] for module in modules_to_import()}
    assert set(re.findall(r"^::: femtolog\.(\w+)$", page, re.MULTILINE)) == names_of(femtolog) | modules


# Each in a process of its own, which has imported nothing of femtolog but the module of that name.
EXAMPLES = """
import doctest, os, sys
failed = False
for module, docstrings in DOCSTRINGS.items():
    if module != "femtolog":
        __import__(module)
    for name, text in docstrings.items():
        if not (child := os.fork()):
            runner = doctest.DocTestRunner(verbose=False)
            runner.run(doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, name, None, None))
            sys.stdout.flush()
            os._exit(bool(runner.failures))
        failed |= os.waitpid(child, 0)[1] != 0
sys.exit(failed)
"""


def test_every_public_name_has_a_docstring_with_an_example_that_runs(tmp_path):
    from femtolog._enqueue import _Asynchronous

    texts = {
        module.__name__: {name: docstring_of(module, name) for name in names_of(module)}
        for module in (femtolog, *modules_to_import())
    }
    texts["femtolog"] |= {
        f"enqueue().{name}": inspect.getdoc(getattr(_Asynchronous, name)) for name in ("flush", "aflush", "stats")
    }
    without = [
        f"{module}.{name}"
        for module, found in texts.items()
        for name, text in found.items()
        if "\nExamples:\n    >>> " not in text
    ]
    assert without == []
    assert prints([sys.executable, "-P", "-c", f"DOCSTRINGS = {texts!r}\n{EXAMPLES}"], tmp_path) == ""


# ---- reference/compatibility.md

ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
FUNCTIONS = re.compile(r"^\| functions \| (.*?) \| (.*?) \|$", re.MULTILINE)


def names_in(cell):
    return set(re.findall(r"`([\w.]+)`", cell))


def section(module):
    text = (ROOT / "docs" / "reference" / "compatibility.md").read_text()
    return re.search(rf"^## `{re.escape(module)}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def bound_in_rust():
    """{(class or "", name)} of the table the extension binds from, but for lines without a function, which the interpreter runs."""
    source = (ROOT / "native" / "py" / "src" / "natives.rs").read_text()
    table = source[source.index("\nnatives! {") :]
    bound = set()
    for line in table.splitlines():
        if home := re.match(r'\s+Home::\w+(?:\("(\w+)"\))? => \{', line):
            owner = home[1] or ""
        elif entry := re.match(r'\s+"([\w.]+)" => \w+, ', line):
            bound.add((owner, entry[1].partition(".")[0]))
    return bound


def functions_of(owner):
    """What is written in Python in a class or module; of a property only what is not a method under another name."""
    for name, value in vars(owner).items():
        if isinstance(value, property):
            value = value.fget if value.fget.__name__ == name else None
        home = owner.__module__ if inspect.isclass(owner) else owner.__name__
        if inspect.isfunction(value) and value.__module__ == home:
            yield name


@pytest.mark.parametrize("module", [logging, logging.handlers], ids=lambda module: module.__name__)
def test_compatibility_table_has_every_method_in_its_column(module):
    text = section(module.__name__)
    rows = {found[1]: (names_in(found[2]), names_in(found[3])) for found in ROW.finditer(text)}
    classes = {
        name: value for name, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module.__name__
    }
    owners = {name: value for name, value in classes.items() if value.__name__ == name}
    if found := FUNCTIONS.search(text):
        rows[""] = names_in(found[1]), names_in(found[2])
        owners[""] = module
    bound = bound_in_rust()
    wrong = []
    for name, owner in owners.items():
        native, left = rows.get(name, (set(), set()))
        for method in functions_of(owner):
            is_native = (name, method) in bound
            if method not in (native if is_native else left):
                wrong.append(f"{name or module.__name__}.{method} belongs into the column {'native' if is_native else 'left'}")
    assert wrong == []
    assert {(name, method) for name, (native, _) in rows.items() for method in native} <= bound


def test_reasons_on_the_page_are_the_ones_stats_counts():
    source = (ROOT / "native" / "py" / "src" / "stats.rs").read_text()
    reasons = re.search(r"\nreasons! \{\n(.*?)\n\}", source, re.DOTALL)[1]
    page = (ROOT / "docs" / "explanation" / "reference-tier.md").read_text()
    assert [text for text in re.findall(r'= "(.*)"', reasons) if f"`{text}`" not in page] == []


def test_each_code_of_lint_and_migrate_is_in_its_table():
    from femtolog import _lint, _migrate

    rows = re.findall(r"^\| `(F[LM]\d+)` \| (.*) \|$", (ROOT / "docs/reference/lint-and-migrate.md").read_text(), re.MULTILINE)
    assert dict(rows) == _lint.CODES | _migrate.CODES
