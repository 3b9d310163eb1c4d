"""What the rooms below tell us, inside the transaction in which it becomes true."""

from __future__ import annotations

from typing import Any

from reservations.models import Reservation
from reservations.signals import guests_erased, listings_mapped
from scheduler import clock
from scheduler.models import Job
from scheduler.signals import job_failed
from webhooks import inbox
from webhooks.models import WebhookEvent

State = WebhookEvent.State


def connect() -> None:
    job_failed.connect(shelve_events, dispatch_uid="webhooks.shelve_events")
    listings_mapped.connect(try_parked_events, dispatch_uid="webhooks.try_parked_events")
    guests_erased.connect(erase_bytes, dispatch_uid="webhooks.erase_bytes")


def shelve_events(job: Job, error: str, **_: Any) -> None:
    """A job that is given up takes its events along, so that none waits for nobody."""
    if job.kind != inbox.PROCESS:
        return
    event = WebhookEvent.objects.filter(pk=job.payload["event"]).only("external_id").first()
    if event is not None:
        mine = WebhookEvent.objects.filter(state=State.RECEIVED, handed_on_at__isnull=False)
        mine = mine.filter(external_id=event.external_id) if event.external_id else mine.filter(pk=event.pk)
        inbox.shelve(mine, error, now=clock.now())


def try_parked_events(listing_ids: list[str], **_: Any) -> None:
    """Listings have got their units: what was parked for want of them goes through."""
    parked = WebhookEvent.objects.filter(state=State.PARKED, listing_id__in=listing_ids)
    inbox.put_back(parked, now=clock.now())


def erase_bytes(reservations: list[Reservation], **_: Any) -> int:
    """A guest is forgotten: of the events about the stay there remains that they came, and what became of them."""
    names = {name for stay in reservations for name in (stay.external_id, stay.short_id) if name}
    return WebhookEvent.objects.filter(external_id__in=names).exclude(body=b"").update(body=b"", headers={})
