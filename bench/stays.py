"""Made-up units, doors and stays for the measurements. Needs Django."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from locks.models import AccommodationLock, Lock
from locks.plan import GENERATE, REVOKE
from reservations.models import Accommodation, Reservation
from scheduler import kinds
from scheduler.models import Job

NIGHTS = 3


def a_unit(*, with_lock: bool = False) -> Accommodation:
    unit = Accommodation.objects.create(name="Bench")
    if with_lock:
        lock = Lock.objects.create(name="Bench", device_id="vdevobench", radio="wifi")
        AccommodationLock.objects.create(accommodation=unit, lock=lock)
    return unit


def reservation(unit: Accommodation, number: int, *, check_in_at: datetime | None = None) -> Reservation:
    """A confirmed stay, a month ahead unless told otherwise; not saved."""
    arrival = check_in_at or datetime.now(UTC) + timedelta(days=30)
    departure = arrival + timedelta(days=NIGHTS)
    return Reservation(
        external_id=f"bench{number:019d}", short_id=f"BN{number}", accommodation=unit, status="booked",
        check_in_date=arrival.date(), check_out_date=departure.date(), check_in_at=arrival, check_out_at=departure,
        guest_name="Ada Lovelace", guest_language="en", facts_at=datetime.now(UTC),
    )  # fmt: skip


def rush_stays(count: int, due_at: datetime) -> list[tuple[Reservation, Lock]]:
    """So many units with one door each, and in each a stay that begins an hour after ``due_at``."""
    units = Accommodation.objects.bulk_create(Accommodation(name=f"Bench {n}") for n in range(count))
    locks = Lock.objects.bulk_create(
        Lock(name=f"Door {n}", device_id=f"vdevobench{n:010d}", radio="wifi") for n in range(count)
    )
    AccommodationLock.objects.bulk_create(
        AccommodationLock(accommodation=unit, lock=lock) for unit, lock in zip(units, locks, strict=True)
    )
    arrival = due_at + timedelta(hours=1)
    stays = Reservation.objects.bulk_create(reservation(unit, n, check_in_at=arrival) for n, unit in enumerate(units))
    return list(zip(stays, locks, strict=True))


def pin_jobs(stay: Reservation, lock: Lock, due_at: datetime) -> Iterator[Job]:
    """The two jobs of a stay as the plan scheduled them, some time ago."""
    for kind, due, expires in ((GENERATE, due_at, stay.check_out_at), (REVOKE, stay.check_out_at, None)):
        policy = kinds.get(kind)
        yield Job(
            kind=kind, subject=stay.subject, live_key=f"{kind}:{stay.subject}:lock:{lock.pk}",
            payload={"lock": lock.pk}, queue=policy.queue, priority=policy.priority, exclusive=policy.exclusive,
            max_attempts=policy.retry.max_attempts, due_at=due, run_at=due, expires_at=expires,
        )  # fmt: skip
