"""colorlog's formatters and its basicConfig."""
# requires: colorlog==6.12.0

import sys

import colorlog

handler = colorlog.StreamHandler(sys.stdout)
handler.setFormatter(
    colorlog.ColoredFormatter(
        "%(log_color)s%(levelname)-8s%(reset)s %(blue)s%(name)s %(message_log_color)s%(message)s",
        secondary_log_colors={"message": {"ERROR": "red"}},
        force_color=True,
    )
)
log = colorlog.getLogger("shop")
log.addHandler(handler)
log.setLevel("DEBUG")
brace = colorlog.StreamHandler(sys.stdout)
brace.setFormatter(
    colorlog.LevelFormatter(fmt={"INFO": "info {message}", "ERROR": "{log_color}{message}"}, style="{", force_color=True)
)
log.addHandler(brace)
pass  # late install
log.info("paid %s", 1)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken")
