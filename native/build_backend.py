"""The build backend: maturin's, after a look whether there is a Rust to build with.

Without one, maturin would download a toolchain for this build alone, and where that fails end in a traceback about certificates or
connections. One sentence says what is missing instead.
"""

import re
import shutil
import subprocess

from maturin import build_editable as _build_editable
from maturin import build_sdist, get_requires_for_build_sdist, prepare_metadata_for_build_wheel
from maturin import build_wheel as _build_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

OLDEST = (1, 89)
ADVICE = (
    "Install a wheel of femtolog (pip install --only-binary femtolog femtolog), or Rust from https://rustup.rs, and try again."
)

prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def check_rust():
    """End the build with one sentence where cargo is missing or too old."""
    needed = f"Building femtolog from source needs Rust {OLDEST[0]}.{OLDEST[1]} or newer"
    if shutil.which("cargo") is None or shutil.which("rustc") is None:
        raise SystemExit(f"{needed}, and there is no cargo and rustc on the path. {ADVICE}")
    told = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"(\d+)\.(\d+)", told)
    if version is not None and (int(version[1]), int(version[2])) < OLDEST:
        raise SystemExit(f"{needed}, and this is {told.strip()}. {ADVICE}")


def get_requires_for_build_wheel(config_settings=None):
    """What pip asks first: nothing beside maturin is needed."""
    check_rust()
    return []


def get_requires_for_build_editable(config_settings=None):
    """As for a wheel."""
    check_rust()
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """maturin's; without build isolation nobody has asked for the requirements before."""
    check_rust()
    return _build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """As for a wheel."""
    check_rust()
    return _build_editable(wheel_directory, config_settings, metadata_directory)
