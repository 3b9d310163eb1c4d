"""What really goes wrong between bookings and doors (acceptance cases a to j), each from the facts to the door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from locks import doors
from locks.models import Credential, Lock
from locks.pins import near
from notifications.models import Notice
from reservations.errors import UnknownListing
from reservations.models import Reservation
from reservations.services import end, save_accommodation, save_facts, set_times
from tests.builders import NOW, make_accommodation, make_facts, make_lock, make_reservation
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors, Held

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CHECK_IN = NOW + timedelta(days=1, hours=6)  # 6 March, 15:00 in São Paulo
CHECK_OUT = NOW + timedelta(days=4, hours=2)  # 9 March, 11:00


@pytest.fixture
def clock() -> Iterator[TimeMachine]:
    with time_machine_at(NOW) as machine:
        yield machine


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> FakeDoors:
    fake = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    return fake


class Guest:
    """A stay with a door, and what its source says next."""

    def __init__(self, clock: TimeMachine, street: FakeDoors, **over: Any) -> None:
        self.clock, self.street = clock, street
        self.unit = over.pop("unit", None) or make_accommodation()
        self.lock: Lock = self.unit.locks.first() or make_lock(self.unit)
        self.facts = make_facts(self.unit, **over)
        self.stay = save_facts(self.facts, facts_at=clock.now).reservation

    def says(self, **over: Any) -> None:
        values = {**self.facts.__dict__, **over}
        self.facts = type(self.facts)(**values)
        save_facts(self.facts, facts_at=self.clock.now)

    def door(self) -> list[Held]:
        return self.street.on(self.lock.device_id)

    @property
    def pin(self) -> str:
        [held] = self.door()
        return held.pin


def test_a_a_date_change_before_arrival_retimes_the_same_pin(street: FakeDoors, clock: TimeMachine) -> None:
    guest = Guest(clock, street)
    clock.until(CHECK_IN - HOUR)
    pin = guest.pin
    guest.says(check_out_date=date(2026, 3, 11))
    clock.until(CHECK_IN)
    [held] = guest.door()
    assert (held.pin, held.window.ends_at) == (pin, CHECK_OUT + 2 * DAY)


def test_b_an_extension_in_house_keeps_the_digits_and_the_door_never_closes(
    street: FakeDoors, clock: TimeMachine
) -> None:
    guest = Guest(clock, street)
    clock.until(CHECK_IN + DAY)
    Credential.objects.update(first_used_at=clock.now)
    pin = guest.pin
    guest.says(check_out_date=date(2026, 3, 12))
    clock.until(CHECK_OUT + HOUR)
    [held] = guest.door()
    assert (held.pin, held.window.starts_at, held.window.ends_at) == (pin, CHECK_IN, CHECK_OUT + 3 * DAY)
    clock.until(CHECK_OUT + 3 * DAY)
    assert guest.door() == []


def test_c_a_move_takes_the_old_door_first_and_then_opens_the_new_one(street: FakeDoors, clock: TimeMachine) -> None:
    guest = Guest(clock, street)
    clock.until(CHECK_IN)
    old, new = guest.lock, make_accommodation()
    lock = make_lock(new)
    street.calls.clear()
    guest.says(listing_id=new.external_id)
    clock.until(CHECK_IN + HOUR)
    assert street.on(old.device_id) == []
    assert len(street.on(lock.device_id)) == 1
    assert street.calls.index("delete") < street.calls.index("create")


def test_c_a_move_to_a_unit_nobody_mapped_closes_the_old_door_at_once_and_the_mapping_opens_the_new_one(
    street: FakeDoors, clock: TimeMachine
) -> None:
    guest = Guest(clock, street)
    clock.until(CHECK_IN)
    assert len(guest.door()) == 1
    with pytest.raises(UnknownListing):
        guest.says(listing_id="nobodys")
    clock.until(CHECK_IN + MINUTE)
    assert guest.door() == []
    assert Notice.objects.filter(code="listing_unknown").count() == 1
    new = make_accommodation(external_id="")
    lock = make_lock(new)
    new.external_id = "nobodys"
    save_accommodation(new, now=clock.now, actor="maria")
    guest.says(listing_id="nobodys")
    clock.until(CHECK_IN + HOUR)
    assert len(street.on(lock.device_id)) == 1


@pytest.mark.parametrize("status", ["canceled", "deleted"])
@pytest.mark.parametrize("used", [False, True])
def test_d_cancelled_and_deleted_close_the_door_used_or_not(
    status: str, used: bool, street: FakeDoors, clock: TimeMachine
) -> None:
    guest = Guest(clock, street)
    clock.until(CHECK_IN)
    if used:
        Credential.objects.update(first_used_at=clock.now)
    end(guest.stay, status, facts_at=clock.now)
    clock.until(CHECK_IN + MINUTE)
    assert guest.door() == []


def test_e_cancelled_and_then_reactivated_opens_again(street: FakeDoors, clock: TimeMachine) -> None:
    guest = Guest(clock, street)
    clock.until(CHECK_IN)
    guest.says(status="canceled")
    clock.until(CHECK_IN + MINUTE)
    assert guest.door() == []
    guest.says(status="booked")
    clock.until(CHECK_IN + 2 * MINUTE)
    assert len(guest.door()) == 1


def test_f_booked_on_the_day_itself_it_opens_at_once(street: FakeDoors, clock: TimeMachine) -> None:
    clock.until(CHECK_IN + HOUR)
    guest = Guest(clock, street)
    clock.until(CHECK_IN + HOUR + MINUTE)
    [held] = guest.door()
    assert held.window.ends_at == CHECK_OUT
    over = Guest(clock, street, check_in_date=date(2026, 3, 1), check_out_date=date(2026, 3, 3))
    clock.until(CHECK_IN + 2 * HOUR)
    assert over.door() == []


def test_g_back_to_back_no_longer_than_the_grace_and_never_the_same_or_near_digits(
    street: FakeDoors, clock: TimeMachine
) -> None:
    unit = make_accommodation(check_in_time=time(11), grace_minutes=30)
    make_lock(unit)
    first = Guest(clock, street, unit=unit)
    second = Guest(
        clock, street, unit=unit, check_in_date=date(2026, 3, 9), check_in_time=None, check_out_date=date(2026, 3, 11)
    )
    clock.until(CHECK_OUT + MINUTE)
    one, two = sorted(first.door(), key=lambda held: held.window.starts_at)
    assert one.window.ends_at - two.window.starts_at == timedelta(minutes=30)
    assert two.pin not in {one.pin, *near(one.pin)}
    clock.until(CHECK_OUT + timedelta(minutes=31))
    assert [held.pin for held in second.door()] == [two.pin]


def test_g_a_double_booking_lets_both_in_and_tells_a_person(street: FakeDoors, clock: TimeMachine) -> None:
    unit = make_accommodation()
    make_lock(unit)
    guests = [Guest(clock, street, unit=unit) for _ in range(2)]
    clock.until(CHECK_IN)
    one, two = guests[0].door()
    assert two.pin not in {one.pin, *near(one.pin)}
    assert Notice.objects.filter(code="stays_overlap").count() == 1


def test_h_a_near_stay_is_not_kept_out_by_far_ones(street: FakeDoors, clock: TimeMachine) -> None:
    """Far stays take no place on the lock: their PINs are made one lead before check-in, not when they are booked."""
    unit = make_accommodation()
    make_lock(unit, capacity=1)
    for month in range(4, 10):
        make_reservation(unit, check_in_date=date(2026, month, 6), check_out_date=date(2026, month, 9))
    guest = Guest(clock, street, unit=unit)
    clock.until(CHECK_IN)
    assert len(guest.door()) == 1


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("America/Noronha", 17), ("America/Sao_Paulo", 18), ("America/Manaus", 19), ("America/Rio_Branco", 20)],
)
def test_i_the_door_opens_by_the_clock_of_each_of_brazils_zones(
    zone: str, hour: int, street: FakeDoors, clock: TimeMachine
) -> None:
    guest = Guest(clock, street, unit=make_accommodation(timezone=zone))
    clock.until(CHECK_IN + 6 * HOUR)
    [held] = guest.door()
    assert (held.window.starts_at.hour, held.window.starts_at.day) == (hour, 6)


@pytest.mark.parametrize(
    ("day", "clock_time", "which", "utc"),
    [
        (date(2026, 3, 29), time(2, 30), "in", "2026-03-29T01:00"),  # skipped: the next instant that exists
        (date(2026, 3, 29), time(2, 30), "out", "2026-03-29T01:00"),
        (date(2026, 10, 25), time(2, 30), "in", "2026-10-25T00:30"),  # twice: the earlier
        (date(2026, 10, 25), time(2, 30), "out", "2026-10-25T01:30"),  # and the later
    ],
)
def test_i_gaps_and_folds_of_a_clock_never_shrink_a_window(day: date, clock_time: time, which: str, utc: str) -> None:
    unit = make_accommodation(timezone="Europe/Berlin")
    dates: dict[str, Any] = (
        {"check_in_date": day, "check_in_time": clock_time, "check_out_date": day + 2 * DAY}
        if which == "in"
        else {"check_in_date": day - 2 * DAY, "check_out_date": day, "check_out_time": clock_time}
    )
    stay = make_reservation(unit, **dates)
    at = stay.check_in_at if which == "in" else stay.check_out_at
    assert at == datetime.fromisoformat(utc).replace(tzinfo=ZoneInfo("UTC"))


def test_i_a_code_across_a_switch_of_the_clock_keeps_both_of_its_ends(street: FakeDoors, clock: TimeMachine) -> None:
    unit = make_accommodation(timezone="Europe/Berlin")
    guest = Guest(clock, street, unit=unit, check_in_date=date(2026, 3, 28), check_out_date=date(2026, 3, 30))
    clock.until(datetime.fromisoformat("2026-03-28T16:00:00+00:00"))
    [held] = guest.door()
    assert (held.window.starts_at.hour, held.window.ends_at.hour) == (14, 9), "15:00 before, 11:00 after the switch"


def test_j_a_pin_that_the_door_does_not_confirm_calls_a_person_before_the_guest_arrives(
    street: FakeDoors, clock: TimeMachine
) -> None:
    unit = make_accommodation()
    make_lock(unit, radio=Lock.Radio.WIFI)
    street.asleep = True
    Guest(clock, street, unit=unit)
    clock.until(CHECK_IN - MINUTE)
    assert Notice.objects.exists()
    street.wake()
    clock.until(CHECK_IN + 10 * MINUTE)
    assert Credential.objects.get(wanted=True, reservation__isnull=False).state == "on_lock"


def test_an_early_check_in_and_a_late_check_out_reach_the_door_and_stay_there(
    street: FakeDoors, clock: TimeMachine
) -> None:
    guest = Guest(clock, street)
    set_times(guest.stay, check_in=time(12), check_out=time(14), now=clock.now, actor="maria")
    clock.until(CHECK_IN - 4 * HOUR)
    pin = guest.pin
    guest.says(check_out_date=date(2026, 3, 10))
    clock.until(CHECK_IN)
    [held] = guest.door()
    assert (held.pin, held.window.starts_at, held.window.ends_at) == (
        pin, CHECK_IN - 3 * HOUR, CHECK_OUT + DAY + 3 * HOUR,
    )  # fmt: skip
    set_times(guest.stay, check_in=time(12), check_out=time(16), now=clock.now, actor="maria")
    clock.until(CHECK_IN + HOUR)
    [held] = guest.door()
    assert (held.pin, held.window.ends_at) == (pin, CHECK_OUT + DAY + 5 * HOUR), "also for a guest in house"


@pytest.mark.parametrize("call", ["create", "read"])
def test_a_change_while_the_job_runs_wins(call: str, street: FakeDoors, clock: TimeMachine) -> None:
    guest = Guest(clock, street)
    told: list[str] = []

    def extend(which: str) -> None:
        if which == call and not told:
            told.append(which)
            guest.says(check_out_date=date(2026, 3, 12))

    street.before = extend
    clock.until(CHECK_IN)
    [held] = guest.door()
    assert (told, held.window.ends_at) == ([call], CHECK_OUT + 3 * DAY)
    assert Reservation.objects.count() == 1
