"""Returns the jobs of workers that died: leases that ran out are the only evidence that is needed."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from scheduler import services
from scheduler.guard import Guard
from scheduler.models import Job, JobAttempt
from scheduler.signals import job_failed
from scheduler.transitions import move

log = structlog.get_logger(__name__)
LOST = "The worker died or fell silent while it held this job."


def rescue(*, now: datetime) -> int:
    """Put every job back whose lease ran out. The lost try counts: a job that kills its workers ends on the shelf."""
    lost = list(Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now).order_by("lease_until")[:500])
    for job in lost:
        if job.exclusive:
            Guard(job.subject, job.pk).bury()
    return sum(_rescue_one(job, now) for job in lost)


@transaction.atomic
def _rescue_one(job: Job, now: datetime) -> int:
    mine = Job.objects.filter(pk=job.pk, version=job.version)
    if job.attempt >= job.max_attempts:
        moved = move(mine, "fail", now=now, last_error=LOST)
        if moved:
            job_failed.send(Job, job=job, error=LOST)
    else:
        moved = move(mine, "put_back", now=now, run_at=now, published_at=now, last_error=LOST)
        services.announce_near(now, [job.pk])
    if moved:
        started = JobAttempt.objects.filter(job=job, outcome=JobAttempt.Outcome.STARTED)
        started.update(outcome=JobAttempt.Outcome.LOST, finished_at=now, error_class="Lost", error=LOST)
        log.warning("job.rescued", job=job.pk, kind=job.kind, worker=job.worker, attempt=job.attempt)
    return moved
