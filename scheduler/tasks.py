"""What beat ticks: its duties, each a call of one function."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from scheduler import clock, dispatcher, pool, services, totals
from scheduler import rescue as rescuer


@shared_task(name="scheduler.dispatch", ignore_result=True)
def dispatch() -> int:
    return dispatcher.dispatch(now=clock.now())


@shared_task(name="scheduler.rescue", ignore_result=True)
def rescue() -> int:
    return rescuer.rescue(now=clock.now())


@shared_task(name="scheduler.prune", ignore_result=True)
def prune() -> int:
    return services.prune(now=clock.now())


@shared_task(name="scheduler.fold_attempts", ignore_result=True)
def fold_attempts() -> int:
    return totals.fold(now=clock.now())


@worker_shutting_down.connect
def hand_back(**_: Any) -> None:
    """SIGTERM: what this worker has claimed and not begun goes to another at once."""
    pool.stop()
