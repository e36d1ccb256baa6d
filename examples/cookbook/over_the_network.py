"""Records travel over TCP: SocketHandler pickles, a server unpickles and logs them where it runs."""

import logging
import logging.handlers
import pickle
import socketserver
import struct
import sys
import threading


class Receiver(socketserver.StreamRequestHandler):
    """Handles one connection: four bytes of length, then a pickled dict, again and again."""

    def handle(self):
        while head := self.rfile.read(4):
            (length,) = struct.unpack(">L", head)
            # Unpickling runs what the sender wants: only for senders that are trusted.
            record = logging.makeLogRecord(pickle.loads(self.rfile.read(length)))
            logging.getLogger(f"received.{record.name}").handle(record)


screen = logging.StreamHandler(sys.stdout)
screen.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s (%(funcName)s)"))
logging.getLogger("received").addHandler(screen)

with socketserver.TCPServer(("localhost", 0), Receiver) as server:
    serving = threading.Thread(target=server.handle_request)
    serving.start()
    client = logging.handlers.SocketHandler(*server.server_address)
    log = logging.getLogger("shop")
    log.setLevel(logging.INFO)
    log.addHandler(client)

    def pay():
        log.info("order %d paid, %s", 17, {"tea": 2})
        try:
            [].pop()
        except IndexError:
            log.error("nothing left", exc_info=True)

    pay()
    client.close()
    serving.join()

# prints:
# shop INFO order 17 paid, {'tea': 2} (pay)
# shop ERROR nothing left (pay)
# Traceback (most recent call last):
#   File "cookbook/over_the_network.py", line 38, in pay
#     [].pop()
# IndexError: pop from empty list
