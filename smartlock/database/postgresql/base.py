"""PostgreSQL as Django speaks to it, and with prepared statements for those who want one."""

from __future__ import annotations

from django.db.backends.postgresql import base, operations
from django.db.backends.utils import CursorWrapper
from psycopg import RawCursor

PREPARED_AFTER = 3  # executions of the same statement on one connection


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "smartlock.database.postgresql.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def prepared_cursor(self) -> CursorWrapper:
        """A cursor that takes a statement as it is, with $1 for a place, and has it prepared when it comes again.

        For INSERTs: how those are carried out does not depend on their values, while a plan for whatever value may
        come leaves out every partial index.
        """
        self.ensure_connection()
        self.connection.prepare_threshold = PREPARED_AFTER  # Django switches it off
        wrapped: CursorWrapper = self._prepare_cursor(RawCursor(self.connection))  # type: ignore[attr-defined]
        return wrapped
