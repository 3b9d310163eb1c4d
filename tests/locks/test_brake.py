"""A loop of set and delete cannot come about, and when places are few, who arrives sooner comes first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta

import pytest

from locks import allocate, doors, room
from locks.brake import WRITES
from locks.errors import Capacity, Transient
from locks.models import Credential, Lock
from locks.provider import Device, PinReading, PinState
from locks.signals import door_needs_help
from notifications.models import Notice
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors
from tests.locks.test_doors import CHECK_IN, HOUR

pytestmark = pytest.mark.django_db


class Liar(FakeDoors):
    """Takes every PIN and reads back ``says``."""

    says = PinState.GONE

    def read_pin(self, device: Device, ref: str) -> PinReading:
        self._begin("read")
        return PinReading(ref, "", self.says if ref in self.held else PinState.GONE, None)


@pytest.fixture
def clock() -> Iterator[TimeMachine]:
    with time_machine_at(NOW) as machine:
        yield machine


@pytest.fixture
def heard() -> Iterator[list[str]]:
    codes: list[str] = []

    def hear(code: str, **_: object) -> None:
        codes.append(code)

    door_needs_help.connect(hear)
    yield codes
    door_needs_help.disconnect(hear)


@pytest.mark.parametrize("says", [PinState.GONE, PinState.FAILED, PinState.UNKNOWN, PinState.PENDING])
def test_a_lock_that_reads_back_something_else_is_not_written_to_for_ever(
    says: PinState, monkeypatch: pytest.MonkeyPatch, clock: TimeMachine, heard: list[str]
) -> None:
    street = Liar()
    street.says = says
    monkeypatch.setattr(doors, "provider_for", lambda _: street)
    make_lock(unit := make_accommodation())
    make_reservation(unit)
    clock.until(CHECK_IN - HOUR)
    for hour in range(3):
        street.calls.clear()
        clock.until(CHECK_IN + hour * HOUR)
        writes = sum(street.calls.count(call) for call in ("create", "change"))
        assert writes <= WRITES + 1
        assert street.calls.count("delete") <= WRITES + 1
    loops = says in (PinState.GONE, PinState.FAILED)
    assert ("too_many_writes" in heard) is loops
    assert Notice.objects.exists(), "somebody was told"


def test_a_cloud_that_was_away_for_hours_does_not_hold_the_pin_up(
    monkeypatch: pytest.MonkeyPatch, clock: TimeMachine
) -> None:
    street = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: street)
    lock = make_lock(unit := make_accommodation())
    make_reservation(unit)

    def away(_: str) -> None:
        raise Transient("no answer")

    street.before = away
    clock.until(CHECK_IN + 2 * HOUR)
    street.before = lambda _: None
    clock.until(CHECK_IN + 2 * HOUR + timedelta(minutes=6))
    assert len(street.on(lock.device_id)) == 1


def waits(lock: object, starts_in: timedelta, **over: object) -> Credential:
    """One for which no place was left when it was tried."""
    values: dict[str, object] = {
        "lock": lock, "name": f"SL {Credential.objects.count()}", "starts_at": NOW + starts_in,
        "ends_at": NOW + timedelta(days=9), "error_code": Capacity.code,
    } | over  # fmt: skip
    stay = make_reservation(facts_at=NOW)
    return Credential.objects.create(**{"reservation": stay} | values)


def test_the_last_place_is_kept_for_who_arrives_sooner() -> None:
    lock = make_lock(capacity=1)
    far, near = waits(lock, timedelta(days=3)), waits(lock, timedelta(days=1))
    allocate.check_capacity(near, NOW)
    with pytest.raises(Capacity, match="sooner"):
        allocate.check_capacity(far, NOW)
    assert room.remaining(Lock.objects.with_codes().get()) == 1


def test_whom_the_lock_itself_refused_has_the_next_place_before_a_farther_one() -> None:
    """Only the lock knows how many places there are: by our count there are nine more."""
    lock = make_lock(capacity=10)
    far, near = waits(lock, timedelta(days=3), error_code=""), waits(lock, timedelta(hours=1))
    with pytest.raises(Capacity, match="1 who arrive sooner"):
        allocate.check_capacity(far, NOW)
    allocate.check_capacity(near, NOW)


def test_a_guest_who_comes_soon_is_not_kept_out_by_one_whose_tries_were_called_off() -> None:
    lock = make_lock(capacity=10)
    waits(lock, timedelta(hours=1))
    allocate.check_capacity(waits(lock, timedelta(hours=2)), NOW)


def test_guests_come_before_backups_however_far() -> None:
    lock = make_lock(capacity=1)
    guest = waits(lock, timedelta(days=3))
    backup = waits(lock, timedelta(0), purpose="backup", reservation=None)
    allocate.check_capacity(guest, NOW)
    with pytest.raises(Capacity):
        allocate.check_capacity(backup, NOW)


def test_nobody_in_house_is_pushed_out(monkeypatch: pytest.MonkeyPatch, clock: TimeMachine) -> None:
    street = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: street)
    lock = make_lock(unit := make_accommodation(), capacity=1)
    make_reservation(unit)
    clock.until(CHECK_IN)
    [first] = street.on(lock.device_id)
    make_reservation(unit, check_in_time=time(16))
    clock.until(CHECK_IN + 2 * HOUR)
    assert street.on(lock.device_id) == [first]
    assert room.remaining(Lock.objects.with_codes().get()) == 0
