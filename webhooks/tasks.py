"""The jobs and ticks of the inbox: sort what came, look into one reservation, forget what is old."""

from __future__ import annotations

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from scheduler import clock
from scheduler.kinds import job
from scheduler.recurring.categories import MAINTENANCE
from scheduler.recurring.targets import Call, recurring
from scheduler.retry import RetryPolicy
from scheduler.runner import Run
from webhooks import inbox, retention, services

# Stays may be away for hours; the event waits on our side. About a day in all, then the dead-letter shelf.
PATIENT = RetryPolicy(delays=(2, 4, 8, 30, 120, 600, 1800), then_every=3600, max_attempts=30)


@job(inbox.SORT, queue="default", priority=2, exclusive=True)
def sort_inbox(run: Run) -> None:
    inbox.sort(now=clock.now())


@job(inbox.PROCESS, queue="default", priority=3, exclusive=True, retry=PATIENT)
def process_event(run: Run) -> None:
    services.process(run.payload["event"], now=clock.now())


@shared_task(name="webhooks.look_after_inbox", ignore_result=True)
def look_after_inbox() -> int:
    """The net under the jobs above."""
    now = clock.now()
    inbox.look_after(now=now)
    return inbox.sort(now=now)


@recurring(
    "prune-events", title=_("Delete old webhook events"), category=MAINTENANCE, every=3600, formerly="webhooks.prune"
)
def prune(call: Call) -> None:
    retention.prune(now=clock.now())
