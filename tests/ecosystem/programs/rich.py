"""rich's RichHandler: columns, markup, highlighting, tracebacks."""
# requires: rich==15.0.0

import logging

from rich.console import Console
from rich.logging import RichHandler

console = Console(width=100, color_system=None, force_terminal=False)
import sys

console.file = sys.stdout
logging.basicConfig(
    level=0,
    format="%(name)s %(message)s",
    datefmt="[time]",
    handlers=[RichHandler(console=console, rich_tracebacks=True, markup=True)],
)
log = logging.getLogger("shop")
pass  # late install


def work():
    log.info("paid [bold]%s[/bold]", 1)
    log.warning("GET /orders 404", extra={"markup": False})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("broken")


work()
