"""The verbs of the job engine: schedule, reschedule, change priority, cancel, retry, run now, ask, clear, prune.

All of them work in the caller's transaction, and each is a single statement per job or per set of jobs. ``now`` is
aware UTC and handed in by the entrance (view, task, command).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, DateTimeField, F, QuerySet, Value, When
from django.db.models.functions import Replace

from scheduler import totals
from scheduler.models import Job, JobAttempt
from scheduler.near import announce_near, horizon, published_if_near
from scheduler.retention import prune as prune  # these are verbs, too
from scheduler.scheduling import Planned as Planned
from scheduler.scheduling import checked_priority, refuse_naive
from scheduler.scheduling import schedule as schedule
from scheduler.scheduling import schedule_all as schedule_all
from scheduler.scheduling import schedule_many as schedule_many
from scheduler.transitions import move
from smartlock.audit.services import record

STEPS = 300  # a spread retry is laid out in at most so many portions


def reschedule(
    jobs: QuerySet[Job], *, due_at: datetime, now: datetime, expires_at: datetime | None = None, actor: str = "system"
) -> int:
    """Give scheduled jobs another time; their attempts start afresh. Jobs that run or are over stay as they are."""
    refuse_naive(due_at)
    run_at = max(due_at, now)
    changes: dict[str, Any] = {"due_at": due_at, "run_at": run_at, "attempt": 0, "by_hand": ""}
    changes["published_at"] = published_if_near(run_at, now)
    if expires_at is not None:
        changes["expires_at"] = expires_at
    if actor == "system" and changes["published_at"] is None:  # nobody need be told which
        return move(jobs, "move", now=now, **changes)
    ids = _ids(jobs, Job.State.SCHEDULED)
    moved = move(Job.objects.filter(pk__in=ids), "move", now=now, **changes)
    if moved and actor != "system":
        record("jobs.rescheduled", "jobs", actor=actor, count=moved, due_at=due_at.isoformat(), ids=ids[:100])
    announce_near(now, ids)
    return moved


def change_priority(jobs: QuerySet[Job], priority: int, *, now: datetime, actor: str = "system") -> int:
    """Give scheduled jobs another priority, 1 (high) to 10 (low). Messages that are under way are outdated by it."""
    checked_priority(priority)
    ids = _ids(jobs.exclude(priority=priority), Job.State.SCHEDULED)
    near = Case(When(run_at__lte=horizon(now), then=Value(now)), default=None, output_field=DateTimeField())
    moved = move(Job.objects.filter(pk__in=ids), "move", now=now, priority=priority, published_at=near)
    if moved:
        record("jobs.priority_changed", "jobs", actor=actor, count=moved, priority=priority, ids=ids[:100])
    announce_near(now, ids)
    return moved


def cancel(jobs: QuerySet[Job], *, now: datetime, actor: str = "system", reason: str = "") -> int:
    """Call off scheduled and running jobs. After the commit no new effect of theirs begins."""
    by_hand = "" if actor == "system" else actor[:150]
    gone = move(jobs, "cancel", now=now, last_error=reason, by_hand=by_hand)
    if gone and actor != "system":
        record("jobs.cancelled", "jobs", actor=actor, summary=reason, count=gone)
    return gone


def retry(jobs: QuerySet[Job], *, now: datetime, actor: str = "system", spread: timedelta | None = None) -> int:
    """Take jobs from the dead-letter shelf (or called-off ones) and try them at once, with a full set of attempts.

    With ``spread`` their tries are laid evenly over that time, the most urgent first, so that many of them do not
    fall upon one provider together. A job whose live key has been taken by a newer one stays where it is.
    """
    over = jobs.filter(state__in=[Job.State.FAILED, Job.State.CANCELLED])
    ids = list(over.order_by("priority", "due_at", "id").values_list("pk", flat=True))
    by_hand = "" if actor == "system" else actor[:150]
    revived = sum(_revive(some, run_at, now, by_hand) for run_at, some in _laid_out(ids, now, spread))
    if revived:
        details: dict[str, Any] = {"spread_seconds": round(spread.total_seconds())} if spread else {}
        record("jobs.retried", "jobs", actor=actor, count=revived, **details)
    announce_near(now, ids)
    return revived


def _laid_out(ids: list[int], now: datetime, spread: timedelta | None) -> Iterator[tuple[datetime, list[int]]]:
    """``ids`` in order, in at most ``STEPS`` portions, with the moment of each."""
    if spread is None or not ids:
        yield now, ids
        return
    steps = min(len(ids), STEPS)
    for step in range(steps):
        yield now + spread * step / steps, ids[len(ids) * step // steps : len(ids) * (step + 1) // steps]


def _revive(ids: list[int], run_at: datetime, now: datetime, by_hand: str) -> int:
    """All in one statement; one by one only where a live key stands in the way. A deadline that is over is dropped."""
    changes: dict[str, Any] = {
        "run_at": run_at, "attempt": 0, "by_hand": by_hand, "published_at": published_if_near(run_at, now),
        "progress": None, "progress_text": "",
        "expires_at": Case(When(expires_at__gt=run_at, then=F("expires_at")), default=None),
    }  # fmt: skip
    try:
        with transaction.atomic():
            return move(Job.objects.filter(pk__in=ids), "revive", now=now, **changes)
    except IntegrityError:
        if len(ids) == 1:
            return 0
    middle = len(ids) // 2
    return _revive(ids[middle:], run_at, now, by_hand) + _revive(ids[:middle], run_at, now, by_hand)


def run_now(jobs: QuerySet[Job], *, now: datetime, actor: str = "system") -> int:
    """Try scheduled jobs at once instead of at their time."""
    ids = _ids(jobs, Job.State.SCHEDULED)
    by_hand = "" if actor == "system" else actor[:150]
    moved = move(Job.objects.filter(pk__in=ids), "move", now=now, run_at=now, published_at=now, by_hand=by_hand)
    if moved:
        record("jobs.run_now", "jobs", actor=actor, count=moved, ids=ids[:100])
    announce_near(now, ids)
    return moved


def clear_failed(jobs: QuerySet[Job], *, actor: str = "system") -> int:
    """Empty the dead-letter shelf of ``jobs``; their attempts go with them, the audit trail keeps the count."""
    cleared = totals.forget(jobs.filter(state=Job.State.FAILED))
    if cleared:
        record("jobs.cleared", "jobs", actor=actor, count=cleared)
    return cleared


@transaction.atomic
def erase_word(subjects: Iterable[str], word: str, instead: str) -> int:
    """Take a word, such as a name, out of all that was written down of tries of these subjects' jobs."""
    jobs = Job.objects.filter(subject__in=list(subjects))
    texts: list[tuple[QuerySet[Any], str]] = [(jobs, "last_error")]
    texts += [(JobAttempt.objects.filter(job__in=jobs), name) for name in ("error", "traceback")]
    return sum(
        rows.filter(**{f"{name}__contains": word}).update(**{name: Replace(name, Value(word), Value(instead))})
        for rows, name in texts
    )


def jobs_of(subject: str) -> QuerySet[Job]:
    """All jobs about one thing, oldest due time first."""
    return Job.objects.filter(subject=subject).order_by("due_at", "id")


def describe(job: Job, now: datetime) -> dict[str, Any]:
    """A job as scripts see it: ids, state, times and the history of its attempts (ISO 8601, UTC)."""
    told = {"progress": job.progress, "progress_text": job.progress_text} if job.progress is not None else {}
    return {
        "id": job.pk, "kind": job.kind, "subject": job.subject, "state": job.state, "due_at": job.due_at.isoformat(),
        "run_at": job.run_at.isoformat(), "attempt": job.attempt, "max_attempts": job.max_attempts,
        "priority": job.priority, "queue": job.queue, "delay_seconds": job.delay_seconds(now),
        "last_error": job.last_error, "payload": job.payload,
        "attempts": [
            {
                "started_at": a.started_at.isoformat(), "finished_at": a.finished_at and a.finished_at.isoformat(),
                "outcome": a.outcome, "error": a.error, "lateness_ms": a.lateness_ms, "worker": a.worker,
                **({"by_hand": a.by_hand} if a.by_hand else {}),
            }
            for a in job.attempts.all()
        ],
        **told,
    }  # fmt: skip


def _ids(jobs: QuerySet[Job], state: Job.State) -> list[int]:
    return list(jobs.filter(state=state).values_list("pk", flat=True))
