"""Spares the simulator what Django works out anew for every query and what never changes: the columns of a model.

A story asks some hundred times for whole rows of a few models. Putting their columns and their order into words takes
Django longer than SQLite needs for the answer. Both depend on nothing but what the keys below say, as long as the
query is a plain one; every other goes its usual way. ``test_remembered.py`` compares what is asked with and without.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

get_select, get_order_by, get_converters = (
    SQLCompiler.get_select, SQLCompiler.get_order_by, SQLCompiler.get_converters,
)  # fmt: skip


@contextmanager
def columns() -> Iterator[None]:
    """Inside, a compiler knows the columns, the order and the converters of models it has met before."""
    known = _Known()
    with mock.patch.multiple(
        SQLCompiler,
        get_select=lambda compiler, with_col_aliases=False: known.select(compiler, with_col_aliases),
        get_order_by=lambda compiler: known.order(compiler),
        get_converters=lambda compiler, expressions: known.converted(compiler, expressions),
    ):
        yield


class _Known:
    """What Django said the first time."""

    def __init__(self) -> None:
        self.selects: dict[Any, Any] = {}
        self.orders: dict[Any, Any] = {}
        self.converters: dict[tuple[int, ...], Any] = {}
        self.lasting: set[int] = set()  # ids of columns that live as long as this: no other thing ever has the same

    def select(self, compiler: SQLCompiler, with_col_aliases: bool) -> Any:
        query = compiler.query
        if with_col_aliases or query.select_related or not _is_of_models(query):
            return get_select(compiler, with_col_aliases)
        key = query.model, query.base_table
        if key not in self.selects:
            self.selects[key] = get_select(compiler)
            self.lasting.update(id(column) for column, _, _ in self.selects[key][0])
        return self.selects[key]

    def order(self, compiler: SQLCompiler) -> Any:
        query = compiler.query
        if not _is_of_models(query) or not all(isinstance(field, str) for field in query.order_by):
            return get_order_by(compiler)
        key = query.model, query.base_table, query.order_by, query.default_ordering, query.standard_ordering
        if key in self.orders:
            return self.orders[key]
        order = get_order_by(compiler)
        columns = (by.get_source_expressions()[0] for by, _ in order)
        if all(getattr(column, "alias", None) == query.base_table for column in columns):  # else it joins others
            self.orders[key] = order
        return order

    def converted(self, compiler: SQLCompiler, expressions: Any) -> Any:
        key = tuple(map(id, expressions))
        if key not in self.converters:
            found = get_converters(compiler, expressions)
            if not self.lasting.issuperset(key):
                return found
            self.converters[key] = found
        return self.converters[key]


def _is_of_models(query: Query) -> bool:
    """It asks for whole rows, and for nothing that is worked out from them."""
    return (
        query.default_cols and query.selected is None and not query.annotations and not query.extra
        and not query.extra_order_by and not query.combinator and query.deferred_loading == (frozenset(), True)
    )  # fmt: skip
