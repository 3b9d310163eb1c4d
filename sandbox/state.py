"""The state of the pretend world as plain data. Times are epoch seconds; `now` always comes from outside.

A door has two truths on purpose. `records` is what the Tuya cloud believes; `slots` is what the lock really
holds, and only the slots open the door. They meet when a delivery reaches the lock (see `delivery`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sandbox.faults import Board
from sandbox.stays_account import Account

Radio = Literal["wifi", "zigbee", "ble"]

PIN_LENGTH: dict[Radio, int] = {"wifi": 7, "zigbee": 6, "ble": 6}
OFFLINE_CODE_LENGTH = 10
CAPACITY = 10
LOG_LENGTH = 500


class RecordState(StrEnum):
    REQUESTED = "requested"
    ON_LOCK = "on_lock"
    FROZEN = "frozen"
    REMOVING = "removing"
    GONE = "gone"
    FAILED = "failed"


# The same number means different things by radio: 3 is "frozen" on Zigbee, "to be deleted" on the others.
# Zigbee has no number for "to be deleted": it stays at 2 until the lock has answered.
PHASE: dict[Radio, dict[RecordState, int]] = {
    "wifi": {RecordState.REQUESTED: 1, RecordState.ON_LOCK: 2, RecordState.REMOVING: 3, RecordState.GONE: 0},
    "zigbee": {
        RecordState.REQUESTED: 1,
        RecordState.ON_LOCK: 2,
        RecordState.FROZEN: 3,
        RecordState.REMOVING: 2,
        RecordState.GONE: 4,
        RecordState.FAILED: 5,
    },
    "ble": {
        RecordState.REQUESTED: 1,
        RecordState.ON_LOCK: 2,
        RecordState.REMOVING: 3,
        RecordState.GONE: 0,
        RecordState.FAILED: 7,
    },
}


class Order(StrEnum):
    """What the cloud still has to tell the lock about one password."""

    NOTHING = ""
    PUT = "put"
    REMOVE = "remove"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"


@dataclass
class Password:
    """The cloud's record of one temporary password."""

    id: int
    name: str
    pin: str
    effective_time: int
    invalid_time: int
    once: bool = False
    state: RecordState = RecordState.REQUESTED
    order: Order = Order.NOTHING
    due_at: float = 0.0
    doomed: bool = False
    delivery_status: int = 1

    def is_live(self, now: float) -> bool:
        """Counts for unique names and PINs. One that waits for its removal still opens the door, so it is live."""
        return self.state not in (RecordState.GONE, RecordState.FAILED) and now < self.invalid_time


@dataclass
class Slot:
    """One password as the lock itself holds it."""

    pin: str
    effective_time: int
    invalid_time: int
    once: bool = False
    frozen: bool = False
    used: bool = False


@dataclass
class OfflineCode:
    """A code Tuya computed; the lock knows it by arithmetic: no delivery is needed, no cloud can revoke it."""

    id: int
    pin: str
    name: str
    kind: str
    made_at: float
    effective_time: int
    invalid_time: int
    clears: int | None = None
    used_at: float | None = None
    cleared: bool = False


@dataclass
class LogLine:
    at: float
    code: str
    value: str
    note: str = ""


@dataclass
class Door:
    device_id: str
    name: str
    radio: Radio
    listing: str
    time_zone: str
    local_key: str = field(default_factory=lambda: secrets.token_hex(8))
    battery: int = 87
    clock_offset: float = 0.0
    awake_until: float = 0.0
    records: dict[int, Password] = field(default_factory=dict)
    slots: dict[int, Slot] = field(default_factory=dict)
    offline_codes: list[OfflineCode] = field(default_factory=list)
    opens: list[LogLine] = field(default_factory=list)
    alarms: list[LogLine] = field(default_factory=list)
    faults: Board = field(default_factory=dict)
    changed_at: float = 0.0
    before_change: dict[int, Password] = field(default_factory=dict)
    hidden_until: float = 0.0

    def phase_of(self, record: Password) -> int:
        return PHASE[self.radio][record.state]


@dataclass
class Message:
    to: str
    channel: str
    subject: str
    body: str
    at: str


@dataclass
class World:
    doors: dict[str, Door]
    account: Account
    messages: list[Message] = field(default_factory=list)
    cloud_faults: Board = field(default_factory=dict)
    next_number: int = 1001

    def take_number(self) -> int:
        number = self.next_number
        self.next_number += 1
        return number


def first_world() -> World:
    """The fixed three doors: other programs map them by these ids."""
    rows: list[tuple[str, str, Radio, str, str]] = [
        ("vdevo000000000000wifi", "Porta Copacabana 301", "wifi", "6908f6db00000000000000a1", "America/Sao_Paulo"),
        ("vdevo0000000000zigbee", "Porta Pinheiros 12", "zigbee", "6908f6db00000000000000b2", "America/Sao_Paulo"),
        ("vdevo000000000000ble1", "Porta Manaus Centro 7", "ble", "6908f6db00000000000000c3", "America/Manaus"),
    ]
    doors = {row[0]: Door(*row) for row in rows}
    return World(doors=doors, account=Account())
