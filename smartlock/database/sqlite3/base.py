"""SQLite as Django speaks to it."""

from __future__ import annotations

from django.db.backends.sqlite3 import base, operations
from django.db.backends.utils import CursorWrapper


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "smartlock.database.sqlite3.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def prepared_cursor(self) -> CursorWrapper:
        """SQLite remembers every statement it has prepared."""
        return self.cursor()
