"""How what the cloud wants reaches the lock: at once, after a moment, or not before somebody wakes it."""

from __future__ import annotations

from copy import deepcopy

from sandbox.faults import is_on, strike
from sandbox.state import Door, Order, Password, RecordState, Slot

ALREADY_EXISTS = 4
FAILED = 3
SUCCESS = 2
CONFIGURING = 1


def is_awake(door: Door, now: float) -> bool:
    """Only battery Wi-Fi locks sleep."""
    return door.radio != "wifi" or now < door.awake_until


def has_network(door: Door, now: float) -> bool:
    return not (is_on(door.faults, "offline", now) or is_on(door.faults, "gateway_offline", now))


def is_online(door: Door, now: float) -> bool:
    return has_network(door, now) and is_awake(door, now)


def wake(door: Door, now: float, awake_seconds: float) -> None:
    """Somebody touched the lock: it fetches what is pending and stays reachable for a while."""
    door.awake_until = now + awake_seconds
    settle(door, now)


def ask_lock(door: Door, record: Password, order: Order, due_at: float) -> None:
    """Queue one change. A newer one replaces the older: the lock only ever hears the last."""
    record.order = order
    record.due_at = due_at
    record.delivery_status = CONFIGURING
    record.doomed = order is Order.PUT and strike(door.faults, "create_fails", due_at) is not None


def remember_before(door: Door, now: float) -> None:
    """Keep the state before a change, for the fault `stale_read`."""
    door.before_change = deepcopy(door.records)
    door.changed_at = now


def settle(door: Door, now: float) -> bool:
    """Deliver everything that can reach the lock by now; true when something did."""
    if not is_online(door, now):
        return False
    due = [record for record in door.records.values() if record.order and _is_due(door, record, now)]
    for record in sorted(due, key=lambda record: record.due_at):
        _deliver(door, record, now)
    return bool(due)


def _is_due(door: Door, record: Password, now: float) -> bool:
    return door.radio == "wifi" or now >= record.due_at


def _deliver(door: Door, record: Password, now: float) -> None:
    order, record.order = record.order, Order.NOTHING
    record.delivery_status = SUCCESS
    if order is Order.PUT:
        _put(door, record, now)
    elif order is Order.REMOVE:
        door.slots.pop(record.id, None)
        record.state = RecordState.GONE
    else:
        frozen = order is Order.FREEZE
        door.slots[record.id].frozen = frozen
        record.state = RecordState.FROZEN if frozen else RecordState.ON_LOCK


def _put(door: Door, record: Password, now: float) -> None:
    refusal = _refusal(door, record, now)
    if refusal:
        record.state, record.delivery_status = RecordState.FAILED, refusal
        return
    record.state = RecordState.ON_LOCK
    door.slots[record.id] = Slot(record.pin, record.effective_time, record.invalid_time, record.once)


def _refusal(door: Door, record: Password, now: float) -> int | None:
    """Behind a gateway it is the lock that refuses an equal PIN; for Wi-Fi the cloud already did (2322)."""
    if record.doomed:
        return FAILED
    others = (slot for key, slot in door.slots.items() if key != record.id and now < slot.invalid_time)
    if door.radio != "wifi" and any(slot.pin == record.pin for slot in others):
        return ALREADY_EXISTS
    return None
