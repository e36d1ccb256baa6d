"""A stream counts as an idle plain file exactly when bytes written past it land where its own write would put them."""

import contextlib
import io
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from femtolog import _native

probe = _native._raw_probe

pytestmark = pytest.mark.skipif(
    probe("layout")[0] != "raw", reason="without raw reads no stream ever counts as an idle plain file"
)


def idle(stream: object) -> tuple[int, bool] | None:
    """The descriptor, and whether the stream encodes as UTF-8; None when the stream has to be used."""
    answer = probe("idle", stream)
    if answer == "unprepared":
        probe("prepare", stream)
        answer = probe("idle", stream)
    return answer


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[io.TextIOWrapper]:
    opened = open(tmp_path / "log", "a", encoding="utf-8")
    yield opened
    with contextlib.suppress(ValueError):  # a test may have detached or closed it
        opened.close()


def test_fresh_file_is_idle(stream: io.TextIOWrapper) -> None:
    assert idle(stream) == (stream.fileno(), True)


@pytest.mark.parametrize(
    ("options", "utf8"),
    [
        ({"encoding": "utf-8"}, True),
        ({"encoding": "UTF8"}, True),
        ({"encoding": "utf-8", "errors": "backslashreplace"}, True),
        ({"encoding": "utf-8", "newline": "\n"}, True),
        ({"encoding": "utf-8", "newline": ""}, True),
        ({"encoding": "utf-8", "buffering": 1}, True),
        ({"encoding": "ascii"}, False),
        ({"encoding": "latin-1"}, False),
        ({"encoding": "iso8859-1"}, False),
    ],
)
@pytest.mark.parametrize("mode", ["w", "a", "x"])
def test_plain_files_are_idle(tmp_path: Path, mode: str, options: dict[str, Any], utf8: bool) -> None:
    with open(tmp_path / "log", mode, **options) as stream:
        assert idle(stream) == (stream.fileno(), utf8)
        stream.write("text")
        assert idle(stream) is None
        stream.flush()
        assert idle(stream) == (stream.fileno(), utf8)


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "utf-8", "newline": "\r\n"},
        {"encoding": "utf-8", "newline": "\r"},
        {"encoding": "utf-16"},
        {"encoding": "utf-16-le"},
        {"encoding": "utf-32"},
        {"encoding": "utf-32-be"},
        {"encoding": "utf-8-sig"},
        {"encoding": "cp1252"},
        {"encoding": "koi8-r"},
        {"encoding": "shift_jis"},
    ],
)
def test_other_files_are_not(tmp_path: Path, options: dict[str, Any]) -> None:
    with open(tmp_path / "log", "w", **options) as stream:
        assert idle(stream) is None
        stream.write("text\n")
        stream.flush()
        assert idle(stream) is None


@pytest.mark.parametrize("mode", ["r+", "w+", "a+", "r"])
def test_files_also_read_are_not(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "log"
    path.write_text("before")
    with open(path, mode, encoding="utf-8") as stream:
        assert idle(stream) is None


def test_reconfigured(stream: io.TextIOWrapper) -> None:
    stream.reconfigure(newline="\r\n")
    assert idle(stream) is None
    stream.reconfigure(newline="\n")
    assert idle(stream) == (stream.fileno(), True)
    stream.reconfigure(encoding="utf-16")
    assert idle(stream) is None
    stream.reconfigure(encoding="cp1252")
    assert idle(stream) is None
    stream.reconfigure(encoding="ascii")
    assert idle(stream) == (stream.fileno(), False)
    # Texts that need an error handler have no UTF-8 to write past the stream; for all others it changes nothing.
    stream.reconfigure(encoding="utf-8", errors="replace")
    assert idle(stream) == (stream.fileno(), True)
    stream.reconfigure(line_buffering=True, write_through=True)
    assert idle(stream) == (stream.fileno(), True)


@pytest.mark.parametrize("options", [{}, {"write_through": True}, {"line_buffering": True}])
def test_without_a_buffer(tmp_path: Path, options: dict[str, bool]) -> None:
    with io.TextIOWrapper(io.FileIO(tmp_path / "log", "w"), encoding="utf-8", **options) as stream:
        plain = (stream.fileno(), True)
        assert idle(stream) == plain
        stream.write("pending")
        assert idle(stream) == (plain if options.get("write_through") else None)
        stream.flush()
        assert idle(stream) == plain
        stream.buffer.write = print  # type: ignore[method-assign]
        assert idle(stream) is None
        del stream.buffer.write
        assert idle(stream) == plain
        stream.buffer.close()
        assert idle(stream) is None


@pytest.mark.parametrize(("mode", "plain"), [("w", True), ("a", True), ("x", True), ("r+", False), ("w+", False), ("r", False)])
def test_without_a_buffer_and_also_read(tmp_path: Path, mode: str, plain: bool) -> None:
    if mode != "x":
        (tmp_path / "log").write_text("before")
    with io.TextIOWrapper(io.FileIO(tmp_path / "log", mode), encoding="utf-8") as stream:
        assert (idle(stream) is not None) is plain


@pytest.mark.parametrize("mode", ["w", "a", "x"])
@pytest.mark.parametrize("buffered", [True, False])
def test_files_that_append_are_known(tmp_path: Path, mode: str, buffered: bool) -> None:
    raw = io.FileIO(tmp_path / "log", mode)
    with io.TextIOWrapper(io.BufferedWriter(raw) if buffered else raw, encoding="utf-8") as stream:
        assert idle(stream) is not None
        assert probe("appends", stream) is (mode == "a")
        stream.write("pending")
        assert probe("appends", stream) is None


def test_detached(stream: io.TextIOWrapper) -> None:
    buffer = stream.detach()
    assert idle(stream) is None
    buffer.close()


def test_detached_buffer(stream: io.TextIOWrapper) -> None:
    raw = stream.buffer.detach()
    assert idle(stream) is None
    raw.close()


@pytest.mark.parametrize("part", [lambda s: s, lambda s: s.buffer, lambda s: s.buffer.raw])
def test_closed(stream: io.TextIOWrapper, part: Callable[[Any], Any]) -> None:
    part(stream).close()
    assert idle(stream) is None


def test_pending_in_the_buffer(stream: io.TextIOWrapper) -> None:
    stream.buffer.write(b"bytes")
    assert idle(stream) is None
    stream.buffer.flush()
    assert idle(stream) == (stream.fileno(), True)
    stream.write("x" * 100_000)
    assert idle(stream) is None


def test_pending_after_a_failed_flush() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with open(reader, "rb"), open(writer, "w", encoding="utf-8") as stream:
        assert idle(stream) == (writer, True)
        with pytest.raises(BlockingIOError):
            stream.write("x" * 200_000)
        assert idle(stream) is None
        with pytest.raises(BlockingIOError):
            stream.close()


@pytest.mark.parametrize("name", ["write", "flush"])
@pytest.mark.parametrize("part", [lambda s: s, lambda s: s.buffer, lambda s: s.buffer.raw])
def test_overridden_on_the_instance(stream: io.TextIOWrapper, part: Callable[[Any], Any], name: str) -> None:
    target = part(stream)
    setattr(target, name, getattr(target, name))
    assert idle(stream) is None
    delattr(target, name)
    assert idle(stream) == (stream.fileno(), True)
    vars(target)["".join(name)] = None
    assert idle(stream) is None
    del vars(target)[name]
    vars(target)[1] = 1
    assert idle(stream) is None
    del vars(target)[1]
    target.remark = "harmless"
    vars(target)["x" * 3] = "harmless"


def test_subclasses_and_lookalikes(tmp_path: Path) -> None:
    class Text(io.TextIOWrapper):
        pass

    class Writer(io.BufferedWriter):
        pass

    class File(io.FileIO):
        pass

    path = tmp_path / "log"
    with Text(io.BufferedWriter(io.FileIO(path, "w")), encoding="utf-8") as stream:
        assert idle(stream) is None
    with io.TextIOWrapper(Writer(io.FileIO(path, "w")), encoding="utf-8") as stream:
        assert idle(stream) is None
    with io.TextIOWrapper(io.BufferedWriter(File(path, "w")), encoding="utf-8") as stream:
        assert idle(stream) is None
    with io.TextIOWrapper(io.BufferedWriter(io.FileIO(path, "w")), encoding="utf-8") as stream:
        assert idle(stream) == (stream.fileno(), True)
    for other in [io.TextIOWrapper(io.BytesIO()), io.StringIO(), object(), None, io.TextIOWrapper.__new__(io.TextIOWrapper)]:
        assert idle(other) is None


def test_another_thread_inside_the_buffer() -> None:
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as source, open(writer, "w", encoding="utf-8") as stream:
        assert idle(stream)
        # More than the pipe and the buffer hold: the thread waits inside write(2), with nothing pending.
        blocked = threading.Thread(target=lambda: (stream.buffer.write(b"x" * 300_000), stream.buffer.flush()))
        blocked.start()
        first = source.read(1)
        assert first == b"x"
        assert idle(stream) is None
        left = 300_000 - 1
        while left:
            left -= len(source.read(65536))
        blocked.join(30)
        assert idle(stream) == (writer, True)


def test_order_is_kept_whatever_is_mixed(tmp_path: Path) -> None:
    for seed in range(40):
        choose = random.Random(seed)
        path, expected, past = tmp_path / str(seed), bytearray(), 0
        mode = choose.choice("wa")
        with open(path, mode, encoding="utf-8") as stream:
            for n in range(200):
                piece = f"<{n}{choose.choice(['', 'é', '日本'])}>" * choose.choice([1, 1, 1, 3000])
                action = choose.randrange(8)
                if action == 0:
                    stream.write(piece)
                elif action == 1:
                    stream.flush()
                    stream.buffer.write(piece.encode())
                elif action == 2:
                    stream.flush()
                    continue
                elif action == 3:
                    assert stream.seek(0, os.SEEK_END) == len(expected)
                    continue
                elif action == 4:
                    assert stream.truncate() == len(expected)
                    continue
                else:
                    found = idle(stream)
                    if found:
                        past += 1
                        os.write(found[0], piece.encode())
                    else:
                        stream.write(piece)
                        stream.flush()
                        assert idle(stream)
                expected += piece.encode()
            stream.flush()
            assert stream.tell() == len(expected)
        assert path.read_bytes() == bytes(expected)
        assert past > 20


def test_nothing_is_left_open_and_nobody_is_warned(tmp_path: Path) -> None:
    program = (
        "import os, sys; stream = open(sys.argv[1], 'w', encoding='utf-8')\n"
        "before = os.listdir('/dev/fd')\n"
        "from femtolog import _native; probe = _native._raw_probe\n"
        "assert os.listdir('/dev/fd') == before\n"
        "probe('prepare', stream)\n"
        "assert os.listdir('/dev/fd') == before\n"
        "assert probe('idle', stream) == (stream.fileno(), True)\n"
        "import gc; gc.collect(); stream.close()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", "-X", "dev", "-W", "error", "-c", program, str(tmp_path / "log")]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def printed_by(program: str, path: Path) -> str:
    """What a process prints that has opened this file as `stream`, at its end."""
    begin = "import sys; stream = open(sys.argv[1], 'w', encoding='utf-8')\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", "-c", begin + program, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_audit_hook_that_refuses_turns_it_off(tmp_path: Path) -> None:
    program = (
        "probe = None\n"
        "def hook(event, args):\n"
        "    if probe: probe('prepare', stream)\n"
        "    if event == 'open' and type(args[0]) is int: raise RuntimeError('refused')\n"
        "sys.addaudithook(hook)\n"
        "from femtolog import _native; probe = _native._raw_probe\n"
        "print(probe('idle', stream))\n"
        "probe('prepare', stream)\n"
        "print(probe('idle', stream))\n"
    )
    assert printed_by(program, tmp_path / "log").splitlines() == ["unprepared", "None"]


def test_finding_out_imports_nothing(tmp_path: Path) -> None:
    program = (
        "import types\n"  # as femtolog's Python part does, and logging
        "before = set(sys.modules)\n"
        "from femtolog import _native; probe = _native._raw_probe\n"
        "probe('prepare', stream)\n"
        "new = {name for name in set(sys.modules) - before if not name.startswith('femtolog')}\n"
        "print(probe('idle', stream) is not None, new)\n"
    )
    assert printed_by(program, tmp_path / "log") == "True set()"
