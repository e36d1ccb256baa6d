"""twisted: its observer that gives events to logging, a server and a client on loopback."""
# mask: starting on \d+ => starting on ?
# mask: Port \d+ => Port ?
# requires: twisted==26.10.0

import logging
import sys

from twisted.internet import reactor
from twisted.logger import Logger, STDLibLogObserver, globalLogBeginner
from twisted.web.client import Agent, readBody
from twisted.web.resource import Resource
from twisted.web.server import Site

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")
globalLogBeginner.beginLoggingTo([STDLibLogObserver()], redirectStandardIO=False, discardBuffer=True)
log = Logger(namespace="shop")
pass  # late install


class Page(Resource):
    isLeaf = True

    def render_GET(self, request):
        log.info("asked for {path}", path=request.path)
        if request.path == b"/broken":
            raise ValueError("broken")
        return b"ok"


site = Site(Page())
site.logRequest = True
site._logFormatter = lambda timestamp, request: f"{request.method} {request.uri} {request.code}"
port = reactor.listenTCP(0, site, interface="127.0.0.1")
site.log = lambda request: logging.getLogger("access").info("%s %s", request.uri.decode(), request.code)


async def session():
    agent = Agent(reactor)
    for path in (b"/fine", b"/broken"):
        answer = await agent.request(b"GET", b"http://127.0.0.1:%d%s" % (port.getHost().port, path))
        await readBody(answer)
        print(path, answer.code)
    try:
        1 / 0
    except ZeroDivisionError:
        log.failure("failed")
    await port.stopListening()
    reactor.stop()


from twisted.internet.defer import ensureDeferred

reactor.callWhenRunning(lambda: ensureDeferred(session()))
reactor.run()
