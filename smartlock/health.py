"""How the system is, for probes and monitors. Public, so it says which part is ill and never why in detail.

Every check is bounded in time: a Redis that hangs costs the two seconds of its socket's time-out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from scheduler import redis
from scheduler.health import queue_health

Checks = dict[str, bool]
_migrated = False


def readiness() -> Checks:
    """Whether this process can serve: each part by its name. What needs the database is not asked without it."""
    database = _holds(database_answers)
    return {
        "database": database,
        "migrations": database and _holds(migrations_are_applied),
        "redis": redis.is_up(),
    }


def database_answers() -> bool:
    """Whether it can be written to: a replica that waits for its promotion answers, and takes nothing."""
    writable = "SELECT current_setting('transaction_read_only') = 'off'"
    with connection.cursor() as cursor:
        cursor.execute(writable if connection.vendor == "postgresql" else "SELECT 1")
        return bool(cursor.fetchone() in ((True,), (1,)))


def migrations_are_applied() -> bool:
    """Once true it stays true for this process: newer code comes with a new process."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def queues(*, now: datetime) -> dict[str, Any]:
    """``scheduler.health.queue_health``, and an answer of the same shape when the database cannot be asked."""
    try:
        return queue_health(now=now)
    except DatabaseError:
        return {
            "status": "unhealthy",
            "timestamp": now.isoformat(),
            "redis": {"connected": redis.is_up()},
            "dispatcher": {"ticking": False, "last_beat": None},
            "queues": [],
            "summary": {"total": 0, "healthy": 0, "unhealthy": 0},
        }


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except DatabaseError:
        return False
