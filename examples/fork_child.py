"""After os.fork() the child logs through the same handlers; nothing has to be done."""

import logging
import os
import sys

logging.basicConfig(filename="shop.log", level=logging.INFO, format="%(message)s")
log = logging.getLogger("shop")
log.info("parent, before")
child = os.fork()
if child == 0:
    log.info("child")
    sys.exit(3)
_, status = os.waitpid(child, 0)
log.info("parent, after: the child ended with %d", os.waitstatus_to_exitcode(status))
with open("shop.log") as file:
    print(file.read(), end="")

# prints:
# parent, before
# child
# parent, after: the child ended with 3
