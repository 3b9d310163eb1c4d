"""Room on a lock: what should be gone goes at once when somebody needs its place, and who waits for a place is called.

A removal that is hours late is tried once an hour, and a PIN that finds no place every five minutes: left alone, the
two would pass each other by. Where that is not enough, the PIN of a stay that is days away gives way to a guest who
comes soon, and is put there again later, with the same digits. Nobody in house is pushed out, and no backup: it is the
way in that is left when a lock says it is full and does not say why.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from locks.allocate import anew
from locks.errors import Capacity
from locks.fallback import NEAR
from locks.models import Credential, Lock
from locks.plan import GENERATE, REVOKE
from locks.planning import hurry, replan_subject
from locks.proof import FROZEN
from locks.store import note
from smartlock.audit.services import record

WAITS = Q(wanted=True, asked_at__isnull=True, removed_at__isnull=True, error_code=Capacity.code)


def held(lock: Any) -> int:
    """How many codes are, or may be, on the lock: ours by our records, and as many of others as it listed last.

    ``lock`` comes with its ``codes`` (``LockQuerySet.with_codes``).
    """
    report = getattr(lock, "report", None)
    ours: int = lock.codes
    return ours + (report.foreign if report else 0)


def remaining(lock: Lock) -> int:
    """How many more codes the lock takes."""
    return max(0, lock.capacity - held(lock))


@transaction.atomic
def make_room(lock_id: int, *, now: datetime) -> int:
    """Take off at once what has outlived its time on this lock; where guests who come soon still lack a place, the PINs
    of the farthest stays give way. Returns for how many of them there is nothing left to free.
    """
    Lock.objects.select_for_update(no_key=True).get(pk=lock_id)  # two in need never count the same place
    over = Q(ends_at__lte=now) | Q(wanted=False, unwanted_at__lte=now)
    _hurry(REVOKE, lock_id, over, now)
    there = Credential.objects.filter(lock=lock_id, removed_at__isnull=True)
    soon = there.filter(WAITS, purpose=Credential.Purpose.GUEST, ends_at__gt=now, starts_at__lte=now + NEAR)
    lacking = soon.count() - there.filter(over, asked_at__isnull=False).count()
    return lacking - _give_way(lock_id, lacking, now) if lacking > 0 else 0


def _give_way(lock_id: int, most: int, now: datetime) -> int:
    """Staff before guests, the farthest first. How many did."""
    there = Credential.objects.filter(lock=lock_id, wanted=True, removed_at__isnull=True).exclude(provider_ref="")
    far = there.filter(starts_at__gt=now + NEAR).exclude(purpose=Credential.Purpose.BACKUP).select_related("lock")
    order = sorted(far, key=lambda one: (one.purpose == Credential.Purpose.STAFF, one.starts_at, one.pk), reverse=True)
    for credential in order[:most]:
        note(credential, wanted=False, unwanted_at=now)
        anew(credential).save()
        record("pin.gave_way", credential.subject, summary=credential.lock.name, credential=credential.pk)
        replan_subject(credential.subject, now=now)
    return len(order[:most])


def room_was_made(lock_id: int, *, now: datetime) -> int:
    """Try at once to put there what waits for a place, or for the end of an entry with the same digits."""
    return _hurry(GENERATE, lock_id, Q(wanted=True, asked_at__isnull=True, error_code__in=(Capacity.code, FROZEN)), now)


def _hurry(kind: str, lock_id: int, whose: Q, now: datetime) -> int:
    rows = Credential.objects.filter(whose, lock=lock_id, removed_at__isnull=True)
    subjects = sorted({row.subject for row in rows.only("reservation", "staff_code", "lock")})
    return hurry(kind, now=now, subject__in=subjects, payload__lock=lock_id) if subjects else 0
