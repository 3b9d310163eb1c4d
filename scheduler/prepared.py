"""An INSERT of several rows whose statement PostgreSQL has prepared, with the values sent beside it.

Django writes the values into the statement's text, which is then read and planned anew each time; and psycopg looks
for the placeholders of a statement of more than fifty values at each execution. Both cost more than the INSERT itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection


def insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], then: str) -> list[tuple[Any, ...]]:
    """Write these rows in one statement that ends with ``then``; returns what that has RETURNING give."""
    values = [value for row in rows for value in row]
    with connection.prepared_cursor() as cursor:  # type: ignore[attr-defined]  # our back ends have it
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
