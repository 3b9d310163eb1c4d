"""The round over all locks: read what is due, notice what is wrong, call a person once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from locks import doors, foreign, reading, reconcile
from locks.caretaker import facts_of, look_after
from locks.devices import note_state
from locks.errors import Configuration, Refused, Transient
from locks.foreign import order_removal
from locks.models import Credential, Lock, LockIncident, LockReport, Opening
from locks.provider import DoorOpening, PinReading, PinState, Window
from notifications.models import Notice
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import time_machine_at
from tests.locks.fake_door import FakeDoors, Held

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> FakeDoors:
    fake = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    monkeypatch.setattr(reconcile, "provider_for", lambda _: fake)
    return fake


def house(number: int = 1) -> list[Lock]:
    return [make_lock(make_accommodation()) for _ in range(number)]


def test_a_low_battery_is_told_once_and_its_end_not_at_all_when_it_was_short() -> None:
    (lock,) = house()
    note_state(lock, online=True, battery=15, now=NOW)
    assert [look_after(now=NOW + hours * HOUR) for hours in (0, 1, 2)] == [1, 0, 0]
    notice = Notice.objects.get()
    assert (notice.code, notice.level) == ("lock_battery_low", Notice.Level.WARNING)
    assert "15 %" in notice.text
    assert "free from" in notice.text
    note_state(lock, online=True, battery=100, now=NOW + 3 * HOUR)
    look_after(now=NOW + 3 * HOUR)
    assert LockIncident.objects.get().ended_at == NOW + 3 * HOUR
    assert Notice.objects.count() == 1


def test_the_end_of_a_long_trouble_is_news_and_its_notice_is_put_away() -> None:
    (lock,) = house()
    note_state(lock, online=True, battery=15, now=NOW)
    look_after(now=NOW)
    note_state(lock, online=True, battery=100, now=NOW + 2 * DAY)
    look_after(now=NOW + 2 * DAY)
    assert Notice.objects.get(code="lock_battery_low_over").level == Notice.Level.INFO
    assert Notice.objects.get(code="lock_battery_low").seen_at is not None


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_silence_before_an_arrival_is_told_in_the_operators_language(language: str, settings: Settings) -> None:
    settings.LANGUAGE_CODE = language
    unit = make_accommodation(name="Casa Azul")
    lock = make_lock(unit, name="Porta Azul")
    make_reservation(unit)
    note_state(lock, online=True, battery=80, now=NOW - DAY)
    assert look_after(now=NOW) == 1
    notice = Notice.objects.get()
    assert "Porta Azul (Casa Azul)" in notice.title
    assert ("não dá sinal desde" if language == "pt-br" else "nothing was heard") in notice.text
    assert "{" not in notice.text


def test_silence_without_an_arrival_is_shown_but_not_told() -> None:
    (lock,) = house()
    note_state(lock, online=True, battery=80, now=NOW - DAY)
    assert look_after(now=NOW) == 0
    assert LockIncident.objects.get().kind == LockIncident.Kind.SILENT
    assert not Notice.objects.exists()


def test_a_round_reads_what_is_due_and_no_more(street: FakeDoors) -> None:
    first, second = house(2)
    street.opened = [DoorOpening(NOW - HOUR, "card", None, "")]
    counts = reading.read_due(now=NOW)
    assert (counts["log"], counts["state"], counts["alarms"], counts["reconcile"]) == (2, 2, 2, 1)
    assert Opening.objects.count() == 2
    assert reading.read_due(now=NOW + timedelta(minutes=5))["reconcile"] == 1  # one a round: spread over the day
    street.calls.clear()
    assert reading.read_due(now=NOW + timedelta(minutes=10)) == {"failed": 0, "told": 0}
    assert street.calls == []
    assert {first.pk, second.pk} == set(LockReport.objects.values_list("lock", flat=True))


def test_a_lock_that_cannot_be_read_rests_and_the_others_are_read(street: FakeDoors) -> None:
    house(2)
    failing = ["log"]

    def trouble(_: str) -> None:
        if failing.pop() if failing else None:
            raise Transient("no answer")

    street.before = trouble
    counts = reading.read_due(now=NOW)
    assert (counts["failed"], counts["log"]) == (1, 1)
    assert Lock.objects.filter(read_failed_at=NOW).count() == 1
    assert reading.read_due(now=NOW + timedelta(minutes=10)).get("log") is None
    assert reading.read_due(now=NOW + timedelta(minutes=31))["log"] == 1


def test_a_wrong_login_ends_the_round_at_once(street: FakeDoors) -> None:
    house(3)

    def refused(_: str) -> None:
        raise Configuration("TUYA_CLIENT_ID is not set.")

    street.before = refused
    assert reading.read_due(now=NOW) == {"failed": 0, "told": 0}
    assert len(street.calls) == 1


def test_looking_after_many_locks_takes_no_more_queries() -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as counted:
            look_after(now=NOW)
        return len(counted)

    note_state(house()[0], online=True, battery=90, now=NOW)
    before = queries()
    for lock in house(6):
        make_reservation(lock.accommodations.get())
        note_state(lock, online=True, battery=90, now=NOW)
    assert queries() == before


def test_of_sound_locks_neither_the_stays_nor_the_old_batteries_are_read() -> None:
    for lock in house(2):
        make_reservation(lock.accommodations.get())
        note_state(lock, online=True, battery=90, now=NOW)
    with CaptureQueriesContext(connection) as asked:
        assert [facts.batteries + facts.stays for facts in facts_of(list(Lock.objects.all()), now=NOW).values()] == [
            (),
            (),
        ]
    assert not any("check_in_at" in query["sql"] for query in asked)
    note_state(Lock.objects.latest("pk"), online=True, battery=15, now=NOW)
    first, second = facts_of(list(Lock.objects.order_by("pk")), now=NOW).values()
    assert (len(first.stays), [percent for _, percent in second.batteries], len(second.stays)) == (0, [90, 15], 1)


def test_old_openings_are_forgotten(settings: Settings) -> None:
    (lock,) = house()
    for days in (179, 181):
        Opening.objects.create(lock=lock, at=NOW - days * DAY, method="card", recorded_at=NOW)
    assert reading.forget_old(now=NOW) == 1


def test_a_named_foreign_code_is_taken_off_and_its_absence_proven(street: FakeDoors) -> None:
    (lock,) = house()
    street.held["99"] = Held(lock.device_id, "Caseiro", "4711471", Window(NOW, NOW + DAY))
    difference = reconcile.preview(lock, now=NOW, actor="olga")
    order_removal(lock, difference.foreign[0], now=NOW, actor="olga")
    with time_machine_at(NOW) as clock:
        clock.until(NOW + timedelta(minutes=1))
    assert street.held == {}
    assert Job.objects.get(kind=foreign.REMOVE_FOREIGN).state == Job.State.SUCCEEDED
    report = LockReport.objects.get()
    assert (report.foreign, report.held, report.found["foreign"]) == (0, 0, [])
    assert set(AuditLog.objects.filter(subject=f"lock:{lock.pk}").values_list("action", flat=True)) == {
        "lock.foreign_removal", "lock.foreign_removed",
    }  # fmt: skip


def test_our_own_pin_is_never_taken_off_as_a_foreign_one(street: FakeDoors) -> None:
    (lock,) = house()
    stay = make_reservation(lock.accommodations.get())
    Credential.objects.create(
        reservation=stay, lock=lock, name="SL a1", pin_fingerprint="f", provider_ref="7", starts_at=stay.check_in_at,
        ends_at=stay.check_out_at, asked_at=NOW,
    )  # fmt: skip
    street.held["7"] = Held(lock.device_id, "SL a1", "4711471", Window(NOW, NOW + DAY))
    with pytest.raises(Refused):
        foreign.remove_foreign(lock.pk, "7", check=lambda: None, now=lambda: NOW)
    assert "7" in street.held


def test_what_a_job_proves_gone_while_the_list_is_read_is_not_taken_for_foreign(street: FakeDoors) -> None:
    (lock,) = house()
    stay = make_reservation(lock.accommodations.get())
    row = Credential.objects.create(
        reservation=stay, lock=lock, name="SL a1", pin_fingerprint="f", provider_ref="7", starts_at=stay.check_in_at,
        ends_at=stay.check_out_at, asked_at=NOW, wanted=False, unwanted_at=NOW, state=Credential.State.REMOVING,
    )  # fmt: skip
    street.held["7"] = Held(lock.device_id, "SL a1", "4711471", Window(NOW, NOW + DAY))

    def gone_meanwhile(_: str) -> None:
        Credential.objects.filter(pk=row.pk).update(removed_at=NOW + HOUR, state=Credential.State.ABSENT)

    street.after = gone_meanwhile
    assert reconcile.inspect(lock, now=NOW).is_empty()


def test_frozen_by_hand_is_told_as_a_change(street: FakeDoors) -> None:
    mine = reconcile.Ours(1, "reservation:1", "SL 1", "7", is_due=True, is_wanted=True)
    found = reconcile.compare([mine], [PinReading("7", "SL 1", PinState.FAILED, None)])
    assert [one.what for one in found.changed] == [("state",)]
