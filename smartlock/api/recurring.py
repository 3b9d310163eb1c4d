"""``/api/recurring-jobs``: what comes again by a schedule, and the history of its runs."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field, StringConstraints

from scheduler import clock
from scheduler.models import RecurringJob, RecurringRun
from scheduler.recurring import schedules, services, targets
from scheduler.recurring.models import LONGEST_TIMEOUT, MOST_RETRIES
from scheduler.recurring.schedules import LONGEST_SECONDS, Cron, Schedule
from scheduler.recurring.words import in_words
from smartlock.api.accommodations import Zone
from smartlock.api.callers import Token, actor
from smartlock.api.problems import Problem
from smartlock.api.shapes import ABSENT, Body, Filter, Line, Page, Something, WallTime, Whole, Words, page

router = Router(tags=["recurring jobs"])
READ, WRITE = Token("recurring:read"), Token("recurring:write")
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")]
JobSlug = Annotated[str, Path(description="its short name", pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Category = Literal["biz", "system", "maintenance"]
Missed = Literal["skip", "once"]
RunStatus = Literal["queued", "running", "succeeded", "failed", "skipped", "cancelled"]
CRON = r"^[0-9A-Za-z*,/-]{1,60}( [0-9A-Za-z*,/-]{1,60}){4}$"


ONE_OF_THREE = "A schedule is exactly one of cron, every_seconds and times."


class When(Body):
    """Exactly one of ``cron``, ``every_seconds`` and ``times``."""

    cron: Annotated[
        str | None, StringConstraints(pattern=CRON), Field(description="minute hour day-of-month month weekday")
    ] = ABSENT
    every_seconds: Annotated[int, Field(ge=10, le=LONGEST_SECONDS), Whole] | None = ABSENT
    times: Annotated[list[WallTime], Field(min_length=1, max_length=24)] | None = ABSENT
    weekdays: Annotated[
        list[Annotated[int, Field(ge=1, le=7), Whole]],
        Field(max_length=7, description="with times: 1 Monday to 7 Sunday; empty is every day"),
    ] = []
    timezone: Annotated[Zone, Field(description="IANA; that of the clock")] = "America/Sao_Paulo"

    def schedule(self) -> Schedule:
        """Raises Problem 409 when it says nothing, or several things at once: no schema can tell."""
        if sum(value is not None for value in (self.cron, self.every_seconds, self.times)) != 1:
            raise Problem(409, ONE_OF_THREE, what_to_do="Leave out the others.")
        if self.every_seconds is not None:
            return schedules.every(self.every_seconds)
        if self.times is not None:
            return schedules.at_times(list[time](self.times), self.weekdays, self.timezone)
        return schedules.cron(str(self.cron), self.timezone)


class ScheduleShown(Schema):
    """``every_seconds`` or ``cron``, and what it says."""

    cron: str | None
    every_seconds: int | None
    timezone: str
    in_words: str


class RecurringRow(Schema):
    """A ``direct`` one is the engine's own pulse: shown, not to be touched."""

    slug: str
    name: str
    description: str
    category: str
    target: str
    params: dict[str, Any]
    schedule: ScheduleShown
    enabled: bool
    direct: bool
    missed: str
    timeout: int
    retries: int
    next_run_at: datetime | None
    last_run_at: datetime | None
    last_status: str
    last_duration_ms: int | None
    last_error: str
    runs_total: int
    runs_failed: int


class RunRow(Schema):
    """``job``: its number under /api/jobs, as long as that is kept."""

    id: int
    trigger: str
    by: str
    status: str
    planned_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    error: str
    job: int | None


class TargetRow(Schema):
    name: str
    title: str
    category: str
    params: Annotated[dict[str, Any], Field(description="a JSON schema")]


class RecurringFilter(Filter):
    category: list[Category] = []
    enabled: bool = ABSENT
    q: Annotated[Words, Field(description="part of its short name or its target")] = ABSENT


class RunFilter(Filter):
    status: list[RunStatus] = []
    trigger: list[Literal["scheduled", "manual"]] = []


Params = Annotated[dict[str, Any], Field(description="as its target takes them; never a secret", max_length=20)]
Timeout = Annotated[int, Field(ge=1, le=LONGEST_TIMEOUT, description="seconds"), Whole]
Retries = Annotated[int, Field(ge=0, le=MOST_RETRIES), Whole]


class RecurringNew(Body):
    slug: Slug
    target: Words
    schedule: When
    name: Line = ABSENT
    description: Line = ABSENT
    category: Category = ABSENT
    params: Params = ABSENT
    missed: Missed = ABSENT
    timeout: Timeout = ABSENT
    retries: Retries = ABSENT
    enabled: bool = True


class RecurringChange(Something):
    """Another schedule counts from now: nothing runs at once."""

    schedule: When = ABSENT
    name: Line = ABSENT
    description: Line = ABSENT
    category: Category = ABSENT
    params: Params = ABSENT
    missed: Missed = ABSENT
    timeout: Timeout = ABSENT
    retries: Retries = ABSENT


@router.get("", response=Page[RecurringRow], auth=READ, summary="List recurring jobs")
def list_recurring(request: HttpRequest, chosen: Query[RecurringFilter]) -> Any:
    rows = every_job()
    if chosen.category:
        rows = rows.filter(category__in=chosen.category)
    if chosen.enabled is not None:
        rows = rows.filter(task__enabled=chosen.enabled)
    if chosen.q:
        rows = rows.filter(slug__icontains=chosen.q) | rows.filter(target__icontains=chosen.q)
    found, beside = page(rows.order_by("category", "slug"), chosen)
    return {"items": [facts(job) for job in found], **beside}


@router.get("/targets", response=list[TargetRow], auth=READ, summary="What a recurring job may do")
def list_targets(request: HttpRequest) -> Any:
    return [
        {"name": one.name, "title": str(one.title), "category": one.category, "params": one.params.model_json_schema()}
        for one in targets.every_target()
    ]


@router.post("", response={201: RecurringRow}, auth=WRITE, summary="Make a recurring job")
def create_recurring(request: HttpRequest, body: RecurringNew) -> Any:
    """It first runs at the next time of its schedule."""
    given = {name: getattr(body, name) for name in body.model_fields_set - {"schedule", "slug", "target"}}
    job = services.create(
        body.slug, target=body.target, schedule=body.schedule.schedule(), now=clock.now(), actor=actor(request),
        **given,
    )  # fmt: skip
    return Status(201, facts(job))


@router.get("/{slug}", response=RecurringRow, auth=READ, summary="A recurring job")
def get_recurring(request: HttpRequest, slug: JobSlug) -> Any:
    return facts(_the(slug))


@router.patch("/{slug}", response=RecurringRow, auth=WRITE, summary="Change a recurring job")
def change_recurring(request: HttpRequest, slug: JobSlug, body: RecurringChange) -> Any:
    given = body.given()
    if "schedule" in given:
        given["schedule"] = body.schedule.schedule()
    services.change(_the(slug), now=clock.now(), actor=actor(request), **given)
    return facts(_the(slug))


@router.delete("/{slug}", response=RecurringRow, auth=WRITE, summary="Delete a recurring job")
def delete_recurring(request: HttpRequest, slug: JobSlug) -> Any:
    """With its history; answered with what it was. The product's own are switched off instead."""
    job = _the(slug)
    was = facts(job)
    services.delete(job, now=clock.now(), actor=actor(request))
    return was


@router.post("/{slug}/run", response=RunRow, auth=WRITE, summary="Run a recurring job now")
def run_recurring(request: HttpRequest, slug: JobSlug) -> Any:
    """Beside its schedule, also when it is switched off; 409 when it is at work already."""
    return run_facts(services.run_now(_the(slug), now=clock.now(), actor=actor(request)))


@router.post("/{slug}/enable", response=RecurringRow, auth=WRITE, summary="Switch a recurring job on")
def enable_recurring(request: HttpRequest, slug: JobSlug) -> Any:
    """Never runs it at once. Safe to repeat."""
    return _switched(request, slug, on=True)


@router.post("/{slug}/disable", response=RecurringRow, auth=WRITE, summary="Switch a recurring job off")
def disable_recurring(request: HttpRequest, slug: JobSlug) -> Any:
    """What runs is finished. Safe to repeat."""
    return _switched(request, slug, on=False)


@router.get("/{slug}/runs", response=Page[RunRow], auth=READ, summary="The runs of a recurring job")
def list_runs(request: HttpRequest, slug: JobSlug, chosen: Query[RunFilter]) -> Any:
    """Newest first; kept for 30 days."""
    wanted = {"status__in": chosen.status, "trigger__in": chosen.trigger}
    rows = _the(slug).runs.filter(**{name: values for name, values in wanted.items() if values})
    found, beside = page(rows, chosen)
    return {"items": [run_facts(run) for run in found], **beside}


# --- how it is done ---------------------------------------------------------------------------------------------------


def _switched(request: HttpRequest, slug: str, *, on: bool) -> dict[str, Any]:
    services.switch(_the(slug), on, now=clock.now(), actor=actor(request))
    return facts(_the(slug))


def every_job() -> QuerySet[RecurringJob]:
    """With what ``facts`` looks at fetched along."""
    return RecurringJob.objects.select_related("task", *services.ALONG)


def _the(slug: str) -> RecurringJob:
    job = every_job().filter(slug=slug).first()
    if job is None:
        raise Problem(404, f"No recurring job is called {slug!r}.")
    return job


def facts(job: RecurringJob) -> dict[str, Any]:
    """A ``RecurringRow``; commands print the same."""
    ours = ("name", "description", "schedule", "enabled", "direct")
    schedule = job.schedule
    cron = schedule.expression if isinstance(schedule, Cron) else None
    return {
        **{name: getattr(job, name) for name in RecurringRow.model_fields if name not in ours},
        "name": str(job.title), "description": job.task.description, "enabled": job.enabled, "direct": job.is_direct,
        "schedule": {
            "cron": cron, "every_seconds": None if isinstance(schedule, Cron) else schedule.seconds,
            "timezone": job.timezone, "in_words": in_words(schedule),
        },
    }  # fmt: skip


def run_facts(run: RecurringRun) -> dict[str, Any]:
    plain = {name: getattr(run, name) for name in RunRow.model_fields if name != "job"}
    return {**plain, "job": run.engine_job}
