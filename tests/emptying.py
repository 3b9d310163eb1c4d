"""How the tables are emptied after a test that commits: as Django's ``flush`` leaves them, for a tenth of its time.

``flush`` empties sixty tables and then lets every app put its types, permissions and groups back, which costs a quarter
of a second of processor time. Most tests write to a few tables and leave those rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import TransactionTestCase

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="session", autouse=True)
def quick_emptying() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", Emptying().empty)
        yield


class Emptying:
    """Instead of a method of the test case, which has nothing to say here: all tests have all apps."""

    def __init__(self) -> None:
        self.standing: Rows = {}  # what a flush leaves, by its tables

    def empty(self) -> None:
        if not self.standing or rows_of(self.standing) != self.standing:
            call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
            self.standing = rows_of(filled())
            return
        with transaction.atomic(), connection.cursor() as cursor:  # the constraints look at its end
            for table in filled() - self.standing.keys():
                cursor.execute(f'DELETE FROM "{table}"')


def filled() -> set[str]:
    """The tables of our models that have a row."""
    tables = connection.introspection.django_table_names(only_existing=False, include_views=False)
    looks = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks))
        return {name for (name,) in cursor.fetchall()}


def rows_of(tables: Iterable[str]) -> Rows:
    found: Rows = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            found[table] = cursor.fetchall()
    return found
