"""Looks after the locks: opens and closes their incidents, and calls a person when ``foresight`` says it is time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.db.models import Max, Q

from locks import incidents
from locks.foresight import Concern, Expected, LockFacts, Policy, concerns
from locks.models import AccommodationLock, BatteryReading, Credential, Lock, LockIncident
from locks.provider import Radio, Window
from reservations.models import Reservation

HORIZON = timedelta(days=60)
QUIET = timedelta(hours=6)  # an alarm that has not come again for so long is over
CLOCK_QUIET = timedelta(days=3)  # nobody sees a clock that is right again before a stay begins or ends
WATCHED = (LockIncident.Kind.BATTERY, LockIncident.Kind.SILENT)


def policy() -> Policy:
    gateway = timedelta(hours=settings.LOCK_SILENT_HOURS)
    wifi = timedelta(hours=settings.LOCK_SILENT_HOURS_WIFI)
    return Policy(
        low_percent=settings.BATTERY_LOW_PERCENT, silent_after={"wifi": wifi, "zigbee": gateway, "ble": gateway}
    )


def look_after(*, now: datetime) -> int:
    """Every lock of an active unit, in a few queries. Returns how many times a person was called."""
    locks = list(Lock.objects.filter(accommodations__active=True).distinct())
    rules, told = policy(), 0
    open_ones = _open_incidents(locks)
    for lock, facts in facts_of(locks, now=now).items():
        present = {LockIncident.Kind(one.trouble.value): one for one in concerns(facts, rules, now)}
        for kind, concern in present.items():
            told += _look(lock, kind, concern, open_ones.get((lock.pk, kind)), now=now)
        for kind in WATCHED:
            running = open_ones.get((lock.pk, kind))
            if running is not None and kind not in present:
                incidents.close(running, now=now)
    for incident in _quiet(now):
        incidents.close(incident, now=now)
    return told


def _quiet(now: datetime) -> Iterable[LockIncident]:
    """Those that nothing is seen of any more, except what is looked at in every round."""
    is_clock = Q(kind=LockIncident.Kind.CLOCK)
    quiet = Q(is_clock, last_at__lt=now - CLOCK_QUIET) | Q(~is_clock, last_at__lt=now - QUIET)
    over = LockIncident.objects.filter(quiet, ended_at__isnull=True).exclude(kind__in=WATCHED)
    return over.select_related("lock")


def _look(
    lock: Lock, kind: LockIncident.Kind, concern: Concern, running: LockIncident | None, *, now: datetime
) -> bool:
    incident = running or incidents.open_incident(lock, kind, began_at=concern.since, last_at=now)
    if incident.told_at is not None or concern.tell_at is None or now < concern.tell_at:
        return False
    facts = {"percent": lock.battery_percent, "since": concern.since, "need_at": concern.need_at,
             "turnover": concern.turnover}  # fmt: skip
    return incidents.tell_once(incident, facts, now=now)


def facts_of(locks: Sequence[Lock], *, now: datetime) -> dict[Lock, LockFacts]:
    """What ``foresight`` looks at, for many locks in a few queries.

    Who is expected says how urgent a trouble is, not whether there is one: it is read for locks in trouble only.
    """
    rules = policy()
    known = _facts(locks, rules, now)
    stays = _stays([lock.pk for lock, facts in known.items() if concerns(facts, rules, now)], now)
    return {lock: replace(facts, stays=tuple(stays[lock.pk])) for lock, facts in known.items()}


def _facts(locks: Sequence[Lock], rules: Policy, now: datetime) -> dict[Lock, LockFacts]:
    """A lock that was heard of lately needs no older proof of it, nor a backup that would stand in."""
    quiet = [lock.pk for lock in locks if not _was_heard(lock, rules, now)]
    low = [lock.pk for lock in locks if lock.battery_percent is not None and lock.battery_percent <= rules.low_percent]
    batteries = _batteries(low)
    proofs = dict(
        Credential.objects.filter(lock__in=quiet).order_by().values("lock").annotate(at=Max("proven_at"))
        .values_list("lock", "at")
    )  # fmt: skip
    backups = dict(
        Credential.objects.filter(
            lock__in=quiet, purpose=Credential.Purpose.BACKUP, wanted=True, state=Credential.State.ON_LOCK
        ).order_by().values("lock").annotate(until=Max("ends_at")).values_list("lock", "until")
    )  # fmt: skip
    return {
        lock: LockFacts(
            radio=cast(Radio, lock.radio),
            heard_at=max((at for at in (lock.heard_at, proofs.get(lock.pk)) if at), default=None),
            batteries=tuple(batteries[lock.pk]),
            backup_until=backups.get(lock.pk),
        )
        for lock in locks
    }  # fmt: skip


def _was_heard(lock: Lock, rules: Policy, now: datetime) -> bool:
    return lock.heard_at is not None and now - lock.heard_at < rules.silent_after[cast(Radio, lock.radio)]


def _batteries(ids: Iterable[int]) -> dict[int, list[tuple[datetime, int]]]:
    found: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    rows = BatteryReading.objects.filter(lock__in=ids).order_by("lock", "at", "pk")
    for lock_id, at, percent in rows.values_list("lock", "at", "percent"):
        found[lock_id].append((at, percent))
    return found


def _stays(ids: Iterable[int], now: datetime) -> dict[int, list[Expected]]:
    """Who is behind each lock or will be, in the next two months."""
    links = AccommodationLock.objects.filter(lock__in=ids, accommodation__active=True)
    doors: dict[int, list[int]] = defaultdict(list)
    for unit, lock in links.values_list("accommodation", "lock"):
        doors[unit].append(lock)
    coming = Reservation.objects.filter(
        accommodation__in=list(doors), status__in=Reservation.CONFIRMED, check_out_at__gt=now,
        check_in_at__lt=now + HORIZON,
    ).order_by("check_in_at").values_list("pk", "accommodation", "check_in_at", "check_out_at")  # fmt: skip
    ready = set(
        Credential.objects.filter(
            lock__in=ids, wanted=True, state=Credential.State.ON_LOCK, reservation__check_out_at__gt=now
        ).values_list("reservation", "lock")
    )
    found: dict[int, list[Expected]] = defaultdict(list)
    for stay, unit, check_in_at, check_out_at in coming:
        for lock in doors[unit]:
            found[lock].append(Expected(Window(check_in_at, check_out_at), (stay, lock) in ready))
    return found


def _open_incidents(locks: Sequence[Lock]) -> dict[tuple[int, str], LockIncident]:
    rows = LockIncident.objects.filter(lock__in=locks, ended_at__isnull=True).select_related("lock")
    return {(row.lock_id, row.kind): row for row in rows}
