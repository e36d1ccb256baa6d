"""Owns the names `logging`, `logging.config` and `logging.handlers`: puts femtolog's native tier under them, and takes it off.

There is one logging per process: nothing here makes a second module, class or table. What is imported as `logging` stays the
interpreter's own code, and every object in it stays the same object; only who executes its methods changes.
"""

from femtolog_compat._install import install, installed, is_installed, uninstall

__all__ = ["install", "installed", "is_installed", "uninstall"]
