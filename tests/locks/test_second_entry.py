"""A lock that changes no PIN: the new times come with a second entry, and there is no moment without a valid PIN."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from locks import backups, doors
from locks.errors import NotFound, PinTaken, Refused, Transient, Unsupported
from locks.models import Credential, Fallback
from locks.planning import replan
from locks.provider import Device, PinReading, PinState, Window
from locks.store import note
from reservations.services import end
from tests.builders import NOW
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors
from tests.locks.test_doors import CHECK_IN, CHECK_OUT, DAY, HOUR, MINUTE, change, stay

pytestmark = pytest.mark.django_db


class Rigid(FakeDoors):
    """Changes nothing; ``equal`` says whether it takes the same digits twice."""

    equal = True
    refusal: Exception = Unsupported("this lock changes nothing")

    def change_pin(self, device: Device, ref: str, *, name: str, pin: str, window: Window) -> None:
        self._begin("change")
        raise self.refusal

    def create_pin(self, device: Device, *, name: str, pin: str, window: Window) -> str:
        hidden = {}
        if self.equal:
            hidden = {ref: held for ref, held in self.held.items() if held.pin == pin}
            self.held = {ref: held for ref, held in self.held.items() if ref not in hidden}
        try:
            return super().create_pin(device, name=name, pin=pin, window=window)
        finally:
            self.held |= hidden


@pytest.fixture
def clock() -> Iterator[TimeMachine]:
    with time_machine_at(NOW) as machine:
        yield machine


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Rigid:
    fake = Rigid()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    return fake


@pytest.mark.parametrize("refusal", [Unsupported("no"), Refused("no")])
def test_the_same_digits_are_put_there_a_second_time(refusal: Exception, street: Rigid, clock: TimeMachine) -> None:
    street.refusal = refusal
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)
    street.calls.clear()
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + HOUR)
    [after] = street.on(lock.device_id)
    assert (after.pin, after.window.ends_at, after.name != before.name) == (before.pin, CHECK_OUT + DAY, True)
    assert street.calls == ["change", "openings", "create", "read", "delete", "read"]
    clock.until(CHECK_OUT + DAY)
    assert street.held == {}


def test_where_equal_digits_are_refused_the_guest_gets_new_ones(street: Rigid, clock: TimeMachine) -> None:
    street.equal = False
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + HOUR)
    [after] = street.on(lock.device_id)
    assert (after.pin != before.pin, after.window.ends_at) == (True, CHECK_OUT + DAY)
    assert Credential.objects.filter(removed_at__isnull=True).count() == 1


def test_the_first_stays_until_the_second_is_proven(street: Rigid, clock: TimeMachine) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)

    def no_more(call: str) -> None:
        if call == "create":
            raise Transient("no answer")

    street.before = no_more
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + 3 * HOUR)
    assert street.on(lock.device_id) == [before]
    street.before = lambda _: None
    clock.until(CHECK_IN + 4 * HOUR)
    assert [held.window.ends_at for held in street.on(lock.device_id)] == [CHECK_OUT + DAY]


def test_a_cancellation_takes_both(street: Rigid, clock: TimeMachine) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN)
    street.asleep = True
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + MINUTE)
    assert len(street.on(lock.device_id)) == 2
    street.wake()
    end(reservation, "canceled", facts_at=CHECK_IN + HOUR)
    clock.until(CHECK_IN + 2 * HOUR)
    assert street.held == {}


def test_the_first_is_not_kept_beyond_its_own_time(street: Rigid, clock: TimeMachine) -> None:
    reservation, lock = stay()
    clock.until(CHECK_OUT - HOUR)

    def no_more(call: str) -> None:
        if call == "create":
            raise Transient("no answer")

    street.before = no_more
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_OUT + MINUTE)
    assert street.on(lock.device_id) == []


def test_no_other_code_is_handed_out_while_the_first_still_opens(street: Rigid, clock: TimeMachine) -> None:
    """The first entry is a way in: only from its end on is the guest shut out, and then she gets another code."""
    reservation, lock = stay()
    clock.until(CHECK_OUT - 2 * HOUR)
    [before] = street.on(lock.device_id)

    def no_more(call: str) -> None:
        if call == "create":
            raise Transient("no answer")

    street.before = no_more
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_OUT - HOUR)
    assert (street.on(lock.device_id), street.offline) == ([before], [])
    assert not Fallback.objects.exists()
    clock.until(CHECK_OUT + MINUTE)
    assert [code.window.ends_at for _, code in street.offline] == [CHECK_OUT + DAY]
    assert Fallback.objects.earliest("warned_at").shut_from == CHECK_OUT, "warned of before"


def test_a_first_entry_that_was_seen_gone_is_no_way_in(street: Rigid, clock: TimeMachine) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN)

    def no_more(call: str) -> None:
        if call == "create":
            raise Transient("no answer")

    street.before = no_more
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + HOUR)
    assert street.offline == []
    note(Credential.objects.get(bridges=True), state="absent", provider_ref="")
    replan(reservation.pk, now=clock.now)
    clock.until(CHECK_IN + 2 * HOUR)
    assert len(street.offline) == 1


def test_a_pin_that_was_lost_before_its_change_is_put_back(street: Rigid, clock: TimeMachine) -> None:
    street.refusal = NotFound("no such PIN")
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)
    street.held.clear()
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + HOUR)
    [after] = street.on(lock.device_id)
    assert (after.pin, after.window.ends_at) == (before.pin, CHECK_OUT + DAY)


def test_digits_that_are_refused_again_and_again_come_to_an_end(street: Rigid, clock: TimeMachine) -> None:
    """No loop: a lock that takes no digits is not asked for ever."""

    def never(call: str) -> None:
        if call == "create":
            raise PinTaken("taken")

    street.before = never
    stay()
    clock.until(CHECK_IN)
    assert street.calls.count("create") <= 12


class Gateway(Rigid):
    """Behind a gateway the cloud accepts equal digits, and the lock refuses them afterwards."""

    def create_pin(self, device: Device, *, name: str, pin: str, window: Window) -> str:
        equal = any(held.pin == pin for held in self.on(device.device_id))
        ref = super().create_pin(device, name=name, pin=pin, window=window)
        if equal:
            self.held[ref].state = PinState.FAILED
        return ref


def test_a_refusal_that_comes_only_from_the_lock_leads_to_other_digits(
    clock: TimeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = Gateway()
    monkeypatch.setattr(doors, "provider_for", lambda _: street)
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + 10 * MINUTE)
    [after] = street.on(lock.device_id)
    assert (after.pin != before.pin, after.state, after.window.ends_at) == (True, PinState.ON_LOCK, CHECK_OUT + DAY)


class ShortList(FakeDoors):
    """Lists only what is valid unless it is asked for everything, as Tuya does."""

    def list_pins(self, device: Device, *, expired: bool = False) -> list[PinReading]:
        return super().list_pins(device) if expired else []


def test_a_pin_whose_answer_was_lost_is_looked_for_among_those_not_valid_before_it_is_called_gone(
    clock: TimeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = ShortList()
    monkeypatch.setattr(doors, "provider_for", lambda _: street)
    reservation, _ = stay()
    clock.until(CHECK_IN)
    note(Credential.objects.get(), provider_ref="", state="requested")
    end(reservation, "canceled", facts_at=CHECK_IN + HOUR)
    clock.until(CHECK_IN + 2 * HOUR)
    assert street.held == {}


class HardOfHearing(Rigid):
    """Behind a weak gateway: the cloud takes everything, and the lock refuses afterwards what is new to it."""

    hears = True

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    def change_pin(self, device: Device, ref: str, *, name: str, pin: str, window: Window) -> None:
        if self.hears and ref not in self.refused:
            FakeDoors.change_pin(self, device, ref, name=name, pin=pin, window=window)
        else:
            self._begin("change")
            self.refused.add(ref)

    def create_pin(self, device: Device, *, name: str, pin: str, window: Window) -> str:
        ref = super().create_pin(device, name=name, pin=pin, window=window)
        if not self.hears:
            self.refused.add(ref)
            del self.held[ref]
        return ref

    def read_pin(self, device: Device, ref: str) -> PinReading:
        reading = super().read_pin(device, ref)
        return PinReading(ref, reading.name, PinState.FAILED, None) if ref in self.refused else reading

    def delete_pin(self, device: Device, ref: str) -> None:
        self.refused.discard(ref)
        super().delete_pin(device, ref)


@pytest.fixture
def weak(monkeypatch: pytest.MonkeyPatch) -> HardOfHearing:
    fake = HardOfHearing()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    return fake


def test_a_change_that_the_lock_refuses_takes_no_pin_from_a_guest_who_is_in(
    weak: HardOfHearing, clock: TimeMachine
) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN + HOUR)
    [before] = weak.on(lock.device_id)
    weak.hears = False
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    for minutes in range(60):
        clock.until(CHECK_IN + HOUR + minutes * MINUTE)
        assert before in weak.on(lock.device_id), f"taken away after {minutes} minutes"
    weak.hears = True
    clock.until(CHECK_IN + 4 * HOUR)
    [after] = weak.on(lock.device_id)
    assert after.window.ends_at == CHECK_OUT + DAY


def test_where_check_in_was_put_off_a_pin_that_would_open_too_early_goes(
    weak: HardOfHearing, clock: TimeMachine
) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN + HOUR)
    weak.hears = False
    change(reservation, check_in_date=(CHECK_IN + DAY).date())
    clock.until(CHECK_IN + HOUR + MINUTE)
    assert weak.on(lock.device_id) == []
    weak.hears = True
    clock.until(CHECK_IN + DAY)
    [after] = weak.on(lock.device_id)
    assert after.window.starts_at == CHECK_IN + DAY


def test_before_check_in_a_refused_change_is_written_anew(weak: HardOfHearing, clock: TimeMachine) -> None:
    """Nobody needs the PIN yet: it may go first, and comes back with the same digits."""
    reservation, lock = stay()
    clock.until(CHECK_IN - 30 * MINUTE)
    [before] = weak.on(lock.device_id)
    weak.hears = False
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN - 29 * MINUTE)
    weak.hears = True
    clock.until(CHECK_IN)
    [after] = weak.on(lock.device_id)
    assert (after.pin, after.window.ends_at) == (before.pin, CHECK_OUT + DAY)


def test_a_change_that_the_lock_refuses_leaves_a_guest_the_backup_she_was_just_sent(
    weak: HardOfHearing, clock: TimeMachine, settings: Settings
) -> None:
    settings.BACKUP_PINS = 1
    reservation, lock = stay()
    backups.tend(now=clock.now)
    clock.until(NOW + HOUR)
    [backup] = weak.on(lock.device_id)
    weak.hears = False
    clock.until(CHECK_IN + MINUTE)
    assert Fallback.objects.get().kind == "backup"
    backups.tend(now=clock.now)
    clock.until(CHECK_IN + HOUR)
    assert weak.on(lock.device_id) == [backup]
    weak.hears = True
    clock.until(CHECK_OUT + MINUTE)
    assert backup not in weak.on(lock.device_id)
    assert reservation.fallbacks.get().credential == Credential.objects.get(removed_at__isnull=False, purpose="backup")
