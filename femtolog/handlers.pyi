# The names of `logging.handlers`: typeshed's, and those that the standard library's own imports make names of that module.
import copy as copy
import io as io
import logging as logging
import os as os
import pickle as pickle
import queue as queue
import re as re
import socket as socket
import struct as struct
import sys
import threading as threading
import time as time
from logging.handlers import *

__all__ = [
    "DEFAULT_HTTP_LOGGING_PORT",
    "DEFAULT_SOAP_LOGGING_PORT",
    "DEFAULT_TCP_LOGGING_PORT",
    "DEFAULT_UDP_LOGGING_PORT",
    "SYSLOG_TCP_PORT",
    "SYSLOG_UDP_PORT",
    "BaseRotatingHandler",
    "BufferingHandler",
    "DatagramHandler",
    "HTTPHandler",
    "MemoryHandler",
    "NTEventLogHandler",
    "QueueHandler",
    "QueueListener",
    "RotatingFileHandler",
    "SMTPHandler",
    "SocketHandler",
    "SysLogHandler",
    "TimedRotatingFileHandler",
    "WatchedFileHandler",
    "copy",
    "io",
    "logging",
    "os",
    "pickle",
    "queue",
    "re",
    "socket",
    "struct",
    "threading",
    "time",
]

if sys.version_info < (3, 13):
    from stat import ST_DEV as ST_DEV
    from stat import ST_INO as ST_INO
    from stat import ST_MTIME as ST_MTIME

    __all__ += ["ST_DEV", "ST_INO", "ST_MTIME"]
