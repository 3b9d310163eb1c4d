"""How queries are put into words for SQLite: as Django does, with a memory."""

from __future__ import annotations

from django.db.models.sql import compiler
from django.db.models.sql.compiler import SQLAggregateCompiler, SQLDeleteCompiler, SQLInsertCompiler, SQLUpdateCompiler

from smartlock.database.remembered import Memory, Remembering

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]


class SQLCompiler(Remembering, compiler.SQLCompiler):
    memory = Memory()
