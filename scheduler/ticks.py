"""The pulse of the system as rows of django-celery-beat: short ticks that beat sends directly, every few seconds.

What takes longer, or should have a history, is a recurring job (``scheduler.recurring``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Tick:
    """A Celery task that beat sends every ``seconds``. A tick that could not run before the next one expires."""

    task: str
    seconds: int
    queue: str = "ticks"


_ticks: dict[str, Tick] = {}


def tick(task: str, *, seconds: int, queue: str = "ticks") -> None:
    """A room registers a duty of its own (in ``AppConfig.ready``)."""
    _ticks[task] = Tick(task, seconds, queue)


def names() -> list[str]:
    return sorted(_ticks)


def ensure_ticks(**_: Any) -> None:
    """After a migration: add the ticks that are missing; one that is there stays as it is."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    for item in _ticks.values():
        if PeriodicTask.objects.filter(name=item.task).exists():
            continue
        interval = IntervalSchedule.objects.filter(every=item.seconds, period="seconds").first()
        PeriodicTask.objects.create(
            name=item.task, task=item.task, queue=item.queue, expire_seconds=max(item.seconds, 5),
            interval=interval or IntervalSchedule.objects.create(every=item.seconds, period="seconds"),
        )  # fmt: skip


tick("scheduler.dispatch", seconds=settings.DISPATCH_SECONDS)
tick("scheduler.rescue", seconds=10)
tick("scheduler.start_recurring", seconds=30)
tick("scheduler.fold_attempts", seconds=60)
tick("scheduler.check_queues", seconds=60)
