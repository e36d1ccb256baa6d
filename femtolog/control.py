"""Levels of a running program, changed from outside: over a socket in the file system, TCP with a token, or signals.

    femtolog.control.serve(unix="/run/app.sock")        # then: echo 'level app.db=DEBUG for=5m' | nc -U /run/app.sock

One daemon thread does it all: it accepts, reads lines, changes levels, and takes changes back when their time is over. Everything it
reads is untrusted: lines are bounded, a line without its end is not run, and what is told or logged of it has no control characters.
Importing this starts nothing and installs nothing.
"""

from __future__ import annotations

import abc
import atexit
import contextlib
import hmac
import logging
import os
import queue
import re
import selectors
import shlex
import signal as _signal
import socket
import stat
import struct
import threading
import time

from femtolog.errors import ConfigurationError
from femtolog.formatters import CONTROLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType
    from typing import Any, Self

__all__ = ["Server", "Signals", "serve", "signals"]

LINE = 4096
"""Bytes of a line, its end included."""
CLIENTS = 16
"""Connections of a server at a time."""
TOKEN = 16
"""Characters that a token has at least."""
SECONDS_TO_SHOW_A_TOKEN = 10.0
SECONDS_OF_SILENCE = 600.0
LONGEST = 30 * 86400
"""Seconds of the longest change that is taken back."""

HELP = """\
level NAME=LEVEL ... [for=TIME]   set levels of loggers (root: the root logger); after TIME (30s, 5m, 2h, 1d) they are as before
reset [NAME ...]                  take back now what would be taken back later
levels                            the loggers that have a level of their own
explain NAME LEVEL                why a record would be logged, or not
help, quit"""

_DURATION = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_STEPS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


def serve(*, unix: str | os.PathLike[str] | None = None, token: str | None = None, host: str = "", port: int = 0) -> Server:
    """Listen for commands until the server is closed, or the process ends.

    `unix`: the path of a socket that is made with mode 0600, so that only this user (and root) can connect; a socket that a dead
    process has left there is replaced. Otherwise TCP on `host` (127.0.0.1 unless given) and `port` (0: any, see
    Server.address), where each connection has to show `token`, of 16 characters or more, in its first line. A token
    together with `unix` is asked for there as well. What goes over TCP is not encrypted.

    ValueError for arguments that do not go together or a token that is too short; OSError if the address cannot be had. A forked child
    does not listen: call this there, with another path.

    Examples:
        >>> import logging, socket, sys
        >>> from femtolog import control
        >>> logging.basicConfig(stream=sys.stdout, format="%(message)s")
        >>> server = control.serve(unix="control.sock")
        >>> with socket.socket(socket.AF_UNIX) as connection:  # doctest: +ELLIPSIS
        ...     connection.connect(server.address)
        ...     connection.sendall(b"level shop=DEBUG for=5m\\nquit\\n")
        ...     connection.makefile().read().splitlines()
        level of shop: NOTSET -> DEBUG for 300 s, by process ...
        ['  shop: NOTSET -> DEBUG for 300 s', 'ok', 'ok']
        >>> server.close()
        level of shop: DEBUG -> NOTSET, back: the server is closed
    """
    if unix is not None and (host or port):
        raise ConfigurationError("unix is a path, host and port are TCP: give one or the other")
    if unix is None and token is None:
        raise ConfigurationError("give unix, the path of a socket, or for TCP a token")
    if token is not None and (
        not isinstance(token, str) or len(token) < TOKEN or token.split() != [token] or not token.isprintable()
    ):
        raise ConfigurationError(f"a token is a str of at least {TOKEN} printable characters without blanks")
    server = Server(os.path.abspath(os.fsdecode(unix)) if unix is not None else (host or "127.0.0.1", port), token)
    _loop.add(server)
    return server


def signals(logger: str = "root", *, more: int | None = None, less: int | None = None) -> Signals:
    """Let signals change a logger's level by a step (DEBUG, INFO, WARNING, ERROR, CRITICAL), until the result is closed.

    `more` (SIGUSR1 unless given) lets more be logged, `less` (SIGUSR2) less. A forked child goes on with it. ValueError outside of the main
    thread, and where there are no such signals.

    Examples:
        >>> import logging, signal
        >>> from femtolog import control
        >>> logging.getLogger("femtolog.control").addHandler(logging.NullHandler())  # which tells of each change
        >>> changing = control.signals("shop")
        >>> signal.raise_signal(signal.SIGUSR1)
        >>> with control.serve(unix="control.sock"):  # the thread has seen the signal before it does this
        ...     logging.getLogger("shop").level == logging.INFO
        True
        >>> changing.close()
    """
    chosen = []
    for given, name in ((more, "SIGUSR1"), (less, "SIGUSR2")):
        number = getattr(_signal, name, None) if given is None else given
        if number is None:
            raise ConfigurationError(f"this system has no {name}: name another signal")
        chosen.append(number)
    return Signals(logger, *chosen)


class _Closing(abc.ABC):
    """What has an end, also by `with`."""

    @abc.abstractmethod
    def close(self) -> None:
        """End it. Idempotent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Server(_Closing):
    """A socket that commands come from; see serve().

    Examples:
        >>> from femtolog import control
        >>> server = control.serve(token="correct-horse-battery")
        >>> server.address[0]
        '127.0.0.1'
        >>> server.close()
    """

    def __init__(self, address: str | tuple[str, int], token: str | None) -> None:
        self._token = token.encode() if token is not None else None
        self._path: str | None = None
        self._made: tuple[int, int] | None = None
        self._clients: dict[socket.socket, _Client] = {}
        if isinstance(address, str):
            self._socket = _listen_at(address)
            self._path = address
            found = os.lstat(address)
            self._made = found.st_dev, found.st_ino
            self.address: str | tuple[str, int] = address
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            self._socket = socket.create_server(address, family=family, backlog=CLIENTS)
            self.address = self._socket.getsockname()[:2]
        self._socket.setblocking(False)

    def close(self) -> None:
        """Listen no more, end all connections, remove the socket's path, and take back what would be taken back later, unless there is
        another server. Idempotent and thread-safe. Waits for that, but not for ever: five seconds if a handler, which is told of it,
        waits for a lock that the caller holds."""
        if self in _loop.servers:
            _loop.do(lambda: _loop.remove(self), patience=5.0)

    def __repr__(self) -> str:
        return f"<femtolog.control.Server at {self.address!r}>"

    def _close_sockets(self) -> None:
        for closed in (*self._clients, self._socket):
            with contextlib.suppress(OSError):
                closed.close()
        self._clients.clear()

    def _remove_path(self) -> None:
        path, self._path = self._path, None
        if path is None:
            return
        with contextlib.suppress(OSError):
            found = os.lstat(path)
            if (found.st_dev, found.st_ino) == self._made:  # else it is another's by now
                os.unlink(path)


def _listen_at(path: str) -> socket.socket:
    """A listening socket at this path, which nobody else may connect to."""
    if not hasattr(socket, "AF_UNIX"):
        raise ConfigurationError("this system has no sockets in the file system: use TCP, with a token")
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(path)
        os.chmod(path, 0o600)
        made.listen(CLIENTS)  # nobody can connect before
    except BaseException:
        made.close()
        raise
    return made


def _remove_stale(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(f"{path} exists and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.settimeout(1)
            asking.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)  # of a process that is gone
            return
        except OSError:
            pass
    raise FileExistsError(f"{path} is in use: another process listens there")


class _Client:
    """A connection."""

    def __init__(self, connection: socket.socket, server: Server, peer: str) -> None:
        self.connection = connection
        self.server = server
        self.peer = peer
        self.trusted = server._token is None
        self.received = bytearray()
        self.to_send = bytearray()
        self.ends = False
        self.deadline = time.monotonic() + (SECONDS_OF_SILENCE if self.trusted else SECONDS_TO_SHOW_A_TOKEN)

    def lines(self) -> Iterator[bytes]:
        """The whole lines that have come, each when what went before is answered."""
        while not self.ends and not self.to_send:
            end = self.received.find(b"\n")
            if end < 0 or end >= LINE:
                if len(self.received) >= LINE:
                    self.answer([], f"error: a line has at most {LINE} bytes")
                    self.ends = True
                return
            line = bytes(self.received[:end])
            del self.received[: end + 1]
            self.deadline = time.monotonic() + SECONDS_OF_SILENCE
            yield line

    def answer(self, lines: list[str], end: str) -> None:
        """Answer: lines, each indented, and one that says how it went."""
        text = "".join(f"  {_shown(line)}\n" for line in lines) + f"{_shown(end)}\n"
        self.to_send += text.encode("utf-8", "backslashreplace")


def _shown(text: str) -> str:
    """The text as it may stand in a line of an answer or of a log."""
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class Refused(Exception):  # noqa: N818 - an answer
    """A command that cannot be done, and why."""


class _Change:
    """A level that is taken back later."""

    def __init__(self, before: int, level: int, deadline: float) -> None:
        self.before = before
        self.level = level
        self.deadline = deadline


class _Loop:
    """The thread and all that it looks after. Its attributes belong to it alone; others hand it functions (`do`)."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.waiting: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self.servers: list[Server] = []
        self.signals: list[Signals] = []
        self.changes: dict[str, _Change] = {}
        self.selector: selectors.BaseSelector | None = None
        self.wake: tuple[socket.socket, socket.socket] | None = None

    # -- from other threads

    def add(self, server: Server) -> None:
        """Let the thread look after a server."""

        def begin() -> None:
            self.servers.append(server)
            self._watch(server._socket, server)

        self.do(begin)

    def do(self, function: Callable[[], object], patience: float | None = None) -> None:
        """Let the thread run a function, and wait for that, so many seconds at most."""
        with self.lock:
            self._start()
            own = threading.current_thread() is self.thread  # a handler that closes the server, say
        if own:
            function()
            return
        done = threading.Event()
        failed: list[BaseException] = []

        def run() -> None:
            try:
                function()
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                failed.append(error)
            finally:
                done.set()

        self.tell(run)
        done.wait(patience)
        if failed:
            raise failed[0]

    def tell(self, function: Callable[[], object]) -> None:
        """Let the thread run a function soon. Safe in a signal's handler."""
        self.waiting.put(function)
        wake = self.wake
        if wake is not None:
            with contextlib.suppress(OSError):  # full: it is awake
                wake[1].send(b"\0")

    def _start(self) -> None:
        if self.thread is not None and self.thread.is_alive():
            return
        if self.wake is None:
            self.wake = socket.socketpair()
            for end in self.wake:
                end.setblocking(False)
            self.selector = selectors.DefaultSelector()
            self.selector.register(self.wake[0], selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._run, name="femtolog.control", daemon=True)
        self.thread.start()

    # -- process

    def in_child(self) -> None:
        """After a fork: the parent listens, not we. What is to be taken back is taken back here, too."""
        self.lock = threading.Lock()
        self.thread = None
        self.waiting = queue.SimpleQueue()
        for server in self.servers:
            server._close_sockets()
            server._path = None
        self.servers.clear()
        if self.selector is not None:
            self.selector.close()
        for end in self.wake or ():
            end.close()
        self.wake = self.selector = None
        if self.changes or self.signals:
            with self.lock:
                self._start()

    def at_exit(self) -> None:
        """Leave no path behind."""
        for server in list(self.servers):
            server._remove_path()
            server._close_sockets()

    # -- the thread

    def _run(self) -> None:
        while True:
            try:
                self._turn()
            except Exception:  # noqa: BLE001 - nothing may end it, and there is nobody to tell
                time.sleep(0.1)

    def _turn(self) -> None:
        selector, wake = self.selector, self.wake
        assert selector is not None
        assert wake is not None
        for key, _ in selector.select(self._patience()):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    wake[0].recv(4096)
            elif isinstance(key.data, Server):
                self._accept(key.data)
            else:
                self._serve(key.data)
        while True:
            try:
                self.waiting.get_nowait()()
            except queue.Empty:
                break
        now = time.monotonic()
        for name in [name for name, change in self.changes.items() if change.deadline <= now]:
            self.take_back(name, "the time is over")
        for server in self.servers:
            for client in [client for client in server._clients.values() if client.deadline <= now]:
                self._drop(client)

    def _patience(self) -> float | None:
        deadlines = [change.deadline for change in self.changes.values()]
        deadlines += [client.deadline for server in self.servers for client in server._clients.values()]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _watch(self, watched: socket.socket, data: object, events: int = selectors.EVENT_READ) -> None:
        assert self.selector is not None
        self.selector.register(watched, events, data)

    def remove(self, server: Server) -> None:
        """End a server."""
        if server not in self.servers:
            return
        self.servers.remove(server)
        assert self.selector is not None
        for watched in (*server._clients, server._socket):
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(watched)
        server._remove_path()
        server._close_sockets()
        if not self.servers:
            for name in list(self.changes):
                self.take_back(name, "the server is closed")

    def _accept(self, server: Server) -> None:
        try:
            connection, address = server._socket.accept()
        except BlockingIOError:
            return
        except OSError:  # no descriptors left, most likely
            time.sleep(0.1)
            return
        connection.setblocking(False)
        if len(server._clients) >= CLIENTS:
            with contextlib.suppress(OSError):
                connection.send(b"error: too many connections\n")
            connection.close()
            return
        client = _Client(connection, server, _peer(connection, address))
        server._clients[connection] = client
        self._watch(connection, client)

    def _serve(self, client: _Client) -> None:
        try:
            if client.to_send:
                del client.to_send[: client.connection.send(client.to_send)]
            else:
                received = client.connection.recv(LINE)
                if not received:  # also of half a line: that is not run
                    self._drop(client)
                    return
                client.received += received
            for line in client.lines():
                self._line(client, line)
                if client.connection not in client.server._clients:
                    return  # the command has closed the server
                with contextlib.suppress(BlockingIOError):
                    del client.to_send[: client.connection.send(client.to_send)]
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)
            return
        if client.ends and not client.to_send:
            self._drop(client)
            return
        assert self.selector is not None
        self.selector.modify(client.connection, selectors.EVENT_WRITE if client.to_send else selectors.EVENT_READ, client)

    def _drop(self, client: _Client) -> None:
        assert self.selector is not None
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(client.connection)
        client.server._clients.pop(client.connection, None)
        client.connection.close()

    def _line(self, client: _Client, line: bytes) -> None:
        if not client.trusted:
            shown = line.rstrip(b"\r").removeprefix(b"token ").strip()
            if line.startswith(b"token ") and hmac.compare_digest(shown, client.server._token or b"\0"):
                client.trusted = True
                client.answer([], "ok")
            else:
                _log("%s: refused, without the token", client.peer)
                client.answer([], "error: the first line is `token` and the token")
                client.ends = True
            return
        try:
            text = line.removesuffix(b"\r").decode()
            if CONTROLS.search(text):
                raise Refused("a line has no control characters")
            words = shlex.split(text)
            told = self._command(client, words) if words else []
        except UnicodeDecodeError:
            client.answer([], "error: a line is UTF-8")
        except (Refused, ValueError) as error:
            client.answer([], f"error: {error}")
        except Exception as error:  # noqa: BLE001 - somebody's logger class or level name
            client.answer([], f"error: {type(error).__name__}: {error}")
        else:
            client.answer(told, "ok")

    # -- commands

    def _command(self, client: _Client, words: list[str]) -> list[str]:
        command, *given = words
        if command == "level":
            return self._level(given, client.peer)
        if command == "reset":
            names = given or list(self.changes)
            for name in names:
                if name not in self.changes:
                    raise Refused(f"nothing is to be taken back for {name}")
            return [self.take_back(name, client.peer) for name in names]
        if command == "explain":
            if len(given) != 2:
                raise Refused("explain NAME LEVEL")
            from femtolog import explain

            name, level = given
            return list(explain(_logger(name) if name == "root" else name, _level_number(level)))
        if given or command not in ("levels", "help", "quit"):
            raise Refused(f"{command!r} is no command, or has too many words: see help")
        if command == "quit":
            client.ends = True
        return self._levels() if command == "levels" else HELP.splitlines() if command == "help" else []

    def _level(self, given: list[str], peer: str) -> list[str]:
        seconds: float | None = None
        wanted: dict[str, int] = {}
        for word in given:
            name, is_there, value = word.rpartition("=")
            if word == "where" or name == "where" or word.startswith("where="):
                raise Refused("where is not there yet: levels are of loggers, not of requests")
            if not is_there or not name:
                raise Refused(f"{word!r} is not NAME=LEVEL or for=TIME")
            if name == "for":
                seconds = _seconds(value)
            elif name == _log_name:
                raise Refused(f"the level of {_log_name} is not changed: it tells what is changed")
            else:
                wanted[name] = _level_number(value)
        if not wanted:
            raise Refused("level NAME=LEVEL ... [for=TIME]")
        return [self.set_level(name, level, seconds, peer) for name, level in wanted.items()]

    def set_level(self, name: str, level: int, seconds: float | None, who: str) -> str:
        """Set a logger's level, for so many seconds or for good. What is told of it."""
        logger = _logger(name)
        old = self.changes.pop(name, None)
        before = old.before if old is not None and old.level == logger.level else logger.level
        during = "" if seconds is None else f" for {seconds:g} s"
        told = f"{_shown(name)}: {_name(logger.level)} -> {_name(level)}{during}"
        _log("level of %s, by %s", told, who)  # before: it may be the level that hides it
        logger.setLevel(level)
        if seconds is not None:
            self.changes[name] = _Change(before, level, time.monotonic() + seconds)
        return told

    def take_back(self, name: str, why: str) -> str:
        """Put a logger's level back to what it was, unless somebody else has set it meanwhile. What is told of it."""
        change = self.changes.pop(name)
        logger = _logger(name)
        if logger.level != change.level:
            told = f"{_shown(name)}: {_name(logger.level)} stays, it was set by somebody else"
        else:
            told = f"{_shown(name)}: {_name(logger.level)} -> {_name(change.before)}"
        _log("level of %s, back: %s", told, why)
        if logger.level == change.level:
            logger.setLevel(change.before)
        return told

    def _levels(self) -> list[str]:
        loggers: dict[str, Any] = {"root": logging.root}
        loggers |= {
            name: found for name, found in sorted(logging.root.manager.loggerDict.copy().items()) if hasattr(found, "level")
        }
        now = time.monotonic()
        told = []
        for name, logger in loggers.items():
            change = self.changes.get(name)
            if logger.level or change or logger is logging.root:
                more = f", for {change.deadline - now:.0f} s more, then {_name(change.before)}" if change else ""
                told.append(f"{name} {_name(logger.level)}{more}")
        return told

    def step(self, name: str, up: bool, who: str) -> None:
        """Change a logger's level by one step."""
        level = _logger(name).getEffectiveLevel()
        others = [step for step in _STEPS if (step > level if up else step < level)]
        if others:
            self.set_level(name, min(others) if up else max(others), None, who)


class Signals(_Closing):
    """Signals that change a level; see signals().

    Examples:
        >>> import signal
        >>> from femtolog import control
        >>> with control.signals("shop"):
        ...     callable(signal.getsignal(signal.SIGUSR1))
        True
        >>> signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
        True
    """

    def __init__(self, logger: str, more: int, less: int) -> None:
        self._logger = logger
        self._before: dict[int, Any] = {}
        self._up = {more: False, less: True}
        _loop.signals.append(self)
        _loop.do(lambda: None)  # there is a thread from now on
        try:
            for number in self._up:
                self._before[number] = _signal.signal(number, self._received)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Put the signals' handlers back, where they are still ours. In the main thread. Idempotent."""
        for number, before in self._before.items():
            if _signal.getsignal(number) == self._received:
                _signal.signal(number, before if before is not None else _signal.SIG_DFL)
        self._before.clear()
        if self in _loop.signals:
            _loop.signals.remove(self)

    def _received(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # A handler runs between any two steps of the main thread, one that is about to write a record, say: another thread does it.
        _loop.tell(lambda: _loop.step(self._logger, self._up[number], _signal.Signals(number).name))


_log_name = "femtolog.control"


def _log(message: str, *args: object) -> None:
    logger = logging.getLogger(_log_name)
    if not logger.level:
        logger.setLevel(logging.INFO)  # so that no change of root's level hides the next one
    with contextlib.suppress(Exception):
        logger.warning(message, *args)


def _logger(name: str) -> logging.Logger:
    if name == "root":
        return logging.root
    if not name or name.startswith(".") or name.endswith(".") or ".." in name:
        raise Refused(f"{name!r} is no name of a logger")
    return logging.getLogger(name)


def _level_number(text: str) -> int:
    known = logging.getLevelNamesMapping()
    found = known.get(text, known.get(text.upper()))
    if found is not None:
        return found
    if text.isascii() and text.isdigit() and len(text) <= 6:
        return int(text)
    raise Refused(f"{text!r} is no level")


def _name(level: int) -> str:
    return _shown(str(logging.getLevelName(level)))


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST:
        raise Refused(f"{text!r} is no time: 30s, 5m, 2h, 1d, at most {LONGEST // 86400}d")
    return float(seconds)


def _peer(connection: socket.socket, address: Any) -> str:
    if hasattr(socket, "SO_PEERCRED") and connection.family == socket.AF_UNIX:
        pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return f"process {pid} of user {uid}"
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "a local process"


_loop = _Loop()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_loop.in_child)
atexit.register(_loop.at_exit)
