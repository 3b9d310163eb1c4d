"""Staff codes go through the same plan, jobs and proofs as the PINs of guests, and never share digits with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from locks import doors, holders, pins, staff
from locks.models import AccommodationLock, Credential, Lock, StaffCode
from locks.plan import GENERATE, REVOKE
from locks.planning import replan_subject
from reservations.models import Accommodation
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STARTS, ENDS = NOW + DAY, NOW + 30 * DAY


@pytest.fixture
def clock() -> Iterator[TimeMachine]:
    with time_machine_at(NOW) as machine:
        yield machine


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> FakeDoors:
    fake = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    return fake


def cleaning(*locks: Lock, units: tuple[Accommodation, ...] = ()) -> StaffCode:
    code = StaffCode(name="Cleaning", person="Rita", starts_at=STARTS, ends_at=ENDS)
    return staff.save(code, locks=locks, accommodations=units, now=NOW, actor="olga")


def test_a_staff_code_opens_its_doors_in_its_window_and_no_longer(street: FakeDoors, clock: TimeMachine) -> None:
    gate, door = make_lock(), make_lock(unit := make_accommodation())
    code = cleaning(gate, units=(unit,))
    assert sorted(Job.objects.filter(subject=code.subject).values_list("kind", "due_at")) == [
        (GENERATE, STARTS - HOUR), (GENERATE, STARTS - HOUR), (REVOKE, ENDS), (REVOKE, ENDS),
    ]  # fmt: skip
    clock.until(STARTS)
    for lock in (gate, door):
        [held] = street.on(lock.device_id)
        assert (held.window.starts_at, held.window.ends_at) == (STARTS, ENDS)
    assert set(Credential.objects.values_list("purpose", "state")) == {("staff", "on_lock")}
    clock.until(ENDS)
    assert street.held == {}


def test_the_window_and_the_doors_may_change(street: FakeDoors, clock: TimeMachine) -> None:
    gate, door = make_lock(), make_lock()
    code = cleaning(gate)
    clock.until(STARTS)
    [before] = street.on(gate.device_id)
    code.ends_at = ENDS + DAY
    staff.save(code, locks=[gate, door], now=clock.now, actor="olga")
    clock.until(STARTS + HOUR)
    for lock in (gate, door):
        [after] = street.on(lock.device_id)
        assert (after.pin, after.window.ends_at) == (before.pin, ENDS + DAY)
    staff.save(code, locks=[door], now=clock.now, actor="olga")
    clock.until(STARTS + 2 * HOUR)
    assert street.on(gate.device_id) == []


def test_a_door_that_is_added_to_a_unit_gets_its_staff_codes(street: FakeDoors, clock: TimeMachine) -> None:
    unit = make_accommodation()
    cleaning(units=(unit,))
    clock.until(STARTS)
    door = make_lock()
    AccommodationLock.objects.create(accommodation=unit, lock=door)
    clock.until(STARTS + HOUR)
    assert len(street.on(door.device_id)) == 1


def test_an_ended_code_goes_at_once(street: FakeDoors, clock: TimeMachine) -> None:
    code = cleaning(make_lock())
    clock.until(STARTS)
    assert staff.end(code, now=clock.now, actor="olga") == 1
    clock.until(STARTS + HOUR)
    assert street.held == {}


def test_staff_and_guests_never_share_or_nearly_share_digits(
    street: FakeDoors, clock: TimeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever digits come up first, the second holder at a door gets others, and none a slip away."""
    unit = make_accommodation()
    lock = make_lock(unit, pin_length=4, pin_digits="0123")
    make_reservation(unit)
    for _ in range(3):
        cleaning(lock)
    clock.until(STARTS + DAY)
    digits = [held.pin for held in street.on(lock.device_id)]
    assert len(digits) == 4
    for pin in digits:
        assert not (set(digits) - {pin}) & {pin, *pins.near(pin)}


def test_the_digits_are_shown_once_and_it_is_recorded_who_looked(street: FakeDoors, clock: TimeMachine) -> None:
    gate, door = make_lock(), make_lock()
    code = cleaning(gate, door)
    shown = staff.reveal(code, now=NOW, actor="olga")
    assert [sorted(names) for names in shown.values()] == [sorted([gate.name, door.name])]
    assert staff.reveal(code, now=NOW, actor="olga") == {}
    clock.until(STARTS)
    assert {held.pin for held in street.held.values()} == set(shown)
    entry = AuditLog.objects.get(action="staff_code.revealed")
    assert (entry.actor, entry.subject) == ("olga", code.subject)
    assert not any(pin in f"{entry.details}{entry.summary}" for pin in shown)


def test_new_digits_may_be_shown_again(street: FakeDoors, clock: TimeMachine) -> None:
    code = cleaning(make_lock())
    before = staff.reveal(code, now=NOW, actor="olga")
    clock.until(STARTS)
    staff.renew(code, now=clock.now, actor="olga")
    clock.until(STARTS + HOUR)
    after = staff.reveal(code, now=clock.now, actor="olga")
    assert {held.pin for held in street.held.values()} == set(after)
    assert not set(before) & set(after)


def test_a_guests_pin_has_a_stay_and_no_other_has_one() -> None:
    stay, lock = make_reservation(), make_lock()
    wrong: list[dict[str, Any]] = [
        {"purpose": "guest"},
        {"purpose": "backup", "reservation": stay},
        {"purpose": "staff"},
    ]
    for number, keys in enumerate(wrong):
        with pytest.raises(IntegrityError), transaction.atomic():
            Credential.objects.create(lock=lock, name=f"SL {number}", starts_at=NOW, ends_at=ENDS, **keys)


def test_another_room_may_bring_holders_of_its_own(
    street: FakeDoors, clock: TimeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool of two on one lock: one subject, two slots, each with a window of its own."""
    lock = make_lock()

    def pool(number: int, _hold: bool) -> list[holders.Holder]:
        keys = {"purpose": "backup", "lock_id": number}
        return [
            holders.Holder(
                f"lock:{number}", keys | {"slot": slot}, True, STARTS, ENDS + slot * DAY, {number: HOUR}, slot
            )
            for slot in (0, 1)
        ]

    monkeypatch.setitem(holders._loads, "lock", pool)
    monkeypatch.setitem(holders._columns, "lock", lambda number: {"purpose": "backup", "lock_id": number})
    replan_subject(f"lock:{lock.pk}", now=NOW)
    assert Job.objects.filter(subject=f"lock:{lock.pk}").count() == 4
    clock.until(STARTS)
    assert sorted(held.window.ends_at for held in street.on(lock.device_id)) == [ENDS, ENDS + DAY]
    clock.until(ENDS + DAY)
    assert street.held == {}
