"""What is due soon is told to Celery as soon as it is committed; the dispatcher finds all the rest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from scheduler import publisher
from scheduler.models import Job
from scheduler.publisher import Message


def horizon(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.HORIZON_SECONDS)


def published_if_near(run_at: datetime, now: datetime) -> datetime | None:
    """A near job counts as published from its commit on; should its message get lost, the dispatcher sends another."""
    return now if run_at <= horizon(now) else None


def announce_near(now: datetime, ids: Iterable[int]) -> None:
    """After the commit, tell Celery of those jobs that are due inside the horizon; the dispatcher finds the others."""
    near = Job.objects.filter(pk__in=list(ids), state=Job.State.SCHEDULED, run_at__lte=horizon(now))
    announce(now, *map(Message.of, near))


def announce(now: datetime, *messages: Message) -> None:
    limit = horizon(now)
    near = [message for message in messages if message.run_at <= limit]
    if near:
        transaction.on_commit(lambda: publisher.announce(near), robust=True)
