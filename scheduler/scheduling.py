"""Writing jobs down: one, some of any kinds in one statement, or many of a kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from scheduler import kinds, rows
from scheduler.models import Job
from scheduler.near import announce, horizon, published_if_near
from scheduler.publisher import Message

PORTION = 5000  # rows of one INSERT


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
    announce(now, *(rows.message(row, ids[row["live_key"]]) for row in new if row["live_key"] in ids))
    return [ids.get(row["live_key"]) or _holder(row, now).pk for row in new]


def _write(row: rows.Row, now: datetime) -> Job | None:
    """None if the live key is taken."""
    ids = rows.insert([row])
    if not ids:
        return None
    job = rows.as_job(row, ids[row["live_key"]])
    announce(now, Message.of(job))
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
        announce(now, *map(Message.of, Job.objects.bulk_create(new, batch_size=PORTION)))
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
    refuse_naive(planned.due_at)
    return {
        "subject": planned.subject, "live_key": planned.live_key, "payload": planned.payload,
        "priority": checked_priority(declared.priority if planned.priority is None else planned.priority),
        "due_at": planned.due_at, "run_at": max(planned.due_at, now), "expires_at": planned.expires_at,
    }  # fmt: skip


def checked_priority(priority: int) -> int:
    if not 1 <= priority <= 10:
        raise ValueError(f"priority must be 1 (high) to 10 (low), not {priority}")
    return priority


def refuse_naive(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError("a job's time must carry a time zone")
