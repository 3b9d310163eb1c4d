"""Chooses the digits of a holder for all its doors at once and writes the credentials, before any lock is called."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from locks import pins, sealing
from locks.errors import Capacity
from locks.fallback import NEAR
from locks.holders import Holder
from locks.models import Credential, Lock
from locks.signals import credential_changed

RECENT = timedelta(days=30)  # a PIN that expired this recently is not given to somebody else


@transaction.atomic
def allocate(holder: Holder, *, now: datetime) -> list[Credential]:
    """A wanted credential on every door of the holder; those that are missing are made, with equal digits where
    lengths agree. Four statements, however many doors and PINs there are.

    Locks are held in order, so that two holders on a shared door never choose at the same time. Raises Capacity.
    """
    locks = list(Lock.objects.select_for_update(no_key=True).filter(pk__in=holder.locks).order_by("pk"))
    present = list(holder.credentials().filter(wanted=True, lock__in=locks).select_related("lock"))
    have = {credential.lock_id: credential for credential in present}
    if all(lock.pk in have for lock in locks):
        return present
    taken = _taken(locks, holder, now)
    groups: dict[tuple[int, str], list[Lock]] = defaultdict(list)
    for lock in locks:
        groups[lock.digits_needed, lock.pin_digits].append(lock)
    made: list[Credential] = []
    for (length, digits), doors in groups.items():
        missing = [lock for lock in doors if lock.pk not in have]
        if missing:
            known = [have[lock.pk] for lock in doors if lock.pk in have]
            pin = _digits_of_the_holder(known, length, digits, taken) or pins.choose(length, digits, taken)
            made += [_new(holder, lock, pin) for lock in missing]
    Credential.objects.bulk_create(made)
    for credential in made:
        credential_changed.send(Credential, credential=credential, settled=False)
    return present + made


def _digits_of_the_holder(
    known: list[Credential], length: int, digits: str, taken: Callable[[str], bool]
) -> str | None:  # fmt: skip
    """A door that was added later gets the digits the guest already knows, unless somebody else is near them there.

    Nor does it where the locks' length or digits were changed since: it would not take them.
    """
    for pin in (sealing.unseal(one.pin_sealed) for one in known if one.pin_sealed):
        if len(pin) == length and set(pin) <= set(digits) and pins.is_free(pin, taken):
            return pin
    return None


def _taken(locks: list[Lock], holder: Holder, now: datetime) -> Callable[[str], bool]:
    """Whether digits are, or were until recently, somebody's on one of these doors.

    The holder's own present digits do not stand in its way; its former ones do, so that "new PIN" means new.
    """
    recent = Q(removed_at__isnull=True) | Q(removed_at__gt=now - RECENT) | Q(ends_at__gt=now - RECENT)
    prints = set(
        Credential.objects.filter(recent, lock__in=locks)
        .exclude(**holder.keys, wanted=True)
        .values_list("pin_fingerprint", flat=True)
    )
    return lambda pin: sealing.fingerprint(pin) in prints


def _new(holder: Holder, lock: Lock, pin: str) -> Credential:
    return Credential(
        **holder.keys | {"lock": lock}, name=new_name(),
        pin_sealed=sealing.seal(pin), pin_fingerprint=sealing.fingerprint(pin),
        starts_at=holder.starts_at, ends_at=holder.ends_at,
    )  # fmt: skip


def new_name() -> str:
    """Unique on every lock, so that a PIN is found again by it after a lost answer."""
    return f"SL {secrets.token_hex(6)}"


def anew(old: Credential) -> Credential:
    """The same digits for the same holder at the same door, as an entry that the lock was never asked for."""
    return Credential(
        purpose=old.purpose, reservation_id=old.reservation_id, staff_code_id=old.staff_code_id, slot=old.slot,
        lock=old.lock, name=new_name(), pin_hash=old.pin_hash, pin_sealed=old.pin_sealed,
        pin_fingerprint=old.pin_fingerprint, starts_at=old.starts_at, ends_at=old.ends_at,
        first_used_at=old.first_used_at, revealed_at=old.revealed_at,
    )  # fmt: skip


def check_capacity(credential: Credential, now: datetime) -> None:
    """Raises Capacity when our own records say that there is no place on the lock for this one.

    Who arrives sooner comes first, and guests before staff and backups: whoever waits for a place has the next one,
    whether it was our count or the lock itself that said there was none. One that comes soon is only held back by our
    count: it is not kept out by another that nobody tries to put there any more.
    """
    lock, me = credential.lock, (_rank(credential.purpose), credential.starts_at, credential.pk)
    others = Credential.objects.filter(lock=lock, removed_at__isnull=True).exclude(pk=credential.pk)
    waiting = Q(asked_at__isnull=True, wanted=True, error_code=Capacity.code, ends_at__gt=now)
    rows = list(
        others.filter(waiting | Q(asked_at__isnull=False)).values_list("asked_at", "purpose", "starts_at", "pk")
    )  # fmt: skip
    used = sum(asked_at is not None for asked_at, *_ in rows)
    ahead = sum(asked_at is None and (_rank(purpose), start, pk) < me for asked_at, purpose, start, pk in rows)
    if used >= lock.capacity:
        raise Capacity(f"{lock.name} holds {used} codes and takes no more than {lock.capacity}: one must go first.")
    if ahead and (is_far(credential, now) or used + ahead >= lock.capacity):
        raise Capacity(f"The next places on {lock.name} are kept for {ahead} who arrive sooner.")


def is_far(credential: Credential, now: datetime) -> bool:
    """So far away that others may have its place first."""
    return credential.starts_at - now > NEAR


def _rank(purpose: str) -> int:
    return [Credential.Purpose.GUEST, Credential.Purpose.STAFF, Credential.Purpose.BACKUP].index(
        Credential.Purpose(purpose)
    )
