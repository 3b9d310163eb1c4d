"""What the rooms below tell us, inside the transaction in which it becomes true."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from reservations.models import Accommodation
from scheduler import clock
from scheduler.models import Job
from scheduler.signals import job_failed
from webhooks import inbox
from webhooks.models import WebhookEvent

State = WebhookEvent.State


def connect() -> None:
    job_failed.connect(shelve_events, dispatch_uid="webhooks.shelve_events")
    post_save.connect(try_parked_events, sender=Accommodation, dispatch_uid="webhooks.try_parked_events")


def shelve_events(job: Job, error: str, **_: Any) -> None:
    """A job that is given up takes its events along, so that none waits for nobody."""
    if job.kind != inbox.PROCESS:
        return
    event = WebhookEvent.objects.filter(pk=job.payload["event"]).only("external_id").first()
    if event is not None:
        mine = WebhookEvent.objects.filter(state=State.RECEIVED, handed_on_at__isnull=False)
        mine = mine.filter(external_id=event.external_id) if event.external_id else mine.filter(pk=event.pk)
        inbox.shelve(mine, error, now=clock.now())


def try_parked_events(instance: Accommodation, **_: Any) -> None:
    """A listing has got its unit: what was parked for want of it goes through."""
    if instance.external_id:
        parked = WebhookEvent.objects.filter(state=State.PARKED, listing_id=instance.external_id)
        inbox.put_back(parked, now=clock.now())
