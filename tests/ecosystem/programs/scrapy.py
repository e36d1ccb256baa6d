"""scrapy: a spider over a server on loopback, scrapy's own log set-up, its adapter and its statistics."""
# mask: port \d+ \(job [^)]*\) => port ?
# requires: scrapy==2.19.0
# mask: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d => time
# mask: Telnet Password: \w+ => Telnet Password
# mask: [\d.]+ (seconds|s)\b => ? s

import http.server
import logging
import sys
import threading

import scrapy
from scrapy.crawler import CrawlerProcess


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'<a href="/second">x</a>' if self.path == "/" else b"end"
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args): ...


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"


class Spider(scrapy.Spider):
    name = "shop"
    custom_settings = {"TELNETCONSOLE_ENABLED": False, "LOG_LEVEL": "INFO", "RETRY_ENABLED": False, "CONCURRENT_REQUESTS": 1}

    async def start(self):
        yield scrapy.Request(address + "/", self.parse)

    def parse(self, response):
        self.logger.info("parsed %s", response.url.removeprefix(address))
        if response.url.endswith("/"):
            yield response.follow("/second", self.parse)
            yield response.follow("/missing", self.parse)
        else:
            raise ValueError("broken callback")


pass  # late install
sys.stderr = sys.stdout
process = CrawlerProcess({"LOG_FORMAT": "%(levelname)s %(name)s %(message)s", "STATS_DUMP": False, "LOG_STDOUT": False})
for handler in logging.root.handlers:
    if hasattr(handler, "stream"):
        handler.stream = sys.stdout
process.crawl(Spider)
process.start()
