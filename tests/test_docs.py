"""The documentation is true: its Python runs and prints what it says, its links lead somewhere, its tables name what there is.

A ```python block runs; an ```output block right after it is what it prints, where `...` stands for anything. The blocks of one
page run one after the other in one fresh process, in an empty folder. A block that is not to run is marked ```text or ```sh.
"""

import inspect
import logging
import logging.config
import logging.handlers
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- block %d ends ---"

RUNNER = """
import sys
for number, (line, source) in enumerate(BLOCKS):
    exec(compile("\\n" * line + source, NAME, "exec"), globals())
    sys.stdout.flush()
    print(MARK % number, flush=True)
"""


def blocks_of(page):
    """[(line of the fence, kind, text)]"""
    text = page.read_text()
    return [(text.count("\n", 0, found.start()) + 1, found[1], found[2]) for found in FENCE.finditer(text)]


def name_of(page):
    return str(page.relative_to(ROOT))


PROGRAMS = [page for page in PAGES if any(kind == "python" for _, kind, _ in blocks_of(page))]


@pytest.mark.parametrize("page", PROGRAMS, ids=name_of)
def test_python_of_the_page_runs_and_prints_what_it_says(page, tmp_path):
    blocks = blocks_of(page)
    programs = [(line, text) for line, kind, text in blocks if kind == "python"]
    source = f"BLOCKS = {programs!r}\nNAME = {page.name!r}\nMARK = {MARK!r}\n" + RUNNER
    environment = {name: value for name, value in os.environ.items() if name != "FEMTOLOG"}
    done = subprocess.run(
        [sys.executable, "-P", "-u", "-c", source],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    rest = done.stdout
    number = -1
    for _, kind, text in blocks:
        if kind == "python":
            number += 1
            printed, rest = rest.split(MARK % number + "\n")
        elif kind == "output":
            pattern = ".*?".join(re.escape(piece) for piece in text.split("..."))
            assert re.fullmatch(pattern, printed, re.DOTALL), f"{page.name} says\n{text}but it prints\n{printed}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page):
    assert {kind for _, kind, _ in blocks_of(page)} <= {"python", "output", "sh", "text", "toml", "ini"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text()))
    local = [target.partition("#")[0] for target in targets if "://" not in target]
    assert [target for target in local if target and not (page.parent / target).exists()] == []


def test_every_page_is_reached_from_the_first():
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages - set(re.findall(r"\]\(([^)\s]+)\)", index)) == {"README.md"}


def test_the_page_of_signatures_has_every_public_name_and_each_has_a_docstring():
    import femtolog
    import femtolog_compat

    page = (ROOT / "docs" / "reference" / "docstrings.md").read_text()
    stubs = re.findall(
        r"^(?:def )?(\w+)[:(]", (ROOT / "femtolog" / "__init__.pyi").read_text().partition("__version__: str")[2], re.MULTILINE
    )
    own = {*stubs, *femtolog_compat.__all__}
    modules = {path.stem for path in (ROOT / "femtolog").glob("[a-z]*.py")} - {"bench", "config", "demo", "handlers"}
    assert set(re.findall(r"^::: femtolog\.(\w+)$", page, re.MULTILINE)) == own | modules
    assert [name for name in own if callable(getattr(femtolog, name)) and not inspect.getdoc(getattr(femtolog, name))] == []


# ---- reference/compatibility.md

ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
FUNCTIONS = re.compile(r"^\| functions \| (.*?) \| (.*?) \|$", re.MULTILINE)


def names_in(cell):
    return set(re.findall(r"`([\w.]+)`", cell))


def section(module):
    text = (ROOT / "docs" / "reference" / "compatibility.md").read_text()
    return re.search(rf"^## `{re.escape(module)}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def bound_in_rust():
    """{(class or "", name)} of the table the extension binds from."""
    source = (ROOT / "native" / "py" / "src" / "natives.rs").read_text()
    table = source[source.index("\nnatives! {") :]
    bound = set()
    for line in table.splitlines():
        if home := re.match(r'\s+Home::\w+(?:\("(\w+)"\))? => \{', line):
            owner = home[1] or ""
        elif entry := re.match(r'\s+"([\w.]+)" =>', line):
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
