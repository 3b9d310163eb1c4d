"""What beat ticks and the engine's own recurring jobs: its duties, each a call of one function."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils.translation import gettext_lazy as _

from scheduler import clock, dispatcher, forgotten, pool, services, totals
from scheduler import rescue as rescuer
from scheduler.kinds import job
from scheduler.recurring import execution, process, runs
from scheduler.recurring import services as recurring_jobs
from scheduler.recurring.categories import MAINTENANCE
from scheduler.recurring.models import LONGEST_TIMEOUT, MOST_RETRIES
from scheduler.recurring.targets import Call, recurring
from scheduler.retry import RetryPolicy
from scheduler.runner import Run

# How often is the recurring job's own affair; ``execution`` stops in time.
AS_ITS_JOB_SAYS = RetryPolicy(delays=(30, 60, 120, 300), max_attempts=MOST_RETRIES + 1)


@shared_task(name="scheduler.dispatch", ignore_result=True)
def dispatch() -> int:
    return dispatcher.dispatch(now=clock.now())


@shared_task(name="scheduler.rescue", ignore_result=True)
def rescue() -> int:
    return rescuer.rescue(now=clock.now())


@shared_task(name="scheduler.start_recurring", ignore_result=True)
def start_recurring(slug: str = "") -> int:
    """Beat knocks for one job at its time, and for all of them twice a minute, should a knock have got lost."""
    if not slug:
        runs.settle(now=clock.now())
    return recurring_jobs.start_due(now=clock.now(), slug=slug)


@job(recurring_jobs.RUN, queue="sync", retry=AS_ITS_JOB_SAYS, batch=1, time_limit=LONGEST_TIMEOUT + 60)
def run_recurring(run: Run) -> None:
    execution.execute(run, perform=process.perform, now=clock.now)


@recurring(
    "prune-jobs", title=_("Delete old jobs and runs"), category=MAINTENANCE, every=3600, formerly="scheduler.prune"
)
def prune(call: Call) -> None:
    services.prune(now=clock.now())
    runs.forget_old(now=clock.now())


@shared_task(name="scheduler.fold_attempts", ignore_result=True)
def fold_attempts() -> int:
    return totals.fold(now=clock.now())


@shared_task(name="scheduler.check_queues", ignore_result=True)
def check_queues() -> int:
    return forgotten.check(now=clock.now())


@worker_shutting_down.connect
def hand_back(**more: Any) -> None:
    """SIGTERM: what this worker has claimed and not begun goes to another at once."""
    pool.stop()
