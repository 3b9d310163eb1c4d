"""Troubles of a lock from beginning to end. The operators hear of each once, and of its end only when it was long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from locks.models import Lock, LockIncident
from locks.signals import lock_needs_help, lock_recovered
from smartlock.audit.services import record

NEWS = timedelta(hours=24)  # the end of a shorter trouble is not worth a message
Kind = LockIncident.Kind


def open_incident(lock: Lock, kind: LockIncident.Kind, *, began_at: datetime, last_at: datetime) -> LockIncident:
    """The incident of that kind that is going on, begun if there is none; ``last_at`` is the latest sign of it."""
    running = LockIncident.objects.filter(lock=lock, kind=kind, ended_at__isnull=True).first()
    if running is None:
        try:
            with transaction.atomic():
                return LockIncident.objects.create(lock=lock, kind=kind, began_at=began_at, last_at=last_at)
        except IntegrityError:  # somebody noticed it in this very moment
            return LockIncident.objects.get(lock=lock, kind=kind, ended_at__isnull=True)
    if last_at > running.last_at:
        LockIncident.objects.filter(pk=running.pk).update(last_at=last_at)
        running.last_at = last_at
    return running


@transaction.atomic
def tell_once(incident: LockIncident, facts: Mapping[str, object], *, now: datetime) -> bool:
    """Call a person, unless that was done. ``facts`` are plain values for the sentence. False when it was."""
    if not LockIncident.objects.filter(pk=incident.pk, told_at__isnull=True).update(told_at=now):
        return False
    incident.told_at = now
    record(f"lock.{incident.kind}", f"lock:{incident.lock_id}", summary=incident.lock.name)
    lock_needs_help.send(LockIncident, incident=incident, facts=facts)
    return True


@transaction.atomic
def close(incident: LockIncident, *, now: datetime) -> None:
    """It is over. Told only to those who were told of its beginning, and only after a long time."""
    if not LockIncident.objects.filter(pk=incident.pk, ended_at__isnull=True).update(ended_at=now):
        return
    incident.ended_at = now
    if incident.told_at is not None and now - incident.began_at >= NEWS:
        lock_recovered.send(LockIncident, incident=incident)
