"""A lock's pool of backups: PINs that lie on the lock before anybody needs them.

They are credentials like all others (``locks.holders``): planned, put there, proven by a reading, removed with proof.
A slot of the pool is one holder. An idle backup is nobody's: its digits are sealed and known to no person and no page,
so it opens for nobody. Handed out, its window becomes the stay's, and so does its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from locks.fallback import NEAR, RENEW, pool_size, pool_window
from locks.holders import Holder, holders_of, of_stay
from locks.models import AccommodationLock, Credential, Fallback, Lock
from locks.plan import KINDS, is_entitled
from locks.planning import replan_subject
from locks.replacing import has_right, strand
from locks.signals import credential_changed
from reservations.models import Reservation
from scheduler import clock
from scheduler import services as jobs
from scheduler.models import Job

BACKUP = Credential.Purpose.BACKUP
PRIORITY = 7  # guests' PINs come first
LATELY = timedelta(seconds=90)  # a lock that answered this recently is awake


@holders_of("lock", lambda number: {"purpose": BACKUP, "lock_id": number})
def pool(lock_id: int, hold: bool) -> list[Holder]:
    """One holder per slot: those handed out, the idle ones up to the size of the pool, and those on their way out."""
    rows = Lock.objects.select_for_update() if hold else Lock.objects.all()
    lock = rows.filter(pk=lock_id).first()
    if lock is None:
        return []
    now = clock.now()
    there = list(
        Credential.objects.filter(lock=lock, purpose=BACKUP, removed_at__isnull=True)
        .select_related("fallback__reservation__accommodation", "fallback__reservation__withdrawal")
        .order_by("slot", "pk")
    )
    wanted = {credential.slot: credential for credential in there if credential.wanted}
    handed = {slot: c for slot, c in wanted.items() if hasattr(c, "fallback")}
    keep = _slots_kept([c for slot, c in wanted.items() if slot not in handed], size_of(lock, now=now), set(handed))
    holders = [_with_guest(lock, c, now) for c in handed.values()]
    holders += [_idle(lock, slot, wanted.get(slot), now) for slot in keep]
    leaving = {c.slot for c in there} - set(handed) - set(keep)
    return holders + [_leaving(lock, slot, now) for slot in sorted(leaving)]


def _slots_kept(idle: list[Credential], size: int, busy: set[int]) -> list[int]:
    """The proven ones stay when the pool shrinks; free numbers are taken when it grows."""
    best = sorted(idle, key=lambda c: (not c.is_proven(), c.pk))[:size]
    keep = [credential.slot for credential in best]
    taken = busy | {credential.slot for credential in idle}
    free = (number for number in range(1000) if number not in taken)
    return sorted(keep + [next(free) for _ in range(size - len(keep))])


def _idle(lock: Lock, slot: int, credential: Credential | None, now: datetime) -> Holder:
    window = pool_window(now, credential.wish if credential is not None else None)
    return _holder(lock, slot, True, window.starts_at, window.ends_at)


def _with_guest(lock: Lock, credential: Credential, now: datetime) -> Holder:
    """From the moment it is handed out its end is the stay's, whatever becomes of the stay."""
    stay = of_stay(credential.fallback.reservation)
    ends_at = max(stay.ends_at, credential.starts_at + timedelta(minutes=1))
    return _holder(lock, credential.slot, stay.is_welcome and lock.pk in stay.doors(), credential.starts_at, ends_at)


def _leaving(lock: Lock, slot: int, now: datetime) -> Holder:
    return _holder(lock, slot, False, now, now + timedelta(days=1))


def _holder(lock: Lock, slot: int, is_welcome: bool, starts_at: datetime, ends_at: datetime) -> Holder:
    return Holder(
        subject=f"lock:{lock.pk}", keys={"purpose": BACKUP, "lock_id": lock.pk, "slot": slot}, is_welcome=is_welcome,
        starts_at=starts_at, ends_at=ends_at, locks={lock.pk: timedelta(0)}, slot=slot, priority=PRIORITY,
    )  # fmt: skip


def size_of(lock: Lock, *, now: datetime) -> int:
    """How many idle backups this lock should have now."""
    if not lock.accommodations.filter(active=True).exists():
        return 0
    taken, near = _taken([lock.pk]), _near(now, [lock.pk])
    return pool_size(wished(lock), capacity=lock.capacity, taken=taken[lock.pk], near=near[lock.pk])


def wished(lock: Lock) -> int:
    return settings.BACKUP_PINS if lock.backup_pins is None else lock.backup_pins


IDLE = Q(purpose=BACKUP, wanted=True, fallback__isnull=True)


def _taken(locks: Iterable[int] | None = None) -> Counter[int]:
    """Per lock, the places held by anything but idle backups."""
    rows = Credential.objects.filter(removed_at__isnull=True).exclude(IDLE)
    if locks is not None:
        rows = rows.filter(lock__in=locks)
    return Counter(dict(rows.order_by().values_list("lock").annotate(Count("pk"))))


def _near(now: datetime, locks: Iterable[int] | None = None) -> Counter[int]:
    """Per lock, the stays that need a place on it soon and have none yet."""
    stays = Reservation.objects.filter(
        status__in=Reservation.CONFIRMED, accommodation__active=True, check_in_at__lt=now + NEAR, check_out_at__gt=now,
        credentials__isnull=True,
    )  # fmt: skip
    if locks is not None:
        stays = stays.filter(accommodation__in=AccommodationLock.objects.filter(lock__in=locks).values("accommodation"))
    rows = stays.order_by().values_list("accommodation__locks").annotate(Count("pk"))
    return Counter({lock: count for lock, count in rows if lock is not None})


def tend(*, now: datetime) -> int:
    """Once a minute: pools that are not as they should be, codes whose right has ended. Returns how many were found.

    What events set off at once is found here too, should a process have died in between. Few statements, whatever
    the number of locks; a second run finds nothing.
    """
    amiss = _pools_amiss(now) | _handed_out_amiss(now)
    for lock_id in sorted(amiss):
        replan_subject(f"lock:{lock_id}", now=now)
    stranded = _stranded(now)
    for row in stranded:
        strand(row, now=now)
    _forget_the_ended(now)
    hurry(now=now)
    return len(amiss) + len(stranded)


def _pools_amiss(now: datetime) -> set[int]:
    """Locks with more or fewer idle backups than they should have, or with one to be renewed."""
    idle: Counter[int] = Counter()
    renew = set()
    for lock_id, ends_at in Credential.objects.filter(IDLE, removed_at__isnull=True).values_list("lock", "ends_at"):
        idle[lock_id] += 1
        if ends_at - now <= RENEW:
            renew.add(lock_id)
    taken, near = _taken(), _near(now)
    serving = Lock.objects.filter(accommodations__active=True).distinct()
    sizes = {
        lock.pk: pool_size(wished(lock), capacity=lock.capacity, taken=taken[lock.pk], near=near[lock.pk])
        for lock in serving
    }
    waiting = set(
        Job.objects.filter(subject__startswith="lock:", kind__in=KINDS, state=Job.State.FAILED).values_list("subject")
    )
    wrong = {lock_id for lock_id in sizes.keys() | idle.keys() if idle[lock_id] != sizes.get(lock_id, 0)}
    due = Job.objects.filter(subject__startswith="lock:", kind__in=KINDS, state__in=Job.LIVE)
    planned = Counter(due.exclude(kind="locks.revoke_pin").values_list("subject", flat=True))
    growing = {pk for pk in wrong if idle[pk] < sizes.get(pk, 0) and planned[f"lock:{pk}"] >= sizes[pk] - idle[pk]}
    return {pk for pk in (wrong - growing) | renew if (f"lock:{pk}",) not in waiting}


def _handed_out() -> list[Fallback]:
    rows = Fallback.objects.filter(credential__wanted=True)
    return list(rows.select_related("credential", "reservation__accommodation", "reservation__withdrawal"))


def _handed_out_amiss(now: datetime) -> set[int]:
    """Locks with a backup whose stay has ended, or has other dates."""
    found = set()
    for row in _handed_out():
        stay = of_stay(row.reservation)
        over = not is_entitled(stay, now) or row.lock_id not in stay.doors()
        if over or (row.credential is not None and row.credential.ends_at != stay.ends_at):
            found.add(row.lock_id)
    return found


def _stranded(now: datetime) -> list[Fallback]:
    """Offline codes that still open although their stay was ended."""
    rows = Fallback.objects.filter(kind=Fallback.Kind.OFFLINE, ends_at__gt=now, stranded_at__isnull=True)
    rows = rows.select_related("lock", "reservation__accommodation", "reservation__withdrawal")
    return [row for row in rows if not has_right(row, now)]


def _forget_the_ended(now: datetime) -> None:
    """Offline codes end on the full hour, perhaps before the stay does: from then on the guest needs her own PIN."""
    ended = Fallback.objects.filter(kind=Fallback.Kind.OFFLINE, ends_at__lte=now).exclude(code_sealed=b"")
    for row in ended:
        for own in Credential.objects.filter(reservation=row.reservation_id, lock=row.lock_id, wanted=True):
            credential_changed.send(Credential, credential=own, settled=True)
    ended.update(code_sealed=b"")


def hurry(*, now: datetime) -> int:
    """A lock that has just answered is awake: what its pool still has to do is done now. Returns how many jobs."""
    awake = Credential.objects.filter(proven_at__gt=now - LATELY).values_list("lock", flat=True).distinct()
    subjects = [f"lock:{pk}" for pk in awake]
    if not subjects:
        return 0
    slow = Job.objects.filter(subject__in=subjects, kind__in=KINDS, state=Job.State.SCHEDULED, run_at__gt=now + LATELY)
    return jobs.run_now(slow.filter(due_at__lte=now), now=now)


@dataclass(frozen=True)
class PoolState:
    """A lock's pool in numbers, for a page."""

    wished: int
    size: int
    ready: int
    pending: int
    handed_out: int
    leaving: int


def state_of(lock: Lock, *, now: datetime) -> PoolState:
    rows = list(
        Credential.objects.filter(lock=lock, purpose=BACKUP, removed_at__isnull=True).select_related("fallback")
    )
    idle = [row for row in rows if row.wanted and not hasattr(row, "fallback")]
    ready = sum(1 for row in idle if row.standing() is not None)
    return PoolState(
        wished=wished(lock), size=size_of(lock, now=now), ready=ready, pending=len(idle) - ready,
        handed_out=sum(1 for row in rows if row.wanted and hasattr(row, "fallback")),
        leaving=sum(1 for row in rows if not row.wanted),
    )  # fmt: skip


@transaction.atomic
def plan_pool(lock_id: int, *, now: datetime) -> None:
    replan_subject(f"lock:{lock_id}", now=now)
