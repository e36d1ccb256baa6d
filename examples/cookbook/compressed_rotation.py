"""Rotated files are compressed and named otherwise: namer and rotator."""

import gzip
import logging.handlers
import os
import pathlib
import shutil


def namer(name):
    return name + ".gz"


def rotator(source, target):
    with open(source, "rb") as plain, gzip.open(target, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    os.remove(source)


handler = logging.handlers.RotatingFileHandler("shop.log", maxBytes=60, backupCount=3)
handler.namer, handler.rotator = namer, rotator
log = logging.getLogger("shop")
log.addHandler(handler)
for order in range(12):
    log.warning("order %d: no answer", order)
for path in sorted(pathlib.Path().glob("shop.log*")):
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    print(path, [line.split()[1].decode() for line in text.splitlines()])

# prints:
# shop.log ['9:', '10:', '11:']
# shop.log.1.gz ['6:', '7:', '8:']
# shop.log.2.gz ['3:', '4:', '5:']
# shop.log.3.gz ['0:', '1:', '2:']
