"""A command line tool that lets its user choose how much it tells."""

import argparse
import logging
import sys

log = logging.getLogger("shop")


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    parser.add_argument("command", choices=("open", "close"))
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stdout, level=options.log_level, format="%(levelname)s %(message)s", force=True)
    log.debug("options: %s", sorted(vars(options)))
    log.info("%s: done", options.command)


for line in ("open", "--log-level DEBUG close", "--log-level WARNING open"):
    print(f"$ shop {line}")
    main(line.split())

# prints:
# $ shop open
# INFO open: done
# $ shop --log-level DEBUG close
# DEBUG options: ['command', 'log_level']
# INFO close: done
# $ shop --log-level WARNING open
