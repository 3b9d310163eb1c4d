"""What is kept for how long: settled events for the setting's days, anything unsettled until somebody settles it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from reservations.erasure import erase_guests
from tests.builders import NOW, make_accommodation
from tests.webhooks.deliveries import STAY, process, received, stay
from webhooks import retention
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "days", "kept"),
    [("processed", 89, True), ("processed", 91, False), ("ignored", 89, True), ("ignored", 91, False),
     ("received", 400, True), ("parked", 400, True), ("failed", 400, True)],
)  # fmt: skip
def test_settled_events_go_when_their_days_are_over(settings: Settings, state: str, days: int, kept: bool) -> None:
    settings.WEBHOOK_KEEP_DAYS = 90
    event = received("reservation.created", stay(), now=NOW - days * DAY)
    WebhookEvent.objects.filter(pk=event.pk).update(state=state)
    assert retention.prune(now=NOW) == (0 if kept else 1)
    assert WebhookEvent.objects.exists() == kept


def test_the_bytes_of_what_never_concerned_a_door_go_after_a_week_and_a_copy_is_still_known() -> None:
    chat = received("message.added", {"_id": "m1", "text": "my passport number is"}, now=NOW - 8 * DAY)
    fresh = received("message.added", {"_id": "m2"}, now=NOW - 6 * DAY)
    stays = received("reservation.payments.created", stay(), now=NOW - 8 * DAY)
    WebhookEvent.objects.filter(pk=stays.pk).update(state="processed")
    assert retention.prune(now=NOW) == 0
    for event in (chat, fresh, stays):
        event.refresh_from_db()
    assert (bytes(chat.body), chat.headers) == (b"", {})
    assert bytes(fresh.body)
    assert bytes(stays.body)
    received("message.added", {"_id": "m1"}, now=NOW, at=NOW - 8 * DAY)
    assert WebhookEvent.objects.get(pk=chat.pk).deliveries == 2


def test_with_the_guest_the_bytes_of_the_stays_events_are_erased_and_a_replay_says_so() -> None:
    unit = make_accommodation(external_id="L1")
    mine = process(received("reservation.created", stay(), now=NOW), NOW)
    short = received("reservation.canceled", {"id": "EV23J"}, now=NOW - DAY)
    other = received("reservation.created", stay(_id="another"), now=NOW)
    erase_guests(now=NOW + 200 * DAY)
    assert [bytes(row) for row in WebhookEvent.objects.order_by("id").values_list("body", flat=True)] == [
        b"", b"", bytes(other.body)
    ]  # fmt: skip
    assert {mine.external_id, short.external_id} == {STAY, "EV23J"}
    assert unit.reservations.get().guest_name == ""
    WebhookEvent.objects.filter(pk=mine.pk).update(state="received")
    again = process(mine, NOW + 201 * DAY)
    assert (again.state, "were erased" in again.reason) == ("parked", True)


def test_many_are_deleted_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PORTION", 3)
    for number in range(8):
        received("message.added", {"_id": f"m{number}"}, now=NOW - 100 * DAY)
    assert retention.prune(now=NOW) == 8
    assert retention.prune(now=NOW) == 0
