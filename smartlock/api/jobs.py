"""``/api/jobs`` and ``/api/dead-letters``: what is to be done, is being done, was done, or has failed for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router

from scheduler import clock, services
from scheduler.models import Job
from smartlock.admin.base import add_stays
from smartlock.api.callers import Token, actor
from smartlock.api.job_shapes import (
    At,
    JobAttempt,
    JobDetail,
    JobFilter,
    JobRow,
    Many,
    ManyAt,
    ManyRank,
    ManyRetry,
    Rank,
)
from smartlock.api.problems import Problem
from smartlock.api.shapes import Done, Number, Page, page

router = Router(tags=["jobs"])
shelf = Router(tags=["dead letters"])
READ, WRITE = Token("jobs:read"), Token("jobs:write")
State = Job.State
JobId = Annotated[Number, Path()]
PENDING = (State.SCHEDULED,)
OVER = (State.FAILED, State.CANCELLED)


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
