"""The verbs of the job engine: schedule, reschedule, change priority, cancel, retry, run now, ask, clear, prune.

All of them work in the caller's transaction, and each is a single statement per job or per set of jobs. ``now`` is
aware UTC and handed in by the entrance (view, task, command).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, DateTimeField, F, QuerySet, Value, When
from django.db.models.functions import Replace

from scheduler import kinds, publisher, rows, totals
from scheduler.models import Job, JobAttempt
from scheduler.publisher import Message
from scheduler.retention import prune as prune  # one of the verbs
from scheduler.transitions import move
from smartlock.audit.services import record

PORTION = 5000  # rows of one INSERT
STEPS = 300  # a spread retry is laid out in at most so many portions


@dataclass(frozen=True, slots=True)
class Planned:
    """One of several jobs to be scheduled; the fields are those of ``schedule``."""

    due_at: datetime
    subject: str = ""
    live_key: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    priority: int | None = None
    expires_at: datetime | None = None


def schedule(
    kind: str,
    *,
    due_at: datetime,
    now: datetime,
    subject: str = "",
    live_key: str = "",
    payload: dict[str, Any] | None = None,
    priority: int | None = None,
    expires_at: datetime | None = None,
) -> Job:
    """Write a job row. With a ``live_key`` that is taken, the live job that holds it is returned unchanged.

    ``due_at`` in the past means at once. Raises UnknownKind, and ValueError for a naive time or a bad priority.
    """
    planned = Planned(due_at, subject, live_key, payload or {}, priority, expires_at)
    row = _row(kind, planned, now)
    return _write(row, now) or _holder(row, now)


def schedule_all(wanted: Iterable[tuple[str, Planned]], *, now: datetime) -> list[int]:
    """What ``schedule`` does, for some jobs of any kinds in one statement; several need a live key each, all different.

    Returns, in the same order, the id of the job that was written or of the live one that holds the key.
    """
    new = [_row(kind, planned, now) for kind, planned in wanted]
    keys = {row["live_key"] for row in new}
    if len(new) > 1 and ("" in keys or len(keys) < len(new)):
        raise ValueError("jobs that are scheduled together need a live key each, all different")
    ids = rows.insert(new) if new else {}
    _announce(now, *(rows.message(row, ids[row["live_key"]]) for row in new if row["live_key"] in ids))
    return [ids.get(row["live_key"]) or _holder(row, now).pk for row in new]


def _write(row: rows.Row, now: datetime) -> Job | None:
    """None if the live key is taken."""
    ids = rows.insert([row])
    if not ids:
        return None
    job = rows.as_job(row, ids[row["live_key"]])
    _announce(now, Message.of(job))
    return job


def _holder(row: rows.Row, now: datetime) -> Job:
    """The live job that has this one's live key; or this one, if that has just ended and the key is free again."""
    while (holder := Job.objects.filter(live_key=row["live_key"], state__in=Job.LIVE).first()) is None:
        if (job := _write(row, now)) is not None:
            return job
    return holder


def schedule_many(kind: str, planned: Iterable[Planned], *, now: datetime) -> int:
    """Write many jobs of one kind in a few statements; returns how many rows were offered to the database.

    A job whose live key is taken is left out, and so is its message: with live keys the dispatcher publishes what is
    near, within seconds. Raises what ``schedule`` raises, before anything is written.
    """
    planned = list(planned)
    declared = kinds.get(kind)
    own = [_own(one, declared, now) for one in planned]
    if not any(one.live_key for one in planned) and any(one["run_at"] <= horizon(now) for one in own):
        new = [Job(**_row(kind, one, now)) for one in planned]
        _announce(now, *map(Message.of, Job.objects.bulk_create(new, batch_size=PORTION)))
        return len(own)
    alike = {**_row(kind, Planned(now), now), "published_at": None}
    with transaction.atomic(savepoint=False):
        for start in range(0, len(own), PORTION):
            rows.insert_many(alike, own[start : start + PORTION])
    return len(own)


def _row(kind: str, planned: Planned, now: datetime) -> rows.Row:
    declared = kinds.get(kind)
    own = _own(planned, declared, now)
    return {
        **rows.BLANK, "kind": kind, "queue": declared.queue, "exclusive": declared.exclusive,
        "max_attempts": declared.retry.max_attempts, "created_at": now, "updated_at": now,
        "published_at": published_if_near(own["run_at"], now), **own,
    }  # fmt: skip


def _own(planned: Planned, declared: kinds.Kind, now: datetime) -> dict[str, Any]:
    """What a job has for itself alone."""
    _aware(planned.due_at)
    return {
        "subject": planned.subject, "live_key": planned.live_key, "payload": planned.payload,
        "priority": _priority(declared.priority if planned.priority is None else planned.priority),
        "due_at": planned.due_at, "run_at": max(planned.due_at, now), "expires_at": planned.expires_at,
    }  # fmt: skip


def reschedule(
    jobs: QuerySet[Job], *, due_at: datetime, now: datetime, expires_at: datetime | None = None, actor: str = "system"
) -> int:
    """Give scheduled jobs another time; their attempts start afresh. Jobs that run or are over stay as they are."""
    _aware(due_at)
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
    _priority(priority)
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


def _priority(priority: int) -> int:
    if not 1 <= priority <= 10:
        raise ValueError(f"priority must be 1 (high) to 10 (low), not {priority}")
    return priority


def _aware(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError("a job's time must carry a time zone")


def horizon(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.HORIZON_SECONDS)


def published_if_near(run_at: datetime, now: datetime) -> datetime | None:
    """A near job counts as published from its commit on; should its message get lost, the dispatcher sends another."""
    return now if run_at <= horizon(now) else None


def announce_near(now: datetime, ids: Iterable[int]) -> None:
    """After the commit, tell Celery of those jobs that are due inside the horizon; the dispatcher finds the others."""
    near = Job.objects.filter(pk__in=list(ids), state=Job.State.SCHEDULED, run_at__lte=horizon(now))
    _announce(now, *map(Message.of, near))


def _announce(now: datetime, *messages: Message) -> None:
    limit = horizon(now)
    near = [message for message in messages if message.run_at <= limit]
    if near:
        transaction.on_commit(lambda: publisher.announce(near), robust=True)
