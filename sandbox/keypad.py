"""What a guest at the keypad meets: the lock decides alone, by its own clock and by what it really holds."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.faults import is_on
from sandbox.state import LOG_LENGTH, OFFLINE_CODE_LENGTH, PIN_LENGTH, Door, LogLine, OfflineCode, Slot

# Wi-Fi locks count temporary passwords from 900 below the cloud's number.
WIFI_NUMBER_OFFSET = 900
FIRST_USE_SECONDS = 24 * 3600

REASONS = {
    "opened": "The door opens.",
    "opened_offline": "The door opens: a valid offline code.",
    "cleared": "A clearing code: the offline code it names is void now. The door stays shut.",
    "wrong_length": "Wrong length: this lock takes {length} digits.",
    "not_digits": "A PIN has digits only.",
    "unknown_pin": "Unknown PIN.",
    "frozen": "This PIN is frozen.",
    "too_early": "Too early: this PIN is not valid yet.",
    "expired": "Expired: this PIN is not valid any more.",
    "used_up": "This one-time PIN has been used.",
    "void": "This offline code was not used within its first 24 hours, or was cleared: it is void.",
}


@dataclass(frozen=True)
class Verdict:
    opened: bool
    code: str
    reason: str


def door_time(door: Door, now: float) -> float:
    skew = is_on(door.faults, "door_clock", now)
    return now + door.clock_offset + (skew.seconds or 0.0 if skew else 0.0)


def is_live(door: Door, slot: Slot, now: float) -> bool:
    """Would this slot open the door right now?"""
    return slot_verdict(slot, door_time(door, now)) == "opened"


def try_pin(door: Door, pin: str, now: float) -> Verdict:
    """Type a PIN. Every try is written to the lock's log; it does not wake the lock's radio."""
    code, number = _judge(door, pin, door_time(door, now))
    opened = code.startswith("opened")
    _log(door, code, number, now)
    return Verdict(opened, code, REASONS[code].format(length=PIN_LENGTH[door.radio]))


def _judge(door: Door, pin: str, local: float) -> tuple[str, int | None]:
    if not pin.isascii() or not pin.isdigit():
        return "not_digits", None
    if len(pin) == OFFLINE_CODE_LENGTH:
        return _judge_offline(door, pin, local)
    if len(pin) != PIN_LENGTH[door.radio]:
        return "wrong_length", None
    return _judge_online(door, pin, local)


def _judge_online(door: Door, pin: str, local: float) -> tuple[str, int | None]:
    held = [(number, slot) for number, slot in door.slots.items() if slot.pin == pin]
    verdicts = [(slot_verdict(slot, local), number) for number, slot in held]
    for verdict, number in verdicts:
        if verdict == "opened":
            door.slots[number].used = True
            return verdict, number
    # The newest of several equal PINs says why.
    return verdicts[-1] if verdicts else ("unknown_pin", None)


def slot_verdict(slot: Slot, local: float) -> str:
    if slot.frozen:
        return "frozen"
    if local < slot.effective_time:
        return "too_early"
    if local >= slot.invalid_time:
        return "expired"
    return "used_up" if slot.once and slot.used else "opened"


def _judge_offline(door: Door, pin: str, local: float) -> tuple[str, int | None]:
    code = next((code for code in door.offline_codes if code.pin == pin), None)
    if code is None:
        return "unknown_pin", None
    verdict = _offline_verdict(code, local)
    if verdict == "opened_offline":
        code.used_at = code.used_at or local
        if code.kind.startswith("clear"):
            _clear(door, code)
            return "cleared", code.id
    return verdict, code.id


def _offline_verdict(code: OfflineCode, local: float) -> str:
    if code.cleared or (code.kind == "multiple" and not code.used_at and local > code.made_at + FIRST_USE_SECONDS):
        return "void"
    if local < code.effective_time:
        return "too_early"
    if local >= code.invalid_time:
        return "expired"
    return "used_up" if code.kind == "once" and code.used_at else "opened_offline"


def _clear(door: Door, clearing: OfflineCode) -> None:
    for code in door.offline_codes:
        if code is not clearing and clearing.clears in (None, code.id):
            code.cleared = True


def _log(door: Door, code: str, number: int | None, now: float) -> None:
    if code.startswith("opened") and number is not None:
        value = number - WIFI_NUMBER_OFFSET if door.radio == "wifi" and code == "opened" else number
        kind = "unlock_temporary" if code == "opened" else "unlock_offline_pd"
        door.opens.append(LogLine(now, kind, str(value), code))
    elif code != "cleared":
        door.alarms.append(LogLine(now, "alarm_lock", "wrong_password", code))
    del door.opens[:-LOG_LENGTH], door.alarms[:-LOG_LENGTH]
