"""The troubles a test or a person can switch on, and the small board that remembers which are on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["door", "cloud"]
EVERY_RADIO = ("wifi", "zigbee", "ble")
BEHIND_A_GATEWAY = ("zigbee", "ble")


@dataclass(frozen=True)
class FaultKind:
    """With `measures`, `seconds` is the size of the fault (a delay, a skew); without, how long it lasts."""

    about: str
    scope: Scope = "door"
    radios: tuple[str, ...] = EVERY_RADIO
    times: int | None = None
    seconds: float | None = None
    measures: bool = False


KNOWN: dict[str, FaultKind] = {
    "offline": FaultKind("Writes to the lock answer 2001 (device offline) and nothing reaches the lock."),
    "gateway_offline": FaultKind(
        "The gateway lost its network: Tuya accepts everything, but it stays at phase 1 until this is off.",
        radios=BEHIND_A_GATEWAY,
    ),
    "lock_not_online": FaultKind("Writes to the lock answer 2312 (lock not online).", radios=BEHIND_A_GATEWAY),
    "busy": FaultKind("Writes answer 2317 (gateway busy updating another device)."),
    "full": FaultKind("Creating a password answers 2303 (passwords reached limit)."),
    "duplicate_name": FaultKind("The next create or modify answers 2316 (the name is taken).", times=1),
    "duplicate_pin": FaultKind("The next create or modify answers 2322 (the digits are taken).", times=1),
    "modify_refused": FaultKind("Changing a password answers 2003 (function not supported)."),
    "offline_exhausted": FaultKind("No offline code is left for the period."),
    "no_offline_codes": FaultKind("The lock has no offline codes: asking for one answers 2003."),
    "ticket_stale": FaultKind("Tickets are refused with 1109 as if they were too old."),
    "short_ticket": FaultKind("A ticket comes with only some seconds left.", seconds=5, measures=True),
    "token_revoked": FaultKind("The next call's token is revoked: 1010.", scope="cloud", times=1),
    "one_token_only": FaultKind("A new token with grant_type=1 makes every older token invalid.", scope="cloud"),
    "clock_skew": FaultKind(
        "The cloud's clock runs ahead: 1013 until the caller uses the server's `t`.",
        scope="cloud",
        seconds=600,
        measures=True,
    ),
    "rate_limited": FaultKind("Every Tuya call answers 1199 (requests too frequent).", scope="cloud"),
    "quota_gone": FaultKind("Every Tuya call but the token answers 28841004 (trial quota used up).", scope="cloud"),
    "ip_blocked": FaultKind("Every Tuya call answers 1114 (address not on the allow list).", scope="cloud"),
    "cloud_down": FaultKind("Every Tuya call is answered by HTTP 502 without an envelope.", scope="cloud"),
    "server_error": FaultKind("Every call about this door answers HTTP 500."),
    "slow_after_commit": FaultKind("Writes are done, but the answer comes late.", seconds=30, measures=True),
    "late_success": FaultKind(
        "Writes answer 500 (system error) and are done all the same, visible only some seconds later.",
        seconds=8,
        measures=True,
    ),
    "cut_connection": FaultKind("Writes are done, then the connection is closed without an answer."),
    "delete_lies": FaultKind("A delete answers true and changes nothing."),
    "stale_read": FaultKind(
        "For some seconds after a change, reads show the state before it.", seconds=10, measures=True
    ),
    "create_fails": FaultKind(
        "The lock refuses what the gateway delivers: Zigbee phase 5, BLE phase 7.", radios=BEHIND_A_GATEWAY
    ),
    "password_id_key": FaultKind("Passwords are read back with `password_id` in place of `id`."),
    "door_clock": FaultKind("The lock's own clock is wrong by some seconds.", seconds=3600, measures=True),
    "modify_lost": FaultKind("Changing a password answers true, and everything stays as it was."),
}


@dataclass
class Fault:
    """One fault that is on. `times` counts down to off; `until` ends it by the clock."""

    times: int | None = None
    seconds: float | None = None
    until: float | None = None


Board = dict[str, Fault]


def switch_on(board: Board, name: str, now: float, times: int | None, seconds: float | None) -> None:
    kind = KNOWN[name]
    lasts = None if kind.measures or seconds is None else now + seconds
    size = seconds if seconds is not None else kind.seconds
    board[name] = Fault(times=times if times is not None else kind.times, seconds=size, until=lasts)


def is_on(board: Board, name: str, now: float) -> Fault | None:
    """The fault if it is on; looking does not use it up."""
    fault = board.get(name)
    if fault is not None and fault.until is not None and now >= fault.until:
        del board[name]
        return None
    return fault


def strike(board: Board, name: str, now: float) -> Fault | None:
    """The fault if it is on, and one of its `times` is used up."""
    fault = is_on(board, name, now)
    if fault is not None and fault.times is not None:
        fault.times -= 1
        if fault.times <= 0:
            del board[name]
    return fault
