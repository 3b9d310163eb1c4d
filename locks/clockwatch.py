"""Looks at what a lock did, as ``timekeeping`` judges it: begins and ends the incident of a wrong clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from locks import incidents
from locks.models import Credential, Lock, LockEvent, LockIncident, Opening
from locks.timekeeping import ARRIVAL, SETTLED, TOGETHER, Deed, Finding, Held, farthest, is_refuted, refusals, sign_of

KIND = LockIncident.Kind.CLOCK


def judge_openings(
    lock: Lock, made: Iterable[Opening], pins: Iterable[Credential], log_delay: timedelta, *, now: datetime
) -> None:
    """What these new openings say of the lock's clock. Only those count whose PIN the lock named itself."""
    held = {row.pk: _held(row) for row in pins if row.removed_at is None}
    for opening in sorted(made, key=lambda one: one.at):
        named = opening.credential_id if opening.matched_by == Opening.Match.REFERENCE else None
        pin = held.get(named) if named is not None else None
        if pin is None:
            continue
        deed = Deed(opening.at, opening.recorded_at, pin)
        found = sign_of(deed, log_delay)
        if found is not None:
            _tell(lock, found, now=now)
        elif (running := _running(lock)) is not None and is_refuted(deed, running.clock_off, running.last_at):
            incidents.close(running, now=now)


def look_for_refusals(lock: Lock, *, log_until: datetime | None, now: datetime) -> None:
    """Whether somebody with a proven PIN was refused, as far as the lock's reports and its log are known."""
    if log_until is None:
        return
    reports = LockEvent.objects.filter(
        lock=lock, kind=LockEvent.Kind.WRONG_PIN, at__gt=now - ARRIVAL - TOGETHER, at__lte=log_until - SETTLED
    )
    wrong = sorted(reports.values_list("at", flat=True))
    if not wrong:
        return
    rows = Credential.objects.filter(
        lock=lock, wanted=True, state=Credential.State.ON_LOCK, first_used_at__isnull=True,
        lock_starts_at__lte=wrong[-1], lock_ends_at__gt=wrong[0],
    ).exclude(purpose=Credential.Purpose.BACKUP)  # fmt: skip
    entered = Opening.objects.filter(lock=lock, credential__isnull=False, at__gte=wrong[0]).values_list("at", flat=True)
    found = refusals(wrong, list(entered), [pin for row in rows if (pin := _held(row))], log_until)
    if found is not None:
        _tell(lock, found, now=now)


@transaction.atomic
def _tell(lock: Lock, found: Finding, *, now: datetime) -> None:
    """A refusal says less than an opening: it is never what a known error is replaced by."""
    incident = incidents.open_incident(lock, KIND, began_at=min(found.at, now), last_at=found.at)
    if found.is_certain:
        off = farthest(incident.clock_off, found.off)
        LockIncident.objects.filter(pk=incident.pk).update(off_minutes=round(off.total_seconds() / 60))
    facts = {"sign": found.sign.value, "at": found.at, "off": abs(found.off)}
    incidents.tell_once(incident, facts, now=now)


def _running(lock: Lock) -> LockIncident | None:
    return LockIncident.objects.select_related("lock").filter(lock=lock, kind=KIND, ended_at__isnull=True).first()


def _held(row: Credential) -> Held | None:
    """Only what was proven, and not asked otherwise since."""
    if row.proven is None or row.proven_at is None or row.asked != row.proven or row.removed_at is not None:
        return None
    return Held(row.proven, row.proven_at, row.first_used_at)
