"""With API credentials an event is a pointer: the reservation is read again, over HTTP, whatever the body says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pytest_django import Settings

from reservations.models import Reservation
from reservations.services import save_facts
from scheduler.errors import Retry
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts
from tests.engine import time_machine_at
from tests.reservations.stays_account import COPACABANA, book, point_to, scripted
from tests.sandbox_process import LISTING, ZIGBEE, RunningSandbox
from tests.webhooks.deliveries import STAY, process, process_all, received, seconds, stay
from webhooks.models import WebhookEvent
from webhooks.services import replay
from webhooks.verification import Verdict

pytestmark = pytest.mark.django_db
LATER = NOW + seconds(60)


@pytest.fixture
def ours() -> None:
    make_accommodation(name="Copacabana 301", external_id=COPACABANA)


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("verdict", [Verdict.VERIFIED, Verdict.UNVERIFIABLE])
def test_the_body_is_not_believed_however_well_it_is_signed(account: RunningSandbox, verdict: Verdict) -> None:
    booked = book(account)
    lie = {**booked, "checkInDate": "2026-03-05", "checkOutDate": "2026-03-30", "_idlisting": "another"}
    event = process(received("reservation.created", lie, now=NOW, verdict=verdict), NOW)
    assert (event.state, event.reason, event.processed_at) == ("processed", "", NOW)
    saved = Reservation.objects.get()
    assert (saved.check_in_date, saved.check_out_date) == (date(2026, 3, 6), date(2026, 3, 9))
    assert (saved.guest_email, saved.facts_at) == ("ana@example.org", NOW)


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("action", ["reservation.canceled", "reservation.deleted", "reservation.modified"])
def test_a_forged_end_ends_nothing(account: RunningSandbox, action: str) -> None:
    booked = book(account)
    process(received("reservation.created", booked, now=NOW), NOW)
    process(received(action, {**booked, "type": "canceled"}, now=LATER, verdict=Verdict.UNVERIFIABLE), LATER)
    assert Reservation.objects.get().status == "booked"


@pytest.mark.usefixtures("ours")
def test_an_event_with_the_short_id_alone_leads_to_the_same_stay(account: RunningSandbox) -> None:
    booked = book(account)
    process(received("reservation.created", booked, now=NOW), NOW)
    account.cancel(booked["_id"], webhook=False)
    thin = {"id": booked["id"], "_idlisting": COPACABANA}
    process(received("reservation.canceled", thin, now=LATER), LATER)
    saved = Reservation.objects.get()
    assert (saved.external_id, saved.status) == (booked["_id"], "canceled")


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 2, 0, 1, 1]])
def test_in_any_order_the_events_end_at_what_stays_says_now(account: RunningSandbox, order: list[int]) -> None:
    booked = book(account)
    moved = account.change(booked["_id"], checkOutDate="2026-03-12", webhook=False)
    cancelled = account.cancel(booked["_id"], webhook=False)
    story = [("created", booked), ("modified", moved), ("canceled", cancelled)]
    for step, index in enumerate(order):
        verb, payload = story[index]
        received(f"reservation.{verb}", payload, now=NOW + seconds(step), at=NOW + seconds(index))
        process_all(NOW + seconds(step))
    saved = Reservation.objects.get()
    assert (saved.status, saved.check_out_date) == ("canceled", date(2026, 3, 12))
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"processed"}


def test_an_unknown_listing_is_parked_and_a_replay_after_mapping_works(account: RunningSandbox) -> None:
    booked = book(account, listing=LISTING[ZIGBEE])
    event = process(received("reservation.created", booked, now=NOW), NOW)
    assert event.state == "parked"
    assert LISTING[ZIGBEE] in event.reason
    assert not Reservation.objects.exists()
    make_accommodation(external_id=LISTING[ZIGBEE])
    assert replay([event.pk], now=LATER, actor="maria") == 1
    process_all(LATER)
    event.refresh_from_db()
    assert (event.state, event.reason, event.processed_at) == ("processed", "", LATER)
    assert Reservation.objects.get().external_id == booked["_id"]


def test_what_is_parked_finds_its_place_with_the_next_event_that_gets_through(account: RunningSandbox) -> None:
    booked = book(account, listing=LISTING[ZIGBEE])
    parked = process(received("reservation.created", booked, now=NOW), NOW)
    make_accommodation(external_id=LISTING[ZIGBEE])
    received("reservation.modified", booked, now=LATER)
    process_all(LATER)
    parked.refresh_from_db()
    assert parked.state == "processed"


def unknown_once(settings: Settings, *answers: tuple[int, object], action: str = "reservation.modified") -> list[str]:
    """Process one event of a known stay until it is closed or the answers are used up; what each try came to."""
    save_facts(make_facts(make_accommodation(external_id="L1"), external_id=STAY), facts_at=NOW - seconds(60))
    event = received(action, stay(), now=NOW)
    came_to: list[str] = []
    with scripted(*answers) as stays:
        point_to(settings, stays.base_url)
        for step in range(len(answers)):
            try:
                came_to.append(process(event, NOW + seconds(step)).state)
            except Retry:
                event.refresh_from_db()
                came_to.append(f"retry, {event.state}")
    return came_to


def test_unknown_once_is_asked_again_and_unknown_twice_is_gone(settings: Settings) -> None:
    assert unknown_once(settings, (404, {}), (404, {})) == ["retry, received", "processed"]
    assert Reservation.objects.get().status == "deleted"
    assert AuditLog.objects.get(action="reservation.deleted").actor == "webhook"


def test_unknown_once_and_then_there_is_there(settings: Settings) -> None:
    assert unknown_once(settings, (404, {}), (200, stay())) == ["retry, received", "processed"]
    assert Reservation.objects.get().status == "booked"
    assert WebhookEvent.objects.get().reason == ""


@pytest.mark.parametrize("failure", [(500, {}), (401, {}), (200, b"<html>"), (200, [])])
def test_a_try_that_failed_is_no_second_unknown(settings: Settings, failure: tuple[int, object]) -> None:
    assert unknown_once(settings, failure, (404, {}), failure) == ["retry, received"] * 3
    assert Reservation.objects.get().status == "booked"


def test_a_deletion_that_stays_confirms_needs_one_answer(settings: Settings) -> None:
    assert unknown_once(settings, (404, {}), action="reservation.deleted") == ["processed"]
    assert Reservation.objects.get().status == "deleted"


def test_a_stay_that_nobody_knows_is_no_trouble(settings: Settings) -> None:
    event = received("reservation.created", stay(), now=NOW)
    with scripted((404, {})) as stays:
        point_to(settings, stays.base_url)
        with pytest.raises(Retry):
            process(event, NOW)
        assert process(event, NOW).state == "processed"
    assert not Reservation.objects.exists()


def test_while_stays_is_away_the_event_waits_and_nothing_changes(settings: Settings) -> None:
    point_to(settings, "http://127.0.0.1:1")
    event = received("reservation.created", stay(), now=NOW)
    with pytest.raises(Retry, match="could not be reached"):
        process(event, NOW)
    event.refresh_from_db()
    assert (event.state, event.processed_at) == ("received", None)


@pytest.mark.parametrize(
    "odd",
    [{"checkInDate": "2026-02-30"}, {"checkOutDate": "2026-03-01"}, {"type": "new"}, {"checkInTime": "25:00"},
     {"_id": None, "id": None}, {"checkOutDate": "9999-12-31", "checkOutTime": "23:59"}],
)  # fmt: skip
def test_impossible_facts_are_parked_with_the_reason_and_heal_with_the_correction(
    settings: Settings, odd: dict[str, Any]
) -> None:
    make_accommodation(external_id="L1")
    event = received("reservation.created", stay(), now=NOW)
    with scripted((200, stay(**odd)), (200, stay())) as stays:
        point_to(settings, stays.base_url)
        assert process(event, NOW).state == "parked"
        assert event.reason
        received("reservation.modified", stay(), now=LATER)
        process_all(LATER)
    assert Reservation.objects.get().check_in_date == date(2026, 3, 6)
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"processed"}


@pytest.mark.parametrize("payload", [{}, None, [stay()], {"_id": "../clients/1"}])
def test_an_event_that_names_no_stay_is_parked_without_a_call(settings: Settings, payload: object) -> None:
    with scripted((200, stay())) as stays:
        point_to(settings, stays.base_url)
        event = process(received("reservation.modified", payload, now=NOW), NOW)
        assert stays.asked == []
    assert event.state == "parked"
    assert "names no reservation" in event.reason


def test_the_job_itself_retries_after_three_seconds_and_ends_well(settings: Settings) -> None:
    make_accommodation(external_id="L1")
    event = received("reservation.created", stay(), now=NOW)
    with scripted((404, {}), (200, stay())) as stays, time_machine_at(NOW) as machine:
        point_to(settings, stays.base_url)
        ran = machine.until(NOW + seconds(10))
        assert [outcome for kind, outcome in ran if kind == "webhooks.process_event"] == ["retry", "succeeded"]
    job = Job.objects.get(kind="webhooks.process_event")
    assert seconds(5) <= job.run_at - NOW <= seconds(5.5)  # settled for two, and asked again after three
    event.refresh_from_db()
    assert (event.state, Reservation.objects.get().status) == ("processed", "booked")
