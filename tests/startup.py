"""A virtual environment in which femtolog is installed with its start-up file, made from whatever femtolog the tests run on."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import textwrap
import venv

import femtolog
import femtolog_compat


def make_environment(folder):
    """The interpreter of a new virtual environment that starts femtolog under FEMTOLOG=1."""
    venv.create(folder, symlinks=True)
    [site] = folder.glob("lib/python3.*/site-packages")
    compat = pathlib.Path(femtolog_compat.__file__).parent
    (site / "femtolog").symlink_to(pathlib.Path(femtolog.__file__).parent)
    (site / "femtolog_compat").symlink_to(compat)
    shutil.copy(compat.parent / "femtolog.pth", site)
    if "COVERAGE_PROCESS_CONFIG" in os.environ:  # tox -e coverage: what runs in there counts, too
        for part in ("coverage", "a1_coverage.pth"):
            (site / part).symlink_to(compat.parent / part)
    script = folder / "bin" / "femtolog-run"
    script.write_text(f"#!{folder}/bin/python\nimport sys\nfrom femtolog_compat.run import main\nsys.exit(main())\n")
    script.chmod(0o755)
    return folder / "bin" / "python"


def broken_environment(folder):
    """The same with an extension module that is no such thing, as after a disk that was full."""
    python = make_environment(folder)
    [site] = folder.glob("lib/python3.*/site-packages")
    (site / "femtolog").unlink()
    shutil.copytree(pathlib.Path(femtolog.__file__).parent, site / "femtolog")
    for extension in (site / "femtolog").glob("_native.*"):
        if extension.suffix in (".so", ".pyd"):
            extension.write_bytes(b"not a library")
    return python


def run(*command, env=None, **more):
    """Run a command in a clean environment, which says nothing of FEMTOLOG and of paths unless `env` does."""
    kept = {name: value for name, value in os.environ.items() if name not in ("FEMTOLOG", "PYTHONPATH")}
    command = [str(part) for part in command]
    more.setdefault("cwd", tempfile.gettempdir())  # not the source tree, which `python -m` would put first on the path
    return subprocess.run(command, env=kept | (env or {}), capture_output=True, text=True, timeout=120, check=False, **more)


def native(python, program, *options, env=None, **more):
    """Run a program with FEMTOLOG=1 and give back what it printed."""
    done = run(python, *options, "-c", textwrap.dedent(program), env={"FEMTOLOG": "1"} | (env or {}), **more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return done.stdout
