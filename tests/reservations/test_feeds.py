"""iCal as a source: stays come, move and go by it, Stays wins over it, and no hiccup of a feed puts a guest out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reservations import feeds, fetching, ical, tasks
from reservations.errors import FeedError
from reservations.facts import Guest
from reservations.feeds import Result
from reservations.models import Accommodation, Feed, FeedEntry, Reservation
from reservations.services import save_facts
from reservations.signals import stay_vanished
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts, make_lock
from tests.reservations.stays_account import COPACABANA, book
from tests.reservations.test_ical import event, feed
from tests.sandbox_process import RunningSandbox

pytestmark = pytest.mark.django_db
ADDRESS = "https://www.airbnb.example/calendar/ical/77.ics?s=very-secret-token"
HALF_AN_HOUR = timedelta(minutes=30)


class Airbnb:
    """A unit with one feed, and what the feed says at the moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.unit = make_accommodation()
        self.row = feeds.save_feed(Feed(accommodation=self.unit), address=ADDRESS, actor="maria")
        self.now = NOW
        self.says: fetching.Answer | FeedError = fetching.Answer(b"")
        self.asked: list[dict[str, str]] = []
        monkeypatch.setattr(fetching, "fetch", self.fetch)

    def fetch(self, address: str, *, headers: dict[str, str]) -> fetching.Answer:
        assert address == ADDRESS
        self.asked.append(headers)
        if isinstance(self.says, FeedError):
            raise self.says
        return self.says

    def read(self, *events: str, raw: bytes | None = None, etag: str = "", after: timedelta = HALF_AN_HOUR) -> Result:
        self.now += after
        self.says = fetching.Answer(feed(*events) if raw is None else raw, etag)
        return self.again()

    def again(self) -> Result:
        self.row.refresh_from_db()
        return feeds.read_feed(self.row, now=self.now)

    def silent(self, error: str = "The feed answered 500.") -> Result:
        self.now += HALF_AN_HOUR
        self.says = FeedError(error)
        return self.again()


@pytest.fixture
def airbnb(monkeypatch: pytest.MonkeyPatch) -> Airbnb:
    return Airbnb(monkeypatch)


def other(number: int) -> str:
    """Another stay, months away, that keeps the feed from being empty."""
    return event(uid=f"other-{number}", first=f"2026070{number}", last=f"2026070{number + 1}", code=f"HMOTHER{number}")


def ours() -> Reservation:
    return Reservation.objects.get(partner_code="HMABCDEFGH", source="ical")


def test_a_reserved_event_becomes_a_stay_with_the_units_times(airbnb: Airbnb) -> None:
    assert airbnb.read(event()).created == 1
    stay = ours()
    assert (stay.status, stay.source, stay.accommodation) == ("booked", "ical", airbnb.unit)
    assert stay.check_in_at == datetime(2026, 3, 6, 18, 0, tzinfo=UTC)
    assert stay.check_out_at == datetime(2026, 3, 9, 14, 0, tzinfo=UTC)
    assert AuditLog.objects.get(action="reservation.created").actor == "ical"
    again = airbnb.read(event())
    assert (again.created, again.changed, Reservation.objects.count()) == (0, 0, 1)


def test_a_block_is_no_guest(airbnb: Airbnb) -> None:
    airbnb.read(event(summary="Airbnb (Not available)", code=""))
    assert Reservation.objects.get().status == "blocked"


def test_other_dates_move_the_same_stay_and_keep_what_was_agreed_and_entered(airbnb: Airbnb) -> None:
    airbnb.read(event())
    Reservation.objects.update(guest_email="ana@example.com")
    airbnb.read(event(last="20260312"))
    assert (ours().check_out_date, ours().guest_email) == (date(2026, 3, 12), "ana@example.com")


def test_gone_from_two_good_readings_it_has_ended(airbnb: Airbnb) -> None:
    airbnb.read(event(), other(1))
    assert airbnb.read(other(1)).ended == 0
    assert ours().status == "booked"
    assert airbnb.read(other(1)).ended == 1
    assert ours().status == "deleted"
    airbnb.read(event(), other(1))
    assert ours().status == "booked", "it came back"


def test_between_two_absences_it_must_not_have_been_there(airbnb: Airbnb) -> None:
    airbnb.read(event(), other(1))
    for _ in range(3):
        airbnb.read(other(1))
        airbnb.read(event(), other(1))
    assert ours().status == "booked"


def test_two_readings_of_one_moment_are_one(airbnb: Airbnb) -> None:
    airbnb.read(event(), other(1))
    airbnb.read(other(1))
    assert airbnb.read(other(1), after=timedelta(minutes=1)).ended == 0
    assert airbnb.read(other(1), after=timedelta(minutes=10)).ended == 1


@pytest.mark.parametrize(
    "ill",
    [feed(), feed(event(), other(1))[:-30], b"<html>", b"", feed(other(1), event(uid="", first="20260801"))],
)
def test_an_empty_cut_or_odd_feed_ends_nothing_however_often(airbnb: Airbnb, ill: bytes) -> None:
    airbnb.read(event(), other(1))
    heard = Feed.objects.get().heard_at
    for _ in range(4):
        airbnb.read(raw=ill)
    assert ours().status == "booked"
    row = Feed.objects.get()
    assert (row.heard_at, bool(row.error)) == (heard, True)


def test_a_server_that_is_away_ends_nothing_and_is_told(airbnb: Airbnb) -> None:
    airbnb.read(event())
    assert airbnb.silent().error == "The feed answered 500."
    airbnb.silent()
    assert (ours().status, Feed.objects.get().error) == ("booked", "The feed answered 500.")


def test_most_of_them_gone_at_once_is_a_feed_that_is_not_well(airbnb: Airbnb) -> None:
    airbnb.read(event(), *map(other, (1, 3, 5)))
    for _ in range(3):
        assert "none of them" in airbnb.read(other(5)).problems[0]
    assert Reservation.objects.filter(status="booked").count() == 4


def test_a_stay_that_has_begun_is_not_ended_by_a_feed_that_drops_it(airbnb: Airbnb) -> None:
    airbnb.read(event(), other(1))
    airbnb.now = datetime(2026, 3, 6, 19, 0, tzinfo=UTC)
    for _ in range(3):
        airbnb.read(other(1))
    assert ours().status == "booked"


def test_on_the_day_of_arrival_a_person_is_asked_once(airbnb: Airbnb) -> None:
    airbnb.read(event(), other(1))
    told: list[int] = []

    def hear(reservation: Reservation, **_: object) -> None:
        told.append(reservation.pk)

    stay_vanished.connect(hear)
    try:
        airbnb.now = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
        for _ in range(3):
            airbnb.read(other(1))
    finally:
        stay_vanished.disconnect(hear)
    assert (told, ours().status) == ([ours().pk], "booked")


def test_unchanged_is_asked_for_politely_but_not_while_an_absence_waits_for_its_proof(airbnb: Airbnb) -> None:
    airbnb.read(event(), other(1), etag='"1"')
    airbnb.read(other(1), etag='"2"')
    assert airbnb.asked[-1] == {"If-None-Match": '"1"'}
    airbnb.read(other(1), etag='"2"')
    assert airbnb.asked[-1] == {}
    assert ours().status == "deleted"


def test_unchanged_is_a_sign_of_life(airbnb: Airbnb) -> None:
    airbnb.read(event(), etag='"1"')
    airbnb.now += HALF_AN_HOUR
    airbnb.says = fetching.Answer(None)
    airbnb.again()
    assert Feed.objects.get().heard_at == airbnb.now


# --- two sources of one stay ----------------------------------------------------------------------------------------


def from_stays(unit: Accommodation, **over: Any) -> Any:
    return make_facts(unit, **{"partner_code": "HMABCDEFGH", **over})


def test_a_stay_that_stays_has_told_is_not_made_twice(airbnb: Airbnb) -> None:
    save_facts(from_stays(airbnb.unit), facts_at=NOW)
    result = airbnb.read(event())
    assert (result.joined, result.created, Reservation.objects.count()) == (1, 0, 1)
    for _ in range(3):
        airbnb.read(other(1))
    assert Reservation.objects.get(partner_code="HMABCDEFGH").status == "booked", "Stays says so"


def test_a_cancellation_at_stays_is_not_undone_by_a_feed_that_lags(airbnb: Airbnb) -> None:
    save_facts(from_stays(airbnb.unit, status="canceled"), facts_at=NOW)
    airbnb.read(event())
    assert Reservation.objects.get().status == "canceled"


def test_a_stay_that_the_feed_told_first_becomes_stays_own_with_all_that_hangs_on_it(airbnb: Airbnb) -> None:
    make_lock(airbnb.unit)
    airbnb.read(event())
    first = ours()
    facts = from_stays(airbnb.unit, external_id="f" * 24)
    saved = save_facts(facts, facts_at=airbnb.now)
    assert (saved.created, saved.reservation.pk) == (False, first.pk)
    stay = Reservation.objects.get()
    assert (stay.source, stay.external_id, stay.guest_name) == ("stays", "f" * 24, "Ana Teste")
    assert AuditLog.objects.filter(action="reservation.adopted", subject=stay.subject).exists()
    save_facts(replace(facts, status="canceled"), facts_at=airbnb.now + HALF_AN_HOUR)
    airbnb.read(event())
    assert Reservation.objects.get().status == "canceled"


@pytest.mark.parametrize(
    ("feed_code", "stays_code", "stays"),
    [("HMABCDEFGH", "", 1), ("", "HMABCDEFGH", 1), ("", "", 1), ("HMABCDEFGH", "HMSOMEBODY", 2)],
)
@pytest.mark.parametrize("feed_first", [True, False])
def test_without_a_code_the_same_unit_and_dates_are_the_same_stay_and_two_codes_are_two_guests(
    airbnb: Airbnb, feed_code: str, stays_code: str, stays: int, feed_first: bool
) -> None:
    steps: list[Callable[[], object]] = [
        lambda: airbnb.read(event(code=feed_code)),
        lambda: save_facts(from_stays(airbnb.unit, partner_code=stays_code), facts_at=NOW),
    ]
    for step in steps if feed_first else steps[::-1]:
        step()
    airbnb.read(event(code=feed_code))
    assert Reservation.objects.filter(status="booked").count() == stays


def test_the_next_guest_on_the_dates_of_a_cancelled_stay_is_another_stay(airbnb: Airbnb) -> None:
    save_facts(from_stays(airbnb.unit, partner_code="", status="canceled"), facts_at=NOW)
    airbnb.read(event(code=""))
    assert sorted(Reservation.objects.values_list("source", "status")) == [("ical", "booked"), ("stays", "canceled")]
    save_facts(from_stays(airbnb.unit, partner_code="", status="canceled", external_id="e" * 24), facts_at=airbnb.now)
    assert Reservation.objects.get(source="ical").status == "booked"


def test_told_by_both_in_the_same_moment_one_of_the_two_ends(airbnb: Airbnb) -> None:
    airbnb.read(event())
    twin = ours()
    Reservation.objects.create(
        source="stays", external_id="e" * 24, accommodation=airbnb.unit, status="booked", partner_code="HMABCDEFGH",
        check_in_date=twin.check_in_date, check_out_date=twin.check_out_date, check_in_at=twin.check_in_at,
        check_out_at=twin.check_out_at, facts_at=NOW,
    )  # fmt: skip
    airbnb.read(event())
    assert sorted(Reservation.objects.values_list("source", "status")) == [("ical", "deleted"), ("stays", "booked")]


# --- the address is a secret ----------------------------------------------------------------------------------------


def test_the_address_is_nowhere_to_be_read(airbnb: Airbnb, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    airbnb.read(event())
    airbnb.silent("The feed answered 500.")
    everything = repr([list(model.objects.values()) for model in (Feed, FeedEntry, Reservation, AuditLog)])
    assert "very-secret-token" not in everything + caplog.text + str(airbnb.row) + repr(airbnb.row)
    assert airbnb.row.address_hint.startswith("www.airbnb.example …")


def test_an_address_must_be_given_and_can_be_kept(airbnb: Airbnb) -> None:
    with pytest.raises(FeedError):
        feeds.save_feed(Feed(accommodation=airbnb.unit), actor="maria")
    with pytest.raises(FeedError):
        feeds.save_feed(airbnb.row, address="http://plain.example/x", actor="maria")
    airbnb.row.active = False
    feeds.save_feed(airbnb.row, actor="maria")
    assert feeds.address_of(Feed.objects.get()) == ADDRESS


def test_without_its_key_a_feed_says_what_to_do(airbnb: Airbnb, settings: Settings) -> None:
    settings.PIN_SEAL_KEYS = ["bm90LXRoZS1rZXktaXQtd2FzLXNlYWxlZC13aXRoISE="]
    assert "enter it again" in airbnb.again().error


# --- over the wire --------------------------------------------------------------------------------------------------


def test_the_sandbox_serves_a_feed_per_listing(account: RunningSandbox, settings: Settings) -> None:
    settings.FEEDS_FROM_PRIVATE_NETWORKS = True
    unit = make_accommodation(external_id=COPACABANA)
    first, last = (timezone.localdate() + timedelta(days=days) for days in (10, 12))
    days = {"checkInDate": str(first), "checkOutDate": str(last)}
    booked = book(account, **days, partnerCode="HMSANDBOX1")
    book(account, **days, type="maintenance")
    book(account, **days, type="canceled")
    address = f"{account.base_url}/sandbox/stays/feeds/{COPACABANA}.ics"
    row = feeds.save_feed(Feed(accommodation=unit), address=address, actor="maria")
    assert tasks.read_feeds() == 1
    assert sorted(Reservation.objects.values_list("status", "partner_code")) == [
        ("blocked", ""), ("booked", "HMSANDBOX1"),
    ]  # fmt: skip
    row.refresh_from_db()
    assert row.etag
    assert feeds.read_feed(row, now=datetime.now(UTC)).seen == 0, "304"
    for trouble, sentence in {
        "cut": "cut off", "html": "not a calendar", "huge": "larger", "loop": "without end",
    }.items():  # fmt: skip
        feeds.save_feed(row, address=f"{address}?trouble={trouble}", actor="maria")
        assert sentence in feeds.read_feed(row, now=datetime.now(UTC)).error
    settings.FEEDS_FROM_PRIVATE_NETWORKS = False
    settings.DEBUG = True
    assert "private network" in feeds.read_feed(row, now=datetime.now(UTC)).error
    assert Reservation.objects.get(status="booked").guest_name == Guest().name
    assert account.reservations()[0]["_id"] == booked["_id"]


def test_the_reading_of_an_empty_feed_is_not_whole() -> None:
    assert not ical.read(feed()).whole
