"""Feeds, listings and agreed times as an operator meets them."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reservations import feeds
from reservations.models import Accommodation, Feed, Listing, SyncRun
from scheduler import clock
from tests.admin.test_forms import NO_LOCKS
from tests.builders import make_accommodation, make_reservation
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db
ADDRESS = "https://www.airbnb.example/calendar/ical/7.ics?s=very-secret-token"


def saved(boss: Client, unit: Accommodation, **feed: Any) -> Any:
    url = reverse("admin:reservations_accommodation_change", args=[unit.pk])
    known = unit.feeds.first()
    form = {
        "name": unit.name, "external_id": unit.external_id, "short_id": "", "active": "on", "timezone": unit.timezone,
        "check_in_time": "15:00", "check_out_time": "11:00", "grace_minutes": "0", **NO_LOCKS,
        "feeds-TOTAL_FORMS": "1", "feeds-INITIAL_FORMS": "1" if known else "0",
        "feeds-0-id": str(known.pk) if known else "", "feeds-0-accommodation": str(unit.pk), "feeds-0-active": "on",
        **{f"feeds-0-{name}": value for name, value in feed.items()},
    }  # fmt: skip
    return boss.post(url, form)


def test_a_feeds_address_is_entered_kept_and_never_shown(boss: Client) -> None:
    unit = make_accommodation()
    assert saved(boss, unit, address=ADDRESS).status_code == 302
    assert feeds.address_of(Feed.objects.get()) == ADDRESS
    page = boss.get(reverse("admin:reservations_accommodation_change", args=[unit.pk])).content.decode()
    assert "very-secret-token" not in page
    assert "www.airbnb.example …" in page
    assert saved(boss, unit, address="").status_code == 302
    assert feeds.address_of(Feed.objects.get()) == ADDRESS
    assert saved(boss, unit, DELETE="on").status_code == 302
    assert not Feed.objects.exists()


def test_an_address_that_is_none_is_a_sentence_on_the_form(boss: Client) -> None:
    response = saved(boss, make_accommodation(), address="http://plain.example/x")
    assert response.status_code == 200
    assert "must begin with https" in response.content.decode()


def test_listings_become_units_and_what_was_parked_goes_on(boss: Client) -> None:
    listing = Listing.objects.create(
        external_id="L77", name="Casa", proposed_timezone="America/Manaus", zone_reason="state AM", seen_at=clock.now()
    )
    event = WebhookEvent.objects.create(
        action="reservation.created", external_id="R1", dedupe_key="k", verification="verified", state="parked",
        body=b"{}", listing_id="L77", reason="No accommodation is mapped to the Stays listing L77: add it",
    )  # fmt: skip
    boss.post(
        reverse("admin:reservations_listing_changelist"), {"action": "import_units", "_selected_action": [listing.pk]}
    )
    assert Accommodation.objects.get(external_id="L77").timezone == "America/Manaus"
    event.refresh_from_db()
    assert event.state == "received"
    SyncRun.objects.create(
        key="near", start=clock.now().date(), end=clock.now().date(), started_at=clock.now(), problems=["One."]
    )
    run = SyncRun.objects.get()
    assert "One." in boss.get(reverse("admin:reservations_syncrun_change", args=[run.pk])).content.decode()


def test_other_times_are_agreed_on_a_stays_page(boss: Client) -> None:
    today = clock.now().date()
    stay = make_reservation(
        facts_at=clock.now(), check_in_date=today + timedelta(days=2), check_out_date=today + timedelta(days=4)
    )
    url = reverse("admin:reservations_reservation_set_times_here", args=[stay.pk])
    boss.post(url, {"_form_submitted": "True", "check_in": "12:00", "check_out": ""})
    stay.refresh_from_db()
    assert (stay.agreed_check_in_time, stay.agreed_check_out_time, stay.agreed_by) == (time(12), None, "boss")
    boss.post(url, {"_form_submitted": "True", "check_in": "", "check_out": ""})
    stay.refresh_from_db()
    assert stay.agreed_check_in_time is None
