"""Webhooks that stop coming are noticed, where Stays is connected at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from reservations import listings, silence
from reservations.models import Listing
from tests.builders import NOW, make_accommodation
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db


def test_webhooks_are_watched_where_stays_is_connected(settings: Settings) -> None:
    WebhookEvent.objects.create(
        action="message.added", dedupe_key="a", state="ignored", verification="verified", received_at=NOW, body=b""
    )
    assert "stays-webhooks" not in {one.source.name for one in silence.silences(now=NOW)}
    settings.STAYS_BASE_URL = "https://acme.stays.example"
    for hours, too_long in ((23, False), (25, True)):
        found = {one.source.name: one for one in silence.silences(now=NOW + timedelta(hours=hours))}
        assert found["stays-webhooks"].too_long is too_long


def test_a_child_listing_that_is_mapped_wakes_what_waits_for_it() -> None:
    waiting, other = (
        WebhookEvent.objects.create(
            action="reservation.created", external_id="R1", dedupe_key=name, state="parked", verification="verified",
            received_at=NOW, body=b"{}", listing_id=name, reason="No accommodation is mapped.",
        )
        for name in ("L9", "L99")
    )  # fmt: skip
    row = Listing.objects.create(external_id="L9", seen_at=NOW)
    listings.map_listing(row, make_accommodation(), actor="maria")
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.state, other.state) == ("received", "parked")
