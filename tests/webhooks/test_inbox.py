"""Between receipt and processing: bursts become one reading, one reader at a time, nothing is left behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from reservations.models import Accommodation, Reservation
from reservations.services import save_accommodation
from scheduler import services as jobs
from scheduler.models import Job
from tests.builders import NOW, make_accommodation
from tests.engine import time_machine_at
from tests.reservations.stays_account import point_to, scripted
from tests.webhooks.deliveries import STAY, process, process_all, received, seconds, stay
from webhooks import inbox
from webhooks.models import WebhookEvent
from webhooks.verification import Verdict

pytestmark = pytest.mark.django_db
State = WebhookEvent.State


def readers(**over: Any) -> Any:
    return Job.objects.filter(kind=inbox.PROCESS, **over)


def states() -> list[str]:
    return list(WebhookEvent.objects.order_by("id").values_list("state", flat=True))


@pytest.mark.parametrize("apart", [0.1, 0.5, 1.0])
def test_ten_events_of_one_stay_within_seconds_are_read_once(settings: Settings, apart: float) -> None:
    make_accommodation(external_id="L1")
    with scripted(*[(200, stay(checkOutDate="2026-03-12"))] * 3) as stays, time_machine_at(NOW) as machine:
        point_to(settings, stays.base_url)
        for number in range(10):
            machine.until(NOW + seconds(apart * number))
            received("reservation.modified", stay(), now=machine.now)
        machine.until(NOW + seconds(60))
        assert len(stays.asked) <= (1 if apart < 1 else 2)
    assert states() == ["processed"] * 10
    assert Reservation.objects.get().check_out_date.isoformat() == "2026-03-12"


def test_events_that_never_pause_are_read_all_the_same(settings: Settings) -> None:
    make_accommodation(external_id="L1")
    with scripted(*[(200, stay())] * 9) as stays, time_machine_at(NOW) as machine:
        point_to(settings, stays.base_url)
        for number in range(30):
            machine.until(NOW + seconds(number))
            received("reservation.modified", stay(), now=machine.now)
        assert 2 <= len(stays.asked) <= 4


def test_what_comes_while_a_reader_runs_is_read_after_it_and_never_beside_it() -> None:
    received("reservation.created", stay(), now=NOW)
    inbox.sort(now=NOW + seconds(3))
    reader = readers().get()
    Job.objects.filter(pk=reader.pk).update(state="running", lease_until=NOW + seconds(60), version=2)
    late = received("reservation.modified", stay(), now=NOW + seconds(4))
    assert inbox.sort(now=NOW + seconds(7)) == 0
    assert readers().count() == 1
    Job.objects.filter(pk=reader.pk).update(state="succeeded", lease_until=None, finished_at=NOW)
    assert inbox.sort(now=NOW + seconds(8)) == 1
    assert readers(state="scheduled").get().payload == {"event": late.pk}


def test_events_with_the_short_id_alone_join_those_of_their_stay() -> None:
    make_accommodation(external_id="L1")
    received("reservation.created", stay(), now=NOW)
    process_all(NOW)
    received("reservation.modified", stay(checkOutDate="2026-03-10"), now=NOW + seconds(60))
    short = received("reservation.cancelled", {"id": "EV23J", "_idlisting": "L1"}, now=NOW + seconds(61))
    assert inbox.sort(now=NOW + seconds(70)) == 1
    short.refresh_from_db()
    assert (short.external_id, short.about) == (STAY, f"stays:{STAY}")
    process_all(NOW + seconds(70))
    assert states() == ["processed"] * 3
    assert Reservation.objects.get().status == "canceled"


def test_a_short_id_that_nobody_knows_yet_is_a_pointer_all_the_same() -> None:
    make_accommodation(external_id="L1")
    event = received("reservation.cancelled", {"id": "EV23J"}, now=NOW)
    assert inbox.sort(now=NOW + seconds(3)) == 1
    event.refresh_from_db()
    assert event.about == "stays:EV23J"


def test_news_wakes_a_reader_that_waits_for_stays_to_come_back() -> None:
    received("reservation.created", stay(), now=NOW)
    inbox.sort(now=NOW + seconds(3))
    readers().update(run_at=NOW + timedelta(hours=1), attempt=7)
    received("reservation.modified", stay(), now=NOW + seconds(4))
    inbox.sort(now=NOW + seconds(7))
    assert (readers().count(), readers().get().run_at) == (1, NOW + seconds(7))


def test_a_flood_delays_its_own_processing_and_nobody_elses(settings: Settings) -> None:
    settings.WEBHOOK_RATE = 3
    for number in range(10):
        received("reservation.created", stay(_id=f"flood{number}"), now=NOW)
    WebhookEvent.objects.update(remote_address="203.0.113.7")
    received("reservation.created", stay(_id="quiet"), now=NOW + seconds(1))
    assert inbox.sort(now=NOW + seconds(5)) == 4
    assert readers(subject="stays:quiet").exists()
    assert Job.objects.filter(kind=inbox.SORT, due_at__gt=NOW + seconds(5)).exists()
    assert [inbox.sort(now=NOW + seconds(at)) for at in (6, 7, 8, 9)] == [3, 3, 1, 0]


def test_replayed_events_stand_behind_new_ones(settings: Settings) -> None:
    settings.WEBHOOK_RATE = 1
    old = received("reservation.created", stay(_id="old"), now=NOW - timedelta(days=3))
    inbox.put_back(WebhookEvent.objects.filter(pk=old.pk), now=NOW)
    received("reservation.created", stay(_id="new"), now=NOW + seconds(1))
    inbox.sort(now=NOW + seconds(5))
    assert readers().get().subject == "stays:new"


def hand_on(now: datetime = NOW) -> tuple[WebhookEvent, Job]:
    event = received("reservation.created", stay(), now=now)
    inbox.sort(now=now + seconds(3))
    return event, readers().latest("id")


def test_a_job_that_is_given_up_takes_its_events_to_the_shelf_and_a_later_try_brings_them_back(
    settings: Settings,
) -> None:
    make_accommodation(external_id="L1")
    point_to(settings, "http://127.0.0.1:1")
    event, job = hand_on()
    Job.objects.filter(pk=job.pk).update(attempt=29)
    with time_machine_at(NOW + seconds(5)) as machine:
        machine.until(NOW + seconds(30))
        event.refresh_from_db()
        assert (event.state, "could not be reached" in event.reason) == (State.FAILED, True)
        with scripted((200, stay())) as stays:
            point_to(settings, stays.base_url)
            jobs.retry(Job.objects.filter(pk=job.pk), now=machine.now, actor="maria")
            machine.until(NOW + seconds(60))
    event.refresh_from_db()
    assert (event.state, Reservation.objects.count()) == (State.PROCESSED, 1)


@pytest.mark.parametrize("gone", ["deleted", "succeeded"])
def test_an_event_whose_job_is_gone_is_handed_on_again(gone: str) -> None:
    event, job = hand_on()
    if gone == "deleted":
        job.delete()
    else:
        Job.objects.filter(pk=job.pk).update(state="succeeded", finished_at=NOW)
    assert inbox.look_after(now=NOW + seconds(60)) == 0
    assert inbox.look_after(now=NOW + seconds(200)) == 1
    assert inbox.sort(now=NOW + seconds(200)) == 1
    assert readers(state="scheduled").get().payload == {"event": event.pk}


def test_an_event_whose_job_was_called_off_goes_to_the_shelf_with_the_reason() -> None:
    event, job = hand_on()
    jobs.cancel(Job.objects.filter(pk=job.pk), now=NOW, actor="maria", reason="Not today.")
    inbox.look_after(now=NOW + seconds(200))
    event.refresh_from_db()
    assert (event.state, event.reason.startswith("Not today.")) == (State.FAILED, True)


def test_an_event_whose_job_still_waits_is_left_to_it() -> None:
    event, _job = hand_on()
    assert inbox.look_after(now=NOW + timedelta(days=1)) == 0
    event.refresh_from_db()
    assert event.state == State.RECEIVED


def test_a_parked_event_goes_through_as_soon_as_its_listing_has_a_unit() -> None:
    event = process(received("reservation.created", stay(_idlisting="L9"), now=NOW), NOW)
    assert (event.state, event.listing_id) == (State.PARKED, "L9")
    make_accommodation(external_id="L8")
    event.refresh_from_db()
    assert event.state == State.PARKED
    save_accommodation(Accommodation(name="Ninth", external_id="L9"), now=NOW, actor="maria")
    process_all(NOW + timedelta(days=900))
    event.refresh_from_db()
    assert (event.state, Reservation.objects.count()) == (State.PROCESSED, 1)


def test_each_event_of_a_bundle_is_judged_by_itself_when_bodies_are_believed() -> None:
    make_accommodation(external_id="L1")
    received("reservation.created", stay(), now=NOW)
    received("reservation.modified", stay(checkOutDate="2026-02-30"), now=NOW, at=NOW + seconds(1))
    received("reservation.modified", stay(type="contract"), now=NOW, at=NOW + seconds(2), verdict=Verdict.UNVERIFIABLE)
    inbox.sort(now=NOW + seconds(5))
    process(WebhookEvent.objects.earliest("id"), NOW + seconds(5))
    assert states() == ["processed", "parked", "parked"]
    assert Reservation.objects.get().status == "booked"
