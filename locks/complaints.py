"""What a lock complains of: wrong PINs, tampering. Read like the open log; what is alarming begins an incident."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from locks import clockwatch, doors, incidents
from locks.models import Lock, LockEvent, LockIncident
from locks.openings import FIRST_LOOK, LATE
from locks.provider import DoorAlarm

Kind = LockEvent.Kind
ALARMING = (Kind.TAMPER, Kind.DURESS)
TOGETHER = timedelta(minutes=15)  # wrong PINs within this are one person's tries
STALE = timedelta(days=2)  # what a lock hands in later than this is history, no alarm


def import_events(lock: Lock, *, now: datetime) -> int:
    """Read what is new among the lock's alarms; returns how many. Raises DoorError; may be repeated."""
    since = lock.alarms_read_at - LATE[Lock.Radio(lock.radio)] if lock.alarms_read_at else now - FIRST_LOOK
    found = doors.provider_for(lock.provider).alarms(lock.device, since, now)
    new = record_events(lock, found, now=now)
    Lock.objects.filter(pk=lock.pk).update(alarms_read_at=now)
    clockwatch.look_for_refusals(lock, log_until=lock.log_read_at, now=now)
    return new


@transaction.atomic
def record_events(lock: Lock, alarms: Iterable[DoorAlarm], *, now: datetime) -> int:
    """Write down those that are not known yet, and call a person where that is due. Returns how many were new."""
    found = {(one.at, one.kind.value, one.detail[:64]) for one in alarms}
    if not found:
        return 0
    since = min(at for at, *_ in found)
    known = set(LockEvent.objects.filter(lock=lock, at__gte=since).values_list("at", "kind", "word"))
    new = sorted(found - known)
    if not new:
        return 0
    rows = [LockEvent(lock=lock, at=at, kind=kind, word=word, recorded_at=now) for at, kind, word in new]
    LockEvent.objects.bulk_create(rows, ignore_conflicts=True)
    latest = rows[-1].at
    Lock.objects.filter(Q(heard_at__isnull=True) | Q(heard_at__lt=latest), pk=lock.pk).update(heard_at=latest)
    _raise_alarm(lock, rows, now=now)
    return len(rows)


def _raise_alarm(lock: Lock, new: Sequence[LockEvent], *, now: datetime) -> None:
    fresh = [row for row in new if row.at > now - STALE]
    for row in fresh:
        if row.kind in ALARMING:
            incident = incidents.open_incident(lock, LockIncident.Kind.TAMPER, began_at=row.at, last_at=row.at)
            incidents.tell_once(incident, {"what": row.kind, "at": row.at}, now=now)
    wrong = [row.at for row in fresh if row.kind == Kind.WRONG_PIN]
    if wrong:
        times = LockEvent.objects.filter(lock=lock, kind=Kind.WRONG_PIN, at__gte=min(wrong) - TOGETHER)
        crowd = densest(sorted(times.values_list("at", flat=True)), TOGETHER)
        if len(crowd) >= settings.WRONG_PIN_ALARM:
            incident = incidents.open_incident(
                lock, LockIncident.Kind.WRONG_PINS, began_at=crowd[0], last_at=crowd[-1]
            )  # fmt: skip
            incidents.tell_once(incident, {"count": len(crowd), "at": crowd[0]}, now=now)


def densest(times: Sequence[datetime], within: timedelta) -> Sequence[datetime]:
    """The largest run of sorted ``times`` that fits into ``within``."""
    best: Sequence[datetime] = ()
    start = 0
    for end in range(len(times)):
        while times[end] - times[start] > within:
            start += 1
        if end + 1 - start > len(best):
            best = times[start : end + 1]
    return best
