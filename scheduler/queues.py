"""The queues: what they are called, how each is worked off, and how an operator pauses one.

Workers ask on every message, so the answers are remembered for a second in each process. A transaction always asks
anew: what it reads may be its own change, or be rolled back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from scheduler.models import Job, Queue
from scheduler.signals import queue_resumed
from smartlock.audit.services import record

# Concurrency is per worker process. Doors wait on the network, so many may be worked at a time.
DEFAULTS: dict[str, dict[str, Any]] = {
    "pins": {"concurrency": 16},
    "messages": {"concurrency": 5, "rate": 10.0, "burst": 10},
    "sync": {"concurrency": 2},
    "default": {"concurrency": 8},
}
NAMES = tuple(DEFAULTS)
REMEMBERED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How one queue is worked off at the moment. ``rate`` is in starts per second over all workers, None = no limit."""

    name: str
    concurrency: int
    rate: float | None
    burst: int
    paused: bool


class UnknownQueue(LookupError):
    """There is no queue of that name."""


_remembered: tuple[float, dict[str, Settings]] | None = None


def ensure_queues(**_: Any) -> None:
    """After a migration: add the queues that are missing. What an operator changed stays as it is."""
    for name, values in DEFAULTS.items():
        Queue.objects.get_or_create(name=name, defaults=values)


def settings(name: str) -> Settings:
    """How ``name`` is worked off, at most a second old. A queue without a row works with the usual values."""
    return _all().get(name) or _settings(Queue(name=name, **DEFAULTS.get(name, {})))


def paused() -> set[str]:
    """The names of the queues that start nothing at the moment."""
    return {queue.name for queue in _all().values() if queue.paused}


def paused_since() -> dict[str, datetime]:
    """The queues that start nothing, each with the moment it was paused; always asked anew."""
    return {name: at for name, at in Queue.objects.values_list("name", "paused_at") if at is not None}


def find(name: str) -> Queue:
    """The queue's row as it is now. Raises UnknownQueue, which names those there are."""
    return _row(name).get()


def forget() -> None:
    """Let this process ask the database next time."""
    global _remembered
    _remembered = None


@transaction.atomic
def pause(name: str, *, now: datetime, actor: str) -> bool:
    """Start nothing of this queue until it is resumed; what runs already is finished. False when it was paused before.

    Raises UnknownQueue. Every worker knows within a second.
    """
    changed = _row(name).filter(paused_at__isnull=True).update(paused_at=now, paused_by=actor[:150])
    return _changed(changed, "queue.paused", name, actor)


@transaction.atomic
def resume(name: str, *, now: datetime, actor: str) -> bool:
    """Go on with this queue. False when it was not paused. Raises UnknownQueue.

    The messages of what came due meanwhile were dropped, so the dispatcher sends them all at its next tick.
    """
    was = _row(name).filter(paused_at__isnull=False).select_for_update(no_key=True).first()
    if was is not None:
        _row(name).update(paused_at=None, paused_by="", told_at=None)
        due = Job.objects.filter(state=Job.State.SCHEDULED, queue=name, run_at__lte=now)
        due.filter(published_at__isnull=False).update(published_at=None)
        if was.told_at is not None:
            queue_resumed.send(Queue, queue=was, waiting=due.count())
    return _changed(was is not None, "queue.resumed", name, actor)


@transaction.atomic
def change(name: str, *, actor: str, **values: Any) -> bool:
    """Give a queue another concurrency, rate, burst or retention. Raises UnknownQueue."""
    return _changed(_row(name).update(**values), "queue.changed", name, actor, **values)


def _row(name: str) -> QuerySet[Queue]:
    row = Queue.objects.filter(name=name)
    if not row.exists():
        known = ", ".join(Queue.objects.order_by("name").values_list("name", flat=True)) or "none"
        raise UnknownQueue(f"No queue is called {name!r}; known: {known}.")
    return row


def _changed(rows: int, action: str, name: str, actor: str, **details: Any) -> bool:
    if rows:
        record(action, f"queue:{name}", actor=actor, **details)
        forget()
        transaction.on_commit(forget)  # another thread may have remembered the old values until now
    return bool(rows)


def _all() -> dict[str, Settings]:
    global _remembered
    if connection.in_atomic_block:
        return _read()
    now, known = time.monotonic(), _remembered
    if known is None or not 0 <= now - known[0] < REMEMBERED_SECONDS:
        known = _remembered = (now, _read())
    return known[1]


def _read() -> dict[str, Settings]:
    return {row.name: _settings(row) for row in Queue.objects.all()}


def _settings(row: Queue) -> Settings:
    return Settings(row.name, row.concurrency, row.rate, row.burst, row.is_paused)
