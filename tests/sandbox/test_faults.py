"""Every fault that can be switched on does what its description says, and stops when it is switched off."""

from __future__ import annotations

import pytest

from sandbox.faults import KNOWN
from tests.sandbox.conftest import Bench
from tests.sandbox_process import BLE, WIFI, ZIGBEE

PIN = {WIFI: "1928374", ZIGBEE: "192837", BLE: "192837"}


def settled(bench: Bench, door: str) -> int:
    number = bench.tuya.created(door, PIN[door])
    bench.clock.tick(1)
    bench.wake(door)
    return number


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("offline", 2001),
        ("lock_not_online", 2312),
        ("busy", 2317),
        ("full", 2303),
        ("ticket_stale", 1109),
        ("duplicate_name", 2316),
        ("duplicate_pin", 2322),
    ],
)
def test_faults_of_a_door_refuse_a_create_there_only(bench: Bench, name: str, code: int) -> None:
    bench.fault(ZIGBEE, name)
    assert bench.tuya.create(ZIGBEE, PIN[ZIGBEE])["code"] == code
    assert bench.tuya.create(BLE, PIN[BLE])["success"]

    bench.fault(ZIGBEE, name, on=False)
    assert bench.tuya.create(ZIGBEE, PIN[ZIGBEE])["success"]


@pytest.mark.parametrize(("name", "code"), [("rate_limited", 1199), ("quota_gone", 28841004), ("ip_blocked", 1114)])
def test_faults_of_the_cloud_hit_every_door(bench: Bench, name: str, code: int) -> None:
    bench.fault(ZIGBEE, name)
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["code"] == code

    bench.fault(WIFI, name, on=False)
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["success"]


def test_times_count_down_to_off(bench: Bench) -> None:
    bench.fault(ZIGBEE, "busy", times=2)
    codes = [bench.tuya.create(ZIGBEE, PIN[ZIGBEE]).get("code") for _ in range(3)]
    assert codes == [2317, 2317, None]


def test_seconds_end_a_fault_by_the_clock(bench: Bench) -> None:
    bench.fault(ZIGBEE, "offline", seconds=60)
    bench.clock.tick(59)
    assert bench.get(f"/sandbox/doors/{ZIGBEE}")["online"] is False
    bench.clock.tick(1)
    assert bench.get(f"/sandbox/doors/{ZIGBEE}")["online"] is True


@pytest.mark.parametrize("door", [ZIGBEE, BLE])
def test_behind_a_dead_gateway_everything_stays_at_phase_1(bench: Bench, door: str) -> None:
    bench.fault(door, "gateway_offline")
    number = bench.tuya.created(door, PIN[door])
    bench.clock.tick(600)
    assert bench.tuya.phase(door, number) == 1
    assert bench.try_pin(door, PIN[door]) == (False, "unknown_pin")

    bench.fault(door, "gateway_offline", on=False)
    assert bench.tuya.phase(door, number) == 2


def test_an_offline_lock_still_opens_with_what_it_holds(bench: Bench) -> None:
    settled(bench, WIFI)
    bench.fault(WIFI, "offline")
    assert bench.try_pin(WIFI, PIN[WIFI]) == (True, "opened")


def test_a_revoked_token_is_refused_once(bench: Bench) -> None:
    bench.fault(WIFI, "token_revoked")
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["code"] == 1010
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["code"] == 1010
    bench.tuya.log_in()
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["success"]


def test_with_one_token_only_a_new_login_throws_out_the_old(bench: Bench) -> None:
    bench.fault(WIFI, "one_token_only")
    old = bench.tuya.token
    bench.tuya.log_in()
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", token=old)["code"] == 1010
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["success"]


def test_a_skewed_clock_refuses_until_the_callers_uses_the_servers_time(bench: Bench) -> None:
    bench.fault(WIFI, "clock_skew")
    answer = bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")
    assert answer["code"] == 1013
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", t=answer["t"])["success"]
    assert bench.tuya.call("GET", "/v1.0/token?grant_type=1", token="", t=answer["t"])["success"]


def test_a_server_error_is_http_500(bench: Bench) -> None:
    bench.fault(WIFI, "server_error", times=1)
    assert bench.tuya.send("GET", f"/v1.0/devices/{WIFI}").status_code == 500
    assert bench.tuya.send("GET", f"/v1.0/devices/{WIFI}").status_code == 200


def test_a_short_ticket_says_how_short(bench: Bench) -> None:
    bench.fault(WIFI, "short_ticket", seconds=5)
    answer = bench.tuya.call("POST", f"/v1.0/devices/{WIFI}/door-lock/password-ticket")
    assert answer["result"]["expire_time"] == 5


def test_a_lying_delete_answers_true_and_keeps_the_pin(bench: Bench) -> None:
    number = settled(bench, ZIGBEE)
    bench.fault(ZIGBEE, "delete_lies")
    assert bench.tuya.delete(ZIGBEE, number)["result"] is True
    bench.clock.tick(10)
    assert bench.tuya.phase(ZIGBEE, number) == 2
    assert bench.try_pin(ZIGBEE, PIN[ZIGBEE]) == (True, "opened")


def test_stale_reads_show_the_state_before_the_last_change(bench: Bench) -> None:
    bench.fault(ZIGBEE, "stale_read", seconds=10)
    number = bench.tuya.created(ZIGBEE, PIN[ZIGBEE])
    assert bench.tuya.listed(ZIGBEE) == []
    assert bench.tuya.read(ZIGBEE, number)["code"] == 2310

    bench.clock.tick(10)
    assert bench.tuya.phase(ZIGBEE, number) == 2


@pytest.mark.parametrize(("door", "phase"), [(ZIGBEE, 5), (BLE, 7)])
def test_a_lock_that_refuses_ends_in_the_failed_phase(bench: Bench, door: str, phase: int) -> None:
    bench.fault(door, "create_fails", times=1)
    number = settled(bench, door)
    assert bench.tuya.phase(door, number) == phase
    assert bench.try_pin(door, PIN[door]) == (False, "unknown_pin")
    if door == ZIGBEE:
        assert bench.tuya.read(door, number)["result"]["delivery_status"] == 3


def test_some_locks_call_the_id_password_id(bench: Bench) -> None:
    number = bench.tuya.created(WIFI, PIN[WIFI])
    bench.fault(WIFI, "password_id_key")
    record = bench.tuya.listed(WIFI)[0]
    assert record["password_id"] == number
    assert "id" not in record


def test_a_slow_answer_comes_after_the_work(bench: Bench) -> None:
    bench.fault(WIFI, "slow_after_commit", seconds=0.05)
    number = bench.tuya.created(WIFI, PIN[WIFI])
    assert bench.tuya.phase(WIFI, number) == 1


def test_a_cloud_that_is_down_answers_nothing_that_tuya_would(bench: Bench) -> None:
    bench.fault(WIFI, "cloud_down", times=1)
    answer = bench.tuya.send("GET", f"/v1.0/devices/{ZIGBEE}")
    assert (answer.status_code, answer.get_json(silent=True)) == (502, None)
    assert bench.tuya.call("GET", f"/v1.0/devices/{ZIGBEE}")["success"]


@pytest.mark.parametrize("door", [WIFI, ZIGBEE])
def test_a_late_success_is_refused_unseen_and_done_all_the_same(bench: Bench, door: str) -> None:
    bench.fault(door, "late_success", seconds=8, times=1)
    assert bench.tuya.create(door, PIN[door])["code"] == 500
    assert bench.tuya.listed(door) == []
    bench.clock.tick(9)
    bench.wake(door)
    (record,) = bench.tuya.listed(door)
    assert (record["name"], record["phase"]) == ("stay", 2)
    assert bench.try_pin(door, PIN[door]) == (True, "opened")


def test_a_lock_may_refuse_every_change(bench: Bench) -> None:
    number = settled(bench, ZIGBEE)
    bench.fault(ZIGBEE, "modify_refused")
    assert bench.tuya.modify(ZIGBEE, number, PIN[ZIGBEE])["code"] == 2003
    assert bench.tuya.delete(ZIGBEE, number)["success"]


def test_a_lock_may_say_yes_to_a_change_and_keep_the_old_window(bench: Bench) -> None:
    number = settled(bench, ZIGBEE)
    [before] = bench.tuya.listed(ZIGBEE)
    bench.fault(ZIGBEE, "modify_lost")
    assert bench.tuya.modify(ZIGBEE, number, PIN[ZIGBEE], end=7200)["result"] is True
    bench.clock.tick(5)
    assert bench.tuya.listed(ZIGBEE) == [before]
    bench.fault(ZIGBEE, "modify_lost", on=False)
    assert bench.tuya.modify(ZIGBEE, number, PIN[ZIGBEE], end=7200)["result"] is True
    assert bench.tuya.listed(ZIGBEE)[0]["invalid_time"] > before["invalid_time"]


@pytest.mark.parametrize(
    ("fault", "code", "word"), [("no_offline_codes", 2003, "support"), ("offline_exhausted", 2398, "EXAUST")]
)
def test_offline_codes_may_run_out_or_not_exist(bench: Bench, fault: str, code: int, word: str) -> None:
    bench.fault(WIFI, fault, times=1)
    url = f"/v1.1/devices/{WIFI}/door-lock/offline-temp-password"
    answer = bench.tuya.call("POST", url, {"name": "a", "type": "once"})
    assert (answer["code"], word in answer["msg"]) == (code, True)
    assert bench.tuya.call("POST", url, {"name": "a", "type": "once"})["success"]


def test_alarms_and_an_empty_battery_can_be_caused(bench: Bench) -> None:
    bench.post(f"/sandbox/doors/{WIFI}/alarm", {"code": "alarm_lock", "value": "pry"})
    bench.post(f"/sandbox/doors/{WIFI}/alarm", {"code": "hijack", "value": "true"})
    bench.post(f"/sandbox/doors/{WIFI}/battery", {"percent": 7})
    logs = bench.tuya.call("GET", f"/v1.0/devices/{WIFI}/door-lock/alarm-logs?codes=alarm_lock,hijack")["result"]
    assert [one["status"][0]["value"] for one in logs["records"]] == ["true", "pry"]
    status = bench.tuya.call("GET", f"/v1.0/devices/{WIFI}/status")["result"]
    assert {"code": "residual_electricity", "value": 7} in status
    assert bench.http.post(f"/sandbox/doors/{WIFI}/alarm", json={"code": "x"}).status_code == 400
    assert bench.http.post(f"/sandbox/doors/{WIFI}/battery", json={"percent": 101}).status_code == 400


def test_a_cut_connection_leaves_the_work_done(bench: Bench) -> None:
    bench.fault(WIFI, "cut_connection", times=1)
    with pytest.raises(ConnectionResetError):
        bench.tuya.create(WIFI, PIN[WIFI])
    assert [record["name"] for record in bench.tuya.listed(WIFI)] == ["stay"]


def test_a_refused_write_does_not_use_up_a_late_fault(bench: Bench) -> None:
    bench.fault(WIFI, "cut_connection", times=1)
    assert bench.tuya.delete(WIFI, 4711)["code"] == 2321
    with pytest.raises(ConnectionResetError):
        bench.tuya.create(WIFI, PIN[WIFI])


@pytest.mark.parametrize("door", [WIFI, ZIGBEE])
def test_the_list_tells_what_is_known_and_what_is_on(bench: Bench, door: str) -> None:
    bench.fault(door, "busy", times=3)
    listed = {fault["fault"]: fault for fault in bench.get(f"/sandbox/doors/{door}/faults")}
    assert [name for name, fault in listed.items() if fault["on"]] == ["busy"]
    assert listed["busy"]["times"] == 3
    assert (set(listed) == set(KNOWN)) is (door == ZIGBEE)


@pytest.mark.parametrize("body", [{"fault": "nope"}, {"fault": "gateway_offline"}, {}, {"fault": "busy", "times": 0}])
def test_an_unknown_fault_is_refused_in_plain_words(bench: Bench, body: dict[str, object]) -> None:
    answer = bench.http.post(f"/sandbox/doors/{WIFI}/faults", json={"on": True, **body})
    assert answer.status_code == 400
    assert "times" in answer.text or "offline, busy, full" in answer.text


def test_faults_of_an_unknown_door_are_404(bench: Bench) -> None:
    assert bench.http.get("/sandbox/doors/nobody/faults").status_code == 404


def test_the_clock_of_the_world_can_be_set_and_stands_there(bench: Bench) -> None:
    bench.tuya.created(ZIGBEE, PIN[ZIGBEE])
    later = int(bench.clock.now) + 3600
    assert bench.post("/sandbox/clock", {"at": later}) == {"now": later, "stands": True}
    bench.clock.tick(10)
    [code] = bench.get(f"/sandbox/doors/{ZIGBEE}")["codes"]
    assert code["state"] == "on_lock", "what was due by then has been delivered"
    assert bench.post("/sandbox/clock", {"at": None}) == {"now": bench.clock.now, "stands": False}
