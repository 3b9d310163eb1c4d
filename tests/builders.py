"""Typed builders: one function per noun, sensible defaults, anything can be overridden."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any

from locks.models import AccommodationLock, Lock
from reservations.facts import Guest, ReservationFacts
from reservations.models import Accommodation, Reservation
from reservations.services import save_facts

_numbers = count(1)
# A quiet Thursday morning in São Paulo (09:00 local); the default stay starts the day after.
NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


def make_accommodation(**over: Any) -> Accommodation:
    number = next(_numbers)
    values = {"name": f"Unit {number}", "external_id": f"listing-{number}"} | over
    return Accommodation.objects.create(**values)


def make_lock(accommodation: Accommodation | None = None, **over: Any) -> Lock:
    number = next(_numbers)
    values = {"name": f"Door {number}", "device_id": f"device{number}", "radio": Lock.Radio.ZIGBEE} | over
    lock = Lock.objects.create(**values)
    if accommodation is not None:
        AccommodationLock.objects.create(accommodation=accommodation, lock=lock)
    return lock


def make_facts(accommodation: Accommodation, **over: Any) -> ReservationFacts:
    values: dict[str, Any] = {
        "external_id": f"{next(_numbers):024x}",
        "short_id": f"EV{next(_numbers)}J",
        "listing_id": accommodation.external_id,
        "status": Reservation.Status.BOOKED.value,
        "check_in_date": date(2026, 3, 6),
        "check_in_time": time(15, 0),
        "check_out_date": date(2026, 3, 9),
        "check_out_time": time(11, 0),
        "guest": Guest("Ana Teste", "ana@example.com", "+5511900000000", "pt-BR"),
    } | over
    return ReservationFacts(**values)


def make_reservation(
    accommodation: Accommodation | None = None, *, facts_at: datetime = NOW, **over: Any
) -> Reservation:
    """A booked stay from tomorrow 15:00 to 9 March 11:00, São Paulo time, saved the way every source saves."""
    unit = accommodation or make_accommodation()
    return save_facts(make_facts(unit, **over), facts_at=facts_at).reservation
