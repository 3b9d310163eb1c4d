"""The verbs: create, change, delete, switch, run now, start what is due, settle. ``now`` is handed in."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from scheduler import services, totals
from scheduler.models import Job
from scheduler.recurring import targets
from scheduler.recurring.errors import AlreadyRunning, BadSchedule, BadValue, Protected
from scheduler.recurring.models import LONGEST_TIMEOUT, MOST_RETRIES, UNITS, RecurringJob, RecurringRun, RunStatus
from scheduler.recurring.runs import finish
from scheduler.recurring.schedules import FIELDS, Cron, Schedule
from smartlock.audit.services import record

KNOCK = "scheduler.start_recurring"  # the task that beat sends at a job's time
RUN = "recurring.run"  # the kind of job that does the work
RESERVED = {"targets"}  # beside the jobs lies the list of what one may do
MISSED_AFTER = timedelta(minutes=2)
PLAIN = ("name", "category", "missed", "timeout", "retries")  # facts of ours that are simply stored
Trigger = RecurringRun.Trigger


@transaction.atomic
def create(
    slug: str, *, target: str, schedule: Schedule, now: datetime, actor: str = "system", enabled: bool = True,
    description: str = "", **facts: Any,
) -> RecurringJob:  # fmt: skip
    """A new job; its first run is the next time of its schedule, never now.

    ``facts``: name, category, params, missed, timeout, retries. Raises UnknownTarget, BadParams, BadSchedule, BadValue.
    """
    found = targets.get(target)
    task = PeriodicTask(
        name=slug, task=KNOCK, kwargs=json.dumps({"slug": slug}), queue="ticks", expire_seconds=60, enabled=enabled,
        description=description, **_beat_schedule(schedule),
    )  # fmt: skip
    facts.setdefault("category", found.category)
    job = RecurringJob(slug=slug, target=target, timeout=facts.pop("timeout", found.timeout), created_at=now)
    job.params = _params(target, facts.pop("params", {}))
    _take(job, facts)
    if slug in RESERVED:
        raise BadValue(f"No job can be called {slug!r}: that is the name of the list of targets.")
    if PeriodicTask.objects.filter(name=slug).exists():
        raise BadValue(f"There is a job called {slug!r} already.")
    task.save()
    job.task = task
    job.next_run_at = schedule.next_after(now, now) if enabled else None
    job.updated_at = now
    job.save()
    if actor != "system":
        record("recurring.created", job.subject, actor=actor, slug=slug, target=target)
    return job


@transaction.atomic
def change(job: RecurringJob, *, now: datetime, actor: str, schedule: Schedule | None = None, **facts: Any) -> None:
    """Other facts: those of ``create``, and description. Another schedule counts from now. Raises like it."""
    _editable(job)
    changed = sorted(facts) + (["schedule"] if schedule is not None else [])
    if "params" in facts:
        job.params = _params(job.target, facts.pop("params"))
    if "description" in facts:
        job.task.description = facts.pop("description")
    _take(job, facts)
    if schedule is not None and schedule != job.schedule:
        for name, value in _beat_schedule(schedule).items():
            setattr(job.task, name, value)
        job.next_run_at = schedule.next_after(now, now) if job.enabled else None
    job.task.save()
    _save(job, now, "params", "next_run_at", *PLAIN)
    record("recurring.changed", job.subject, actor=actor, fields=changed)


@transaction.atomic
def delete(job: RecurringJob, *, now: datetime, actor: str) -> None:
    """With its history; a run under way is called off. Raises Protected for the product's own."""
    _editable(job)
    if job.is_standing:
        raise Protected(f"{job.slug} belongs to the product: switch it off instead.")
    services.cancel(engine_jobs(job), now=now, reason="Its recurring job was deleted.")
    record("recurring.deleted", job.subject, actor=actor, slug=job.slug)
    job.task.delete()


@transaction.atomic
def switch(job: RecurringJob, on: bool, *, now: datetime, actor: str) -> bool:
    """On or off; False when it was so already. Switched on, it first runs at the next time of its schedule."""
    _editable(job)
    if job.enabled is on:
        return False
    job.task.enabled = on
    job.task.save()
    job.next_run_at = job.schedule.next_after(now, now) if on else None
    _save(job, now, "next_run_at")
    record("recurring.enabled" if on else "recurring.disabled", job.subject, actor=actor)
    return True


@transaction.atomic
def run_now(job: RecurringJob, *, now: datetime, actor: str) -> RecurringRun:
    """A run beside the schedule, also of a job that is switched off. Raises AlreadyRunning."""
    if job.is_direct:
        raise Protected(f"{job.slug} runs every few seconds by itself.")
    run = _begin(job, planned_at=now, now=now, trigger=Trigger.MANUAL, by=actor)
    if run.status == RunStatus.SKIPPED:
        raise AlreadyRunning(f"{job.slug} is at work already; two of its runs never overlap.")
    record("recurring.run_now", job.subject, actor=actor, run=run.pk)
    return run


def start_due(*, now: datetime, slug: str = "") -> int:
    """Start what has come due: called by beat at a job's time, and over all jobs twice a minute. Returns how many."""
    due = RecurringJob.objects.filter(task__enabled=True, next_run_at__lte=now).select_related(*ALONG)
    if slug:
        due = due.filter(slug=slug)
    return sum(_start(job, now) for job in due.exclude(target=""))


@transaction.atomic
def _start(job: RecurringJob, now: datetime) -> bool:
    """Compare-and-set on the time: of two knocks one starts it."""
    planned_at = job.next_run_at
    assert planned_at is not None
    following = job.schedule.next_after(now, planned_at)
    mine = RecurringJob.objects.filter(pk=job.pk, next_run_at=planned_at, task__enabled=True)
    if not mine.update(next_run_at=following):
        return False
    if now - planned_at > MISSED_AFTER and job.missed == RecurringJob.Missed.SKIP:
        run = job.runs.create(planned_at=planned_at, trigger=Trigger.SCHEDULED)
        finish(run, RunStatus.SKIPPED, now=now, error="Nothing was running at its time.")
        return False
    return _begin(job, planned_at=planned_at, now=now, trigger=Trigger.SCHEDULED).status == RunStatus.QUEUED


def _begin(job: RecurringJob, *, planned_at: datetime, now: datetime, trigger: str, by: str = "") -> RecurringRun:
    """Hand a run to the engine. What of this job lies on the shelf goes: a newer run is its next try."""
    totals.forget(engine_jobs(job).filter(state=Job.State.FAILED))
    run = job.runs.create(planned_at=planned_at, trigger=trigger, by=by[:150])
    engine = services.schedule(
        RUN, due_at=planned_at, now=now, subject=job.subject, live_key=job.live_key, payload={"run": run.pk}
    )
    if engine.payload != {"run": run.pk}:
        finish(run, RunStatus.SKIPPED, now=now, error=f"Run #{engine.payload['run']} was still at work.")
        return run
    Job.objects.filter(pk=engine.pk).update(max_attempts=1 + job.retries)
    run.engine_job = engine.pk
    run.save(update_fields=["engine_job"])
    return run


def engine_jobs(job: RecurringJob) -> QuerySet[Job]:
    return Job.objects.filter(kind=RUN, subject=job.subject)


ALONG = ("task__interval", "task__crontab")


def _save(job: RecurringJob, now: datetime, *fields: str) -> None:
    """Only what was meant: a run may be writing its result beside it."""
    job.updated_at = now
    job.save(update_fields=[*fields, "updated_at"])


def _editable(job: RecurringJob) -> None:
    if job.is_direct:
        raise Protected(f"{job.slug} is the engine's own pulse: without it no job would start. It cannot be changed.")


def _params(target: str, params: dict[str, Any]) -> dict[str, Any]:
    return targets.checked(targets.get(target), params).model_dump(mode="json")


def _take(job: RecurringJob, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if name not in PLAIN:
            raise BadValue(f"A recurring job has no {name!r}.")
        setattr(job, name, value)
    if not 1 <= job.timeout <= LONGEST_TIMEOUT:
        raise BadValue(f"The time limit is 1 to {LONGEST_TIMEOUT} seconds, not {job.timeout}.")
    if not 0 <= job.retries <= MOST_RETRIES:
        raise BadValue(f"A run is tried again 0 to {MOST_RETRIES} times, not {job.retries}.")


def _beat_schedule(schedule: Schedule) -> dict[str, Any]:
    """The row of beat's tables that says the same; jobs share them."""
    if isinstance(schedule, Cron):
        fields = schedule.fields
        limits = {name: CrontabSchedule._meta.get_field(name).max_length for name in FIELDS}
        if any(len(value) > limits[name] for name, value in fields.items()):
            raise BadSchedule("This cron expression is too long.")
        found = CrontabSchedule.objects.filter(**fields, timezone=schedule.zone).first()
        return {"crontab": found or CrontabSchedule.objects.create(**fields, timezone=schedule.zone), "interval": None}
    unit = next(name for name, seconds in UNITS.items() if schedule.seconds % seconds == 0)
    every = schedule.seconds // UNITS[unit]
    held = IntervalSchedule.objects.filter(every=every, period=unit).first()
    return {"interval": held or IntervalSchedule.objects.create(every=every, period=unit), "crontab": None}
