"""Reads what is known of one stay at one moment: PINs, openings, wrong PINs, the locks. A fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import Q

from locks.foresight import Policy
from locks.holders import stay_end
from locks.models import Credential, Lock, LockEvent, Opening
from locks.provider import Window
from reservations.models import Reservation
from smartlock.audit.models import AuditLog
from smartlock.verdict.judge import AROUND, Case, DoorEvidence

FLAT = 5  # percent
EARLY = timedelta(hours=3)  # before check-in and after check-out a guest may try the door as well


def case_of(stay: Reservation, at: datetime, policy: Policy) -> Case:
    """``stay`` with its unit, locks and credentials fetched along."""
    pins: dict[int, list[Credential]] = defaultdict(list)
    for pin in stay.credentials.all():
        pins[pin.lock_id].append(pin)
    locks = list(stay.accommodation.locks.all())
    opened, wrong, proofs = _opened(stay, at), _wrong(locks, at), _first_proofs(stay)
    withdrawal = getattr(stay, "withdrawal", None)
    doors = (
        _door(lock, _then(pins[lock.pk], at, proofs), opened[lock.pk], wrong[lock.pk], proofs, policy, at)
        for lock in locks
    )
    return Case(
        at=at, stay=Window(stay.check_in_at, stay_end(stay)), doors=tuple(doors), is_confirmed=stay.is_confirmed(),
        withdrawn_at=withdrawal.at if withdrawal else None,
    )  # fmt: skip


def last_trouble(stay: Reservation, now: datetime) -> datetime | None:
    """When a wrong PIN was last typed while this guest might have come."""
    rows = LockEvent.objects.filter(
        lock__accommodations=stay.accommodation_id, kind=LockEvent.Kind.WRONG_PIN,
        at__range=(stay.check_in_at - EARLY, min(now, stay.check_out_at + EARLY)),
    )  # fmt: skip
    return rows.order_by("-at").values_list("at", flat=True).first()


def _then(pins: list[Credential], at: datetime, proofs: dict[int, datetime]) -> Credential | None:
    """The guest's at that moment: the last that was made by then, or the first that was made at all.

    Where a second entry was on its way, the first opened until the door had taken the second: then it is that one.
    """
    made = sorted(pins, key=lambda pin: (pin.created_at, pin.pk))
    by_then = [pin for pin in reversed(made) if pin.created_at <= at]
    held = (pin for pin in by_then if at < pin.closes_at and (_proof(pin, proofs) or at) < at)
    return next(held, next(iter(by_then), made[0] if made else None))


def _opened(stay: Reservation, at: datetime) -> dict[int, list[datetime]]:
    found: dict[int, list[datetime]] = defaultdict(list)
    mine = Q(credential__reservation=stay) | Q(credential__fallback__reservation=stay)
    rows = Opening.objects.filter(mine, at__range=(at - AROUND, at + AROUND))
    for lock, moment in rows.values_list("lock", "at"):
        found[lock].append(moment)
    return found


def _wrong(locks: list[Lock], at: datetime) -> dict[int, list[datetime]]:
    found: dict[int, list[datetime]] = defaultdict(list)
    rows = LockEvent.objects.filter(
        lock__in=locks, kind=LockEvent.Kind.WRONG_PIN, at__range=(at - AROUND, at + AROUND)
    ).order_by("at")
    for lock, moment in rows.values_list("lock", "at"):
        found[lock].append(moment)
    return found


def _door(
    lock: Lock, pin: Credential | None, opened: list[datetime], wrong: list[datetime], proofs: dict[int, datetime],
    policy: Policy, at: datetime,
) -> DoorEvidence:  # fmt: skip
    silent = lock.heard_at is not None and at - lock.heard_at >= policy.silent_after[lock.device.radio]
    offline = lock.online is False and lock.radio != Lock.Radio.WIFI
    return DoorEvidence(
        name=lock.name, wish=pin.wish if pin else None, held=pin.proven if pin else None,
        asked_at=pin.asked_at if pin else None, proven_at=_proof(pin, proofs),
        unwanted_at=pin.unwanted_at if pin else None,
        removed_at=pin.removed_at if pin else None, sleeps=lock.radio == Lock.Radio.WIFI,
        offline_since=(lock.heard_at or at - timedelta(hours=1)) if silent or offline else None,
        battery_flat=lock.battery_percent is not None and lock.battery_percent <= FLAT,
        opened=tuple(opened), wrong=tuple(wrong), log_until=lock.log_read_at,
    )  # fmt: skip


def _first_proofs(stay: Reservation) -> dict[int, datetime]:
    """When each PIN was first proven, from the audit trail: the credential keeps the last proof only."""
    rows = AuditLog.objects.filter(subject=stay.subject, action="pin.proven").order_by("-at")
    return {row.details["credential"]: row.at for row in rows if "credential" in row.details}


def _proof(pin: Credential | None, proofs: dict[int, datetime]) -> datetime | None:
    if pin is None or pin.proven is None:
        return None
    known = [at for at in (proofs.get(pin.pk), pin.first_used_at, pin.proven_at) if at is not None]
    return min(known) if known else None
