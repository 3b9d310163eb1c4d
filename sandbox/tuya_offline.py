"""Offline codes: ten digits that Tuya computes, whole hours only, understood by the lock without any delivery."""

from __future__ import annotations

import secrets

from sandbox.state import OFFLINE_CODE_LENGTH, Door, OfflineCode
from sandbox.tuya_errors import TuyaError

HOUR = 3600
LASTS_HOURS = {"once": 6, "clear_one": 24, "clear_all": 24}
UNUSED, USED, INVALID = 1, 2, 3


def create(door: Door, body: dict[str, object], number: int, now: float) -> OfflineCode:
    kind = body.get("type")
    start, end = _window(kind, body, now)
    clears = body.get("password_id")
    if kind == "clear_one" and not isinstance(clears, int):
        raise TuyaError(1109)
    code = OfflineCode(
        id=number,
        pin="".join(str(secrets.randbelow(10)) for _ in range(OFFLINE_CODE_LENGTH)),
        name=str(body.get("name", "")),
        kind=str(kind),
        made_at=now,
        effective_time=start,
        invalid_time=end,
        clears=clears if kind == "clear_one" and isinstance(clears, int) else None,
    )
    door.offline_codes.append(code)
    return code


def _window(kind: object, body: dict[str, object], now: float) -> tuple[int, int]:
    if isinstance(kind, str) and kind in LASTS_HOURS:
        start = _floor(now)
        return start, start + LASTS_HOURS[kind] * HOUR
    first, last = body.get("effective_time"), body.get("invalid_time")
    if kind != "multiple" or not isinstance(first, int) or not isinstance(last, int):
        raise TuyaError(1109)
    if last <= now or _floor(last) <= _floor(first):
        raise TuyaError(2318)
    return _floor(first), _floor(last)


def _floor(time: float) -> int:
    return int(time) // HOUR * HOUR


def created(code: OfflineCode) -> dict[str, object]:
    return {
        "offline_temp_password_id": code.id,
        "offline_temp_password": code.pin,
        "offline_temp_password_name": code.name,
        "effective_time": code.effective_time,
        "invalid_time": code.invalid_time,
    }


def listed(code: OfflineCode, now: float) -> dict[str, object]:
    """The list never shows the digits again."""
    status = INVALID if code.cleared or now >= code.invalid_time else USED if code.used_at else UNUSED
    return {
        "pwd_id": code.id,
        "pwd_name": code.name,
        "pwd_type_code": code.kind,
        "gmt_start": code.effective_time,
        "gmt_expired": code.invalid_time,
        "status": status,
    }
