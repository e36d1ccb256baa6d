from logging.config import *
