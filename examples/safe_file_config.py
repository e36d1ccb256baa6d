"""fileConfig() evaluates what a file says; with safe=True it refuses all but literals and known classes."""

import logging
import pathlib

import femtolog

INI = """\
[loggers]
keys=root
[handlers]
keys=out
[formatters]
keys=
[logger_root]
level=INFO
handlers=out
[handler_out]
class=StreamHandler
args=(%s,)
"""

pathlib.Path("good.ini").write_text(INI % "sys.stdout")
pathlib.Path("bad.ini").write_text(INI % "__import__('os').system('echo this ran')")

try:
    femtolog.fileConfig("bad.ini", safe=True)
except ValueError as error:
    print("refused:", error)
femtolog.fileConfig("good.ini", safe=True)
logging.info("configured")

# prints:
# refused: [handler_out] args: with safe=True only literals, sys.stdout and sys.stderr, not "(__import__('os').system('echo this ran'),)"
# configured
