"""The only writers of accommodations and reservations. Every source ends here; saving sends Django's ``post_save``."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db import IntegrityError, transaction

from reservations.errors import BadReservation, UnknownListing
from reservations.facts import ReservationFacts
from reservations.models import Accommodation, Reservation
from reservations.signals import stays_overlap
from reservations.times import instant
from smartlock.audit.services import record

ENDED = (Reservation.Status.CANCELED, Reservation.Status.DELETED)
PLAUSIBLE_YEARS = range(2000, 2200)


@dataclass(frozen=True)
class Saved:
    """What saving facts came to; ``changed`` names the fields that are different now."""

    reservation: Reservation
    created: bool
    changed: tuple[str, ...]


def save_facts(
    facts: ReservationFacts, *, facts_at: datetime, source: str = Reservation.Source.STAYS, actor: str = "system"
) -> Saved:
    """Make our reservation equal to what its source said at ``facts_at`` (aware).

    Facts older than those we have change nothing, so events may come in any order. Nothing is written when
    nothing is different. Raises UnknownListing and BadReservation.
    """
    try:
        return _save_facts(facts, facts_at, source, actor)
    except IntegrityError:  # a webhook and a sync met a new stay in the same instant: now it is a known one
        return _save_facts(facts, facts_at, source, actor)


@transaction.atomic
def _save_facts(facts: ReservationFacts, facts_at: datetime, source: str, actor: str) -> Saved:
    known = find(facts.external_id, source=source, lock=True)
    if known is not None and known.facts_at > facts_at:
        return Saved(known, created=False, changed=())
    values = _values(facts, _accommodation(facts, known), known)
    reservation = known or Reservation(source=source, external_id=facts.external_id)
    changed = tuple(name for name, value in values.items() if known is None or getattr(known, name) != value)
    for name, value in values.items():
        setattr(reservation, name, value)
    reservation.facts_at = facts_at
    if not changed:
        Reservation.objects.filter(pk=reservation.pk).update(facts_at=facts_at)
        return Saved(reservation, created=False, changed=())
    reservation.save()
    _tell_of_overlap(reservation)
    record(
        "reservation.created" if known is None else "reservation.changed", reservation.subject, actor=actor,
        fields=[name for name in changed if not name.startswith("guest")], status=reservation.status,
    )  # fmt: skip
    return Saved(reservation, created=known is None, changed=changed)


@transaction.atomic
def end(reservation: Reservation, status: str, *, facts_at: datetime, actor: str = "system") -> bool:
    """Cancelled, or no longer there at its source. The row stays, its claim to a PIN ends.

    False when nothing changed, or newer facts say otherwise.
    """
    row = Reservation.objects.select_for_update().get(pk=reservation.pk)
    if row.facts_at > facts_at:
        return False
    if row.status == status:  # told again, later: what was said in between no longer counts
        Reservation.objects.filter(pk=row.pk).update(facts_at=facts_at)
        return False
    row.status = status
    row.facts_at = facts_at
    row.save()
    record(f"reservation.{status}", row.subject, actor=actor)
    return True


@transaction.atomic
def save_by_hand(reservation: Reservation, *, now: datetime, actor: str) -> Reservation:
    """What a person entered in the admin form, in the same terms as any source. Raises BadReservation."""
    new = reservation.pk is None
    if not reservation.external_id:
        reservation.source = Reservation.Source.MANUAL
        reservation.external_id = f"manual-{secrets.token_hex(8)}"
    reservation.check_in_at, reservation.check_out_at = window(
        reservation.accommodation, reservation.check_in_date, reservation.check_in_time,
        reservation.check_out_date, reservation.check_out_time,
    )  # fmt: skip
    reservation.facts_at = now
    reservation.save()
    _tell_of_overlap(reservation)
    record("reservation.created" if new else "reservation.edited", reservation.subject, actor=actor)
    return reservation


@transaction.atomic
def save_accommodation(accommodation: Accommodation, *, now: datetime, actor: str) -> int:
    """Save a unit and re-time its stays that are not over. Returns how many got other times."""
    accommodation.save()
    moved = 0
    for stay in accommodation.reservations.filter(check_out_at__gt=now).select_for_update():
        times = window(
            accommodation, stay.check_in_date, stay.check_in_time, stay.check_out_date, stay.check_out_time
        )  # fmt: skip
        moved += times != (stay.check_in_at, stay.check_out_at)
        stay.check_in_at, stay.check_out_at = times
        stay.save()  # also when the times are the same: grace or active may have changed the plan
    record("accommodation.saved", f"accommodation:{accommodation.pk}", actor=actor, stays_moved=moved)
    return moved


def find(reference: str, *, source: str = Reservation.Source.STAYS, lock: bool = False) -> Reservation | None:
    """A reservation by its source's long id, or by the short one, which some events give alone."""
    rows = Reservation.objects.filter(source=source)
    rows = rows.select_for_update() if lock else rows
    exact = rows.filter(external_id=reference).first()
    return exact or (rows.filter(short_id=reference).order_by("-created_at").first() if reference else None)


def lookup(reference: str) -> Reservation | None:
    """A reservation as a person names it: Stays' ``_id``, its short id, the partner code, or our own number."""
    if not reference or "\x00" in reference:
        return None
    rows = Reservation.objects.select_related("accommodation").order_by("-check_in_at")
    for field in ("external_id", "short_id", "partner_code"):
        if found := rows.filter(**{field: reference}).first():
            return found
    is_number = reference.isascii() and reference.isdigit() and len(reference) < 19
    return rows.filter(pk=int(reference)).first() if is_number else None


def window(
    unit: Accommodation, in_date: Any, in_time: time | None, out_date: Any, out_time: time | None
) -> tuple[datetime, datetime]:
    """Check-in and check-out as UTC instants by the unit's clock. Raises BadReservation when they cannot be."""
    for day in (in_date, out_date):
        if day.year not in PLAUSIBLE_YEARS:
            raise BadReservation(f"{day} is no day for a stay; years from 2000 to 2199 are.")
    start = instant(in_date, in_time or unit.check_in_time, unit.timezone, later=False)
    end = instant(out_date, out_time or unit.check_out_time, unit.timezone, later=True)
    if end <= start:
        raise BadReservation(
            f"Check-out ({out_date} {out_time or unit.check_out_time:%H:%M}) is not after "
            f"check-in ({in_date} {in_time or unit.check_in_time:%H:%M})."
        )
    return start, end


def _accommodation(facts: ReservationFacts, known: Reservation | None) -> Accommodation:
    if not facts.listing_id and known is not None:
        return known.accommodation
    unit = Accommodation.objects.filter(external_id=facts.listing_id).first() if facts.listing_id else None
    if unit is None and known is not None and facts.status in ENDED:
        return known.accommodation  # what ends a stay must not fail on where it was
    if unit is None:
        raise UnknownListing(facts.listing_id)
    return unit


def _tell_of_overlap(reservation: Reservation) -> None:
    """Two confirmed stays in one unit at one time: both get in, and the operator is told."""
    others = list(reservation.overlapping()) if reservation.is_confirmed() else []
    if others:
        stays_overlap.send(Reservation, reservation=reservation, others=others)


def _values(facts: ReservationFacts, unit: Accommodation, known: Reservation | None) -> dict[str, Any]:
    """Silence does not erase what is known: a time, a name or a contact that is not told stays as it was."""
    in_time = facts.check_in_time or (known.check_in_time if known else None)
    out_time = facts.check_out_time or (known.check_out_time if known else None)
    start, end_at = window(unit, facts.check_in_date, in_time, facts.check_out_date, out_time)
    values: dict[str, Any] = {
        "accommodation_id": unit.pk, "status": facts.status,
        "check_in_date": facts.check_in_date, "check_in_time": in_time,
        "check_out_date": facts.check_out_date, "check_out_time": out_time,
        "check_in_at": start, "check_out_at": end_at,
    }  # fmt: skip
    told = {
        "short_id": facts.short_id, "partner_code": facts.partner_code, "guest_name": facts.guest.name,
        "guest_email": facts.guest.email, "guest_phone": facts.guest.phone, "guest_language": facts.guest.language,
    }  # fmt: skip
    return values | {name: value for name, value in told.items() if value}
