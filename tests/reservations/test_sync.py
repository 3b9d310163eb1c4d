"""The net under the webhooks, against a real Stays account over HTTP, and against one that is not well."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from reservations import tasks
from reservations.errors import StaysError
from reservations.models import Reservation
from reservations.services import save_facts
from reservations.stays.client import StaysClient
from reservations.sync import Result, read_again, sync
from tests.builders import NOW, make_accommodation, make_facts
from tests.reservations.stays_account import COPACABANA, book, point_to, scripted
from tests.sandbox_process import LISTING, ZIGBEE, RunningSandbox

pytestmark = pytest.mark.django_db
START, END = date(2026, 3, 1), date(2026, 3, 31)


def run(*, now: datetime = NOW, dry_run: bool = False) -> Result:
    with StaysClient.from_settings() as client:
        return sync(client, START, END, now=lambda: now, dry_run=dry_run)


@pytest.fixture
def ours() -> None:
    make_accommodation(name="Copacabana 301", external_id=COPACABANA)


@pytest.mark.usefixtures("ours")
def test_more_stays_than_a_page_holds_are_all_read(account: RunningSandbox) -> None:
    for day in range(1, 24):
        book(account, checkInDate=f"2026-03-{day:02}", checkOutDate=f"2026-03-{day + 1:02}")
    result = run()
    assert (result.seen, result.created, result.changed, result.gone, result.problems) == (23, 23, 0, 0, [])
    assert Reservation.objects.count() == 23
    again = run(now=NOW + timedelta(minutes=15))
    assert (again.seen, again.created, again.changed, again.gone) == (23, 0, 0, 0)


@pytest.mark.usefixtures("ours")
def test_all_six_types_are_read_with_their_guest(account: RunningSandbox) -> None:
    types = ["reserved", "booked", "contract", "blocked", "maintenance", "canceled"]
    for kind in types:
        book(account, type=kind)
    run()
    assert sorted(Reservation.objects.values_list("status", flat=True)) == sorted(types)
    booked = Reservation.objects.get(status="booked")
    assert (booked.guest_email, booked.guest_language) == ("ana@example.org", "pt-BR")
    assert booked.check_in_at == datetime(2026, 3, 6, 18, 0, tzinfo=UTC)


@pytest.mark.usefixtures("ours")
def test_changed_dates_and_a_cancellation_are_found_out(account: RunningSandbox) -> None:
    moved, cancelled = book(account), book(account)
    run()
    account.change(moved["_id"], checkOutDate="2026-03-11", webhook=False)
    account.cancel(cancelled["_id"], webhook=False)
    result = run(now=NOW + timedelta(minutes=15))
    assert (result.created, result.changed, result.gone) == (0, 2, 0)
    assert Reservation.objects.get(external_id=moved["_id"]).check_out_date == date(2026, 3, 11)
    assert Reservation.objects.get(external_id=cancelled["_id"]).status == "canceled"


@pytest.mark.usefixtures("ours")
def test_a_stay_that_stays_does_not_know_twice_is_gone(account: RunningSandbox) -> None:
    kept, gone = book(account), book(account)
    run()
    account.delete(gone["_id"], webhook=False)
    result = run(now=NOW + timedelta(minutes=15))
    assert result.gone == 1
    assert Reservation.objects.get(external_id=gone["_id"]).status == "deleted"
    assert Reservation.objects.get(external_id=kept["_id"]).status == "booked"


@pytest.mark.usefixtures("ours")
def test_an_account_that_knows_none_of_our_stays_ends_none_of_them(account: RunningSandbox) -> None:
    """The likely reason is a wrong STAYS_BASE_URL: no guest may lose her PIN for that."""
    stays = [book(account) for _ in range(3)]
    run()
    for stay in stays:
        account.delete(stay["_id"], webhook=False)
    result = run()
    assert (result.gone, len(result.problems)) == (0, 1)
    assert "right account" in result.problems[0]
    assert not Reservation.objects.filter(status="deleted").exists()


@pytest.mark.usefixtures("ours")
def test_a_stay_that_moved_out_of_the_window_is_read_and_not_cancelled(account: RunningSandbox) -> None:
    moved = book(account)
    run()
    account.change(moved["_id"], checkInDate="2026-08-01", checkOutDate="2026-08-03", webhook=False)
    result = run(now=NOW + timedelta(minutes=15))
    assert (result.gone, result.changed) == (0, 1)
    stay = Reservation.objects.get()
    assert (stay.status, stay.check_in_date) == ("booked", date(2026, 8, 1))


@pytest.mark.usefixtures("ours")
def test_one_stay_with_a_problem_does_not_keep_the_others_from_being_read(account: RunningSandbox) -> None:
    there, leaves = book(account), book(account)
    run()
    for name in (book(account, webhook=False)["_id"], leaves["_id"]):
        account.change(name, listing=LISTING[ZIGBEE], webhook=False)
    account.change(leaves["_id"], checkInDate="2026-08-01", checkOutDate="2026-08-03", webhook=False)
    account.change(there["_id"], checkOutDate="2026-03-11", webhook=False)
    result = run(now=NOW + timedelta(minutes=15))
    assert (result.changed, result.gone, len(result.problems)) == (1, 0, 2)
    assert all(LISTING[ZIGBEE] in problem for problem in result.problems)


@pytest.mark.usefixtures("ours")
def test_a_dry_run_counts_and_changes_nothing(account: RunningSandbox) -> None:
    first, second = book(account), book(account)
    run()
    account.delete(first["_id"], webhook=False)
    account.cancel(second["_id"], webhook=False)
    book(account)
    before = list(Reservation.objects.order_by("pk").values())
    result = run(now=NOW + timedelta(minutes=15), dry_run=True)
    assert (result.seen, result.created, result.changed, result.gone) == (2, 1, 1, 1)
    assert {(change["what"], *change["fields"].get("status", [])) for change in result.changes} == {
        ("new", "", "booked"), ("changed", "booked", "canceled"), ("gone",),
    }  # fmt: skip
    assert list(Reservation.objects.order_by("pk").values()) == before


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(
    "answers",
    [
        [(500, {})],
        [(401, {})],
        [(404, b"<html>")],
        [(200, b"<html>")],
        [(200, {"error": "later"})],
    ],
)
def test_a_failing_or_shrunken_answer_cancels_nothing(settings: Settings, answers: list[tuple[int, object]]) -> None:
    stay = save_facts(make_facts(make_accommodation()), facts_at=NOW).reservation
    with scripted(*answers) as stays:
        point_to(settings, stays.base_url)
        with pytest.raises(StaysError):
            run(now=NOW + timedelta(minutes=15))
    assert Reservation.objects.get(pk=stay.pk).status == "booked"


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(
    "answers",
    [
        [(200, []), (500, {})],  # a shrunken list, then no answer about the one that is missing
        [(200, []), (404, {}), (500, {})],  # one "unknown" is no proof
        [(200, []), (200, b"gateway")],
    ],
)
def test_one_stay_that_cannot_be_asked_for_stays_as_it_is(
    settings: Settings, answers: list[tuple[int, object]]
) -> None:  # fmt: skip
    stay = save_facts(make_facts(make_accommodation()), facts_at=NOW).reservation
    with scripted(*answers) as stays:
        point_to(settings, stays.base_url)
        result = run(now=NOW + timedelta(minutes=15))
    assert (result.gone, len(result.problems)) == (0, 1)
    stay.refresh_from_db()
    assert stay.status == "booked"


def test_one_stay_that_cannot_be_read_keeps_nobody_from_reading_the_others(settings: Settings) -> None:
    unit = make_accommodation()
    rows = [
        {"_id": f"S{number}", "id": f"EV{number}", "type": "booked", "_idlisting": unit.external_id,
         "checkInDate": "2026-03-06", "checkOutDate": f"2026-03-{number + 10}"}
        for number in range(3)
    ]  # fmt: skip
    with scripted((200, [rows[0], {"type": "booked"}, *rows[1:]]), (500, {}), (200, rows[1]), (200, rows[2])) as stays:
        point_to(settings, stays.base_url)
        result = run()
    assert (result.created, [problem[:13] for problem in result.problems]) == (2, ["EV0: Stays an", "A reservation"])
    assert set(Reservation.objects.values_list("external_id", flat=True)) == {"S1", "S2"}


@pytest.mark.usefixtures("ours")
def test_several_in_a_row_that_cannot_be_read_are_stays_silence(settings: Settings) -> None:
    rows = [{"_id": f"S{number}", "type": "booked"} for number in range(9)]
    with scripted((200, rows), *[(500, {})] * 9) as stays:
        point_to(settings, stays.base_url)
        with pytest.raises(StaysError):
            run()
        assert len(stays.asked) == 4


def test_what_was_entered_by_hand_is_nothing_that_stays_should_know(settings: Settings) -> None:
    save_facts(make_facts(make_accommodation()), facts_at=NOW, source="manual")
    with scripted((200, [])) as stays:
        point_to(settings, stays.base_url)
        assert run(now=NOW + timedelta(minutes=15)).gone == 0
        assert len(stays.asked) == 1


def test_facts_that_came_while_the_sync_ran_stand_against_its_end(settings: Settings) -> None:
    facts = make_facts(make_accommodation())
    save_facts(facts, facts_at=NOW + timedelta(minutes=1))
    with scripted((200, []), (404, {})) as stays:
        point_to(settings, stays.base_url)
        run(now=NOW)
    assert Reservation.objects.get().status == "booked"


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("odd", [None, {}, [], "", "..", {"a": 1}, True])
def test_an_odd_guest_id_is_no_guest(settings: Settings, odd: object) -> None:
    body = {"_id": "R1", "type": "booked", "checkInDate": "2026-03-06", "checkOutDate": "2026-03-09",
            "_idlisting": COPACABANA, "_idclient": odd}  # fmt: skip
    with scripted((200, body)) as stays:
        point_to(settings, stays.base_url)
        with StaysClient.from_settings() as client:
            saved = read_again(client, "R1", now=NOW)
        assert len(stays.asked) == 1
    assert saved is not None
    assert saved.created


@pytest.mark.usefixtures("ours")
def test_the_tick_reads_the_stays_of_these_days(account: RunningSandbox) -> None:
    today = datetime.now(UTC).date()
    booked = book(account, checkInDate=str(today), checkOutDate=str(today + timedelta(days=2)))
    tasks.sync_near_stays()
    assert Reservation.objects.get().external_id == booked["_id"]


def test_a_stays_that_is_away_is_said_and_one_that_is_not_configured_is_not_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "PATIENT", ())
    point_to(settings, "http://127.0.0.1:1")
    with pytest.raises(StaysError):
        tasks.sync_near_stays()
    settings.STAYS_BASE_URL = ""
    tasks.sync_near_stays()


@pytest.mark.usefixtures("ours")
def test_it_tells_how_far_it_is(account: RunningSandbox) -> None:
    first, second = book(account), book(account)
    run()
    account.cancel(second["_id"], webhook=False)
    save_facts(make_facts(Reservation.objects.get(external_id=first["_id"]).accommodation), facts_at=NOW)
    told: list[tuple[int, int, str]] = []
    with StaysClient.from_settings() as client:
        result = sync(client, START, END, now=lambda: NOW, on_progress=lambda *words: told.append(words))
    assert [done for done, _total, _text in told] == list(range(len(told)))
    assert told[0][1] == result.seen
    assert told[-1] == (len(told) - 1, len(told) - 1, "")
    assert {first["id"], second["id"]} <= {text for _done, _total, text in told}
