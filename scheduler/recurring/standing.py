"""The product's own recurring jobs, made or brought up to date at every start. What an operator changed stays."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from scheduler import clock
from scheduler.recurring import categories, schedules, targets
from scheduler.recurring.models import RecurringJob
from scheduler.recurring.targets import Target


def ensure_recurring(**_: Any) -> None:
    """After a migration: the standing jobs, a row beside each tick of the engine, and next times that are missing."""
    now = clock.now()
    for target in targets.every_target():
        if target.is_standing and not RecurringJob.objects.filter(slug=target.name).exists():
            _make(target, now)
    _show_ticks(now)
    for job in RecurringJob.objects.filter(task__enabled=True, next_run_at=None).exclude(target=""):
        RecurringJob.objects.filter(pk=job.pk).update(next_run_at=job.schedule.next_after(now, now))


@transaction.atomic
def _make(target: Target, now: datetime) -> None:
    """From nothing, or from the tick of an older version with the schedule and the switch it had."""
    from django_celery_beat.models import PeriodicTask

    from scheduler.recurring import services

    tick = PeriodicTask.objects.filter(name=target.formerly).first() if target.formerly else None
    if tick is None or (tick.interval is None and tick.crontab is None):
        services.create(target.name, target=target.name, schedule=_schedule(target), now=now)
        return
    tick.name, tick.task, tick.kwargs = target.name, services.KNOCK, json.dumps({"slug": target.name})
    tick.queue, tick.expire_seconds = "ticks", 60
    tick.save()
    RecurringJob.objects.create(
        task=tick, slug=target.name, target=target.name, category=target.category, timeout=target.timeout
    )


def _schedule(target: Target) -> schedules.Schedule:
    if target.every:
        return schedules.every(target.every)
    hour, _colon, minute = target.at.partition(":")
    return schedules.cron(f"{int(minute)} {int(hour)} * * *", settings.TIME_ZONE)


def _show_ticks(now: datetime) -> None:
    from django_celery_beat.models import PeriodicTask

    from scheduler.ticks import names

    for tick in PeriodicTask.objects.filter(name__in=names(), recurring=None):
        slug = tick.name.replace(".", "-").replace("_", "-")
        RecurringJob.objects.create(task=tick, slug=slug, category=categories.SYSTEM, created_at=now, updated_at=now)
