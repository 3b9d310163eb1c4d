"""The kinds of job that tell somebody something. Declared here, done in ``telling`` and ``notices``."""

from __future__ import annotations

from notifications import notices, telling
from notifications.planning import TELL_GUEST
from scheduler import clock
from scheduler.kinds import job
from scheduler.retry import RetryPolicy
from scheduler.runner import Run

# 2, 4, 8 s, then slower, then every quarter of an hour for as long as the stay lasts (the job expires at its end).
UNTIL_CHECK_OUT = RetryPolicy(delays=(2, 4, 8, 30, 60, 300), then_every=900, max_attempts=100_000)
A_DAY = RetryPolicy(delays=(2, 4, 8, 60, 300), then_every=3600, max_attempts=28)


@job(TELL_GUEST, queue="messages", priority=4, retry=UNTIL_CHECK_OUT)
def tell_guest(run: Run) -> None:
    telling.tell_guest(int(run.subject.partition(":")[2]), check=run.check, now=clock.now)


@job(notices.TELL_OF_QUEUE, queue="default", priority=4, retry=A_DAY)
@job(notices.TELL_OPERATOR, queue="messages", priority=4, retry=A_DAY)
def tell_operator(run: Run) -> None:
    notices.tell_operator(run.payload["notice"], check=run.check, now=clock.now)
