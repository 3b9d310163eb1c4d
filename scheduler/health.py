"""How the queues are, in numbers. The HTTP view and the command print what this returns."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from scheduler import queues as rows
from scheduler import redis
from scheduler.dispatcher import HEARTBEAT
from scheduler.models import Heartbeat, Job

QUEUES = rows.NAMES
OVERDUE = timedelta(seconds=60)
SILENT = timedelta(seconds=60)
S = Job.State
MANY = 50_000  # jobs; from here on counting them takes longer than everything else a health check does
REMEMBERED_SECONDS = 30.0
_remembered: tuple[float, list[Any]] | None = None


def queue_health(*, now: datetime) -> dict[str, Any]:
    """The state of every queue: ``healthy``, ``degraded`` (some queue is not) or ``unhealthy`` (nothing can run).

    A queue is unhealthy when a job of it is overdue by a minute or lies on the dead-letter shelf, or when it is paused
    while due jobs wait in it: somebody wanted it so, but guests may stand before shut doors. Those count as paused, and
    are neither waiting nor overdue; ``problem`` says it in a sentence, and nobody's name.
    """
    connected = redis.is_up()
    beat = Heartbeat.objects.filter(name=HEARTBEAT).values_list("beat_at", flat=True).first()
    ticking = beat is not None and now - beat < SILENT
    paused = rows.paused_since()
    queues = [_queue(name, stats, paused.get(name)) for name, stats in stats(now).items()]
    healthy = sum(queue["healthy"] for queue in queues)
    all_well = connected and ticking and healthy == len(queues)
    return {
        "status": "healthy" if all_well else "degraded" if connected and ticking else "unhealthy",
        "timestamp": now.isoformat(),
        "redis": {"connected": connected},
        "dispatcher": {"ticking": ticking, "last_beat": beat.isoformat() if beat else None},
        "queues": queues,
        "summary": {"total": len(queues), "healthy": healthy, "unhealthy": len(queues) - healthy},
    }


def _queue(name: str, stats: dict[str, int], paused_at: datetime | None) -> dict[str, Any]:
    overdue = stats.pop("overdue")
    if paused_at is not None:
        stats["paused"], stats["waiting"], overdue = stats["waiting"], 0, 0
    problem = _pause(name, paused_at, stats["paused"]) if paused_at is not None and stats["paused"] else ""
    healthy = not overdue and not stats["failed"] and not problem
    return {
        "name": name, "healthy": healthy, "is_paused": paused_at is not None, "stats": stats, "overdue": overdue,
        "problem": problem,
    }  # fmt: skip


def _pause(name: str, since: datetime, due: int) -> str:
    wait = "1 due job waits" if due == 1 else f"{due} due jobs wait"
    return f"The queue {name} is paused since {since:%Y-%m-%d %H:%M} UTC, and {wait} in it."


def stats(now: datetime) -> dict[str, dict[str, int]]:
    """The jobs of each queue, counted by what they are doing.

    What waits for days to come and what is done may be many: when they are, their numbers are up to half a minute old.
    """
    empty = {"waiting": 0, "active": 0, "completed": 0, "failed": 0, "delayed": 0, "paused": 0, "overdue": 0}
    counts = {name: dict(empty) for name in QUEUES}
    due = Q(state=S.SCHEDULED, run_at__lte=now)
    pressing = Job.objects.filter(due | Q(state__in=[S.RUNNING, S.FAILED])).order_by().values("queue").annotate(
        waiting=Count("pk", filter=Q(state=S.SCHEDULED)),
        active=Count("pk", filter=Q(state=S.RUNNING)),
        failed=Count("pk", filter=Q(state=S.FAILED)),
        overdue=Count("pk", filter=Q(state=S.SCHEDULED, run_at__lte=now - OVERDUE)),
    )  # fmt: skip
    for row in [*pressing, *_patient(now)]:
        counts.setdefault(row["queue"], dict(empty)).update({name: row[name] for name in empty if name in row})
    return counts


def _patient(now: datetime) -> list[Any]:
    global _remembered
    if _remembered is not None and 0 <= time.monotonic() - _remembered[0] < REMEMBERED_SECONDS:
        return _remembered[1]
    later = Q(state=S.SCHEDULED, run_at__gt=now)
    jobs = Job.objects.filter(later | Q(state=S.SUCCEEDED)).order_by().values("queue")
    rows = list(
        jobs.annotate(
            delayed=Count("pk", filter=Q(state=S.SCHEDULED)), completed=Count("pk", filter=Q(state=S.SUCCEEDED))
        )
    )
    many = sum(row["delayed"] + row["completed"] for row in rows) >= MANY
    _remembered = (time.monotonic(), rows) if many else None
    return rows
