"""A queue that somebody paused and forgot: a person is told once, and once more when it goes on.

Whoever pauses a queue means it, and knows. But when due work has waited in it for a while, guests may stand before
shut doors, and nobody else knows why.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from scheduler.models import Job, Queue
from scheduler.signals import queue_forgotten

PATIENCE = timedelta(minutes=10)


def is_forgotten(paused_at: datetime, oldest_due: datetime | None, now: datetime) -> bool:
    """Whether the work that is due has waited for long because of the pause. Pure."""
    return oldest_due is not None and now - max(paused_at, oldest_due) >= PATIENCE


def check(*, now: datetime) -> int:
    """Tell of each paused queue in which due work has waited for long, once a pause. Returns how many were told."""
    paused = Queue.objects.filter(paused_at__isnull=False, told_at__isnull=True)
    return sum(_check_one(queue, now) for queue in paused)


@transaction.atomic
def _check_one(queue: Queue, now: datetime) -> bool:
    due = Job.objects.filter(state=Job.State.SCHEDULED, queue=queue.name, run_at__lte=now)
    oldest = due.order_by("run_at").values_list("run_at", flat=True).first()
    if queue.paused_at is None or not is_forgotten(queue.paused_at, oldest, now):
        return False
    # Still the same pause, and no other tick was quicker.
    same = Queue.objects.filter(pk=queue.pk, paused_at=queue.paused_at, told_at__isnull=True)
    if not same.update(told_at=now):
        return False
    queue_forgotten.send(Queue, queue=queue, waiting=due.count())
    return True
