"""Made-up units, doors and stays for the measurements. Needs Django."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from locks.models import AccommodationLock, Lock
from reservations.models import Accommodation, Reservation

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
