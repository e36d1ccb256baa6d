"""basicConfig() of femto: one handler for the root logger, or those that are given."""

from __future__ import annotations

import dataclasses

from femtolog.errors import ConfigurationError
from femtolog.femto.handlers import FemtoFileHandler, FemtoStreamHandler
from femtolog.femto.handover import Succession
from femtolog.femto.levels import level_number
from femtolog.femto.logger import get_logger, is_among

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Any


@dataclasses.dataclass(slots=True)
class BasicConfig:
    """What basicConfig() can be told, as an object; a field that is None says nothing.

    Examples:
        >>> from femtolog.femto import BasicConfig, basicConfig, get_logger
        >>> basicConfig(BasicConfig(level="DEBUG"))
        >>> get_logger("root").level
        'DEBUG'
    """

    level: str | int | None = None
    filename: str | os.PathLike[str] | None = None
    stream: Any = None
    force: bool | None = None
    handlers: Iterable[Any] | None = None


def basicConfig(  # noqa: N802 (the stdlib's name)
    config: BasicConfig | None = None,
    /,
    *,
    level: str | int | None = None,
    filename: str | os.PathLike[str] | None = None,
    stream: Any = None,
    force: bool | None = None,
    handlers: Iterable[Any] | None = None,
) -> None:
    """Gives the root logger a FemtoStreamHandler, a FemtoFileHandler if there is a `filename`, or these `handlers`, and a level.

    Does nothing if it has handlers, unless `force`, which removes and closes those. What `config` says goes before arguments.
    ConfigurationError, which is a ValueError, for two of `filename`, `stream` and `handlers`.

    Examples:
        >>> import io
        >>> from femtolog.femto import basicConfig, get_logger
        >>> basicConfig(level="INFO", stream=io.StringIO())
        >>> get_logger("root").info("ready")
        'root [INFO] ready'
    """
    told = BasicConfig(level, filename, stream, force, handlers)
    for field in dataclasses.fields(BasicConfig):
        value = getattr(config, field.name, None)
        if value is not None:
            setattr(told, field.name, value)
    given = [name for name in ("filename", "stream", "handlers") if getattr(told, name) is not None]
    if len(given) > 1:
        raise ConfigurationError(f"only one of filename, stream and handlers can be given, got {' and '.join(given)}")
    number = None if told.level is None else level_number(told.level)
    root = get_logger("root")
    if root.logger.handlers and not told.force:
        return
    new: list[Any]
    if told.handlers is not None:
        new = list(told.handlers)
    elif told.filename is not None:
        new = [FemtoFileHandler(told.filename)]
    else:
        new = [FemtoStreamHandler(told.stream)]
    with Succession() as succession:
        for handler in new:
            succession.revive(handler)
        succession.put_in_force(new)
        old = list(root.logger.handlers)
        root.clear_handlers()
        succession.retire([handler for handler in old if not is_among(handler, new)])
        for handler in new:
            root.add_handler(handler)
    if number is not None:
        root.set_level(number)
