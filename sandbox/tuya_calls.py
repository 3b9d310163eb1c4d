"""What each Tuya path does once the caller is let in: each function turns one `Call` into the answer's `result`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox import tuya_offline, tuya_passwords
from sandbox.delivery import is_online
from sandbox.faults import is_on, strike
from sandbox.state import Door, LogLine, Password, RecordState, World
from sandbox.tuya_auth import TICKET_SECONDS, Gate
from sandbox.tuya_errors import TuyaError
from sandbox.tuya_passwords import Wish

MILLISECONDS_FROM = 100_000_000_000
MOST_DEVICES = 20
MOST_LOGS = 100


@dataclass(frozen=True)
class Call:
    """One request to the pretend cloud, already authenticated, about one door."""

    world: World
    door: Door
    gate: Gate
    now: float
    delay: float
    body: dict[str, object]
    args: Mapping[str, str]
    number: int


def password_ticket(call: Call) -> object:
    fault = strike(call.door.faults, "short_ticket", call.now)
    seconds = fault.seconds if fault and fault.seconds is not None else TICKET_SECONDS
    return call.gate.new_ticket(call.door.device_id, call.now, seconds)


def create_password(call: Call) -> object:
    if strike(call.door.faults, "full", call.now):
        raise TuyaError(2303)
    record = tuya_passwords.create(call.door, _wish(call), call.world.next_number, call.now, call.delay)
    call.world.take_number()
    return {"id": record.id}


def modify_password(call: Call) -> object:
    if strike(call.door.faults, "modify_refused", call.now):
        raise TuyaError(2003)
    tuya_passwords.find(call.door, call.number)
    return tuya_passwords.modify(call.door, call.number, _wish(call), call.now, call.delay)


def delete_password(call: Call) -> object:
    return tuya_passwords.delete(call.door, call.number, call.now, call.delay)


def delete_record(call: Call) -> object:
    return tuya_passwords.delete_record(call.door, call.number, call.now)


def clear_passwords(call: Call) -> object:
    for record in list(call.door.records.values()):
        if record.state is not RecordState.GONE:
            tuya_passwords.delete(call.door, record.id, call.now, call.delay)
    return True


def freeze_password(call: Call) -> object:
    return tuya_passwords.set_frozen(call.door, call.number, True, call.now, call.delay)


def unfreeze_password(call: Call) -> object:
    return tuya_passwords.set_frozen(call.door, call.number, False, call.now, call.delay)


def issue_password(call: Call) -> object:
    """Push what is pending: a gateway hears it now, a sleeping lock still has to wake by itself."""
    for record in call.door.records.values():
        record.due_at = min(record.due_at, call.now)
    return True


def get_password(call: Call) -> object:
    record = tuya_passwords.readable_records(call.door, call.now).get(call.number)
    if record is None:
        raise tuya_passwords.not_found(call.door)
    return password_json(call.door, record, call.now)


def list_passwords(call: Call) -> object:
    """`valid=true` hides what is expired or gone; anything else lists all."""
    records = list(tuya_passwords.readable_records(call.door, call.now).values())
    if call.args.get("valid") == "true":
        records = [record for record in records if record.is_live(call.now)]
    return [password_json(call.door, record, call.now) for record in records]


def create_offline(call: Call) -> object:
    for fault, refusal in (("no_offline_codes", 2003), ("offline_exhausted", 2398)):
        if strike(call.door.faults, fault, call.now):
            raise TuyaError(refusal)
    code = tuya_offline.create(call.door, call.body, call.world.take_number(), call.now)
    return tuya_offline.created(code)


def list_offline(call: Call) -> object:
    records = [tuya_offline.listed(code, call.now) for code in call.door.offline_codes]
    return {"records": records, "has_more": False, "total": len(records)}


def open_logs(call: Call) -> object:
    lines, total = _page(call.door.opens, call.args)
    logs = [
        {
            "update_time": int(line.at * 1000),
            "unlock_name": "",
            "user_id": "0",
            "nick_name": "",
            "status": {"code": line.code, "value": line.value},
        }
        for line in lines
    ]
    return {"total": total, "logs": logs}


def alarm_logs(call: Call) -> object:
    codes = {code for code in call.args.get("codes", "").split(",") if code}
    chosen = [line for line in call.door.alarms if not codes or line.code in codes]
    lines, total = _page(chosen, call.args)
    records = [
        {"update_time": int(line.at * 1000), "nick_name": "", "status": [{"code": line.code, "value": line.value}]}
        for line in lines
    ]
    return {"total": total, "records": records}


def get_device(call: Call) -> object:
    return device_json(call.door, call.now, call.gate.uid)


def get_status(call: Call) -> object:
    return _status(call.door)


def list_devices(world: World, ids: list[str], now: float, uid: str) -> object:
    if len(ids) > MOST_DEVICES:
        raise TuyaError(1109)
    found = [door for key, door in world.doors.items() if not ids or key in ids]
    devices = [device_json(door, now, uid) for door in found]
    return {"list": devices, "total": len(devices), "has_more": False, "last_row_key": ""}


def password_json(door: Door, record: Password, now: float) -> dict[str, object]:
    """A record as Tuya shows it. The PIN is not in it: Tuya never gives it back."""
    key = "password_id" if is_on(door.faults, "password_id_key", now) else "id"
    shown: dict[str, object] = {
        key: record.id,
        "name": record.name,
        "phase": door.phase_of(record),
        "effective_time": record.effective_time,
        "invalid_time": record.invalid_time,
        "phone": "",
        "time_zone": "",
        "schedule_list": [],
    }
    if door.radio == "zigbee":
        shown["delivery_status"] = record.delivery_status
    return shown


def device_json(door: Door, now: float, uid: str) -> dict[str, object]:
    """The device dump, with the secret `local_key` in it as in life: a client must not log it."""
    return {
        "id": door.device_id,
        "uuid": f"uuid{door.device_id[-12:]}",
        "uid": uid,
        "biz_type": 18,
        "name": door.name,
        "time_zone": "-04:00" if door.time_zone == "America/Manaus" else "-03:00",
        "ip": "",
        "local_key": door.local_key,
        "sub": door.radio != "wifi",
        "model": f"sandbox-{door.radio}",
        "create_time": 1760000000,
        "update_time": int(now),
        "active_time": 1760000000,
        "status": _status(door),
        "owner_id": "1000001",
        "product_id": f"sandbox{door.radio}",
        "product_name": "Sandbox lock",
        "category": "ms" if door.radio == "wifi" else "jtmspro",
        "icon": "",
        "online": is_online(door, now),
        "node_id": "" if door.radio == "wifi" else f"node{door.device_id[-4:]}",
    }


def _status(door: Door) -> list[dict[str, object]]:
    return [
        {"code": "residual_electricity", "value": door.battery},
        {"code": "lock_motor_state", "value": False},
        {"code": "closed_opened", "value": "closed"},
    ]


def _wish(call: Call) -> Wish:
    body = call.body
    texts = [body.get(name) for name in ("name", "password", "password_type", "ticket_id")]
    times = [body.get("effective_time"), body.get("invalid_time")]
    if any(value in (None, "") for value in [*texts, *times]):
        raise TuyaError(1100)
    start, end = times
    if not isinstance(start, int) or not isinstance(end, int) or texts[2] != "ticket":
        raise TuyaError(1109)
    if strike(call.door.faults, "ticket_stale", call.now):
        raise TuyaError(1109)
    for fault, code in (("duplicate_name", 2316), ("duplicate_pin", 2322)):
        if strike(call.door.faults, fault, call.now):
            raise TuyaError(code)
    pin = call.gate.open_pin(str(texts[3]), str(texts[1]), call.door.device_id, call.now)
    return Wish(str(texts[0]), pin, start, end, once=body.get("type") == 1)


def _page(lines: list[LogLine], args: Mapping[str, str]) -> tuple[list[LogLine], int]:
    """Newest first. Start and end are taken in seconds or in milliseconds: the documents disagree."""
    start, end = _seconds(args.get("start_time")), _seconds(args.get("end_time"))
    inside = [line for line in lines if (start is None or line.at >= start) and (end is None or line.at <= end)]
    inside.reverse()
    size = min(_positive(args.get("page_size"), 20), MOST_LOGS)
    skip = (_positive(args.get("page_no"), 1) - 1) * size
    return inside[skip : skip + size], len(inside)


def _seconds(text: str | None) -> float | None:
    if not text or not text.isdigit():
        return None
    value = int(text)
    return value / 1000 if value >= MILLISECONDS_FROM else float(value)


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and int(text) > 0 else default
