"""A lock provider of a few lines: doors in memory that refuse, forget to answer, sleep, or see their caller killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from locks.errors import NameTaken, NotFound, PinTaken, Unsupported
from locks.provider import (
    Capabilities,
    Device,
    DeviceReading,
    DoorAlarm,
    DoorOpening,
    OfflineCode,
    PinReading,
    PinState,
    Window,
)


class Killed(BaseException):
    """`kill -9` in the middle: no handler runs."""


@dataclass
class Held:
    """What a door holds under one reference."""

    device_id: str
    name: str
    pin: str
    window: Window
    state: PinState = PinState.ON_LOCK


@dataclass
class FakeDoors:
    """Implements ``LockProvider``. ``before`` and ``after`` are called with the name of each call, and may raise."""

    before: Callable[[str], None] = lambda _: None
    after: Callable[[str], None] = lambda _: None
    asleep: bool = False
    online: bool = True
    battery: int | None = None
    held: dict[str, Held] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    opened: list[DoorOpening] = field(default_factory=list)
    alarmed: list[DoorAlarm] = field(default_factory=list)
    offline: list[tuple[str, OfflineCode]] = field(default_factory=list)
    can: Capabilities = field(default_factory=lambda: Capabilities(offline_codes=True))
    refs: count[int] = field(default_factory=lambda: count(1001))

    def on(self, device_id: str) -> list[Held]:
        """What really opens that door."""
        return [held for held in self.held.values() if held.device_id == device_id]

    def capabilities(self, device: Device) -> Capabilities:
        return self.can

    def create_pin(self, device: Device, *, name: str, pin: str, window: Window) -> str:
        self._begin("create")
        there = self.on(device.device_id)
        if any(held.name == name for held in there):
            raise NameTaken("this name is on the lock already")
        if any(held.pin == pin for held in there):
            raise PinTaken("these digits are on the lock already")
        ref = str(next(self.refs))
        state = PinState.PENDING if self.asleep else PinState.ON_LOCK
        self.held[ref] = Held(device.device_id, name, pin, window, state)
        self.after("create")
        return ref

    def read_pin(self, device: Device, ref: str) -> PinReading:
        self._begin("read")
        held = self.held.get(ref)
        state = held.state if held else PinState.GONE
        self.after("read")
        return PinReading(ref, held.name if held else "", state, held.window if held else None)

    def list_pins(self, device: Device, *, expired: bool = False) -> list[PinReading]:
        self._begin("list")
        here = [(ref, held) for ref, held in self.held.items() if held.device_id == device.device_id]
        self.after("list")
        return [PinReading(ref, held.name, held.state, held.window) for ref, held in here]

    def change_pin(self, device: Device, ref: str, *, name: str, pin: str, window: Window) -> None:
        self._begin("change")
        if ref not in self.held:
            raise NotFound("no such PIN")
        self.held[ref] = Held(device.device_id, name, pin, window)
        self.after("change")

    def delete_pin(self, device: Device, ref: str) -> None:
        self._begin("delete")
        if self.asleep and ref in self.held:
            self.held[ref].state = PinState.REMOVING
        else:
            self.held.pop(ref, None)
        self.after("delete")

    def read_device(self, device: Device) -> DeviceReading:
        self._begin("device")
        return DeviceReading(online=self.online, battery_percent=self.battery, name="", read_at=datetime.now(UTC))

    def openings(self, device: Device, since: datetime, until: datetime) -> list[DoorOpening]:
        self._begin("openings")
        return [opening for opening in self.opened if since <= opening.at < until]

    def alarms(self, device: Device, since: datetime, until: datetime) -> list[DoorAlarm]:
        self._begin("alarms")
        return [alarm for alarm in self.alarmed if since <= alarm.at < until]

    def create_offline_code(self, device: Device, *, name: str, window: Window) -> OfflineCode:
        self._begin("offline")
        if not self.can.offline_codes:
            raise Unsupported("this door computes no codes")
        number = next(self.refs)
        hours = (at.replace(minute=0, second=0, microsecond=0) for at in (window.starts_at, window.ends_at))
        code = OfflineCode(f"{number * 8_675_309 % 10**10:010}", Window(*hours), f"offline-{number}")
        self.offline.append((device.device_id, code))
        self.after("offline")
        return code

    def wake(self) -> None:
        self.asleep = False
        for ref, held in list(self.held.items()):
            if held.state == PinState.REMOVING:
                del self.held[ref]
            held.state = PinState.ON_LOCK

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        self.before(call)
