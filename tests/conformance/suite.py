"""What any brand of lock must do, told through ``LockProvider`` alone.

A brand gives a ``Street``: its provider, its pretend doors, and the few things a test does to them from outside. A line
in ``brands.py`` then runs every test here once for each radio the brand has.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

import pytest

from locks.errors import (
    Capacity,
    Configuration,
    DoorError,
    NameTaken,
    NotFound,
    Refused,
    Transient,
    UnknownOutcome,
    Unsupported,
    WaitForDevice,
)
from locks.provider import AlarmKind, Device, LockProvider, OfflineCode, PinReading, PinState, Radio, Window


class Trouble(StrEnum):
    """What can befall a brand's cloud or a door of it."""

    DEVICE_OFFLINE = "device offline"
    DEVICE_BUSY = "device busy"
    LOCK_FULL = "lock full"
    TOO_FAST = "too many requests"
    SERVER_BROKEN = "server broken"
    PLAN_ENDED = "cloud plan ended"
    CUT_AFTER_WRITE = "write done, then connection cut"
    TOKEN_LOST = "access token lost"
    CLOCK_APART = "clocks apart"


class Street(Protocol):
    """A brand's provider and its pretend doors."""

    @property
    def provider(self) -> LockProvider: ...

    def reset(self) -> None:
        """Nothing on any door, no trouble, no memory of former tests."""
        ...

    def device(self, radio: Radio) -> Device | None:
        """A door of this radio, nothing on it; None if the brand has none."""
        ...

    def sleeps(self, device: Device) -> bool:
        """Does the lock fetch what is new only when it is woken?"""
        ...

    def wake(self, device: Device) -> None: ...

    def new_pin(self, device: Device) -> str:
        """Digits this lock takes, never the same twice."""
        ...

    def opens(self, device: Device, pin: str) -> bool:
        """Type it at the keypad, whether or not the lock has a connection."""
        ...

    def tamper(self, device: Device) -> None:
        """Somebody pries at the door."""
        ...

    def trouble(self, device: Device, trouble: Trouble) -> AbstractContextManager[None]: ...


def eventually(probe: Callable[[], object], seconds: float = 10.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < give_up_at, "it did not come true in time"
        time.sleep(0.05)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def tonight() -> Window:
    return Window(now(), now() + timedelta(hours=8))


class Stay:
    """One guest's PIN on one door, and what the tests do with it."""

    def __init__(self, street: Street, device: Device, window: Window | None = None) -> None:
        self.street, self.device, self.provider = street, device, street.provider
        self.name = f"t-{uuid.uuid4().hex[:12]}"
        self.pin = street.new_pin(device)
        self.window = window or tonight()
        self.ref = ""

    def create(self) -> Stay:
        self.ref = self.provider.create_pin(self.device, name=self.name, pin=self.pin, window=self.window)
        return self

    def change(self) -> None:
        self.provider.change_pin(self.device, self.ref, name=self.name, pin=self.pin, window=self.window)

    def delete(self) -> None:
        self.provider.delete_pin(self.device, self.ref)

    def read(self) -> PinReading:
        return self.provider.read_pin(self.device, self.ref)

    def listed(self) -> list[PinReading]:
        return [one for one in self.provider.list_pins(self.device) if one.name == self.name]

    def arrives_at(self, state: PinState) -> None:
        self.street.wake(self.device)
        eventually(lambda: self.read().state is state)


# What a write says while the trouble lasts.
FAILURES: list[tuple[Trouble, type[DoorError]]] = [
    (Trouble.DEVICE_OFFLINE, WaitForDevice),
    (Trouble.DEVICE_BUSY, Transient),
    (Trouble.TOO_FAST, Transient),
    (Trouble.PLAN_ENDED, Configuration),
    (Trouble.CUT_AFTER_WRITE, UnknownOutcome),
]


class DoorConformance:
    @pytest.fixture
    def street(self) -> Street:
        raise NotImplementedError("a brand's tests give their own street")

    @pytest.fixture(params=["wifi", "zigbee", "ble"])
    def device(self, request: pytest.FixtureRequest, street: Street) -> Device:
        device = street.device(request.param)
        if device is None:
            pytest.skip(f"no {request.param} lock in this brand")
        return device

    @pytest.fixture
    def stay(self, street: Street, device: Device) -> Stay:
        return Stay(street, device)

    # -- when all goes well ------------------------------------------------------------------------------------

    def test_a_new_pin_is_proven_by_reading_and_opens(self, street: Street, stay: Stay) -> None:
        stay.create()
        stay.arrives_at(PinState.ON_LOCK)
        eventually(lambda: street.opens(stay.device, stay.pin))

    def test_a_pin_does_not_open_before_its_window(self, street: Street, device: Device) -> None:
        start = now() + timedelta(hours=1)
        stay = Stay(street, device, Window(start, start + timedelta(hours=1))).create()
        stay.arrives_at(PinState.ON_LOCK)
        assert stay.read().window == stay.window
        assert not street.opens(device, stay.pin)

    def test_a_start_in_the_past_becomes_now(self, street: Street, device: Device) -> None:
        stay = Stay(street, device, Window(now() - timedelta(days=3), now() + timedelta(days=1))).create()
        stay.arrives_at(PinState.ON_LOCK)
        window = stay.read().window
        assert window is not None
        assert window.ends_at == stay.window.ends_at
        assert abs(window.starts_at - now()) < timedelta(minutes=1)

    def test_new_dates_never_shut_out_a_guest_in_house(self, street: Street, stay: Stay) -> None:
        stay.window = Window(now() - timedelta(hours=1), now() + timedelta(hours=8))
        stay.create()
        stay.arrives_at(PinState.ON_LOCK)
        eventually(lambda: street.opens(stay.device, stay.pin))
        stay.window = Window(stay.window.starts_at, stay.window.ends_at + timedelta(days=1))
        stay.change()
        street.wake(stay.device)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            assert street.opens(stay.device, stay.pin)
        window = stay.read().window
        assert window is not None
        assert window.ends_at == stay.window.ends_at

    def test_a_pin_is_found_by_its_name(self, street: Street, device: Device, stay: Stay) -> None:
        Stay(street, device).create()
        stay.create()
        assert [one.ref for one in stay.listed()] == [stay.ref]

    def test_a_change_keeps_the_reference(self, street: Street, stay: Stay) -> None:
        stay.create()
        stay.arrives_at(PinState.ON_LOCK)
        old_pin, stay.pin = stay.pin, street.new_pin(stay.device)
        stay.window = Window(now() + timedelta(hours=2), now() + timedelta(days=2))
        stay.change()
        stay.arrives_at(PinState.ON_LOCK)
        assert stay.read().window == stay.window
        assert [one.ref for one in stay.listed()] == [stay.ref]
        assert not street.opens(stay.device, old_pin)

    def test_a_removed_pin_is_gone_and_does_not_open(self, street: Street, stay: Stay) -> None:
        stay.create()
        stay.arrives_at(PinState.ON_LOCK)
        stay.delete()
        stay.arrives_at(PinState.GONE)
        assert not stay.listed()
        assert not street.opens(stay.device, stay.pin)

    def test_removing_twice_is_fine(self, stay: Stay) -> None:
        stay.create()
        stay.arrives_at(PinState.ON_LOCK)
        stay.delete()
        stay.delete()
        stay.arrives_at(PinState.GONE)
        stay.delete()

    def test_a_pin_nobody_knows_is_gone(self, stay: Stay) -> None:
        stay.ref = "999999"
        assert stay.read().state is PinState.GONE
        stay.delete()
        with pytest.raises(NotFound):
            stay.change()

    def test_an_opening_names_the_pin(self, street: Street, stay: Stay) -> None:
        since = now() - timedelta(minutes=1)
        stay.create()
        stay.arrives_at(PinState.ON_LOCK)
        eventually(lambda: street.opens(stay.device, stay.pin))
        openings = stay.provider.openings(stay.device, since, now() + timedelta(minutes=1))
        assert [one.pin_ref for one in openings] == [stay.ref]
        assert stay.provider.openings(stay.device, since - timedelta(hours=1), since) == []

    def test_a_lock_tells_how_it_is(self, street: Street, device: Device) -> None:
        reading = street.provider.read_device(device)
        assert reading.name
        assert abs(reading.read_at - now()) < timedelta(minutes=1)
        assert reading.battery_percent is None or 0 <= reading.battery_percent <= 100

    def test_a_wrong_pin_and_a_tampered_door_are_alarms(self, street: Street, device: Device) -> None:
        if not street.provider.capabilities(device).alarms:
            pytest.skip("this lock reports no alarms")
        since = now() - timedelta(minutes=1)
        assert not street.opens(device, street.new_pin(device))
        street.tamper(device)
        alarms = street.provider.alarms(device, since, now() + timedelta(minutes=1))
        assert [one.kind for one in alarms] == [AlarmKind.WRONG_PIN, AlarmKind.TAMPER]
        assert street.provider.alarms(device, since - timedelta(hours=1), since) == []

    # -- codes that need no connection -------------------------------------------------------------------------

    @pytest.fixture
    def offline_code(self, street: Street, device: Device) -> OfflineCode:
        if not street.provider.capabilities(device).offline_codes:
            pytest.skip("this lock has no offline codes")
        return street.provider.create_offline_code(device, name="offline", window=tonight())

    def test_an_offline_code_opens_a_lock_nobody_reached(
        self, street: Street, device: Device, offline_code: OfflineCode
    ) -> None:
        with street.trouble(device, Trouble.DEVICE_OFFLINE):
            assert street.opens(device, offline_code.code)

    def test_an_offline_code_says_its_true_window_and_hides_its_digits(self, offline_code: OfflineCode) -> None:
        asked, given = tonight(), offline_code.window
        assert given.starts_at <= asked.starts_at + timedelta(seconds=5)
        assert timedelta(hours=-1, seconds=-5) <= given.ends_at - asked.ends_at <= timedelta(seconds=5)
        assert offline_code.code not in repr(offline_code)

    def test_an_opening_by_offline_code_names_it(
        self, street: Street, device: Device, offline_code: OfflineCode
    ) -> None:
        assert street.opens(device, offline_code.code)
        openings = street.provider.openings(device, now() - timedelta(minutes=1), now() + timedelta(minutes=1))
        assert [one.pin_ref for one in openings] == [offline_code.ref]

    def test_an_offline_code_too_far_ahead_is_refused(self, street: Street, device: Device) -> None:
        can = street.provider.capabilities(device)
        if not can.offline_codes:
            pytest.skip("this lock has no offline codes")
        start = now() + can.offline_codes_ahead + timedelta(hours=2)
        with pytest.raises(Refused):
            street.provider.create_offline_code(device, name="far", window=Window(start, start + timedelta(days=1)))

    def test_without_offline_codes_the_answer_is_unsupported(self, street: Street, device: Device) -> None:
        if street.provider.capabilities(device).offline_codes:
            pytest.skip("this lock has offline codes")
        with pytest.raises(Unsupported):
            street.provider.create_offline_code(device, name="none", window=tonight())

    # -- a lock that sleeps ------------------------------------------------------------------------------------

    def test_a_sleeping_lock_gets_its_pin_when_woken(self, street: Street, stay: Stay) -> None:
        if not street.sleeps(stay.device):
            pytest.skip("this lock does not sleep")
        stay.create()
        for _ in range(5):
            time.sleep(0.05)
            assert stay.read().state is PinState.PENDING
        assert not street.opens(stay.device, stay.pin)
        stay.arrives_at(PinState.ON_LOCK)

    # -- refusals ----------------------------------------------------------------------------------------------

    def test_a_name_is_taken_once(self, street: Street, stay: Stay) -> None:
        stay.create()
        other = Stay(street, stay.device)
        other.name = stay.name
        with pytest.raises(NameTaken):
            other.create()

    def test_a_window_that_is_over_is_refused(self, street: Street, device: Device) -> None:
        over = Window(now() - timedelta(days=2), now() - timedelta(days=1))
        with pytest.raises(Refused):
            Stay(street, device, over).create()

    # -- troubles ----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(("trouble", "error"), [*FAILURES, (Trouble.LOCK_FULL, Capacity)])
    def test_a_creation_in_trouble(self, street: Street, stay: Stay, trouble: Trouble, error: type[DoorError]) -> None:
        with street.trouble(stay.device, trouble), pytest.raises(error) as caught:
            stay.create()
        assert stay.pin not in str(caught.value)

    @pytest.mark.parametrize(("trouble", "error"), FAILURES)
    def test_a_change_in_trouble(self, street: Street, stay: Stay, trouble: Trouble, error: type[DoorError]) -> None:
        stay.create()
        with street.trouble(stay.device, trouble), pytest.raises(error) as caught:
            stay.change()
        assert stay.pin not in str(caught.value)
        stay.change()

    @pytest.mark.parametrize(("trouble", "error"), FAILURES)
    def test_a_removal_in_trouble(self, street: Street, stay: Stay, trouble: Trouble, error: type[DoorError]) -> None:
        stay.create()
        with street.trouble(stay.device, trouble), pytest.raises(error):
            stay.delete()
        stay.delete()
        stay.arrives_at(PinState.GONE)

    def test_a_broken_server_never_looks_like_an_empty_lock(self, street: Street, stay: Stay) -> None:
        stay.create()
        with street.trouble(stay.device, Trouble.SERVER_BROKEN):
            for read in (stay.read, stay.listed, lambda: street.provider.read_device(stay.device)):
                with pytest.raises(Transient):
                    read()

    def test_a_broken_server_leaves_a_removal_in_doubt(self, street: Street, stay: Stay) -> None:
        stay.create()
        with street.trouble(stay.device, Trouble.SERVER_BROKEN), pytest.raises(UnknownOutcome):
            stay.delete()

    def test_after_a_cut_creation_the_pin_is_found_by_name(self, street: Street, stay: Stay) -> None:
        with street.trouble(stay.device, Trouble.CUT_AFTER_WRITE), pytest.raises(UnknownOutcome):
            stay.create()
        found = stay.listed()
        assert len(found) == 1
        stay.ref = found[0].ref
        stay.arrives_at(PinState.ON_LOCK)

    @pytest.mark.parametrize("trouble", [Trouble.TOKEN_LOST, Trouble.CLOCK_APART])
    def test_what_can_be_cured_at_once_is_not_noticed(self, street: Street, stay: Stay, trouble: Trouble) -> None:
        assert street.provider.list_pins(stay.device) == []
        with street.trouble(stay.device, trouble):
            stay.create()
        assert len(stay.listed()) == 1
