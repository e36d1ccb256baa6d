"""femtolog.delivery: numbers that records get, and what they tell where the records arrive."""

import io
import json
import logging
import os
import random
import subprocess
import sys
import threading

import pytest

import femtolog
from femtolog._serve import JSONFormatter
from femtolog.delivery import Numbering, verify
from femtolog.errors import ConfigurationError
from femtolog.femto import FemtoHTTPHandler, FemtoSocketHandler
from femtolog.server import LogServer

FORMAT = "boot_id=%(boot_id)s seq=%(seq)d %(message)s"

pytestmark = pytest.mark.usefixtures("tier")


@pytest.fixture
def numbered():
    """A logger, its handler's numbering, and its lines so far."""
    log, stream = logging.Logger("numbered"), io.StringIO()
    handler, numbering = logging.StreamHandler(stream), Numbering()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(numbering)
    log.addHandler(handler)
    return log, numbering, lambda: stream.getvalue().splitlines()


def command(*arguments, text=""):
    return subprocess.run(
        [sys.executable, "-P", "-m", "femtolog", "verify", *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_nothing_missing(numbered):
    log, numbering, lines = numbered
    for number in range(1000):
        log.warning("%d", number)
    (delivery,) = verify(lines())
    assert (delivery.boot_id, delivery.records, delivery.last) == (numbering.boot_id, 1000, 1000)
    assert (delivery.missing, delivery.twice, delivery.is_complete, numbering.last) == ([], [], True, 1000)
    assert str(delivery) == f"{numbering.boot_id}: 1000 records, 1 to 1000, none missing"


@pytest.mark.parametrize("seed", range(5))
def test_what_is_missing_and_what_came_twice_in_any_order(numbered, seed):
    log, _, lines = numbered
    for number in range(500):
        log.warning("%d", number)
    chance = random.Random(seed)
    all_lines = lines()
    lost = set(chance.sample(range(499), 40)) | {0}
    again = chance.choices([number for number in range(500) if number not in lost], k=20)
    arrived = [number for number in range(500) if number not in lost] + again
    chance.shuffle(arrived)
    (delivery,) = verify(all_lines[number] for number in arrived)
    missing = {number for first, last in delivery.missing for number in range(first, last + 1)}
    assert missing == {number + 1 for number in lost}
    assert all(after[0] > before[1] + 1 for before, after in zip(delivery.missing, delivery.missing[1:], strict=False))
    assert sorted(delivery.twice) == sorted(number + 1 for number in again)
    assert (delivery.records, delivery.last) == (len(arrived), 500)
    firsts = list(dict.fromkeys(arrived))
    assert delivery.late == [number + 1 for place, number in enumerate(firsts) if number < max(firsts[:place], default=0)]


def test_threads_share_the_numbers(numbered):
    log, numbering, lines = numbered
    threads = [threading.Thread(target=lambda: [log.warning("x") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (delivery,) = verify(lines())
    assert (delivery.records, delivery.last, delivery.missing, delivery.twice) == (2000, 2000, [], [])
    assert numbering.last == 2000


def test_what_an_overflowing_queue_drops_is_a_gap(numbered):
    log, numbering, lines = numbered
    (handler,) = log.handlers
    femtolog.enqueue(handler, capacity=10, overflow="drop", protect_level=logging.CRITICAL)
    with handler.lock:  # the worker cannot write
        for number in range(30):
            log.warning("%d", number)
    assert handler.flush(30)
    account = handler.stats()
    (delivery,) = verify(lines(), {numbering.boot_id: numbering.last})
    assert sum(last - first + 1 for first, last in delivery.missing) == account["dropped"] > 0
    assert delivery.records == account["written"]
    assert delivery.last == 30
    handler.close()


def test_a_record_that_comes_twice_keeps_its_number(numbered):
    log, numbering, lines = numbered
    log.addHandler(log.handlers[0])
    other = logging.StreamHandler(io.StringIO())
    other.addFilter(numbering)
    log.addHandler(other)
    log.warning("one")
    log.warning("two")
    assert numbering.last == 2
    assert len(lines()) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
def test_a_forked_child_counts_anew(numbered):
    log, numbering, lines = numbered
    log.warning("parent")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        log.warning("child")
        os.write(writing, lines()[-1].encode())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    log.warning("parent again")
    line = os.read(reading, 1000)
    os.close(reading)
    os.close(writing)
    parent, of_child = verify([*lines(), line])
    assert (parent.boot_id, parent.last, parent.missing) == (numbering.boot_id, 2, [])
    assert (of_child.last, of_child.missing) == (1, [])
    assert of_child.boot_id != parent.boot_id


def test_over_tcp_to_the_receivers_file(tmp_path):
    path, numbering = tmp_path / "received", Numbering()
    receiving = logging.FileHandler(path)
    receiving.setFormatter(logging.Formatter(FORMAT.replace("(seq)d", "(seq)s")))
    log = logging.Logger("tcp")
    with LogServer(receiving, tcp=("127.0.0.1", 0)) as server:
        handler = FemtoSocketHandler(*server.addresses["tcp"], policy="block")
        handler.addFilter(numbering)
        log.addHandler(handler)
        for number in range(200):
            log.info("%d", number)
        handler.close()
        assert server.wait_for(200, 30)
    receiving.close()
    done = command(path, "--last", f"{numbering.boot_id}={numbering.last}")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{numbering.boot_id}: 200 records, 1 to 200, none missing\n", "")


def test_what_is_sent_by_http_has_the_numbers():
    handler, numbering = FemtoHTTPHandler("http://127.0.0.1:9/"), Numbering()
    handler.addFilter(numbering)
    record = logging.makeLogRecord({"name": "shop", "levelname": "INFO", "msg": "open"})
    assert handler.filter(record)
    (item,) = handler._items(record)
    handler.close()
    assert numbering.boot_id in str(item)


LINES = [
    ('{"boot_id": "b1", "seq": 1}', [("b1", 1)]),
    ('{"msg": "m", "extra": {"boot_id": "b1", "seq": "2"}}', [("b1", 2)]),
    ('{"key_values": {"boot_id": "b1", "seq": 3}}', [("b1", 3)]),
    ('[{"boot_id": "b1", "seq": 1}, {"boot_id": "b2", "seq": 1}, 5]', [("b1", 1), ("b2", 1)]),
    ("x boot_id=b1 y seq=17 z", [("b1", 17)]),
    ('seq: 4 boot_id: "b1"', [("b1", 4)]),
    ('{"boot_id": "b1", "seq": 1', []),  # half a line: no words either
    ('{"boot_id": "b1"}', []),
    ('{"boot_id": "b1", "seq": -1}', []),
    ('{"boot_id": "b1", "seq": 0}', []),
    ('{"boot_id": 5, "seq": 1}', []),
    ('{"boot_id": "b 1", "seq": 1}', []),
    ("boot_id=b1 seq=", []),
    ("boot_id=b1 seq=" + "9" * 5000, []),
    ("boot_id=b1 seq=\N{ARABIC-INDIC DIGIT ONE}", []),
    ('{"boot_id": "b1", "seq": true}', []),
    ('{"boot_id": "b1", "seq": ' + "9" * 5000 + "}", []),
    ('{"boot_id": ' + "[" * 100_000, []),
    ("seq=5", []),
    ("", []),
]


@pytest.mark.parametrize(("line", "numbers"), LINES)
def test_lines(line, numbers):
    found = [(delivery.boot_id, delivery.last) for delivery in verify([line])]
    assert found == numbers
    assert [(delivery.boot_id, delivery.last) for delivery in verify([line.encode()])] == numbers


def test_the_command(tmp_path):
    def line(seq):
        return json.dumps({"boot_id": "feed", "seq": seq}) + "\n"

    (tmp_path / "one").write_text("".join(map(line, [1, 2, 3, 5])))
    (tmp_path / "two").write_text("noise\n" + "".join(map(line, [8, 8, 9])))
    done = command(tmp_path / "one", tmp_path / "two")
    assert (done.returncode, done.stdout) == (1, "feed: 7 records, 1 to 9, 3 missing: 4, 6 to 7, 1 again: 8\n")
    done = command("-", "--last", "feed=2", text=line(1))
    assert (done.returncode, done.stdout) == (1, "feed: 1 record, 1 to 2, 1 missing: 2\n")
    done = command("-", text="".join(map(line, [1, 3, 2])))
    assert (done.returncode, done.stdout) == (0, "feed: 3 records, 1 to 3, none missing, 1 late: 2\n")
    assert command("-", "--in-order", text="".join(map(line, [1, 3, 2]))).returncode == 1
    assert command("-", "--in-order", text="".join(map(line, [1, 2, 2]))).returncode == 0
    done = command("-", text="nothing\n")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "femtolog verify: no line has boot_id and seq\n")
    done = command(tmp_path / "away")
    assert done.returncode == 1
    assert done.stderr.startswith("femtolog verify: [Errno 2] No such file")
    assert command("-", "--last", "feed=0").returncode == 2


def test_a_last_number_that_cannot_be():
    with pytest.raises(ConfigurationError, match=r"^last must be at least 1, got 0 for feed$"):
        verify([], {"feed": 0})


def test_lines_of_json_have_what_a_record_has():
    record = logging.makeLogRecord(
        {"name": "shop", "msg": "m %d", "args": (1,), "boot_id": "b1", "seq": 7, "msg_id": object, "lineno": 3}
    )
    first = json.loads(JSONFormatter().format(record))
    assert (first["msg"], first["boot_id"], first["seq"], first["msg_id"], first["lineno"]) == ("m 1", "b1", 7, str(object), 3)
    assert "exc_text" not in first
    assert "stack_info" not in first
    record.exc_text, record.stack_info, record.levelname = "Traceback\nKeyError", "Stack", "ERROR"
    second = json.loads(JSONFormatter().format(record))
    assert (second["exc_text"], second["stack_info"], second["levelname"]) == ("Traceback\nKeyError", "Stack", "ERROR")
    (delivery,) = verify([JSONFormatter().format(record)])
    assert (delivery.boot_id, delivery.last) == ("b1", 7)
