"""An INSERT whose statement PostgreSQL has prepared, with the values sent beside it.

Django writes the values into the statement's text, which is then read and planned anew each time; and psycopg looks
for the placeholders of a statement of more than fifty values at each execution. Both cost more than the INSERT itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

PREPARED_AFTER = 3  # executions; each number of rows is a statement of its own


def insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], then: str) -> list[tuple[Any, ...]]:
    """Write these rows in one statement that ends with ``then``; returns what that has RETURNING give."""
    values = [value for row in rows for value in row]
    with _cursor() as cursor:
        cursor.execute(_statement(connection.vendor, table, tuple(columns), len(rows), then), values)
        written: list[tuple[Any, ...]] = cursor.fetchall()
    return written


@lru_cache(maxsize=512)
def _statement(vendor: str, table: str, columns: tuple[str, ...], rows: int, then: str) -> str:
    """Nothing of a sender's is part of the text."""
    count = len(columns)
    places = [f"${number}" if vendor == "postgresql" else "%s" for number in range(1, rows * count + 1)]
    listed = (", ".join(places[start : start + count]) for start in range(0, len(places), count))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({'), ('.join(listed)}) {then}"  # noqa: S608


def _cursor() -> CursorWrapper:
    """On PostgreSQL one that takes the statement as it is, with $1 for a place."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    from psycopg import RawCursor  # SQLite does without psycopg

    connection.ensure_connection()
    connection.connection.prepare_threshold = PREPARED_AFTER  # Django switches it off
    wrapped: CursorWrapper = connection._prepare_cursor(RawCursor(connection.connection))  # type: ignore[attr-defined]
    return wrapped
