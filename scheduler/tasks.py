"""What beat ticks: its duties, each a call of one function."""

from __future__ import annotations

from celery import shared_task

from scheduler import clock, dispatcher, services, totals
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
