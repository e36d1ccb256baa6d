"""femtolog.control: levels changed from outside, who may do that, what is told of it, and what is left behind: nothing."""

import logging
import os
import pathlib
import queue
import signal
import socket
import stat
import sys
import tempfile
import textwrap
import threading

import pytest
from startup import run

from femtolog import control

TOKEN = "correct-horse-battery"


class Client:
    """A connection that sends bytes and reads answers."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(20)
        self.socket.connect(address)
        self.file = self.socket.makefile("r", newline="\n")

    def __call__(self, line):
        self.send(f"{line}\n".encode("utf-8", "surrogateescape"))
        return self.answer()

    def send(self, sent):
        self.socket.sendall(sent)

    def answer(self):
        """The lines up to the one that says how it went; [] when the connection has ended."""
        lines = []
        while line := self.file.readline():
            lines.append(line.removesuffix("\n"))
            if not line.startswith("  "):
                break
        return lines

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="f") as made:  # short: the path of a socket has at most 107 bytes
        yield pathlib.Path(made)


@pytest.fixture
def told():
    """What the logger of changes has said, as it comes."""
    waiting = queue.SimpleQueue()

    class Handler(logging.Handler):
        def emit(self, record):
            waiting.put((record.levelname, record.getMessage()))

    logger = logging.getLogger("femtolog.control")
    logger.addHandler(handler := Handler())
    yield lambda: waiting.get(timeout=20)
    logger.removeHandler(handler)
    assert waiting.empty()


@pytest.fixture
def server(folder):
    with control.serve(unix=folder / "s") as made:
        yield made


@pytest.fixture
def client(server):
    made = Client(server.address)
    yield made
    made.close()


ME = f"process {os.getpid()} of user {os.getuid()}" if hasattr(socket, "SO_PEERCRED") else "a local process"


def expire(name):
    """Let the time of a change be over."""
    control._loop.do(lambda: setattr(control._loop.changes[name], "deadline", 0.0))


# -- commands -----------------------------------------------------------------------------------------------------------------


def test_a_level_is_set_for_good(client, told):
    log = logging.getLogger("app.db")
    log.setLevel("INFO")
    assert client("level app.db=debug") == ["  app.db: INFO -> DEBUG", "ok"]
    assert log.level == logging.DEBUG
    assert told() == ("WARNING", f"level of app.db: INFO -> DEBUG, by {ME}")
    assert client("level app.db=15 'with blanks'=ERROR") == [
        "  app.db: DEBUG -> Level 15",
        "  with blanks: NOTSET -> ERROR",
        "ok",
    ]
    assert (log.level, logging.getLogger("with blanks").level) == (15, 40)
    told(), told()


def test_a_level_is_taken_back_when_its_time_is_over(client, told):
    log = logging.getLogger("app.db")
    log.setLevel("ERROR")
    assert client("level app.db=DEBUG for=5m") == ["  app.db: ERROR -> DEBUG for 300 s", "ok"]
    assert told() == ("WARNING", f"level of app.db: ERROR -> DEBUG for 300 s, by {ME}")
    assert client("level app.db=INFO for=1d")[-1] == "ok", "a second change goes back to what was before the first"
    told()
    expire("app.db")
    assert told() == ("WARNING", "level of app.db: INFO -> ERROR, back: the time is over")
    assert client("levels")[-1] == "ok"
    assert log.level == logging.ERROR
    assert client("reset app.db") == ["error: nothing is to be taken back for app.db"]


def test_a_level_that_somebody_else_has_set_meanwhile_stays(client, told):
    log = logging.getLogger("app.db")
    client("level app.db=DEBUG for=5m")
    told()
    log.setLevel("WARNING")
    expire("app.db")
    assert told() == ("WARNING", "level of app.db: WARNING stays, it was set by somebody else, back: the time is over")
    assert log.level == logging.WARNING


def test_levels_and_reset(client, told):
    logging.getLogger("b").setLevel("ERROR")
    logging.getLogger("a\nforged")
    logging.getLogger("a\nforged").setLevel(7)
    client("level b=DEBUG for=2h")
    told()
    lines = client("levels")
    assert lines[0] == f"  root {logging.getLevelName(logging.root.level)}"
    assert r"  a\x0aforged Level 7" in lines
    assert any(line.startswith("  b DEBUG, for 7") and line.endswith(" s more, then ERROR") for line in lines)
    assert client("reset") == ["  b: DEBUG -> ERROR", "ok"]
    assert told() == ("WARNING", f"level of b: DEBUG -> ERROR, back: {ME}")
    assert client("reset") == ["ok"]


def test_explain_help_and_quit(client):
    logging.getLogger("app").setLevel("ERROR")
    lines = client("explain app INFO")
    assert lines[-2:] == ["  So it is not logged.", "ok"] and any("has level ERROR" in line for line in lines)
    assert client("explain root CRITICAL")[-1] == "ok"
    assert client("help")[0].startswith("  level NAME=LEVEL") and client("") == ["ok"]
    assert client("quit") == ["ok"]
    assert client.answer() == []


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("nothing", "'nothing' is no command"),
        ("levels app", "'levels' is no command, or has too many words"),
        ("level", "level NAME=LEVEL"),
        ("level for=5m", "level NAME=LEVEL"),
        ("level app", "'app' is not NAME=LEVEL"),
        ("level app=LOUD", "'LOUD' is no level"),
        ("level app=-1", "'-1' is no level"),
        ("level app=DEBUG for=0", "'0' is no time"),
        ("level app=DEBUG for=99d", "'99d' is no time"),
        ("level app=DEBUG for=5m5", "'5m5' is no time"),
        ("level app=DEBUG where request_id=7", "where is not there yet"),
        ("level =DEBUG", "'=DEBUG' is not NAME=LEVEL"),
        ("level a..b=DEBUG", "'a..b' is no name of a logger"),
        ("level femtolog.control=CRITICAL", "the level of femtolog.control is not changed"),
        ("level 'app=DEBUG", "No closing quotation"),
        ("level app=DEBUG\x1b[2J", "a line has no control characters"),
        ("level app=DEBUG\rlevel b=DEBUG", "a line has no control characters"),
        ("level app\udcff=DEBUG", "a line is UTF-8"),
        ("explain app", "explain NAME LEVEL"),
        ("explain app LOUD", "'LOUD' is no level"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(client, line, error):
    before = logging.root.level
    [answer] = client(line)
    assert answer.startswith("error: " + error)
    assert client("help")[-1] == "ok", "the connection goes on"
    assert logging.getLogger("app").level == 0 and logging.root.level == before


def test_a_change_of_the_root_logger_hides_no_other(client, told):
    logging.root.setLevel("INFO")
    assert client("level root=CRITICAL for=1m") == ["  root: INFO -> CRITICAL for 60 s", "ok"]
    assert client("reset root") == ["  root: CRITICAL -> INFO", "ok"]
    assert told()[1].startswith("level of root: INFO -> CRITICAL")
    assert told()[1].startswith("level of root: CRITICAL -> INFO, back")


# -- lines --------------------------------------------------------------------------------------------------------------------


def test_lines_in_pieces_and_several_at_once(client, told):
    for piece in (b"lev", b"el app=DE", b"BUG\r", b"\nhelp\nlevel app=INFO\n"):
        client.send(piece)
    assert client.answer() == ["  app: NOTSET -> DEBUG", "ok"]
    assert client.answer()[-1] == "ok"
    assert client.answer() == ["  app: DEBUG -> INFO", "ok"]
    told(), told()


def test_half_a_line_is_not_run(server, client):
    other = Client(server.address)
    other.send(b"level app=DEBUG")
    other.socket.shutdown(socket.SHUT_WR)
    assert other.answer() == []
    other.close()
    assert client("help")[-1] == "ok" and logging.getLogger("app").level == 0


def test_a_line_that_is_too_long_ends_the_connection_and_no_other(server, client):
    other = Client(server.address)
    other.send(b"x" * (control.LINE * 3))
    assert other.answer() == [f"error: a line has at most {control.LINE} bytes"]
    other.close()
    assert client("help")[-1] == "ok"


def test_garbage_is_survived(server, client):
    for garbage in (b"\0" * 100 + b"\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 8, b"\xff\n" * 3):
        other = Client(server.address)
        other.send(garbage)
        other.socket.shutdown(socket.SHUT_WR)
        while other.answer():
            pass
        other.close()
    assert client("help")[-1] == "ok"


def test_answers_longer_than_what_the_system_keeps_wait_for_the_reader(client):
    for number in range(1200):
        logging.getLogger(f"{'x' * 200}.{number}").setLevel(10)
    client.send(b"levels\n" * 3 + b"help\n")
    for _ in range(3):
        assert len(client.answer()) > 1200
    assert client.answer()[-1] == "ok"


def test_there_are_only_so_many_connections(server, client):
    others = [Client(server.address) for _ in range(control.CLIENTS - 1)]
    assert all(other("")[-1] == "ok" for other in (client, *others))
    extra = Client(server.address)
    assert extra.answer() == ["error: too many connections"]
    extra.close()
    others[0]("quit")
    others[0].answer()
    again = Client(server.address)
    assert again("") == ["ok"]
    for other in (*others, again):
        other.close()


# -- who may --------------------------------------------------------------------------------------------------------------------


def test_the_socket_is_its_owners_alone(server):
    mode = os.lstat(server.address).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


def test_tcp_asks_for_the_token_first(told):
    with control.serve(token=TOKEN) as server:
        assert server.address[0] == "127.0.0.1"
        for first in (
            "levels",
            "level app=DEBUG",
            "token",
            "token wrong",
            f"token {TOKEN}x",
            f"Token {TOKEN}",
            "GET / HTTP/1.1",
            TOKEN,
        ):
            client = Client(server.address)
            client.send(f"{first}\nlevel app=DEBUG\n".encode())
            assert client.answer() == ["error: the first line is `token` and the token"]
            client.close()
            level, text = told()
            assert level == "WARNING" and text.startswith("127.0.0.1:") and text.endswith(": refused, without the token")
        assert logging.getLogger("app").level == 0
        client = Client(server.address)
        assert client(f"token {TOKEN}") == ["ok"]
        assert client("level app=DEBUG")[-1] == "ok"
        assert ", by 127.0.0.1:" in told()[1]
        client.close()


def test_a_token_may_be_asked_for_at_a_path_too(folder, told):
    with control.serve(unix=folder / "s", token=TOKEN) as server:
        client = Client(server.address)
        assert client("levels")[0].startswith("error: the first line")
        client.close()
        told()


def test_who_does_not_show_the_token_soon_is_dropped():
    with control.serve(token=TOKEN) as server:
        client = Client(server.address)

        def later():
            for connection in server._clients.values():
                connection.deadline = 0.0
            return bool(server._clients)

        found = []
        while not found or not found[-1]:
            control._loop.do(lambda: found.append(later()))
        assert client.answer() == []
        client.close()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, "give unix, the path of a socket, or for TCP a token"),
        ({"host": "127.0.0.1"}, "give unix, the path of a socket, or for TCP a token"),
        ({"unix": "s", "port": 1}, "give one or the other"),
        ({"token": "short"}, "at least 16 printable characters"),
        ({"token": "with blanks " * 3}, "at least 16 printable characters"),
        ({"token": b"x" * 20}, "at least 16 printable characters"),
    ],
)
def test_what_cannot_be_served_is_a_value_error(options, error):
    with pytest.raises(ValueError, match=error):
        control.serve(**options)


# -- what is left behind ------------------------------------------------------------------------------------------------------


def test_closing_removes_the_path_and_takes_levels_back(folder, told):
    server = control.serve(unix=str(folder / "s"))
    client = Client(server.address)
    client("level app=DEBUG for=5m")
    told()
    server.close()
    assert told() == ("WARNING", "level of app: DEBUG -> NOTSET, back: the server is closed")
    assert client.answer() == [] and os.listdir(folder) == [] and logging.getLogger("app").level == 0
    client.close()
    server.close()


def test_a_handler_may_close_the_server_that_it_is_told_of(folder):
    server = control.serve(unix=folder / "s")

    class Handler(logging.Handler):
        def emit(self, record):
            server.close()

    logging.getLogger("femtolog.control").addHandler(handler := Handler())
    client = Client(server.address)
    client.send(b"level app=DEBUG\nlevel app=ERROR\n")
    while client.answer():
        pass
    client.close()
    logging.getLogger("femtolog.control").removeHandler(handler)
    assert os.listdir(folder) == [] and logging.getLogger("app").level in (0, logging.DEBUG)


def test_what_stands_at_the_path(folder):
    path = folder / "s"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="exists and is no socket"):
        control.serve(unix=path)
    assert path.read_text() == "precious"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with control.serve(unix=path):
        with pytest.raises(FileExistsError, match="is in use: another process listens there"):
            control.serve(unix=path)
        path.unlink()
        path.write_text("another's")
    assert path.read_text() == "another's"


PROGRAM = textwrap.dedent("""
    import logging, os, socket, sys, threading, warnings
    from femtolog import control
    warnings.simplefilter("ignore")
    logging.basicConfig(filename=os.devnull)
    path = sys.argv[1]
    server = control.serve(unix=path)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"level app=DEBUG for=1h\\n")
        assert client.recv(100).endswith(b"ok\\n")
        pid = os.fork()
        if not pid:
            log = logging.getLogger("app")
            assert log.level == logging.DEBUG and not control._loop.servers
            control._loop.do(lambda: setattr(control._loop.changes["app"], "deadline", 0.0))
            while log.level:
                control._loop.do(lambda: None)
            with control.serve(unix=path + "2"):
                assert os.path.exists(path + "2")
            server.close()
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        client.sendall(b"levels\\n")
        assert b"app DEBUG, for" in client.recv(1000)
    assert os.path.exists(path) and not os.path.exists(path + "2")
    print("the end")
""")


def test_a_forked_child_does_not_listen_and_the_end_removes_the_path(folder):
    done = run(sys.executable, "-P", "-c", PROGRAM, folder / "s")
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")
    assert os.listdir(folder) == []


def test_importing_starts_nothing():
    program = "import threading, femtolog, femtolog.control; print(threading.active_count(), femtolog.is_installed())"
    assert run(sys.executable, "-P", "-c", program).stdout == "1 False\n"


# -- signals --------------------------------------------------------------------------------------------------------------------


def test_signals_change_a_level_by_a_step(told):
    log = logging.getLogger("app")
    log.setLevel("WARNING")
    before = signal.getsignal(signal.SIGUSR1)
    with control.signals("app"):
        os.kill(os.getpid(), signal.SIGUSR1)
        assert told() == ("WARNING", "level of app: WARNING -> INFO, by SIGUSR1")
        os.kill(os.getpid(), signal.SIGUSR1)
        assert told() == ("WARNING", "level of app: INFO -> DEBUG, by SIGUSR1")
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        assert told() == ("WARNING", "level of app: DEBUG -> INFO, by SIGUSR2")
    assert signal.getsignal(signal.SIGUSR1) == before
    control._loop.do(lambda: None)
    assert log.level == logging.INFO


def test_signals_are_for_the_main_thread_and_of_this_system():
    failed = []

    def other():
        try:
            control.signals("app")
        except ValueError as error:
            failed.append(str(error))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert len(failed) == 1 and "main thread" in failed[0]
    assert control._loop.signals == []
