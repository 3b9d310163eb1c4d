"""A second brand, written by hand and quite unlike Tuya: names for references, no tokens, no tickets.

Its doors live in memory. It shows how little a provider needs, and that the suite holds nothing of Tuya's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from locks.errors import (
    AccountBroken,
    Capacity,
    DoorError,
    NameTaken,
    NotFound,
    PinTaken,
    Refused,
    Transient,
    UnknownOutcome,
    Unsupported,
    WaitForDevice,
)
from locks.provider import (
    AlarmKind,
    Capabilities,
    Device,
    DeviceReading,
    DoorAlarm,
    DoorOpening,
    OfflineCode,
    PinReading,
    PinState,
    Radio,
    Window,
)
from tests.conformance.suite import Trouble

# What a call meets before anything is done.
REFUSALS: dict[Trouble, type[DoorError]] = {
    Trouble.DEVICE_OFFLINE: WaitForDevice,
    Trouble.DEVICE_BUSY: Transient,
    Trouble.TOO_FAST: Transient,
    Trouble.PLAN_ENDED: AccountBroken,
    Trouble.SERVER_BROKEN: UnknownOutcome,
}


@dataclass(frozen=True)
class Entry:
    name: str
    pin: str
    window: Window
    state: PinState = PinState.PENDING
    on_lock: tuple[str, Window] | None = None

    @property
    def reading(self) -> PinReading:
        return PinReading(self.name, self.name, self.state, self.window)


@dataclass
class Door:
    """The cloud's entries, and what the lock itself made of them when it last listened."""

    sleeps: bool
    entries: dict[str, Entry] = field(default_factory=dict)
    offline: list[OfflineCode] = field(default_factory=list)
    opened: list[DoorOpening] = field(default_factory=list)
    alarms: list[DoorAlarm] = field(default_factory=list)
    troubles: set[Trouble] = field(default_factory=set)

    def listen(self) -> None:
        for ref, entry in self.entries.items():
            if entry.state is PinState.PENDING:
                self.entries[ref] = replace(entry, state=PinState.ON_LOCK, on_lock=(entry.pin, entry.window))
            elif entry.state is PinState.REMOVING:
                self.entries[ref] = replace(entry, state=PinState.GONE, on_lock=None)

    def changed(self) -> None:
        if not self.sleeps:
            self.listen()
        if Trouble.CUT_AFTER_WRITE in self.troubles:
            raise UnknownOutcome("The line went dead; look at the lock before writing again.")


class MemoryProvider:
    """Implements ``locks.provider.LockProvider``; what it creates is known by its name."""

    def __init__(self) -> None:
        self.doors: dict[str, Door] = {f"mem-{radio}": Door(sleeps=radio == "wifi") for radio in get_args(Radio)}
        self._numbers = itertools.count(1)

    def capabilities(self, device: Device) -> Capabilities:
        return Capabilities(offline_codes=device.radio == "wifi")

    def create_pin(self, device: Device, *, name: str, pin: str, window: Window) -> str:
        door = self._writes(device)
        window = _from_now(window)
        held = [entry for entry in door.entries.values() if entry.state is not PinState.GONE]
        if Trouble.LOCK_FULL in door.troubles:
            raise Capacity("The lock is full.")
        if any(entry.name == name for entry in held):
            raise NameTaken("That name is on the lock.")
        if any(entry.pin == pin for entry in held):
            raise PinTaken("Those digits are on the lock.")
        door.entries[name] = Entry(name, pin, window)
        door.changed()
        return name

    def change_pin(self, device: Device, ref: str, *, name: str, pin: str, window: Window) -> None:
        door = self._writes(device)
        entry = door.entries.get(ref)
        if entry is None or entry.state is PinState.GONE:
            raise NotFound("No such PIN.")
        door.entries[ref] = replace(entry, pin=pin, window=_from_now(window), state=PinState.PENDING)
        door.changed()

    def delete_pin(self, device: Device, ref: str) -> None:
        door = self._writes(device)
        entry = door.entries.get(ref)
        if entry is None or entry.state is PinState.GONE:
            return
        state = PinState.REMOVING if entry.on_lock else PinState.GONE
        door.entries[ref] = replace(entry, state=state)
        door.changed()

    def read_pin(self, device: Device, ref: str) -> PinReading:
        entry = self._reads(device).entries.get(ref)
        return entry.reading if entry else PinReading(ref, "", PinState.GONE, None)

    def list_pins(self, device: Device, *, expired: bool = False) -> list[PinReading]:
        readings = [entry.reading for entry in self._reads(device).entries.values()]
        return [reading for reading in readings if reading.state is not PinState.GONE]

    def read_device(self, device: Device) -> DeviceReading:
        self._reads(device)
        return DeviceReading(True, None, f"Memory {device.radio}", datetime.now(UTC))

    def openings(self, device: Device, since: datetime, until: datetime) -> list[DoorOpening]:
        return [one for one in self._reads(device).opened if since <= one.at < until]

    def alarms(self, device: Device, since: datetime, until: datetime) -> list[DoorAlarm]:
        return [one for one in self._reads(device).alarms if since <= one.at < until]

    def create_offline_code(self, device: Device, *, name: str, window: Window) -> OfflineCode:
        can = self.capabilities(device)
        if not can.offline_codes:
            raise Unsupported("This lock has no offline codes.")
        if window.starts_at - datetime.now(UTC) > can.offline_codes_ahead:
            raise Refused("An offline code is made on the day of arrival.")
        number = next(self._numbers)
        code = OfflineCode(f"{10**9 + number}", window, f"off:{number}")
        self._reads(device).offline.append(code)
        return code

    def _reads(self, device: Device) -> Door:
        door = self.doors[device.device_id]
        if Trouble.SERVER_BROKEN in door.troubles:
            raise Transient("The cloud is broken.")
        return door

    def _writes(self, device: Device) -> Door:
        door = self.doors[device.device_id]
        for trouble, error in REFUSALS.items():
            if trouble in door.troubles:
                raise error(f"It does not work: {trouble}.")
        return door


class MemoryStreet:
    """The pretend doors of the second brand."""

    def __init__(self) -> None:
        self._numbers = itertools.count(100_000)
        self.reset()

    def reset(self) -> None:
        self.provider = MemoryProvider()

    def device(self, radio: Radio) -> Device | None:
        return Device(f"mem-{radio}", radio) if f"mem-{radio}" in self.provider.doors else None

    def sleeps(self, device: Device) -> bool:
        return self._door(device).sleeps

    def wake(self, device: Device) -> None:
        self._door(device).listen()

    def new_pin(self, device: Device) -> str:
        return str(next(self._numbers))

    def opens(self, device: Device, pin: str) -> bool:
        door, now = self._door(device), datetime.now(UTC)
        held = [(ref, *entry.on_lock) for ref, entry in door.entries.items() if entry.on_lock]
        codes = [(code.ref, code.code, code.window) for code in door.offline]
        for ref, digits, window in [*held, *codes]:
            if digits == pin and window.starts_at <= now < window.ends_at:
                door.opened.append(DoorOpening(now, "pin", ref, ""))
                return True
        door.alarms.append(DoorAlarm(now, AlarmKind.WRONG_PIN, "wrong"))
        return False

    def tamper(self, device: Device) -> None:
        self._door(device).alarms.append(DoorAlarm(datetime.now(UTC), AlarmKind.TAMPER, "shaken"))

    @contextmanager
    def trouble(self, device: Device, trouble: Trouble) -> Iterator[None]:
        door = self._door(device)
        door.troubles.add(trouble)
        try:
            yield
        finally:
            door.troubles.discard(trouble)

    def _door(self, device: Device) -> Door:
        return self.provider.doors[device.device_id]


@contextmanager
def memory_street() -> Iterator[MemoryStreet]:
    yield MemoryStreet()


def _from_now(window: Window) -> Window:
    now = datetime.now(UTC).replace(microsecond=0)
    if window.ends_at <= now + timedelta(seconds=1):
        raise Refused("That window is over.")
    return Window(max(window.starts_at, now), window.ends_at)
