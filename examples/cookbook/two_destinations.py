"""Everything in a file, with times; what matters on the screen, short."""

import logging
import sys

log = logging.getLogger()
log.setLevel(logging.DEBUG)

file = logging.FileHandler("all.log", mode="w", encoding="utf-8")
file.setFormatter(logging.Formatter("%(asctime)s %(name)-9s %(levelname)-8s %(message)s", datefmt="%d.%m. %H:%M"))
log.addHandler(file)

screen = logging.StreamHandler(sys.stdout)
screen.setLevel(logging.INFO)
screen.setFormatter(logging.Formatter("%(name)-9s: %(levelname)-8s %(message)s"))
log.addHandler(screen)

logging.getLogger("shop.db").debug("SELECT name FROM tea")
logging.getLogger("shop.web").info("GET /tea")
logging.getLogger("shop.web").error("no tea: ☕ only")
with open("all.log", encoding="utf-8") as text:
    print(*(line[12:] for line in text), sep="", end="")

# prints:
# shop.web : INFO     GET /tea
# shop.web : ERROR    no tea: ☕ only
#  shop.db   DEBUG    SELECT name FROM tea
#  shop.web  INFO     GET /tea
#  shop.web  ERROR    no tea: ☕ only
