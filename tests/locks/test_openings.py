"""Who came in: openings recorded once, matched to our PINs, and the first use of each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from locks import doors
from locks.complaints import densest, import_events
from locks.devices import note_state, read_device
from locks.models import BatteryReading, Credential, Fallback, Lock, LockEvent, LockIncident, LockReport, Opening
from locks.openings import Holder, import_openings, record_openings, whose
from locks.provider import AlarmKind, DoorAlarm, DoorOpening, Window
from notifications.models import Notice
from reservations.models import Reservation
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.locks.fake_door import FakeDoors

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OPENS_NOW = {"asked_starts_at": NOW - HOUR, "asked_ends_at": NOW + DAY}
ANA = Holder(1, "907", Window(NOW, NOW + 3 * DAY), None, Opening.Who.GUEST)
BIA = Holder(2, "12", Window(NOW + 3 * DAY, NOW + 5 * DAY), None, Opening.Who.GUEST)
SPARE = Holder(3, "15", Window(NOW - DAY, NOW + 90 * DAY), None, Opening.Who.BACKUP)
REF, OFFSET, WINDOW, NONE = Opening.Match.REFERENCE, Opening.Match.OFFSET, Opening.Match.WINDOW, Opening.Match.NONE


@pytest.mark.parametrize(
    ("ref", "method", "hours", "holders", "expected"),
    [
        pytest.param("907", "temporary", 5, [ANA, SPARE], (ANA, REF), id="by its number"),
        pytest.param("7", "temporary", 5, [ANA, SPARE], (ANA, OFFSET), id="the lock counts from 0"),
        pytest.param("1807", "temporary", 5, [ANA, SPARE], (ANA, OFFSET), id="900 added once too often"),
        pytest.param("15", "temporary", 5, [ANA, SPARE], (SPARE, REF), id="a backup"),
        pytest.param(None, "temporary", 5, [ANA, BIA], (ANA, WINDOW), id="no number: the only one that opens then"),
        pytest.param("44", "temporary", 5, [ANA, BIA], (ANA, WINDOW), id="a strange number: the same"),
        pytest.param(None, "temporary", 5, [ANA, SPARE], (None, NONE), id="two could have opened: nobody is named"),
        pytest.param(None, "temporary", -5, [ANA, BIA], (None, NONE), id="none opened then"),
        pytest.param("99", "temporary", 5, [ANA], (None, NONE), id="a code that is known to be the owner's"),
        pytest.param(None, "fingerprint", 5, [ANA], (None, NONE), id="a finger is no PIN"),
        pytest.param("907", "temporary", 24 * 60, [ANA], (None, NONE), id="the number was given to another since"),
    ],
)
def test_whose_pin_it_was(
    ref: str | None, method: str, hours: float, holders: list[Holder], expected: tuple[Holder | None, Opening.Match]
) -> None:
    assert whose(DoorOpening(NOW + hours * HOUR, method, ref, ""), holders, frozenset({"99"})) == expected


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> FakeDoors:
    fake = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    return fake


@pytest.fixture
def lock(db: None) -> Lock:
    return make_lock(make_accommodation(name="Casa 1"), name="Porta 1")


def give_pin(lock: Lock, **over: Any) -> Credential:
    stay = make_reservation(lock.accommodations.get())
    values: dict[str, Any] = {
        "reservation": stay, "lock": lock, "name": "SL a1", "pin_fingerprint": "f", "provider_ref": "7",
        "starts_at": stay.check_in_at, "ends_at": stay.check_out_at, "state": Credential.State.ON_LOCK,
        "asked_at": stay.check_in_at, "asked_starts_at": stay.check_in_at, "asked_ends_at": stay.check_out_at,
    }  # fmt: skip
    return Credential.objects.create(**values | over)


def test_an_opening_is_recorded_once_and_marks_the_first_use(street: FakeDoors, lock: Lock) -> None:
    credential = give_pin(lock)
    first = credential.starts_at + HOUR
    street.opened = [DoorOpening(first + HOUR, "temporary", "7", ""), DoorOpening(first, "temporary", "7", "")]
    now = first + 2 * HOUR
    assert import_openings(lock, now=now) == 2
    assert import_openings(lock, now=now + HOUR) == 0
    credential.refresh_from_db()
    lock.refresh_from_db()
    assert credential.first_used_at == first
    assert (lock.heard_at, lock.log_read_at) == (first + HOUR, now + HOUR)
    assert {(row.who, row.credential_id) for row in Opening.objects.all()} == {("guest", credential.pk)}


def test_what_a_sleeping_lock_hands_in_late_is_found_all_the_same(street: FakeDoors, lock: Lock) -> None:
    Lock.objects.update(radio=Lock.Radio.WIFI, log_read_at=NOW)
    lock.refresh_from_db()
    street.opened = [DoorOpening(NOW - 20 * HOUR, "fingerprint", None, "Dona Lu")]
    assert import_openings(lock, now=NOW + HOUR) == 1
    assert Opening.objects.get().name == "Dona Lu"


def test_a_code_that_reconciliation_knows_as_foreign_is_nobody_of_ours(lock: Lock) -> None:
    credential = give_pin(lock)
    LockReport.objects.create(lock=lock, tried_at=NOW, found={"foreign": [{"ref": "99", "name": "Caseiro"}]})
    record_openings(lock, [DoorOpening(credential.starts_at + HOUR, "temporary", "99", "")], now=credential.ends_at)
    assert Opening.objects.get().who == Opening.Who.UNKNOWN
    credential.refresh_from_db()
    assert credential.first_used_at is None


def offline_opening(number: int) -> DoorOpening:
    return DoorOpening(NOW - MINUTE, "offline_pd", f"offline-{number}", "")


def test_an_offline_code_is_its_guests_and_never_a_pins_of_others(lock: Lock) -> None:
    other = give_pin(lock, provider_ref="77", **OPENS_NOW)
    stay = make_reservation(lock.accommodations.get(), short_id="OFF1L", external_id="offline-guest")
    given = Fallback.objects.create(
        reservation=stay, lock=lock, shut_from=NOW - HOUR, kind="offline", handed_out_at=NOW - HOUR,
        provider_ref="offline-77", starts_at=NOW - HOUR, ends_at=NOW + HOUR,
    )  # fmt: skip
    record_openings(lock, [offline_opening(77)], now=NOW)
    [row] = Opening.objects.all()
    assert (row.who, row.matched_by, row.fallback, row.credential) == ("guest", "ref", given, None)
    other.refresh_from_db()
    assert other.first_used_at is None


def test_an_offline_code_that_nobody_was_given_is_nobodys(lock: Lock) -> None:
    give_pin(lock, provider_ref="77", **OPENS_NOW)
    record_openings(lock, [offline_opening(78)], now=NOW)
    [row] = Opening.objects.all()
    assert (row.who, row.credential) == ("unknown", None)


def complaint(at: datetime, kind: AlarmKind) -> DoorAlarm:
    return DoorAlarm(at, kind, kind.value)


def test_tampering_calls_a_person_once(street: FakeDoors, lock: Lock) -> None:
    street.alarmed = [complaint(NOW + number * HOUR, AlarmKind.TAMPER) for number in range(3)]
    import_events(lock, now=NOW + 90 * timedelta(minutes=1))
    import_events(lock, now=NOW + 3 * HOUR)
    assert LockEvent.objects.count() == 3
    assert LockIncident.objects.get().told_at is not None
    notice = Notice.objects.get(code="lock_tamper")
    assert "Porta 1 (Casa 1)" in notice.text
    assert notice.level == Notice.Level.CRITICAL


@pytest.mark.parametrize(("every_minutes", "is_told"), [(3, True), (4, False)])
def test_five_wrong_pins_in_a_quarter_of_an_hour_are_news(
    street: FakeDoors, lock: Lock, every_minutes: int, is_told: bool
) -> None:
    minutes = timedelta(minutes=every_minutes)
    street.alarmed = [complaint(NOW + number * minutes, AlarmKind.WRONG_PIN) for number in range(5)]
    import_events(lock, now=NOW + HOUR)
    assert Notice.objects.filter(code="lock_wrong_pins").exists() is is_told


def test_an_alarm_that_comes_days_late_is_history(street: FakeDoors, lock: Lock) -> None:
    street.alarmed = [complaint(NOW - 3 * DAY, AlarmKind.TAMPER)]
    assert import_events(lock, now=NOW) == 1
    assert not Notice.objects.exists()


def test_the_largest_crowd_is_found() -> None:
    times = [NOW + minutes * timedelta(minutes=1) for minutes in (0, 20, 30, 34, 35, 60)]
    assert list(densest(times, timedelta(minutes=15))) == times[1:5]


def test_the_battery_keeps_its_levels_and_the_time_they_were_told(street: FakeDoors, lock: Lock) -> None:
    for hours, level in enumerate([90, 90, 80, None, 70]):
        street.battery = level
        lock.refresh_from_db()
        read_device(lock, now=NOW + hours * HOUR)
    assert list(BatteryReading.objects.values_list("percent", flat=True)) == [70, 80, 90]
    lock.refresh_from_db()
    note_state(lock, online=False, battery=70, now=NOW + 9 * HOUR)
    lock.refresh_from_db()
    assert (lock.online, lock.seen_at) == (False, NOW + 9 * HOUR)
    assert (lock.battery_at, lock.heard_at) == (NOW + 4 * HOUR, NOW + 4 * HOUR)


def test_only_the_last_levels_are_kept(lock: Lock) -> None:
    for number in range(BatteryReading.KEPT + 5):
        note_state(lock, online=True, battery=number % 100, now=NOW + number * HOUR)
    assert BatteryReading.objects.count() == BatteryReading.KEPT
    assert Reservation.objects.count() == 0
