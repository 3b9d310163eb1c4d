"""A person has events processed once more: safe to repeat, and written down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reservations.models import Reservation
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation
from tests.webhooks.deliveries import process, process_all, received, stay
from webhooks.services import replay

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def test_a_replay_changes_nothing_that_is_right_and_is_audited() -> None:
    make_accommodation(external_id="L1")
    event = process(received("reservation.created", stay(), now=NOW), NOW)
    before = Reservation.objects.values().get()
    for _ in range(2):
        assert replay([event.pk], now=LATER, actor="maria") == 1
        process_all(LATER)
    assert Reservation.objects.values().get() == before
    entries = AuditLog.objects.filter(action="event.replayed")
    assert [(entry.actor, entry.subject, entry.summary) for entry in entries] == [
        ("maria", f"event:{event.pk}", "reservation.created")
    ] * 2
    assert AuditLog.objects.filter(action="reservation.created").count() == 1


def test_an_old_event_brings_no_old_state_back() -> None:
    make_accommodation(external_id="L1")
    created = process(received("reservation.created", stay(), now=NOW), NOW)
    process(received("reservation.canceled", stay(), now=LATER), LATER)
    replay([created.pk], now=LATER, actor="maria")
    process_all(LATER)
    assert Reservation.objects.get().status == "canceled"


def test_a_replay_of_what_is_still_waiting_makes_no_second_job() -> None:
    event = received("reservation.created", stay(), now=NOW)
    assert replay([event.pk, event.pk], now=LATER, actor="maria") == 1
    process_all(LATER)
    assert Job.objects.filter(kind="webhooks.process_event").count() == 1


@pytest.mark.parametrize("action", ["reservation.payments.deleted", "message.added", "client.created"])
def test_what_was_ignored_is_ignored_again(action: str) -> None:
    make_accommodation(external_id="L1")
    event = received(action, stay(), now=NOW)
    replay([event.pk], now=LATER, actor="maria")
    process_all(LATER)
    event.refresh_from_db()
    assert event.state == "ignored"
    assert not Reservation.objects.exists()


def test_an_action_that_nobody_knows_is_parked_again() -> None:
    event = received("reservation.teleported", stay(), now=NOW)
    replay([event.pk], now=LATER, actor="maria")
    process_all(LATER)
    event.refresh_from_db()
    assert (event.state, event.processed_at) == ("parked", LATER)
    assert "not an action we know" in event.reason


def test_ids_of_no_event_replay_nothing() -> None:
    assert replay([1, 2, 3], now=LATER, actor="maria") == 0
    assert not AuditLog.objects.exists()
