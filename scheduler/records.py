"""Writes down how jobs ended: done, to be tried again, put back, on the dead-letter shelf, skipped."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from scheduler import clock, rows
from scheduler.claims import Attempt, Claim, Run, lateness_ms
from scheduler.due import Due
from scheduler.errors import JobError, Superseded, Wait
from scheduler.kinds import Kind
from scheduler.models import Job, JobAttempt
from scheduler.near import announce_near, published_if_near
from scheduler.retry import next_try
from scheduler.signals import job_failed, jobs_ended
from scheduler.transitions import move, move_sql

log = structlog.get_logger(__name__)
T = TypeVar("T")
PAUSES = (0.05, 0.5, 2.0, 5.0)  # seconds between tries to write down how a job ended
CROWD = 10  # so many successes at once are logged in one line
BUSY_SECONDS = 1.0  # another job of the same subject is at work: look again after this
Outcome = JobAttempt.Outcome
CLOSE = """
UPDATE scheduler_jobattempt SET outcome = 'succeeded', started_at = %s, finished_at = %s, lateness_ms = %s WHERE id = %s
"""
CLOSE_MANY = """
UPDATE scheduler_jobattempt attempt SET outcome = 'succeeded', started_at = ended.started_at,
  finished_at = ended.finished_at, lateness_ms = ended.lateness_ms
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[])
  AS ended (id, started_at, finished_at, lateness_ms)
WHERE attempt.id = ended.id AND attempt.id = ANY (%s::bigint[])
"""
__all__ = ["Ended", "Run", "expire", "look_again", "record", "skip"]


@dataclass(frozen=True)
class Ended:
    """A claimed job whose task has returned or raised."""

    claim: Claim
    started_at: datetime
    finished_at: datetime
    error: Exception | None


def record(kind: Kind, ended: Sequence[Ended]) -> dict[int, str]:
    """Write down how these ended; returns their outcomes by job id. Successes go in one statement."""
    for end in ended:
        _time(end)
    outcomes = _record_successes([end for end in ended if end.error is None])
    for end in ended:
        if end.error is not None:
            outcomes[end.claim.job.pk] = _surely(partial(_record_error, kind, end, end.error))
    _log(kind, ended, outcomes)
    return outcomes


def look_again(job: Due, *, now: datetime, after: float = BUSY_SECONDS, word: str = "busy") -> str:
    """Come back in a moment: the subject is busy, or the queue starts no more jobs now. No attempt was made."""
    with transaction.atomic():
        _put_back(job, job.version, now + timedelta(seconds=after), now)
    return word


def expire(job: Due, *, now: datetime) -> str:
    """Past the time after which it has no purpose: on the shelf, where a person sees it."""
    error = f"Too late: it had no purpose after {job.expires_at:%Y-%m-%d %H:%M} UTC. {job.last_error}".strip()
    with transaction.atomic():
        mine = Job.objects.filter(pk=job.pk, version=job.version)
        if move(mine, "fail", now=now, last_error=error):
            job_failed.send(Job, job=Job.objects.get(pk=job.pk), error=error)
    return "expired"


def skip(job: Due, *, now: datetime) -> str:
    """Later than its kind allows: called off, as its misfire rule says."""
    mine = Job.objects.filter(pk=job.pk, version=job.version)
    move(mine, "cancel", now=now, last_error=f"Skipped: it was due at {job.run_at:%Y-%m-%d %H:%M:%S} UTC.")
    return "skipped"


def _record_successes(ended: list[Ended]) -> dict[int, str]:
    """In one go; who was called off meanwhile is missing from what the database answers, and is let go."""
    if not ended:
        return {}
    done = _surely(partial(_succeed, ended))
    for end in ended:
        if end.claim.job.pk not in done:
            done[end.claim.job.pk] = _surely(partial(_let_go, end))
    return done


@transaction.atomic
def _succeed(ended: list[Ended]) -> dict[int, str]:
    """The outcomes of those that were still ours."""
    now = max(end.finished_at for end in ended)
    move, values = move_sql(
        "succeed", [(end.claim.job.pk, end.claim.run.version) for end in ended], now=now, last_error=""
    )
    with connection.cursor() as cursor:
        cursor.execute(move, values)
        ours = {row[0] for row in cursor.fetchall()}
        done = [end for end in ended if end.claim.job.pk in ours]
        _close_succeeded(cursor, [end.claim.attempt for end in done])
    if done:
        jobs_ended.send(Job, jobs=[end.claim.job for end in done])
    return dict.fromkeys(ours, str(Outcome.SUCCEEDED))


def _close_succeeded(cursor: CursorWrapper, attempts: list[Attempt]) -> None:
    """Each with its own times. In SQL, because ``bulk_update`` builds an expression per row and field."""
    if connection.vendor == "postgresql" and len(attempts) > 1:
        columns = zip(*((a.pk, a.started_at, a.finished_at, a.lateness_ms) for a in attempts), strict=True)
        ids, *times = map(rows.array, columns)
        cursor.execute(CLOSE_MANY, [ids, *times, ids])
    else:
        cursor.executemany(CLOSE, [rows.adapted((a.started_at, a.finished_at, a.lateness_ms, a.pk)) for a in attempts])


def _let_go(end: Ended) -> str:
    """It was called off or handed on meanwhile, unless a commit of ours went through although the answer was lost."""
    if JobAttempt.objects.filter(pk=end.claim.attempt.pk, outcome=Outcome.SUCCEEDED).exists():
        return str(Outcome.SUCCEEDED)
    return _close(end, Outcome.CANCELLED, over=True)


def _surely(write: Callable[[], T]) -> T:
    """What has been done must be written down, or it is done again: a connection that broke is replaced at once.

    The lease is renewed meanwhile. When the database stays away, the rescuer has the last word.
    """
    for pause in PAUSES:
        try:
            return write()
        except (OperationalError, InterfaceError, InternalError) as error:  # the last: it is read-only for a while
            if connection.in_atomic_block:  # the caller's transaction is gone, too
                raise
            log.warning("job.recorded_later", reason=type(error).__name__)
            connection.close()
            time.sleep(pause)
    return write()


@transaction.atomic
def _record_error(kind: Kind, end: Ended, error: Exception) -> str:
    """Put the job back for its next try, or on the dead-letter shelf when there is none."""
    if isinstance(error, Superseded):
        return _close(end, Outcome.CANCELLED, over=True)
    job, run, attempt, now = end.claim.job, end.claim.run, end.claim.attempt, clock.now()
    waits = JobAttempt.objects.filter(job_id=job.pk, outcome=Outcome.WAITING).count() + 1
    again = next_try(kind.retry, error, attempt=run.attempt, waits=waits, now=now)
    attempt.error_class, attempt.error = type(error).__name__, str(error)
    if not isinstance(error, JobError):
        attempt.traceback = "".join(traceback.format_exception(error))
        log.error("job.fault", job=job.pk, kind=job.kind, error=attempt.error_class, exc_info=error)
    if again is None:
        mine = Job.objects.filter(pk=job.pk, version=run.version)
        if move(mine, "fail", now=now, last_error=attempt.error):
            job_failed.send(Job, job=Job.objects.get(pk=job.pk), error=attempt.error)
        return _close(end, Outcome.FAILED, over=True)
    waited = isinstance(error, Wait)
    if not _put_back(job, run.version, again, now, attempt=run.attempt - waited, last_error=attempt.error):
        return _close(end, Outcome.CANCELLED, over=True)
    return _close(end, Outcome.WAITING if waited else Outcome.RETRY, over=False)


def _put_back(job: Due, version: int, run_at: datetime, now: datetime, **changes: object) -> int:
    mine = Job.objects.filter(pk=job.pk, version=version)
    published_at = published_if_near(run_at, now)
    moved = move(mine, "put_back", now=now, run_at=run_at, published_at=published_at, **changes)
    if published_at is not None:
        announce_near(now, [job.pk])
    return moved


@transaction.atomic
def _close(end: Ended, outcome: JobAttempt.Outcome, *, over: bool) -> str:
    """The attempt is over; when the job is too, or was called off, say so to the rooms above in the same commit."""
    attempt = end.claim.attempt
    # Only an open attempt: a worker that wakes after it was given up must not rewrite what rescue wrote.
    JobAttempt.objects.filter(pk=attempt.pk, finished_at__isnull=True).update(
        outcome=outcome, started_at=attempt.started_at, finished_at=attempt.finished_at,
        lateness_ms=attempt.lateness_ms, error_class=attempt.error_class, error=attempt.error,
        traceback=attempt.traceback,
    )  # fmt: skip
    if over:
        jobs_ended.send(Job, jobs=[end.claim.job])
    return str(outcome)


def _time(end: Ended) -> None:
    """When it really started, which in a message of many jobs may be later than the claim."""
    attempt, job = end.claim.attempt, end.claim.job
    attempt.started_at = max(end.started_at, attempt.started_at)
    attempt.finished_at = max(end.finished_at, attempt.started_at)
    attempt.lateness_ms = lateness_ms(job, attempt.started_at)


def _log(kind: Kind, ended: Sequence[Ended], outcomes: dict[int, str]) -> None:
    """A line for each job; of a crowd that went well, one for all: a burst must not drown in its own log."""
    crowd = [end for end in ended if outcomes[end.claim.job.pk] == Outcome.SUCCEEDED]
    if len(crowd) > CROWD:
        attempts = [end.claim.attempt for end in crowd]
        log.info(
            "jobs.ran", jobs=len(crowd), first=crowd[0].claim.job.pk, kind=kind.name, outcome="succeeded",
            max_lateness_ms=max(attempt.lateness_ms for attempt in attempts),
        )  # fmt: skip
    for end in ended:
        outcome, job, attempt = outcomes[end.claim.job.pk], end.claim.job, end.claim.attempt
        if len(crowd) <= CROWD or outcome != Outcome.SUCCEEDED:
            log.info(
                "job.ran", job=job.pk, kind=job.kind, subject=job.subject, attempt=attempt.number, outcome=outcome,
                lateness_ms=attempt.lateness_ms, duration_ms=attempt.duration_ms,
            )  # fmt: skip
