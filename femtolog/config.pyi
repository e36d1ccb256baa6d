# The names of `logging.config`: typeshed's, and those that the standard library's own imports make names of that module.
import errno as errno
import io as io
import logging as logging
import os as os
import queue as queue
import re as re
import struct as struct
import sys
import threading as threading
import traceback as traceback
from logging.config import *
from socketserver import StreamRequestHandler as StreamRequestHandler
from socketserver import ThreadingTCPServer as ThreadingTCPServer

__all__ = [
    "DEFAULT_LOGGING_CONFIG_PORT",
    "IDENTIFIER",
    "RESET_ERROR",
    "BaseConfigurator",
    "ConvertingDict",
    "ConvertingList",
    "ConvertingMixin",
    "ConvertingTuple",
    "DictConfigurator",
    "StreamRequestHandler",
    "ThreadingTCPServer",
    "dictConfig",
    "dictConfigClass",
    "errno",
    "fileConfig",
    "io",
    "listen",
    "logging",
    "os",
    "queue",
    "re",
    "stopListening",
    "struct",
    "threading",
    "traceback",
    "valid_ident",
]

if sys.version_info >= (3, 12):
    import functools as functools

    __all__ += ["functools"]
if sys.version_info >= (3, 14):
    import socket as socket

    __all__ += ["socket"]
