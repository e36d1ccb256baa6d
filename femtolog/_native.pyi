from collections.abc import Callable
from types import ModuleType
from typing import Any, TypedDict, type_check_only

@type_check_only
class _Stats(TypedDict):
    native: int
    emits: int
    real_records: int
    reference: dict[str, int]

__all__ = [
    "__version__",
    "_raw_probe",
    "_raw_selftest",
    "bind",
    "bind_handlers",
    "bound_objects",
    "call_native",
    "call_reference",
    "is_bound",
    "observe",
    "raw_layout",
    "raw_refusal",
    "reset_stats",
    "runs",
    "stats",
    "unbind",
]

__version__: str

def bind(module: ModuleType) -> None: ...
def bind_handlers(module: ModuleType) -> None: ...
def unbind() -> None: ...
def is_bound() -> bool: ...
def stats() -> _Stats: ...
def reset_stats() -> None: ...
def raw_layout() -> str: ...
def raw_refusal() -> str: ...
def bound_objects() -> dict[str, object]: ...
def runs(object: object, method: str, /) -> str | None: ...
def call_native(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, nanoseconds: int | None = None, /
) -> Any: ...
def call_reference(name: str, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, /) -> Any: ...
def observe(observers: dict[str, Callable[[tuple[Any, ...], dict[str, Any]], Any]] | None, /) -> None: ...

# For the tests of both ways of reading interpreter structures.
def _raw_probe(operation: str, *args: object) -> object: ...
def _raw_selftest() -> dict[str, bool]: ...
