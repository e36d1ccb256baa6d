"""absl-py: its logger class, handler, formatter and verbosity."""
# requires: absl-py==2.5.1
# mask: [IWEFC]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ => time
# mask: :\d+\] => :?]

import logging as stdlib
import sys

from absl import app, logging


def main(_):
    sys.stderr = sys.stdout
    logging.get_absl_handler().python_handler.stream = sys.stdout
    logging.set_verbosity(logging.DEBUG)
    pass  # late install
    logging.info("info %s", 1)
    logging.vlog(2, "too fine")
    logging.log_every_n(logging.WARNING, "every %d", 2, 2)
    for _ in range(4):
        logging.log_first_n(logging.ERROR, "first", 2)
    stdlib.getLogger("shop").warning("by the standard library")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("broken")
    logging.get_absl_logger().findCaller()


app.run(main, argv=["program"])
