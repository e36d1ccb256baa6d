from logging.config import *
from logging.handlers import MemoryHandler as MemoryHandler
