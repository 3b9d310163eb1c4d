"""Phases by radio, and the shapes real locks answer in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from locks.provider import Device, PinState, Radio, Window
from locks.tuya import decoding

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
S, MS = 1795359600, 1795359600000


def state_of(radio: Radio, **row: object) -> PinState:
    return decoding.pin_reading(row, "1", radio).state


@pytest.mark.parametrize(
    ("radio", "states"),
    [
        ("wifi", {0: "gone", 1: "pending", 2: "on_lock", 3: "removing", 4: "unknown", 7: "unknown"}),
        ("ble", {0: "gone", 1: "pending", 2: "on_lock", 3: "removing", 4: "unknown", 7: "failed"}),
        ("zigbee", {0: "unknown", 1: "pending", 2: "on_lock", 3: "failed", 4: "gone", 5: "failed"}),
    ],
)
def test_phase_means_what_the_radio_makes_it_mean(radio: Radio, states: dict[int, str]) -> None:
    assert {phase: state_of(radio, phase=phase) for phase in states} == states


@pytest.mark.parametrize(
    ("phase", "delivery", "state"),
    [
        (1, 1, "pending"),
        (2, 2, "on_lock"),
        (2, 1, "pending"),  # a change is on its way to the lock
        (2, 3, "failed"),  # the change did not get there
        (1, 4, "failed"),
        (1, 5, "failed"),
        (1, 6, "failed"),
        (4, 2, "gone"),
        (4, 1, "removing"),  # the cloud says deleted, the lock has yet to hear
        (3, 2, "failed"),  # frozen
    ],
)
def test_zigbee_delivery_outranks_the_phase(phase: int, delivery: int, state: str) -> None:
    assert state_of("zigbee", phase=phase, delivery_status=delivery) == state


@pytest.mark.parametrize("row", [{}, {"phase": "2"}, {"phase": None}, {"phase": [2]}, {"phase": 99}])
def test_what_cannot_be_read_is_unknown(row: dict[str, object]) -> None:
    for radio in get_args(Radio):
        assert state_of(radio, **row) is PinState.UNKNOWN


@pytest.mark.parametrize(
    ("operate", "delivery", "state"),
    [
        ("ADD", "ONGOING", "pending"),
        ("MODIFY", "SUCCESS", "on_lock"),
        ("ADD", "FAILED", "failed"),
        ("DELETE", "ONGOING", "removing"),
        ("DELETE", "SUCCESS", "gone"),
        ("DELETE", "FAILED", "removing"),
        ("ADD", "NEWS", "unknown"),
    ],
)
def test_stand_by_locks_answer_in_words(operate: str, delivery: str, state: str) -> None:
    assert state_of("wifi", operate=operate, delivery_status=delivery) == state


def test_window_is_read_under_either_name() -> None:
    window = Window(datetime.fromtimestamp(S, UTC), datetime.fromtimestamp(S + 60, UTC))
    for row in ({"effective_time": S, "invalid_time": S + 60}, {"effective_time": MS, "expired_time": MS + 60_000}):
        assert decoding.pin_reading(row, "1", "wifi").window == window
    assert decoding.pin_reading({"effective_time": S, "invalid_time": S}, "1", "wifi").window is None


def test_list_is_found_in_every_known_shape() -> None:
    for result in ([{"id": 1}], {"list": [{"id": 1}]}, {"records": [{"id": 1}]}):
        assert decoding.rows(result, "list", "records") == [{"id": 1}]
    assert decoding.rows({"total": 0}, "list") == []
    for nonsense in (None, {}, "x", [1], {"list": None}):
        assert decoding.rows(nonsense, "list") is None


def test_reference_goes_by_two_names() -> None:
    assert decoding.pin_ref({"id": 7}) == decoding.pin_ref({"password_id": "7"}) == "7"
    for nonsense in (None, True, {}, {"id": True}, {"id": None}, {"id": ""}):
        assert decoding.pin_ref(nonsense) is None


@pytest.mark.parametrize(
    ("status", "percent"),
    [
        ([{"code": "residual_electricity", "value": 87}], 87),
        ([{"code": "battery_percentage", "value": 40}], 40),
        ([{"code": "residual_electricity", "value": -1}, {"code": "battery_state", "value": "low"}], 10),
        ([{"code": "residual_electricity", "value": 101}], None),
        ([], None),
        (None, None),
    ],
)
def test_battery_is_read_from_any_of_its_keys(status: object, percent: int | None) -> None:
    reading = decoding.device_reading({"name": "Porta", "online": False, "status": status}, NOW)
    assert (reading.battery_percent, reading.online, reading.name, reading.read_at) == (percent, False, "Porta", NOW)


def test_device_secrets_stay_behind() -> None:
    reading = decoding.device_reading({"local_key": "0123456789abcdef", "ip": "10.0.0.1", "uid": "u1"}, NOW)
    assert reading.online is None
    assert "0123456789abcdef" not in repr(reading)


@pytest.mark.parametrize(("radio", "ref"), [("wifi", "907"), ("zigbee", "7"), ("ble", "7")])
def test_temporary_opening_names_the_pin(radio: Radio, ref: str) -> None:
    entry = {"update_time": MS, "unlock_name": "stay-1", "status": {"code": "unlock_temporary", "value": "7"}}
    (opening,) = decoding.door_openings(entry, Device("d", radio))
    assert (opening.at.timestamp(), opening.method, opening.pin_ref, opening.who) == (S, "temporary", ref, "stay-1")


def test_other_openings_name_the_person() -> None:
    entry = {
        "update_time": MS,
        "nick_name": "Joana",
        "unlock_name": "thumb",
        "status": [{"code": "unlock_fingerprint", "value": 7}, {"code": "doorbell", "value": True}, "noise"],
    }
    (opening,) = decoding.door_openings(entry, Device("d", "wifi"))
    assert (opening.method, opening.pin_ref, opening.who) == ("fingerprint", None, "Joana")
