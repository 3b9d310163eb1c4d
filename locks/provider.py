"""What any brand of lock can be asked, in values only: no database, no HTTP, no brand.

Contract for every implementation (``tests/conformance`` checks it, docs/providers.md says how to add a brand):

- Times are aware UTC. A lock works in whole seconds: starts are rounded up and ends down, never outwards.
- Asked for is not done. A write that returns was *accepted*; only a reading with ``ON_LOCK`` or ``GONE`` proves it.
- A name has at most ``NAME_LENGTH`` characters and is unique per lock. After ``UnknownOutcome`` the caller looks for it
  in ``list_pins`` before writing again.
- An answer nobody understands is ``UNKNOWN`` or ``Transient``, never ``GONE`` and never an empty list.
- Failures are ``locks.errors.DoorError``; the class says retry, wait or stop. Nothing else leaves a provider but bugs.
- A plain PIN comes in as an argument and goes out to the lock. It is never returned, logged, stored or put in an error.
- Implementations are safe to share between threads and never sleep for longer than a few seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol, get_args

Radio = Literal["wifi", "zigbee", "ble"]

# The shortest limit of any brand: a name that every lock takes.
NAME_LENGTH = 20


@dataclass(frozen=True)
class Window:
    """When a PIN opens the door: from ``starts_at`` until just before ``ends_at``."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        for moment in (self.starts_at, self.ends_at):
            if moment.utcoffset() != timedelta(0):
                raise ValueError(f"a window is in aware UTC, not {moment.isoformat()}")
        if self.ends_at <= self.starts_at:
            raise ValueError(f"a window ends after it starts: {self.starts_at} to {self.ends_at}")


@dataclass(frozen=True)
class Device:
    """One lock as its provider knows it. How a lock sleeps and reports depends on its radio."""

    device_id: str
    radio: Radio

    def __post_init__(self) -> None:
        # The id becomes part of a URL path, so nothing that could lead elsewhere.
        if not re.fullmatch(r"[A-Za-z0-9_:-]+", self.device_id):
            raise ValueError(f"not a device id: {self.device_id!r}")
        if self.radio not in get_args(Radio):
            raise ValueError(f"unknown radio {self.radio!r}, known are {', '.join(get_args(Radio))}")


class PinState(StrEnum):
    """What the provider says about one PIN."""

    PENDING = "pending"  # accepted, the lock does not have it (or its latest change) yet
    ON_LOCK = "on_lock"  # the lock has it and opens to it inside its window
    REMOVING = "removing"  # deletion accepted, but the lock may still open to it
    GONE = "gone"  # not on the lock and not on its way there
    FAILED = "failed"  # the provider gave up or someone froze it; an earlier version may still be on the lock
    UNKNOWN = "unknown"  # the answer could not be read: never a reason to write again


@dataclass(frozen=True)
class PinReading:
    """One PIN as read back. ``window`` is what the provider holds, None when it did not say."""

    ref: str
    name: str
    state: PinState
    window: Window | None
    detail: str = ""
    digits_taken: bool = False  # the lock refused it because it holds the same digits already


@dataclass(frozen=True)
class DeviceReading:
    """A lock's health. None means not told; a sleeping lock's values date from its last waking."""

    online: bool | None
    battery_percent: int | None
    name: str
    read_at: datetime


@dataclass(frozen=True)
class DoorOpening:
    """The door was opened. ``pin_ref`` only if it was one of our PINs and the provider could tell which."""

    at: datetime
    method: str
    pin_ref: str | None
    who: str


class AlarmKind(StrEnum):
    """What a lock complains of. ``OTHER``: something of the brand's own, see the alarm's ``detail``."""

    WRONG_PIN = "wrong_pin"
    WRONG_KEY = "wrong_key"  # a card, finger or face it does not know
    TAMPER = "tamper"  # pried, shaken, forced
    DURESS = "duress"  # opened under threat, by a code kept for that
    JAMMED = "jammed"  # the bolt does not move as it should
    LEFT_OPEN = "left_open"
    LOW_BATTERY = "low_battery"
    DOORBELL = "doorbell"
    OTHER = "other"


@dataclass(frozen=True)
class DoorAlarm:
    """The lock reported something that is no opening. ``detail`` is the brand's own word for it."""

    at: datetime
    kind: AlarmKind
    detail: str


@dataclass(frozen=True)
class OfflineCode:
    """A code that the brand chose and the lock understands without any connection. It cannot be taken back.

    ``window`` is what the lock will really go by, coarser than what was asked. ``ref`` is what ``openings`` name.
    """

    code: str = field(repr=False)
    window: Window
    ref: str


@dataclass(frozen=True)
class Capabilities:
    """What the brand can do with locks of this kind; a certain model may still answer ``Unsupported``.

    ``offline_codes_ahead``: an offline code must be made no longer than this before its window begins.
    """

    change_pin: bool = True
    openings: bool = True
    alarms: bool = True
    offline_codes: bool = False
    offline_codes_ahead: timedelta = timedelta(hours=24)


class LockProvider(Protocol):
    """A brand's cloud. Any call may raise ``Transient``, ``WaitForDevice``, ``Limited`` or ``Configuration``."""

    def capabilities(self, device: Device) -> Capabilities:
        """What may be asked of such a lock. Known without a call; never raises."""
        ...

    def create_pin(self, device: Device, *, name: str, pin: str, window: Window) -> str:
        """Ask for a PIN and return its reference. A start in the past becomes now.

        Raises ``UnknownOutcome`` (look for the name), ``Capacity``, ``PinTaken``, ``NameTaken``, ``Refused``.
        """
        ...

    def read_pin(self, device: Device, ref: str) -> PinReading:
        """Read one PIN back; ``GONE`` also when the provider says it never heard of it."""
        ...

    def list_pins(self, device: Device, *, expired: bool = False) -> list[PinReading]:
        """Every PIN that is on the lock or on its way there or off it; those that are ``GONE`` are left out.

        Those whose window is over may be missing too, even while the lock still holds them: ``read_pin`` knows, and
        so does the longer list with ``expired``, where the brand has one.
        """
        ...

    def change_pin(self, device: Device, ref: str, *, name: str, pin: str, window: Window) -> None:
        """Give an existing PIN a new name, digits or window; the reference stays. Safe to repeat.

        Raises ``NotFound`` if it is gone, and what ``create_pin`` raises.
        """
        ...

    def delete_pin(self, device: Device, ref: str) -> None:
        """Ask for removal. Already gone or already on its way out is fine. Safe to repeat.

        Raises ``UnknownOutcome`` when it may or may not have been accepted.
        """
        ...

    def read_device(self, device: Device) -> DeviceReading:
        """Online state and battery as last reported."""
        ...

    def openings(self, device: Device, since: datetime, until: datetime) -> list[DoorOpening]:
        """Who opened the door with ``since <= at < until`` (aware), oldest first."""
        ...

    def alarms(self, device: Device, since: datetime, until: datetime) -> list[DoorAlarm]:
        """What the lock complained of with ``since <= at < until`` (aware), oldest first."""
        ...

    def create_offline_code(self, device: Device, *, name: str, window: Window) -> OfflineCode:
        """Have a code computed that works without any connection; its digits are the brand's choice.

        The answer's window covers as much of the asked one as the lock's clock can: it may begin and end up to an hour
        earlier. It cannot be revoked, and a lost answer is no harm: nobody knows that code, so ask for another.
        Raises ``Unsupported``, ``Capacity`` (none left for that period), ``NameTaken``, ``Refused`` (too far ahead).
        """
        ...
