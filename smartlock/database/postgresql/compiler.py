"""How queries are put into words for PostgreSQL: as Django does, with a memory, and one new row in few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.backends.postgresql import compiler
from django.db.backends.postgresql.compiler import SQLAggregateCompiler, SQLDeleteCompiler, SQLUpdateCompiler

from smartlock.database.remembered import Memory, Remembering

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]
Fields = Sequence["models.Field[Any, Any]"]  # what they are; the stubs take them for names


class SQLCompiler(Remembering, compiler.SQLCompiler):
    memory = Memory()


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    """A row by itself, as ``save`` and ``create`` write it, is a prepared statement with the values beside it.

    Django writes the values into the text, which PostgreSQL reads and plans anew each time.
    """

    def execute_sql(self, returning_fields: Fields | None = None) -> Any:  # type: ignore[override]
        values = self._values_of_one_row(returning_fields or ())
        if values is None:
            return super().execute_sql(returning_fields)  # type: ignore[arg-type]
        columns = tuple([field.column for field in self.query.fields])
        returned = tuple([field.column for field in returning_fields or ()])
        with self.connection.prepared_cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(_statement(self.query.get_meta().db_table, columns, returned), values)
            return [cursor.fetchone()] if returned else []

    def _values_of_one_row(self, returning_fields: Fields) -> list[Any] | None:
        """None if it takes more than values: several rows, something that the database is to work out, or that is read
        back in another form."""
        query: Any = self.query
        if len(query.objs) != 1 or not query.fields or query.on_conflict is not None:
            return None
        if any(hasattr(field, "from_db_value") for field in returning_fields):
            return None
        values = []
        for field in query.fields:
            value = self.pre_save_val(field, query.objs[0])
            if _is_as_it_is(field, value):
                values.append(value)
            elif hasattr(value, "as_sql") or (hasattr(field, "get_placeholder") and not field.is_relation):
                return None
            else:
                values.append(self.prepare_value(field, value))
        return values


AS_IT_IS: dict[type, type] = {
    models.BooleanField: bool, models.CharField: str, models.DateField: date, models.DateTimeField: datetime,
    models.EmailField: str, models.TextField: str,
}  # fmt: skip


def _is_as_it_is(field: Any, value: Any) -> bool:
    """Whether the database takes the value as it stands: to ask each field costs more than the INSERT."""
    return type(value) is AS_IT_IS.get(type(field)) and not (type(value) is datetime and value.tzinfo is None)


@lru_cache(maxsize=512)
def _statement(table: str, columns: tuple[str, ...], returned: tuple[str, ...]) -> str:
    """Names of ours only; nothing of a sender's is part of the text."""
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    given = f" RETURNING {_listed(returned)}" if returned else ""
    return f'INSERT INTO "{table}" ({_listed(columns)}) VALUES ({places}){given}'  # noqa: S608


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
