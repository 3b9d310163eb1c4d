"""The only writers of accommodations and reservations. Every source ends here; saving sends Django's ``post_save``."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from reservations.errors import BadReservation, UnknownListing
from reservations.facts import ReservationFacts
from reservations.models import Accommodation, Reservation
from reservations.signals import listing_unknown, listings_mapped, stays_overlap
from reservations.times import NOT_AGREED, Agreed, window_of
from reservations.times import window as window  # for whoever wants to know before saving
from reservations.twins import feed_twin
from smartlock.audit.services import record

ENDED = (Reservation.Status.CANCELED, Reservation.Status.DELETED)


@dataclass(frozen=True)
class Saved:
    """What saving facts came to; ``changed`` names the fields that are different now."""

    reservation: Reservation
    created: bool
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """What saving facts would come to: what is different, as (now, then)."""

    known: Reservation | None
    changes: dict[str, tuple[Any, Any]]


def save_facts(
    facts: ReservationFacts, *, facts_at: datetime, source: str = Reservation.Source.STAYS, actor: str = "system"
) -> Saved:
    """Make our reservation equal to what its source said at ``facts_at`` (aware).

    Facts older than those we have change nothing, so events may come in any order. Nothing is written when
    nothing is different. Raises UnknownListing (a stay we know has lost its unit by then) and BadReservation.
    """
    try:
        try:
            return _save_facts(facts, facts_at, source, actor)
        except IntegrityError:  # a webhook and a sync met a new stay in the same instant: now it is a known one
            return _save_facts(facts, facts_at, source, actor)
    except UnknownListing as unknown:
        _leave_unit(facts, unknown.listing_id, facts_at, source, actor)
        raise


@transaction.atomic
def _save_facts(facts: ReservationFacts, facts_at: datetime, source: str, actor: str) -> Saved:
    known = find(facts.external_id, source=source, lock=True)
    if known is not None and known.facts_at > facts_at:
        return Saved(known, created=False, changed=())
    unit = _accommodation(facts, known)
    twin = feed_twin(facts, unit) if known is None and source == Reservation.Source.STAYS else None
    known = known or twin
    values = _values(facts, unit, known, facts_at)
    if twin is not None:
        values |= {"source": source, "external_id": facts.external_id}
    reservation = known or Reservation(source=source, external_id=facts.external_id)
    changed = tuple(name for name, value in values.items() if known is None or getattr(known, name) != value)
    extra = reservation.extra if reservation.guest_erased_at or not facts.extra else dict(facts.extra)
    if not changed:
        Reservation.objects.filter(pk=reservation.pk).update(facts_at=facts_at, extra=extra)
        return Saved(reservation, created=False, changed=())
    for name, value in values.items():
        setattr(reservation, name, value)
    reservation.facts_at, reservation.extra = facts_at, extra
    reservation.save()
    _tell_of_overlap(reservation, facts_at)
    verb = "created" if known is None else "changed" if twin is None else "adopted"
    record(
        f"reservation.{verb}", reservation.subject, actor=actor,
        fields=[name for name in changed if not name.startswith("guest")], status=reservation.status,
    )  # fmt: skip
    return Saved(reservation, created=known is None, changed=changed)


def preview(facts: ReservationFacts, *, now: datetime, source: str = Reservation.Source.STAYS) -> Preview:
    """What ``save_facts`` would do. Raises the same, and writes nothing."""
    known = find(facts.external_id, source=source)
    unit = _accommodation(facts, known)
    known = known or (feed_twin(facts, unit, lock=False) if source == Reservation.Source.STAYS else None)
    values = _values(facts, unit, known, now)
    return Preview(
        known,
        {
            name: (getattr(known, name) if known else None, value)
            for name, value in values.items()
            if known is None or getattr(known, name) != value
        },
    )


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
    reservation.check_in_at, reservation.check_out_at = window_of(reservation)
    reservation.facts_at = now
    reservation.save()
    _tell_of_overlap(reservation, now)
    record("reservation.created" if new else "reservation.edited", reservation.subject, actor=actor)
    return reservation


@transaction.atomic
def set_times(
    reservation: Reservation, *, check_in: time | None, check_out: time | None, now: datetime, actor: str
) -> Reservation:
    """Early check-in, late check-out: other local times for this one stay, whatever its source says now or later.

    None gives the time back to the source. Raises BadReservation when the two cannot be.
    """
    row = Reservation.objects.select_for_update(of=("self",)).select_related("accommodation").get(pk=reservation.pk)
    row.check_in_at, row.check_out_at = window(
        row.accommodation, row.check_in_date, check_in or row.check_in_time,
        row.check_out_date, check_out or row.check_out_time,
    )  # fmt: skip
    row.agreed_check_in_time, row.agreed_check_out_time = check_in, check_out
    row.agreed_by, row.agreed_at = actor[:150], now
    row.save()
    _tell_of_overlap(row, now)
    record(
        "reservation.times_set", row.subject, actor=actor,
        check_in=check_in and f"{check_in:%H:%M}", check_out=check_out and f"{check_out:%H:%M}",
    )  # fmt: skip
    return row


@transaction.atomic
def save_accommodation(accommodation: Accommodation, *, now: datetime, actor: str) -> int:
    """Save a unit and re-time its stays that are not over. Returns how many got other times.

    Raises BadReservation, naming the stay, when one cannot be at the new times.
    """
    before = Accommodation.objects.filter(pk=accommodation.pk).values_list("external_id", flat=True).first()
    accommodation.save()
    moved = 0
    for stay in accommodation.reservations.filter(check_out_at__gt=now).order_by("pk").select_for_update():
        times = _retimed(stay, accommodation)
        moved += times != (stay.check_in_at, stay.check_out_at)
        stay.check_in_at, stay.check_out_at = times
        stay.save()  # also when the times are the same: grace or active may have changed the plan
    record("accommodation.saved", f"accommodation:{accommodation.pk}", actor=actor, stays_moved=moved)
    if accommodation.external_id and accommodation.external_id != before:
        listings_mapped.send(Accommodation, listing_ids=[accommodation.external_id], actor=actor)
    return moved


def _retimed(stay: Reservation, unit: Accommodation) -> tuple[datetime, datetime]:
    """Its times in the unit as it is now. Who does not come any more stands in nobody's way, and keeps the old ones."""
    try:
        return window_of(stay, unit)
    except BadReservation as error:
        if stay.status in ENDED:
            return stay.check_in_at, stay.check_out_at
        raise BadReservation(f"%(stay)s: {error.text}", stay=stay, **error.values) from None


def find(reference: str, *, source: str = Reservation.Source.STAYS, lock: bool = False) -> Reservation | None:
    """A reservation by its source's long id, or by the short one, which some events give alone."""
    rows = Reservation.objects.filter(source=source)
    rows = rows.select_for_update() if lock else rows
    exact = rows.filter(external_id=reference).first()
    return exact or (rows.filter(short_id=reference).order_by("-created_at").first() if reference else None)


def long_ids(references: Iterable[str], *, source: str = Reservation.Source.STAYS) -> dict[str, str]:
    """Of those that are short ids (and no long ones), the long id that ``find`` would come to; by short id."""
    asked = set(references) - {""}
    rows = Reservation.objects.filter(source=source)
    asked -= set(rows.filter(external_id__in=asked).values_list("external_id", flat=True))
    return dict(rows.filter(short_id__in=asked).order_by("created_at").values_list("short_id", "external_id"))


def names_of(reference: str) -> set[str]:
    """All that the source calls a stay: its long and its short id, and what was given, known or not."""
    known = find(reference)
    return {reference, *((known.external_id, known.short_id) if known else ())} - {""}


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


def unit_of(listing_id: str) -> Accommodation | None:
    """The unit of a listing: its own, or the one that a person mapped the listing (a child of it) to."""
    if not listing_id:
        return None
    own = Accommodation.objects.filter(external_id=listing_id).first()
    return own or Accommodation.objects.filter(listings__external_id=listing_id).first()


def _accommodation(facts: ReservationFacts, known: Reservation | None) -> Accommodation:
    if facts.unit_id is not None:
        return Accommodation.objects.get(pk=facts.unit_id)
    if not facts.listing_id and known is not None:
        return known.accommodation
    unit = unit_of(facts.listing_id)
    if unit is None and known is not None and facts.status in ENDED:
        return known.accommodation  # what ends a stay must not fail on where it was
    if unit is None:
        raise UnknownListing(facts.listing_id)
    return unit


@transaction.atomic
def _leave_unit(facts: ReservationFacts, listing_id: str, facts_at: datetime, source: str, actor: str) -> None:
    """A stay we know was moved to a listing we do not: it has no claim to the unit it was in, from now on."""
    known = find(facts.external_id, source=source, lock=True)
    if known is not None and known.facts_at > facts_at:
        return
    listing_unknown.send(Reservation, listing_id=listing_id, reservation=known)
    if known is None:
        return
    if (known.unmapped_listing, known.status) == (listing_id, facts.status):
        Reservation.objects.filter(pk=known.pk).update(facts_at=facts_at)
        return
    known.unmapped_listing, known.status, known.facts_at = listing_id, facts.status, facts_at
    known.save()
    record("reservation.left_unit", known.subject, actor=actor, listing=listing_id, status=known.status)


def _tell_of_overlap(reservation: Reservation, now: datetime) -> None:
    """Two confirmed stays in one unit at one time: both get in, and the operator is told, unless one is over."""
    matters = reservation.is_confirmed() and not reservation.is_over(now)
    others = list(reservation.overlapping().filter(check_out_at__gt=now)) if matters else []
    if others:
        stays_overlap.send(Reservation, reservation=reservation, others=others)


def _values(
    facts: ReservationFacts, unit: Accommodation, known: Reservation | None, facts_at: datetime
) -> dict[str, Any]:
    """Silence does not erase what is known: a time, a name or a contact that is not told stays as it was."""
    in_time = facts.check_in_time or (known.check_in_time if known else None)
    out_time = facts.check_out_time or (known.check_out_time if known else None)
    agreed = Agreed.of(known) if known else NOT_AGREED
    start, end_at = window(unit, facts.check_in_date, in_time, facts.check_out_date, out_time, agreed)
    values: dict[str, Any] = {
        "accommodation_id": unit.pk, "status": facts.status,
        "check_in_date": facts.check_in_date, "check_in_time": in_time,
        "check_out_date": facts.check_out_date, "check_out_time": out_time,
        "check_in_at": start, "check_out_at": end_at,
    }  # fmt: skip
    if known is not None and known.unmapped_listing and (facts.listing_id or facts.status in ENDED):
        values["unmapped_listing"] = ""
    told = {"short_id": facts.short_id, "partner_code": facts.partner_code}
    if known is None or known.guest_erased_at is None or end_at > facts_at - timedelta(days=settings.GUEST_KEEP_DAYS):
        told |= {
            "guest_name": facts.guest.name, "guest_email": facts.guest.email, "guest_phone": facts.guest.phone,
            "guest_language": facts.guest.language,
        }  # fmt: skip
        if known is not None and known.guest_erased_at is not None:
            values["guest_erased_at"] = None  # the stay has a future again
    return values | {name: value for name, value in told.items() if value}
