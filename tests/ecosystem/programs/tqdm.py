"""tqdm's logging redirect: records through tqdm.write while a bar is shown."""
# requires: tqdm==4.70.1
# mask: [^\n]*it/s[^\n]* => bar

import io
import logging
import sys

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm, tqdm_logging_redirect

logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
log = logging.getLogger("shop")
pass  # late install
with logging_redirect_tqdm():
    for number in tqdm(range(4), file=io.StringIO()):
        log.info("number %d", number)
with tqdm_logging_redirect(total=2, file=io.StringIO(), loggers=[logging.root]) as bar:
    log.warning("with a bar")
    bar.update()
log.info("as before")
print([type(handler).__name__ for handler in logging.root.handlers])
