"""The standard library as the oracle: one scenario, run on `logging` unbound and natively bound, must tell the same story.

`same_as_stdlib` turns a scenario into a test, `World` is what a scenario works with, `compare` and `in_process` serve generated
scenarios, `programs` runs whole programs in clean interpreters. There is one `logging` per process, so "native" is `femtolog.install()`
on the very classes that "stdlib" used a moment before.

`ORACLE_SIDES=stdlib` compares the standard library with itself: every scenario must be deterministic there. `ORACLE_FORK=0` keeps a
scenario in the test's own process, for a debugger.
"""

from oracle.harness import assert_same, compare, same_as_stdlib
from oracle.programs import same_program
from oracle.world import World

__all__ = ["World", "assert_same", "compare", "same_as_stdlib", "same_program"]
