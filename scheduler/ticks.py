"""The standing ticks of the system as rows of django-celery-beat, created once and then the operator's to edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Tick:
    """A Celery task that beat sends to ``queue`` every ``seconds``, or daily ``at`` a time by the operator's clock.

    A tick that could not run before the next one expires.
    """

    task: str
    seconds: int
    queue: str = "ticks"
    at: str = ""


_ticks: dict[str, Tick] = {}


def tick(task: str, *, seconds: int, queue: str = "ticks") -> None:
    """A room registers a duty of its own (in ``AppConfig.ready``)."""
    _ticks[task] = Tick(task, seconds, queue)


def daily(task: str, at: str, *, queue: str = "ticks") -> None:
    """The same once a day, ``at`` such as 03:20 in TIME_ZONE: at night, also where and when clocks jump."""
    _ticks[task] = Tick(task, 24 * 3600, queue, at)


def ensure_ticks(**_: Any) -> None:
    """After a migration: add the ticks that are missing. What an operator changed or switched off stays as it is."""
    from django_celery_beat.models import PeriodicTask

    for item in _ticks.values():
        if PeriodicTask.objects.filter(name=item.task).exists():
            continue
        PeriodicTask.objects.create(
            name=item.task, task=item.task, queue=item.queue, expire_seconds=max(item.seconds, 5), **_schedule(item)
        )


def _schedule(item: Tick) -> dict[str, Any]:
    from django_celery_beat.models import CrontabSchedule, IntervalSchedule

    if not item.at:
        return {"interval": IntervalSchedule.objects.get_or_create(every=item.seconds, period="seconds")[0]}
    hour, _colon, minute = item.at.partition(":")
    crontab, _created = CrontabSchedule.objects.get_or_create(
        hour=str(int(hour)), minute=str(int(minute)), day_of_week="*", day_of_month="*", month_of_year="*",
        timezone=settings.TIME_ZONE,
    )  # fmt: skip
    return {"crontab": crontab}


tick("scheduler.dispatch", seconds=settings.DISPATCH_SECONDS)
tick("scheduler.rescue", seconds=10)
tick("scheduler.prune", seconds=3600)
tick("scheduler.fold_attempts", seconds=60)
