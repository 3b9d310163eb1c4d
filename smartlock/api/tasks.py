from __future__ import annotations

from celery import shared_task

from scheduler import clock
from smartlock.api import idempotency


@shared_task(name="api.forget_answers", ignore_result=True)
def forget_answers() -> int:
    return idempotency.forget(now=clock.now())
