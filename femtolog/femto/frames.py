"""Frames taken out of payloads of exceptions and stacks, for logs that show the program and not what is around it."""

from __future__ import annotations

from femtolog.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_INFRASTRUCTURE = ("femtolog", "logging/__init__", "logging/config", "<frozen importlib")


def get_logging_infrastructure_patterns() -> list[str]:
    """The parts of file names that `exclude_logging` takes for logging's own.

    Examples:
        >>> from femtolog.femto import get_logging_infrastructure_patterns
        >>> "logging/__init__" in get_logging_infrastructure_patterns()
        True
    """
    return list(_INFRASTRUCTURE)


def filter_frames(
    payload: Mapping[str, Any],
    *,
    exclude_filenames: Iterable[str] | None = None,
    exclude_functions: Iterable[str] | None = None,
    max_depth: int | None = None,
    exclude_logging: bool = False,
) -> dict[str, Any]:
    """A copy of a payload without some of its frames; those of its causes, contexts and exceptions, too.

    A frame goes if one of `exclude_filenames` is a part of its file's name, or one of `exclude_functions` of its function's. Of what is
    left then, the `max_depth` frames nearest to where it happened stay. ValueError for a negative `max_depth`, TypeError for a single
    str where several are meant.

    Examples:
        >>> from femtolog.femto import filter_frames
        >>> frames = [{"filename": "/lib/web.py", "function": "run"}, {"filename": "app.py", "function": "pay"}]
        >>> filter_frames({"frames": frames}, exclude_filenames=["/lib/"])
        {'frames': [{'filename': 'app.py', 'function': 'pay'}]}
    """
    if max_depth is not None and max_depth < 0:
        raise ConfigurationError(f"max_depth must not be negative, got {max_depth}")
    files = _patterns("exclude_filenames", exclude_filenames)
    functions = _patterns("exclude_functions", exclude_functions)
    if exclude_logging:
        files = (*files, *_INFRASTRUCTURE)

    def kept(frame: Mapping[str, Any]) -> bool:
        # Patterns are written with slashes; on Windows file names are not.
        file = str(frame.get("filename", "")).replace("\\", "/")
        function = str(frame.get("function", ""))
        return not any(part in file for part in files) and not any(part in function for part in functions)

    whole: dict[str, Any] = {}
    todo: list[tuple[Mapping[str, Any], dict[str, Any]]] = [(payload, whole)]
    while todo:
        source, copy = todo.pop()
        for key, value in source.items():
            if key == "frames":
                frames = [{name: _copied(part) for name, part in frame.items()} for frame in value if kept(frame)]
                copy[key] = (
                    frames if max_depth is None else frames[len(frames) - max_depth :] if max_depth < len(frames) else frames
                )
            elif key in ("cause", "context") and isinstance(value, dict):
                copy[key] = {}
                todo.append((value, copy[key]))
            elif key == "exceptions":
                copy[key] = [{} for _ in value]
                todo.extend(zip(value, copy[key], strict=True))
            else:
                copy[key] = _copied(value)
    return whole


def _copied(value: Any) -> Any:
    """Of `locals` and `notes`, say, which hold nothing but text."""
    return list(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else value


def _patterns(name: str, given: Iterable[str] | None) -> tuple[str, ...]:
    if isinstance(given, str):
        raise TypeError(f"{name} must be several str, got one: {given!r}")
    return tuple(given or ())
