"""FemtoHTTPHandler: what a server gets, what its answers do to each record, and servers that are not as they should be."""

import asyncio
import base64
import contextlib
import gzip
import http.client
import http.server
import itertools
import json
import logging
import logging.config
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

import femtolog
from femtolog import femto
from femtolog.femto import peer as femto_peer

QUICK = {"base_ms": 1, "cap_ms": 2}
NEVER = 600_000
"""Milliseconds that no test takes."""


class Request:
    def __init__(self, handler):
        self.method, self.path, self.headers = handler.command, handler.path, handler.headers
        self.connection = handler.connection
        self.body = handler.rfile.read(int(self.headers.get("Content-Length", 0)))


class Server(http.server.ThreadingHTTPServer):
    """Keeps what it was sent, and answers what `answer` says of it: a status, and perhaps headers."""

    def __init__(self, port=0, context=None, protocol="HTTP/1.1"):
        self.requests, self.open, self.context = [], set(), context
        self.answer = lambda request: 200
        self.changed = threading.Condition()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = protocol
            disable_nagle_algorithm = True

            def do_POST(self):
                request = Request(self)
                answer = server.answer(request)
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                with server.changed:
                    server.requests.append((status, request))
                    server.changed.notify_all()
                self.send_response(status)
                for name, value in ({"Content-Length": "3"} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok\n")

            do_GET = do_POST

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", port), Handler)
        self.port = self.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/in"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.005,))
        self.thread.start()

    def get_request(self):
        connection, address = super().get_request()
        self.open.add(connection)
        return connection, address

    def finish_request(self, request, client_address):
        if self.context is None:
            super().finish_request(request, client_address)
            return
        with self.context.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)

    def handle_error(self, request, client_address):
        pass

    def taken(self):
        """The requests that were answered with 2xx."""
        return [request for status, request in self.requests if status < 300]

    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, 10)

    def close(self):
        """Everything is cut, as if its process were killed."""
        self.shutdown()
        self.socket.close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self.thread.join(10)


@pytest.fixture
def serve():
    """Makes servers that are closed at the end."""
    made = []

    def server(*args, **options):
        made.append(Server(*args, **options))
        return made[-1]

    yield server
    for one in made:
        one.close()


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def make():
    """Makes handlers that are closed at the end."""
    made = []

    def handler(url, method="POST", **options):
        made.append(femto.FemtoHTTPHandler(url, method, **{"backoff": QUICK} | options))
        return made[-1]

    yield handler
    for one in made:
        one.close()


def record(message="m", level=logging.INFO, **attributes):
    known = {"name": "a.b", "levelno": level, "levelname": logging.getLevelName(level), "msg": message}
    return logging.makeLogRecord(known | {"pathname": "/src/b.py", "module": "b", "lineno": 7} | attributes)


def log(handler, numbers):
    for number in numbers:
        handler.handle(record(str(number)))


def messages(requests):
    """What is in bodies of JSON: objects, arrays or lines."""
    found = []
    for request in requests:
        content = request.headers["Content-Type"]
        parts = request.body.splitlines() if content == "application/x-ndjson" else [request.body]
        for part in map(json.loads, parts):
            found += [one["msg"] for one in (part if isinstance(part, list) else [part])]
    return found


def texts(numbers):
    return [str(number) for number in numbers]


def adds_up(handler):
    stats = handler.stats()
    return stats["emitted"] == stats["written"] + stats["failed"] + stats["dropped"] + stats["in_flight"]


# ---- what is sent


def failing():
    try:
        raise ValueError("no stock")
    except ValueError:
        return sys.exc_info()


def test_a_record_as_a_form(server, make):
    handler = make(server.url)
    handler.handle(record("order %d: é & \udc80", args=(17,), shelf=4, created=1.5, thread=3, threadName="T"))
    handler.handle(record(level=logging.WARNING, exc_info=failing(), stack_info='  File "a", line 3, in b', threadName=None))
    assert handler.flush(10)
    first, second = (urllib.parse.parse_qsl(request.body.decode()) for request in server.taken())
    assert first == [
        ("name", "a.b"),
        ("levelname", "INFO"),
        ("msg", "order 17: é & \\udc80"),
        ("created", "1.5"),
        ("filename", "/src/b.py"),
        ("lineno", "7"),
        ("module", "b"),
        ("thread", "3"),
        ("threadName", "T"),
        ("shelf", "4"),
    ]
    second = dict(second)
    assert second["levelname"] == "WARN"
    assert "threadName" not in second
    assert json.loads(second["exc_info"])["message"] == "no stock"
    assert json.loads(second["stack_info"])["frames"] == [{"filename": "a", "lineno": 3, "function": "b"}]
    request = server.taken()[0]
    assert (request.method, request.path) == ("POST", "/in")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Host"] == f"127.0.0.1:{server.port}"


def test_a_record_as_json(server, make):
    handler = make(server.url, format="json", record_fields=["exc_info", "msg", "shelf", "created"])
    handler.setFormatter(logging.Formatter("<%(message)s>"))
    handler.handle(record("tea", shelf=4, row=2, created=1.5))
    handler.handle(record("é\n\udc80", created=2.5, exc_info=failing()))
    assert handler.flush(10)
    first, second = (json.loads(request.body) for request in server.taken())
    assert first == {"msg": "<tea>", "created": 1.5, "shelf": "4"}
    assert second["msg"].startswith("<é\n\udc80>\nTraceback")
    assert second["exc_info"]["type_name"] == "ValueError"
    assert server.taken()[0].headers["Content-Type"] == "application/json"


def test_get_appends_the_query(serve, make):
    server = serve()
    handler = make(server.url + "?to=log#part", "get", record_fields=["msg"])
    other = make(f"http://127.0.0.1:{server.port}", "GET", record_fields=["msg"])
    for one in (handler, other):
        one.handle(record("tea & co"))
        one.handle(record("x" * 70_000))
        assert not one.flush(10)
        assert one.stats()["dropped_by"]["oversize"] == 1
    asked = [(request.method, request.path, request.headers["Content-Type"]) for request in server.taken()]
    assert asked == [("GET", "/in?to=log&msg=tea+%26+co", None), ("GET", "/?msg=tea+%26+co", None)]


@pytest.mark.parametrize("layout", ["array", "ndjson"])
def test_batches_of_so_many_records_and_a_flush_that_waits_for_no_more(server, make, layout):
    handler = make(server.url, batch={"max_wait_ms": NEVER, "layout": layout})
    log(handler, range(250))
    assert handler.flush(10)
    assert messages(server.taken()) == texts(range(250))
    assert [len(messages([request])) for request in server.taken()] == [100, 100, 50]
    log(handler, [250])
    handler.close()
    assert messages(server.taken()[3:]) == ["250"]
    assert handler.stats()["connections"] == 1


@pytest.mark.parametrize(("layout", "fits"), [("array", 988), ("ndjson", 989)])
def test_batches_of_so_many_bytes(server, make, layout, fits):
    batch = {"max_records": 1000, "max_bytes": 1000, "max_wait_ms": NEVER, "layout": layout}
    handler = make(server.url, batch=batch, record_fields=["msg"])
    sizes = [fits, fits + 1, 50, *range(100)]
    for size in sizes:
        handler.handle(record("x" * size))
    assert not handler.flush(10)
    assert handler.stats()["dropped_by"]["oversize"] == 1
    assert [len(message) for message in messages(server.taken())] == [fits, *sizes[2:]]
    bodies = [len(request.body) for request in server.taken()]
    assert bodies[0] == 1000
    assert max(bodies) == 1000
    assert all(one + other > 1000 - 12 for one, other in itertools.pairwise(bodies))


def test_a_batch_that_is_not_full_is_sent_after_its_time(server, make):
    handler = make(server.url, batch={"max_wait_ms": 20}, capacity=3)
    log(handler, [0])
    server.wait(1)
    handler = make(server.url, batch={"max_wait_ms": NEVER}, capacity=3)
    log(handler, [1, 2, 3])
    server.wait(2)
    assert messages(server.requests[number][1] for number in (0, 1)) == texts(range(4))


def unzstd(data):
    return subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout


ZSTD = pytest.mark.skipif(
    shutil.which("zstd") is None,
    reason="zstd is not on this machine: ends where it is; native/core/src/transport/http.rs reads its own",
)


@pytest.mark.parametrize(
    ("compression", "decode"), [("gzip", gzip.decompress), pytest.param("zstd", unzstd, marks=ZSTD)], ids=["gzip", "zstd"]
)
def test_bodies_are_compressed(server, make, compression, decode):
    handler = make(server.url, batch={"max_wait_ms": NEVER}, compression=compression)
    log(handler, range(250))
    assert handler.flush(10)
    found = []
    for one in server.taken():
        assert one.headers["Content-Encoding"] == compression
        plain = decode(one.body)
        assert len(one.body) < len(plain) / 4
        found += [each["msg"] for each in json.loads(plain)]
    assert found == texts(range(250))


def test_transform_gives_none_one_or_more_in_the_thread_that_logs(server, make, capsys):
    threads = set()

    def transform(records):
        threads.add(threading.current_thread())
        [made] = records
        if made["msg"] == "none":
            return []
        if made["msg"] == "wrong":
            return [{"v": float("nan")}]
        return [{"msg": made["msg"], "n": number} for number in range(2)]

    handler = make(server.url, batch={"max_wait_ms": NEVER}, transform=transform)
    for message in ("none", "wrong", "two"):
        handler.handle(record(message))
    assert not handler.flush(10)
    assert json.loads(server.taken()[0].body) == [{"msg": "two", "n": 0}, {"msg": "two", "n": 1}]
    assert threads == {threading.current_thread()}
    stats = handler.stats()
    assert (stats["emitted"], stats["written"], stats["failed"]) == (3, 2, 1)
    assert "JSON compliant" in capsys.readouterr().err


# ---- what answers mean


@pytest.mark.parametrize("status", [503, 429, 500])
def test_what_is_refused_for_now_is_sent_again_once(server, make, status):
    answers = iter([status, status, status])
    server.answer = lambda request: next(answers, 200)
    handler = make(server.url, batch={"max_records": 10, "max_wait_ms": NEVER})
    log(handler, range(25))
    assert handler.flush(10)
    assert messages(server.taken()) == texts(range(25))
    assert [number for number, _ in server.requests] == [status] * 3 + [200] * 3
    assert (handler.stats()["written"], handler.stats()["connections"]) == (25, 1)


def test_a_pause_that_the_server_asks_for_is_kept_up_to_the_deadline(server, make, capsys):
    server.answer = lambda request: (429, {"Retry-After": "3600"})
    handler = make(server.url, backoff=QUICK | {"deadline_ms": 100})
    begin = time.monotonic()
    log(handler, range(2))
    assert not handler.flush(0)
    assert not handler.flush(10)
    assert time.monotonic() - begin >= 0.1
    assert len(server.requests) == 2
    assert handler.stats()["dropped_by"]["deadline"] == 2
    assert handler.stats()["error"] == "the peer has answered 429 Too Many Requests"
    assert "429 Too Many Requests" in capsys.readouterr().err


def test_what_is_refused_is_dropped_counted_and_said_once(server, make, capsys):
    server.answer = lambda request: 400 if b"bad" in request.body else 200
    handler = make(server.url, format="json")
    for _ in range(3):
        handler.handle(record("bad"))
        handler.handle(record("good"))
    assert not handler.flush(10)
    assert messages(server.taken()) == ["good"] * 3
    assert len(server.requests) == 6
    assert handler.stats()["dropped_by"]["refused"] == 3
    assert adds_up(handler)
    said = capsys.readouterr().err
    assert "has dropped 3 more records (in all: refused 3)" in said
    assert said.count("\n") == 1
    assert handler.flush(10)


def test_by_hand(server, make):
    handler = make(server.url, format="json", batch={"max_bytes": 300})
    assert handler.handle("a.b", "error", "100 %")
    assert handler.flush(10)
    [sent] = json.loads(server.taken()[0].body)
    assert (sent["name"], sent["levelname"], sent["msg"]) == ("a.b", "ERROR", "100 %")
    with pytest.raises(RuntimeError, match="it is dropped"):
        handler.handle("a.b", "INFO", "x" * 300)
    with pytest.raises(TypeError, match=r"handle\(\) takes a record, or"):
        handler.handle("a.b", "INFO", "m", 4)
    handler.close()
    with pytest.raises(RuntimeError, match="is closed"):
        handler.handle("a.b", "INFO", "m")
    nothing = make(server.url, format="json", transform=lambda records: [])
    assert nothing.handle("a.b", "INFO", "nothing is sent for it")
    assert nothing.stats()["emitted"] == 0


def test_no_batch_waits_for_more_bytes_than_there_is_room_for(server, make):
    handler = make(server.url, batch={"max_wait_ms": NEVER}, capacity_bytes=1000, policy="block", record_fields=["msg"])
    thread = threading.Thread(target=log, args=(handler, range(200)))
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert handler.flush(10)
    assert messages(server.taken()) == texts(range(200))
    assert all(len(request.body) <= 501 for request in server.taken())
    assert handler.stats()["queue_high_water"] < 100


def test_redirects_are_not_followed(serve, make):
    server, other = serve(), serve()
    server.answer = lambda request: (307, {"Location": other.url})
    handler = make(server.url, auth={"token": "s3cret"})
    log(handler, [0])
    assert not handler.flush(10)
    assert handler.stats()["dropped_by"]["refused"] == 1
    assert "307" in handler.stats()["error"]
    assert not other.requests


@pytest.mark.parametrize("reads", [True, False])
def test_a_batch_that_is_too_large_is_split(server, make, reads, capsys):
    def answer(request):
        found = messages([request])
        if len(found) > 4 or "9" in found:
            return 413, {} if reads else {"Connection": "close"}
        return 200

    server.answer = answer
    handler = make(server.url, batch={"max_records": 20, "max_wait_ms": NEVER})
    log(handler, range(20))
    assert not handler.flush(10)
    assert messages(server.taken()) == texts([*range(9), *range(10, 20)])
    stats = handler.stats()
    assert (stats["written"], stats["dropped_by"]["oversize"]) == (19, 1)
    assert (stats["connections"] == 1) == reads


# ---- servers that are not as they should be


@pytest.mark.parametrize(("protocol", "headers"), [("HTTP/1.1", {}), ("HTTP/1.0", {}), ("HTTP/1.1", {"Connection": "close"})])
def test_a_connection_is_used_again_where_the_server_keeps_it(serve, make, protocol, headers):
    server = serve(protocol=protocol)
    server.answer = lambda request: (200, headers)
    handler = make(server.url, format="json")
    log(handler, range(20))
    assert handler.flush(10)
    assert messages(server.taken()) == texts(range(20))
    connections = len({id(request.connection) for request in server.taken()})
    assert connections == handler.stats()["connections"] == (1 if protocol == "HTTP/1.1" and not headers else 20)


def test_a_server_that_is_killed_and_comes_back_gets_the_rest(serve, make):
    many = int(os.environ.get("FEMTOLOG_STRESS_RECORDS", "300"))
    first = serve()
    handler = make(first.url, batch={"max_records": 10, "max_wait_ms": 1}, capacity=4 * many)
    log(handler, range(many))
    assert handler.flush(60)
    first.close()
    log(handler, range(many, 2 * many))
    again = serve(first.port)
    log(handler, range(2 * many, 3 * many))
    assert handler.flush(60)
    assert messages(first.taken()) + messages(again.taken()) == texts(range(3 * many))
    assert (handler.stats()["written"], handler.stats()["dropped"]) == (3 * many, 0)
    first.close = lambda: None


class Raw:
    """Accepts connections and gives each to a function, in a thread."""

    def __init__(self, talk):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}/"
        self.talk, self.open, self.ended = talk, [], threading.Event()
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.open.append(connection)
            self.threads.append(threading.Thread(target=self.serve, args=(connection,)))
            self.threads[-1].start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            self.talk(self, connection)

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.ended.set()
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)


def read_request(file):
    headers = http.client.parse_headers(file) if file.readline() else {}
    return file.read(int(headers.get("Content-Length", 0)))


def test_answers_of_every_shape_over_one_connection(make):
    answers = [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000,
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    ]

    def talk(raw, connection):
        file = connection.makefile("rb")
        while answers:
            read_request(file)
            connection.sendall(answers.pop(0))

    with Raw(talk) as raw:
        handler = make(raw.url)
        log(handler, range(5))
        assert handler.flush(10)
        assert (handler.stats()["written"], handler.stats()["connections"]) == (5, 1)


def test_no_answer_and_nonsense_are_tried_again(make):
    answers = [b"", b"HTTP/1.1 200", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
    bodies = []

    def talk(raw, connection):
        bodies.append(read_request(connection.makefile("rb")))
        connection.sendall(answers[len(bodies) - 1])

    with Raw(talk) as raw:
        handler = make(raw.url)
        log(handler, [0])
        assert handler.flush(10)
        assert len(bodies) == 4
        assert len(set(bodies)) == 1
        assert (handler.stats()["written"], handler.stats()["dropped"]) == (1, 0)


def test_an_early_413_is_understood(make):
    sizes = []

    def talk(raw, connection):
        file = connection.makefile("rb")
        file.readline()
        length = int(http.client.parse_headers(file)["Content-Length"])
        sizes.append(length)
        if length > 2_000_000:
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 20):
                pass
        else:
            file.read(length)
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    with Raw(talk) as raw:
        handler = make(raw.url, batch={"max_records": 4, "max_bytes": 10_000_000, "max_wait_ms": NEVER})
        for _ in range(4):
            handler.handle(record("x" * 900_000))
        assert handler.flush(10)
        assert [size > 2_000_000 for size in sizes] == [True, False, False]


def say_nothing(raw, connection):
    raw.ended.wait(30)


def trickle(raw, connection):
    read_request(connection.makefile("rb"))
    for byte in b"HTTP/1.1 200 OK\r\n":
        connection.sendall(bytes([byte]))
        if raw.ended.wait(0.02):
            return


@pytest.mark.parametrize("talk", [say_nothing, trickle])
def test_a_server_that_does_not_answer_holds_up_nobody(make, monkeypatch, capsys, talk):
    monkeypatch.setattr(femto_peer, "CLOSE_TIMEOUT", 0.05)
    with Raw(talk) as raw:
        handler = make(raw.url, write_timeout_ms=60, capacity=20)
        handler.handle(record("x" * 800_000))
        log(handler, range(30))
        while not (error := handler.stats()["error"]):
            assert not handler.flush(0.01)
        assert "no answer in time" in error or "takes nothing" in error
        connections = handler.stats()["connections"]
        while handler.stats()["connections"] == connections:
            assert not handler.flush(0.01)
        assert handler.stats()["error"]  # a new connection alone makes nothing good
        patient = make(raw.url)
        log(patient, range(3))
        assert not patient.flush(0)
        begin = time.monotonic()
        handler.close()
        patient.close()
        assert time.monotonic() - begin < 5
    for one in (handler, patient):
        assert one.stats()["dropped_by"]["closed"] > 0
        assert (one.stats()["in_flight"], one.stats()["written"]) == (0, 0)
        assert adds_up(one)


def test_flush_is_true_only_after_an_answer(server, make):
    asked, may_answer = threading.Event(), threading.Event()

    def answer(request):
        asked.set()
        may_answer.wait(10)
        return 200

    server.answer = answer
    handler = make(server.url, batch={"max_wait_ms": NEVER})
    log(handler, [0])
    assert not handler.flush(0)
    assert asked.wait(10)
    assert not handler.flush(0.01)
    may_answer.set()
    assert asyncio.run(handler.aflush(10))
    handler.close()
    assert not handler.flush(0)


# ---- who sends


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("told", "name", "value"),
    [
        (lambda builder: builder.with_auth({"token": "s3cret"}), "Authorization", "Bearer s3cret"),
        (lambda builder: builder.with_bearer_token("s3cret"), "Authorization", "Bearer s3cret"),
        (lambda builder: builder.with_basic_auth("ann", "s3cret"), "Authorization", basic("ann", "s3cret")),
        (lambda builder: builder.with_auth({"username": "é", "password": "s3cret"}), "Authorization", basic("é", "s3cret")),
        (lambda builder: builder.with_auth({"api_key": "s3cret"}), "X-API-Key", "s3cret"),
        (lambda builder: builder.with_auth({"api_key": "s3cret", "header": "DD-API-KEY"}), "DD-API-KEY", "s3cret"),
        (lambda builder: builder.with_header("X-Tenant", "s3cret").with_headers({"X-Other": "o"}), "X-Tenant", "s3cret"),
    ],
)
def test_credentials_are_sent_and_shown_nowhere(server, told, name, value, capsys):
    server.answer = lambda request: 403
    builder = told(femto.HTTPHandlerBuilder().with_endpoint(f"{server.url}?key=s3cret")).with_backoff(QUICK)
    handler = builder.build()
    log(handler, [0])
    assert not handler.flush(10)
    handler.close()
    assert server.requests[0][1].headers[name] == value
    assert server.requests[0][1].path == "/in?key=s3cret"
    shown = f"{handler!r} {vars(handler)} {handler.stats()} {builder!r} {builder.as_dict()} {capsys.readouterr().err}"
    assert "403" in shown
    assert "s3cret" not in shown
    assert value not in shown


def test_a_password_in_the_url(server, make):
    handler = make(server.url.replace("//", "//ann:s3%20cret@"))
    log(handler, [0])
    assert handler.flush(10)
    assert server.taken()[0].headers["Authorization"] == basic("ann", "s3 cret")
    assert server.taken()[0].headers["Host"] == f"127.0.0.1:{server.port}"
    assert "s3" not in f"{handler!r} {vars(handler)} {handler.stats()}"


def test_tls(serve, make, certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates)
    server = serve(context=context)
    handler = make(server.url, format="json", tls={"domain": "localhost", "ca_file": certificates[0]})
    log(handler, range(50))
    assert handler.flush(10)
    assert messages(server.taken()) == texts(range(50))
    assert handler.stats()["connections"] == 1
    stranger = make(server.url, backoff=QUICK | {"deadline_ms": 1})
    log(stranger, [0])
    assert not stranger.flush(10)
    assert stranger.stats()["dropped_by"]["deadline"] == 1
    assert "certificate" in stranger.stats()["error"]


# ---- processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_a_queue_and_a_connection_of_its_own(server):
    program = f"""
import logging, os
from femtolog import femto
handler = femto.FemtoHTTPHandler({server.url!r}, batch={{"max_wait_ms": {NEVER}}})
log = logging.getLogger("fork")
log.addHandler(handler)
log.warning("before")
assert handler.flush(10)
log.warning("parent")
child = os.fork()
if not child:
    assert handler.stats()["emitted"] == 0
    log.warning("child")
    assert handler.flush(10)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert handler.flush(10) and handler.stats()["connections"] == 1
log.warning("last words")
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert sorted(messages(server.taken())) == ["before", "child", "last words", "parent"]
    assert len({id(request.connection) for request in server.taken()}) == 2


def test_under_install_it_is_the_same(server, make):
    handler = make(server.url, batch={"max_wait_ms": NEVER}, record_fields=["msg", "k"])
    logger = logging.Logger("installed")
    logger.addHandler(handler)
    with femtolog.installed():
        logger.info("%s", "native", extra={"k": 1})
        logger.addFilter(lambda record: record.levelno > 20)
        logger.info("filtered")
        logger.error("error")
    assert handler.flush(10)
    assert json.loads(server.taken()[0].body) == [{"msg": "native", "k": "1"}, {"msg": "error"}]


# ---- settings


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"url": 7}, TypeError, "url must be a str, got int"),
        ({"url": "ftp://ann:s3cret@h/x?k=s3cret"}, ValueError, "url must begin with http:// or https:// and a host, got 'h/x'"),
        ({"url": "http:///x"}, ValueError, "and a host"),
        ({"url": "http://h:0x1/"}, ValueError, "url must be a URL, got 'http://h:0x1/'"),
        ({"url": "http://h/ü"}, ValueError, "url must be ASCII"),
        ({"url": "http://h/a b"}, ValueError, "url must be ASCII without spaces"),
        ({"url": "http://h/<a>?k=s3cret"}, ValueError, "url must be quoted where HTTP asks for it"),
        ({"method": "PUT"}, ValueError, "method must be 'GET' or 'POST', got 'PUT'"),
        ({"method": None}, TypeError, "method must be a str, got None"),
        ({"method": "GET", "format": "json"}, ValueError, "method 'GET' has no body"),
        ({"method": "GET", "batch": True}, ValueError, "method 'GET' has no body"),
        ({"method": "GET", "compression": "gzip"}, ValueError, "method 'GET' has no body"),
        ({"auth": "s3cret"}, TypeError, "auth must be a dict, got str"),
        ({"auth": {"tokn": "s3cret"}}, ValueError, "got the keys 'tokn'"),
        ({"auth": {}}, ValueError, "got the keys of nothing"),
        ({"auth": {"token": "s3cret\n"}}, ValueError, "token must be ASCII without control characters"),
        ({"auth": {"token": b"s3cret"}}, TypeError, "token must be a str, got bytes"),
        ({"auth": {"username": "a:b", "password": "s3cret"}}, ValueError, "username must be without a colon, got 'a:b'"),
        ({"auth": {"username": "a", "password": 7}}, TypeError, "must be str, got str and int"),
        ({"auth": {"api_key": "s3cret", "header": "a b"}}, ValueError, "got 'a b'"),
        (
            {"url": "http://ann:s3cret@h/", "auth": {"token": "t"}},
            ValueError,
            "auth is given, and so is a user in the url 'http://h/'",
        ),
        ({"headers": {"X": "s3cret\r\nY: 1"}}, ValueError, "the header 'X' must be ASCII without control characters"),
        ({"headers": {"Content-Length": "1"}}, ValueError, "got 'Content-Length'"),
        ({"headers": {"X": "s3cret", "x": "s3cret"}}, ValueError, "the header 'x' is given twice"),
        ({"headers": {"Authorization": "s3cret"}, "auth": {"token": "t"}}, ValueError, "'authorization' is given twice"),
        ({"headers": {7: "s3cret"}}, TypeError, "the name of a header must be a str, got 7"),
        ({"format": "xml"}, ValueError, "format must be 'form' or 'json', got 'xml'"),
        ({"format": "form", "batch": True}, ValueError, "format must be 'json' where there is a batch, got 'form'"),
        ({"batch": {"max_record": 1}}, ValueError, "unknown key of batch 'max_record'"),
        ({"batch": {"max_records": 0}}, ValueError, "max_records must be greater than zero, got 0"),
        ({"batch": {"max_bytes": 1 << 30}}, ValueError, "max_bytes must be from 2 to 33554432, got 1073741824"),
        ({"batch": {"max_wait_ms": 0.5}}, TypeError, "max_wait_ms must be an int, got 0.5"),
        ({"batch": {"layout": "xml"}}, ValueError, "layout must be 'array' or 'ndjson', got 'xml'"),
        ({"record_fields": []}, ValueError, "record_fields must name a field"),
        ({"record_fields": "msg"}, TypeError, "record_fields must be several str, got 'msg'"),
        ({"compression": "br"}, ValueError, "compression must be 'gzip' or 'zstd', got 'br'"),
        ({"transform": 7}, TypeError, "transform must be callable, got 7"),
        ({"tls": {"insecure": True}}, ValueError, "tls is for https:// only, got 'http://h/'"),
        ({"url": "https://h/", "tls": {"ca_file": "/nowhere"}}, ValueError, "'/nowhere' cannot be read"),
        ({"url": "https://h/", "tls": False}, TypeError, "tls must be a dict, got False"),
        ({"capacity": 0}, ValueError, "capacity must be greater than zero"),
        ({"capacity_bytes": 0}, ValueError, "capacity_bytes must be at least 1, got 0"),
        ({"batch": True, "capacity_bytes": -1}, ValueError, "capacity_bytes must be at least 1, got -1"),
        ({"on_error": 7}, TypeError, "on_error must be callable or None, not int"),
        ({"write_timeout_ms": 0}, ValueError, "write_timeout_ms must be greater than zero"),
        ({"backoff": QUICK, "backoff_cap_ms": 7}, ValueError, "backoff is given, and so is backoff_cap_ms"),
    ],
)
def test_settings_that_cannot_be(wrong, error, said):
    with pytest.raises(error) as raised:
        femto.FemtoHTTPHandler(**{"url": "http://h/"} | wrong)
    assert said in str(raised.value)
    assert "s3cret" not in str(raised.value)
    if error is ValueError:
        assert isinstance(raised.value, femto.HandlerConfigError)


def test_a_builder_tells_what_it_was_told(server):
    with pytest.raises(femto.HandlerConfigError, match="url must be told"):
        femto.HTTPHandlerBuilder().build()
    builder = femto.HTTPHandlerBuilder().with_endpoint(server.url, "get").with_method("POST").with_basic_auth("ann", "s3cret")
    builder.with_header("X-B", "s3cret").with_headers({"X-A": "s3cret"}).with_record_fields(["msg"]).with_batch(7, 5000, 0)
    builder.with_compression("gzip").with_transform(list).with_capacity(9).with_write_timeout_ms(70).with_level("WARN")
    assert builder.as_dict() == {
        "url": server.url,
        "method": "POST",
        "format": "json",
        "auth_type": "basic",
        "auth_user": "ann",
        "headers": ["x-a", "x-b"],
        "record_fields": ["msg"],
        "batch": {"max_records": 7, "max_bytes": 5000, "max_wait_ms": 0, "layout": "array"},
        "compression": "gzip",
        "capacity": 9,
        "overflow_policy": "drop",
        "level": "WARN",
        "connect_timeout_ms": 5000,
        "write_timeout_ms": 70,
        "backoff_base_ms": 100,
        "backoff_cap_ms": 10_000,
        "backoff_reset_after_ms": 30_000,
        "backoff_deadline_ms": 120_000,
    }
    handler = builder.build()
    handler.handle(record("built"))
    assert handler.flush(10)
    handler.close()
    assert gzip.decompress(server.taken()[0].body) == b'[{"msg":"built"}]'
    assert builder.with_auth({"api_key": "s3cret"}).as_dict()["auth_header"] == "X-API-Key"
    assert "auth_user" not in builder.as_dict()


@pytest.mark.parametrize(
    ("configure", "name"),
    [
        (logging.config.dictConfig, "femtolog.femto.FemtoHTTPHandler"),
        (femto.dictConfig, "femtologging.HTTPHandler"),
        (femto.dictConfig, "femtologging.FemtoHTTPHandler"),
    ],
)
def test_dict_config(server, configure, name):
    keys = {"url": server.url, "auth": {"token": "t"}, "batch": {"max_records": 2}, "headers": {"X-A": "a"}, "capacity": 10}
    keys |= {"connect_timeout_ms": 1000, "write_timeout_ms": 1000, "backoff_base_ms": 1, "backoff_cap_ms": 2}
    handlers = {"server": {"class": name, **keys}}
    loggers = {"configured": {"handlers": ["server"], "propagate": False}}
    configure({"version": 1, "disable_existing_loggers": False, "handlers": handlers, "loggers": loggers})
    handler = logging.getLogger("configured").handlers.pop()
    try:
        handler.handle(record("by dict"))
        assert handler.flush(10)
        assert messages(server.taken()) == ["by dict"]
        assert server.taken()[0].headers["Authorization"] == "Bearer t"
    finally:
        handler.close()
