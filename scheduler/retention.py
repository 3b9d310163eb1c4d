"""How long jobs that are over are kept: per queue the youngest so many, none older than so many days."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from scheduler import totals
from scheduler.models import Job, Queue

PORTION = 1000  # so many jobs are deleted at a time


def prune(*, now: datetime) -> int:
    """Delete what each queue need not keep: done jobs that are too old or too many, and failed ones beyond their limit.

    A failed job of a queue without such a limit stays until somebody retries or clears it.
    """
    queues = list(Queue.objects.all())
    known = [queue.name for queue in queues]
    pruned = sum(_prune(Job.objects.filter(queue=queue.name), queue, now) for queue in queues)
    return pruned + _prune(Job.objects.exclude(queue__in=known), Queue(), now)


def _prune(jobs: QuerySet[Job], queue: Queue, now: datetime) -> int:
    done = jobs.filter(state__in=[Job.State.SUCCEEDED, Job.State.CANCELLED])
    failed = jobs.filter(state=Job.State.FAILED)
    pruned = _delete_all(done.filter(finished_at__lt=now - timedelta(days=queue.keep_done_days)))
    pruned += _delete_all(_beyond(done, queue.keep_done))
    return pruned + (0 if queue.keep_failed is None else _delete_all(_beyond(failed, queue.keep_failed)))


def _beyond(jobs: QuerySet[Job], keep: int) -> QuerySet[Job]:
    """All of ``jobs`` but the ``keep`` that ended last."""
    first = jobs.order_by("-finished_at", "-pk").values_list("finished_at", "pk")[keep : keep + 1]
    for ended, pk in first:
        return jobs.filter(Q(finished_at__lt=ended) | Q(finished_at=ended, pk__lte=pk))
    return jobs.none()


def _delete_all(jobs: QuerySet[Job]) -> int:
    """In portions, each in a transaction of its own, so that nobody waits long for the tables."""
    deleted = 0
    while portion := list(jobs.order_by("pk").values_list("pk", flat=True)[:PORTION]):
        gone = totals.forget(jobs.filter(pk__in=portion))
        deleted += gone
        if not gone:  # somebody was faster
            break
    return deleted
