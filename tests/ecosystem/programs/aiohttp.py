"""aiohttp: server and client in one loop, the access log, an exception in a handler."""
# requires: aiohttp==3.14.5
# mask: \[\d\d/\w+/\d{4}[^]]+\] => [time]
# mask: aiohttp/[\d.]+ => aiohttp/?

import asyncio
import logging
import sys

import aiohttp
from aiohttp import web

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
log = logging.getLogger("shop")
pass  # late install


async def fine(request):
    log.info("fine %s", request.path)
    return web.Response(text="ok")


async def broken(request):
    raise ValueError("broken view")


async def main():
    app = web.Application()
    app.add_routes([web.get("/fine", fine), web.get("/broken", broken)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        for path in ("/fine", "/broken", "/nowhere"):
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                print(path, answer.status)
    await runner.cleanup()


asyncio.run(main())
