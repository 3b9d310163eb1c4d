"""Listings of the Stays account: read, and proposed as units with a zone. Only a person turns a proposal into facts.

Bookings may come by a master listing or by its children; each of them may be mapped to the same unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from reservations import services, zones
from reservations.errors import BadReservation, StaysError
from reservations.models import Accommodation, Listing
from reservations.signals import listings_mapped
from reservations.stays.client import StaysClient
from reservations.stays.payloads import clock_time, identifier, number, text
from smartlock.audit.services import record

log = structlog.get_logger(__name__)


@dataclass
class Result:
    """What a listing sync found: ``new`` and ``unmapped`` count, ``differences`` are sentences for a person."""

    seen: int = 0
    new: int = 0
    unmapped: int = 0
    differences: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**self.__dict__}


def sync(
    client: StaysClient, *, now: datetime, dry_run: bool = False,
    on_progress: Callable[[int, int, str], None] = lambda _done, _total, _text: None,
) -> Result:  # fmt: skip
    """Read all listings with their default times and keep what they propose. Raises StaysError.

    Units are not touched: where a unit says something else than its listing, that is told, and a person decides. A
    listing that is no longer there keeps its row: its stays may still be under way.
    """
    result = Result()
    found = list(client.listings())
    for payload in found:
        external_id = identifier(payload, "_id")
        on_progress(result.seen, len(found), text(payload, "internalName"))
        if not external_id:
            result.problems.append("A listing has no usable _id.")
            continue
        result.seen += 1
        proposal = _proposal(client, payload, external_id, result)
        known = Listing.objects.filter(external_id=external_id).select_related("accommodation").first()
        result.new += known is None
        unit = services.unit_of(external_id)
        if unit is None:
            result.unmapped += not (known and known.ignored)
        else:
            result.differences += _differences(unit, proposal)
        if not dry_run:
            Listing.objects.update_or_create(external_id=external_id, defaults={**proposal, "seen_at": now})
    on_progress(len(found), len(found), "")
    return result


def unmapped() -> QuerySet[Listing]:
    """Listings that are no unit here, and that nobody said to ignore."""
    units = Accommodation.objects.exclude(external_id="").values("external_id")
    return Listing.objects.filter(accommodation=None, ignored=False).exclude(external_id__in=units)


@transaction.atomic
def import_unit(listing: Listing, *, now: datetime, actor: str) -> Accommodation:
    """A person says yes to a proposal: the unit as its listing describes it. Raises BadReservation without a zone."""
    listing = Listing.objects.select_for_update(of=("self",)).get(pk=listing.pk)
    known = services.unit_of(listing.external_id)
    if known is not None:
        return known
    if not listing.proposed_timezone:
        raise BadReservation(
            _("%(listing)s: no time zone can be proposed (%(reason)s): add the unit by hand."),
            listing=listing, reason=listing.zone_reason,
        )  # fmt: skip
    unit = Accommodation(
        name=listing.name or listing.short_id or listing.external_id, external_id=listing.external_id,
        short_id=listing.short_id, timezone=listing.proposed_timezone,
    )  # fmt: skip
    unit.check_in_time = listing.check_in_time or unit.check_in_time
    unit.check_out_time = listing.check_out_time or unit.check_out_time
    services.save_accommodation(unit, now=now, actor=actor)
    record("listing.imported", f"accommodation:{unit.pk}", actor=actor, listing=listing.external_id)
    return unit


@transaction.atomic
def map_listing(listing: Listing, unit: Accommodation | None, *, actor: str) -> bool:
    """A person says which unit a listing is (a child of another, say), or that it is none. True when that is new."""
    row = Listing.objects.select_for_update(of=("self",)).get(pk=listing.pk)
    if row.accommodation_id == (unit.pk if unit else None):
        return False
    Listing.objects.filter(pk=row.pk).update(accommodation=unit)
    record("listing.mapped", f"accommodation:{unit.pk if unit else row.accommodation_id}", actor=actor,
           listing=row.external_id, mapped=unit is not None)  # fmt: skip
    if unit is not None:
        listings_mapped.send(Listing, listing_ids=[row.external_id], actor=actor)
    return True


@transaction.atomic
def take_over(listing: Listing, *, now: datetime, actor: str) -> bool:
    """A person lets the unit have the zone and times that its listing proposes. True when something changed."""
    unit = services.unit_of(listing.external_id)
    if unit is None:
        return False
    before = (unit.timezone, unit.check_in_time, unit.check_out_time)
    unit.timezone = listing.proposed_timezone or unit.timezone
    unit.check_in_time = listing.check_in_time or unit.check_in_time
    unit.check_out_time = listing.check_out_time or unit.check_out_time
    if before == (unit.timezone, unit.check_in_time, unit.check_out_time):
        return False
    services.save_accommodation(unit, now=now, actor=actor)
    return True


def _proposal(client: StaysClient, payload: dict[str, Any], external_id: str, result: Result) -> dict[str, Any]:
    address, at = _part(payload, "address"), _part(payload, "latLng")
    zone = zones.propose(
        country=text(address, "countryCode"), state=text(address, "stateCode") or text(address, "state"),
        city=text(address, "city"), latitude=number(at, "_f_lat"), longitude=number(at, "_f_lng"),
    )  # fmt: skip
    titles = _part(payload, "_mstitle")
    place = ", ".join(filter(None, (text(address, "city"), text(address, "stateCode") or text(address, "state"))))
    name = text(payload, "internalName") or next((text(titles, key) for key in titles if text(titles, key)), "")
    return {
        "short_id": text(payload, "id")[:32], "name": name[:200], "status": text(payload, "status")[:16],
        "place": place[:120], "proposed_timezone": zone.zone, "zone_reason": zone.reason[:200],
        **_times(client, external_id, name, result),
    }  # fmt: skip


def _times(client: StaysClient, external_id: str, name: str, result: Result) -> dict[str, time | None]:
    """Its default times. That they cannot be read is no reason to know nothing of the listing."""
    times: dict[str, time | None] = {}
    try:
        settings = client.booking_settings(external_id) or {}
        for ours, theirs in (("check_in_time", "checkInTime"), ("check_out_time", "checkOutTime")):
            if (at := clock_time(settings, theirs)) is not None:
                times[ours] = at
    except (StaysError, BadReservation) as error:
        result.problems.append(f"{name or external_id}: its default times were not read: {error}")
    return times


def _differences(unit: Accommodation, proposal: dict[str, Any]) -> list[str]:
    pairs = (
        ("time zone", unit.timezone, proposal["proposed_timezone"]),
        ("check-in time", unit.check_in_time, proposal.get("check_in_time")),
        ("check-out time", unit.check_out_time, proposal.get("check_out_time")),
    )
    return [f"{unit}: {what} is {ours}, its listing proposes {theirs}." for what, ours, theirs in pairs
            if theirs and ours != theirs]  # fmt: skip


def _part(payload: dict[str, Any], name: str) -> dict[str, Any]:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}
