"""What a worker does with a message: claim, commit, act, record. No transaction is open while the task acts.

Claiming is a compare-and-set on ``(id, version, scheduled)``: a message that comes twice, late, or for a job that
was cancelled or moved finds no row and does nothing.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F

from scheduler import clock, guard, leases, services
from scheduler.errors import JobError, Superseded, Wait
from scheduler.kinds import Kind, Pairs
from scheduler.models import Job, JobAttempt
from scheduler.retry import next_try
from scheduler.signals import job_ended, job_failed
from scheduler.transitions import move

log = structlog.get_logger(__name__)
BUSY_SECONDS = 1.0  # another job of the same subject is at work: look again after this
EARLY_SECONDS = 2.0  # a message may come this much early (clocks differ): wait for the moment, never start before it
Outcome = JobAttempt.Outcome


@dataclass(frozen=True)
class Run:
    """What a task is given: the claimed job as plain values, and the question whether it still holds it."""

    job_id: int
    version: int
    kind: str
    subject: str
    payload: dict[str, Any]
    attempt: int
    due_at: datetime

    def check(self) -> None:
        """Ask before every effect. Raises Superseded when the job was cancelled or given to another meanwhile."""
        if not Job.objects.filter(pk=self.job_id, version=self.version, state=Job.State.RUNNING).exists():
            raise Superseded(f"job {self.job_id} was called off while it ran")


def run_all(kind: Kind, pairs: Pairs, *, worker: str) -> list[dict[str, object]]:
    """Run each job of a message; the answer is what the result backend keeps: ids and outcomes only."""
    return [{"job": job_id, "outcome": run_one(kind, job_id, version, worker=worker)} for job_id, version in pairs]


def run_one(kind: Kind, job_id: int, version: int, *, worker: str) -> str:
    """Run one job if it is still the one the message meant. Returns its outcome as a word."""
    job = Job.objects.filter(pk=job_id, version=version, state=Job.State.SCHEDULED).first()
    if job is None:
        return "stale"
    early = (job.run_at - clock.now()).total_seconds()
    if early > EARLY_SECONDS:
        Job.objects.filter(pk=job_id, version=version).update(published_at=None)
        return "early"
    if early > 0:
        time.sleep(early)
    if not job.exclusive:
        return _claim_and_run(kind, job, None, worker)
    try:
        with guard.hold(job.subject, job.pk) as held:
            return _claim_and_run(kind, job, held, worker)
    except guard.Busy:
        return _look_again(job)


def _claim_and_run(kind: Kind, job: Job, held: guard.Guard | None, worker: str) -> str:
    now = clock.now()
    if job.expires_at is not None and job.expires_at <= now:
        return _expire(job, now)
    try:
        attempt = claim(kind, job, now=now, worker=worker)
    except IntegrityError:  # the fence: an exclusive job of this subject is running
        return _look_again(job)
    if attempt is None:
        return "stale"
    run = Run(job.pk, job.version + 1, job.kind, job.subject, job.payload, attempt.number, job.due_at)
    with leases.kept(job.pk, run.version, kind.lease, held):
        outcome = _act(kind, job, run, attempt)
    log.info(
        "job.ran", job=job.pk, kind=job.kind, subject=job.subject, attempt=attempt.number, outcome=outcome,
        lateness_ms=attempt.lateness_ms, duration_ms=attempt.duration_ms,
    )  # fmt: skip
    return str(outcome)


@transaction.atomic
def claim(kind: Kind, job: Job, *, now: datetime, worker: str) -> JobAttempt | None:
    """Take the job under a lease and note the attempt, in one commit. None when another was faster."""
    mine = Job.objects.filter(pk=job.pk, version=job.version)
    taken = move(
        mine, "claim", now=now, attempt=F("attempt") + 1, worker=worker[:100],
        lease_until=now + timedelta(seconds=kind.lease),
    )  # fmt: skip
    if not taken:
        return None
    lateness = round((now - job.run_at).total_seconds() * 1000)
    return JobAttempt.objects.create(
        job=job, number=job.attempt + 1, started_at=now, worker=worker[:100], lateness_ms=lateness
    )


def _act(kind: Kind, job: Job, run: Run, attempt: JobAttempt) -> str:
    try:
        kind.function(run)
    except Superseded:
        return _end(job, attempt, Outcome.CANCELLED)
    except Exception as error:
        return record_error(kind, job, run, attempt, error, now=clock.now())
    return record_success(job, run, attempt, now=clock.now())


@transaction.atomic
def record_success(job: Job, run: Run, attempt: JobAttempt, *, now: datetime) -> str:
    mine = Job.objects.filter(pk=run.job_id, version=run.version)
    done = move(mine, "succeed", now=now, last_error="")
    return _end(job, attempt, Outcome.SUCCEEDED if done else Outcome.CANCELLED)


@transaction.atomic
def record_error(kind: Kind, job: Job, run: Run, attempt: JobAttempt, error: Exception, *, now: datetime) -> str:
    """Put the job back for its next try, or on the dead-letter shelf when there is none."""
    mine = Job.objects.filter(pk=run.job_id, version=run.version)
    waits = job.attempts.filter(outcome=Outcome.WAITING).count() + 1
    again = next_try(kind.retry, error, attempt=run.attempt, waits=waits, now=now)
    attempt.error_class = type(error).__name__
    attempt.error = str(error)
    if not isinstance(error, JobError):
        attempt.traceback = traceback.format_exc()
        log.error("job.fault", job=job.pk, kind=job.kind, error=attempt.error_class, exc_info=True)
    if again is None:
        if move(mine, "fail", now=now, last_error=attempt.error):
            job_failed.send(Job, job=job, error=attempt.error)
        return _end(job, attempt, Outcome.FAILED)
    waited = isinstance(error, Wait)
    if not _put_back(job, run.version, again, now, attempt=run.attempt - waited, last_error=attempt.error):
        return _end(job, attempt, Outcome.CANCELLED)
    return _close(attempt, Outcome.WAITING if waited else Outcome.RETRY)


def _put_back(job: Job, version: int, run_at: datetime, now: datetime, **changes: object) -> int:
    mine = Job.objects.filter(pk=job.pk, version=version)
    published_at = services.published_if_near(run_at, now)
    moved = move(mine, "put_back", now=now, run_at=run_at, published_at=published_at, **changes)
    services.announce_near(now, [job.pk])
    return moved


def _look_again(job: Job) -> str:
    """The subject is busy: come back in a moment. No attempt was made."""
    now = clock.now()
    with transaction.atomic():
        _put_back(job, job.version, now + timedelta(seconds=BUSY_SECONDS), now)
    return "busy"


def _expire(job: Job, now: datetime) -> str:
    error = f"Too late: it had no purpose after {job.expires_at:%Y-%m-%d %H:%M} UTC. {job.last_error}".strip()
    with transaction.atomic():
        mine = Job.objects.filter(pk=job.pk, version=job.version)
        if move(mine, "fail", now=now, last_error=error):
            job_failed.send(Job, job=job, error=error)
    return "expired"


@transaction.atomic
def _end(job: Job, attempt: JobAttempt, outcome: JobAttempt.Outcome) -> str:
    """The job is over or was called off: say so to the rooms above, in the same commit."""
    closed = _close(attempt, outcome)
    job_ended.send(Job, job=job)
    return closed


def _close(attempt: JobAttempt, outcome: JobAttempt.Outcome) -> str:
    attempt.outcome = outcome
    attempt.finished_at = max(clock.now(), attempt.started_at)
    attempt.save()
    return str(outcome)
