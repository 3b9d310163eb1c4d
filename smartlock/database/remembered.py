"""Spares Django what it works out anew for every query and what never changes: the columns of a model and their order.

To put them into words cost more processor time than the rest of a query with one row, the answer included. Both depend
on nothing but what the keys below say, as long as the query is a plain one; every other goes its usual way.
``tests/database`` compares what is asked with what Django itself would ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models.expressions import Col
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    Base = SQLCompiler
else:
    Base = object


class Memory:
    """What Django said the first time. It grows with the models and the ways in which the code asks for them."""

    def __init__(self) -> None:
        self.selects: dict[Any, Any] = {}
        self.orders: dict[Any, Any] = {}
        self.converters: dict[tuple[int, ...], Any] = {}
        self.lasting: set[int] = set()  # ids of columns that live as long as this: no other thing ever has the same
        self.words: dict[tuple[str, Any], str] = {}  # by table and column


class Remembering(Base):
    """To be put before a back end's ``SQLCompiler``; ``memory`` is that back end's."""

    memory: Memory

    def compile(self, node: Any) -> Any:
        """A column of a table that goes by its own name is always called the same."""
        if type(node) is not Col or node.alias not in self.query.table_map or self.query.external_aliases:
            return super().compile(node)
        key: tuple[str, Any] = node.alias, node.target.column
        if key not in self.memory.words:
            self.memory.words[key] = super().compile(node)[0]
        return self.memory.words[key], []

    def get_select(self, with_col_aliases: bool = False) -> Any:
        query = self.query
        if with_col_aliases or query.select_related or query.annotations or not _is_of_models(query):
            return super().get_select(with_col_aliases)
        names, is_deferred = query.deferred_loading
        key = query.model, query.base_table, frozenset(names), is_deferred
        if key not in self.memory.selects:
            select = super().get_select()
            self.memory.lasting.update(id(column) for column, _, _ in select[0])
            self.memory.selects[key] = select
        return self.memory.selects[key]

    def get_order_by(self) -> Any:
        query, orders = self.query, self.memory.orders
        if not _is_of_models(query) or not all(isinstance(field, str) for field in query.order_by):
            return super().get_order_by()
        if query.annotations and query.order_by:  # it may be in the order of one of them
            return super().get_order_by()
        key = query.model, query.base_table, query.order_by, query.default_ordering, query.standard_ordering
        if key in orders:
            order, self._meta_ordering = orders[key]
            return order
        order = super().get_order_by()
        columns = (by.get_source_expressions()[0] for by, _ in order)
        if all(getattr(column, "alias", None) == query.base_table for column in columns):  # else it joins others
            orders[key] = order, self._meta_ordering
        return order

    def get_converters(self, expressions: Any) -> Any:
        expressions = list(expressions)
        key = tuple(map(id, expressions))
        if key not in self.memory.converters:
            found = super().get_converters(expressions)
            if not self.memory.lasting.issuperset(key):
                return found
            self.memory.converters[key] = found
        return self.memory.converters[key]


def _is_of_models(query: Query) -> bool:
    """It asks for rows of a model, with no words of SQL from outside of it."""
    return bool(
        query.default_cols and query.selected is None and not query.extra and not query.extra_order_by
        and not query.combinator
    )  # fmt: skip
