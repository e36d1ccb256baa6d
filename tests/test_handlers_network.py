"""What the network handlers send, without a network: contract 5.5, item 39."""

import logging
import logging.handlers
import pickle
import socket
import sys

import pytest
from oracle import same_as_stdlib


class Socket:
    """Keeps what is sent."""

    def __init__(self, fails=False):
        self.sent, self.fails = [], fails

    def sendall(self, data):
        if self.fails:
            raise OSError("gone")
        self.sent.append(data)

    send = sendall

    def sendto(self, data, address):
        self.sent.append((data, address))

    def close(self):
        self.sent.append("closed")


def raised():
    try:
        raise LookupError("shown")
    except LookupError:
        return sys.exc_info()


@same_as_stdlib(live=False)
def test_socket_handler_pickles(w):
    log = w.logger()
    handler = logging.handlers.SocketHandler("localhost", 1)
    handler.sock = sock = Socket()
    log.addHandler(w.handler("%(message)s"))
    log.addHandler(handler)
    records = w.keeper(log)
    log.info("a %s", 1, extra={"k": [1]})
    log.info("b", exc_info=raised())
    log.info(Socket, exc_info=None)
    for data in sock.sent:
        w.note("sent", data[:4], pickle.loads(data[4:]))
    w.note("records", records)
    handler.close()


@same_as_stdlib(live=False)
def test_socket_handler_waits_longer_and_longer(w):
    log = w.logger()
    handler = logging.handlers.SocketHandler("localhost", 1)
    handler.makeSocket = lambda timeout=1: (_ for _ in ()).throw(OSError("refused"))
    log.addHandler(handler)
    for _ in range(8):
        log.info("x")
        w.note("retry", handler.retryTime, getattr(handler, "retryPeriod", None))
        w.clock.now += 3 * 10**9
    handler.makeSocket = lambda timeout=1: Socket()
    w.clock.now += 100 * 10**9
    log.info("y")
    w.note("sent", len(handler.sock.sent), handler.retryTime)
    handler.sock.fails = True
    log.info("%s", "z")
    w.note("sock", handler.sock)
    handler.closeOnError = True
    handler.sock = Socket(fails=True)
    handler.handleError(logging.makeLogRecord({}))


@same_as_stdlib(live=False)
def test_datagram_handler(w):
    log = w.logger()
    handler = logging.handlers.DatagramHandler("localhost", 514)
    handler.sock = sock = Socket()
    log.addHandler(handler)
    log.info("a %s", 1)
    data, address = sock.sent[0]
    w.note("sent", pickle.loads(data[4:]), address)


@same_as_stdlib
def test_syslog_priorities_and_frames(w):
    log = w.logger()
    handler = logging.handlers.SysLogHandler(("localhost", 514), "user", socket.SOCK_DGRAM)
    handler.socket.close()
    handler.socket = sock = Socket()
    log.addHandler(handler)
    for level in (10, 20, 30, 40, 50, 25):
        log.log(level, "\xe9 %d", level)
    handler.append_nul, handler.ident = False, "me: "
    log.info("x")
    w.note("sent", sock.sent)
    for arguments in (("user", "err"), (1, 3), ("nothing", "err")):
        w.catch(handler.encodePriority, *arguments)
    w.note("map", handler.mapPriority("INFO"), handler.mapPriority("odd"))


@same_as_stdlib(live=False)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_handler(w, method):
    class Connection:
        def __init__(self, host, timeout=None):
            w.note("connect", host)

        def putrequest(self, method, url):
            w.note("request", method, url)

        def putheader(self, name, value):
            w.note("header", name, value)

        def endheaders(self):
            pass

        def send(self, data):
            w.note("sent", data)

        def getresponse(self):
            pass

    handler = logging.handlers.HTTPHandler("example.org:80", "/log?x=1", method, credentials=("a", "b"))
    handler.getConnection = lambda host, secure: Connection(host)
    log = w.logger()
    log.addHandler(handler)
    log.info("a %s \xe9", 1)


@same_as_stdlib
def test_smtp_handler(w):
    import smtplib

    class Server:
        def __init__(self, *args, **kwargs):
            w.note("server", args, kwargs)

        def send_message(self, message):
            w.note("message", message["From"], message["To"], message["Subject"], message.get_content())

        def quit(self):
            w.note("quit")

    saved, smtplib.SMTP = smtplib.SMTP, Server
    handler = logging.handlers.SMTPHandler("localhost", "me@x", ["you@x"], "subject")
    log = w.logger()
    log.addHandler(handler)
    log.info("a %s", 1)
    smtplib.SMTP = saved
