"""The black box: what is in it after each kind of end, in order and whole."""

import logging
import os
import signal
import subprocess
import sys
import textwrap

import pytest

import femtolog
from femtolog import blackbox
from femtolog.blackbox import BlackBoxHandler, recover


@pytest.fixture(autouse=True)
def installed():
    with femtolog.installed():
        yield


@pytest.fixture
def log():
    logger = logging.Logger("box")
    yield logger
    for handler in logger.handlers:
        handler.close()


def box(logger, path, *arguments, **options):
    handler = BlackBoxHandler(path, *arguments, **options)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    return handler


@pytest.mark.parametrize("size", [4096, 4100, 5000, 1 << 16])
def test_the_last_records_that_fit(tmp_path, log, size):
    """After each record: the newest are there, in order, and so many that the ring is nearly full."""
    handler = box(log, tmp_path / "a.ring", size)
    texts = [f"{number} {'x' * (number * 7 % 101)}" for number in range(400)]
    for number, text in enumerate(texts, 1):
        log.info(text)
        if number % 13 == 0:
            found = recover(tmp_path / "a.ring")
            assert found.texts == texts[found.first - 1 : number]
            assert found.torn == 0
            room = sum(blackbox._aligned(24 + len(text)) for text in found.texts)
            assert found.first == 1 or room > size - 64 - 3 * 136
    handler.flush()
    assert os.path.getsize(tmp_path / "a.ring") == size


def test_default_format_and_characters(tmp_path, log):
    handler = BlackBoxHandler(tmp_path / "a.ring", level="WARNING")
    log.addHandler(handler)
    log.info("below")
    log.warning("\xe4\ud800\n%s", "\U0001f642")
    [text] = recover(tmp_path / "a.ring").texts
    assert text.endswith(" WARNING box: \xe4\\ud800\n\U0001f642")
    assert repr(handler) == f"<BlackBoxHandler {tmp_path / 'a.ring'} (WARNING)>"


def test_text_that_is_too_long_is_cut(tmp_path, log):
    box(log, tmp_path / "a.ring", 4096)
    for character in "abcdef":
        log.info(character * 5000)
    texts = recover(tmp_path / "a.ring").texts
    assert [text[0] for text in texts] == list("def") or [text[0] for text in texts] == list("cdef")
    assert {len(text) for text in texts} == {(4096 - 64) // 4 - 24}
    assert texts[-1].endswith("f...")


def test_torn_entries_are_skipped_and_counted(tmp_path, log):
    box(log, tmp_path / "a.ring")
    for number in range(5):
        log.info("record %d", number)
    log.handlers.pop().close()
    data = bytearray((tmp_path / "a.ring").read_bytes())
    at = data.index(b"record 3")
    data[at + 5] ^= 1
    (tmp_path / "a.ring").write_bytes(data)
    assert recover(tmp_path / "a.ring")[:3] == (["record 0", "record 1", "record 2", "record 4"], 1, 1)


def test_no_text_can_forge_an_entry(tmp_path, log, monkeypatch):
    """Not even one that is an entry of another box, and whose own entry is torn."""
    box(log, tmp_path / "other.ring")
    log.info("forged")
    entry = (tmp_path / "other.ring").read_bytes()[64:96]
    ring = blackbox._Ring(str(tmp_path / "a.ring"), 4096)
    ring.write(entry)
    ring._map[80] ^= 1
    assert recover(tmp_path / "a.ring")[:2] == ([], 1)


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ValueError, match="size must be at least 4096, got 4095"):
        BlackBoxHandler(tmp_path / "a.ring", 4095)
    with pytest.raises(TypeError, match="size must be an int, got '1 MB'"):
        BlackBoxHandler(tmp_path / "a.ring", "1 MB")
    with pytest.raises(FileNotFoundError):
        BlackBoxHandler(tmp_path / "nowhere" / "a.ring")
    (tmp_path / "text").write_text("no ring\n" * 100)
    with pytest.raises(OSError, match="text is no black box of femtolog"):
        recover(tmp_path / "text")


def test_no_room_for_all_of_it(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    ring = BlackBoxHandler(tmp_path / "a.ring", 3 << 19)  # by writing zeros
    ring.close()
    assert os.path.getsize(tmp_path / "a.ring") == 3 << 19
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        BlackBoxHandler(tmp_path / "b.ring")


def test_box_of_an_earlier_process_is_kept(tmp_path, log):
    for number in range(3):
        handler = box(log, tmp_path / "a.ring")
        log.info("process %d", number)
        log.handlers.clear()
        handler.close()
        handler.close()
        handler.handle(logging.makeLogRecord({"msg": "after close"}))
    assert recover(tmp_path / "a.ring").texts == ["process 2"]
    assert recover(tmp_path / "a.ring.old").texts == ["process 1"]


def test_record_that_cannot_be_formatted(tmp_path, log, capsys):
    box(log, tmp_path / "a.ring")
    log.info("%d", "x")
    log.info("next")
    assert recover(tmp_path / "a.ring").texts == ["next"]
    assert "--- Logging error ---" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.ring", "a.{pid}.ring"])
def test_forked_child_has_a_box_of_its_own(tmp_path, log, name):
    handler = box(log, tmp_path / name)
    log.info("parent")
    child = os.fork()
    if not child:
        log.info("child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    log.info("parent again")
    own = tmp_path / name.replace("{pid}", str(os.getpid()))
    assert handler.current_path() == str(own)
    assert recover(own).texts == ["parent", "parent again"]
    assert recover(tmp_path / f"a.{child}.ring") == (["child"], 0, 1, child)
    assert len(os.listdir(tmp_path)) == 2


ENDS = {
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "segfault": "ctypes.string_at(0)",
    "exit": "os._exit(3)",
}


@pytest.mark.parametrize("end", ENDS)
def test_what_is_in_it_however_the_process_ends(tmp_path, end, capfd):
    program = f"""
        import ctypes, logging, os, resource, signal
        from femtolog.blackbox import BlackBoxHandler
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        logging.basicConfig(handlers=[BlackBoxHandler("a.ring", 8192)], format="%(message)s", level=10)
        for number in range(1000):
            logging.info("record %d", number)
        {ENDS[end]}
    """
    done = subprocess.run([sys.executable, "-P", "-c", textwrap.dedent(program)], cwd=tmp_path, check=False)
    assert done.returncode != 0
    found = recover(tmp_path / "a.ring")
    assert found.texts == [f"record {number}" for number in range(found.first - 1, 1000)]
    assert len(found.texts) > 180
    assert found.torn == 0
    with pytest.raises(SystemExit) as ended:
        blackbox.main([str(tmp_path / "a.ring"), str(tmp_path / "none")])
    assert ended.value.code == 1
    out, err = capfd.readouterr()
    assert out.splitlines() == found.texts
    assert f"{len(found.texts)} records of process {found.pid}, the first of them its {found.first}. Torn" in err
    assert "femtolog recover: [Errno 2] No such file or directory" in err


def test_killed_in_the_middle_of_writing(tmp_path):
    """At any moment: nothing but the record that was being written is missing."""
    program = """
        import itertools, logging, os
        from femtolog.blackbox import BlackBoxHandler
        logging.basicConfig(handlers=[BlackBoxHandler("a.{pid}.ring", 65536)], format="%(message)s", level=10)
        for number in itertools.count():
            logging.info("record %d %s", number, "x" * (number % 200))
            if number == 500:
                os.write(1, b"!")
    """
    for _ in range(int(os.environ.get("FEMTOLOG_BLACKBOX_KILLS", "2"))):
        child = subprocess.Popen([sys.executable, "-P", "-c", textwrap.dedent(program)], cwd=tmp_path, stdout=subprocess.PIPE)
        assert child.stdout.read(1) == b"!"
        child.kill()
        child.communicate()
        found = recover(tmp_path / f"a.{child.pid}.ring")
        last = found.first - 1 + len(found.texts)
        assert found.texts == [f"record {number} {'x' * (number % 200)}" for number in range(found.first - 1, last)]
        assert last > 500
        assert found.torn <= 1
        assert child.returncode == -signal.SIGKILL


def test_the_command(tmp_path, log):
    box(log, tmp_path / "a.ring")
    log.info("one")
    command = [sys.executable, "-P", "-m", "femtolog", "recover", "a.ring"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "one\n")
    assert done.stderr == (
        f"a.ring: 1 records of process {os.getpid()}, the first of them its 1. Torn entries that were skipped: 0\n"
    )
