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
            pin = _digits_of_the_holder(doors, have, taken) or pins.choose(length, digits, taken)
            made += [_new(holder, lock, pin) for lock in missing]
    Credential.objects.bulk_create(made)
    for credential in made:
        credential_changed.send(Credential, credential=credential, settled=False)
    return present + made


def _digits_of_the_holder(doors: list[Lock], have: dict[int, Credential], taken: Callable[[str], bool]) -> str | None:
    """A door that was added later gets the digits the guest already knows, unless somebody else is near them there."""
    known = next((have[lock.pk] for lock in doors if lock.pk in have and have[lock.pk].pin_sealed), None)
    if known is None:
        return None
    pin = sealing.unseal(known.pin_sealed)
    free = not taken(pin) and not any(taken(other) for other in pins.near(pin, known.lock.pin_digits))
    return pin if free else None


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
        **holder.keys | {"lock": lock}, name=f"SL {secrets.token_hex(6)}",
        pin_sealed=sealing.seal(pin), pin_fingerprint=sealing.fingerprint(pin),
        starts_at=holder.starts_at, ends_at=holder.ends_at,
    )  # fmt: skip


def check_capacity(credential: Credential) -> None:
    """Raises Capacity when our own records say that there is no place left on the lock for this one."""
    lock = credential.lock
    others = Credential.objects.filter(lock=lock, removed_at__isnull=True, asked_at__isnull=False).exclude(
        pk=credential.pk
    )
    if (used := others.count()) >= lock.capacity:
        raise Capacity(f"{lock.name} holds {used} codes and takes no more than {lock.capacity}: one must go first.")
