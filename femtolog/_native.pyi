from types import ModuleType
from typing import TypedDict, type_check_only

@type_check_only
class _Stats(TypedDict):
    native: int
    emits: int
    real_records: int
    reference: dict[str, int]

__all__ = [
    "_raw_probe",
    "_raw_selftest",
    "bind",
    "bind_handlers",
    "is_bound",
    "raw_layout",
    "reset_stats",
    "stats",
    "unbind",
]

def bind(module: ModuleType) -> None: ...
def bind_handlers(module: ModuleType) -> None: ...
def unbind() -> None: ...
def is_bound() -> bool: ...
def stats() -> _Stats: ...
def reset_stats() -> None: ...
def raw_layout() -> str: ...

# For the tests of both ways of reading interpreter structures.
def _raw_probe(operation: str, *args: object) -> object: ...
def _raw_selftest() -> dict[str, bool]: ...
