"""What a bad night does, told on real processes: changes, silence, duplicates, killed workers, an emptied Redis."""

from __future__ import annotations

import json
from typing import Any

from tests.journeys.house import House, wait_for
from tests.journeys.test_a_guest_stay import pin_in
from tests.sandbox_process import BLE, LISTING, ZIGBEE


def in_house(home: House, door: str, guest: str) -> tuple[Any, str]:
    """A stay that has begun, with its PIN proven and told."""
    stay = home.book(door, starts_in=-60, lasts=3600, guest=guest)
    pin = pin_in(home.mail(guest)["body"])
    assert home.opens(door, pin)
    return stay, pin


def leave(home: House, door: str, stay: Any) -> None:
    """Tidy up for the next journey: the stay ends, and its PIN with it."""
    home.sandbox.cancel(stay["_id"])
    wait_for(lambda: home.codes(door) == 0, why="cancelled: the PIN goes at once")


def test_an_extension_keeps_the_digits_and_the_guest_is_told_the_new_end(home: House) -> None:
    stay, pin = in_house(home, ZIGBEE, "extension@example.com")
    later = home.times(ZIGBEE, -60, 7200)
    home.sandbox.change(stay["_id"], **later)
    message = home.mail("extension@example.com", count=2)
    assert pin_in(message["body"]) == pin
    wait_for(lambda: home.opens(ZIGBEE, pin), why="the new window begins: a lock takes no start in the past")
    [revoke] = [job for job in home.jobs(stay["_id"]) if job["kind"] == "locks.revoke_pin"]
    assert 7000 < revoke["delay_seconds"] < 7300
    leave(home, ZIGBEE, stay)


def test_dates_that_change_before_the_pin_exists_move_both_jobs(home: House) -> None:
    stay = home.book(BLE, starts_in=2 * 86400, lasts=86400, guest="later@example.com")
    before = wait_for(lambda: home.jobs(stay["_id"]), why="the jobs are planned")
    home.sandbox.change(stay["_id"], **home.times(BLE, 3 * 86400, 5 * 86400))

    def moved() -> list[dict[str, Any]] | None:
        now = home.jobs(stay["_id"])
        return now if now[0]["run_at"] > before[0]["run_at"] else None

    after = wait_for(moved, why="the jobs are moved")
    assert {job["id"] for job in after} == {job["id"] for job in before}
    home.sandbox.delete(stay["_id"])
    wait_for(lambda: all(job["state"] == "cancelled" for job in home.jobs(stay["_id"])), why="deleted: no job is left")


def test_a_guest_who_moves_to_another_unit_gets_a_new_pin_and_loses_the_old(home: House) -> None:
    stay, old = in_house(home, ZIGBEE, "move@example.com")
    home.sandbox.change(stay["_id"], listing=LISTING[BLE], **home.times(BLE, -60, 3600))
    new = pin_in(home.mail("move@example.com", count=2)["body"])
    assert new != old
    assert home.opens(BLE, new)
    assert not home.opens(ZIGBEE, old)
    assert not home.opens(BLE, old)
    leave(home, BLE, stay)


def test_a_door_that_is_offline_gets_its_pin_as_soon_as_it_is_back(home: House) -> None:
    home.sandbox.fault(BLE, "offline")
    stay = home.book(BLE, starts_in=-60, lasts=3600, guest="offline@example.com")
    wait_for(lambda: any(j["last_error"] for j in home.jobs(stay["_id"])), why="the job says what is wrong")
    home.sandbox.fault(BLE, "offline", on=False)
    pin = pin_in(home.mail("offline@example.com")["body"])
    assert home.opens(BLE, pin)
    leave(home, BLE, stay)


def test_a_lost_answer_leaves_one_pin_not_two(home: House) -> None:
    home.sandbox.fault(ZIGBEE, "cut_connection", times=1)
    stay = home.book(ZIGBEE, starts_in=-60, lasts=3600, guest="cut@example.com")
    assert home.opens(ZIGBEE, pin_in(home.mail("cut@example.com")["body"]))
    assert home.codes(ZIGBEE) == 1
    leave(home, ZIGBEE, stay)


def test_a_webhook_that_comes_twice_counts_once(home: House) -> None:
    stay = home.book(ZIGBEE, starts_in=-60, lasts=3600, guest="twice@example.com", webhook="twice")
    assert home.opens(ZIGBEE, pin_in(home.mail("twice@example.com")["body"]))
    assert home.codes(ZIGBEE) == 1
    assert len(home.jobs(stay["_id"])) <= 4
    leave(home, ZIGBEE, stay)


def test_a_webhook_that_never_came_is_made_good_by_the_sync(home: House) -> None:
    stay = home.book(BLE, starts_in=-60, lasts=3600, guest="lost@example.com", webhook=False)
    result = json.loads(home.manage("sync_reservations", "--json"))
    assert result["created"] == 1
    assert home.opens(BLE, pin_in(home.mail("lost@example.com")["body"]))
    leave(home, BLE, stay)


def test_a_worker_that_is_killed_is_replaced_and_the_guest_gets_in(home: House) -> None:
    home.sandbox.fault(ZIGBEE, "slow_after_commit", times=1, seconds=8)
    stay = home.book(ZIGBEE, starts_in=-60, lasts=3600, guest="killed@example.com")
    wait_for(lambda: home.codes(ZIGBEE) == 1, why="the door has the PIN while the worker still waits for the answer")
    home.kill("worker")
    home.start_worker()
    message = home.mail("killed@example.com", seconds=120)
    assert home.opens(ZIGBEE, pin_in(message["body"]))
    assert home.codes(ZIGBEE) == 1
    leave(home, ZIGBEE, stay)


def test_a_worker_that_is_told_to_stop_finishes_what_it_holds(home: House) -> None:
    home.sandbox.fault(BLE, "slow_after_commit", times=1, seconds=4)
    stay = home.book(BLE, starts_in=-60, lasts=3600, guest="stop@example.com")
    wait_for(lambda: home.codes(BLE) == 1, why="the worker is in the middle of its call")
    home.stop("worker")
    [attempt, *_] = next(job for job in home.jobs(stay["_id"]) if job["kind"] == "locks.generate_pin")["attempts"]
    assert attempt["finished_at"], "it was finished and written down, not cut off"
    home.start_worker()
    assert home.opens(BLE, pin_in(home.mail("stop@example.com")["body"]))
    leave(home, BLE, stay)


def test_redis_may_be_emptied_and_restarted_and_nothing_is_lost(home: House) -> None:
    """P8, and why Celery is pinned: its workers hold an ETA message when Redis goes, and must live on."""
    stay = home.book(BLE, starts_in=3600 + 18, lasts=3600, guest="redis@example.com")
    wait_for(lambda: home.jobs(stay["_id"]), why="the job is planned")
    workers = {name: home.processes[name].pid for name in ("worker", "ticker")}
    home.kill("valkey")
    for left in (home.directory / "valkey").glob("appendonlydir/*"):
        left.unlink()
    assert home.post({"action": "message.added", "_dt": "2026-01-01T00:00:00Z", "payload": {}}).status_code == 200
    home.start_valkey()
    assert home.mail("redis@example.com", seconds=90)
    assert all(home.processes[name].poll() is None for name in workers), "a worker died with Redis"
    assert workers == {name: home.processes[name].pid for name in workers}
    leave(home, BLE, stay)
