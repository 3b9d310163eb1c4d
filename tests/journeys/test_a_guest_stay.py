"""The whole way of a booking, told once: this is the specification, and it runs on real processes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.journeys.house import ZONES, House, wait_for
from tests.sandbox_process import WIFI, ZIGBEE


def pin_in(body: str) -> str:
    """The guest reads her PIN off the message."""
    found = re.search(r"PIN: (\d{6,7})", body)
    assert found, body
    return found[1]


def test_a_guest_gets_in_during_her_stay_and_nobody_else_does(home: House) -> None:
    guest, door = "ana@example.com", ZIGBEE
    # Somebody books. The stay starts in half a minute, so the PIN is due at once.
    stay = home.book(door, starts_in=30, lasts=30, guest=guest)

    # She is told her PIN, and only after the door has proven that it has it.
    message = home.mail(guest)
    pin = pin_in(message["body"])
    assert pin not in message["subject"]

    # Before check-in the door stays shut; from check-in on it opens to her PIN, and to no other.
    assert not home.opens(door, pin)
    wait_for(lambda: home.opens(door, pin), why="the door opens from check-in on")
    assert not home.opens(door, pin[::-1])

    # At check-out the PIN goes, and its absence is read back.
    wait_for(lambda: not home.opens(door, pin), why="the door stays shut from check-out on")
    kinds = wait_for(lambda: finished(home, stay["_id"]), why="both jobs are done")
    assert {"locks.generate_pin", "locks.revoke_pin"} <= kinds
    assert {code["state"] for code in home.sandbox.door(door)["codes"]} <= {"gone"}


def finished(home: House, reservation: str) -> set[str] | None:
    jobs = home.jobs(reservation)
    return {job["kind"] for job in jobs} if all(job["state"] == "succeeded" for job in jobs) else None


def test_the_pin_waits_for_its_hour(home: House) -> None:
    """One hour before check-in, not earlier: until then there is a job with its due time, and an empty door."""
    guest = "hour@example.com"
    stay = home.book(ZIGBEE, starts_in=86400, lasts=3600, guest=guest)
    job = wait_for(lambda: next(iter(home.jobs(stay["_id"])), None), why="the job is planned")
    assert (job["kind"], job["state"], job["attempts"]) == ("locks.generate_pin", "scheduled", [])
    assert home.codes(ZIGBEE) == 0

    # She comes earlier: however long the news took, the PIN is made an hour before she is there, and no sooner.
    change = home.times(ZIGBEE, 3600 + 15, 2 * 3600)
    home.sandbox.change(stay["_id"], **change)
    check_in = datetime.fromisoformat(f"{change['checkInDate']}T{change['checkInTime']}")
    due = check_in.replace(tzinfo=ZoneInfo(ZONES[ZIGBEE])) - timedelta(hours=1)
    assert home.mail(guest)
    [attempt, *_] = home.jobs(stay["_id"])[0]["attempts"]
    assert datetime.fromisoformat(attempt["started_at"]) >= due
    assert attempt["lateness_ms"] >= 0
    home.sandbox.cancel(stay["_id"])
    wait_for(lambda: home.codes(ZIGBEE) == 0, why="cancelled: the PIN goes at once")


def test_a_sleeping_lock_opens_once_somebody_touches_it(home: House) -> None:
    """A Wi-Fi lock sleeps: the guest still gets her PIN in time, with how to wake the lock."""
    guest = "sleep@example.com"
    home.sandbox.sleep(WIFI)
    stay = home.book(WIFI, starts_in=-60, lasts=3600, guest=guest)
    pin = pin_in(home.mail(guest)["body"])
    assert len(pin) == 7
    assert not home.opens(WIFI, pin)
    home.sandbox.wake(WIFI)
    assert home.opens(WIFI, pin)
    home.sandbox.cancel(stay["_id"])
    wait_for(lambda: home.codes(WIFI) == 0, why="removed while the lock is awake")
