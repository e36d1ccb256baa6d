"""FastAPI on uvicorn: uvicorn's own log configuration, its access log, a log of the application, an exception."""
# requires: fastapi==0.165.0 uvicorn==0.54.0 httpx==0.28.1
# mask: \[\d+\] => [?]

import logging
import sys
import threading
import time

import fastapi
import httpx
import uvicorn

app = fastapi.FastAPI()
log = logging.getLogger("uvicorn.error")


@app.get("/fine/{number}")
async def fine(number: int):
    log.info("fine %d", number)
    return number


@app.get("/blocking")
def blocking():
    log.warning("in a thread")
    raise ValueError("broken view")


config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=uvicorn.config.LOGGING_CONFIG, use_colors=False, lifespan="on")
sys.stderr = sys.stdout
server = uvicorn.Server(config)
thread = threading.Thread(target=server.run)
pass  # late install
thread.start()
while not server.started:
    time.sleep(0.01)
port = server.servers[0].sockets[0].getsockname()[1]
for path in ("/fine/3", "/fine/x", "/blocking", "/nowhere"):
    print(path, httpx.get(f"http://127.0.0.1:{port}{path}", timeout=30).status_code)
server.should_exit = True
thread.join()
