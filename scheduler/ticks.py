"""The standing ticks of the system as rows of django-celery-beat, created once and then the operator's to edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Tick:
    """A Celery task that beat sends every ``seconds`` to ``queue``; a tick that could not run in time expires."""

    task: str
    seconds: int
    queue: str = "ticks"


_ticks: dict[str, Tick] = {}


def tick(task: str, *, seconds: int, queue: str = "ticks") -> None:
    """A room registers a duty of its own (in ``AppConfig.ready``)."""
    _ticks[task] = Tick(task, seconds, queue)


def ensure_ticks(**_: Any) -> None:
    """After a migration: add the ticks that are missing. What an operator changed or switched off stays as it is."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    for item in _ticks.values():
        schedule, _created = IntervalSchedule.objects.get_or_create(every=item.seconds, period="seconds")
        PeriodicTask.objects.get_or_create(
            name=item.task,
            defaults={
                "task": item.task, "interval": schedule, "queue": item.queue,
                "expire_seconds": max(item.seconds, 5),
            },
        )  # fmt: skip


tick("scheduler.dispatch", seconds=settings.DISPATCH_SECONDS)
tick("scheduler.rescue", seconds=10)
tick("scheduler.prune", seconds=3600)
tick("scheduler.fold_attempts", seconds=60)
