"""One mail for many records: a buffering handler that sends when it is full. The mail server here is a few lines, too."""

import email.message
import logging
import logging.handlers
import smtplib
import socketserver
import threading

received = []


class MailServer(socketserver.StreamRequestHandler):
    """As much SMTP as one mail needs."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                received.extend(text.decode().rstrip() for text in iter(self.rfile.readline, b".\r\n"))
            self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")


class Mailed(logging.handlers.BufferingHandler):
    """Sends what it holds, as one mail."""

    def __init__(self, address, capacity):
        super().__init__(capacity)
        self.address = address

    def flush(self):
        if not self.buffer:
            return
        mail = email.message.EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "shop@example.org", "ada@example.org", f"{len(self.buffer)} records"
        mail.set_content("\n".join(self.format(record) for record in self.buffer))
        with smtplib.SMTP(*self.address, local_hostname="shop") as server:
            server.send_message(mail)
        self.buffer.clear()


with socketserver.TCPServer(("localhost", 0), MailServer) as server:
    serving = threading.Thread(target=server.handle_request)
    serving.start()
    handler = Mailed(server.server_address, 3)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log = logging.getLogger("shop")
    log.addHandler(handler)
    for order in range(3):
        log.error("order %d not paid", order)
    serving.join()
    log.removeHandler(handler)
print(*received, sep="\n")

# prints:
# From: shop@example.org
# To: ada@example.org
# Subject: 3 records
# Content-Type: text/plain; charset="utf-8"
# Content-Transfer-Encoding: 7bit
# MIME-Version: 1.0
#
# ERROR order 0 not paid
# ERROR order 1 not paid
# ERROR order 2 not paid
