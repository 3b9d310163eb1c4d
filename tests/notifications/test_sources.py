"""A silent source, an unknown listing, a vanished stay: a person is called once. A forgotten guest is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifications import notices
from notifications.models import Message, Notice
from reservations import erasure
from reservations.facts import Guest
from reservations.models import Reservation
from reservations.signals import listing_unknown, source_back, source_silent, stay_vanished
from tests.builders import NOW, make_reservation

pytestmark = pytest.mark.django_db


def test_a_silent_source_is_told_once_and_needs_nobody_when_it_is_back() -> None:
    for hours in (3.0, 4.0):
        source_silent.send(None, name="stays-webhooks", label="Stays (webhooks)", hours=hours)
    notice = Notice.objects.get()
    assert "Stays (webhooks)" in notice.title
    source_back.send(None, name="stays-webhooks", label="Stays (webhooks)", hours=0.1)
    notice.refresh_from_db()
    assert notice.seen_at is not None


def test_an_unknown_listing_makes_one_notice_however_many_bookings_it_gets() -> None:
    for _ in range(2):
        listing_unknown.send(Reservation, listing_id="L9", reservation=None)
    listing_unknown.send(Reservation, listing_id="L8", reservation=make_reservation())
    assert sorted(Notice.objects.values_list("subject", flat=True)) == ["listing:L8", "listing:L9"]


def test_a_stay_that_vanished_on_its_day_asks_for_a_decision() -> None:
    stay = make_reservation()
    stay_vanished.send(Reservation, reservation=stay)
    assert Notice.objects.get(code="stay_vanished").subject == stay.subject


def test_addresses_and_names_go_and_what_was_sent_stays_true() -> None:
    stay, other = make_reservation(), make_reservation(guest=Guest("Bia Outra", "bia@example.com"))
    Message.objects.create(
        reservation=stay, template="pin_ready", to="ana@example.com", language="en", state="sent", sent_at=NOW,
        knows={}, error="ana@example.com was refused once",
    )  # fmt: skip
    notices.about_overlap(stay, [other], now=NOW)
    Reservation.objects.filter(pk=other.pk).update(check_out_at=NOW + timedelta(days=300))
    erasure.erase_guests(now=NOW + timedelta(days=100))
    message = Message.objects.get()
    assert (message.to, message.state, message.sent_at, message.error) == ("–", "sent", NOW, "")
    notice = Notice.objects.get(code="stays_overlap")
    assert "Ana" not in notice.text + notice.title
    assert "Bia" in notice.text + notice.title, "she has not left long ago"
