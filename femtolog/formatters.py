"""A `logging.Formatter` with what the standard library's signature has no room for: exceptions of one's own, and safe lines.

Everything else is the base class's, which femtolog runs natively where it is installed. Importing this installs nothing.
"""

from __future__ import annotations

import logging
import re

from femtolog._locals import REDACTED, Locals
from femtolog.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Literal

__all__ = ["REDACTED", "Formatter"]

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""C0, DEL, C1 (with U+0085 and the one-character CSI) and the line and paragraph separators: what ends a line or steers a terminal."""
IN_A_LINE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
"""The same but for the tab, with which lines of a traceback may be indented."""
INDENT = "    "
_PERCENT_KEY = re.compile(r"%\([^)]*\)")


class Formatter(logging.Formatter):
    r"""logging.Formatter(fmt, datefmt, style, validate, defaults=...) with options of its own.

    `cache_exc=False`: the traceback is rendered by this formatter, for this handler. `record.exc_text`, where the first formatter leaves
    its rendering for all others, is neither used nor set; only if a record has come without its exception (from a queue, a
    socket) is the text that it brought shown.

    `escape="controls"`: whatever the fields of the format show has its control characters replaced by `\xNN` or `\uNNNN`: C0 with
    tab, CR, LF and ESC, DEL, C1 with U+0085, and U+2028 and U+2029. Tracebacks and stacks are escaped line by line (tabs stay) and
    indented by four spaces. So what a record says cannot look like another record, nor reach a terminal as a command. Control
    characters of `fmt` itself stay. The record is left as the standard library leaves it, unescaped, for other handlers.

    `capture_locals=True`: below each frame of a traceback stand its variables, 20 at most, with values of 200 characters at most. It
    implies `cache_exc=False`: no other handler shows them. The value of a variable, a key or an attribute is `***` if its name has one of
    `redact` in it, in any case, with or without `_` and `-`. No other secret is recognized.

    ValueError for another `escape`, and for a `redact` without names; otherwise the errors of the base class.

    Examples:
        >>> import logging
        >>> from femtolog.formatters import Formatter
        >>> formatter = Formatter("{levelname} {message}", style="{", escape="controls")
        >>> record = logging.makeLogRecord({"levelname": "INFO", "msg": "name %s", "args": ("Eve\nINFO paid",)})
        >>> print(formatter.format(record))
        INFO name Eve\x0aINFO paid
    """

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,
        *,
        defaults: Mapping[str, Any] | None = None,
        cache_exc: bool = True,
        escape: Literal["controls"] | None = None,
        capture_locals: bool = False,
        redact: Iterable[str] = REDACTED,
    ) -> None:
        if escape not in (None, "controls"):
            raise ConfigurationError(f"escape is None or 'controls', not {escape!r}")
        super().__init__(fmt, datefmt, style, validate, defaults=defaults)
        self._locals = Locals(redact) if capture_locals else None
        self.cache_exc = cache_exc and not capture_locals
        self.escape = escape
        self._pieces: _Pieces | None = None

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        if self.cache_exc and self.escape is None:
            return super().format(record)
        record.message = record.getMessage()
        if self.usesTime():
            record.asctime = self.formatTime(record, self.datefmt)
        text = self.formatMessage(record)
        exception = record.exc_text
        if record.exc_info and not (self.cache_exc and exception):
            exception = self.formatException(record.exc_info)
            if self.cache_exc:
                record.exc_text = exception
        if exception:
            text = self._with_lines(text, exception)
        if record.stack_info:
            text = self._with_lines(text, self.formatStack(record.stack_info))
        return text

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the stdlib's name)
        """The traceback, with variables if they are captured."""
        if self._locals is None or ei[1] is None:
            return super().formatException(ei)
        return self._locals.traceback_of(ei[1], ei[2])

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the stdlib's name)
        """The first part of the text: what the format string makes of the record."""
        if self.escape is None:
            return super().formatMessage(record)
        style = self._style
        pieces = self._pieces
        if pieces is None or not pieces.are_of(style):
            pieces = self._pieces = _Pieces(style)
        return pieces.format(record)

    def _with_lines(self, text: str, more: str) -> str:
        if self.escape is not None:
            more = "\n".join(INDENT + IN_A_LINE.sub(_escaped, line) for line in more.split("\n"))
        return f"{text}{more}" if text.endswith("\n") else f"{text}\n{more}"


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class _Pieces:
    """A format string, cut where it has control characters of its own: what is between them is formatted, then escaped."""

    def __init__(self, style: logging.PercentStyle) -> None:
        self._style = style
        self._state = fmt, defaults = _state(style)
        self._parts: list[str | logging.PercentStyle] = []
        literals = _LITERALS.get(type(style))
        if literals is None or not isinstance(fmt, str):
            # Somebody's own style: which control characters are the format's cannot be told, so all are escaped.
            self._parts.append(style)
            return
        start = 0
        for begin, end in literals(fmt):
            for found in CONTROLS.finditer(fmt, begin, end):
                self._add(fmt[start : found.start()], defaults)
                self._parts.append(found[0])
                start = found.end()
        if start:
            self._add(fmt[start:], defaults)
        else:
            self._parts.append(style)

    def _add(self, piece: str, defaults: Any) -> None:
        if piece:  # a style takes an empty format for none
            self._parts.append(type(self._style)(piece, defaults=defaults))

    def are_of(self, style: logging.PercentStyle) -> bool:
        """Whether nobody has assigned another style, format or defaults since."""
        return style is self._style and all(a is b for a, b in zip(self._state, _state(style), strict=True))

    def format(self, record: logging.LogRecord) -> str:
        return "".join(part if isinstance(part, str) else CONTROLS.sub(_escaped, part.format(record)) for part in self._parts)


def _state(style: logging.PercentStyle) -> tuple[object, object]:
    return style._fmt, getattr(style, "_defaults", None)  # noqa: SLF001 - what the standard library's styles are made of


def _outside_percent_keys(fmt: str) -> Iterator[tuple[int, int]]:
    """The parts of a `%` format in which no name of a field stands."""
    start = 0
    for key in _PERCENT_KEY.finditer(fmt):
        yield start, key.start()
        start = key.end()
    yield start, len(fmt)


def _outside_braces(fmt: str) -> Iterator[tuple[int, int]]:
    """The literal parts of a `{` format."""
    depth = start = 0
    position = 0
    while position < len(fmt):
        character = fmt[position]
        if not depth and fmt[position : position + 2] in ("{{", "}}"):
            position += 2
            continue
        if character == "{":
            if not depth:
                yield start, position
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if not depth:
                start = position + 1
        position += 1
    if not depth:
        yield start, len(fmt)


def _everywhere(fmt: str) -> Iterator[tuple[int, int]]:
    """A `$` format: no name of a field has control characters."""
    yield 0, len(fmt)


_LITERALS: dict[type, Callable[[str], Iterator[tuple[int, int]]]] = {
    logging.PercentStyle: _outside_percent_keys,
    logging.StrFormatStyle: _outside_braces,
    logging.StringTemplateStyle: _everywhere,
}
