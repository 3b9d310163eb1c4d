"""Tuya's JSON read into our values. Pure, and lenient in form only: what cannot be read becomes UNKNOWN, never GONE.

The same phase number means different things on different radios (3 is "frozen" on Zigbee and "to be deleted" on Wi-Fi),
so every decoding starts from the radio.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from locks.provider import (
    AlarmKind,
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

Json = Mapping[str, Any]

WIFI_NUMBER_OFFSET = 900

_PHASES: dict[Radio, dict[int, PinState]] = {
    "wifi": {0: PinState.GONE, 1: PinState.PENDING, 2: PinState.ON_LOCK, 3: PinState.REMOVING},
    "ble": {0: PinState.GONE, 1: PinState.PENDING, 2: PinState.ON_LOCK, 3: PinState.REMOVING, 7: PinState.FAILED},
    "zigbee": {1: PinState.PENDING, 2: PinState.ON_LOCK, 3: PinState.FAILED, 4: PinState.GONE, 5: PinState.FAILED},
}
# Zigbee only: how the gateway fares with the latest change.
_CONFIGURING = 1
_DIGITS_TAKEN = 4
_DELIVERY_FAILURES = {
    3: "the gateway could not deliver it",
    _DIGITS_TAKEN: "the digits are already on the lock",
    5: "the lock is full",
    6: "its window overlaps another",
}
# Locks on stand-by power answer with words instead of phases: (being removed, delivery) -> state.
_STANDBY = {
    (False, "ONGOING"): PinState.PENDING,
    (False, "SUCCESS"): PinState.ON_LOCK,
    (False, "FAILED"): PinState.FAILED,
    (True, "ONGOING"): PinState.REMOVING,
    (True, "SUCCESS"): PinState.GONE,
    (True, "FAILED"): PinState.REMOVING,
}
# Rough on purpose: three words are all such a lock tells.
_BATTERY_WORDS = {"high": 100, "medium": 50, "low": 10, "poweroff": 0}

# What `alarm_lock` says; the other alarm codes are their own word.
ALARM_CODES = ("alarm_lock", "hijack", "doorbell")
_ALARMS = {
    "wrong_password": AlarmKind.WRONG_PIN,
    "wrong_finger": AlarmKind.WRONG_KEY,
    "wrong_card": AlarmKind.WRONG_KEY,
    "wrong_face": AlarmKind.WRONG_KEY,
    "pry": AlarmKind.TAMPER,
    "shock": AlarmKind.TAMPER,
    "defense": AlarmKind.TAMPER,
    "hijack": AlarmKind.DURESS,
    "tongue_bad": AlarmKind.JAMMED,
    "tongue_not_out": AlarmKind.JAMMED,
    "unclosed_time": AlarmKind.LEFT_OPEN,
    "low_battery": AlarmKind.LOW_BATTERY,
    "power_off": AlarmKind.LOW_BATTERY,
    "doorbell": AlarmKind.DOORBELL,
}


def rows(result: object, *keys: str) -> list[Json] | None:
    """The list inside an answer, bare or under one of ``keys``; None if there is none to be found."""
    found = result
    if isinstance(result, dict):
        found = next((result[key] for key in keys if key in result), None)
        if found is None and result.get("total") == 0:
            return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        return None
    return found


def pin_ref(row: object) -> str | None:
    """The id of a password, which some locks call ``password_id``."""
    if not isinstance(row, dict):
        return None
    ref = row.get("id", row.get("password_id"))
    return str(ref) if isinstance(ref, (int, str)) and not isinstance(ref, bool) and ref != "" else None


def pin_reading(row: Json, ref: str, radio: Radio) -> PinReading:
    state, detail = _pin_state(row, radio)
    taken = radio == "zigbee" and state == PinState.FAILED and row.get("delivery_status") == _DIGITS_TAKEN
    return PinReading(ref, str(row.get("name") or ""), state, _window(row), detail, digits_taken=taken)


def _pin_state(row: Json, radio: Radio) -> tuple[PinState, str]:
    phase, delivery = row.get("phase"), row.get("delivery_status")
    if phase is None and isinstance(delivery, str):
        removing = row.get("operate") == "DELETE"
        return _STANDBY.get((removing, delivery.upper()), PinState.UNKNOWN), f"delivery {delivery.lower()}"
    if not isinstance(phase, int):
        return PinState.UNKNOWN, "no phase"
    state = _PHASES[radio].get(phase, PinState.UNKNOWN)
    if radio == "zigbee":
        return _zigbee_state(state, phase, delivery)
    return state, f"phase {phase}"


def _zigbee_state(state: PinState, phase: int, delivery: object) -> tuple[PinState, str]:
    """The gateway's delivery report outranks the phase: the cloud may call done what the lock has yet to hear."""
    if phase == 3:
        return PinState.FAILED, "frozen: on the lock, but opens nothing"
    if delivery == _CONFIGURING and state is PinState.ON_LOCK:
        return PinState.PENDING, "the gateway is delivering a change"
    if delivery == _CONFIGURING and state is PinState.GONE:
        return PinState.REMOVING, "the gateway is delivering the removal"
    failure = _DELIVERY_FAILURES.get(delivery) if isinstance(delivery, int) else None
    if failure and state in (PinState.PENDING, PinState.ON_LOCK, PinState.FAILED):
        return PinState.FAILED, failure
    return state, f"phase {phase}"


def _window(row: Json) -> Window | None:
    starts_at = moment(row.get("effective_time"))
    ends_at = moment(row.get("invalid_time", row.get("expired_time")))
    return Window(starts_at, ends_at) if starts_at and ends_at and starts_at < ends_at else None


def moment(stamp: object) -> datetime | None:
    """An epoch stamp in seconds or milliseconds; Tuya uses both, thirteen digits are milliseconds."""
    if isinstance(stamp, str) and stamp.isdigit():
        stamp = int(stamp)
    if not isinstance(stamp, int) or isinstance(stamp, bool) or not 0 < stamp < 10**14:
        return None
    return datetime.fromtimestamp(stamp / 1000 if stamp >= 10**11 else stamp, UTC)


def device_reading(row: Json, read_at: datetime) -> DeviceReading:
    """Only what is named here leaves this function: the same answer holds ``local_key``, a secret."""
    online = row.get("online", row.get("is_online"))
    name = str(row.get("name") or "")
    return DeviceReading(online if isinstance(online, bool) else None, battery(row), name, read_at)


def battery(row: Json) -> int | None:
    """Per cent, from whichever of its codes the lock reports; None when it does not say."""
    status = {entry.get("code"): entry.get("value") for entry in rows(row.get("status")) or []}
    for key in ("residual_electricity", "battery_percentage"):
        percent = status.get(key)
        # Some Bluetooth locks answer -1 when they do not know.
        if isinstance(percent, int) and not isinstance(percent, bool) and 0 <= percent <= 100:
            return percent
    return _BATTERY_WORDS.get(str(status.get("battery_state")))


def offline_code(result: object) -> OfflineCode | None:
    """A new offline code; None when the answer does not hold all of it."""
    if not isinstance(result, dict):
        return None
    code, ref, window = result.get("offline_temp_password"), result.get("offline_temp_password_id"), _window(result)
    if not (isinstance(code, str) and code.isdigit() and window) or not isinstance(ref, (int, str)):
        return None
    return OfflineCode(code, window, _offline_ref(ref))


def door_openings(entry: Json, device: Device) -> Iterator[DoorOpening]:
    """A log entry names one way of unlocking, or a list of them."""
    at = moment(entry.get("update_time"))
    for code, value in _statuses(entry):
        if at and code.startswith("unlock_"):
            method = code.removeprefix("unlock_")
            names = ("unlock_name", "nick_name") if method == "temporary" else ("nick_name", "unlock_name")
            who = next((str(entry[name]) for name in names if entry.get(name)), "")
            yield DoorOpening(at, method, _opened_by(method, value, device), who)


def door_alarms(entry: Json) -> Iterator[DoorAlarm]:
    """``alarm_lock`` says what is wrong in its value; other codes are alarms by themselves, when not false."""
    at = moment(entry.get("update_time"))
    for code, value in _statuses(entry):
        word = value if code == "alarm_lock" else code
        if at and code in ALARM_CODES and isinstance(word, str) and value not in (False, "false"):
            yield DoorAlarm(at, _ALARMS.get(word, AlarmKind.OTHER), word)


def _statuses(entry: Json) -> Iterator[tuple[str, object]]:
    status = entry.get("status")
    for one in status if isinstance(status, list) else [status]:
        if isinstance(one, dict) and isinstance(code := one.get("code"), str):
            yield code, one.get("value")


def _opened_by(method: str, value: object, device: Device) -> str | None:
    """A Wi-Fi lock counts its PINs from 0, the cloud from 900: a lock's 7 is the cloud's 907."""
    if method not in ("temporary", "offline_pd") or not str(value).isdigit():
        return None
    number = int(str(value))
    if method == "offline_pd":
        return _offline_ref(number)
    return str(number + WIFI_NUMBER_OFFSET if device.radio == "wifi" else number)


def _offline_ref(number: object) -> str:
    """Offline codes are numbered apart from PINs."""
    return f"offline-{number}"
