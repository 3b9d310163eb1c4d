"""The same stay told by two sources: Stays and an iCal feed. Stays wins, and one guest never gets two PINs.

The channel's code (HM… of Airbnb) is the join key: ``partnerCode`` at Stays, the end of the event's address in the
feed. Where one side has no code, the same unit with exactly the same dates is the same stay; two different codes never.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from reservations.facts import ReservationFacts
from reservations.models import Accommodation, Reservation

Status = Reservation.Status
OVER = (Status.CANCELED, Status.DELETED)


def feed_twin(facts: ReservationFacts, unit: Accommodation, *, lock: bool = True) -> Reservation | None:
    """The feed's stay that Stays tells us of now: it becomes Stays', with its PIN and its history."""
    rows = Reservation.objects.filter(source=Reservation.Source.ICAL).exclude(status__in=OVER)
    rows = rows.select_for_update() if lock else rows
    if facts.partner_code and (same := rows.filter(partner_code=facts.partner_code).first()):
        return same
    if facts.status in OVER:  # by its dates alone it may be another guest's, who took the place of this one
        return None
    booked = _same_dates(rows.filter(status=Status.BOOKED), unit, facts.check_in_date, facts.check_out_date)
    return booked.filter(partner_code="").first() if facts.partner_code else booked.first()


def stays_twin(code: str, unit: Accommodation, first: date, last: date) -> Reservation | None:
    """Stays' own row of an event in a feed, ended or not: what Stays says of it counts."""
    rows = Reservation.objects.filter(source=Reservation.Source.STAYS)
    if code and (same := rows.filter(partner_code=code).order_by("-facts_at").first()):
        return same
    booked = _same_dates(rows.filter(status__in=(*Reservation.CONFIRMED, Status.RESERVED)), unit, first, last)
    return booked.filter(partner_code="").first() if code else booked.first()


def _same_dates(rows: QuerySet[Reservation], unit: Accommodation, first: date, last: date) -> QuerySet[Reservation]:
    return rows.filter(Q(accommodation=unit), check_in_date=first, check_out_date=last)
