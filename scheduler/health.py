"""How the queues are, in numbers. The HTTP view and the command print what this returns."""

from __future__ import annotations

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


def queue_health(*, now: datetime) -> dict[str, Any]:
    """The state of every queue: ``healthy``, ``degraded`` (some queue is not) or ``unhealthy`` (nothing can run).

    A queue is unhealthy when a job of it is overdue by a minute or lies on the dead-letter shelf. What waits in a
    paused queue counts as paused, and is neither waiting nor overdue: somebody wanted it so.
    """
    connected = redis.is_up()
    beat = Heartbeat.objects.filter(name=HEARTBEAT).values_list("beat_at", flat=True).first()
    ticking = beat is not None and now - beat < SILENT
    paused = rows.paused(fresh=True)
    queues = [_queue(name, stats, name in paused) for name, stats in stats(now).items()]
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


def _queue(name: str, stats: dict[str, int], paused: bool) -> dict[str, Any]:
    overdue = stats.pop("overdue")
    if paused:
        stats["paused"], stats["waiting"], overdue = stats["waiting"], 0, 0
    healthy = not overdue and not stats["failed"]
    return {"name": name, "healthy": healthy, "is_paused": paused, "stats": stats, "overdue": overdue}


def stats(now: datetime) -> dict[str, dict[str, int]]:
    """The jobs of each queue, counted by what they are doing."""
    empty = {"waiting": 0, "active": 0, "completed": 0, "failed": 0, "delayed": 0, "paused": 0, "overdue": 0}
    counts = {name: dict(empty) for name in QUEUES}
    rows = Job.objects.order_by().values("queue").annotate(
        waiting=Count("pk", filter=Q(state=S.SCHEDULED, run_at__lte=now)),
        active=Count("pk", filter=Q(state=S.RUNNING)),
        completed=Count("pk", filter=Q(state=S.SUCCEEDED)),
        failed=Count("pk", filter=Q(state=S.FAILED)),
        delayed=Count("pk", filter=Q(state=S.SCHEDULED, run_at__gt=now)),
        overdue=Count("pk", filter=Q(state=S.SCHEDULED, run_at__lt=now - OVERDUE)),
    )  # fmt: skip
    for row in rows:
        counts[row["queue"]] = {name: row.get(name, 0) for name in empty}  # type: ignore[misc]
    return counts
