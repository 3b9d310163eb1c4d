"""Without API credentials a verified body is the truth as of its own time; an unverified one changes nothing."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reservations.models import Reservation
from tests.builders import NOW, make_accommodation
from tests.webhooks.deliveries import STAY, body, knock, process, process_all, received, seconds, stay
from webhooks.models import WebhookEvent
from webhooks.services import replay
from webhooks.verification import Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unit() -> None:
    make_accommodation(external_id="L1")


def the_stay() -> Reservation:
    return Reservation.objects.get()


def happen(verb: str, payload: dict[str, Any], minute: int) -> WebhookEvent:
    """An event of that minute that arrives at once and is processed."""
    at = NOW + timedelta(minutes=minute)
    return process(received(f"reservation.{verb}", payload, now=at), at)


def test_a_verified_body_is_taken() -> None:
    event = happen("created", stay(partnerCode="HMABC"), 0)
    assert event.state == "processed"
    assert (the_stay().external_id, the_stay().status, the_stay().partner_code) == (STAY, "booked", "HMABC")
    assert (the_stay().check_in_time, the_stay().facts_at) == (time(15), NOW)


def test_an_unverified_body_is_parked_and_says_what_to_do() -> None:
    event = process(received("reservation.created", stay(), now=NOW, verdict=Verdict.UNVERIFIABLE), NOW)
    assert event.state == "parked"
    for word in ("not verified", "STAYS_CLIENT_SECRET", "STAYS_WEBHOOK_SECRET", "replay"):
        assert word in event.reason
    assert not Reservation.objects.exists()


def test_a_secret_that_is_set_later_proves_what_came_before_it(settings: Settings) -> None:
    secrets, settings.STAYS_WEBHOOK_SECRETS = settings.STAYS_WEBHOOK_SECRETS, []
    knock(body("reservation.created", stay()), signed=True)
    event = WebhookEvent.objects.get()
    assert process(event, NOW).state == "parked"
    settings.STAYS_WEBHOOK_SECRETS = secrets
    replay([event.pk], now=NOW, actor="maria")
    process_all(NOW)
    event.refresh_from_db()
    assert (event.state, event.verification, the_stay().status) == ("processed", "verified", "booked")


def test_a_copy_with_the_proof_is_processed_though_the_first_was_parked() -> None:
    content = body("reservation.created", stay())
    knock(content)
    process_all(timezone.now())
    assert WebhookEvent.objects.get().state == "parked"
    knock(content, signed=True)
    process_all(timezone.now())
    assert (WebhookEvent.objects.get().state, the_stay().status) == ("processed", "booked")


def test_a_duplicate_is_processed_once() -> None:
    content = body("reservation.created", stay())
    for _ in range(3):
        knock(content, signed=True)
    process_all(timezone.now())
    event = WebhookEvent.objects.get()
    assert (event.deliveries, event.state, Reservation.objects.count()) == (3, "processed", 1)


@pytest.mark.parametrize("verb", ["canceled", "cancelled"])
@pytest.mark.parametrize(
    "payload",
    [stay(), stay(type="canceled"), {"id": "EV23J", "_idlisting": "L1"}, {"_id": STAY},
     stay(checkInDate="2026-02-30"), stay(_idlisting="not-mapped"), stay(checkOutDate="2026-03-01")],
)  # fmt: skip
def test_a_cancellation_counts_however_little_or_odd_it_says(verb: str, payload: dict[str, Any]) -> None:
    happen("created", stay(), 0)
    assert happen(verb, payload, 1).state == "processed"
    assert (the_stay().status, the_stay().check_in_date) == ("canceled", date(2026, 3, 6))


@pytest.mark.parametrize(
    "payload", [{"_id": STAY}, {"_id": STAY, "_idlisting": "L1", "from": "2026-03-06", "to": "2026-03-09"}]
)
def test_a_deletion_ends_the_stay_whatever_else_it_says(payload: dict[str, Any]) -> None:
    happen("created", stay(), 0)
    assert happen("deleted", payload, 1).state == "processed"
    assert the_stay().status == "deleted"


def test_a_stay_that_was_cancelled_and_comes_back_is_back() -> None:
    happen("created", stay(), 0)
    happen("canceled", stay(), 1)
    happen("reactivated", stay(checkOutDate="2026-03-11"), 2)
    assert (the_stay().status, the_stay().check_out_date) == ("booked", date(2026, 3, 11))


def test_an_event_older_than_what_is_known_says_so() -> None:
    happen("modified", stay(), 5)
    late = process(received("reservation.canceled", stay(), now=NOW + timedelta(minutes=6), at=NOW), NOW)
    assert (late.state, late.reason) == ("processed", "Newer facts are known already.")
    assert the_stay().status == "booked"


@pytest.mark.parametrize(
    "odd",
    [{"checkInDate": "2026-02-30"}, {"checkOutDate": "2026-03-01"}, {"type": "new"}, {"type": None},
     {"checkInTime": "25:00"}, {"checkInDate": "0001-01-01"}, {"checkOutDate": "9999-12-31"}],
)  # fmt: skip
def test_impossible_facts_are_parked_with_the_reason_and_the_correction_is_taken(odd: dict[str, Any]) -> None:
    parked = happen("created", stay(**odd), 0)
    assert parked.state == "parked"
    assert parked.reason.endswith(".")
    assert not Reservation.objects.exists()
    assert happen("modified", stay(), 1).state == "processed"
    assert the_stay().status == "booked"
    process_all(NOW + timedelta(minutes=2))
    parked.refresh_from_db()
    assert (parked.state, parked.reason) == ("processed", "Newer facts are known already.")


def test_an_unknown_listing_is_parked_and_a_replay_after_mapping_works() -> None:
    event = happen("created", stay(_idlisting="L2"), 0)
    assert event.state == "parked"
    assert "L2" in event.reason
    unit = make_accommodation(external_id="L2")
    replay([event.pk], now=NOW, actor="maria")
    process_all(NOW)
    assert the_stay().accommodation == unit


def test_a_sender_whose_clock_is_years_ahead_does_not_shut_out_what_comes_later() -> None:
    process(received("reservation.created", stay(), now=NOW, at=NOW + timedelta(days=900)), NOW)
    assert the_stay().facts_at == NOW + timedelta(minutes=5)
    happen("canceled", stay(), 10)
    assert the_stay().status == "canceled"


def test_without_a_time_of_its_own_an_event_counts_from_when_it_came() -> None:
    knock(b'{"action":"reservation.created","payload":' + body("x", stay()).split(b'"payload": ')[1], signed=True)
    event = WebhookEvent.objects.get()
    process(event, event.received_at + seconds(5))
    assert the_stay().facts_at == event.received_at


def test_an_event_that_is_closed_or_gone_is_left_alone() -> None:
    event = happen("created", stay(), 0)
    Reservation.objects.all().delete()
    assert process(event, NOW).state == "processed"
    assert not Reservation.objects.exists()
    pk = event.pk
    event.delete()
    event.pk = pk
    with pytest.raises(WebhookEvent.DoesNotExist):
        process(event, NOW)
