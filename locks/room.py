"""Room on a lock: what should be gone goes at once when somebody needs its place, and who waits for a place is called.

A removal that is hours late is tried once an hour, and a PIN that finds no place every five minutes: left alone, the
two would pass each other by.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from locks.errors import Capacity
from locks.models import Credential, Lock
from locks.plan import GENERATE, REVOKE
from locks.planning import hurry
from locks.proof import FROZEN


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


def make_room(lock_id: int, *, now: datetime) -> int:
    """Try at once to take off what has outlived its time on this lock. Returns how many jobs were brought forward."""
    over = Q(ends_at__lte=now) | Q(wanted=False, unwanted_at__lte=now)
    return _hurry(REVOKE, lock_id, over, now)


def room_was_made(lock_id: int, *, now: datetime) -> int:
    """Try at once to put there what waits for a place, or for the end of an entry with the same digits."""
    return _hurry(GENERATE, lock_id, Q(wanted=True, asked_at__isnull=True, error_code__in=(Capacity.code, FROZEN)), now)


def _hurry(kind: str, lock_id: int, whose: Q, now: datetime) -> int:
    rows = Credential.objects.filter(whose, lock=lock_id, removed_at__isnull=True)
    subjects = sorted({row.subject for row in rows.only("reservation", "staff_code", "lock")})
    return hurry(kind, now=now, subject__in=subjects, payload__lock=lock_id) if subjects else 0
