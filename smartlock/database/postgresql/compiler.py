"""How queries are put into words for PostgreSQL: as Django does, with a memory, and one new row in few words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.postgresql import compiler
from django.db.backends.postgresql.compiler import SQLAggregateCompiler, SQLDeleteCompiler, SQLUpdateCompiler
from django.db.models import Field

from smartlock.database.remembered import Memory, Remembering

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]
Fields = Sequence["Field[Any, Any]"]  # what they are; the stubs take them for names


class SQLCompiler(Remembering, compiler.SQLCompiler):
    memory = Memory()


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    """A row by itself, as ``save`` and ``create`` write it, is a prepared statement with the values beside it.

    Django writes the values into the text, which PostgreSQL reads and plans anew each time.
    """

    def execute_sql(self, returning_fields: Fields | None = None) -> Any:  # type: ignore[override]
        if not self._is_one_plain_row(returning_fields or ()):
            return super().execute_sql(returning_fields)  # type: ignore[arg-type]
        fields, (row,) = self.query.fields, self.query.objs
        values = [self.prepare_value(field, self.pre_save_val(field, row)) for field in fields]
        columns = tuple(field.column for field in fields)
        returned = tuple(field.column for field in returning_fields or ())
        with self.connection.prepared_cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(_statement(self.query.get_meta().db_table, columns, returned), values)
            return [cursor.fetchone()] if returned else []

    def _is_one_plain_row(self, returning_fields: Fields) -> bool:
        """Values only: nothing that the database is to work out, and nothing that is read back in another form."""
        query: Any = self.query
        return (
            len(query.objs) == 1 and bool(query.fields) and query.on_conflict is None
            and not any(hasattr(field, "get_placeholder") for field in query.fields if not field.is_relation)
            and not any(hasattr(getattr(query.objs[0], field.attname), "as_sql") for field in query.fields)
            and not any(hasattr(field, "from_db_value") for field in returning_fields)
        )  # fmt: skip


@lru_cache(maxsize=512)
def _statement(table: str, columns: tuple[str, ...], returned: tuple[str, ...]) -> str:
    """Names of ours only; nothing of a sender's is part of the text."""
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    given = f" RETURNING {_listed(returned)}" if returned else ""
    return f'INSERT INTO "{table}" ({_listed(columns)}) VALUES ({places}){given}'  # noqa: S608


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
