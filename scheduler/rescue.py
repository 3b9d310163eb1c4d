"""Returns the jobs of workers that died: leases that ran out are the only evidence that is needed."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

import structlog
from django.db import transaction

from scheduler import kinds
from scheduler.guard import Guard
from scheduler.models import Job, JobAttempt
from scheduler.near import announce_near, published_if_near
from scheduler.retry import DEFAULT, RetryPolicy, after_loss
from scheduler.signals import job_failed, job_slowed
from scheduler.transitions import move

log = structlog.get_logger(__name__)
LOST = "The worker died or fell silent while it held this job."


def rescue(*, now: datetime) -> int:
    """Put every job back whose lease ran out. The lost try counts: a job that kills its workers ends on the shelf.

    Or, where it may never be given up, is tried seldom, so that others get their work done. A person is told of both.
    """
    lost = list(Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now).order_by("lease_until")[:500])
    for job in lost:
        if job.exclusive:
            Guard(job.subject, job.pk).bury()
    return sum(_rescue_one(job, now) for job in lost)


@transaction.atomic
def _rescue_one(job: Job, now: datetime) -> int:
    mine = Job.objects.filter(pk=job.pk, version=job.version)
    policy, losses = _policy(job), _losses(job)
    again = after_loss(policy, attempt=job.attempt, losses=losses, now=now)
    if again is None:
        moved = move(mine, "fail", now=now, last_error=LOST)
        if moved:
            job_failed.send(Job, job=job, error=LOST)
    else:
        published_at = published_if_near(again, now)
        moved = move(mine, "put_back", now=now, run_at=again, published_at=published_at, last_error=LOST)
        if published_at is not None:
            announce_near(now, [job.pk])
        if moved and losses == policy.max_losses:
            job_slowed.send(Job, job=job, error=LOST)
    if moved:
        started = JobAttempt.objects.filter(job=job, outcome=JobAttempt.Outcome.STARTED)
        started.update(outcome=JobAttempt.Outcome.LOST, finished_at=now, error_class="Lost", error=LOST)
        log.warning("job.rescued", job=job.pk, kind=job.kind, worker=job.worker, attempt=job.attempt, losses=losses)
    return moved


def _policy(job: Job) -> RetryPolicy:
    """That of its kind; a row whose kind is declared nowhere any more has none."""
    try:
        return kinds.get(job.kind).retry
    except kinds.UnknownKind:
        return DEFAULT


def _losses(job: Job) -> int:
    """How many of the last tries in a row were lost, the one under way included; none from before a person's retry."""
    before = JobAttempt.objects.filter(job=job).exclude(outcome=JobAttempt.Outcome.STARTED).order_by("-pk")
    outcomes = before.values_list("outcome", flat=True)[: max(job.attempt - 1, 0)]
    return 1 + sum(1 for _ in takewhile(JobAttempt.Outcome.LOST.__eq__, outcomes))
