from logging.handlers import *
