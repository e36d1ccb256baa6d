from io import text_encoding as text_encoding
from logging import *
from logging import Filterer as Filterer
from logging import Logger as Logger
from logging import LogRecord as LogRecord
from logging import Manager as Manager
from logging import PercentStyle as PercentStyle
from logging import PlaceHolder as PlaceHolder
from logging import StrFormatStyle as StrFormatStyle
from logging import root as root

FormatStyle = PercentStyle
_Placeholder = PlaceHolder
__version__: str
