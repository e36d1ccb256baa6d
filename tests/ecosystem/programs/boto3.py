"""boto3 and botocore with set_stream_logger at DEBUG: a request to a stand-in for S3 on loopback, signed, parsed, retried."""
# requires: boto3==1.44.8
# mask: 20\d{6}T\d{6}Z => time
# mask: 20\d{6} => day
# mask: \b[0-9a-f]{64}\b => hash
# mask: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ => time
# mask: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+ => id
# mask: 0x[0-9a-f]+ => 0x?
# mask: /\S+/(boto(core|3))/ => /\1/

import http.server
import sys
import threading

import boto3

BODY = (
    b'<?xml version="1.0"?><ListAllMyBucketsResult><Buckets><Bucket><Name>one</Name></Bucket></Buckets></ListAllMyBucketsResult>'
)


class Answer(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        Answer.asked += 1
        self.send_response(500 if Answer.asked == 1 else 200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def date_time_string(self, timestamp=None):
        return "now"

    def log_message(self, *args): ...


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
pass  # late install
sys.stderr = sys.stdout
boto3.set_stream_logger("boto3", format_string="%(levelname)s %(name)s %(message)s")
for part in ("hooks", "endpoint", "parsers", "retries", "auth"):
    boto3.set_stream_logger(f"botocore.{part}", format_string="%(levelname)s %(name)s %(funcName)s")
boto3.set_stream_logger("botocore.parsers", format_string="%(levelname)s %(name)s %(message)s")
client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    aws_access_key_id="k",
    aws_secret_access_key="s",
    region_name="eu-west-1",
)
print([bucket["Name"] for bucket in client.list_buckets()["Buckets"]])
server.shutdown()
