"""The job that looks into one event."""

from __future__ import annotations

from scheduler import clock
from scheduler.kinds import job
from scheduler.retry import RetryPolicy
from scheduler.runner import Run
from webhooks import services

# Stays may be away for hours; the event waits on our side. About a day in all, then the dead-letter shelf.
PATIENT = RetryPolicy(delays=(2, 4, 8, 30, 120, 600, 1800), then_every=3600, max_attempts=30)


@job(services.PROCESS, queue="default", priority=3, exclusive=True, retry=PATIENT)
def process_event(run: Run) -> None:
    services.process(run.payload["event"], now=clock.now())
