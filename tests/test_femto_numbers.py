"""Handlers with numbered=True: each record that is accounted for has a number, in the order of the queue, and what is lost leaves a gap."""

import contextlib
import http.server
import json
import logging
import os
import socket
import threading
import urllib.parse

import cbor2
import msgpack
import pytest

import femtolog
from femtolog import femto
from femtolog._serve import JSONFormatter
from femtolog.delivery import verify
from femtolog.server import LogServer, record_of

COUNT = int(os.environ.get("FEMTOLOG_STRESS_RECORDS", "400"))
QUICK = {"base_ms": 10, "cap_ms": 20}
PATIENT = {"base_ms": 600_000, "cap_ms": 600_000}


@pytest.fixture(autouse=True)
def installed():
    with femtolog.installed():
        yield


@pytest.fixture
def nobody():
    """A socket that has a port and does not listen yet."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(30)
        yield made


@pytest.fixture
def make(nobody):
    """Makes handlers for `nobody`, and a logger for each."""
    made = []

    def new(**options):
        options = {"capacity": 10, "backoff": QUICK, "numbered": True} | options
        handler = femto.FemtoSocketHandler(*nobody.getsockname(), **options)
        made.append(handler)
        logger = logging.Logger("shop")
        logger.addHandler(handler)
        return logger, handler

    yield new
    for handler in made:
        handler.close()


@pytest.fixture
def collected():
    """A server, and the lines that it writes."""
    written = []
    output = logging.Handler()
    output.emit = lambda record: written.append(JSONFormatter().format(record).encode())
    with LogServer(output, tcp=("127.0.0.1", 0)) as server:
        yield server, written


def payloads(listening, count):
    """So many payloads, over as many connections as it takes."""
    listening.listen()
    found = []
    while len(found) < count:
        with contextlib.closing(listening.accept()[0]) as connection, connection.makefile("rb") as stream:
            while len(found) < count and (length := stream.read(4)):
                found.append(stream.read(int.from_bytes(length, "big")))
    return found


def received(listening, count):
    """The lines that a server would have written of them."""
    return [JSONFormatter().format(record_of(payload)).encode() for payload in payloads(listening, count)]


def found_in(lines, handler=None):
    """What verify() says of the numbers of one handler; with a handler, of its own, up to the last that it has given."""
    last = dict([handler.numbers()]) if handler else None
    (delivery,) = verify(lines, last)
    assert handler is None or delivery.boot_id == handler.numbers()[0]
    return delivery


def assert_whole(lines, handler):
    delivery = found_in(lines, handler)
    assert (delivery.missing, delivery.twice, delivery.late) == ([], [], [])
    assert delivery.records == delivery.last == handler.numbers()[1]


@pytest.mark.parametrize(("wire_format", "decode"), [("msgpack", msgpack.unpackb), ("cbor", cbor2.loads)])
def test_two_keys_more_in_a_frame(make, nobody, wire_format, decode):
    logger, handler = make(wire_format=wire_format)
    logger.warning("natively", extra={"seq": "mine"})
    handler.handle(logging.makeLogRecord({"msg": "a record"}))
    boot_id, last = handler.numbers()
    first, second = [decode(payload) for payload in payloads(nobody, 2)]
    assert last == 2
    assert list(first)[10:] == list(second)[10:] == ["boot_id", "seq"]
    assert (first["boot_id"], first["seq"], first["key_values"]) == (boot_id, 1, {"seq": "mine"})
    assert (second["boot_id"], second["seq"]) == (boot_id, 2)
    assert len(boot_id) == 32


def test_no_numbers_unless_they_are_wanted(make, nobody):
    logger, handler = make(numbered=False)
    logger.warning("as ever")
    assert handler.numbers() is None
    assert len(msgpack.unpackb(payloads(nobody, 1)[0])) == 10
    assert femto.SocketHandlerBuilder().with_numbers().build().numbers()[1] == 0


def test_a_number_needs_no_record(make, nobody):
    logger, handler = make()
    logger.warning("the first of this place")
    femtolog.reset_stats()
    logger.warning("order %d", 17)
    stats = femtolog.stats()
    assert handler.numbers()[1] == 2
    assert (stats["emits"], stats["real_records"]) == ((1, 0) if femtolog._native.raw_layout() in ("raw", "parallel") else (0, 1))
    payloads(nobody, 2)


def test_what_is_dropped_is_a_gap(make, nobody):
    logger, handler = make()
    for number in range(1, 16):
        logger.warning("record %d", number)
    assert handler.stats()["dropped_by"]["overflow"] == 5
    got = received(nobody, 10)
    assert handler.flush(30)
    logger.warning("after it")
    got += received(nobody, 1)
    boot_id, last = handler.numbers()
    assert last == handler.stats()["emitted"] == 16
    assert str(found_in(got)) == f"{boot_id}: 11 records, 1 to 16, 5 missing: 11 to 15"


def test_each_record_that_is_counted_has_a_number(make, nobody, capsys):
    """Also those that are too large, cannot be read, or come too late."""
    logger, handler = make(max_frame_size=400)
    for message in ("sent", "x" * 500, "sent"):
        logger.warning(message)
    logger.warning("%d", "no number")
    handler.handle(logging.makeLogRecord({"msg": "x" * 500}))
    logger.warning("sent")
    got = received(nobody, 3)
    assert handler.flush(30) is False
    handler.close()
    logger.warning("too late")
    stats = handler.stats()
    assert (handler.numbers()[1], stats["written"], stats["failed"], stats["dropped"]) == (7, 3, 1, 3)
    assert found_in(got, handler).missing == [(2, 2), (4, 5), (7, 7)]
    assert "TypeError" in capsys.readouterr().err


def test_threads_get_numbers_in_the_order_of_the_queue(make, nobody):
    logger, handler = make(policy="block")
    threads = [threading.Thread(target=lambda: [logger.info("x") for _ in range(COUNT // 4)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    got = received(nobody, COUNT)
    for thread in threads:
        thread.join()
    assert_whole(got, handler)
    assert handler.numbers()[1] == COUNT


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
def test_a_forked_child_has_numbers_of_its_own(collected):
    server, written = collected
    handler = femto.FemtoSocketHandler(*server.addresses["tcp"], numbered=True)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    logger.warning("parent")
    child = os.fork()
    if child == 0:
        try:
            logger.warning("child")
            logger.warning("child")
            handler.close()
        finally:
            os._exit(0)
    logger.warning("parent")
    assert server.wait_for(4, 30)
    os.waitpid(child, 0)
    handler.close()
    assert [(one.last, one.missing, one.late) for one in verify(written)] == [(2, [], [])] * 2
    assert handler.numbers()[0] in [one.boot_id for one in verify(written)]


def test_the_spool_keeps_numbers_for_the_next_handler(make, nobody, tmp_path):
    spool = {"replay": True, "spool_dir": tmp_path / "spool"}
    logger, before = make(backoff=PATIENT, **spool)
    for number in range(30):
        logger.warning("record %d", number)
    before.close()
    logger, handler = make(**spool)
    logger.warning("next")
    got = received(nobody, 31)
    assert_whole(got[:30], before)
    assert_whole(got[30:], handler)
    resent = found_in(got[:25] + got[20:30], before)
    assert (resent.twice, resent.missing, resent.late) == ([21, 22, 23, 24, 25], [], [])


def test_what_the_fallback_has_is_not_missing(make, nobody):
    written = []
    fallback = logging.Handler()
    fallback.emit = lambda record: written.append(JSONFormatter().format(record).encode())
    logger, handler = make(backoff=QUICK | {"deadline_ms": 20}, fallback=fallback)
    for number in range(5):
        logger.warning("record %d", number)
    assert handler.flush(30) is False
    assert_whole(written, handler)


def test_the_server_writes_what_is_verified(collected):
    server, written = collected
    handler = femto.FemtoSocketHandler(*server.addresses["tcp"], numbered=True)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    logger.warning("tea is gone", extra={"seq": "mine", "shelf": 4})
    logger.warning("back")
    handler.close()
    assert server.wait_for(2, 30)
    assert_whole(written, handler)
    first = json.loads(written[0])
    assert (first["seq"], first["extra_seq"], first["shelf"], first["msg"]) == (1, "mine", "4", "tea is gone")
    assert found_in(written[1:]).missing == [(1, 1)]


# ---- by HTTP


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def do_GET(self):
        self.server.bodies.append(self.path.partition("?")[2].encode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as made:
        made.bodies = []
        thread = threading.Thread(target=made.serve_forever, args=(0.005,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def form(body):
    return [json.dumps(dict(urllib.parse.parse_qsl(body.decode()))).encode()]


@pytest.mark.parametrize(
    ("options", "lines_of"),
    [
        ({}, form),
        ({"method": "GET"}, form),
        ({"format": "json"}, lambda body: [body]),
        ({"batch": True}, lambda body: [body]),
        ({"batch": {"layout": "ndjson"}}, bytes.splitlines),
    ],
)
def test_numbers_by_http(server, options, lines_of):
    handler = femto.FemtoHTTPHandler(
        f"http://127.0.0.1:{server.server_port}/", numbered=True, record_fields=["msg", "seq"], policy="block", **options
    )
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    for number in range(12):
        logger.warning("order %d", number, extra={"seq": "mine"})
    assert handler.flush(30)
    handler.close()
    written = [line for body in server.bodies for line in lines_of(body)]
    assert_whole(written, handler)
    assert handler.numbers()[1] == 12
    first = json.loads(written[0])
    assert list(first[0] if isinstance(first, list) else first) == ["msg", "extra_seq", "boot_id", "seq"]


def test_a_transform_has_a_number_for_each_that_it_gives(server):
    handler = femto.FemtoHTTPHandler(
        f"http://127.0.0.1:{server.server_port}/",
        numbered=True,
        batch=True,
        transform=lambda records: records * 2 if "keep" in records[0]["msg"] else [],
    )
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    for message in ("keep", "leave", "keep"):
        logger.warning(message)
    assert handler.flush(30)
    handler.close()
    assert_whole(server.bodies, handler)
    assert handler.numbers()[1] == 4
