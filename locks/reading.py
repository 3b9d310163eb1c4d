"""The round that reads the locks: every few minutes those readings that are due, as ``rounds`` says, one call each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db.models import Q

from locks import caretaker, complaints, devices, openings, reconcile, rounds, usage
from locks.errors import AccountPaused, Configuration, DoorError, Limited
from locks.models import AccommodationLock, Lock, LockEvent, LockReport, Opening
from locks.rounds import Door, Due, Pace, Reading
from reservations.models import Reservation

log = structlog.get_logger(__name__)
EVERY = timedelta(minutes=5)
LONGEST = 240.0  # seconds: a round ends before the next one
LONGEST_WAIT = 10.0
REST = timedelta(minutes=30)  # a lock that could not be read is left alone for so long


def pace() -> Pace:
    return Pace(
        log=timedelta(minutes=settings.OPEN_LOG_MINUTES),
        log_by_night=timedelta(minutes=max(settings.OPEN_LOG_MINUTES, settings.OPEN_LOG_NIGHT_MINUTES)),
        log_empty=timedelta(hours=settings.OPEN_LOG_EMPTY_HOURS),
        alarms=timedelta(hours=settings.ALARM_LOG_HOURS),
        alarms_empty=timedelta(hours=max(settings.ALARM_LOG_HOURS, settings.OPEN_LOG_EMPTY_HOURS)),
        state=timedelta(hours=settings.LOCK_STATE_HOURS),
        reconcile=timedelta(hours=settings.RECONCILE_HOURS),
    )


def read_due(
    *, now: datetime, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> dict[str, int]:
    """One round. Returns how many of each reading were made, and ``failed``. What is left over comes next time.

    It keeps to the account's pace, behind the PINs that ask for their turn meanwhile.
    """
    began, counts = clock(), {"failed": 0}
    todo = _todo(now)
    locks = Lock.objects.select_related("report").in_bulk({one.lock_id for one in todo})
    failed: set[int] = set()
    for one in todo:
        if clock() - began > LONGEST:
            break
        if one.lock_id in failed:
            continue
        try:
            _in_turn(lambda one=one: READERS[one.reading](locks[one.lock_id], now), sleep)  # type: ignore[misc]
            counts[one.reading.value] = counts.get(one.reading.value, 0) + 1
        except (Configuration, AccountPaused, Limited) as error:  # no lock of this account can be read
            log.warning("locks.unreadable", reason=str(error))
            break
        except DoorError as error:
            failed.add(one.lock_id)
            log.warning("lock.unread", lock=one.lock_id, reading=one.reading.value, reason=str(error))
    Lock.objects.filter(pk__in=failed).update(read_failed_at=now)
    counts["failed"] = len(failed)
    counts["told"] = caretaker.look_after(now=now)
    return counts


def _in_turn(read: Callable[[], object], sleep: Callable[[float], None]) -> None:
    """Once more after the wait it is told to, when it came too early. Raises Limited when that was too early too."""
    try:
        read()
    except Limited as error:
        sleep(min(error.after or 1.0, LONGEST_WAIT))
        read()


def read_now(lock: Lock, *, now: datetime) -> None:
    """Everything but the list of codes, at once: somebody asked for it. Raises DoorError."""
    for reading in (Reading.STATE, Reading.LOG, Reading.ALARMS):
        READERS[reading](lock, now)
    Lock.objects.filter(pk=lock.pk).update(read_failed_at=None)
    caretaker.look_after(now=now)


def forget_old(*, now: datetime) -> int:
    """Who came and went is nobody's business for ever."""
    before = now - timedelta(days=settings.LOCK_LOG_KEEP_DAYS)
    return sum(model._default_manager.filter(at__lt=before).delete()[0] for model in (Opening, LockEvent))


def _reconcile(lock: Lock, now: datetime) -> None:
    reconcile.reconcile(lock, now=now, actor="system")


READERS: dict[Reading, Callable[[Lock, datetime], object]] = {
    Reading.STATE: lambda lock, now: devices.read_device(lock, now=now),
    Reading.LOG: lambda lock, now: openings.import_openings(lock, now=now),
    Reading.ALARMS: lambda lock, now: complaints.import_events(lock, now=now),
    Reading.RECONCILE: _reconcile,
}


def _todo(now: datetime) -> Sequence[Due]:
    rate = rounds.stretch(*spent(now), now)
    if rate is None:
        log.warning("locks.quota_nearly_spent")
        return []
    rules, doors = pace(), _doors(now)
    most = rounds.portion(len(doors), rules.reconcile, EVERY)
    chosen, lists = [], 0
    for one in rounds.due(doors, rules, now, stretch=rate):
        lists += one.reading == Reading.RECONCILE
        if one.reading != Reading.RECONCILE or lists <= most:
            chosen.append(one)
    return chosen


def spent(now: datetime) -> tuple[int, int | None]:
    """Calls of this month and the month's quota, None when there is none."""
    month = usage.this_month(now=now)
    return month.calls, month.quota or None


def _doors(now: datetime) -> list[Door]:
    """Every lock of an active unit that has not just failed, with who is behind it, in four queries."""
    rested = Q(read_failed_at__isnull=True) | Q(read_failed_at__lt=now - REST)
    locks = Lock.objects.filter(rested, accommodations__active=True).distinct()
    tried = dict(LockReport.objects.values_list("lock", "tried_at"))
    zones: dict[int, str] = {}
    behind: dict[int, list[int]] = {}
    links = AccommodationLock.objects.filter(accommodation__active=True).order_by("pk")
    for lock_id, unit, zone in links.values_list("lock", "accommodation", "accommodation__timezone"):
        zones.setdefault(lock_id, zone)
        behind.setdefault(lock_id, []).append(unit)
    in_house: set[int] = set()
    arrivals: dict[int, datetime] = {}
    near = Reservation.objects.filter(
        status__in=Reservation.CONFIRMED, check_out_at__gt=now, check_in_at__lt=now + rounds.DAY
    ).order_by("-check_in_at")
    for unit, check_in_at in near.values_list("accommodation", "check_in_at"):
        if check_in_at <= now:
            in_house.add(unit)
        else:
            arrivals[unit] = check_in_at
    return [
        Door(
            lock_id=lock.pk,
            is_occupied=any(unit in in_house for unit in behind[lock.pk]),
            is_night=now.astimezone(ZoneInfo(zones[lock.pk])).hour < rounds.NIGHT_HOURS,
            arrival_at=min((arrivals[unit] for unit in behind[lock.pk] if unit in arrivals), default=None),
            read_at={
                Reading.STATE: lock.seen_at, Reading.LOG: lock.log_read_at, Reading.ALARMS: lock.alarms_read_at,
                Reading.RECONCILE: tried.get(lock.pk),
            },
        )
        for lock in locks
    ]  # fmt: skip
