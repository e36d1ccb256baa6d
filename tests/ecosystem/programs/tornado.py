"""tornado: its access and application log with its own formatter, a server and a client on loopback."""
# requires: tornado==6.6.1
# mask: [\d.]+ms => ?ms
# mask: \d{6} \d\d:\d\d:\d\d => time

import asyncio
import logging
import sys

from tornado import httpclient, web
from tornado.httpserver import HTTPServer
from tornado.log import LogFormatter
from tornado.testing import bind_unused_port

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(LogFormatter(color=False))
logging.basicConfig(handlers=[handler], level=logging.INFO)
pass  # late install


class Fine(web.RequestHandler):
    def get(self):
        logging.getLogger("shop").info("fine %s", self.request.path)
        self.write("ok")


class Broken(web.RequestHandler):
    def get(self):
        raise ValueError("broken")


async def main():
    socket, port = bind_unused_port()
    server = HTTPServer(web.Application([("/fine", Fine), ("/broken", Broken)]))
    server.add_socket(socket)
    client = httpclient.AsyncHTTPClient()
    for path in ("/fine", "/broken", "/nowhere"):
        answer = await client.fetch(f"http://127.0.0.1:{port}{path}", raise_error=False, user_agent="u")
        print(path, answer.code)
    server.stop()


asyncio.run(main())
