"""The life of a temporary password on each kind of lock: what the cloud says, and what the door really does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Bench
from tests.sandbox_process import BLE, WIFI, ZIGBEE

PIN = {WIFI: "1928374", ZIGBEE: "192837", BLE: "192837"}
OTHER = {WIFI: "5647382", ZIGBEE: "564738", BLE: "564738"}
EVERY_DOOR = [WIFI, ZIGBEE, BLE]
NOT_FOUND = {WIFI: 2321, ZIGBEE: 2310, BLE: 2310}
GONE = {WIFI: 0, ZIGBEE: 4, BLE: 0}


def settle(bench: Bench, door: str) -> None:
    """Let everything pending reach the lock."""
    bench.clock.tick(1)
    bench.wake(door)


@pytest.mark.parametrize("door", EVERY_DOOR)
def test_a_created_password_opens_once_the_lock_has_it(bench: Bench, door: str) -> None:
    number = bench.tuya.created(door, PIN[door])
    assert bench.tuya.phase(door, number) == 1
    assert bench.try_pin(door, PIN[door]) == (False, "unknown_pin")

    settle(bench, door)

    assert bench.tuya.phase(door, number) == 2
    assert bench.try_pin(door, PIN[door]) == (True, "opened")
    assert bench.try_pin(door, OTHER[door]) == (False, "unknown_pin")


def test_a_sleeping_lock_hears_nothing_until_it_wakes(bench: Bench) -> None:
    number = bench.tuya.created(WIFI, PIN[WIFI])
    bench.clock.tick(1800)
    bench.try_pin(WIFI, PIN[WIFI])
    assert bench.tuya.phase(WIFI, number) == 1

    bench.wake(WIFI)
    assert bench.tuya.phase(WIFI, number) == 2


def test_a_lock_that_is_awake_hears_at_once_and_falls_asleep_again(bench: Bench) -> None:
    bench.post(f"/sandbox/doors/{WIFI}/wake")
    first = bench.tuya.created(WIFI, PIN[WIFI])
    assert bench.tuya.phase(WIFI, first) == 2

    bench.clock.tick(60)
    second = bench.tuya.created(WIFI, OTHER[WIFI], name="second")
    assert bench.tuya.phase(WIFI, second) == 1


def test_a_gateway_delivers_after_a_moment_without_anybody(bench: Bench) -> None:
    number = bench.tuya.created(ZIGBEE, PIN[ZIGBEE])
    assert bench.tuya.read(ZIGBEE, number)["result"]["delivery_status"] == 1

    bench.clock.tick(0.3)

    assert bench.tuya.phase(ZIGBEE, number) == 2
    assert bench.tuya.read(ZIGBEE, number)["result"]["delivery_status"] == 2


def test_a_read_shows_the_documented_fields_and_never_the_pin(bench: Bench) -> None:
    number = bench.tuya.created(WIFI, PIN[WIFI])
    answer = bench.tuya.read(WIFI, number)

    shown = {"id", "name", "phase", "effective_time", "invalid_time", "phone", "time_zone", "schedule_list"}
    assert set(answer["result"]) == shown
    assert answer["result"]["name"] == "stay"
    everything = f"{answer}{bench.tuya.listed(WIFI)}{bench.get('/sandbox/doors?detail=1')}"
    assert PIN[WIFI] not in everything


@pytest.mark.parametrize("door", EVERY_DOOR)
def test_a_deleted_password_still_opens_until_the_lock_heard_of_it(bench: Bench, door: str) -> None:
    number = bench.tuya.created(door, PIN[door])
    settle(bench, door)

    assert bench.tuya.delete(door, number)["result"] is True
    assert bench.tuya.phase(door, number) == (2 if door == ZIGBEE else 3)
    assert bench.try_pin(door, PIN[door]) == (True, "opened")

    settle(bench, door)
    assert bench.tuya.phase(door, number) == GONE[door]
    assert bench.try_pin(door, PIN[door]) == (False, "unknown_pin")
    assert bench.tuya.listed(door) == []


@pytest.mark.parametrize("door", EVERY_DOOR)
def test_a_password_deleted_before_delivery_is_gone_at_once(bench: Bench, door: str) -> None:
    number = bench.tuya.created(door, PIN[door])
    bench.tuya.delete(door, number)
    assert bench.tuya.phase(door, number) == GONE[door]

    settle(bench, door)
    assert bench.try_pin(door, PIN[door]) == (False, "unknown_pin")


@pytest.mark.parametrize("door", EVERY_DOOR)
def test_deleting_the_unknown_or_the_gone_says_not_found(bench: Bench, door: str) -> None:
    assert bench.tuya.delete(door, 4711)["code"] == NOT_FOUND[door]
    number = bench.tuya.created(door, PIN[door])
    bench.tuya.delete(door, number)
    assert bench.tuya.delete(door, number)["code"] == NOT_FOUND[door]
    assert bench.tuya.read(door, 4711)["code"] == NOT_FOUND[door]


@pytest.mark.parametrize("door", EVERY_DOOR)
def test_a_modified_password_keeps_its_old_window_until_the_lock_heard(bench: Bench, door: str) -> None:
    number = bench.tuya.created(door, PIN[door], end=600)
    settle(bench, door)

    assert bench.tuya.modify(door, number, PIN[door], start=3600, end=7200)["result"] is True
    assert bench.tuya.phase(door, number) == 1
    assert bench.try_pin(door, PIN[door]) == (True, "opened")

    settle(bench, door)
    assert bench.tuya.phase(door, number) == 2
    assert bench.try_pin(door, PIN[door]) == (False, "too_early")
    bench.clock.tick(3600)
    assert bench.try_pin(door, PIN[door]) == (True, "opened")


def test_a_modified_and_deleted_wifi_password_waits_for_the_lock(bench: Bench) -> None:
    number = bench.tuya.created(WIFI, PIN[WIFI])
    bench.wake(WIFI)
    bench.tuya.modify(WIFI, number, OTHER[WIFI])
    bench.tuya.delete(WIFI, number)

    assert bench.tuya.phase(WIFI, number) == 3
    assert bench.try_pin(WIFI, PIN[WIFI]) == (True, "opened")
    assert bench.tuya.modify(WIFI, number, PIN[WIFI])["code"] == 2324


def test_zigbee_passwords_freeze_and_thaw(bench: Bench) -> None:
    number = bench.tuya.created(ZIGBEE, PIN[ZIGBEE])
    settle(bench, ZIGBEE)
    path = f"/v1.0/devices/{ZIGBEE}/door-lock/temp-passwords/{number}"

    assert bench.tuya.call("PUT", f"{path}/freeze-password")["result"] is True
    settle(bench, ZIGBEE)
    assert bench.tuya.phase(ZIGBEE, number) == 3
    assert bench.try_pin(ZIGBEE, PIN[ZIGBEE]) == (False, "frozen")
    assert bench.tuya.call("PUT", f"{path}/freeze-password")["code"] == 2324

    assert bench.tuya.call("PUT", f"{path}/unfreeze-password")["result"] is True
    settle(bench, ZIGBEE)
    assert bench.try_pin(ZIGBEE, PIN[ZIGBEE]) == (True, "opened")


@pytest.mark.parametrize("door", [WIFI, BLE])
def test_only_zigbee_can_freeze(bench: Bench, door: str) -> None:
    number = bench.tuya.created(door, PIN[door])
    path = f"/v1.0/devices/{door}/door-lock/temp-passwords/{number}/freeze-password"
    assert bench.tuya.call("PUT", path)["code"] == 2003


def test_deleting_the_record_leaves_the_pin_on_the_door(bench: Bench) -> None:
    number = bench.tuya.created(WIFI, PIN[WIFI])
    bench.wake(WIFI)
    url = f"/v1.0/devices/{WIFI}/door-lock/temp-passwords/{number}/record"

    assert bench.tuya.call("DELETE", url)["result"] is True
    assert bench.tuya.read(WIFI, number)["code"] == 2321
    assert bench.try_pin(WIFI, PIN[WIFI]) == (True, "opened")


def test_clearing_all_empties_the_lock(bench: Bench) -> None:
    bench.tuya.created(ZIGBEE, PIN[ZIGBEE])
    settle(bench, ZIGBEE)
    assert bench.tuya.call("POST", f"/v1.0/devices/{ZIGBEE}/door-lock/temp-passwords/reset-password")["result"]
    settle(bench, ZIGBEE)
    assert bench.try_pin(ZIGBEE, PIN[ZIGBEE]) == (False, "unknown_pin")


def test_issue_password_hurries_a_gateway_but_wakes_no_lock(bench: Bench) -> None:
    for door, phase in ((ZIGBEE, 2), (WIFI, 1)):
        number = bench.tuya.created(door, PIN[door])
        assert bench.tuya.call("POST", f"/v1.0/devices/{door}/door-lock/issue-password")["result"] is True
        assert bench.tuya.phase(door, number) == phase


def test_expired_and_deleted_passwords_hide_from_the_valid_list_only(bench: Bench) -> None:
    expired = bench.tuya.created(WIFI, PIN[WIFI], end=60, name="expired")
    deleted = bench.tuya.created(WIFI, OTHER[WIFI], name="deleted")
    bench.tuya.delete(WIFI, deleted)
    bench.clock.tick(60)

    assert bench.tuya.listed(WIFI, "true") == []
    assert {record["id"] for record in bench.tuya.listed(WIFI, "false")} == {expired, deleted}
    assert bench.tuya.modify(WIFI, expired, PIN[WIFI])["code"] == 2304


@pytest.mark.parametrize(
    ("door", "pin", "options", "code"),
    [
        (WIFI, "192837", {}, 1109),
        (ZIGBEE, "1928374", {}, 1109),
        (BLE, "1928374", {}, 1109),
        (WIFI, "19283a4", {}, 1109),
        (WIFI, "1928374", {"name": "n" * 21}, 1109),
        (WIFI, "1928374", {"name": ""}, 1100),
        (WIFI, "1928374", {"start": -61}, 2318),
        (WIFI, "1928374", {"start": -59}, None),
        (WIFI, "1928374", {"start": -59, "end": 0}, 2318),
        (WIFI, "1928374", {"start": 100, "end": 100}, 2318),
        (WIFI, "1928374", {"start": 1.7e12, "end": 1.8e12}, 1109),
    ],
)
def test_what_a_create_refuses(bench: Bench, door: str, pin: str, options: dict[str, Any], code: int | None) -> None:
    assert bench.tuya.create(door, pin, **options).get("code") == code


def test_names_are_unique_among_the_living(bench: Bench) -> None:
    number = bench.tuya.created(WIFI, PIN[WIFI], end=60)
    assert bench.tuya.create(WIFI, OTHER[WIFI])["code"] == 2316
    assert bench.tuya.modify(WIFI, number, PIN[WIFI], end=60)["success"]

    bench.clock.tick(60)
    assert bench.tuya.create(WIFI, OTHER[WIFI])["success"]


def test_an_equal_pin_is_refused_by_the_cloud_for_wifi_and_by_the_lock_for_zigbee(bench: Bench) -> None:
    bench.tuya.created(WIFI, PIN[WIFI])
    assert bench.tuya.create(WIFI, PIN[WIFI], name="twin")["code"] == 2322

    bench.tuya.created(ZIGBEE, PIN[ZIGBEE])
    twin = bench.tuya.created(ZIGBEE, PIN[ZIGBEE], name="twin")
    settle(bench, ZIGBEE)
    record = bench.tuya.read(ZIGBEE, twin)["result"]
    assert (record["phase"], record["delivery_status"]) == (5, 4)


def test_a_lock_has_ten_places_and_the_expired_keep_theirs(bench: Bench) -> None:
    numbers = [bench.tuya.created(WIFI, f"19283{place:02}", end=60, name=f"stay {place}") for place in range(10)]
    bench.clock.tick(120)
    assert bench.tuya.create(WIFI, OTHER[WIFI])["code"] == 2303

    bench.tuya.delete(WIFI, numbers[0])
    assert bench.tuya.create(WIFI, OTHER[WIFI])["success"]


def test_a_busy_door_forgets_only_the_long_gone(bench: Bench) -> None:
    numbers = []
    for _ in range(204):
        numbers.append(bench.tuya.created(ZIGBEE, PIN[ZIGBEE]))
        bench.tuya.delete(ZIGBEE, numbers[-1])
    assert bench.tuya.read(ZIGBEE, numbers[0])["code"] == 2310
    assert bench.tuya.phase(ZIGBEE, numbers[10]) == 4


def test_a_one_time_password_opens_once(bench: Bench) -> None:
    now = bench.clock.now
    body = bench.tuya.wish(ZIGBEE, PIN[ZIGBEE], now, now + 3600, "once") | {"type": 1}
    bench.tuya.call("POST", f"/v1.0/devices/{ZIGBEE}/door-lock/temp-password", body)
    settle(bench, ZIGBEE)

    assert bench.try_pin(ZIGBEE, PIN[ZIGBEE]) == (True, "opened")
    assert bench.try_pin(ZIGBEE, PIN[ZIGBEE]) == (False, "used_up")


def test_a_device_shows_its_secret_key_and_whether_it_is_online(bench: Bench) -> None:
    for url in (f"/v1.0/devices/{WIFI}", f"/v1.0/iot-03/devices/{WIFI}"):
        device = bench.tuya.call("GET", url)["result"]
        assert (device["id"], device["online"], len(device["local_key"])) == (WIFI, False, 16)
    bench.post(f"/sandbox/doors/{WIFI}/wake")
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["result"]["online"] is True
    codes = {item["code"] for item in bench.tuya.call("GET", f"/v1.0/devices/{WIFI}/status")["result"]}
    assert "residual_electricity" in codes


def test_many_devices_are_read_in_one_call(bench: Bench) -> None:
    url = f"/v1.3/iot-03/devices?device_ids={WIFI},{BLE}"
    assert {device["id"] for device in bench.tuya.call("GET", url)["result"]["list"]} == {WIFI, BLE}
    many = ",".join(["x"] * 21)
    assert bench.tuya.call("GET", f"/v1.3/iot-03/devices?device_ids={many}")["code"] == 1109
