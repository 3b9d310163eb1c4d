"""The page shows each unit's stays with the state of their PINs, its troubles, and leads on from there."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from locks.models import Fallback, LockIncident
from reservations.models import Accommodation, Reservation
from scheduler import clock
from smartlock.timeline import views
from tests.admin.conftest import boss as boss  # the same people
from tests.admin.conftest import newcomer as newcomer
from tests.admin.house import PIN, make_house
from tests.builders import make_accommodation, make_lock, make_reservation
from webhooks.models import WebhookEvent

PAGE = reverse("timeline")


def show(client: Client, **query: object) -> str:
    response = client.get(PAGE, {key: str(value) for key, value in query.items()})
    assert response.status_code == 200
    return response.content.decode()


def bars(page: str) -> list[str]:
    return re.findall(r'<a class="tl-stay .*?</a>', page)


def booked(unit: Accommodation, begins: int, ends: int, **over: object) -> Reservation:
    today = timezone.localdate(clock.now())
    days = {"check_in_date": today + timedelta(days=begins), "check_out_date": today + timedelta(days=ends)}
    return make_reservation(unit, facts_at=clock.now(), **days, **over)


def test_a_stay_is_a_link_with_its_state_in_sign_colour_and_words(boss: Client) -> None:
    (stay,) = make_house(1, clock.now())
    (bar,) = bars(show(boss))
    assert reverse("admin:reservations_reservation_change", args=[stay.pk]) in bar
    assert "tl-success" in bar
    assert "<b>✓</b> Ana Teste" in bar
    assert "proven on the door" in bar


def test_a_guest_with_another_code_is_not_taken_for_one_who_stands_outside(boss: Client) -> None:
    now = clock.now()
    (stay,) = make_house(1, now)
    credential = stay.credentials.get()
    stay.credentials.update(state="absent")
    Fallback.objects.create(
        reservation=stay, lock=credential.lock, kind="offline", shut_from=now, handed_out_at=now,
        starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1),
    )  # fmt: skip
    (bar,) = bars(show(boss))
    assert "tl-warning" in bar
    assert "lets herself in by another code" in bar


def test_a_door_without_its_pin_is_told_apart_without_colour(boss: Client) -> None:
    unit = make_accommodation()
    booked(unit, 1, 3)
    (bar,) = bars(show(boss))
    assert "<b>!</b>" in bar  # a unit without a lock
    assert "the unit has no lock" in bar


def test_a_double_booking_is_said_at_the_unit_and_at_both_stays(boss: Client) -> None:
    unit = make_accommodation()
    booked(unit, 1, 4)
    booked(unit, 2, 6)
    page = show(boss)
    assert page.count("Double booking.") == 2
    assert "double booking</span>" in page
    assert "--lanes:2" in page


def test_what_is_blocked_is_shown_as_such_and_what_is_cancelled_is_not(boss: Client) -> None:
    unit = make_accommodation()
    booked(unit, 1, 3, status="blocked")
    booked(unit, 4, 6, status="canceled")
    (bar,) = bars(show(boss))
    assert "<b>▨</b>" in bar


def test_a_silent_lock_and_a_parked_event_are_told_at_their_unit_only(boss: Client) -> None:
    quiet, loud = make_accommodation(name="A quiet one"), make_accommodation(name="B loud one")
    lock, now = make_lock(loud, name="Gate"), clock.now()
    LockIncident.objects.create(lock=lock, kind="silent", began_at=now, last_at=now)
    LockIncident.objects.create(lock=make_lock(quiet), kind="silent", began_at=now, last_at=now, ended_at=now)
    stay = booked(loud, 1, 3)
    for number in range(2):
        WebhookEvent.objects.create(
            action="reservation.modified", external_id=stay.external_id, dedupe_key=f"k{number}", body=b"{}",
            verification="verified", state="parked",
        )  # fmt: skip
    first, second = re.findall(r"<tr><th scope=\"row\".*?</tr>", show(boss), re.DOTALL)
    assert "tl-flag" not in first
    assert "Gate: silent" in second
    assert "2 parked events" in second


def test_events_of_an_unknown_listing_are_told_above_the_units(boss: Client) -> None:
    make_accommodation()
    WebhookEvent.objects.create(
        action="reservation.created", external_id="x", listing_id="nobody", dedupe_key="k", body=b"{}",
        verification="verified", state="parked",
    )  # fmt: skip
    assert "1 parked event waits for a listing that no unit has." in show(boss)


def test_units_are_found_by_a_part_of_their_name(boss: Client) -> None:
    make_accommodation(name="Casa Azul")
    make_accommodation(name="Loft")
    page = show(boss, q="azu")
    assert "Casa Azul" in page
    assert "Loft" not in page
    assert "No active unit has “<script" not in show(boss, q="<script>")


def test_without_units_it_says_what_to_do(boss: Client) -> None:
    assert "There are no units yet" in show(boss)


@pytest.mark.parametrize("query", [{"from": "yesterday"}, {"days": "9999"}, {"page": "-3"}, {"from": "9999-12-31"}])
def test_what_makes_no_sense_shows_today(boss: Client, query: dict[str, str]) -> None:
    make_accommodation()
    assert 'aria-current="date"' in show(boss, **query)


def test_a_week_on_shows_the_stays_of_that_week(boss: Client) -> None:
    unit = make_accommodation()
    booked(unit, 20, 22)
    assert bars(show(boss)) == []
    later = timezone.localdate(clock.now()) + timedelta(days=18)
    assert len(bars(show(boss, **{"from": later.isoformat()}))) == 1


def test_now_is_marked_by_the_clock_of_each_unit(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    today = timezone.localdate()
    noon = datetime.combine(today, time(12), timezone.get_default_timezone())
    monkeypatch.setattr(clock, "now", lambda: noon)
    make_accommodation(timezone="America/Sao_Paulo")
    make_accommodation(timezone="America/Manaus")
    marks = [float(place) for place in re.findall(r'class="tl-now" style="left:([\d.]+)%', show(boss, days=7))]
    assert marks == pytest.approx([150 / 7, (1 + 11 / 24) * 100 / 7], abs=0.01)


def test_it_takes_as_many_queries_for_twenty_units_as_for_two(boss: Client) -> None:
    def queries() -> int:
        show(boss)
        with CaptureQueriesContext(connection) as found:
            show(boss)
        return len(found)

    make_house(2, clock.now())
    few = queries()
    make_house(18, clock.now())
    assert queries() == few


def test_any_page_of_many_units_is_few_clicks_away(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "PER_PAGE", 1)
    for number in range(12):
        make_accommodation(name=f"Casa {number:02}")
    (links,) = re.findall(r'<nav class="tl-pages".*?</nav>', show(boss, page=7, q="Casa"))
    assert re.findall(r">([\d…]+)<", links) == ["1", "…", "5", "6", "7", "8", "9", "…", "12"]
    assert '<b aria-current="page">7</b>' in links
    assert re.search(r'href="[^"]*q=Casa&amp;page=12"', links)
    assert "tl-pages" not in show(boss, q="Casa 03")


def test_no_pin_is_on_it(boss: Client) -> None:
    make_house(2, clock.now())
    assert PIN not in show(boss)


def test_who_may_not_see_stays_is_refused(newcomer: Client, client: Client) -> None:
    assert newcomer.get(PAGE).status_code == 403
    assert client.get(PAGE).status_code == 302


def test_portuguese_is_spoken(boss: Client) -> None:
    make_house(1, clock.now())
    page = boss.get(PAGE, headers={"accept-language": "pt-br"}).content.decode()
    assert "Linha do tempo" in page
    assert "week back" not in page
