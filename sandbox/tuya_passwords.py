"""The cloud's rules for temporary passwords: what may be created, changed and removed, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.delivery import SUCCESS, ask_lock, remember_before
from sandbox.faults import is_on, strike
from sandbox.state import CAPACITY, PIN_LENGTH, Door, Order, Password, RecordState
from sandbox.tuya_errors import TuyaError

NAME_LENGTH = 20
LATE_START_SECONDS = 60
UNIX_SECONDS_DIGITS = 10
GONE_KEPT = 200


@dataclass(frozen=True)
class Wish:
    """The wanted name, PIN and window, as a create or a modify call carries them."""

    name: str
    pin: str
    effective_time: int
    invalid_time: int
    once: bool


def create(door: Door, wish: Wish, number: int, now: float, delay: float) -> Password:
    _check_wish(door, wish, now)
    _check_unique(door, wish, now)
    if _taken_places(door) >= CAPACITY:
        raise TuyaError(2303)
    _forget_the_long_gone(door)
    remember_before(door, now)
    record = Password(number, wish.name, wish.pin, wish.effective_time, wish.invalid_time, wish.once)
    door.records[number] = record
    ask_lock(door, record, Order.PUT, now + delay)
    return record


def modify(door: Door, number: int, wish: Wish, now: float, delay: float) -> bool:
    """The record changes at once, the lock when it hears of it: until then the old window stays on the door."""
    record = find(door, number)
    if record.state not in (RecordState.REQUESTED, RecordState.ON_LOCK):
        raise TuyaError(2324)
    if record.invalid_time <= now:
        raise TuyaError(2304)
    _check_wish(door, wish, now)
    _check_unique(door, wish, now, but=number)
    if strike(door.faults, "modify_lost", now):
        return True
    remember_before(door, now)
    record.name, record.pin, record.once = wish.name, wish.pin, wish.once
    record.effective_time, record.invalid_time = wish.effective_time, wish.invalid_time
    record.state = RecordState.REQUESTED
    ask_lock(door, record, Order.PUT, now + delay)
    return True


def delete(door: Door, number: int, now: float, delay: float) -> bool:
    record = find(door, number)
    if strike(door.faults, "delete_lies", now):
        return True
    remember_before(door, now)
    if number not in door.slots:
        # The lock never held it, so nobody has to be told.
        record.state, record.order, record.delivery_status = RecordState.GONE, Order.NOTHING, SUCCESS
        return True
    record.state = RecordState.REMOVING
    ask_lock(door, record, Order.REMOVE, now + delay)
    return True


def delete_record(door: Door, number: int, now: float) -> bool:
    """Forgets the cloud's record only: what the lock holds stays on the lock."""
    find(door, number)
    remember_before(door, now)
    del door.records[number]
    return True


def set_frozen(door: Door, number: int, frozen: bool, now: float, delay: float) -> bool:
    record = find(door, number)
    if door.radio != "zigbee":
        raise TuyaError(2003)
    needed = RecordState.ON_LOCK if frozen else RecordState.FROZEN
    if record.state is not needed or record.order:
        raise TuyaError(2324)
    remember_before(door, now)
    ask_lock(door, record, Order.FREEZE if frozen else Order.UNFREEZE, now + delay)
    return True


def find(door: Door, number: int) -> Password:
    record = door.records.get(number)
    if record is None or record.state is RecordState.GONE:
        raise not_found(door)
    return record


def not_found(door: Door) -> TuyaError:
    return TuyaError(2321 if door.radio == "wifi" else 2310)


def readable_records(door: Door, now: float) -> dict[int, Password]:
    """What reads show: the present, or the past while a change is hidden or the fault `stale_read` lasts."""
    if now < door.hidden_until:
        return door.before_change
    fault = is_on(door.faults, "stale_read", now)
    if fault and now < door.changed_at + (fault.seconds or 0.0):
        return door.before_change
    return door.records


def _forget_the_long_gone(door: Door) -> None:
    """A removed password can be read back as removed for a good while, but a busy door must not grow for ever."""
    gone = [record.id for record in door.records.values() if record.state is RecordState.GONE]
    for number in gone[:-GONE_KEPT]:
        del door.records[number]


def _taken_places(door: Door) -> int:
    """An expired password keeps its place until somebody deletes it."""
    return sum(record.state not in (RecordState.GONE, RecordState.FAILED) for record in door.records.values())


def _check_wish(door: Door, wish: Wish, now: float) -> None:
    digits = wish.pin.isascii() and wish.pin.isdigit()
    if not digits or len(wish.pin) != PIN_LENGTH[door.radio] or len(wish.name) > NAME_LENGTH:
        raise TuyaError(1109)
    if any(len(str(time)) != UNIX_SECONDS_DIGITS for time in (wish.effective_time, wish.invalid_time)):
        raise TuyaError(1109)
    late = wish.effective_time < now - LATE_START_SECONDS or wish.invalid_time <= now
    if late or wish.invalid_time <= wish.effective_time:
        raise TuyaError(2318)


def _check_unique(door: Door, wish: Wish, now: float, but: int | None = None) -> None:
    others = [record for record in door.records.values() if record.id != but and record.is_live(now)]
    if any(record.name == wish.name for record in others):
        raise TuyaError(2316)
    if door.radio == "wifi" and any(record.pin == wish.pin for record in others):
        raise TuyaError(2322)
