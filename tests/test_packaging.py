"""What is in the sdist and in the wheel, and that the sdist alone makes the wheel."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile

import pytest
from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).parent.parent
TOP_LEVEL = {"femtolog", "femtolog_compat", "femtolog.pth"}


def files_of(wheel):
    """The files of a wheel as they are laid out when it is installed."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    data = next((name.partition("/")[0] for name in names if ".data/" in name), "no data tree")
    return {name.removeprefix(f"{data}/purelib/") for name in names}


def pip(python, *arguments):
    """Run a pip that asks nothing and says little; its output in the assertion when it fails."""
    done = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments],
        env=os.environ | {"CARGO_TARGET_DIR": str(target())},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def target():
    """Cargo's folder for this interpreter: a second build of the same sources costs next to nothing."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(sdist, wheel made from that sdist)"""
    folder = tmp_path_factory.mktemp("dist")
    frontend = tmp_path_factory.mktemp("frontend")
    venv.create(frontend, with_pip=True)
    python = str(frontend / "bin" / "python")
    pip(python, "install", "maturin>=1.9,<2")
    environment = os.environ | {"PATH": f"{frontend / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["maturin", "sdist", "--out", str(folder)], cwd=ROOT, env=environment, check=True, capture_output=True)
    [sdist] = folder.glob("*.tar.gz")
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(folder), str(sdist))
    [wheel] = folder.glob("*.whl")
    return sdist, wheel


@pytest.mark.build
@pytest.mark.timeout(900)
def test_the_wheel_installs_two_packages_and_the_startup_file(built):
    names = files_of(built[1])
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == TOP_LEVEL
    assert len(top) == len(TOP_LEVEL) + 1
    assert sum(name.startswith("femtolog/_native.") and name.endswith((".so", ".pyd")) for name in names) == 1
    assert {"femtolog/py.typed", "femtolog/__init__.pyi", "femtolog/_native.pyi", "femtolog_compat/__init__.py"} <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert built[1].stat().st_size < 4_000_000


@pytest.mark.build
@pytest.mark.timeout(900)
def test_the_sdist_has_the_sources_and_nothing_built(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "native/build_backend.py",
        ".cargo/config.toml",
        "native/py/Cargo.toml",
        "native/core/Cargo.toml",
    }
    assert needed <= names
    assert {"femtolog/__init__.py", "compat/purelib/femtolog.pth", "compat/purelib/femtolog_compat/__init__.py"} <= names
    assert not [name for name in names if name.endswith((".so", ".pyd", ".pyc")) or "__pycache__" in name]
    assert not [
        name for name in names if name.startswith("native/femtolog/")
    ]  # the crate for Rust programs has a package of its own


@pytest.mark.build
@pytest.mark.timeout(900)
def test_the_wheel_installed_alone_runs_and_uninstalls_without_a_trace(built, tmp_path):
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin" / "python"
    site = next((tmp_path / "lib").glob("python3.*")) / "site-packages"
    before = {path.name for path in site.iterdir()}
    pip(str(python), "install", "--no-deps", str(built[1]))
    program = "import femtolog as logging; logging.basicConfig(format='%(levelname)s %(message)s'); logging.warning('%d', 1)"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True)
    assert done.stderr == "WARNING 1\n"
    script = tmp_path / "bin" / "femtolog-run"
    done = subprocess.run(
        [script, "-c", "import logging; print(logging.__spec__.loader)"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "femtolog" in done.stdout
    pip(str(python), "uninstall", "-y", "femtolog")
    assert {path.name for path in site.iterdir()} == before
    assert not script.exists()


def without_rust(folder):
    """A PATH with what a build needs and no Rust."""
    folder.mkdir()
    for name in ("cc", "gcc", "ld", "sh", "git"):
        if (found := shutil.which(name)) is not None:
            (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.build
@pytest.mark.timeout(900)
def test_without_rust_pip_says_so_in_one_sentence(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "wheel",
            "--no-deps",
            "--wheel-dir",
            str(tmp_path),
            str(ROOT),
        ],
        env=os.environ | {"PATH": without_rust(tmp_path / "bin"), "CARGO_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode != 0
    told = done.stdout + done.stderr
    assert "[1 lines of output]" in told or "[1 line of output]" in told, told
    assert (
        "Building femtolog from source needs Rust 1.89 or newer, and there is no cargo and rustc on the path. Install a wheel"
        in told
    )
    assert "Traceback" not in told


def test_an_extra_asks_for_what_the_ecosystem_matrix_runs():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for ours in ("test", "ecosystem", "lint"):  # exact versions, for those who work on femtolog
        extras.pop(ours)
    assert extras.pop("all") == [f"femtolog[{','.join(sorted(extras))}]"]
    for extra, wanted in extras.items():
        session = {"aws": "boto3", "otel": "opentelemetry"}.get(extra, extra)
        program = (ROOT / "tests" / "ecosystem" / "programs" / f"{session}.py").read_text()
        runs = dict(re.findall(r"([\w-]+)==(\S+)", re.search(r"^# requires: (.*)$", program, re.MULTILINE)[1]))
        for requirement in map(Requirement, wanted):
            assert runs[requirement.name] in requirement.specifier


def test_pre_commit_has_the_linters_versions():
    asked = set(re.findall(r"[\w-]+==[\w.]+", (ROOT / ".pre-commit-config.yaml").read_text()))
    assert asked and asked <= set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["lint"]
    )


def test_only_the_standard_library_is_imported():
    program = """
import pkgutil, sys
before = set(sys.modules)
import femtolog, femtolog_compat, os
for package in (femtolog, femtolog_compat):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        __import__(module.name)
femtolog.install()
imported = {name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
library = os.path.dirname(os.__file__)
beside = {name for name in imported if os.path.dirname(getattr(sys.modules[name], "__file__", None) or "") == library}
print(*sorted(imported - beside))  # the library of 3.15 has a module that is on no list
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "femtolog femtolog_compat\n"


def test_the_oldest_rust_is_the_same_everywhere():
    oldest = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    major, minor = oldest.split(".")
    assert f"OLDEST = ({major}, {minor})" in (ROOT / "native" / "build_backend.py").read_text()
    assert f"Rust {oldest} or newer" in (ROOT / "README.md").read_text()


def test_versions_are_the_same_everywhere():
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    assert f'VERSION = "{version}"' in (ROOT / "compat" / "purelib" / "femtolog_compat" / "__init__.py").read_text()
    assert f'version = "{version}"' in (ROOT / "alias" / "picologging" / "pyproject.toml").read_text()


@pytest.mark.build
def test_licences_of_what_is_compiled_in_are_the_allowed_ones():
    """As `cargo deny check licenses` with deny.toml, which the release workflow runs."""
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    refused = {}
    for package in json.loads(told)["packages"]:
        every = re.split(r" AND ", package["license"].replace("/", " OR "))
        if not all(allowed & set(re.split(r" OR ", one.strip("()"))) for one in every):
            refused[package["name"]] = package["license"]
    assert refused == {}
