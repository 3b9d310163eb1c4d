"""Reads what ``locks.fallback`` decides on: which codes a guest has at a door, and what could replace them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from locks.fallback import Backup, DoorFacts, Offline, next_look
from locks.holders import Holder
from locks.models import Credential, Lock
from locks.plan import LOOK, WantedJob, is_entitled
from locks.proof import FROZEN
from locks.provider import LockProvider, Window


def warn_before() -> timedelta:
    return timedelta(minutes=settings.FALLBACK_WARN_MINUTES)


def wanted_looks(holder: Holder, credentials: Iterable[Credential], now: datetime) -> list[WantedJob]:
    """The looks at doors that should be planned for a guest: only where a PIN was begun and is not proven in full."""
    if not holder.is_watched or not is_entitled(holder, now):
        return []
    own = list(credentials)
    begun = {c.lock_id for c in own if c.wanted} | holder.replaced
    looks = []
    for lock_id in begun & holder.doors():
        due_at = next_look(
            holder.window, ways(holder, lock_id, own), warned_for(holder, lock_id), warn_before=warn_before()
        )
        if due_at is not None:
            looks.append(WantedJob(LOOK, lock_id, due_at, expires_at=holder.ends_at))
    return sorted(looks, key=lambda job: job.lock_id)


def ways(holder: Holder, lock_id: int, own: Iterable[Credential]) -> tuple[Window, ...]:
    """The windows of all codes that the guest has at this door and that the door was seen to hold.

    ``own`` are the guest's PINs. One that bridges opens until the one after it is proven, so it is a way in too; where
    a backup has taken the place of the guest's PINs, none of them counts: they are on their way out.
    """
    kept = [one for one in own if one.lock_id == lock_id and lock_id in holder.locks and (one.wanted or one.bridges)]
    found = [one.way(holder.window) for one in holder.fallbacks if one.lock_id == lock_id and one.kind]
    return tuple(way for way in [*(one.standing() for one in kept), *found] if way is not None)


def wanted_of(own: Iterable[Credential]) -> Credential | None:
    """The one PIN at a door that is to be there; what else is there bridges or is on its way out."""
    return next((one for one in own if one.wanted), None)


def warned_for(holder: Holder, lock_id: int) -> datetime | None:
    """The T of the last warning about this door."""
    told = [one.shut_from for one in holder.fallbacks if one.lock_id == lock_id and one.warned_at is not None]
    return max(told, default=None)


def door_facts(
    holder: Holder, lock: Lock, own: list[Credential], last_change: datetime, provider: LockProvider, now: datetime
) -> DoorFacts:
    """All that the decision about this door depends on; ``own`` are the guest's PINs there, not proven gone."""
    wanted = wanted_of(own)
    return DoorFacts(
        stay=holder.window,
        ways=ways(holder, lock.pk, own),
        last_change=last_change if wanted is None else _changed_at(wanted, last_change, now),
        warned_for=warned_for(holder, lock.pk),
        offline=offline_of(lock, provider),
        backups=tuple(idle_backups(lock)),
    )


def _changed_at(wanted: Credential, stay_changed_at: datetime, now: datetime) -> datetime:
    """When the lock was last given something new of it, or could be: where it is yet to be asked for other times, from
    the change of the stay; where the digits are frozen, from the end of the entry that had them first.
    """
    last = wanted.asked_at or wanted.created_at
    if wanted.asked is not None and wanted.asked != wanted.wish:
        last = max(last, stay_changed_at)
    if wanted.error_code != FROZEN:
        return last
    first = Credential.objects.filter(lock=wanted.lock_id, pin_fingerprint=wanted.pin_fingerprint, wanted=False)
    return max([last, *first.filter(ends_at__lte=now).values_list("ends_at", flat=True)])


def offline_of(lock: Lock, provider: LockProvider) -> Offline:
    """What the operator, or an earlier try, says of this lock; where nobody has, what its brand says."""
    if lock.offline_codes is not None:
        return Offline.YES if lock.offline_codes else Offline.NO
    return Offline.UNTRIED if provider.capabilities(lock.device).offline_codes else Offline.NO


def idle_backups(lock: Lock) -> list[Backup]:
    """The backups of this lock that nobody has and that it was seen to hold."""
    rows = Credential.objects.filter(
        lock=lock, purpose=Credential.Purpose.BACKUP, wanted=True, removed_at__isnull=True, fallback__isnull=True
    )
    proven = ((row, row.standing()) for row in rows if row.pin_sealed)
    return [Backup(row.pk, window) for row, window in proven if window is not None]
