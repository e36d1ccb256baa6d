"""fileConfig for files that somebody else may have written: what the file would have evaluated is looked at first."""

from __future__ import annotations

import ast
import configparser
import io
import logging
import logging.config
import os
import pkgutil
import re

from femtolog.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*", re.ASCII)


def load(fname: Any, defaults: Mapping[str, str] | None, disable_existing_loggers: bool, encoding: str | None) -> None:
    """See femtolog.fileConfig(safe=True)."""
    parser = fname if isinstance(fname, configparser.RawConfigParser) else _read(fname, defaults, encoding)
    for section in parser.sections():
        if section.startswith("handler_"):
            _check_class(parser, section, logging.Handler)
            _check_value(section, "args", parser.get(section, "args", fallback=None))
            _check_value(section, "kwargs", parser.get(section, "kwargs", fallback=None))
        elif section.startswith("formatter_"):
            _check_class(parser, section, logging.Formatter)
            _check_value(section, "defaults", parser.get(section, "defaults", raw=True, fallback=None))
    # The parser that was looked at, not the file again: it may have changed.
    logging.config.fileConfig(parser, None, disable_existing_loggers, encoding)


def _read(fname: Any, defaults: Mapping[str, str] | None, encoding: str | None) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(defaults)
    try:
        if hasattr(fname, "readline"):
            parser.read_file(fname)
        elif not os.path.exists(fname):
            raise FileNotFoundError(f"{fname} doesn't exist")
        else:
            parser.read(fname, encoding=io.text_encoding(encoding))
    except configparser.ParsingError as error:
        raise RuntimeError(f"{fname} is invalid: {error}") from error
    if not parser.sections():
        raise RuntimeError(f"{fname} is empty")
    return parser


def _check_class(parser: configparser.RawConfigParser, section: str, base: type) -> None:
    name = parser.get(section, "class", fallback=None)
    if not name:
        return
    if not DOTTED.fullmatch(name):
        raise ConfigurationError(f"[{section}] class: with safe=True the dotted name of a class, not {name!r}")
    found = _find(name) if base is logging.Handler else pkgutil.resolve_name(name)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ConfigurationError(
            f"[{section}] class: with safe=True a subclass of logging.{base.__name__}, which {name!r} is not"
        )


def _find(name: str) -> object:
    """What logging.config makes of a handler's class: a name within `logging`, or else one to import."""
    found: object = logging
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        found = pkgutil.resolve_name(name)
    return found


def _check_value(section: str, option: str, text: str | None) -> None:
    if text is None:
        return
    try:
        tree = ast.parse(text.strip(), mode="eval")
        ast.literal_eval(_StandardStreams().visit(tree))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ConfigurationError(
            f"[{section}] {option}: with safe=True only literals, sys.stdout and sys.stderr, not {text!r}"
        ) from None


class _StandardStreams(ast.NodeTransformer):
    """Takes sys.stdout and sys.stderr for literals."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "sys" and node.attr in ("stdout", "stderr"):
            return ast.copy_location(ast.Constant(None), node)
        return node
