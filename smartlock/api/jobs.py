"""``/api/jobs`` and ``/api/dead-letters``: what is to be done, is being done, was done, or has failed for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from scheduler import clock, services
from scheduler.models import Job
from smartlock.admin.base import add_stays
from smartlock.api.callers import Token, actor
from smartlock.api.problems import Problem
from smartlock.api.reservations import the
from smartlock.api.shapes import (
    ABSENT,
    Body,
    Done,
    DryRun,
    Filter,
    Instant,
    JobState,
    Name,
    Number,
    Page,
    Priority,
    Something,
    Whole,
    Words,
    page,
)

router = Router(tags=["jobs"])
shelf = Router(tags=["dead letters"])
READ, WRITE = Token("jobs:read"), Token("jobs:write")
State = Job.State
JobId = Annotated[Number, Path()]
PENDING = (State.SCHEDULED,)
OVER = (State.FAILED, State.CANCELLED)


class About(Schema):
    """The stay a job is about."""

    id: int
    short_id: str
    guest_name: str
    accommodation: str
    timezone: str


class JobRow(Schema):
    """``due_at``: when it is meant to happen; ``run_at``: when it is tried next."""

    id: int
    kind: str
    subject: str
    queue: str
    state: JobState
    priority: int
    due_at: datetime
    run_at: datetime
    expires_at: datetime | None
    finished_at: datetime | None
    delay_seconds: int
    attempt: int
    max_attempts: int
    last_error: str
    progress: int | None
    progress_text: str
    reservation: About | None


class JobAttempt(Schema):
    number: int
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    lateness_ms: int
    outcome: str
    error_class: str
    error: str
    traceback: str
    worker: str
    by_hand: str


class JobDetail(JobRow):
    payload: dict[str, Any]
    live_key: str
    version: int
    worker: str
    lease_until: datetime | None
    created_at: datetime
    attempts: list[JobAttempt]


class JobWhich(Schema):
    """By what jobs are chosen, in a list and for a change of many."""

    state: list[JobState] = []
    kind: Annotated[Words, Field(description="such as locks.generate_pin")] = ABSENT
    queue: Words = ABSENT
    subject: Annotated[Words, Field(description="such as reservation:17")] = ABSENT
    reservation: Annotated[Name, Field(description="any name of a stay")] = ABSENT
    due_from: Instant = ABSENT
    due_to: Instant = ABSENT

    def rows(self) -> QuerySet[Job]:
        wanted: dict[str, Any] = {
            "state__in": self.state or None, "kind": self.kind, "queue": self.queue, "subject": self.subject,
            "due_at__gte": self.due_from, "due_at__lte": self.due_to,
        }  # fmt: skip
        found = Job.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
        return found.filter(subject=the(self.reservation).subject) if self.reservation else found


class JobFilter(Filter, JobWhich):
    order: Literal["-id", "run_at", "due_at", "-finished_at"] = "-id"


class JobChoice(Something, JobWhich):
    """Which jobs are meant: those that fit all of the fields; at least one is needed."""

    ids: Annotated[list[Number], Field(min_length=1, max_length=1000)] = ABSENT

    def rows(self) -> QuerySet[Job]:
        found = super().rows()
        return found.filter(pk__in=self.ids) if self.ids else found


class Many(Body):
    filter: JobChoice
    dry_run: DryRun = False


class At(Body):
    at: Annotated[Instant, Field(description="when it is to be done instead")]


class Rank(Body):
    priority: Annotated[Priority, Field(description="1 (high) to 10 (low)")]


class ManyAt(Many, At):
    pass


class ManyRank(Many, Rank):
    pass


class ManyRetry(Many):
    spread_minutes: Annotated[int, Field(ge=0, le=10_080, description="lay the tries evenly over so long"), Whole] = 0


# --- reading ----------------------------------------------------------------------------------------------------------


@router.get("", response=Page[JobRow], auth=READ, summary="List jobs")
def list_jobs(request: HttpRequest, chosen: Query[JobFilter]) -> Any:
    return _page(chosen.rows(), chosen)


@router.get("/{int:job_id}", response=JobDetail, auth=READ, summary="A job with its attempts")
def get_job(request: HttpRequest, job_id: JobId) -> Any:
    return _detail(_the_job(job_id))


@shelf.get("", response=Page[JobRow], auth=READ, summary="List what has failed for good")
def list_dead_letters(request: HttpRequest, chosen: Query[JobFilter]) -> Any:
    """Kept until somebody retries or clears it."""
    return _page(chosen.rows().filter(state=State.FAILED), chosen)


# --- one job ----------------------------------------------------------------------------------------------------------


@router.post("/{int:job_id}/cancel", response=JobDetail, auth=WRITE, summary="Call a job off")
def cancel_job(request: HttpRequest, job_id: JobId) -> Any:
    """After this is answered, no new effect of it begins."""
    return _one(job_id, _cancelled(_only(job_id), request), "It is over: there is nothing to call off.")


@router.post("/{int:job_id}/retry", response=JobDetail, auth=WRITE, summary="Try a failed or cancelled job again")
def retry_job(request: HttpRequest, job_id: JobId) -> Any:
    revived = services.retry(_only(job_id), now=clock.now(), actor=actor(request))
    return _one(job_id, revived, "Only a failed or cancelled job that no newer one has replaced can be tried again.")


@router.post("/{int:job_id}/run-now", response=JobDetail, auth=WRITE, summary="Run a scheduled job at once")
def run_job_now(request: HttpRequest, job_id: JobId) -> Any:
    moved = services.run_now(_only(job_id), now=clock.now(), actor=actor(request))
    return _one(job_id, moved, "Only a scheduled job can be run before its time.")


@router.post("/{int:job_id}/reschedule", response=JobDetail, auth=WRITE, summary="Give a scheduled job another time")
def reschedule_job(request: HttpRequest, job_id: JobId, body: At) -> Any:
    """Its attempts start afresh."""
    moved = services.reschedule(_only(job_id), due_at=_coming(body.at), now=clock.now(), actor=actor(request))
    return _one(job_id, moved, "Only a scheduled job can be given another time.")


@router.post("/{int:job_id}/priority", response=JobDetail, auth=WRITE, summary="Give a job another priority")
def change_job_priority(request: HttpRequest, job_id: JobId, body: Rank) -> Any:
    job = _the_job(job_id)
    changed = services.change_priority(_only(job_id), body.priority, now=clock.now(), actor=actor(request))
    same = job.state == State.SCHEDULED and job.priority == body.priority
    return _one(job_id, changed or same, "Only a scheduled job can be given another priority.")


# --- many at once -----------------------------------------------------------------------------------------------------


@router.post("/cancel", response=Done, auth=WRITE, summary="Call many jobs off")
def cancel_jobs(request: HttpRequest, body: Many) -> Any:
    return _many(body, Job.LIVE, lambda rows: _cancelled(rows, request))


@router.post("/run-now", response=Done, auth=WRITE, summary="Run many scheduled jobs at once")
def run_jobs_now(request: HttpRequest, body: Many) -> Any:
    return _many(body, PENDING, lambda rows: services.run_now(rows, now=clock.now(), actor=actor(request)))


@router.post("/reschedule", response=Done, auth=WRITE, summary="Give many scheduled jobs another time")
def reschedule_jobs(request: HttpRequest, body: ManyAt) -> Any:
    at, who = _coming(body.at), actor(request)
    return _many(body, PENDING, lambda rows: services.reschedule(rows, due_at=at, now=clock.now(), actor=who))


@router.post("/priority", response=Done, auth=WRITE, summary="Give many scheduled jobs another priority")
def change_priority_of_jobs(request: HttpRequest, body: ManyRank) -> Any:
    rank, who = body.priority, actor(request)
    return _many(body, PENDING, lambda rows: services.change_priority(rows, rank, now=clock.now(), actor=who))


@shelf.post("/retry", response=Done, auth=WRITE, summary="Try failed jobs again")
def retry_dead_letters(request: HttpRequest, body: ManyRetry) -> Any:
    """With a full set of attempts, at once or evenly over some minutes, the most urgent first."""
    spread = timedelta(minutes=body.spread_minutes) if body.spread_minutes else None
    who = actor(request)
    return _many(body, (State.FAILED,), lambda rows: services.retry(rows, now=clock.now(), actor=who, spread=spread))


@shelf.post("/clear", response=Done, auth=WRITE, summary="Delete failed jobs")
def clear_dead_letters(request: HttpRequest, body: Many) -> Any:
    """Their attempts go with them; the audit trail keeps the count."""
    return _many(body, (State.FAILED,), lambda rows: services.clear_failed(rows, actor=actor(request)))


# --- how it is done ---------------------------------------------------------------------------------------------------


def _page(rows: QuerySet[Job], chosen: JobFilter) -> dict[str, Any]:
    found, beside = page(rows.order_by(chosen.order, "-id"), chosen)
    add_stays(found)
    now = clock.now()
    return {"items": [_row(job, now) for job in found], **beside}


def _row(job: Any, now: datetime) -> dict[str, Any]:
    plain = [name for name in JobRow.model_fields if name not in ("delay_seconds", "reservation")]
    return {
        **{name: getattr(job, name) for name in plain},
        "delay_seconds": job.delay_seconds(now),
        "reservation": job.stay and {
            "id": job.stay.pk, "short_id": job.stay.short_id, "guest_name": job.stay.guest_name,
            "accommodation": job.stay.accommodation.name, "timezone": job.stay.accommodation.timezone,
        },
    }  # fmt: skip


def _detail(job: Job) -> dict[str, Any]:
    add_stays([job])
    more = ("payload", "live_key", "version", "worker", "lease_until", "created_at")
    tries = [{name: getattr(one, name) for name in JobAttempt.model_fields} for one in job.attempts.all()]
    return {**_row(job, clock.now()), **{name: getattr(job, name) for name in more}, "attempts": tries}


def _the_job(job_id: int) -> Job:
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise Problem(404, f"No job has the number {job_id}.", what_to_do="It may be done and cleared away by now.")
    return job


def _only(job_id: int) -> QuerySet[Job]:
    return Job.objects.filter(pk=_the_job(job_id).pk)


def _one(job_id: int, changed: int, otherwise: str) -> dict[str, Any]:
    job = _the_job(job_id)
    if not changed:
        raise Problem(409, f"The job is {job.get_state_display()}. {otherwise}")
    return _detail(job)


def _many(body: Many, states: tuple[Job.State, ...], change: Any) -> dict[str, Any]:
    rows = body.filter.rows().filter(state__in=states)
    matched = rows.count()
    return {"dry_run": body.dry_run, "matched": matched, "changed": 0 if body.dry_run else change(rows)}


def _cancelled(rows: QuerySet[Job], request: HttpRequest) -> int:
    who = actor(request)
    return services.cancel(rows, now=clock.now(), actor=who, reason=f"Called off by {who}.")


def _coming(at: datetime) -> datetime:
    if at < clock.now():
        raise Problem(409, "This time is over.", what_to_do="To start a scheduled job at once, use run-now.")
    return at
