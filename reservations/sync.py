"""The net under the webhooks: read arrivals and stays in house from Stays and save what is different.

A failing or shrunken answer never cancels a stay: what the search does not show is asked for one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import structlog

from reservations import services
from reservations.errors import BadReservation, UnknownListing
from reservations.models import Reservation
from reservations.stays.client import StaysClient
from reservations.stays.payloads import identifier, parse_reservation, reservation_id

log = structlog.get_logger(__name__)
Tell = Callable[[int, int, str], None]  # so many of so many, and which one
SUSPICIOUS = 3  # so many stays, and most of those we have, unknown at once: the account is wrong, not the stays


@dataclass
class Result:
    """What a sync found. ``problems`` are sentences for the operator."""

    seen: int = 0
    created: int = 0
    changed: int = 0
    gone: int = 0
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**self.__dict__}


def read_again(client: StaysClient, external_id: str, *, now: datetime) -> services.Saved | None:
    """Read one reservation with its guest and save it. None when Stays does not have it."""
    payload = client.reservation(external_id)
    if payload is None:
        return None
    guest_id = identifier(payload, "_idclient")
    guest = client.client(guest_id) if guest_id else None
    return services.save_facts(parse_reservation(payload, guest), facts_at=now)


def _quietly(done: int, total: int, text: str) -> None:
    """Nobody asked how far it is."""


def sync(
    client: StaysClient, start: date, end: date, *, now: datetime, dry_run: bool = False, on_progress: Tell = _quietly
) -> Result:
    """Bring our reservations between two dates in line with Stays. Raises StaysError when it cannot be read.

    ``on_progress`` is told how far it is before each stay and once at the end.
    """
    result = Result()
    found = list(client.search(start, end))
    seen = {reservation_id(short) for short in found}
    for short in found:
        on_progress(result.seen, len(found), _name(short))
        result.seen += 1
        _save_one(client, short, result, now=now, dry_run=dry_run)
    expected = list(_expected(start, end))
    missing = [stay for stay in expected if stay.external_id not in seen]
    gone = []
    for number, stay in enumerate(missing):
        on_progress(len(found) + number, len(found) + len(missing), str(stay))
        if _is_gone(client, stay, result, now=now, dry_run=dry_run):
            gone.append(stay)
    on_progress(len(found) + len(missing), len(found) + len(missing), "")
    if len(gone) >= SUSPICIOUS and len(gone) > len(expected) / 2:
        result.problems.append(
            f"Stays knows nothing of {len(gone)} of {len(expected)} stays we have, so none of them was ended: "
            "check that STAYS_BASE_URL and STAYS_CLIENT_ID are those of the right account."
        )
        return result
    for stay in gone:
        result.gone += 1
        if not dry_run:
            services.end(stay, Reservation.Status.DELETED, facts_at=now, actor="sync")
    return result


def _save_one(client: StaysClient, short: dict[str, Any], result: Result, *, now: datetime, dry_run: bool) -> None:
    external_id = reservation_id(short)
    known = services.find(external_id)
    if dry_run:
        result.created += known is None
        return
    try:
        saved = read_again(client, external_id, now=now)
    except (BadReservation, UnknownListing) as error:
        result.problems.append(f"{_name(short)}: {error}")
        return
    if saved is not None:
        result.created += saved.created
        result.changed += bool(saved.changed) and not saved.created


def _name(short: dict[str, Any]) -> str:
    return str(short.get("id") or reservation_id(short))


def _expected(start: date, end: date) -> Iterator[Reservation]:
    """Stays we believe in that the search should have shown."""
    yield from Reservation.objects.filter(
        source=Reservation.Source.STAYS, check_in_date__lte=end, check_out_date__gte=start
    ).exclude(status__in=[Reservation.Status.CANCELED, Reservation.Status.DELETED])


def _is_gone(client: StaysClient, stay: Reservation, result: Result, *, now: datetime, dry_run: bool) -> bool:
    """Absent from the list is no proof. Only two answers of "unknown" in a row mean that it is gone."""
    if (there := client.reservation(stay.external_id)) is not None:
        _save_one(client, there, result, now=now, dry_run=dry_run)
        return False
    return client.reservation(stay.external_id) is None
