"""femtolog.files: what becomes of backups, while a handler writes on and after a process was killed."""

import datetime
import gzip
import importlib
import logging
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from femtolog import _timetable
from femtolog.files import FileHandler, RotatingFileHandler, TimedRotatingFileHandler, _keeping

DAY = 86400


@pytest.fixture
def log():
    logger = logging.Logger("files")
    yield logger
    for handler in logger.handlers:
        handler.close()


def logs_to(logger, handler):
    logger.addHandler(handler)
    return handler


def text(path):
    data = path.read_bytes()
    return (gzip.decompress(data) if path.name.endswith(".gz") else data).decode()


def texts(folder):
    return {path.name: text(path) for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")}


def backup(folder, name, content="old\n", *, days=0.0):
    path = folder / name
    path.write_text(content)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def by_size(folder, **options):
    return RotatingFileHandler(folder / "a.log", maxBytes=5, **{"backupCount": 9, **options})


# ---- options


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"compression": "xz"}, ValueError, "compression must be 'gz' or 'zst', got 'xz'"),
        ({"retention": 1.5}, TypeError, "retention must be an int or a str, got 1.5"),
        ({"retention": -1}, ValueError, "retention must not be negative, got -1"),
        ({"retention": "10 fortnights"}, ValueError, "retention must be a number of files, an age .* got '10 fortnights'"),
        ({"retention": "ten days"}, ValueError, "got 'ten days'"),
        ({"archive_after_days": 5}, ValueError, "need archive_dir, got None"),
        ({"archive_dir": "x", "archive_after_days": "5"}, TypeError, "archive_after_days must be a number, got '5'"),
        ({"archive_dir": "x", "archive_after_days": -1}, ValueError, "archive_after_days must not be negative, got -1"),
        ({"archive_dir": "x", "delete_after_days": 5}, ValueError, "must not be below archive_after_days, got 5 and 30"),
        ({"archive_dir": "."}, ValueError, r"archive_dir must not be the directory of the log, got '\.'"),
        ({"compression": "gz", "backupCount": 0}, ValueError, "need maxBytes and backupCount of at least 1, got 5 and 0"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, monkeypatch, options, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        by_size(tmp_path, **options)


def test_files_that_are_not_rotated_have_no_backups(tmp_path):
    with pytest.raises(ValueError, match="are for handlers that rotate, not FileHandler"):
        FileHandler(tmp_path / "a.log", compression="gz")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, ()),
        (3, (3,)),
        ("10 days", (float("inf"), 10 * DAY)),
        ("1 week", (float("inf"), 7 * DAY)),
        (" 500  MB ", (float("inf"), float("inf"), 500_000_000)),
        ("2 GiB", (float("inf"), float("inf"), 2 << 30)),
        ("7 B", (float("inf"), float("inf"), 7)),
    ],
)
def test_retention(value, wanted):
    assert _keeping.retention(value) == _keeping.Retention(*wanted)


def test_zst_without_a_package_is_refused(tmp_path, monkeypatch):
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=r"compression='zst' needs Python 3\.14, or the package backports.zstd or zstandard"):
        by_size(tmp_path, compression="zst")


def test_zst(tmp_path, log, monkeypatch):
    """Whichever module is there; where none is, one that takes its place."""
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        try:
            module = importlib.import_module(name)
            break
        except ImportError:
            module = None
    if module is None:
        module = gzip
        monkeypatch.setitem(sys.modules, "zstandard", gzip)
    handler = logs_to(log, by_size(tmp_path, compression="zst"))
    log.info("one")
    log.info("two")
    handler.close()
    with module.open(tmp_path / "a.log.1.zst", "rb") as file:
        assert file.read() == b"one\n"
    assert not (tmp_path / "a.log.1").exists()


# ---- compression


@pytest.mark.parametrize("options", [{}, {"multiprocess": True}, {"enqueue": True}, {"buffering": 4}])
def test_backups_are_compressed_and_counted_by_backup_count(tmp_path, log, options):
    handler = logs_to(log, by_size(tmp_path, backupCount=3, compression="gz", **options))
    for number in range(10, 16):
        log.info("%d", number)
    handler.close()
    assert texts(tmp_path) == {"a.log": "15\n", "a.log.1.gz": "14\n", "a.log.2.gz": "13\n", "a.log.3.gz": "12\n"}


def test_compressed_backups_by_time(tmp_path, log):
    handler = logs_to(log, TimedRotatingFileHandler(tmp_path / "a.log", "D", 1, 2, utc=True, compression="gz"))
    for day in range(1, 5):
        log.info("day %d", day)
        handler.rolloverAt = day * DAY
    log.info("day 5")
    handler.close()
    assert texts(tmp_path) == {"a.log": "day 5\n", "a.log.1970-01-03.gz": "day 3\n", "a.log.1970-01-04.gz": "day 4\n"}


def test_a_rollover_while_a_backup_is_compressed(tmp_path, log, monkeypatch):
    """The backup has another name when it is done, and whoever logs has not waited."""
    inside, on = threading.Event(), threading.Event()
    finish = _keeping._finish

    def slow(path, status):
        inside.set()
        assert on.wait(60)
        finish(path, status)

    monkeypatch.setattr(_keeping, "_finish", slow)
    handler = logs_to(log, by_size(tmp_path, compression="gz"))
    log.info("one")
    log.info("two")
    assert inside.wait(60)
    log.info("three")
    log.info("four")
    assert [text(tmp_path / f"a.log{end}") for end in ("", ".1", ".2", ".3")] == ["four\n", "three\n", "two\n", "one\n"]
    on.set()
    handler.close()
    assert texts(tmp_path) == {"a.log": "four\n", "a.log.1.gz": "three\n", "a.log.2.gz": "two\n", "a.log.3.gz": "one\n"}
    packed = (tmp_path / "a.log.3.gz").stat()
    assert packed.st_mode == (tmp_path / "a.log").stat().st_mode


KILLED = textwrap.dedent("""
    import logging, os, signal
    from femtolog.files import RotatingFileHandler, _keeping

    log = logging.Logger("l")
    log.addHandler(RotatingFileHandler("a.log", maxBytes=5, backupCount=9, compression="gz"))
    _keeping._finish = lambda path, status: os.kill(os.getpid(), signal.SIGKILL)
    log.info("one")
    log.info("two")
    logging.shutdown()
    """)


def test_killed_in_mid_compression(tmp_path, log):
    done = subprocess.run([sys.executable, "-P", "-c", KILLED], cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    assert {path.name for path in tmp_path.glob("a*")} == {"a.log", "a.log.1", "a.log.1.gz.tmp"}
    assert text(tmp_path / "a.log.1") == "one\n"
    logs_to(log, by_size(tmp_path, compression="gz")).close()
    assert texts(tmp_path) == {"a.log": "two\n", "a.log.1.gz": "one\n"}


def test_two_processes_never_compress_at_once(tmp_path, log):
    """Whoever has the lock compresses; the other one waits, and finds nothing to do."""
    with _keeping.FileLock(str(tmp_path / ".a.log.keep")):
        handler = logs_to(log, by_size(tmp_path, compression="gz"))
        log.info("one")
        log.info("two")
        assert not handler._kept.is_set()
        assert (tmp_path / "a.log.1").read_text() == "one\n"
    handler.close()
    assert texts(tmp_path) == {"a.log": "two\n", "a.log.1.gz": "one\n"}


def test_disk_that_has_no_room_for_the_compressed_file(tmp_path, log, monkeypatch, capsys):
    def full(path, status):
        raise OSError(28, "No space left on device")

    handler = logs_to(log, by_size(tmp_path, compression="gz"))
    monkeypatch.setattr(_keeping, "_finish", full)
    log.info("one")
    log.info("two")
    handler.close()
    assert texts(tmp_path) == {"a.log": "two\n", "a.log.1": "one\n"}
    assert "stay as they are: [Errno 28] No space left on device" in capsys.readouterr().err


def test_without_backups_no_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(_timetable.Timetable, "call", lambda *arguments: pytest.fail("started"))
    by_size(tmp_path, compression="gz", retention=3).close()


def test_at_the_end_of_the_interpreter_the_caller_does_it(tmp_path, log, monkeypatch):
    monkeypatch.setattr(_timetable.Timetable, "call", lambda *arguments: False)
    logs_to(log, by_size(tmp_path, compression="gz"))
    log.info("one")
    log.info("two")
    assert texts(tmp_path) == {"a.log": "two\n", "a.log.1.gz": "one\n"}


def test_namer(tmp_path, log):
    handler = logs_to(log, by_size(tmp_path, compression="gz", backupCount=2))
    handler.namer = lambda name: re.sub(r"\.log\.(\d+)$", r"-\1.log", name)
    for number in range(10, 14):
        log.info("%d", number)
    handler.close()
    assert texts(tmp_path) == {"a.log": "13\n", "a-1.log.gz": "12\n", "a-2.log.gz": "11\n"}


# ---- retention, archive


@pytest.mark.parametrize(
    ("retention", "left"),
    [
        (2, ["a.log.1", "a.log.2.gz"]),
        (0, []),
        ("10 days", ["a.log.1", "a.log.2.gz", "a.log.3"]),
        ("2 weeks", ["a.log.1", "a.log.2.gz", "a.log.3", "a.log.4"]),
        ("12 B", ["a.log.1", "a.log.2.gz", "a.log.3"]),
    ],
)
def test_what_retention_leaves(tmp_path, retention, left):
    for number, name in enumerate(("a.log.1", "a.log.2.gz", "a.log.3", "a.log.4"), 1):
        backup(tmp_path, name, days=number * 3)
    others = [backup(tmp_path, name, days=99).name for name in ("a.log.20230101", "a.log.x", "b.log.1", "a.log.01")]
    by_size(tmp_path, retention=retention).close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == sorted(["a.log", *left, *others])


def test_archive(tmp_path, log):
    """Numbers are taken again, so in the archive a file is called after its time; there, too, it is removed when it is old."""
    archive = tmp_path / "old"
    for number, days in ((1, 1), (2, 40), (3, 41), (4, 400)):
        backup(tmp_path, f"a.log.{number}", f"{days} days\n", days=days)
    handler = by_size(tmp_path, compression="gz", archive_dir=archive)
    handler.close()
    assert texts(tmp_path) == {"a.log": "", "a.log.1.gz": "1 days\n"}
    times = {text(path): path.stat().st_mtime_ns for path in archive.iterdir()}
    names = [f"a.log.{datetime.datetime.fromtimestamp(times[days] // 10**9):%Y-%m-%d_%H-%M-%S}" for days in sorted(times)]
    assert texts(archive) == {f"{names[0]}.gz": "40 days\n", f"{names[1]}.gz": "41 days\n"}
    os.utime(backup(tmp_path, "a.log.7", "another\n"), ns=(times["40 days\n"],) * 2)
    by_size(tmp_path, compression="gz", archive_dir=archive, retention=3).close()
    assert texts(archive) == {f"{names[0]}.gz": "40 days\n", f"{names[0]}-1.gz": "another\n"}


def test_archive_on_another_file_system(tmp_path, monkeypatch):
    def rename(source, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "rename", rename)
    backup(tmp_path, "a.log.2024-01-01", days=3)
    backup(tmp_path, "a.log.2024-01-02", days=1)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.log.2023-01-01.tmp").write_text("left by a process that was killed")
    options = {"archive_dir": tmp_path / "old", "archive_after_days": 2, "delete_after_days": 10}
    TimedRotatingFileHandler(tmp_path / "a.log", "D", **options).close()
    assert sorted(texts(tmp_path)) == ["a.log", "a.log.2024-01-02"]
    assert texts(tmp_path / "old") == {"a.log.2024-01-01": "old\n"}
    assert time.time() - (tmp_path / "old" / "a.log.2024-01-01").stat().st_mtime > 2 * DAY
