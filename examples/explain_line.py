"""Why is this line not in the log? explain() tells, without logging anything."""

import logging
import logging.config
import sys

import femtolog

femtolog.install()
logging.basicConfig(stream=sys.stdout, level=logging.WARNING)
logging.getLogger("shop.db").setLevel(logging.DEBUG)
logging.root.handlers[0].setLevel(logging.ERROR)

for name, level in [("shop.db", "DEBUG"), ("shop.web", "INFO"), ("shop.web", "ERROR")]:
    why = femtolog.explain(name, level)
    print(name, level, why.logged)
    print(*why, sep="\n")

logging.config.dictConfig({"version": 1, "loggers": {"shop.web": {}}})
[step] = femtolog.explain("shop.db", "ERROR").steps
print(step.reason, step.by.function, step.by.line)

# prints:
# shop.db DEBUG False
# Logger 'shop.db' has level DEBUG (10): DEBUG (10) passes.
# <StreamHandler <stdout> (ERROR)> of the root logger takes ERROR (40) and above only.
# So it is not logged.
# shop.web INFO False
# Nobody has asked for logger 'shop.web' yet; it would get no level and no handler of its own, and the root logger for parent.
# Logger 'shop.web' has level WARNING (30) from the root logger: INFO (20) is below it.
# So it is not logged.
# shop.web ERROR True
# Nobody has asked for logger 'shop.web' yet; it would get no level and no handler of its own, and the root logger for parent.
# Logger 'shop.web' has level WARNING (30) from the root logger: ERROR (40) passes.
# <StreamHandler <stdout> (ERROR)> of the root logger emits it.
# So it is logged.
# disabled dictConfig 19
