"""What somebody at the keypad meets: windows, the door's own clock, the logs, offline codes, and the list of doors."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Bench
from tests.sandbox_process import BLE, LISTING, WIFI, ZIGBEE

HOUR = 3600


def on_the_lock(bench: Bench, door: str, pin: str, start: float = 0, end: float = HOUR) -> int:
    number = bench.tuya.created(door, pin, start, end)
    bench.clock.tick(1)
    bench.wake(door)
    return number


def test_a_pin_opens_from_its_first_second_to_before_its_last(bench: Bench) -> None:
    on_the_lock(bench, ZIGBEE, "192837", start=100, end=200)

    assert bench.try_pin(ZIGBEE, "192837") == (False, "too_early")
    bench.clock.tick(99)
    assert bench.try_pin(ZIGBEE, "192837") == (True, "opened")
    bench.clock.tick(99)
    assert bench.try_pin(ZIGBEE, "192837") == (True, "opened")
    bench.clock.tick(1)
    assert bench.try_pin(ZIGBEE, "192837") == (False, "expired")


@pytest.mark.parametrize(("door", "pin"), [(WIFI, "192837"), (ZIGBEE, "1928374"), (BLE, "1"), (BLE, "1" * 11)])
def test_a_wrong_length_is_said(bench: Bench, door: str, pin: str) -> None:
    assert bench.try_pin(door, pin) == (False, "wrong_length")


@pytest.mark.parametrize("pin", ["", "12a456", "١٢٣٤٥٦"])
def test_only_digits_are_a_pin(bench: Bench, pin: str) -> None:
    assert bench.try_pin(ZIGBEE, pin) == (False, "not_digits")


@pytest.mark.parametrize("body", [{}, {"pin": 1234567}, []])
def test_a_pin_must_be_a_text(bench: Bench, body: object) -> None:
    assert bench.http.post(f"/sandbox/doors/{WIFI}/try", json=body).status_code == 400


def test_a_door_with_a_fast_clock_opens_early_and_shuts_early(bench: Bench) -> None:
    on_the_lock(bench, ZIGBEE, "192837", start=HOUR, end=2 * HOUR)
    bench.fault(ZIGBEE, "door_clock", seconds=HOUR)
    assert bench.try_pin(ZIGBEE, "192837") == (True, "opened")
    bench.clock.tick(HOUR)
    assert bench.try_pin(ZIGBEE, "192837") == (False, "expired")


def test_openings_are_logged_with_the_number_each_radio_reports(bench: Bench) -> None:
    for door, pin, offset in ((WIFI, "1928374", 900), (ZIGBEE, "192837", 0)):
        number = on_the_lock(bench, door, pin)
        bench.try_pin(door, pin)
        result = bench.tuya.call("GET", f"/v1.0/devices/{door}/door-lock/open-logs?page_no=1&page_size=10")["result"]
        assert result["total"] == 1
        assert result["logs"][0]["status"] == {"code": "unlock_temporary", "value": str(number - offset)}
        assert result["logs"][0]["update_time"] == int(bench.clock.now * 1000)


@pytest.mark.parametrize("unit", [1, 1000])
def test_log_times_are_understood_in_seconds_and_milliseconds(bench: Bench, unit: int) -> None:
    on_the_lock(bench, ZIGBEE, "192837")
    bench.try_pin(ZIGBEE, "192837")
    bench.clock.tick(60)
    bench.try_pin(ZIGBEE, "192837")
    start = int((bench.clock.now - 30) * unit)

    url = f"/v1.1/devices/{ZIGBEE}/door-lock/open-logs?page_no=1&page_size=10&start_time={start}"
    assert bench.tuya.call("GET", url)["result"]["total"] == 1


def test_a_wrong_pin_is_an_alarm(bench: Bench) -> None:
    bench.try_pin(WIFI, "0000000")
    url = f"/v1.0/devices/{WIFI}/door-lock/alarm-logs?codes=alarm_lock&page_no=1&page_size=10"
    record = bench.tuya.call("GET", url)["result"]["records"][0]
    assert record["status"] == [{"code": "alarm_lock", "value": "wrong_password"}]


def offline_code(bench: Bench, **body: object) -> dict[str, object]:
    url = f"/v1.1/devices/{WIFI}/door-lock/offline-temp-password"
    return dict(bench.tuya.call("POST", url, {"name": "spare", **body})["result"])


def test_an_offline_code_needs_no_delivery_and_covers_whole_hours(bench: Bench) -> None:
    now = int(bench.clock.now)
    code = offline_code(bench, type="multiple", effective_time=now, invalid_time=now + 5 * HOUR)

    assert len(str(code["offline_temp_password"])) == 10
    assert code["effective_time"] == now // HOUR * HOUR
    assert bench.try_pin(WIFI, str(code["offline_temp_password"])) == (True, "opened_offline")
    bench.clock.tick(5 * HOUR)
    assert bench.try_pin(WIFI, str(code["offline_temp_password"])) == (False, "expired")


def test_an_offline_code_not_used_in_a_day_is_void(bench: Bench) -> None:
    now = int(bench.clock.now)
    code = offline_code(bench, type="multiple", effective_time=now, invalid_time=now + 72 * HOUR)
    bench.clock.tick(24 * HOUR + 1)
    assert bench.try_pin(WIFI, str(code["offline_temp_password"])) == (False, "void")


def test_a_single_offline_code_opens_once_and_a_clearing_code_voids(bench: Bench) -> None:
    once = offline_code(bench, type="once")
    other = offline_code(bench, type="once")
    assert bench.try_pin(WIFI, str(once["offline_temp_password"])) == (True, "opened_offline")
    assert bench.try_pin(WIFI, str(once["offline_temp_password"])) == (False, "used_up")

    clearing = offline_code(bench, type="clear_one", password_id=other["offline_temp_password_id"])
    assert bench.try_pin(WIFI, str(clearing["offline_temp_password"])) == (False, "cleared")
    assert bench.try_pin(WIFI, str(other["offline_temp_password"])) == (False, "void")

    listed = bench.tuya.call("GET", f"/v1.0/devices/{WIFI}/door-lock/offline-temp-password")["result"]["records"]
    assert [record["status"] for record in listed] == [2, 3, 2]
    assert "offline_temp_password" not in str(listed)


def test_the_list_of_doors_has_the_promised_keys(bench: Bench) -> None:
    on_the_lock(bench, ZIGBEE, "192837", end=60)
    doors = {door["device_id"]: door for door in bench.get("/sandbox/doors")}

    promised = {"device_id", "name", "radio", "listing", "awake", "online", "passwords"}
    assert all(promised <= set(door) for door in doors.values())
    assert {key: door["listing"] for key, door in doors.items()} == LISTING
    assert doors[WIFI]["awake"] is False
    assert doors[WIFI]["online"] is False
    assert doors[ZIGBEE]["passwords"] == 1

    bench.clock.tick(60)
    assert bench.get(f"/sandbox/doors/{ZIGBEE}")["passwords"] == 0


def test_an_unknown_door_is_named_among_the_known(bench: Bench) -> None:
    answer = bench.http.post("/sandbox/doors/nobody/try", json={"pin": "1"})
    assert answer.status_code == 404
    assert WIFI in answer.get_json()["error"]


def test_reset_goes_back_to_the_start(bench: Bench) -> None:
    on_the_lock(bench, ZIGBEE, "192837")
    bench.fault(ZIGBEE, "offline")
    bench.post("/sandbox/reset")
    door = bench.get(f"/sandbox/doors/{ZIGBEE}")
    assert (door["passwords"], door["online"], door["codes"]) == (0, True, [])
